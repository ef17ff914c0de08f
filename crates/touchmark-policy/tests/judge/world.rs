//! One good case: a repository, an agent's change, an approval, a test result, a log, a policy. Tests break one thing.

use ed25519_dalek::Signer as _;
use serde_json::{Value, json};
use touchmark_policy::{Candidate, JudgeRequest, NamedRoot, Policy, PolicyInForce, Verdict, judge};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::file_mode::FileMode;
use touchmark_statement::git_id::{GitCommitId, GitTreeId};
use touchmark_statement::statement::IN_TOTO_PAYLOAD_TYPE;
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::checkpoint::Checkpoint;
use touchmark_tlog::entry::{
    EntryVerifier, HashAlgorithm, HashedRekordV002, InclusionProof, KeyDetails, KindVersion, LogEntry,
    VerifierMaterial,
};
use touchmark_tlog::merkle::{Hash, inclusion_path, leaf_hash, root_of};
use touchmark_tlog::note::{Note, SignatureLine, VerifierKey};
use touchmark_verify::bundle::{Bundle, Content, MediaType, VerificationMaterial};
use touchmark_verify::envelope::{Envelope, pae};
use touchmark_verify::git_view::GitView;
use touchmark_verify::key::{KeyAlgorithm, KeyFingerprint, PublicKey};
use touchmark_verify::lineage::{ChangeUnderJudgement, RepositoryIdentity};
use touchmark_verify::trust::{TrustedLog, TrustedRoot};
use touchmark_verify::window::Window;

use crate::git::{Git, Tree, path};

pub(crate) const URI: &str = "https://github.com/acme/app";
pub(crate) const BOT: &str = "Fixer Bot <fixer@bots.acme.example>";

/// Seeds of the keys in this world, one a principal; `alice` has two.
pub(crate) const AGENT: u8 = 1;
pub(crate) const ALICE: u8 = 2;
pub(crate) const ALICE_LAPTOP: u8 = 3;
pub(crate) const BOB: u8 = 4;
pub(crate) const CAROL: u8 = 5;
pub(crate) const CI: u8 = 6;
pub(crate) const OTHER_AGENT: u8 = 7;
pub(crate) const STRANGER: u8 = 99;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_790_000_000 + seconds).unwrap()
}

fn key(seed: u8) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap()
}

pub(crate) fn public(seed: u8) -> PublicKey {
    let point = key(seed).verifying_key().to_sec1_point(false);
    PublicKey::from_raw(KeyAlgorithm::EcdsaP256Sha256, point.as_bytes()).unwrap()
}

pub(crate) fn fingerprint(seed: u8) -> KeyFingerprint {
    public(seed).fingerprint()
}

/// A transparency log in memory.
pub(crate) struct Log {
    origin: String,
    pub(crate) operator: Option<String>,
    key: ed25519_dalek::SigningKey,
    bodies: Vec<Vec<u8>>,
    leaves: Vec<Hash>,
}

impl Log {
    pub(crate) fn new(origin: &str, seed: u8, operator: Option<&str>) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        let operator = operator.map(str::to_owned);
        Log {
            origin: origin.to_owned(),
            operator,
            key,
            bodies: Vec::new(),
            leaves: Vec::new(),
        }
    }

    fn verifier_key(&self) -> VerifierKey {
        VerifierKey::ed25519(&self.origin, self.key.verifying_key().as_bytes()).unwrap()
    }

    pub(crate) fn root(&self) -> TrustedRoot {
        let key = self.verifier_key();
        TrustedRoot::from_logs(vec![TrustedLog {
            origin: self.origin.clone(),
            log_id: key.log_id(),
            key,
            valid_for: Window {
                start: at(-1_000_000),
                end: None,
            },
            operator: self.operator.clone(),
        }])
        .unwrap()
    }

    fn entry(&mut self, body: Vec<u8>) -> LogEntry {
        self.leaves.push(leaf_hash(&body));
        self.bodies.push(body);
        let index = self.leaves.len() - 1;
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: self.leaves.len() as u64,
            root: root_of(&self.leaves),
            extensions: Vec::new(),
        };
        let text = checkpoint.encode();
        let line = SignatureLine::new(
            &self.verifier_key(),
            self.key.sign(text.as_bytes()).to_bytes().to_vec(),
        );
        LogEntry {
            log_index: index as u64,
            log_id: self.verifier_key().log_id(),
            kind: KindVersion::hashedrekord_v002(),
            integrated_time: None,
            inclusion_promise: None,
            inclusion_proof: Some(InclusionProof {
                log_index: index as u64,
                root_hash: checkpoint.root,
                tree_size: checkpoint.size,
                hashes: inclusion_path(&self.leaves, index).unwrap(),
                checkpoint: Some(Note::new(text, vec![line]).unwrap().encode()),
            }),
            canonicalized_body: self.bodies[index].clone(),
        }
    }
}

