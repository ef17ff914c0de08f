//! Redaction end to end: what is taken out of the stored copy, what is refused, and rules of one's own.

use std::fs;

use serde_json::{Value, json};

use crate::common::schema::assert_valid;
use crate::common::{Outcome, World, contains};

/// A secret of a known shape, put together here so that no scanner takes this file for one that leaks.
fn secret() -> String {
    format!("ghp_{}", "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2")
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A world whose session tool printed `output`.
fn world(output: &str) -> World {
    let world = World::unattested();
    let session = world.session().prompt("fix it").writes("src/lib.rs").record(json!({
        "type": "user",
        "message": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_x", "content": output}]}
    }));
    fs::write(world.path("redact.jsonl"), session.bytes()).unwrap();
    world
}

fn attest(world: &World, flags: &[&str]) -> Outcome {
    let (session, key) = (world.file("redact.jsonl"), world.key("agent"));
    let fixed = [
        "attest",
        "--format",
        "json",
        "--base",
        "refs/heads/main",
        "--session",
        &session,
        "--key",
        &key,
    ];
    world.touchmark(fixed.iter().chain(flags))
}

/// In JSON the refusal itself is printed.
#[track_caller]
fn refuses(outcome: &Outcome, status: i32, code: &str) {
    assert_eq!(outcome.code, Some(status), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains(&format!("error[{code}]")),
        "{}",
        outcome.stderr
    );
}

/// The redacted copy as it is disclosed and proven, one JSON value a line.
fn redacted_copy(world: &World) -> String {
    let (file, key) = (world.file("copy.jsonl"), world.public_key("agent"));
    let _ = fs::remove_file(&file);
    world
        .touchmark(["disclose", "--transcript", "--redacted", "--output", &file])
        .ok();
    let document = world
        .verify(&["--disclosure", &file, "--key", &key, "--format", "json"])
        .ok()
        .json();
    document["pieces"][0]["text"].as_str().unwrap().to_owned()
}

#[test]
fn case_152_a_secret_is_refused_however_it_is_written_and_redaction_takes_it_out() {
    let secret = secret();
    let escaped: String = secret.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let wrapped = format!(
        "{}\n{}",
        base64_of(&format!("{}{secret}", "=".repeat(40))),
        "rest"
    );
    for output in [
        format!("token {secret}"),
        json!({"inner": json!({"token": secret}).to_string()}).to_string(),
        base64_of(&format!("the token is {secret}, keep it")),
        wrapped,
        secret.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        format!("{{\"raw\":\"{escaped}\"}}"),
    ] {
        let world = world(&output);
        let refused = attest(&world, &[]);
        assert!(
            refused.stderr.contains("error[attest.secret_in_transcript]"),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.contains("github-pat"), "{}", refused.stderr);
        assert!(!refused.stderr.contains(&secret[4..20]));
        assert_eq!(world.files("touchmark/data/vault"), []);
        let attested = attest(&world, &["--redact"]).ok();
        assert!(!attested.stdout.contains(&secret) && !attested.stderr.contains(&secret));
        let copy = redacted_copy(&world);
        assert!(
            !copy.contains(&secret) && !copy.contains(&base64_of(&secret)[4..40]) && !copy.contains(&escaped)
        );
        for line in copy.lines() {
            serde_json::from_str::<Value>(line).unwrap();
        }
        let raw = fs::read_to_string(world.path("redact.jsonl")).unwrap();
        assert_eq!(copy.lines().count(), raw.lines().count());
        assert!(copy.contains("[REDACTED:github-pat]"), "{copy}");
    }
}

#[test]
fn what_names_people_and_machines_is_dropped_from_the_copy_of_any_format() {
    let world = world("x");
    let mut session = fs::read_to_string(world.path("redact.jsonl")).unwrap();
    session.push_str(
        &world
            .session()
            .id("0b5d1c1e-7a51-4a0e-9d2f-3f6f0f6b1a11")
            .record(json!({
                "type": "system", "user_email": "ada@example.org", "rate_limits": {"plan": "pro-plan-marker"},
                "base_instructions": {"text": "instructions-marker"}, "deviceFingerprint": "device-marker",
                "installationID": "installation-marker", "thinking": {"signature": "signature-marker"},
                "encrypted_content": "encrypted-marker", "remote": "https://ada:pw-marker@h.example/r"
            }))
            .bytes()
            .iter()
            .map(|byte| char::from(*byte))
            .collect::<String>(),
    );
    fs::write(world.path("redact.jsonl"), session).unwrap();
    let statement = {
        attest(&world, &["--redact"]).ok();
        let document = attest(&world, &["--redact", "--dry-run"]).ok().json();
        document["statement"].clone()
    };
    let rules: Vec<&str> = statement["predicate"]["transcript"]["redacted"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for rule in [
        "drop-email",
        "drop-rate-limits",
        "drop-base-instructions",
        "drop-device",
        "drop-signature",
    ] {
        assert!(rules.contains(&rule), "{rule} not in {rules:?}");
    }
    let copy = redacted_copy(&world);
    assert!(!copy.contains("-marker") && !copy.contains("ada@"), "{copy}");
}

#[test]
fn no_field_of_a_statement_carries_a_secret() {
    let world = world("x");
    let secret = secret();
    for flags in [
        ["--task", &format!("https://tracker.example/{secret}")],
        ["--task", "https://ada:x@tracker.example/1"],
        ["--owner", &secret],
        ["--agent", &secret],
    ] {
        let refused = attest(&world, &flags);
        refuses(&refused, 2, "attest.secret_in_statement");
        let refused = attest(&world, &[&flags[..], &["--dry-run"]].concat());
        assert!(!refused.stderr.contains(&secret) && !refused.stdout.contains(&secret));
        assert!(refused.stderr.contains("attest.secret_in_statement"));
    }
    let sbom = world.file("sbom.json");
    let purl = format!("pkg:npm/{secret}@1");
    let document = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": {"type": "application", "name": "a"}},
        "components": [{"type": "library", "name": secret, "purl": purl}]});
    fs::write(&sbom, document.to_string()).unwrap();
    let outcome = attest(&world, &["--sbom", &sbom]);
    assert!(!outcome.stdout.contains(&secret) && !outcome.stderr.contains(&secret));
    // A file name is part of the change.
    world.write(&format!("notes-{secret}.txt"), "x");
    world.commit("a name");
    refuses(&attest(&world, &[]), 2, "attest.secret_in_statement");
    assert_eq!(
        world
            .files("touchmark/data/spool")
            .iter()
            .filter(|(_, bytes)| contains(bytes, secret.as_bytes()))
            .count(),
        0
    );
}

