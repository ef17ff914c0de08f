//! One complete good case, made through the binary: repository, keys, log, policy, evidence, approval.

use std::fs;
use std::ops::Deref;
use std::path::Path;

use serde_json::Value;

use super::{AT, Outcome, Sandbox};

/// The rule of the policy below, as a reason code.
pub const RULE: &str = "policy.rule.a-person-reads-it";
/// The session that is attested.
pub const SESSION: &str = "5e551000-0000-4000-8000-000000000001";
/// The model that the session names.
pub const MODEL: &str = "claude-opus-4-5-20251101";

const RECORDED: &str = include_str!("../../testdata/sessions/claude-code/plain.jsonl");
const RECORDED_FOLDER: &str = "/home/ada/greeter";
const BEFORE: &str = "pub fn greet() -> String {\n    \"hello\".into()\n}\n";
const AFTER: &str = "pub fn greet(name: &str) -> String {\n    format!(\"hello, {name}\")\n}\n";

/// A sandbox in which an agent's change on `agent/greeting` waits to be merged into `main`, whose policy asks for the
/// approval of one person.
pub struct World {
    sandbox: Sandbox,
}

impl Deref for World {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl World {
    /// Repository, keys, log, trusted root and policy; the change is committed, nothing is attested.
    pub fn unattested() -> Self {
        Self::under(|policy| policy)
    }

    /// As [`World::unattested`], with another policy on `main`.
    pub fn under(edit: impl FnOnce(String) -> String) -> Self {
        let this = Self {
            sandbox: Sandbox::new(),
        };
        this.git(["remote", "add", "origin", "https://git.example/acme/greeter.git"]);
        fs::create_dir(this.path("keys")).expect("a folder");
        for name in ["agent", "alice", "ci", "gate", "stranger"] {
            this.touchmark(["key", "generate", "--plain", "--output", &this.key(name)])
                .ok();
        }
        this.touchmark(["log", "create", "--name", "log.example"]).ok();
        let root = this
            .touchmark(["log", "root", "--operator", "acme-platform"])
            .ok();
        fs::write(this.path("root.json"), root.stdout).expect("a file");
        this.write("src/lib.rs", BEFORE);
        this.write(".touchmark/policy.toml", edit(this.policy()));
        this.commit("start");
        this.git(["switch", "--quiet", "--create", "agent/greeting"]);
        this.write("src/lib.rs", AFTER);
        this.write("tests/greeting.rs", "#[test]\nfn greets() {}\n");
        this.commit("greet by name");
        let session = RECORDED.replace(RECORDED_FOLDER, &this.repo().to_string_lossy());
        fs::write(this.path("session.jsonl"), session).expect("a file");
        this
    }

    /// The agent's run is attested.
    pub fn attested() -> Self {
        let this = Self::unattested();
        this.attest_with(&[]);
        this
    }

    /// Alice has approved: the good case.
    pub fn approved() -> Self {
        let this = Self::attested();
        this.approve_as("alice", &[]);
        this
    }

    /// Attests the branch with the agent's key.
    #[track_caller]
    pub fn attest_with(&self, flags: &[&str]) -> Value {
        self.attest_as("agent", flags)
    }

    /// Attests the branch with another key.
    #[track_caller]
    pub fn attest_as(&self, key: &str, flags: &[&str]) -> Value {
        let (key, session) = (self.key(key), self.file("session.jsonl"));
        let mut all = vec![
            "--base",
            "refs/heads/main",
            "--session",
            &session,
            "--key",
            &key,
            "--at",
            AT,
        ];
        if !flags.contains(&"--agent") {
            all.extend(["--agent", "greeter-agent"]);
        }
        all.extend(flags);
        self.attest(&all)
    }

    /// Approves the branch for `main`.
    #[track_caller]
    pub fn approve_as(&self, key: &str, flags: &[&str]) -> Value {
        let (key, root) = (self.key(key), self.file("root.json"));
        let mut all = vec![
            "approve",
            "agent/greeting",
            "--key",
            &key,
            "--trusted-root",
            &root,
        ];
        if !flags.contains(&"--target") {
            all.extend(["--target", "refs/heads/main"]);
        }
        all.extend(["--at", AT, "--format", "json"]);
        all.extend(flags);
        self.touchmark(all).ok().json()
    }