pub(crate) struct World {
    pub(crate) git: Git,
    pub(crate) log: Log,
    pub(crate) change: ChangeUnderJudgement,
    pub(crate) policy: String,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) at: Timestamp,
    pub(crate) serial_floor: Option<u64>,
    pub(crate) keys: Vec<PublicKey>,
    pub(crate) forge_author: Option<String>,
    /// Payload digests of the agent changes added so far: what reviewers are shown.
    pub(crate) shown: Vec<Sha256Digest>,
}

/// The policy of the good case. Alice and Bob approve with hardware keys, Carol with a file.
pub(crate) fn policy() -> String {
    format!(
        r#"version = 1
serial = 7
expires = 2027-06-30

[trust]
roots = ["acme"]

[[person]]
id = "alice"
teams = ["platform"]
emails = ["alice@acme.example"]
policy-admin = true
signers = [{{ key = "{alice}", presence = true }}, {{ key = "{laptop}", presence = true }}]

[[person]]
id = "bob"
teams = ["security"]
names = ["Bob Example"]
signers = [{{ key = "{bob}", presence = true }}]

[[person]]
id = "carol"
teams = ["platform"]
signers = [{{ key = "{carol}" }}]

[[person]]
id = "dave"
teams = ["payments"]

[[agent]]
id = "payments-fixer"
owner = "team-payments"
operators = ["team:payments"]
signers = [{{ key = "{agent}" }}]
products = ["claude-code >=2.1"]
models = ["anthropic/claude-*"]
scope = {{ repositories = ["{URI}"], refs = ["refs/heads/agent/**"], paths = ["src/**", "tests/**", "infra/**", "docs/**"] }}
limits = {{ paths = 5, lines = 10 }}
require = {{ prompt = true, transcript = "whole", sbom = false }}

[[agent]]
id = "other-agent"
signers = [{{ key = "{other}" }}]

[[service]]
id = "ci"
signers = [{{ key = "{ci}" }}]
may = ["test-result"]

[[rule]]
id = "infra-two-humans"
classes = ["infrastructure"]
tier = "gated"
approvals = {{ people = 2, teams = {{ security = 1 }} }}

[[rule]]
id = "no-secrets"
classes = ["secrets"]
tier = "forbidden"

[gate.merge]
require = ["accounted", "tests"]
residual = "forbid"
"#,
        alice = fingerprint(ALICE),
        laptop = fingerprint(ALICE_LAPTOP),
        bob = fingerprint(BOB),
        carol = fingerprint(CAROL),
        agent = fingerprint(AGENT),
        other = fingerprint(OTHER_AGENT),
        ci = fingerprint(CI),
    )
}

impl World {
    /// An agent changed `src/lib.rs`, and tests passed.
    pub(crate) fn good() -> World {
        World::with_edits(&[("src/lib.rs", Some("fn fixed() {}\n"))])
    }

    /// An agent changed infrastructure, and Alice and Bob approved.
    pub(crate) fn gated() -> World {
        let mut world = World::with_edits(&[("infra/main.tf", Some("size = 2\n"))]);
        world.approve(ALICE);
        world.approve(BOB);
        world
    }

    /// An agent made these edits in one commit, and tests passed.
    pub(crate) fn with_edits(edits: &[(&str, Option<&str>)]) -> World {
        let mut world = World::empty();
        let tree = world.git.edit(&world.change.base_tree.clone(), edits);
        world.propose(&tree, BOT);
        let statement = world.agent_change();
        world.add_agent_change(AGENT, &statement);
        world.test_result("PASSED");
        world
    }