#[test]
fn rules_of_ones_own_add_to_those_built_in() {
    let world = world("the badge is ACME-BADGE-4711-4712, and that is it");
    attest(&world, &["--dry-run"]).ok();
    let rules = world.file("rules.toml");
    let rule =
        "[[rules]]\nid = \"acme-badge\"\nregex = '''ACME-BADGE-([0-9-]{9})'''\nkeywords = [\"acme-badge\"]\n";
    fs::write(&rules, format!("{rule}severity = \"high\"\n")).unwrap();
    let refused = attest(&world, &["--redaction-rules", &rules]);
    assert!(refused.stderr.contains("acme-badge"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("acme-badge.severity is not known"),
        "{}",
        refused.stderr
    );
    assert!(!refused.stderr.contains("4711"));
    refuses(&refused, 2, "attest.secret_in_transcript");
    // From the user's own configuration.
    fs::create_dir_all(world.path("touchmark/config")).unwrap();
    fs::write(world.path("touchmark/config/rules.toml"), rule).unwrap();
    fs::write(
        world.path("touchmark/config/config.toml"),
        "redaction-rules = [\"rules.toml\"]\n",
    )
    .unwrap();
    refuses(&attest(&world, &[]), 2, "attest.secret_in_transcript");
    let document = attest(&world, &["--redact"]).ok().json();
    assert_valid(&document);
    assert!(redacted_copy(&world).contains("ACME-BADGE-[REDACTED:acme-badge]"));
    for (text, code) in [
        ("[[rules]]\nid = \"x\"\nregex = '('\n", "redaction.pattern"),
        ("[[rules]", "redaction.toml"),
        ("[extend]\npath = \"x\"\n", "redaction.extends"),
    ] {
        fs::write(&rules, text).unwrap();
        refuses(
            &attest(&world, &["--dry-run", "--redaction-rules", &rules]),
            2,
            code,
        );
    }
    fs::write(&rules, "[[rules]]\nid = \"all\"\nregex = '[a-zA-Z]+'\n").unwrap();
    refuses(
        &attest(&world, &["--dry-run", "--redact", "--redaction-rules", &rules]),
        1,
        "redaction.not_clean",
    );
}

#[test]
fn of_instructions_with_a_secret_in_them_no_word_is_kept() {
    let world = world("nothing");
    let secret = secret();
    fs::write(world.repo().join("CLAUDE.local.md"), "marker-of-instructions\n").unwrap();
    fs::create_dir_all(world.path("home/.claude")).unwrap();
    let settings = json!({"env": {"GITHUB_TOKEN": secret}, "note": "marker-of-settings"});
    fs::write(world.path("home/.claude/settings.json"), settings.to_string()).unwrap();
    let said = attest(&world, &[]).ok().json();
    assert_eq!(said["outcome"], "logged");
    let vault = world.files("touchmark/data/vault");
    let holds = |text: &str| vault.iter().any(|(_, bytes)| contains(bytes, text.as_bytes()));
    assert!(
        holds("marker-of-instructions"),
        "what has no secret in it is kept"
    );
    assert!(!holds(&secret) && !holds("marker-of-settings"));
    let claims = world.chained();
    let files = claims[0]["instructions"].as_array().unwrap();
    let named: Vec<&str> = files.iter().filter_map(|file| file["name"].as_str()).collect();
    assert!(named.contains(&"~/.claude/settings.json"), "{named:?}");
}
