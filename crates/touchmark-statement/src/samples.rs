//! One rich, good example of each predicate, for the tests of this crate.

use serde_json::{Value, json};

use crate::agent_change::AgentChange;
use crate::digest::{DigestSet, Sha256Digest};
use crate::predicate::{self, Predicate};
use crate::review::Review;
use crate::statement::{ResourceDescriptor, STATEMENT_TYPE, SignedStatement, Statement, StatementError};

pub(crate) const SHA: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
pub(crate) const COMMIT: &str = "5f0e9f6a4d2b47f5a8e1b6f0c3d2e1f0a9b8c7d6";
pub(crate) const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
pub(crate) const BLOB: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

/// The JSON of an agent change that uses every field.
pub(crate) fn agent_change_json() -> Value {
    json!({
        "agent": {
            "id": "builder", "instance": "0b9e7e0a-11d1-4e44-9c5d-2f6f3f1f9a01",
            "product": {"name": "claude-code", "version": "2.1.42", "vendor": "anthropic"},
            "owner": "platform", "parent": {"instance": "parent-1", "statement": {"sha256": SHA}, "relation": "subagent"},
            "entrypoint": "cli"
        },
        "models": [
            {"provider": "anthropic", "id": "claude-opus-4-6", "version": "2026-02", "digest": {"sha256": SHA},
             "steps": 41, "role": "primary"},
            {"provider": "anthropic", "id": "claude-haiku-4-5", "steps": 3, "role": "subagent"}
        ],
        "prompt": {
            "commitments": [
                {"index": 0, "origin": "human", "commitment": SHA},
                {"index": 1, "origin": "injected", "commitment": SHA}
            ],
            "root": SHA, "count": 2, "plainDigest": {"sha256": SHA}
        },
        "instructions": [
            {"name": "AGENTS.md", "digest": {"sha256": SHA, "gitBlob": BLOB}, "fromBase": true},
            {"name": "~/.claude/CLAUDE.md", "commitment": SHA, "fromBase": false}
        ],
        "tools": [
            {"name": "Edit", "kind": "builtin", "calls": 12, "failures": 1},
            {"name": "search", "kind": "mcp", "server": {"name": "docs", "digest": {"sha256": SHA}},
             "calls": 2, "failures": 0}
        ],
        "commands": [
            {"commitment": SHA, "exitCode": 0, "kind": "test", "step": 17},
            {"commitment": SHA, "exitCode": null, "kind": "other", "step": 18},
            {"commitment": SHA, "exitCode": -1, "kind": "build", "step": 19}
        ],
        "transcript": {
            "format": "claude-code-jsonl", "commitment": SHA, "steps": {"count": 88, "root": SHA},
            "redacted": {"commitment": SHA, "rules": ["aws-access-key"]}, "complete": "prefix",
            "counters": {"unknown": 0, "malformed": 1, "skipped": 2, "rewound": 3}
        },
        "change": change_json(),
        "sbom": {
            "format": "cyclonedx-1.6", "digest": {"sha256": SHA}, "base": {"sha256": SHA},
            "dependencies": [{"purl": "pkg:cargo/serde", "from": "1.0.1", "to": "1.0.2", "manifest": "Cargo.lock"}],
            "unread": [{"manifest": "bun.lock", "tree": "proposed", "reason": "lockfile.unsupported"}], "omitted": 3
        },
        "identities": [
            {"role": "agent", "value": "claude-code", "source": "environment", "name": "CLAUDECODE"},
            {"role": "author", "value": "person", "source": "observed"}
        ],
        "findings": [
            {"code": "identity.trailer_differs", "values": [
                {"value": "copilot", "source": "trailer", "name": "Co-authored-by"},
                {"value": "claude-code", "source": "transcript"}
            ]}
        ],
        "task": {"uri": "https://example.org/issues/7", "commitment": SHA},
        "trigger": {"kind": "human", "principal": "ada"},
        "environment": {
            "kind": "ci", "run": "https://example.org/runs/1",
            "image": {"name": "runner", "digest": {"sha256": SHA}, "annotations": {"size": 3}},
            "sandbox": "bubblewrap"
        },
        "usage": {
            "inputTokens": 1, "outputTokens": 2, "cacheReadTokens": 3, "cacheWriteTokens": 4, "requests": 5,
            "cost": {"amount": "0.25", "currency": "EUR"}, "method": "session file"
        },
        "run": {
            "startedAt": "2026-02-03T04:05:06Z", "endedAt": "2026-02-03T05:05:06Z",
            "chain": "00112233445566778899aabbccddeeff", "sequence": 3, "previous": {"sha256": SHA}
        },
        "capture": {
            "tool": {"name": "touchmark", "version": "0.1.0"},
            "importer": {"name": "claude-code", "version": "1"},
            "sources": {"/models": "transcript", "/change": "observed", "/agent/id": "environment"}
        }
    })
}