    /// The text of the policy.
    pub fn policy(&self) -> String {
        format!(
            r#"version = 1
serial = 1
expires = 2099-12-31

[trust]
log = {{ inclusion = true, self = "deny" }}

[[person]]
id = "alice"
signers = [{{ key = "{alice}" }}]

[[agent]]
id = "greeter-agent"
owner = "team-greeter"
signers = [{{ key = "{agent}" }}]
products = ["claude-code >=2.1"]
models = ["anthropic/claude-*"]
scope = {{ paths = ["src/**", "tests/**"] }}
require = {{ prompt = true, transcript = "whole" }}

[[service]]
id = "ci"
signers = [{{ key = "{ci}" }}]
may = ["test-result"]

[[rule]]
id = "a-person-reads-it"
paths = ["**"]
tier = "gated"
approvals = {{ people = 1, not = ["author", "agent-operators"], filekeys = true }}
message = "somebody who did not write it reads every change"

[gate.merge]
require = ["accounted"]
residual = "forbid"
"#,
            alice = self.fingerprint("alice"),
            agent = self.fingerprint("agent"),
            ci = self.fingerprint("ci"),
        )
    }

    /// The path of a private key.
    pub fn key(&self, name: &str) -> String {
        self.file(format!("keys/{name}.pem"))
    }

    /// The path of a public key.
    pub fn public_key(&self, name: &str) -> String {
        self.file(format!("keys/{name}.pub"))
    }

    /// A key's fingerprint, `sha256:…`.
    pub fn fingerprint(&self, name: &str) -> String {
        let key = self.key(name);
        let said = self
            .touchmark(["key", "public", "--fingerprint", "--key", &key])
            .ok();
        said.stdout.trim().to_owned()
    }

    /// A path in the sandbox, as text for a flag.
    pub fn file(&self, path: impl AsRef<Path>) -> String {
        self.path(path).to_string_lossy().into_owned()
    }

    /// The full id of a revision.
    pub fn id(&self, revision: &str) -> String {
        self.git(["rev-parse", revision])
    }

    /// Runs `verify` with these flags, the trusted root and a fixed time.
    #[track_caller]
    pub fn verify(&self, flags: &[&str]) -> Outcome {
        let root = self.file("root.json");
        let mut all = vec!["verify", "--trusted-root", &root, "--at", AT];
        all.extend(flags);
        self.touchmark(all)
    }

    /// Runs `verify main..HEAD` and asserts exit code and every reason code; returns the verdict.
    #[track_caller]
    pub fn judged(&self, flags: &[&str], exit: i32, codes: &[&str]) -> Value {
        let mut all = vec!["main..HEAD"];
        all.extend(flags);
        self.asked(&all, exit, codes)
    }

    /// Runs `verify` and asserts exit code and every reason code; returns the verdict.
    #[track_caller]
    pub fn asked(&self, flags: &[&str], exit: i32, codes: &[&str]) -> Value {
        let mut all = vec!["--format", "json"];
        all.extend(flags);
        verdict_of(&self.verify(&all), exit, codes)
    }

    /// Deletes every evidence ref.
    pub fn drop_evidence(&self) {
        for name in self.evidence_refs() {
            self.git(["update-ref", "-d", &name]);
        }
    }

    /// Writes one stored bundle to a file of the sandbox: the one with this payload digest.
    pub fn export(&self, payload: &str, file: &str) -> String {
        let root = self.file("root.json");
        let shown = self
            .touchmark(["show", payload, "--raw", "--trusted-root", &root])
            .ok();
        fs::write(self.path(file), shown.stdout).expect("a file");
        self.file(file)
    }
}

/// Asserts exit code and every reason code of a verdict, and that the document fits its schema.
#[track_caller]
pub fn verdict_of(outcome: &Outcome, exit: i32, codes: &[&str]) -> Value {
    let verdict = outcome.json();
    let found = reason_codes(&verdict);
    assert_eq!(
        (outcome.code, found.as_slice()),
        (
            Some(exit),
            codes
                .iter()
                .map(|c| (*c).to_owned())
                .collect::<Vec<_>>()
                .as_slice()
        ),
        "{}",
        outcome.stdout
    );
    super::schema::assert_valid(&verdict);
    verdict
}

/// The distinct reason codes of a verdict, in order.
pub fn reason_codes(verdict: &Value) -> Vec<String> {
    let reasons = verdict["reasons"].as_array().expect("reasons");
    let mut codes: Vec<String> = Vec::new();
    for reason in reasons {
        let code = reason["code"].as_str().expect("a code").to_owned();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

/// The codes that explain why pieces of evidence were set aside, sorted.
pub fn set_aside_codes(verdict: &Value) -> Vec<String> {
    let statements = verdict["statements"].as_array().expect("statements");
    let codes = statements
        .iter()
        .filter(|statement| statement["status"] == "setAside")
        .flat_map(|statement| statement["codes"].as_array().cloned().unwrap_or_default())
        .map(|code| code.as_str().expect("a code").to_owned());
    let mut codes: Vec<_> = codes.collect();
    codes.sort();
    codes.dedup();
    codes
}
