//! The examples and the commands in the documents do what they say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::Outcome;

/// Runs a script in a new folder with nothing of ours around but the binary.
fn run(arguments: &[&Path]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let work = folder.path().join("work");
    for new in [&home, &work] {
        fs::create_dir(new).unwrap();
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_touchmark")).parent().unwrap();
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail"]).args(arguments);
    command.current_dir(&work).env_clear().stdin(Stdio::null());
    command.env(
        "PATH",
        format!("{}:/usr/local/bin:/usr/bin:/bin", binary.display()),
    );
    command.env("HOME", &home).env("TMPDIR", folder.path());
    command.env("TOUCHMARK_HOME", folder.path().join("touchmark"));
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    Outcome::of(command.output().unwrap())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Runs the example and returns what it printed.
#[track_caller]
fn example(name: &str) -> String {
    run(&[&root().join("examples").join(name).join("run.sh")])
        .ok()
        .stdout
}

#[test]
fn example_01_attests_without_typing() {
    let said = example("01-after-an-agent-run");
    for text in [
        "attested ",
        "model        anthropic/claude-opus-4-5-20251101",
        "nothing new since",
        "refs/touchmark/commit/",
    ] {
        assert!(said.contains(text), "{text} is not in {said}");
    }
}

#[test]
fn example_02_refuses_and_allows() {
    let said = example("02-before-merge");
    for text in [
        "verdict: approval (exit 14)",
        "verdict: allowed (exit 0)",
        "\"decision\": \"allowed\"",
        "accounted.residual",
    ] {
        assert!(said.contains(text), "{text} is not in {said}");
    }
}

#[test]
fn example_03_finds_shows_and_inspects() {
    let said = example("03-after-an-incident");
    for text in [
        "path         src/lib.rs",
        "(exit 10)",
        "check        envelope.signature pass",
        "NOT VERIFIED",
    ] {
        assert!(said.contains(text), "{text} is not in {said}");
    }
}

#[test]
fn example_04_names_identities() {
    let said = example("04-identities");
    for text in [
        "person       alice (0 keys, 2 identities)",
        "agent        greeter (0 keys, 1 identities)",
        "(exit 2)",
        "identity.trigger",
    ] {
        assert!(said.contains(text), "{text} is not in {said}");
    }
}

#[test]
fn example_05_tells_of_a_stolen_key() {
    let said = example("05-watching-the-log");
    for text in [
        "1 entries explained, 0 waiting, 0 alerts open",
        "of greeter: no evidence explains it (new, id ",
        "(exit 13)",
    ] {
        assert!(said.contains(text), "{text} is not in {said}");
    }
}

#[test]
fn example_07_attests_with_nothing_typed() {
    let said = example("07-hooks");
    for text in [
        "+    \"SessionStart\": [",
        "git: created ",
        "Stop: exit 0",
        "one statement, found by the new commit",
        "settings.json is as it was",
    ] {
        assert!(said.contains(text), "{text} is not in {said}");
    }
}

#[test]
fn every_example_has_words_and_a_test() {
    let mut names: Vec<String> = fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "01-after-an-agent-run",
            "02-before-merge",
            "03-after-an-incident",
            "04-identities",
            "05-watching-the-log",
            "06-keyless-in-ci",
            "07-hooks"
        ]
    );
    for name in names {
        for file in ["README.md", "run.sh"] {
            assert!(
                root().join("examples").join(&name).join(file).is_file(),
                "{name}/{file}"
            );
        }
    }
}

#[test]
fn every_command_in_the_documents_works() {
    let mut documents: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "SECURITY.md"]
        .map(|name| root().join(name))
        .into();
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        documents.push(entry.unwrap().path().join("README.md"));
    }
    for document in documents.iter().filter(|document| document.is_file()) {
        let blocks = shell_blocks(&fs::read_to_string(document).unwrap());
        if blocks.is_empty() {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("blocks.sh");
        fs::write(&script, blocks.join("\n")).unwrap();
        let outcome = run(&[Path::new("-x"), &script]);
        assert_eq!(
            outcome.code,
            Some(0),
            "{}\nstdout: {}\nstderr: {}",
            document.display(),
            outcome.stdout,
            outcome.stderr
        );
    }
}

/// The fenced `sh` blocks of a document, in order. Blocks of another kind are for reading only.
fn shell_blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(kind)) => open = Some((kind.trim() == "sh", String::new())),
            (Some(_), Some(_)) => {
                if let Some((true, block)) = open.take() {
                    blocks.push(block);
                }
            }
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

#[test]
fn only_shell_blocks_are_taken_and_in_order() {
    let text = "a\n```sh\none\n```\nb\n```console\ntwo\n```\n```sh\nthree\nfour\n```\n";
    assert_eq!(shell_blocks(text), ["one\n", "three\nfour\n"]);
}
