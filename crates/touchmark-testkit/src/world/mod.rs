//! One complete case: a repository with a protected branch that holds a policy, an agent's branch, the session that made
//! it, the agent's statement and a person's approval, both signed, logged and filed, and the trusted root of the log.
//! [`World::good`] is allowed; [`World::with`] breaks exactly one thing.

mod breakage;
mod bundle;
mod defect;
mod edit;
mod keyless;

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use touchmark_git::{EvidenceItem, EvidenceKey};
use touchmark_log::Log;
use touchmark_policy::{Candidate, JudgeRequest, NamedRoot, Policy, PolicyInForce, Verdict, judge};
use touchmark_rekor::{LogSubmission, Signatory, verify_answer};
use touchmark_sign::attestation;
use touchmark_sign::{PrivateKey, Signer as _, key_file};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::git_id::GitCommitId;
use touchmark_statement::repo_path::RepoPath;
use touchmark_statement::statement::Statement;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::evidence::EvidenceId;
use touchmark_verify::git_view::GitView as _;
use touchmark_verify::key::PublicKey;
use touchmark_verify::trust::TrustedRoot;

pub use defect::{Defect, Expected};
pub use keyless::Keyless;

use crate::keys::{Keys, fingerprint, keys};
use crate::repo::Repo;
use crate::session::SessionBuilder;
use crate::statement::{ChangeClaim, agent_change, approval};

/// The repository's address.
pub const ORIGIN: &str = "https://example.test/acme/greeter";
/// The branch that the change is for.
pub const TARGET_REF: &str = "refs/heads/main";
/// The agent's branch.
pub const AGENT_REF: &str = "refs/heads/agent/greeting";
/// The agent's id in the policy.
pub const AGENT: &str = "greeter";
/// The name of the trusted root.
pub const ROOT: &str = "acme";
/// The path of the policy.
pub const POLICY_PATH: &str = ".touchmark/policy.toml";
/// The time at which the question is asked.
const AT: i64 = 1_772_500_000;
/// The largest policy file.
const MAX_POLICY_BYTES: u64 = 1024 * 1024;

/// A piece of evidence: its name, and the bytes that are filed.
#[derive(Clone, Debug)]
pub struct Piece {
    /// What the evidence is called: by what was signed and by whom.
    pub evidence_id: EvidenceId,
    /// The bundle as it should be.
    pub bundle: Bundle,
    /// The bytes that are filed, which a defect may have changed.
    pub bytes: Vec<u8>,
}

/// One complete case.
#[derive(Debug)]
pub struct World {
    folder: TempDir,
    /// The repository.
    pub repo: Repo,
    /// Everybody's keys.
    pub keys: Keys,
    /// The log.
    pub log: Log,
    /// The protected branch's tip.
    pub base: GitCommitId,
    /// The commit that is to land.
    pub head: GitCommitId,
    /// Commits of the pull request's own head, where something else is to land.
    pub pull_request: Vec<GitCommitId>,
    /// Evidence that the caller brings along, besides what lies in the repository.
    pub given: Vec<Candidate>,
    /// The agent's statement.
    pub agent: Option<Piece>,
    /// The person's approval.
    pub review: Option<Piece>,
    /// The session file.
    pub transcript: Vec<u8>,
    /// The trusted root, as JSON.
    pub trusted_root: String,
    /// Who signs with certificates, where keys do not.
    pub keyless: Option<Keyless>,
    /// The time at which the question is asked.
    pub at: Timestamp,
}

impl Piece {
    /// Returns the digest of what was signed.
    pub fn payload_digest(&self) -> Sha256Digest {
        self.evidence_id.payload
    }
}

impl World {
    /// Returns the good case: the change is allowed.
    pub fn good() -> Self {
        let mut world = Self::unsigned();
        world.sign_all();
        world.file_all();
        world
    }

    /// Returns the case with one defect.
    pub fn with(defect: Defect) -> Self {
        breakage::build(defect)
    }

    /// Returns the folder that holds everything.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the file with the trusted root.
    pub fn trusted_root_path(&self) -> PathBuf {
        self.folder.path().join("trusted_root.json")
    }

    /// Returns the session's file, in the layout that Claude Code uses below its configuration folder (`claude/`).
    pub fn session_path(&self) -> PathBuf {
        self.folder
            .path()
            .join("claude/projects/greeter")
            .join(format!("{SESSION}.jsonl"))
    }

    /// Writes a key as a plain PKCS#8 file that only its owner can read, and returns its path.
    pub fn write_key(&self, name: &str, key: &PrivateKey) -> PathBuf {
        let path = self.folder.path().join(format!("{name}.pem"));
        let text = key_file::encode_plain(key).expect("a key can be encoded");
        write_private(&path, text.as_bytes());
        path
    }

