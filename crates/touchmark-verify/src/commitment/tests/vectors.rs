//! The published vectors, `schemas/commitments/v1.json`.
//!
//! `cargo test -p touchmark-verify rewrite_the_commitment_vectors -- --ignored` writes the file anew.

use serde_json::{Value, json};

use super::*;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/commitments/v1.json");

#[test]
fn the_commitment_vectors_are_what_we_compute() {
    assert_eq!(
        std::fs::read_to_string(PATH).unwrap(),
        document(),
        "write the file anew and look at the difference"
    );
}

#[test]
#[ignore = "rewrites schemas/commitments/v1.json"]
fn rewrite_the_commitment_vectors() {
    std::fs::write(PATH, document()).unwrap();
}

fn document() -> String {
    let vectors = json!({
        "$comment": "Commitments of agent-change/v1. Bytes are lowercase hex. key = HKDF-SHA256(ikm = runKey, empty salt, \
            info, 32 bytes); commitment = HMAC-SHA256(key, bytes); leaf = u32 big-endian index, u8 tag, commitment; \
            root and paths are RFC 6962. Tags: prompt origins human 1, injected 2, compaction 3, agent 4; kinds \
            prompt 17, step 18, command 19, transcript 20, instruction 21, task 22.",
        "runKey": hex(run_key().expose()),
        "keys": keys(),
        "prompts": prompt_vectors(),
        "steps": (0..23).map(step_vector).collect::<Vec<_>>(),
        "roots": [
            {"of": "nothing", "root": root(&[])},
            {"of": "prompts", "root": root(&leaves()), "paths": paths(&leaves())},
            {"of": "the first step", "root": root(&steps()[..1]), "paths": paths(&steps()[..1])},
            {"of": "steps", "root": root(&steps()), "paths": paths(&steps())}
        ]
    });
    // Canonical first, so that the order of keys does not depend on how serde_json was built.
    let canonical = touchmark_statement::strict_json::canonical(&vectors).unwrap();
    let sorted: Value = serde_json::from_slice(&canonical).unwrap();
    let mut text = serde_json::to_string_pretty(&sorted).unwrap();
    text.push('\n');
    text
}

fn keys() -> Vec<Value> {
    let vector = |kind: Kind, index: u32| {
        json!({
            "kind": kind, "index": index, "info": format!("touchmark/v1/{kind}/{index}"),
            "key": hex(derive(&run_key(), kind, index).expose()),
            "commitmentToX": run_key().commit(kind, index, b"x")
        })
    };
    Kind::ALL
        .into_iter()
        .flat_map(|kind| [0, 1, 10, u32::MAX].map(|index| vector(kind, index)))
        .collect()
}

fn prompt_vectors() -> Vec<Value> {
    let parts = [
        json!([{"text": "Fix the parser \u{2014} na\u{ef}ve \u{e9} vs e\u{301}."}, {"otherBytes": hex(b"\x89PNG\r\n")}]),
        json!([]),
        json!([{"text": "go on"}]),
    ];
    let vector = |((leaf, (bytes, origin)), parts): ((Leaf, (Vec<u8>, PromptOrigin)), Value)| {
        json!({
            "index": leaf.index, "origin": origin, "parts": parts, "bytes": hex(&bytes),
            "commitment": leaf.commitment, "leaf": hex(&leaf.content()), "leafHash": leaf.hash().to_string()
        })
    };
    leaves()
        .into_iter()
        .zip(prompts())
        .zip(parts)
        .map(vector)
        .collect()
}

fn step_vector(index: u32) -> Value {
    let leaf = steps()[index as usize];
    json!({
        "index": index, "record": format!("{}\n", step_of(index)), "commitment": leaf.commitment,
        "leaf": hex(&leaf.content())
    })
}

fn paths(leaves: &[Leaf]) -> Vec<Vec<String>> {
    let hashes: Vec<merkle::Hash> = leaves.iter().map(Leaf::hash).collect();
    let path = |index| {
        merkle::inclusion_path(&hashes, index)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    (0..leaves.len()).map(path).collect()
}
