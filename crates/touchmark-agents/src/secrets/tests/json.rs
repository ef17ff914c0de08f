//! Secrets in JSON, however they are written there.

use super::*;

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
