//! cosign, the real program: it verifies what we sign, uses keys that we write, and we use keys that it writes.

use std::path::PathBuf;
use std::process::{Command, Output};

use super::{Material, succeeded, with_broken_signature, write};

/// The program, or `None` after saying why the test is skipped.
fn cosign() -> Option<PathBuf> {
    let program = std::env::var_os("TOUCHMARK_TEST_COSIGN").map(PathBuf::from);
    if program.is_none() {
        println!("skipped: TOUCHMARK_TEST_COSIGN does not name a cosign");
    }
    program
}

struct Cosign {
    program: PathBuf,
    material: Material,
}

impl Cosign {
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(self.material.good())
            .env_clear();
        command
            .env("HOME", self.material.good())
            .env("COSIGN_PASSWORD", "TEST-ONLY");
        command.output().unwrap()
    }

    fn verify(&self, key: &str, bundle: &str, artifact: &str, predicate_type: &str) -> Output {
        self.run(&[
            "verify-blob-attestation",
            "--key",
            key,
            "--bundle",
            bundle,
            "--trusted-root",
            "root.json",
            "--type",
            predicate_type,
            artifact,
        ])
    }
}

const AGENT_CHANGE: &str = "https://touchmark.dev/agent-change/v1";

#[test]
fn verifies_our_bundle_against_git_cat_file_commit_and_nothing_else() {
    let Some(program) = cosign() else { return };
    let material = Material::new();
    let folder = material.good();
    let (bundle, mut commit) = (material.bundle(), material.commit());
    write(&folder.join("bundle.json"), &bundle);
    write(&folder.join("broken.json"), with_broken_signature(&bundle));
    write(&folder.join("commit"), &commit);
    commit.push(b'\n');
    write(&folder.join("other-commit"), &commit);
    let cosign = Cosign { program, material };

    succeeded(cosign.verify("keys/agent.pub", "bundle.json", "commit", AGENT_CHANGE));
    for (key, bundle, artifact, predicate_type) in [
        ("keys/agent.pub", "bundle.json", "other-commit", AGENT_CHANGE),
        ("keys/agent.pub", "broken.json", "commit", AGENT_CHANGE),
        ("keys/stranger.pub", "bundle.json", "commit", AGENT_CHANGE),
        (
            "keys/agent.pub",
            "bundle.json",
            "commit",
            "https://touchmark.dev/review/v1",
        ),
    ] {
        let refused = cosign.verify(key, bundle, artifact, predicate_type);
        assert!(
            !refused.status.success(),
            "{key} {bundle} {artifact} {predicate_type}"
        );
    }
}

#[test]
fn keys_go_both_ways() {
    let Some(program) = cosign() else { return };
    let cosign = Cosign {
        program,
        material: Material::new(),
    };
    let folder = cosign.material.good();

    succeeded(cosign.run(&["generate-key-pair", "--output-key-prefix", "theirs"]));
    let theirs = std::fs::read_to_string(folder.join("theirs.pub")).unwrap();
    let mut ours = Command::new(env!("CARGO_BIN_EXE_touchmark"));
    ours.args(["key", "public", "--key", "theirs.key"])
        .current_dir(&folder)
        .env_clear();
    ours.env("TOUCHMARK_HOME", folder.join("home"))
        .env("COSIGN_PASSWORD", "TEST-ONLY");
    assert_eq!(
        String::from_utf8(succeeded(ours.output().unwrap())).unwrap(),
        theirs
    );

    let mut generate = Command::new(env!("CARGO_BIN_EXE_touchmark"));
    generate
        .args(["key", "generate", "--output", "ours.pem"])
        .current_dir(&folder)
        .env_clear();
    generate
        .env("TOUCHMARK_HOME", folder.join("home"))
        .env("TOUCHMARK_PASSWORD", "TEST-ONLY");
    succeeded(generate.output().unwrap());
    let read = succeeded(cosign.run(&["public-key", "--key", "ours.pem"]));
    assert_eq!(
        String::from_utf8(read).unwrap(),
        std::fs::read_to_string(folder.join("ours.pub")).unwrap()
    );
}