fn change_json() -> Value {
    json!({
        "repository": {"uri": "https://example.org/acme/app", "id": "4711"},
        "ref": "refs/heads/main",
        "base": {"gitCommit": COMMIT, "gitTree": TREE},
        "proposed": {"gitCommit": COMMIT, "gitTree": TREE},
        "commits": [{"gitCommit": COMMIT, "gitTree": TREE, "parents": [COMMIT]}],
        "paths": [
            {"path": "src/new.rs", "status": "added", "attribution": "agent",
             "to": {"mode": "100644", "gitBlob": BLOB, "sha256": SHA, "size": 12}},
            {"path": "old.rs", "status": "deleted", "attribution": "human",
             "from": {"mode": "100644", "gitBlob": BLOB}},
            {"path": "run.sh", "status": "modeChanged", "attribution": "mixed",
             "from": {"mode": "100644", "gitBlob": BLOB},
             "to": {"mode": "100755", "gitBlob": BLOB, "sha256": SHA, "size": 0}},
            {"path": "vendored", "status": "typeChanged", "attribution": "unknown",
             "from": {"mode": "120000", "gitBlob": BLOB}, "to": {"mode": "160000", "gitBlob": COMMIT}},
            {"path": {"bytes": "/2Zvbw=="}, "status": "modified",
             "attribution": "agent", "from": {"mode": "100644", "gitBlob": BLOB},
             "to": {"mode": "100644", "gitBlob": COMMIT, "sha256": SHA, "size": 9}}
        ],
        "undeclared": ["old.rs"], "unwritten": ["notes.md"], "dirty": false
    })
}

/// The JSON of a review of a change that uses every field it may.
pub(crate) fn review_json() -> Value {
    json!({
        "decision": "approved", "about": "change",
        "change": {
            "repository": {"uri": "https://example.org/acme/app"}, "targetRef": "refs/heads/main",
            "baseTree": TREE, "resultTree": TREE, "head": COMMIT
        },
        "scope": {"whole": false, "paths": ["src/**"]},
        "evidence": [{"sha256": SHA}], "shown": {"sha256": SHA}, "supersedes": {"sha256": SHA},
        "reason": "read it", "expiresAt": "2026-03-03T04:05:06Z", "method": "forge",
        "forge": {"uri": "https://example.org/pulls/1#r2", "login": "ada", "id": "99"}
    })
}

/// The JSON of a review of a deployment.
pub(crate) fn deploy_review_json() -> Value {
    json!({
        "decision": "rejected", "about": "deploy",
        "deploy": {"artifact": {"sha256": SHA}, "environment": "production"},
        "scope": {"whole": true}, "evidence": [], "shown": {"sha256": SHA}, "method": "cli"
    })
}

/// The JSON of a statement with this predicate.
pub(crate) fn statement_json(predicate_type: &str, predicate: Value) -> Value {
    json!({
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": "git+https://example.org/acme/app", "digest": {"gitCommit": COMMIT, "sha256": SHA}},
            {"name": "tree", "digest": {"gitTree": TREE, "sha256": SHA}}
        ],
        "predicateType": predicate_type,
        "predicate": predicate
    })
}

/// The JSON of a statement with the agent change above.
pub(crate) fn good() -> Value {
    statement_json(predicate::AGENT_CHANGE_V1, agent_change_json())
}

pub(crate) fn parse(statement: &Value) -> Result<SignedStatement, StatementError> {
    SignedStatement::parse(serde_json::to_vec(statement).unwrap())
}

pub(crate) fn code(statement: &Value) -> &'static str {
    parse(statement).unwrap_err().code()
}

pub(crate) fn code_of(text: impl Into<Vec<u8>>) -> &'static str {
    SignedStatement::parse(text.into()).unwrap_err().code()
}

pub(crate) fn agent_change() -> AgentChange {
    parse(&good())
        .unwrap()
        .statement()
        .predicate
        .as_agent_change()
        .unwrap()
        .clone()
}

pub(crate) fn review() -> Review {
    let signed = parse(&statement_json(predicate::REVIEW_V1, review_json())).unwrap();
    signed.statement().predicate.as_review().unwrap().clone()
}

/// A statement about one thing.
pub(crate) fn statement(predicate: Predicate) -> Statement {
    let digest = DigestSet::of_sha256(Sha256Digest::of(b"thing"));
    Statement::new(vec![ResourceDescriptor::new("thing", digest)], predicate)
}

/// Changes one place of a good statement and returns the code it is refused with.
pub(crate) fn broken(pointer: &str, value: Value) -> &'static str {
    code(&changed(good(), pointer, value))
}

/// Puts `value` at a JSON pointer whose parent is there.
pub(crate) fn changed(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(fields) => drop(fields.insert(key.to_owned(), value)),
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        other => panic!("{other} has no fields"),
    }
    document
}

/// Removes what stands at a JSON pointer.
pub(crate) fn without(mut document: Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let fields = document.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    fields.remove(key).unwrap();
    document
}