    /// Judges the change: evidence from the repository's refs and what was given, policy from the protected tip.
    pub fn judge(&self) -> Verdict {
        let git = self.repo.open();
        let mut change = git
            .change(&self.base, &self.head, TARGET_REF, false)
            .expect("a line of commits");
        change.pull_request_commits.clone_from(&self.pull_request);
        let gathered = git
            .evidence_about(&change, &|_| true)
            .expect("evidence refs can be read");
        if gathered.names_root_commit {
            change.repository.root_commits = git.root_commits(1_000).expect("a small history");
        }
        let mut candidates: Vec<Candidate> = gathered
            .files
            .into_iter()
            .map(|file| Candidate {
                source: file.ref_name,
                bytes: file.bytes,
            })
            .collect();
        candidates.extend(self.given.iter().cloned());

        let path = RepoPath::from_bytes(POLICY_PATH.as_bytes()).expect("a good path");
        let tree = git.commit(&self.base).expect("the base is there").tree;
        let text = git
            .read_path(&tree, &path, MAX_POLICY_BYTES)
            .expect("the policy can be read")
            .expect("there is one");
        let policy = Policy::load(&text).expect("a good policy");
        let root = TrustedRoot::parse(self.trusted_root.as_bytes()).expect("a good trusted root");
        judge(&JudgeRequest {
            change: &change,
            candidates: &candidates,
            git: &git,
            trusted_roots: &[NamedRoot {
                name: ROOT,
                root: &root,
            }],
            witness_policies: &[],
            remembered: None,
            policies: &[PolicyInForce {
                name: POLICY_PATH,
                policy: &policy,
                serial_floor: None,
            }],
            keys: &self.keys_at_hand(),
            at: self.at,
            forge_author: None,
            tool: "touchmark-testkit",
        })
    }

    /// Returns the public keys that the verifier was given. They only help: which of them count, the policy says.
    pub fn keys_at_hand(&self) -> Vec<PublicKey> {
        let keys = [
            &self.keys.agent,
            &self.keys.reviewer,
            &self.keys.second_reviewer,
            &self.keys.service,
        ];
        keys.map(|key| key.public_key().clone()).to_vec()
    }

    /// Signs a statement, logs it and builds its bundle.
    pub fn attest(&self, statement: &Statement, key: &PrivateKey) -> Piece {
        let signed = attestation::sign(statement, key).expect("a good statement");
        let signatory = Signatory::key(key.public_key().clone());
        let submission = LogSubmission::of_envelope(signed.envelope(), signatory).expect("a good signature");
        let request = submission
            .create_entry_request()
            .expect("a key that the log takes");
        let entry = self.log.add(&request).expect("the log takes the entry");
        verify_answer(&submission, &entry, &[self.log.trusted_log()]).expect("the log's answer is good");
        let bundle = Bundle {
            tlog_entries: vec![entry],
            ..signed.unlogged_bundle()
        };
        let bytes = bundle.encode();
        Piece {
            evidence_id: signed.evidence_id(),
            bundle,
            bytes,
        }
    }

    /// Files bytes in the repository, under the commit where one is given and under the tree of `head`.
    pub fn file(&self, piece: &Piece, commit: Option<&GitCommitId>) {
        let git = self.repo.open();
        let name = piece.evidence_id.file_name();
        let mut keys = vec![EvidenceKey::Tree(self.repo.tree(&self.head))];
        keys.extend(commit.map(|commit| EvidenceKey::Commit(commit.clone())));
        let items: Vec<EvidenceItem> = keys
            .into_iter()
            .map(|key| EvidenceItem {
                key,
                name: name.parse().expect("a good file name"),
                bytes: piece.bytes.clone(),
                attests: commit.cloned(),
            })
            .collect();
        git.write_evidence(&items, true).expect("evidence can be written");
    }

