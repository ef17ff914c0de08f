//! Our rules held against gitleaks' own, where that is installed (`GITLEAKS` names it, else `PATH` is looked through).
//!
//! Secrets are made up here at run time. Each stands in a file of its own, in the line that it would stand in.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails"
)]

#[path = "../src/secrets/tests/random.rs"]
mod random;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use touchmark_agents::secrets::{self, Scanner};

use random::{ALNUM, HEX, LETTERS, UPPER, random};

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz0123456789";

const DIGITS: &str = "0123456789";

/// One line for each sample, by the name of the sample.
fn samples() -> BTreeMap<&'static str, String> {
    let any = |len, seed| random(len, ALNUM, seed);
    let kind = "PRIVATE KEY";
    let body: Vec<String> = (0..6).map(|at| any(64, 150 + at)).collect();
    BTreeMap::from([
        (
            "aws-key-id",
            format!("aws_access_key_id = AKIA{}\n", random(16, UPPER, 101)),
        ),
        (
            "aws-secret",
            format!("aws_secret_access_key = \"{}\"\n", any(40, 102)),
        ),
        ("github-classic", format!("token: ghp_{}\n", any(36, 103))),
        ("github-oauth", format!("token: gho_{}\n", any(36, 104))),
        ("github-server", format!("token: ghs_{}\n", any(36, 105))),
        ("github-fine", format!("token: github_pat_{}\n", any(82, 106))),
        ("gitlab", format!("token: glpat-{}\n", any(20, 107))),
        ("gitlab-runner", format!("token: glrt-{}\n", any(20, 108))),
        (
            "slack-bot",
            format!(
                "token: xoxb-{}-{}-{}\n",
                random(12, DIGITS, 109),
                random(12, DIGITS, 110),
                any(24, 111)
            ),
        ),
        ("gcp", format!("key: AIza{}\n", any(35, 112))),
        ("stripe", format!("key = \"sk_live_{}\"\n", any(24, 113))),
        ("npm", format!("//registry/:_authToken=npm_{}\n", any(36, 114))),
        (
            "pypi",
            format!("password = pypi-AgEIcHlwaS5vcmc{}\n", any(80, 115)),
        ),
        (
            "rubygems",
            format!(":rubygems_api_key: rubygems_{}\n", random(48, HEX, 116)),
        ),
        (
            "anthropic",
            format!("ANTHROPIC_API_KEY=sk-ant-api03-{}AA\n", any(93, 117)),
        ),
        (
            "openai",
            format!("OPENAI_API_KEY=sk-{}T3BlbkFJ{}\n", any(20, 118), any(20, 119)),
        ),
        (
            "huggingface",
            format!("HF_TOKEN=hf_{}\n", random(34, LETTERS, 120)),
        ),
        (
            "sendgrid",
            format!("key = \"SG.{}.{}\"\n", any(22, 121), any(43, 122)),
        ),
        (
            "digitalocean",
            format!("token = \"dop_v1_{}\"\n", random(64, HEX, 123)),
        ),
        (
            "jwt",
            format!(
                "auth = \"eyJ{}.eyJ{}.{}\"\n",
                any(33, 124),
                any(60, 125),
                any(43, 126)
            ),
        ),
        (
            "private-key",
            format!(
                "-----BEGIN RSA {kind}-----\n{}\n-----END RSA {kind}-----\n",
                body.join("\n")
            ),
        ),
        ("named-password", format!("db_password = \"{}\"\n", any(24, 127))),
        (
            "named-api-key",
            format!("api_key = \"{}\"\n", random(32, LOWER, 128)),
        ),
        (
            "url-password",
            format!("url = \"postgres://app:{}@db.internal:5432/x\"\n", any(16, 129)),
        ),
        ("base64", {
            use base64::Engine as _;
            let inner = format!("the token is ghp_{}\n", any(36, 130));
            format!(
                "data: {}\n",
                base64::engine::general_purpose::STANDARD.encode(inner)
            )
        }),
        ("json-escapes", {
            let token = format!("ghp_{}", any(36, 131));
            let escapes: String = token.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
            format!("{{\"token\":\"{escapes}\"}}\n")
        }),
        (
            "plain-words",
            "the tokenizer reads every password field of the form\n".to_owned(),
        ),
        (
            "digest",
            "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n".to_owned(),
        ),
    ])
}

fn gitleaks() -> Option<PathBuf> {
    let named = std::env::var_os("GITLEAKS").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("gitleaks"));
    named.into_iter().chain(found).find(|program| program.is_file())
}

/// What gitleaks finds in each sample, by its built-in rules.
fn theirs(program: &PathBuf, samples: &BTreeMap<&'static str, String>) -> BTreeMap<String, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("samples");
    std::fs::create_dir(&dir).unwrap();
    for (name, text) in samples {
        std::fs::write(dir.join(format!("{name}.txt")), text).unwrap();
    }
    let report = folder.path().join("report.json");
    let status = Command::new(program)
        .args([
            "dir",
            "--no-banner",
            "--exit-code",
            "0",
            "--report-format",
            "json",
            "--max-decode-depth",
            "2",
        ])
        .arg("--report-path")
        .arg(&report)
        .arg(&dir)
        .output()
        .unwrap();
    assert!(
        status.status.success(),
        "{}",
        String::from_utf8_lossy(&status.stderr)
    );
    let findings: serde_json::Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in findings.as_array().unwrap() {
        let file = PathBuf::from(finding["File"].as_str().unwrap());
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        found
            .entry(name)
            .or_default()
            .push(finding["RuleID"].as_str().unwrap().to_owned());
    }
    found
}

#[test]
fn whatever_gitleaks_finds_we_find() {
    let samples = samples();
    let mut ours: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, text) in &samples {
        let found = Scanner::built_in().find_in_json(text.as_bytes());
        ours.insert(
            name,
            found.iter().map(|finding| finding.rule.to_string()).collect(),
        );
    }
    let Some(program) = gitleaks() else {
        println!("skipped: gitleaks is not installed");
        return;
    };
    let theirs = theirs(&program, &samples);
    let nothing = Vec::new();
    let mut missed = Vec::new();
    for name in samples.keys() {
        let (ours, theirs) = (&ours[name], theirs.get(*name).unwrap_or(&nothing));
        println!("{name:<16} ours {ours:?} gitleaks {theirs:?}");
        if ours.is_empty() && !theirs.is_empty() {
            missed.push(*name);
        }
    }
    assert_eq!(missed, [""; 0], "gitleaks finds what we do not");
    for plain in ["plain-words", "digest"] {
        assert!(secrets::find(samples[plain].as_bytes()).is_empty(), "{plain}");
    }
}
