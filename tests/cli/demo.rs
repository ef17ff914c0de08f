//! The demonstration: it passes, it can be repeated by hand, and it fails where an outcome is not the expected one.

use std::process::Command;

use serde_json::Value;

use crate::common::Outcome;

fn demo(arguments: &[&str], path: &str) -> Outcome {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_touchmark"));
    command
        .arg("demo")
        .args(arguments)
        .env_clear()
        .env("PATH", path)
        .env("HOME", home.path());
    Outcome::of(command.output().unwrap())
}

#[allow(
    clippy::disallowed_methods,
    reason = "the demonstration finds git through the search path"
)]
fn search_path() -> String {
    std::env::var("PATH").unwrap()
}

#[test]
fn every_attack_is_refused_with_its_own_exit_code_and_reason() {
    let told = demo(&["--format", "json"], &search_path()).ok().json();
    assert_eq!(told["passed"], Value::Bool(true));
    let stories = told["stories"].as_array().unwrap();
    let attacks: Vec<&Value> = stories
        .iter()
        .filter(|story| {
            story["folder"]
                .as_str()
                .unwrap()
                .starts_with(|c: char| c.is_ascii_digit())
        })
        .collect();
    assert_eq!(attacks.len(), 13);
    let mut answers = Vec::new();
    for attack in attacks {
        let last = attack["lines"].as_array().unwrap().last().unwrap();
        assert!(last["command"].as_str().unwrap().contains(" verify "), "{last}");
        assert_ne!(last["exit"], 0, "{last}");
        assert_eq!(last["exit"], last["expectedExit"], "{last}");
        assert_ne!(last["expectedText"], "", "{last}");
        answers.push((
            last["exit"].as_u64().unwrap(),
            last["expectedText"].as_str().unwrap().to_owned(),
        ));
    }
    let distinct: std::collections::BTreeSet<_> = answers.iter().collect();
    assert!(distinct.len() >= 9, "the attacks are told apart: {answers:?}");
}

#[test]
fn what_is_printed_can_be_repeated_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("demo");
    let told = demo(&["--keep", kept.to_str().unwrap()], &search_path())
        .ok()
        .stdout;
    let line = told
        .lines()
        .find_map(|line| {
            line.strip_prefix("$ ")
                .filter(|line| line.contains("verify main..HEAD"))
        })
        .expect("the demonstration prints its commands");
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!(". ../env.sh; {line}"))
        .current_dir(kept.join("attested"));
    let repeated = Outcome::of(shell.env_clear().env("PATH", search_path()).output().unwrap());
    assert_eq!(repeated.code, Some(14), "{}", repeated.stderr);
}

#[test]
fn fails_when_an_outcome_is_not_the_expected_one() {
    // A machine whose git does nothing cannot show anything, and the demonstration must not say that it did.
    let tools = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/bin/true", tools.path().join("git")).unwrap();
    let path = format!("{}:{}", tools.path().display(), search_path());
    let told = demo(&[], &path);
    assert_eq!(told.code, Some(1));
    assert!(told.stdout.contains("FAIL: ended with"), "{}", told.stdout);
    assert!(!told.stdout.contains("the good case is proven"));
}