    /// The base only: nothing is changed, nothing attested.
    pub(crate) fn empty() -> World {
        let mut git = Git::default();
        let mut files = Tree::new();
        for (name, content) in [
            ("README.md", "read me\n"),
            ("src/lib.rs", "fn broken() {}\n"),
            ("infra/main.tf", "size = 1\n"),
            (".touchmark/policy.toml", "version = 1\n"),
        ] {
            let entry = git.blob(content.as_bytes());
            files.insert(path(name), entry);
        }
        let base_tree = git.tree(files);
        let base_commit = git.commit_tree(&base_tree, &[], "Old Hand <old@acme.example>");
        let change = ChangeUnderJudgement {
            repository: RepositoryIdentity {
                uris: vec![URI.to_owned()],
                root_commits: vec![base_commit.clone()],
            },
            target_ref: "refs/heads/main".to_owned(),
            base_commit: base_commit.clone(),
            base_tree: base_tree.clone(),
            head_commit: base_commit,
            result_tree: base_tree,
            commits: Vec::new(),
            pull_request_commits: Vec::new(),
            landed: false,
        };
        World {
            git,
            log: Log::new("log.acme.example/1", 200, Some("acme-log-team")),
            change,
            policy: policy(),
            candidates: Vec::new(),
            at: at(0),
            serial_floor: Some(7),
            keys: Vec::new(),
            forge_author: None,
            shown: Vec::new(),
        }
    }

    /// Adds a commit on top of the change.
    pub(crate) fn propose(&mut self, tree: &GitTreeId, author: &str) -> GitCommitId {
        let commit = self
            .git
            .commit_tree(tree, std::slice::from_ref(&self.change.head_commit), author);
        self.change.head_commit = commit.clone();
        self.change.result_tree = tree.clone();
        self.change.commits.push(commit.clone());
        commit
    }

    /// Adds a commit with these edits on top of the change.
    pub(crate) fn propose_edits(&mut self, edits: &[(&str, Option<&str>)], author: &str) -> GitCommitId {
        let tree = self.git.edit(&self.change.result_tree.clone(), edits);
        self.propose(&tree, author)
    }

    /// Returns the agent change from the base to the head.
    pub(crate) fn agent_change(&self) -> Value {
        self.agent_change_of("payments-fixer", &self.change.base_commit, &self.change.commits)
    }

