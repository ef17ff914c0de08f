//! Rules of an agent change, one defect at a time.

use serde_json::{Value, json};

use super::*;
use crate::agent_change::validate::{full_ref_name, repository_uri};
use crate::digest::Sha256Digest;
use crate::samples::*;

fn refused(pointer: &str, value: Value) -> &'static str {
    broken(&format!("/predicate{pointer}"), value)
}

#[test]
fn every_field_is_read() {
    let change = agent_change();
    assert_eq!(change.commands.as_ref().unwrap()[1].exit_code, None);
    assert_eq!(
        change.change.paths.as_ref().unwrap()[4].path.as_bytes(),
        b"\xfffoo"
    );
    assert_eq!(change.capture.sources["/models"], Source::Transcript);
    assert_eq!(serde_json::to_value(&change).unwrap(), agent_change_json());
}

#[test]
fn case_145_what_could_speak_against_us_cannot_be_left_out() {
    let required = [
        "/agent",
        "/agent/id",
        "/agent/parent/instance",
        "/models",
        "/models/0/steps",
        "/models/0/role",
        "/models/0/provider",
        "/models/0/id",
        "/prompt/commitments/0/origin",
        "/instructions/0/fromBase",
        "/tools/0/failures",
        "/tools/0/calls",
        "/tools/0/kind",
        "/commands/0/exitCode",
        "/commands/0/kind",
        "/commands/0/commitment",
        "/transcript/complete",
        "/transcript/counters",
        "/transcript/counters/malformed",
        "/transcript/counters/unknown",
        "/transcript/counters/skipped",
        "/transcript/counters/rewound",
        "/transcript/steps/count",
        "/change",
        "/change/repository",
        "/change/base",
        "/change/proposed",
        "/change/base/gitTree",
        "/change/proposed/gitTree",
        "/change/commits",
        "/change/dirty",
        "/change/paths/0/status",
        "/change/paths/0/attribution",
        "/change/paths/0/path",
        "/sbom/dependencies",
        "/sbom/digest",
        "/trigger/kind",
        "/environment/kind",
        "/usage/method",
        "/usage/cost/currency",
        "/run",
        "/run/chain",
        "/run/sequence",
        "/capture",
        "/capture/sources",
        "/capture/tool",
        "/capture/importer",
    ];
    for pointer in required {
        assert_eq!(
            code(&without(good(), &format!("/predicate{pointer}"))),
            "json.shape",
            "{pointer}"
        );
    }
}

#[test]
fn case_145_what_is_absent_is_unknown() {
    let mut bare = good();
    for field in [
        "prompt",
        "instructions",
        "tools",
        "commands",
        "transcript",
        "sbom",
        "task",
        "trigger",
        "environment",
        "usage",
        "agent/instance",
        "agent/product",
        "agent/owner",
        "agent/parent",
        "change/undeclared",
        "change/unwritten",
        "change/ref",
        "change/proposed/gitCommit",
    ] {
        bare = without(bare, &format!("/predicate/{field}"));
    }
    let signed = parse(&bare).unwrap();
    let change = signed.statement().predicate.as_agent_change().unwrap();
    assert_eq!(
        (&change.tools, &change.commands, &change.prompt),
        (&None, &None, &None)
    );
    assert_eq!(
        (&change.change.undeclared, &change.change.unwritten),
        (&None, &None)
    );
    assert_eq!(
        serde_json::from_slice::<Value>(&signed.statement().encode().unwrap()).unwrap(),
        bare
    );
}

#[test]
fn case_20_unknown_words_are_refused() {
    let words = [
        "/models/0/role",
        "/prompt/commitments/0/origin",
        "/tools/0/kind",
        "/commands/0/kind",
        "/transcript/complete",
        "/change/paths/0/status",
        "/change/paths/0/attribution",
        "/trigger/kind",
        "/environment/kind",
        "/capture/sources/~1models",
        "/sbom/unread/0/tree",
    ];
    for pointer in words {
        let pointer = pointer.replace("~1models", "m");
        for word in ["Agent", "HUMAN", "unheard", "renamed"] {
            assert_eq!(refused(&pointer, json!(word)), "json.shape", "{pointer} {word}");
        }
    }
    assert_eq!(
        refused("/change/paths/0/to/mode", json!("100664")),
        "mode.unknown"
    );
}