    /// Returns the claim that the agent's statement makes, for the change as it stands.
    pub fn claim(&self) -> ChangeClaim<'_> {
        ChangeClaim {
            agent: AGENT,
            repository: ORIGIN,
            ref_name: AGENT_REF,
            base: &self.base,
            head: &self.head,
        }
    }

    /// Returns the agent's statement about the change as it stands.
    pub fn agent_statement(&self) -> Statement {
        agent_change(&self.repo.open(), &self.claim(), &self.transcript)
    }

    /// Returns the approval of the change as it stands, showing the agent's statement.
    pub fn approval_statement(&self) -> Statement {
        let shown: Vec<_> = self.agent.iter().map(|piece| piece.payload_digest()).collect();
        approval(&self.repo.open(), &self.claim(), TARGET_REF, &shown)
    }

    /// The repository, its branches, the log and the session; nothing is signed yet.
    fn unsigned() -> Self {
        Self::prepared(None)
    }

    fn prepared(keyless: Option<Keyless>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let keys = keys(1);
        let signers = keyless
            .as_ref()
            .map_or_else(|| SignerEntries::of_keys(&keys), Keyless::signers);
        let mut repo = Repo::init(&folder.path().join("greeter"), ORIGIN);
        repo.write(POLICY_PATH, &policy(&keys, &signers));
        repo.write("README.md", "# Greeter\n");
        repo.write(
            "src/lib.rs",
            "pub fn greet() -> &'static str {\n    \"hello\"\n}\n",
        );
        repo.write("infra/main.tf", "instances = 1\n");
        let base = repo.commit("Ada", "Begin");
        repo.branch("agent/greeting", "main");
        repo.write(
            "src/lib.rs",
            "pub fn greet(name: &str) -> String {\n    format!(\"hello, {name}\")\n}\n",
        );
        repo.write("tests/greeting.rs", "#[test]\nfn greets() {}\n");
        repo.commit("Greeter", "Greet by name");
        repo.write("infra/main.tf", "instances = 2\n");
        let head = repo.commit("Greeter", "Run two instances");

        let log = Log::create(&folder.path().join("log"), "log.example.test").expect("a new log");
        let trusted_root = match &keyless {
            Some(keyless) => keyless.instance.trusted_root_json(),
            None => with_operator(&log.trusted_root_json()),
        };
        let transcript = session(&repo);
        let at = Timestamp::from_unix(AT).expect("a time");
        let world = Self {
            folder,
            repo,
            keys,
            log,
            base,
            head,
            pull_request: Vec::new(),
            given: Vec::new(),
            agent: None,
            review: None,
            transcript,
            trusted_root,
            keyless,
            at,
        };
        let session_path = world.session_path();
        std::fs::create_dir_all(session_path.parent().expect("it has a folder"))
            .expect("the folder can be made");
        std::fs::write(session_path, &world.transcript).expect("the session can be written");
        std::fs::write(world.trusted_root_path(), &world.trusted_root).expect("the root can be written");
        world
    }

    fn sign_all(&mut self) {
        if self.keyless.is_some() {
            return self.sign_keyless();
        }
        self.agent = Some(self.attest(&self.agent_statement(), &self.keys.agent));
        self.review = Some(self.attest(&self.approval_statement(), &self.keys.reviewer));
    }

    fn file_all(&self) {
        if let Some(piece) = &self.agent {
            self.file(piece, Some(&self.head));
        }
        if let Some(piece) = &self.review {
            self.file(piece, None);
        }
    }
}

/// The session's identifier.
const SESSION: &str = "5e551000-0000-4000-8000-0000000000aa";

fn session(repo: &Repo) -> Vec<u8> {
    let root = repo.path().to_str().expect("a readable path");
    let file = |name: &str| format!("{root}/{name}");
    SessionBuilder::new(SESSION, root)
        .prompt("Greet people by name, test it, and run two instances.")
        .edit(&file("src/lib.rs"), "hello", "hello, {name}")
        .write(&file("tests/greeting.rs"), "#[test]\nfn greets() {}\n")
        .bash("cargo test", "test greets ... ok")
        .edit(&file("infra/main.tf"), "instances = 1", "instances = 2")
        .bash(
            "git commit -am 'Run two instances'",
            "[agent/greeting 1f2e3d4] Run two instances",
        )
        .says("Done.")
        .build()
}

/// How the policy names the agent and the reviewer.
struct SignerEntries {
    agent: String,
    reviewer: String,
}

impl SignerEntries {
    fn of_keys(keys: &Keys) -> Self {
        Self {
            agent: format!("{{ key = \"{}\" }}", fingerprint(&keys.agent)),
            reviewer: format!("{{ key = \"{}\", presence = true }}", fingerprint(&keys.reviewer)),
        }
    }
}

/// The policy at the protected tip.
fn policy(keys: &Keys, signers: &SignerEntries) -> String {
    format!(
        r#"version = 1
serial = 1

[trust]
roots = ["{ROOT}"]
log = {{ inclusion = true, self = "deny" }}

[[person]]
id = "alice"
teams = ["platform"]
policy-admin = true
signers = [{reviewer}]

[[person]]
id = "bob"
signers = [{{ key = "{second}", presence = true }}]

[[agent]]
id = "{AGENT}"
owner = "greetings"
signers = [{agent}]
products = ["claude-code >=2.1"]
models = ["anthropic/claude-*"]
scope = {{ repositories = ["{ORIGIN}"], refs = ["refs/heads/agent/**"], paths = ["src/**", "tests/**", "infra/**"] }}
require = {{ prompt = true, transcript = "whole" }}

[[service]]
id = "ci"
signers = [{{ key = "{service}" }}]
may = ["test-result"]

[[rule]]
id = "infrastructure-needs-a-person"
classes = ["infrastructure"]
tier = "gated"
approvals = {{ people = 1, not = ["author", "agent-operators"] }}

[gate.merge]
require = ["accounted"]
residual = "forbid"
"#,
        reviewer = signers.reviewer,
        second = fingerprint(&keys.second_reviewer),
        agent = signers.agent,
        service = fingerprint(&keys.service),
    )
}

/// Names an operator who is none of the signers, so that the log is no storage of theirs.
fn with_operator(trusted_root: &str) -> String {
    let mut root: serde_json::Value = serde_json::from_str(trusted_root).expect("the log writes JSON");
    root["tlogs"][0]["operator"] = "guild.example.test".into();
    format!("{root:#}\n")
}

fn write_private(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, bytes).expect("the file can be written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("the mode can be set");
}