    /// Returns the agent change from a base through some commits.
    pub(crate) fn agent_change_of(&self, agent: &str, base: &GitCommitId, commits: &[GitCommitId]) -> Value {
        let head = commits.last().unwrap();
        let (from, to) = (self.git.commit(base).unwrap(), self.git.commit(head).unwrap());
        let rows = commits.iter().map(|id| {
            let commit = self.git.commit(id).unwrap();
            json!({"gitCommit": id, "gitTree": commit.tree, "parents": commit.parents})
        });
        let change = json!({
            "repository": {"uri": URI},
            "ref": "refs/heads/agent/fix",
            "base": {"gitCommit": base, "gitTree": from.tree},
            "proposed": {"gitCommit": head, "gitTree": to.tree},
            "commits": rows.collect::<Vec<_>>(),
            "paths": self.rows(&from.tree, &to.tree),
            "undeclared": [],
            "dirty": false,
        });
        let chain = &Sha256Digest::of(&serde_json::to_vec(&change).unwrap()).to_string()[..32];
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": self.subjects(head, &to.tree),
            "predicateType": "https://touchmark.dev/agent-change/v1",
            "predicate": {
                "agent": {"id": agent, "product": {"name": "claude-code", "version": "2.1.42"}},
                "models": [{"provider": "anthropic", "id": "claude-x", "steps": 3, "role": "primary"}],
                "prompt": {
                    "commitments": [{"index": 0, "origin": "human", "commitment": "a".repeat(64)}],
                    "root": "b".repeat(64), "count": 1,
                },
                "transcript": {
                    "format": "claude-code-jsonl", "commitment": "c".repeat(64),
                    "steps": {"count": 3, "root": "d".repeat(64)}, "complete": "whole",
                    "counters": {"unknown": 0, "malformed": 0, "skipped": 0, "rewound": 0},
                },
                "change": change,
                "run": {"chain": chain, "sequence": 0},
                "capture": {
                    "tool": {"name": "touchmark", "version": "0.1.0"},
                    "importer": {"name": "claude-code", "version": "1"},
                    "sources": {"/models": "platform", "/agent/product": "transcript"},
                },
            },
        })
    }

    fn rows(&self, from: &GitTreeId, to: &GitTreeId) -> Vec<Value> {
        let side =
            |entry: &touchmark_verify::git_view::TreeEntry| json!({"mode": entry.mode, "gitBlob": entry.id});
        let rows = self.git.changed_paths(from, to).unwrap();
        let row = |row: &touchmark_verify::git_view::PathChange| {
            let mut value = json!({"path": row.path, "attribution": "agent"});
            if let Some(from) = &row.from {
                value["from"] = side(from);
            }
            if let Some(to) = &row.to {
                value["to"] = side(to);
                if to.mode != FileMode::Gitlink {
                    let (sha256, size) = self.git.blob_digest(&to.id).unwrap();
                    value["to"]["sha256"] = json!(sha256);
                    value["to"]["size"] = json!(size);
                }
            }
            value["status"] = json!(match (&row.from, &row.to) {
                (None, _) => "added",
                (_, None) => "deleted",
                (Some(from), Some(to)) if from.mode == to.mode => "modified",
                (Some(from), Some(to)) if !(from.mode.is_file() && to.mode.is_file()) => "typeChanged",
                (Some(from), Some(to)) if from.id == to.id => "modeChanged",
                _ => "modified",
            });
            value
        };
        rows.iter().map(row).collect()
    }

    fn subjects(&self, commit: &GitCommitId, tree: &GitTreeId) -> Value {
        let content = self.git.commit(commit).unwrap().content_sha256;
        json!([
            {"name": format!("git+{URI}"), "digest": {"gitCommit": commit, "sha256": content}},
            {"name": "tree", "digest": {"gitTree": tree, "sha256": self.git.tree_digest(tree).unwrap()}},
        ])
    }

    /// Returns an approval of the change as it is, by somebody shown every agent change so far.
    pub(crate) fn review(&self) -> Value {
        let change = &self.change;
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": self.subjects(&change.head_commit, &change.result_tree),
            "predicateType": "https://touchmark.dev/review/v1",
            "predicate": {
                "decision": "approved",
                "about": "change",
                "change": {
                    "repository": {"uri": URI},
                    "targetRef": change.target_ref,
                    "baseTree": change.base_tree,
                    "resultTree": change.result_tree,
                    "head": change.head_commit,
                },
                "scope": {"whole": true},
                "evidence": self.shown.iter().map(|digest| json!({"sha256": digest})).collect::<Vec<_>>(),
                "shown": {"sha256": "f".repeat(64)},
                "method": "cli",
            },
        })
    }

    pub(crate) fn approve(&mut self, seed: u8) -> Sha256Digest {
        let review = self.review();
        self.add(seed, &review)
    }

    pub(crate) fn test_result(&mut self, result: &str) -> Sha256Digest {
        let statement = self.test_statement(result);
        self.add(CI, &statement)
    }

    pub(crate) fn test_statement(&self, result: &str) -> Value {
        let tree = &self.change.result_tree;
        let digest = self.git.tree_digest(tree).unwrap();
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "tree", "digest": {"gitTree": tree, "sha256": digest}}],
            "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
            "predicate": {"result": result, "configuration": []},
        })
    }

    pub(crate) fn add_agent_change(&mut self, seed: u8, statement: &Value) -> Sha256Digest {
        let digest = self.add(seed, statement);
        self.shown.push(digest);
        digest
    }

    /// Signs, logs and adds a statement.
    pub(crate) fn add(&mut self, seed: u8, statement: &Value) -> Sha256Digest {
        let (bundle, digest) = self.bundle(seed, statement);
        self.push(&bundle);
        digest
    }

    pub(crate) fn push(&mut self, bundle: &Bundle) {
        let source = format!("file {:03}", self.candidates.len());
        self.candidates.push(Candidate {
            source,
            bytes: bundle.encode(),
        });
    }

    /// Signs and logs a statement.
    pub(crate) fn bundle(&mut self, seed: u8, statement: &Value) -> (Bundle, Sha256Digest) {
        let payload = serde_json::to_vec(statement).unwrap();
        let digest = Sha256Digest::of(&payload);
        let message = pae(IN_TOTO_PAYLOAD_TYPE, &payload);
        let signature: p256::ecdsa::Signature = p256::ecdsa::signature::Signer::sign(&key(seed), &message);
        let envelope = Envelope {
            payload_type: IN_TOTO_PAYLOAD_TYPE.to_owned(),
            payload,
            keyid: fingerprint(seed).to_string(),
            signature: signature.to_der().as_bytes().to_vec(),
        };
        let body = HashedRekordV002 {
            hash: HashAlgorithm::Sha256,
            digest: KeyAlgorithm::EcdsaP256Sha256.digest(&message).unwrap(),
            signature: envelope.signature.clone(),
            verifier: EntryVerifier {
                key_details: KeyDetails::EcdsaP256Sha256,
                material: VerifierMaterial::PublicKey(public(seed).spki_der().to_vec()),
            },
        };
        let bundle = Bundle {
            media_type: MediaType::V03,
            material: VerificationMaterial::PublicKey {
                hint: fingerprint(seed).to_string(),
            },
            tlog_entries: vec![self.log.entry(body.canonical_body())],
            timestamps: Vec::new(),
            content: Content::Envelope(envelope),
        };
        (bundle, digest)
    }

    pub(crate) fn judge(&self) -> Verdict {
        let policy =
            Policy::load(self.policy.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{}", self.policy));
        self.judge_by(&[PolicyInForce {
            name: ".touchmark/policy.toml",
            policy: &policy,
            serial_floor: self.serial_floor,
        }])
    }

    pub(crate) fn judge_by(&self, policies: &[PolicyInForce<'_>]) -> Verdict {
        let root = self.log.root();
        self.judge_with(
            policies,
            &[NamedRoot {
                name: "acme",
                root: &root,
            }],
        )
    }

    pub(crate) fn judge_with(&self, policies: &[PolicyInForce<'_>], roots: &[NamedRoot<'_>]) -> Verdict {
        judge(&JudgeRequest {
            change: &self.change,
            candidates: &self.candidates,
            git: &self.git,
            trusted_roots: roots,
            witness_policies: &[],
            remembered: None,
            policies,
            keys: &self.keys,
            at: self.at,
            forge_author: self.forge_author.as_deref(),
            tool: "touchmark 0.1.0",
        })
    }

    /// Replaces one thing of the policy, which must stand there once.
    pub(crate) fn edit_policy(&mut self, from: &str, to: &str) {
        assert_eq!(self.policy.matches(from).count(), 1, "{from:?} must stand once");
        self.policy = self.policy.replace(from, to);
    }
}

/// Returns the codes of the reasons that decide, each once.
pub(crate) fn codes(verdict: &Verdict) -> Vec<String> {
    let decide = verdict
        .reasons()
        .iter()
        .filter(|reason| reason.class != touchmark_policy::Class::Finding);
    let mut codes: Vec<String> = decide.map(|reason| reason.code.clone()).collect();
    codes.dedup();
    codes
}

/// Returns the codes of the reasons that decide nothing.
pub(crate) fn findings(verdict: &Verdict) -> Vec<String> {
    let findings = verdict
        .reasons()
        .iter()
        .filter(|reason| reason.class == touchmark_policy::Class::Finding);
    findings.map(|reason| reason.code.clone()).collect()
}

/// Asserts exit code and deciding codes.
#[track_caller]
pub(crate) fn expect(verdict: &Verdict, exit: u8, expected: &[&str]) {
    let text = String::from_utf8(verdict.encode()).unwrap();
    assert_eq!(
        (verdict.exit_status(), codes(verdict)),
        (exit, expected.iter().map(|c| (*c).to_owned()).collect()),
        "{text}"
    );
}
