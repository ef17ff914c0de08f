//! Secrets are put together at run time, so that no scanner takes this file for one that leaks.

use super::*;

mod files;
mod json;
mod random;

use random::{ALNUM, HEX, LETTERS, UPPER, random};

const BECH32: &str = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";

/// One good example for each rule.
fn examples() -> Vec<(&'static str, String)> {
    let any = |len: usize, seed: u64| random(len, ALNUM, seed);
    vec![
        ("aws-access-token", format!("AKIA{}", random(16, UPPER, 1))),
        ("aws-access-token", format!("ASIA{}", random(16, UPPER, 2))),
        ("github-pat", format!("ghp_{}", any(36, 4))),
        ("github-oauth", format!("gho_{}", any(36, 5))),
        ("github-app-token", format!("ghs_{}", any(36, 6))),
        ("github-refresh-token", format!("ghr_{}", any(36, 7))),
        (
            "github-fine-grained-pat",
            format!("github_pat_{}_{}", any(22, 8), any(59, 9)),
        ),
        ("gitlab-pat", format!("glpat-{}", any(20, 10))),
        ("gitlab-token", format!("glrt-{}", any(20, 11))),
        (
            "gitlab-runner-registration-token",
            format!("GR1348941{}", any(20, 12)),
        ),
        (
            "slack-token",
            format!("xoxb-{}-{}", random(12, "0123456789", 13), any(24, 14)),
        ),
        (
            "slack-app-token",
            format!(
                "xapp-1-A{}-{}-{}",
                random(9, UPPER, 15),
                random(12, "0123456789", 16),
                random(64, HEX, 17)
            ),
        ),
        (
            "slack-webhook-url",
            format!(
                "hooks.slack.com/services/T{}/B{}/{}",
                random(8, UPPER, 18),
                random(8, UPPER, 19),
                any(24, 20)
            ),
        ),
        ("gcp-api-key", format!("AIza{}", any(35, 21))),
        ("google-oauth-client-secret", format!("GOCSPX-{}", any(28, 22))),
        ("google-oauth-access-token", format!("ya29.{}", any(80, 23))),
        ("stripe-access-token", format!("sk_live_{}", any(24, 24))),
        ("stripe-webhook-secret", format!("whsec_{}", any(32, 25))),
        ("npm-access-token", format!("npm_{}", any(36, 26))),
        (
            "pypi-upload-token",
            format!("pypi-AgEIcHlwaS5vcmc{}", any(70, 27)),
        ),
        ("rubygems-api-token", format!("rubygems_{}", random(48, HEX, 28))),
        ("crates-io-token", format!("cio{}", any(32, 29))),
        ("anthropic-api-key", format!("sk-ant-api03-{}AA", any(93, 30))),
        ("openai-api-key", format!("sk-proj-{}", any(60, 31))),
        (
            "openai-api-key",
            format!("sk-{}T3BlbkFJ{}", any(20, 32), any(20, 33)),
        ),
        (
            "huggingface-access-token",
            format!("hf_{}", random(34, LETTERS, 34)),
        ),
        (
            "sendgrid-api-token",
            format!("SG.{}.{}", any(22, 35), any(43, 36)),
        ),
        ("digitalocean-token", format!("dop_v1_{}", random(64, HEX, 37))),
        (
            "age-secret-key",
            format!("AGE-SECRET-KEY-1{}", random(58, BECH32, 38)),
        ),
        (
            "jwt",
            format!("eyJ{}.eyJ{}.{}", any(33, 39), any(60, 40), any(43, 41)),
        ),
    ]
}

fn private_key(line_end: &str) -> String {
    let body: Vec<String> = (0..6).map(|at| random(64, ALNUM, 50 + at)).collect();
    let kind = "PRIVATE KEY";
    format!(
        "-----BEGIN RSA {kind}-----{line_end}{}{line_end}-----END RSA {kind}-----",
        body.join(line_end)
    )
}

fn names_of(found: &[Finding]) -> Vec<&str> {
    found.iter().map(|finding| &*finding.rule).collect()
}