#[test]
fn a_row_says_what_its_sides_say() {
    let rows = "/change/paths";
    for status in ["deleted", "modified", "modeChanged", "typeChanged"] {
        assert_eq!(
            refused(&format!("{rows}/0/status"), json!(status)),
            "change.path_status",
            "{status}"
        );
    }
    assert_eq!(
        code(&without(good(), "/predicate/change/paths/0/to")),
        "change.path_status"
    );
    let same = json!({"mode": "100644", "gitBlob": COMMIT});
    assert_eq!(refused(&format!("{rows}/4/from"), same), "change.path_status");
    assert_eq!(
        code(&without(good(), "/predicate/change/paths/0/to/sha256")),
        "change.path_content"
    );
    assert_eq!(
        code(&without(good(), "/predicate/change/paths/0/to/size")),
        "change.path_content"
    );
    assert_eq!(
        refused(&format!("{rows}/3/to/sha256"), json!(SHA)),
        "change.path_content"
    );
    assert_eq!(
        refused(&format!("{rows}/0/to/mode"), json!("040000")),
        "change.path_content"
    );
    assert_eq!(
        refused(&format!("{rows}/1/from/mode"), json!("040000")),
        "change.path_content"
    );
    assert_eq!(
        refused(&format!("{rows}/1/path"), json!("src/new.rs")),
        "change.duplicate_path"
    );
    assert_eq!(
        refused("/change/undeclared", json!(["a", "b", "a"])),
        "change.duplicate_path"
    );
}

#[test]
fn a_change_has_rows_or_their_root() {
    let tree = json!({"count": 20_001, "root": SHA});
    assert_eq!(refused("/change/pathsTree", tree.clone()), "change.paths_or_tree");
    assert_eq!(
        code(&without(good(), "/predicate/change/paths")),
        "change.paths_or_tree"
    );
    let beyond = changed(
        without(good(), "/predicate/change/paths"),
        "/predicate/change/pathsTree",
        tree,
    );
    assert!(parse(&beyond).is_ok());
}

#[test]
fn caps_hold_when_read_and_when_written() {
    let row = |number: usize| {
        json!({"path": format!("f{number}"), "status": "deleted", "attribution": "agent",
               "from": {"mode": "100644", "gitBlob": BLOB}})
    };
    let rows = |count: usize| json!((0..count).map(row).collect::<Vec<_>>());
    assert!(parse(&changed(good(), "/predicate/change/paths", rows(20_000))).is_ok());
    assert_eq!(refused("/change/paths", rows(20_001)), "predicate.too_many");
    let model = json!({"provider": "p", "id": "m", "steps": 0, "role": "tool"});
    assert_eq!(refused("/models", json!(vec![model; 257])), "predicate.too_many");
    assert_eq!(refused("/models", json!([])), "predicate.empty");
    let names: Vec<String> = (0..20_001).map(|number| format!("f{number}")).collect();
    assert_eq!(refused("/change/unwritten", json!(names)), "predicate.too_many");
    let unread = json!({"manifest": "bun.lock", "tree": "base", "reason": "lockfile.unsupported"});
    assert_eq!(
        refused("/sbom/unread", json!(vec![unread; 1_025])),
        "predicate.too_many"
    );
    let commit = json!({"gitCommit": COMMIT, "gitTree": TREE, "parents": vec![COMMIT; 65]});
    assert_eq!(refused("/change/commits", json!([commit])), "predicate.too_many");
    assert_eq!(
        refused("/agent/id", json!("x".repeat(4_097))),
        "json.text_too_long"
    );
    assert!(
        parse(&changed(
            good(),
            "/predicate/agent/owner",
            json!("x".repeat(4_096))
        ))
        .is_ok()
    );

    let mut change = agent_change();
    change.models = vec![change.models[0].clone(); 257];
    let written = statement(crate::predicate::Predicate::AgentChange(Box::new(change))).encode();
    assert_eq!(written.unwrap_err().code(), "predicate.too_many");
}

#[test]
fn case_151_prompts_are_committed_to_in_order_with_root_and_count() {
    for field in ["root", "count"] {
        assert_eq!(
            code(&without(good(), &format!("/predicate/prompt/{field}"))),
            "prompt.commitments",
            "{field}"
        );
    }
    assert_eq!(refused("/prompt/count", json!(3)), "prompt.commitments");
    assert_eq!(
        refused("/prompt/commitments/1/index", json!(0)),
        "prompt.commitments"
    );
    assert_eq!(
        refused("/prompt/commitments/1/index", json!(2)),
        "prompt.commitments"
    );
    assert_eq!(refused("/prompt", json!({})), "prompt.says_nothing");
    assert_eq!(refused("/prompt", json!({"plainDigest": {}})), "predicate.empty");
    // A plain digest alone can be said, and it is told apart from a commitment.
    let plain = changed(
        good(),
        "/predicate/prompt",
        json!({"plainDigest": {"sha256": SHA}}),
    );
    let signed = parse(&plain).unwrap();
    let prompt = signed
        .statement()
        .predicate
        .as_agent_change()
        .unwrap()
        .prompt
        .clone()
        .unwrap();
    assert_eq!(
        (prompt.commitments, prompt.root, prompt.count),
        (None, None, None)
    );
    // A commitment is 32 bytes; a shorter, saltless or prefixed value is none.
    for value in [&SHA[..32], "", "salt:00", &format!("sha256:{SHA}")] {
        let code = refused("/prompt/commitments/0/commitment", json!(value));
        assert!(
            matches!(code, "digest.length" | "json.empty_text"),
            "{value} {code}"
        );
    }
}

