//! The rules that always count.

use super::rule::Shape;

/// One rule of the table.
pub(super) struct BuiltIn {
    /// Its name, as gitleaks spells it where gitleaks has it.
    pub(super) id: &'static str,
    /// The pattern; its first group is the secret.
    pub(super) pattern: &'static str,
    /// Words of which one must be there, in any case.
    pub(super) keywords: &'static [&'static str],
    /// The least entropy of the secret, in hundredths of a bit per byte.
    pub(super) centibits: u16,
    /// What the pattern finds.
    pub(super) shape: Shape,
}

const fn token(
    id: &'static str,
    pattern: &'static str,
    keywords: &'static [&'static str],
    centibits: u16,
) -> BuiltIn {
    BuiltIn {
        id,
        pattern,
        keywords,
        centibits,
        shape: Shape::Token,
    }
}

/// What may stand before a token: no letter or digit, unless it is the letter of a JSON escape.
macro_rules! at_start {
    ($pattern:literal) => {
        concat!(r"(?:^|[^A-Za-z0-9_]|\\[bfnrt])(", $pattern, ")")
    };
}

/// Every rule; of two that match at one place the first one names the finding.
pub(super) const RULES: &[BuiltIn] = &[
    BuiltIn {
        id: "private-key",
        pattern: r"(-----BEGIN[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----)",
        keywords: &["private key"],
        centibits: 0,
        shape: Shape::PrivateKey,
    },
    token(
        "aws-access-token",
        at_start!(r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
        &["a3t", "akia", "asia", "abia", "acca"],
        300,
    ),
    token(
        "aws-secret-key",
        r#"(?i:aws_?-?secret_?-?(?:access_?-?)?key)[\\"']{0,4}\s{0,3}(?:=|:|=>)\s{0,3}[\\"']{0,4}([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"#,
        &["secret"],
        350,
    ),
    token(
        "github-pat",
        at_start!(r"ghp_[0-9A-Za-z]{36,255}\b"),
        &["ghp_"],
        300,
    ),
    token(
        "github-oauth",
        at_start!(r"gho_[0-9A-Za-z]{36,255}\b"),
        &["gho_"],
        300,
    ),
    token(
        "github-app-token",
        at_start!(r"gh[us]_[0-9A-Za-z]{36,255}\b"),
        &["ghu_", "ghs_"],
        300,
    ),
    token(
        "github-refresh-token",
        at_start!(r"ghr_[0-9A-Za-z]{36,255}\b"),
        &["ghr_"],
        300,
    ),
    token(
        "github-fine-grained-pat",
        at_start!(r"github_pat_[0-9A-Za-z_]{60,255}"),
        &["github_pat_"],
        300,
    ),
    token(
        "gitlab-pat",
        at_start!(r"glpat-[0-9A-Za-z_-]{20,64}"),
        &["glpat-"],
        300,
    ),
    token(
        "gitlab-token",
        at_start!(r"gl(?:dt|rt|ptt|cbt|ft|imt|oas|soat|agent)-[0-9A-Za-z_-]{20,64}"),
        &[
            "gldt-", "glrt-", "glptt-", "glcbt-", "glft-", "glimt-", "gloas-", "glsoat-", "glagent-",
        ],
        300,
    ),
    token(
        "gitlab-runner-registration-token",
        at_start!(r"GR1348941[0-9A-Za-z_-]{20}"),
        &["gr1348941"],
        300,
    ),
    token(
        "slack-token",
        at_start!(r"xox[abeoprs]-[0-9A-Za-z-]{10,250}"),
        &["xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-"],
        250,
    ),
    token(
        "slack-app-token",
        at_start!(r"xapp-[0-9]-[A-Z0-9]{5,20}-[0-9]{5,20}-[0-9a-z]{10,100}"),
        &["xapp-"],
        200,
    ),
    token(
        "slack-webhook-url",
        r"(hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{30,80})",
        &["hooks.slack.com"],
        300,
    ),
    token("gcp-api-key", at_start!(r"AIza[0-9A-Za-z_-]{35}"), &["aiza"], 300),
    token(
        "google-oauth-client-secret",
        at_start!(r"GOCSPX-[0-9A-Za-z_-]{20,40}"),
        &["gocspx-"],
        300,
    ),
    token(
        "google-oauth-access-token",
        at_start!(r"ya29\.[0-9A-Za-z_-]{20,500}"),
        &["ya29."],
        300,
    ),
    token(
        "stripe-access-token",
        at_start!(r"(?:sk|rk)_(?:test|live|prod)_[0-9A-Za-z]{10,200}\b"),
        &["sk_test", "sk_live", "sk_prod", "rk_test", "rk_live", "rk_prod"],
        250,
    ),
    token(
        "stripe-webhook-secret",
        at_start!(r"whsec_[0-9A-Za-z]{24,64}\b"),
        &["whsec_"],
        300,
    ),
    token(
        "npm-access-token",
        at_start!(r"npm_[0-9A-Za-z]{36}\b"),
        &["npm_"],
        300,
    ),
    token(
        "pypi-upload-token",
        at_start!(r"pypi-AgEIcHlwaS5vcmc[0-9A-Za-z_-]{50,1000}"),
        &["pypi-ageichlwas5vcmc"],
        300,
    ),
    token(
        "rubygems-api-token",
        at_start!(r"rubygems_[0-9a-f]{48}\b"),
        &["rubygems_"],
        200,
    ),
    token(
        "crates-io-token",
        at_start!(r"cio[0-9A-Za-z]{32}\b"),
        &["cio"],
        400,
    ),
    token(
        "anthropic-api-key",
        at_start!(r"sk-ant-[a-z]{2,12}[0-9]{0,4}-[0-9A-Za-z_-]{30,255}"),
        &["sk-ant-"],
        300,
    ),
    token(
        "openai-api-key",
        at_start!(
            r"sk-(?:(?:proj|svcacct|admin|None)-[0-9A-Za-z_-]{40,255}|[0-9A-Za-z]{20}T3BlbkFJ[0-9A-Za-z]{20})"
        ),
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-none-", "t3blbkfj"],
        300,
    ),
    token(
        "huggingface-access-token",
        at_start!(r"hf_[A-Za-z]{34}\b"),
        &["hf_"],
        300,
    ),
    token(
        "sendgrid-api-token",
        at_start!(r"SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"),
        &["sg."],
        300,
    ),
    token(
        "digitalocean-token",
        at_start!(r"do[oprt]_v1_[0-9a-f]{64}\b"),
        &["doo_v1_", "dop_v1_", "dor_v1_", "dot_v1_"],
        250,
    ),
    token(
        "age-secret-key",
        at_start!(r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
        &["age-secret-key-1"],
        250,
    ),
    token(
        "jwt",
        at_start!(r"eyJ[0-9A-Za-z_-]{14,4000}\.eyJ[0-9A-Za-z_-]{14,4000}\.[0-9A-Za-z_-]{10,2000}={0,2}"),
        &["eyj"],
        300,
    ),
    BuiltIn {
        id: "url-password",
        pattern: r#"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/@:"'\\<>]{0,64}:([^\s/@"'\\<>]{6,128})@[A-Za-z0-9\[]"#,
        keywords: &["://"],
        centibits: 270,
        shape: Shape::Named,
    },
    BuiltIn {
        id: "generic-credential",
        pattern: r#"(?i:passw(?:or)?d|passphrase|secret|api[_.-]?key|access[_.-]?key|auth[_.-]?token|access[_.-]?token|refresh[_.-]?token|client[_.-]?secret|private[_.-]?key|encryption[_.-]?key|bearer)[A-Za-z0-9_.-]{0,20}[\\"'` ]{0,4}(?:=>|:=|=|:| )[\\"'` ]{0,4}([A-Za-z0-9_./+~!@#%^&*-]{10,150}={0,2})(?:[\\"'`\s;,)&]|$)"#,
        keywords: &["passw", "passphrase", "secret", "key", "token", "bearer"],
        centibits: 360,
        shape: Shape::Named,
    },
];
