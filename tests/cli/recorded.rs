//! Recordings of real sessions, read in place: each is attested onto a repository, and what comes of it is proven.

use std::path::{Path, PathBuf};

use crate::common::World;

fn recordings() -> Option<Vec<PathBuf>> {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/sessions/claude-code"
    ));
    if !folder.is_dir() {
        println!("skipped: no recorded sessions on this machine");
        return None;
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    Some(files)
}

#[test]
fn every_recording_is_attested_and_the_change_is_proven() {
    let Some(files) = recordings() else { return };
    for file in files {
        // The recordings are of other agents, models and paths than the policy's: what is shown is that they verify.
        let world = World::under(|policy| {
            policy
                .lines()
                .filter(|line| {
                    !["products", "models", "scope", "require = { prompt"]
                        .iter()
                        .any(|key| line.starts_with(key))
                })
                .collect::<Vec<_>>()
                .join("\n")
        });
        let session = file.to_str().unwrap();
        let key = world.key("agent");
        let flags = [
            "attest",
            "--base",
            "refs/heads/main",
            "--agent",
            "greeter-agent",
            "--key",
            &key,
            "--redact",
        ];
        let attested = world.touchmark(flags.into_iter().chain(["--session", session]));
        assert_eq!(attested.code, Some(0), "{}: {}", file.display(), attested.stderr);
        world.approve_as("alice", &[]);
        let verdict = world.verify(&["main..HEAD", "--format", "json"]).ok().json();
        assert_eq!(verdict["decision"], "allowed", "{}", file.display());
        let claims = verdict["statements"].to_string();
        assert!(claims.contains("claude-code"), "{}", file.display());
    }
}