fn rules_of(text: &str) -> Vec<String> {
    names_of(&find(text.as_bytes()))
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[test]
fn finds_each_kind_wherever_it_stands() {
    for (rule, secret) in examples() {
        for frame in [
            "{}",
            "x = \"{}\"",
            "\\n{}\\n",
            "(\\\"{}\\\")",
            "export T={}\n",
            "a\\t{} b",
        ] {
            let text = frame.replace("{}", &secret);
            let found = find(text.as_bytes());
            assert_eq!(names_of(&found), [rule], "{frame}");
            assert_eq!(&text[found[0].range.clone()], secret, "{rule} in {frame}");
        }
    }
}

#[test]
fn every_rule_has_an_example() {
    let mut tried: Vec<&str> = examples().iter().map(|(rule, _)| *rule).collect();
    tried.extend([
        "private-key",
        "aws-secret-key",
        "url-password",
        "generic-credential",
    ]);
    for rule in built_in::RULES {
        assert!(tried.contains(&rule.id), "{}", rule.id);
    }
}

#[test]
fn finds_private_keys_plain_escaped_and_cut_off() {
    for line_end in ["\n", "\\n", "\r\n", "\\r\\n"] {
        let key = private_key(line_end);
        let text = format!("before {key} after");
        let found = find(text.as_bytes());
        assert_eq!(found.len(), 1, "{line_end:?}");
        assert_eq!(&text[found[0].range.clone()], key);
        let cut = format!("{{\"a\":\"{}\"}}", &key[..key.len() - 40]);
        let redacted = redact(cut.as_bytes());
        assert_eq!(redacted.rules, ["private-key".into()]);
        assert!(!String::from_utf8(redacted.bytes).unwrap().contains(&key[40..80]));
    }
    assert_eq!(
        rules_of("if line.contains(\"-----BEGIN PRIVATE KEY-----\") { return }"),
        [""; 0]
    );
    assert_eq!(
        rules_of(
            "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD\n"
        ),
        [""; 0]
    );
}

#[test]
fn finds_values_by_their_names() {
    let value = random(24, ALNUM, 60);
    for text in [
        format!("password={value}"),
        format!("DB_PASSWORD: '{value}'"),
        format!("\\\"api_key\\\": \\\"{value}\\\""),
        format!("--auth-token {value}\n"),
        format!("Authorization: Bearer {value}"),
        format!("client_secret => \"{value}\""),
    ] {
        assert_eq!(
            rules_of(&text),
            ["generic-credential"],
            "{}",
            text.replace(&value, "VALUE")
        );
    }
    let secret = random(40, ALNUM, 61);
    assert_eq!(
        rules_of(&format!("aws_secret_access_key = {secret}\n")),
        ["aws-secret-key"]
    );
    assert_eq!(
        rules_of("postgres://app:Tr0ub4dor3x@db.internal:5432/x"),
        ["url-password"]
    );
}

#[test]
fn leaves_ordinary_text_alone() {
    for text in [
        "",
        "AKIAIOSFODNN7EXAMPLE",
        "password=changeme1234567",
        "password = os.environ['APP_PASSWORD_1234567']",
        "api_key: ${SECRET_API_KEY_FOR_CI}",
        "let key = keys/default.pem and secret/agent/path2",
        "\"cache_read_input_tokens\":24641123456",
        "the token ghp_short and sk-ant-x",
        "https://example.com:8443/a@b",
        "postgres://app:$PASSWORD@db/x",
        "private_key_file: /home/ada/.ssh/id_ed25519_2024",
        "[REDACTED:aws-access-token]",
        "tokenizer: BertTokenizerFastFromHub",
    ] {
        assert_eq!(rules_of(text), [""; 0], "{text}");
    }
}

#[test]
fn redaction_removes_every_secret_and_is_stable() {
    let all: Vec<String> = examples()
        .into_iter()
        .map(|(_, secret)| secret)
        .chain([private_key("\\n")])
        .collect();
    let json = serde_json::to_string(&serde_json::json!({"content": all.join("\n")})).unwrap();
    let redacted = redact(json.as_bytes());
    let text = String::from_utf8(redacted.bytes.clone()).unwrap();
    for secret in &all {
        assert!(!text.contains(secret.as_str()));
    }
    assert_eq!(redacted.count, all.len());
    assert!(redacted.rules.is_sorted());
    serde_json::from_str::<serde_json::Value>(&text).unwrap();
    let again = redact(&redacted.bytes);
    assert_eq!((again.count, again.bytes), (0, redacted.bytes));
}

#[test]
fn findings_do_not_overlap_and_show_no_secret() {
    let secret = format!("ghp_{}", random(36, ALNUM, 70));
    let found = find(format!("password={secret}&token={secret} ").as_bytes());
    assert!(
        found
            .windows(2)
            .all(|pair| pair[0].range.end <= pair[1].range.start)
    );
    assert_eq!(found.len(), 2);
    let shown = format!("{found:?} {:?}", redact(secret.as_bytes()));
    assert!(!shown.contains(&secret[4..12]));
    assert!(shown.contains("github-pat"));
}

#[test]
fn ends_on_any_bytes() {
    for bytes in [
        &b"\xff\xfe-----BEGIN PRIVATE KEY-----"[..],
        b"-----END-----BEGIN PRIVATE KEY----------END",
        b"eyJ.eyJ.",
        b"://:@",
    ] {
        find(bytes);
        redact(bytes);
    }
    let long = "password=".repeat(100_000);
    assert!(find(long.as_bytes()).is_empty());
}

/// Each of these would take hours if a byte were looked at again for each of those before it.
#[test]
fn a_text_that_is_made_to_be_slow_takes_no_longer_than_others() {
    let many = |piece: &str| piece.repeat(192 * 1024 / piece.len());
    let closed = |piece: &str, end: &str| {
        let depth = 20_000;
        format!("{}{}", piece.repeat(depth), end.repeat(depth))
    };
    for text in [
        many("{\"a\":"),
        many("{\"apiKey\":"),
        many("[\"apiKey\":["),
        many("{\"env\":"),
        many("{\"env\":[{}],\"apiKey\":{"),
        closed("{\"env\":", "}"),
        closed("{\"env\":[", "]}"),
        closed("{\"apiKey\":[", "]}"),
        format!("[\"{}", many("\\\"")),
        format!("{{\"apiKey\":\"{}", many("\\\"")),
        many("\"apiKey\":\""),
        many("-----BEGIN RSA PRIVATE KEY-----\n"),
        many("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy\n"),
    ] {
        let literal = serde_json::to_vec(&text).unwrap();
        for bytes in [text.as_bytes(), &literal] {
            let redacted = Scanner::built_in().redact_json(bytes).unwrap();
            assert!(Scanner::built_in().find_in_json(&redacted.bytes).is_empty());
        }
    }
}
