//! Secrets are put together at run time, so that no scanner takes this file for one that leaks.

use super::*;

/// Letters and digits that look random, always the same.
fn random(len: usize, alphabet: &str, seed: u64) -> String {
    let alphabet = alphabet.as_bytes();
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(alphabet[(state % alphabet.len() as u64) as usize])
        })
        .collect()
}

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &str = "0123456789abcdef";
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
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

fn json_rules(text: &str) -> Vec<String> {
    let found = Scanner::built_in().find_in_json(text.as_bytes());
    names_of(&found).into_iter().map(str::to_owned).collect()
}

fn redacted(text: &str) -> String {
    let redacted = Scanner::built_in().redact_json(text.as_bytes()).unwrap();
    String::from_utf8(redacted.bytes).unwrap()
}

fn unicode_escapes(text: &str) -> String {
    text.chars()
        .map(|character| format!("\\u{:04x}", u32::from(character)))
        .collect()
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Every way in which a session's JSON may hide a secret, each with every kind of secret.
fn hidden(secret: &str) -> Vec<(&'static str, String)> {
    use serde_json::json;
    let nested = |times: usize| {
        let mut text = json!({"output": format!("token {secret} end")}).to_string();
        for _ in 0..times {
            text = json!({"content": text}).to_string();
        }
        text
    };
    let hex: String = format!("x {secret} x")
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let (left, right) = secret.split_at(secret.len() / 2);
    let wrapped = base64_of(&format!("{}{secret}{}", "-".repeat(60), "-".repeat(60)));
    let wrapped: Vec<&str> = wrapped
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let line = "x".repeat(40);
    vec![
        ("plain", json!({"a": format!("it is {secret}.")}).to_string()),
        ("as a name", json!({secret: 1}).to_string()),
        (
            "unicode escapes",
            format!("{{\"a\":\"{}\"}}", unicode_escapes(secret)),
        ),
        (
            "one escape inside",
            format!("{{\"a\":\"{left}{}\"}}", unicode_escapes(right)),
        ),
        ("json in json", nested(1)),
        ("json in json in json", nested(2)),
        (
            "base64",
            json!({"data": base64_of(&format!("a secret: {secret}\n"))}).to_string(),
        ),
        ("base64, wrapped", json!({"data": wrapped.join("\n")}).to_string()),
        ("hex", json!({"data": hex}).to_string()),
        (
            "percent",
            json!({"url": format!("https://h/?q={percent}&b")}).to_string(),
        ),
        (
            "broken over lines",
            json!({"text": format!("{line} {left}\n  {right} and so on")}).to_string(),
        ),
        (
            "broken over lines of a diff",
            json!({"text": format!("+{line} {left}\n+{right} and so on")}).to_string(),
        ),
        ("not closed", format!("{{\"a\":\"{secret} ")),
        ("no json", format!("it is {secret} indeed")),
        ("a second line", format!("{{\"a\":1}}\n{{\"b\":\"{secret}\"}}\n")),
    ]
}

#[test]
fn case_152_secrets_are_found_and_taken_out_however_they_are_written() {
    for (rule, secret) in examples() {
        if [
            "slack-webhook-url",
            "jwt",
            "pypi-upload-token",
            "sendgrid-api-token",
            "google-oauth-access-token",
        ]
        .contains(&rule)
        {
            // Their dots and slashes end a run that a line break could split.
            continue;
        }
        for (how, text) in hidden(&secret) {
            assert_eq!(json_rules(&text), [rule], "{rule}, {how}");
            let clean = redacted(&text);
            for hidden in [
                &secret[..],
                &secret[secret.len() / 2..],
                &base64_of(&secret)[4..20],
            ] {
                assert!(!clean.contains(hidden), "{rule}, {how}");
            }
            assert!(clean.contains(&format!("[REDACTED:{rule}]")), "{rule}, {how}");
            for (line, clean) in text.lines().zip(clean.lines()) {
                if serde_json::from_str::<serde_json::Value>(line).is_ok() {
                    serde_json::from_str::<serde_json::Value>(clean)
                        .unwrap_or_else(|error| panic!("{rule}, {how}: {error}"));
                }
            }
        }
    }
}

#[test]
fn redaction_takes_out_no_more_than_it_must() {
    let secret = format!("ghp_{}", random(36, ALNUM, 80));
    let text = format!(
        "{{\"keep\":\"before {secret} after\\n\",\"n\":1.50, \"o\":{{}},\"s\":\"\\u00e9\"}}\nnot json\n"
    );
    let expected = text.replace(&secret, "[REDACTED:github-pat]");
    assert_eq!(redacted(&text), expected);
    // Ordinary words, digests and paths stay as they are.
    let plain = "{\"sha\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\",\"p\":\"a/b/c/d/e/f/g/h/i/j/k/l\",\"e\":\"100%25 done%0a\",\"i\":\"aGVsbG8gd29ybGQsIHRoaXMgaXMgbm8gc2VjcmV0IGF0IGFsbA==\"}";
    assert_eq!(redacted(plain), plain);
    assert_eq!(json_rules(plain), [""; 0]);
}

#[test]
fn values_of_the_drop_list_are_taken_out_whole() {
    let text = concat!(
        r#"{"user_email":"ada@example.org","keep":1,"rate_limits":{"a":[1,{"b":"}"}]},"base_instructions":{"text":"You are"},"#,
        r#""signature" : "EqQB" ,"encrypted_content":["x"],"deviceFingerprint":42,"installationID":"i","api_key":"k","#,
        r#""nested":"{\"userEmail\":\"bob@example.org\",\"ok\":true}","url":"https://ada:pw@h.example/x","signature":null,"#,
        r#""env":{"PATH":"/bin","HOME":"/home/ada"},"out":"PATH=/bin\nHOME=/home/ada\nA=1\nB=2\nok"}"#
    );
    let clean = redacted(text);
    let value: serde_json::Value = serde_json::from_str(&clean).unwrap();
    assert_eq!(value["keep"], 1);
    assert_eq!(value["rate_limits"], "[REDACTED:drop-rate-limits]");
    assert_eq!(value["env"], "[REDACTED:drop-environment]");
    assert_eq!(value["url"], "https://[REDACTED:drop-userinfo]@h.example/x");
    assert_eq!(value["out"], "[REDACTED:drop-environment]\nok");
    let nested: serde_json::Value = serde_json::from_str(value["nested"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&nested["ok"], &nested["userEmail"]),
        (&true.into(), &"[REDACTED:drop-email]".into())
    );
    for gone in ["ada", "bob", "EqQB", "You are", "/bin", "42"] {
        assert!(!clean.contains(gone), "{gone} in {clean}");
    }
    // They are no secrets: nothing is refused for them, and what is clean stays as it is.
    assert_eq!(
        json_rules(r#"{"user_email":"ada@example.org","rate_limits":{"a":1}}"#),
        [""; 0]
    );
    let again = Scanner::built_in().redact_json(clean.as_bytes()).unwrap();
    assert_eq!((again.count, again.bytes), (0, clean.into_bytes()));
}

#[test]
fn statements_carry_no_password_in_an_address() {
    let scan = |text: &str| Scanner::built_in().find_in_statement(text.as_bytes()).len();
    assert_eq!(scan(r#"{"uri":"https://ada:x@tracker.example/1"}"#), 1);
    assert_eq!(scan(r#"{"uri":"https://ada:Tr0ub4dor3x@tracker.example/1"}"#), 1);
    assert_eq!(
        scan(r#"{"uri":"https://tracker.example/1@x","git":"git+ssh://git@h.example/r"}"#),
        0
    );
}

#[test]
fn hostile_json_ends_and_never_panics() {
    for text in [
        "\"",
        "\"\\",
        "{\"signature\":",
        "{\"signature\":{",
        "{\"signature\":[[[",
        "\"\\u\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "{\"api_key\"",
        "{\"api_key\":}",
        "\"\\\\\"\"",
        "\u{0}\u{1}",
        "{\"a\":\"{\\\"a\\\":\\\"{\"}",
        "%",
        "%4",
        "\"%4\"",
    ] {
        json_rules(text);
        redacted(text);
    }
    let deep = format!("{{\"signature\":{}", "[".repeat(200_000));
    redacted(&deep);
    let mut nested = String::from("[1]");
    for _ in 0..12 {
        nested = serde_json::to_string(&format!("[{nested}]")).unwrap();
    }
    redacted(&nested);
    let mut state = 7_u64;
    for _ in 0..2_000 {
        let bytes: Vec<u8> = (0..64)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                b"{}[]:,\"\\ua0dn%=- \nsignatureAKIA"[(state >> 33) as usize % 31]
            })
            .collect();
        Scanner::built_in().find_in_json(&bytes);
        drop(Scanner::built_in().redact_json(&bytes));
    }
}

mod files {
    use super::super::rule_file::{RuleFileError, parse};
    use super::*;

    fn scanner(rules: &str) -> Scanner {
        Scanner::built_in()
            .clone()
            .with(parse(rules.as_bytes()).unwrap())
            .unwrap()
    }

    fn code(rules: &str) -> &'static str {
        let added = parse(rules.as_bytes()).and_then(|file| Scanner::built_in().clone().with(file));
        added.map_or_else(|error: RuleFileError| error.code(), |_| "accepted")
    }

    /// The forms that gitleaks' own rules have, in rules of our own.
    const FORMS: &str = r#####"
title = "forms"
minVersion = "v8.25.0"

[extend]
useDefault = true

[allowlist]
description = "everywhere"
paths = ['''(?i)\.(?:bmp|gif|jpe?g)$''']
regexes = ['''(?i)^true|false|null$''', '''^\$(?:\d+|{\d+})$''']
stopwords = ["014df517-39d1-4453-b7b3-9930c563627c"]

[[rules]]
id = "acme-api-token"
description = "a token behind its name"
regex = '''(?i)[\w.-]{0,50}?(?:acme)(?:[ \t\w.-]{0,20})[\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}([a-z0-9]{32})(?:[\x60'"\s;]|\\[nr]|$)'''
entropy = 3.0
keywords = ["acme"]
tags = ["api"]

[[rules]]
id = "acme-key"
regex = '''\b((?:ak|sk)_(?:live|test)_[A-Z2-7]{16})\b'''
secretGroup = 1
keywords = ["ak_live", "sk_live", "ak_test"]

[[rules]]
id = "acme-pair"
regex = '''(acme-id)-([0-9]{6})-([a-f0-9]{20})'''
secretGroup = 3
keywords = ["acme-id"]

[[rules]]
id = "acme-password"
regex = '''(?i)acmepw\s*=\s*"?(?P<secret>[^\s"]{8,})'''
keywords = ["acmepw"]
[[rules.allowlists]]
condition = "AND"
regexTarget = "line"
regexes = ['''# example''']
stopwords = ["sample"]
[[rules.allowlists]]
regexTarget = "match"
regexes = ['''acmepw = "unset''']

[[rules]]
id = "without-keyword"
regex = '''QQ[0-9]{12}QQ'''

[[rules]]
id = "letters"
regex = '''\p{Greek}{12}'''
keywords = ["λ"]

[[rules]]
id = "only-a-path"
path = '''(?i)\.p12$'''
"#####;

    #[test]
    fn the_forms_of_gitleaks_rules_load_and_find() {
        let file = parse(FORMS.as_bytes()).unwrap();
        assert_eq!(file.len(), 6);
        let ignored: Vec<&str> = file.ignored().collect();
        assert_eq!(
            ignored,
            ["only-a-path.(a rule without regex)", "only-a-path.path"]
        );
        let scanner = scanner(FORMS);
        let found = |text: &str| {
            let found = scanner.find(text.as_bytes());
            found
                .iter()
                .map(|finding| (finding.rule.to_string(), text[finding.range.clone()].to_owned()))
                .collect::<Vec<_>>()
        };
        let token = random(32, "abcdefghijklmnopqrstuvwxyz0123456789", 90);
        let is = |rule: &str, secret: &str| vec![(rule.to_owned(), secret.to_owned())];
        assert_eq!(
            found(&format!("acme_token = '{token}'")),
            is("acme-api-token", &token)
        );
        assert_eq!(found(&format!("acme_token = '{}'", "a".repeat(32))), []);
        assert_eq!(
            found("x ak_live_ABCDEFGHIJKLMNOP y"),
            is("acme-key", "ak_live_ABCDEFGHIJKLMNOP")
        );
        let hex = "0123456789abcdef0123";
        assert_eq!(found(&format!("acme-id-123456-{hex}")), is("acme-pair", hex));
        assert_eq!(
            found("acmepw = hunter2hunter2"),
            is("acme-password", "hunter2hunter2")
        );
        assert_eq!(found("acmepw = samplehunter # example"), []);
        assert_eq!(
            found("acmepw = hunter2hunter2 # example"),
            is("acme-password", "hunter2hunter2")
        );
        assert_eq!(found("acmepw = \"unset-for-now\""), []);
        assert_eq!(found("acmepw = 014df517-39d1-4453-b7b3-9930c563627c"), []);
        assert_eq!(
            found("QQ123456789012QQ"),
            is("without-keyword", "QQ123456789012QQ")
        );
        assert_eq!(found("λλλλλλλλλλλλ").len(), 1);
        // What is built in counts with them.
        assert_eq!(found(&format!("ghp_{}", random(36, ALNUM, 91))).len(), 1);
        let redacted = scanner
            .redact_json(br#"{"a":"x ak_live_ABCDEFGHIJKLMNOP"}"#)
            .unwrap();
        assert_eq!(redacted.bytes, br#"{"a":"x [REDACTED:acme-key]"}"#);
        assert_eq!(redacted.rules, ["acme-key".into()]);
    }

    #[test]
    fn what_is_not_understood_is_refused_or_named() {
        let rule = |more: &str| format!("[[rules]]\nid = \"x\"\nregex = 'abc'\n{more}");
        assert_eq!(code(&rule("")), "accepted");
        for (text, expected) in [
            ("rules = 1".to_owned(), "redaction.setting"),
            ("[[rules]\n".to_owned(), "redaction.toml"),
            ("[[rules]]\nregex = 'abc'".to_owned(), "redaction.setting"),
            (
                "[[rules]]\nid = 'a b'\nregex = 'abc'".to_owned(),
                "redaction.setting",
            ),
            ("[[rules]]\nid = 'x'\nregex = '('".to_owned(), "redaction.pattern"),
            (
                "[[rules]]\nid = 'x'\nregex = '(?<!a)b'".to_owned(),
                "redaction.pattern",
            ),
            (
                "[[rules]]\nid = 'x'\nregex = '(a)\\1'".to_owned(),
                "redaction.pattern",
            ),
            (
                "[[rules]]\nid = 'x'\nregex = '((a{1000}){1000}){1000}'".to_owned(),
                "redaction.pattern",
            ),
            (
                format!("[[rules]]\nid = 'x'\nregex = '{}'", "a".repeat(20_000)),
                "redaction.too_large",
            ),
            (rule("secretGroup = 1"), "redaction.setting"),
            (rule("entropy = 9.5"), "redaction.setting"),
            (rule("entropy = nan"), "redaction.setting"),
            (rule("keywords = 'abc'"), "redaction.setting"),
            (
                rule("[[rules.allowlists]]\nregexTarget = 'file'"),
                "redaction.setting",
            ),
            (
                rule("[[rules.allowlists]]\ncondition = 'XOR'"),
                "redaction.setting",
            ),
            (rule("[[rules.allowlists]]\nregexes = ['(']"), "redaction.pattern"),
            (format!("{}{}", rule(""), rule("")), "redaction.rule_twice"),
            (rule("").replace("\"x\"", "\"github-pat\""), "accepted"),
            ("[extend]\npath = 'other.toml'".to_owned(), "redaction.extends"),
            (
                "[[rules]]\nid='x'\nregex='a'\n".to_owned() + &"[[rules]]\n".repeat(2_001),
                "redaction.too_large",
            ),
        ] {
            assert_eq!(code(&text), expected, "{}", &text[..text.len().min(80)]);
        }
        let file = parse(
            rule("severity = 'high'\n[[rules.required]]\nid = 'y'\n[extend]\ndisabledRules = ['github-pat']")
                .as_bytes(),
        );
        let file = file.unwrap();
        assert_eq!(
            file.ignored().collect::<Vec<_>>(),
            ["extend.disabledRules", "x.required", "x.severity"]
        );
    }

    /// An allowlist of one's own does not reach what is built in.
    #[test]
    fn nothing_in_a_file_makes_a_scan_find_less() {
        let scanner =
            scanner("[allowlist]\nregexes = ['.*']\nstopwords = ['ghp_']\n[extend]\nuseDefault = false\n");
        let secret = format!("ghp_{}", random(36, ALNUM, 92));
        assert_eq!(scanner.find(secret.as_bytes()).len(), 1);
    }

    #[test]
    fn a_rule_that_finds_its_own_replacement_is_said() {
        let scanner = scanner("[[rules]]\nid = \"all\"\nregex = '[a-zA-Z]+'\n");
        let left = scanner.redact_json(b"{\"a\":\"b\"}").unwrap_err();
        assert!(!left.found.is_empty());
        assert!(!format!("{left:?} {left}").contains("\"b\""));
    }

    #[test]
    fn patterns_take_time_in_proportion_to_the_text() {
        let scanner = scanner(
            "[[rules]]\nid = \"slow\"\nregex = '(a+)+$'\n[[rules]]\nid = \"slower\"\nregex = '(x+x+)+y'\n",
        );
        let text = format!("{}b{}", "a".repeat(20_000), "x".repeat(20_000));
        scanner.find(text.as_bytes());
    }
}
