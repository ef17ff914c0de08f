//! What this program signs, others verify, and what others sign, this program verifies: `sigstore-verify` always, the
//! rest where the environment names it.
//!
//! `tests/sigstore/run -- cargo test -p touchmark-cli --test interop -- --nocapture` runs everything: it starts a
//! private Sigstore instance and sets `TOUCHMARK_TEST_SIGSTORE`, `TOUCHMARK_TEST_COSIGN`, `TOUCHMARK_TEST_SIGSTORE_GO`
//! and `TOUCHMARK_TEST_SIGSTORE_PYTHON`. A test that lacks one of them says so and passes.

#![allow(
    clippy::unwrap_used,
    reason = "a test helper that cannot go on fails the test"
)]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]
#![allow(
    clippy::disallowed_methods,
    reason = "the test finds programs through the environment"
)]

mod agents;
mod attest;
mod clients;
#[allow(unused_imports, reason = "each test binary uses its own part")]
#[path = "../common/mod.rs"]
mod common;
mod cosign;
mod embedded_log;
mod faults;
mod faults_elsewhere;
mod instance;
mod matrix;
mod monitor;
mod sigstore_rust;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A repository in which one change is attested and approved; what the demonstration leaves behind.
struct Material {
    folder: tempfile::TempDir,
}

impl Material {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("demo");
        let mut demo = Command::new(env!("CARGO_BIN_EXE_touchmark"));
        demo.args(["demo", "--keep"])
            .arg(kept)
            .env_clear()
            .env("PATH", path())
            .env("HOME", folder.path());
        succeeded(demo.output().unwrap());
        Self { folder }
    }

    /// The folder of the case that ends with a yes.
    fn good(&self) -> PathBuf {
        self.folder.path().join("demo/yes")
    }

    fn touchmark(&self, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_touchmark"));
        command.args(arguments).current_dir(self.good()).env_clear();
        command
            .env("PATH", path())
            .env("TOUCHMARK_HOME", self.good().join("home"));
        succeeded(command.output().unwrap())
    }

    /// The bundle of the agent's change, as the repository keeps it.
    fn bundle(&self) -> Vec<u8> {
        let found = self.touchmark(&[
            "-C",
            "repo",
            "find",
            "--agent",
            "greeter-agent",
            "--trusted-root",
            "../root.json",
            "--format",
            "json",
        ]);
        let found: Value = serde_json::from_slice(&found).unwrap();
        let digest = found["found"][0]["payloadDigest"].as_str().unwrap().to_owned();
        self.touchmark(&["-C", "repo", "show", &digest, "--raw"])
    }

    /// The bytes that the statement's first subject names: what `git cat-file commit` prints.
    fn commit(&self) -> Vec<u8> {
        let mut git = Command::new("git");
        git.args(["cat-file", "commit", "agent/greeting"])
            .current_dir(self.good().join("repo"));
        git.env_clear()
            .env("PATH", path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        succeeded(git.output().unwrap())
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.good().join(name)).unwrap()
    }
}

fn path() -> String {
    std::env::var("PATH").unwrap()
}

#[track_caller]
fn succeeded(output: Output) -> Vec<u8> {
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Turns one bit over in the signature of a bundle.
fn with_broken_signature(bundle: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let mut value: Value = serde_json::from_slice(bundle).unwrap();
    let signature = value.pointer_mut("/dsseEnvelope/signatures/0/sig").unwrap();
    let mut bytes = STANDARD.decode(signature.as_str().unwrap()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    *signature = STANDARD.encode(bytes).into();
    serde_json::to_vec(&value).unwrap()
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    std::fs::write(path, bytes).unwrap();
}
