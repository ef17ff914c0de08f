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
        ],
        "disclosures": disclosures()
    });
    // Canonical first, so that the order of keys does not depend on how serde_json was built.
    let canonical = touchmark_statement::strict_json::canonical(&vectors).unwrap();
    let sorted: Value = serde_json::from_slice(&canonical).unwrap();
    let mut text = serde_json::to_string_pretty(&sorted).unwrap();
    text.push('\n');
    text
}

/// Pieces of a statement whose payload is the word `payload`, as files of disclosures hold them.
fn disclosures() -> Vec<Value> {
    let payload = Sha256Digest::of(b"payload");
    let disclosed = |kind: Kind, index: u32, origin: Option<PromptOrigin>, bytes: &[u8]| {
        let item = Item { kind, index, origin };
        let key = derive(&run_key(), kind, index);
        let disclosure = match kind {
            Kind::Prompt => Disclosure::of_leaf(payload, item, &leaves(), &key, bytes),
            Kind::Step => Disclosure::of_leaf(payload, item, &steps(), &key, bytes),
            _ => Some(Disclosure::of_piece(payload, item, &key, bytes)),
        };
        serde_json::from_slice(&disclosure.unwrap().encode().unwrap()).unwrap()
    };
    let prompts = (0..).zip(prompts());
    let prompts =
        prompts.map(|(index, (bytes, origin))| disclosed(Kind::Prompt, index, Some(origin), &bytes));
    let others = [
        disclosed(Kind::Step, 22, None, step_of(22).as_bytes()),
        disclosed(Kind::Command, 0, None, b"x"),
        disclosed(Kind::Transcript, TRANSCRIPT_RAW, None, b"x"),
    ];
    prompts.chain(others).collect()
}

/// What is written fits the published schema, and what the schema refuses is no disclosure.
#[test]
fn disclosures_fit_their_schema() {
    let schema = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../schemas/commitments/disclosure-v1.json"
    );
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let all = disclosures();
    for disclosure in &all {
        assert!(validator.is_valid(disclosure), "{disclosure}");
        let bytes = serde_json::to_vec(disclosure).unwrap();
        assert!(Disclosure::parse(&bytes).is_ok());
        for field in ["payload", "item", "bytes", "key"] {
            let mut broken = disclosure.clone();
            broken.as_object_mut().unwrap().remove(field);
            assert!(!validator.is_valid(&broken), "{field}");
            assert!(
                Disclosure::parse(&serde_json::to_vec(&broken).unwrap()).is_err(),
                "{field}"
            );
        }
        let mut broken = disclosure.clone();
        broken["runKey"] = json!("00");
        assert!(!validator.is_valid(&broken));
        assert!(Disclosure::parse(&serde_json::to_vec(&broken).unwrap()).is_err());
    }
}

#[test]
fn a_file_of_disclosures_is_of_one_statement_and_opens_each_piece_once() {
    let lines: Vec<String> = disclosures().iter().map(Value::to_string).collect();
    let code =
        |file: &str| Disclosure::parse_all(file.as_bytes()).map_or_else(|error| error.code(), |_| "accepted");
    let file = lines.join("\n");
    assert_eq!(code(&file), "accepted");
    assert_eq!(code(&format!("{file}\n")), "accepted");
    assert_eq!(code(""), "commitment.nothing_disclosed");
    assert_eq!(code("\n"), "commitment.nothing_disclosed");
    assert_eq!(
        code(&format!("{file}\n{}", lines[0])),
        "commitment.disclosed_twice"
    );
    let other = lines[1].replace(&Sha256Digest::of(b"payload").to_string(), SHA);
    assert_eq!(
        code(&format!("{}\n{other}", lines[0])),
        "commitment.other_statement"
    );
    let hollow = format!("{file}\n\n");
    assert!(code(&hollow).starts_with("json."), "{}", code(&hollow));
    let behind = format!("{} {{}}", lines[0]);
    assert!(code(&behind).starts_with("json."), "{}", code(&behind));
    let many = vec![lines[0].as_str(); MAX_PIECES + 1].join("\n");
    assert_eq!(code(&many), "commitment.disclosed_twice");
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
