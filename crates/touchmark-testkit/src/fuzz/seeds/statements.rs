//! A statement for every predicate.

use serde_json::{Value, json};

use super::{BLOB, COMMIT, SHA, Seed, TREE, text};

/// A statement for every predicate that is known, and one that is not.
pub(in crate::fuzz) fn statements() -> Vec<Seed> {
    let of = |name: &str, kind: &str, predicate: Value| {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                {"name": "git+https://example.org/acme/app", "digest": {"gitCommit": COMMIT, "sha256": SHA}},
                {"name": "tree", "digest": {"gitTree": TREE, "sha256": SHA}}
            ],
            "predicateType": kind,
            "predicate": predicate
        });
        Seed::new(&format!("{name}.json"), text(&statement))
    };
    vec![
        of(
            "agent-change",
            touchmark_statement::predicate::AGENT_CHANGE_V1,
            agent_change(),
        ),
        of("review", touchmark_statement::predicate::REVIEW_V1, review()),
        of(
            "test-result",
            touchmark_statement::predicate::TEST_RESULT_V0_1,
            json!({"result": "PASSED", "configuration": [{"name": "ci", "digest": {"sha256": SHA}}]}),
        ),
        of(
            "provenance",
            touchmark_statement::predicate::SLSA_PROVENANCE_V1,
            provenance(),
        ),
        of("summary", touchmark_statement::predicate::SLSA_VSA_V1, summary()),
        of(
            "sbom",
            "https://cyclonedx.org/bom/v1.6",
            json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
                {"type": "library", "name": "serde", "version": "1.0.2", "purl": "pkg:cargo/serde@1.0.2"}]}),
        ),
        of(
            "other",
            "https://example.org/unknown/v1",
            json!({"score": 1.5, "list": [null, true, "x"]}),
        ),
    ]
}

fn agent_change() -> Value {
    json!({
        "agent": {"id": "builder", "instance": "0b9e7e0a", "product": {"name": "claude-code", "version": "2.1.42"}},
        "models": [{"provider": "anthropic", "id": "claude-opus-4-6", "steps": 41, "role": "primary"}],
        "prompt": {
            "commitments": [{"index": 0, "origin": "human", "commitment": SHA}], "root": SHA, "count": 1
        },
        "instructions": [{"name": "AGENTS.md", "digest": {"gitBlob": BLOB}, "fromBase": true}],
        "tools": [{"name": "Edit", "kind": "builtin", "calls": 12, "failures": 1}],
        "commands": [{"commitment": SHA, "exitCode": null, "kind": "test", "step": 17}],
        "transcript": {
            "format": "claude-code-jsonl", "commitment": SHA, "steps": {"count": 88, "root": SHA},
            "complete": "prefix", "counters": {"unknown": 0, "malformed": 1, "skipped": 2, "rewound": 3}
        },
        "change": {
            "repository": {"uri": "https://example.org/acme/app", "id": "4711"}, "ref": "refs/heads/main",
            "base": {"gitCommit": COMMIT, "gitTree": TREE}, "proposed": {"gitCommit": COMMIT, "gitTree": TREE},
            "commits": [{"gitCommit": COMMIT, "gitTree": TREE, "parents": [COMMIT]}],
            "paths": [
                {"path": "old.rs", "status": "deleted", "attribution": "human",
                 "from": {"mode": "100644", "gitBlob": BLOB}},
                {"path": {"bytes": "/2Zvbw=="}, "status": "modified", "attribution": "agent",
                 "from": {"mode": "100644", "gitBlob": BLOB},
                 "to": {"mode": "100644", "gitBlob": COMMIT, "sha256": SHA, "size": 9}}
            ],
            "undeclared": [], "unwritten": ["notes.md"], "dirty": false
        },
        "trigger": {"kind": "human", "principal": "ada"},
        "environment": {"kind": "ci", "run": "https://example.org/runs/1"},
        "usage": {"inputTokens": 1, "outputTokens": 2, "cost": {"amount": "0.25", "currency": "EUR"}, "method": "session file"},
        "run": {"startedAt": "2026-02-03T04:05:06Z", "endedAt": "2026-02-03T05:05:06Z",
                "chain": "00112233445566778899aabbccddeeff", "sequence": 0},
        "capture": {
            "tool": {"name": "touchmark", "version": "0.1.0"}, "importer": {"name": "claude-code", "version": "1"},
            "sources": {"/models": "transcript", "/change": "observed"}
        }
    })
}

fn review() -> Value {
    json!({
        "decision": "approved", "about": "change",
        "change": {
            "repository": {"uri": "https://example.org/acme/app"}, "targetRef": "refs/heads/main",
            "baseTree": TREE, "resultTree": TREE, "head": COMMIT
        },
        "scope": {"whole": false, "paths": ["src/**"]}, "evidence": [{"sha256": SHA}],
        "shown": {"sha256": SHA}, "reason": "read it", "expiresAt": "2026-03-03T04:05:06Z", "method": "cli"
    })
}

fn provenance() -> Value {
    json!({
        "buildDefinition": {
            "buildType": "https://example.org/build/v1", "externalParameters": {"ref": "main"},
            "resolvedDependencies": [{"uri": "git+https://example.org/acme/app", "digest": {"gitCommit": COMMIT}}]
        },
        "runDetails": {"builder": {"id": "https://example.org/builder"},
                       "metadata": {"invocationId": "1", "startedOn": "2026-02-03T04:05:06Z"}}
    })
}

fn summary() -> Value {
    json!({
        "verifier": {"id": "https://example.org/gate"}, "timeVerified": "2026-02-03T04:05:06Z",
        "resourceUri": "git+https://example.org/acme/app",
        "policy": {"uri": "https://example.org/policy", "digest": {"sha256": SHA}},
        "inputAttestations": [{"digest": {"sha256": SHA}}],
        "verificationResult": "PASSED", "verifiedLevels": ["SLSA_BUILD_LEVEL_2"]
    })
}