#[test]
fn case_152_a_redaction_is_recorded_with_its_rules() {
    for field in ["commitment", "rules"] {
        let pointer = format!("/predicate/transcript/redacted/{field}");
        assert_eq!(code(&without(good(), &pointer)), "json.shape", "{field}");
    }
    assert_eq!(
        refused("/transcript/redacted/rules", json!([""])),
        "json.empty_text"
    );
}

#[test]
fn digest_sets_inside_identify_something() {
    for pointer in [
        "/agent/parent/statement",
        "/models/0/digest",
        "/prompt/plainDigest",
        "/instructions/0/digest",
        "/tools/1/server/digest",
        "/sbom/digest",
        "/sbom/base",
        "/run/previous",
    ] {
        assert_eq!(refused(pointer, json!({})), "predicate.empty", "{pointer}");
        assert_eq!(
            refused(pointer, json!({"sha1": BLOB})),
            "predicate.weak_digest",
            "{pointer}"
        );
    }
}

#[test]
fn money_chains_times_and_sources_have_their_form() {
    for amount in [json!("1e3"), json!("-1"), json!("1,0"), json!("01")] {
        assert_eq!(
            refused("/usage/cost/amount", amount.clone()),
            "decimal.malformed",
            "{amount}"
        );
    }
    assert_eq!(refused("/usage/cost/amount", json!(1)), "json.shape");
    assert_eq!(refused("/usage/cost/currency", json!("eur")), "usage.currency");
    for chain in [
        "00112233445566778899AABBCCDDEEFF",
        "00",
        "+0112233445566778899aabbccddeeff",
    ] {
        assert_eq!(refused("/run/chain", json!(chain)), "run.chain", "{chain}");
    }
    assert_eq!(
        refused("/run/endedAt", json!("2026-02-03T04:05:05Z")),
        "run.times"
    );
    assert_eq!(
        refused("/run/startedAt", json!("2026-02-03T04:05:06+00:00")),
        "timestamp.malformed"
    );
    assert_eq!(
        refused("/capture/sources", json!({"models": "hook"})),
        "capture.source_pointer"
    );
    assert!(Source::Observed > Source::Platform && Source::Platform > Source::Hook);
    assert!(Source::Hook > Source::Transcript && Source::Transcript > Source::Environment);
    assert!(Source::Environment > Source::Trailer && Source::Trailer > Source::SelfReported);
}

#[test]
fn a_repository_uri_carries_no_secret() {
    for uri in [
        "https://example.org/acme/app",
        "ssh://example.org/acme/app",
        "git+https://example.org/a@b",
        "urn:touchmark:root:5f0e9f6a4d2b47f5a8e1b6f0c3d2e1f0a9b8c7d6",
        "file:///srv/git/app",
    ] {
        assert_eq!(repository_uri("", uri), Ok(()), "{uri}");
    }
    for uri in [
        "https://token@example.org/acme",
        "https://u:p@example.org/acme",
        "ssh://git@example.org/a",
        "example.org/acme",
        "https://example.org/acme?token=1",
        "https://example.org/acme#x",
        "https:",
        "HTTPS://example.org",
        ":x",
        "https://example.org/a b",
        "git@example.org:acme/app",
    ] {
        assert_eq!(
            refused("/change/repository/uri", json!(uri)),
            "repository.uri",
            "{uri}"
        );
    }
}

#[test]
fn a_ref_is_named_in_full() {
    for name in [
        "refs/heads/main",
        "refs/heads/feature/x-1",
        "refs/pull/7/head",
        "refs/heads/\u{fc}",
    ] {
        assert_eq!(full_ref_name("", name), Ok(()), "{name}");
    }
    for name in [
        "main",
        "heads/main",
        "refs/",
        "refs",
        "refs/heads//x",
        "refs/heads/a..b",
        "refs/heads/a b",
        "refs/heads/x/",
        "refs/heads/@{1}",
        "refs/heads/a^",
        "refs/heads/\n",
    ] {
        assert_eq!(refused("/change/ref", json!(name)), "change.ref_name", "{name:?}");
    }
}

#[test]
fn a_chain_is_sixteen_bytes() {
    let chain: ChainId = "00112233445566778899aabbccddeeff".parse().unwrap();
    assert_eq!(chain.as_bytes()[15], 0xff);
    assert_eq!(
        ChainId::from_bytes(*chain.as_bytes()).to_string(),
        "00112233445566778899aabbccddeeff"
    );
    assert_eq!(
        agent_change().transcript.unwrap().commitment,
        SHA.parse::<Sha256Digest>().unwrap()
    );
}
