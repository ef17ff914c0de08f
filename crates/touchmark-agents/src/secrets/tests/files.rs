//! Rules that are read from files.

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
