//! Commitments against independently computed values, and disclosures, good and singly broken.

mod vectors;

use std::array;

use serde_json::{Value, json};
use touchmark_statement::statement::SignedStatement;

use super::*;

const SHA: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const GIT: &str = "5f0e9f6a4d2b47f5a8e1b6f0c3d2e1f0a9b8c7d6";

fn run_key() -> RunKey {
    RunKey::from_bytes(&array::from_fn::<u8, 32, _>(|at| at as u8)).unwrap()
}

fn digest(text: &str) -> Sha256Digest {
    text.parse().unwrap()
}

/// The prompts of the run: one of text and image, an empty one, one more.
fn prompts() -> [(Vec<u8>, PromptOrigin); 3] {
    let text = PromptPart::Text("Fix the parser \u{2014} na\u{ef}ve \u{e9} vs e\u{301}.");
    [
        (
            prompt_bytes(&[text, PromptPart::Other(b"\x89PNG\r\n")]),
            PromptOrigin::Human,
        ),
        (prompt_bytes(&[]), PromptOrigin::Injected),
        (prompt_bytes(&[PromptPart::Text("go on")]), PromptOrigin::Agent),
    ]
}

fn leaves() -> Vec<Leaf> {
    let leaf = |(index, (bytes, origin)): (u32, (Vec<u8>, PromptOrigin))| {
        Leaf::prompt(index, origin, run_key().commit(Kind::Prompt, index, &bytes))
    };
    (0..).zip(prompts()).map(leaf).collect()
}

fn steps() -> Vec<Leaf> {
    let step = |index| {
        Leaf::step(
            index,
            run_key().commit(Kind::Step, index, step_of(index).as_bytes()),
        )
    };
    (0..23).map(step).collect()
}

fn step_of(index: u32) -> String {
    format!("{{\"step\":{index}}}")
}

/// Values from Python's `hmac` and `hashlib`, written here once.
#[test]
fn agrees_with_an_independent_computation() {
    let (prompts, leaves) = (prompts(), leaves());
    assert_eq!(
        hex(&prompts[0].0),
        "0000000000000024466978207468652070617273657220e28094206e61c3af766520c3a92076732065cc812e\
         0000000000000020823ceb99fcef5252333ede1b2202341c3b287b6d47571963e6b0ddf393a24f82"
    );
    assert_eq!(
        hex(derive(&run_key(), Kind::Prompt, 0).expose()),
        "19ca9d2e69f5df82a1ead5f4c18d297bdbfe3feb8ca7bafdb4d3cf4bcfc43e89"
    );
    assert_eq!(
        hex(derive(&run_key(), Kind::Step, 10).expose()),
        "74e5a6541799b17ee5881d1b8bb9fcbe28dc2342fb5d1652bb0137b206998d29"
    );
    let commitments = [
        "e821d72208e9fb43b47f010dfebd25067320b39c2144b4b145fc408a1273977e",
        "9af27cafb07c9296522abd85133e54acb8efdf7527b4954ad2e44efd06544780",
        "2b5bed21c5db8e70475c41a664646ab44ed2a1731839526c72b18eefcd5edfd6",
    ];
    for (leaf, commitment) in leaves.iter().zip(commitments) {
        assert_eq!(leaf.commitment, digest(commitment));
    }
    assert_eq!(
        root(&leaves),
        digest("b9e8132fabda35365ed1be1b3506c1e36db839a4bdb03478291cb90ef57a5a58")
    );
    let step = Leaf::step(
        10,
        run_key().commit(Kind::Step, 10, step_bytes(b"{\"type\":\"user\"}\n")),
    );
    assert_eq!(
        step.commitment,
        digest("899e4aee9369165552d76773b80cb58d6aeead127f5840bc4941fa42bc50e631")
    );
    assert_eq!(
        root(&[step]),
        digest("9204525666eaf135a54d559cbc2c6f1e3211daa8b0be53205de98ee40d67b3d2")
    );
    assert_eq!(root(&[]), Sha256Digest::of(b""));
    let others = [
        (
            Kind::Command,
            "81901bdad5fb4d0340a821eb7bf3cef113781a53452b993a5bef51a6661208ff",
        ),
        (
            Kind::Transcript,
            "7871077542feccbddd550c8900475dc2892d6ed3c1001828ee30f79e86cf74f4",
        ),
        (
            Kind::Instruction,
            "4d725313d7446796cee3cf57c69fdf0190d58f557568416b2f4180a29fa81429",
        ),
        (
            Kind::Task,
            "be24bf351a1a2548c3490bb9dc1f160314e801d2270ee0adbe2749a262f8b235",
        ),
    ];
    for (kind, commitment) in others {
        assert_eq!(run_key().commit(kind, 0, b"x"), digest(commitment), "{kind}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn case_151_a_run_key_has_exactly_32_bytes() {
    for length in [0, 8, 15, 16, 31, 33, 64] {
        let bytes = vec![7; length];
        assert_eq!(
            RunKey::from_bytes(&bytes).unwrap_err().code(),
            "commitment.key_length",
            "{length}"
        );
        assert_eq!(
            PieceKey::from_bytes(&bytes).unwrap_err().code(),
            "commitment.key_length",
            "{length}"
        );
    }
}

#[test]
fn secrets_are_not_shown() {
    let key = format!("{:?} {:?}", run_key(), derive(&run_key(), Kind::Prompt, 0));
    assert_eq!(key, "RunKey(redacted) PieceKey(redacted)");
    assert_eq!(format!("{:?}", PromptPart::Text("secret")), "Text(6 bytes)");
    let (signed, disclosure) = disclosed_prompt(0);
    let shown = format!("{disclosure:?} {:?}", disclosure.verify(&signed).unwrap());
    let bytes = serde_json::to_value(&disclosure).unwrap();
    for field in ["bytes", "key"] {
        assert!(!shown.contains(bytes[field].as_str().unwrap()), "{field}");
    }
    assert!(!shown.contains("parser"));
}

#[test]
fn every_piece_has_a_key_of_its_own() {
    let mut seen = std::collections::HashSet::new();
    for kind in Kind::ALL {
        for index in [0, 1, 10, 11, u32::MAX] {
            assert!(
                seen.insert(*derive(&run_key(), kind, index).expose()),
                "{kind} {index}"
            );
        }
    }
    let mut tags: Vec<u8> = Kind::ALL.iter().map(|kind| kind.tag()).collect();
    tags.extend(
        [
            PromptOrigin::Human,
            PromptOrigin::Injected,
            PromptOrigin::Compaction,
            PromptOrigin::Agent,
        ]
        .map(origin_tag),
    );
    tags.sort_unstable();
    assert_eq!(tags, [1, 2, 3, 4, 17, 18, 19, 20, 21, 22]);
}

#[test]
fn prompts_that_differ_in_parts_differ_in_bytes() {
    let one = prompt_bytes(&[PromptPart::Text("ab")]);
    let two = prompt_bytes(&[PromptPart::Text("a"), PromptPart::Text("b")]);
    let with_empty = prompt_bytes(&[PromptPart::Text("ab"), PromptPart::Text("")]);
    let image = prompt_bytes(&[PromptPart::Other(b"ab")]);
    assert!(one != two && one != with_empty && one != image && two != with_empty);
    assert_eq!(step_bytes(b"a\n\n"), b"a\n");
    assert_eq!(step_bytes(b"a\r\n"), b"a\r");
    assert_eq!(step_bytes(b"a"), b"a");
}

/// A statement of the run above, with `change` made to its predicate.
fn signed(change: impl FnOnce(&mut Value)) -> SignedStatement {
    let listed = |(index, (bytes, origin)): (u32, (Vec<u8>, PromptOrigin))| {
        let commitment = run_key().commit(Kind::Prompt, index, &bytes);
        json!({"index": index, "origin": origin, "commitment": commitment})
    };
    let commit = |kind, index| run_key().commit(kind, index, b"x");
    let mut predicate = json!({
        "agent": {"id": "builder"},
        "models": [{"provider": "p", "id": "m", "steps": 1, "role": "primary"}],
        "prompt": {
            "commitments": (0..).zip(prompts()).map(listed).collect::<Vec<_>>(),
            "root": root(&leaves()), "count": 3
        },
        "instructions": [
            {"name": "AGENTS.md", "digest": {"sha256": SHA}, "fromBase": true},
            {"name": "CLAUDE.md", "commitment": commit(Kind::Instruction, 1), "fromBase": false}
        ],
        "commands": [{"commitment": commit(Kind::Command, 0), "exitCode": 0, "kind": "test", "step": 3}],
        "transcript": {
            "format": "jsonl", "commitment": commit(Kind::Transcript, TRANSCRIPT_RAW),
            "steps": {"count": 23, "root": root(&steps())},
            "redacted": {"commitment": commit(Kind::Transcript, TRANSCRIPT_REDACTED), "rules": ["r"]},
            "complete": "whole", "counters": {"unknown": 0, "malformed": 0, "skipped": 0, "rewound": 0}
        },
        "change": {
            "repository": {"uri": "https://example.org/app"}, "base": {"gitTree": GIT},
            "proposed": {"gitTree": GIT}, "commits": [], "paths": [], "dirty": false
        },
        "task": {"commitment": commit(Kind::Task, 0)},
        "run": {"chain": "00112233445566778899aabbccddeeff", "sequence": 0},
        "capture": {"tool": {"name": "t", "version": "1"}, "importer": {"name": "i", "version": "1"}, "sources": {}}
    });
    change(&mut predicate);
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://touchmark.dev/agent-change/v1",
        "subject": [{"name": "tree", "digest": {"sha256": SHA}}], "predicate": predicate
    });
    SignedStatement::parse(serde_json::to_vec(&statement).unwrap()).unwrap()
}

fn disclosed_prompt(index: u32) -> (SignedStatement, Disclosure) {
    let signed = signed(|_| {});
    let (bytes, origin) = prompts()[index as usize].clone();
    let item = Item {
        kind: Kind::Prompt,
        index,
        origin: Some(origin),
    };
    let key = derive(&run_key(), Kind::Prompt, index);
    let disclosure = Disclosure::of_leaf(signed.payload_digest(), item, &leaves(), &key, &bytes).unwrap();
    (signed, disclosure)
}

fn disclosed_step(index: u32) -> (SignedStatement, Disclosure) {
    let signed = signed(|_| {});
    let item = Item {
        kind: Kind::Step,
        index,
        origin: None,
    };
    let key = derive(&run_key(), Kind::Step, index);
    let bytes = step_of(index);
    let disclosure =
        Disclosure::of_leaf(signed.payload_digest(), item, &steps(), &key, bytes.as_bytes()).unwrap();
    (signed, disclosure)
}

#[test]
fn each_prompt_and_step_is_proven_alone() {
    for index in 0..3 {
        let (signed, disclosure) = disclosed_prompt(index);
        let read = Disclosure::parse(&disclosure.encode().unwrap()).unwrap();
        assert_eq!(read, disclosure);
        let disclosed = read.verify(&signed).unwrap();
        assert_eq!(disclosed.bytes(), prompts()[index as usize].0);
        assert_eq!(disclosed.item().origin, Some(prompts()[index as usize].1));
    }
    for index in 0..23 {
        let (signed, disclosure) = disclosed_step(index);
        assert_eq!(
            disclosure.verify(&signed).unwrap().bytes(),
            step_of(index).as_bytes()
        );
    }
}

#[test]
fn a_prompt_is_proven_by_the_root_where_commitments_are_not_listed() {
    let drop_list =
        |predicate: &mut Value| drop(predicate["prompt"].as_object_mut().unwrap().remove("commitments"));
    let signed = signed(drop_list);
    let (_, mut disclosure) = disclosed_prompt(2);
    disclosure.payload = signed.payload_digest();
    assert!(disclosure.verify(&signed).is_ok());
    disclosure.item.origin = Some(PromptOrigin::Human);
    assert_eq!(
        disclosure.verify(&signed).unwrap_err().code(),
        "commitment.audit_path"
    );
}

#[test]
fn pieces_that_stand_in_the_statement_are_proven() {
    let signed = signed(|_| {});
    let pieces = [
        (Kind::Command, 0),
        (Kind::Instruction, 1),
        (Kind::Transcript, TRANSCRIPT_RAW),
        (Kind::Transcript, TRANSCRIPT_REDACTED),
        (Kind::Task, 0),
    ];
    for (kind, index) in pieces {
        let item = Item {
            kind,
            index,
            origin: None,
        };
        let open = |bytes: &[u8]| {
            Disclosure::of_piece(
                signed.payload_digest(),
                item,
                &derive(&run_key(), kind, index),
                bytes,
            )
        };
        assert_eq!(open(b"x").verify(&signed).unwrap().bytes(), b"x");
        assert_eq!(
            open(b"y").verify(&signed).unwrap_err().code(),
            "commitment.mismatch",
            "{kind}"
        );
        let mut padded = open(b"x");
        padded.audit_path.push(digest(SHA));
        assert_eq!(
            padded.verify(&signed).unwrap_err().code(),
            "commitment.shape",
            "{kind}"
        );
    }
    for (kind, index) in [
        (Kind::Command, 1),
        (Kind::Instruction, 0),
        (Kind::Instruction, 2),
        (Kind::Transcript, 2),
        (Kind::Task, 1),
    ] {
        let item = Item {
            kind,
            index,
            origin: None,
        };
        let open = Disclosure::of_piece(
            signed.payload_digest(),
            item,
            &derive(&run_key(), kind, index),
            b"x",
        );
        assert_eq!(
            open.verify(&signed).unwrap_err().code(),
            "commitment.none",
            "{kind} {index}"
        );
    }
}

/// The disclosure of prompt 0 with one field of its JSON replaced.
fn edited(field: &str, value: Value) -> Result<Disclosed, CommitmentError> {
    let (signed, disclosure) = disclosed_prompt(0);
    let mut json = serde_json::to_value(&disclosure).unwrap();
    *json.pointer_mut(field).unwrap() = value;
    Disclosure::parse(&serde_json::to_vec(&json).unwrap())?.verify(&signed)
}

#[test]
fn each_single_defect_is_refused_with_its_own_code() {
    let cases = [
        ("/payload", json!(SHA), "commitment.other_statement"),
        ("/bytes", json!("AAAA"), "commitment.mismatch"),
        ("/bytes", json!("AAA"), "commitment.encoding"),
        ("/bytes", json!("AAAB\n"), "commitment.encoding"),
        ("/key", json!(SHA), "commitment.mismatch"),
        ("/key", json!("00"), "digest.length"),
        ("/item/index", json!(1), "commitment.mismatch"),
        ("/item/index", json!(3), "commitment.none"),
        ("/item/origin", json!("agent"), "commitment.audit_path"),
        ("/item/origin", json!(null), "commitment.shape"),
        ("/item/kind", json!("step"), "commitment.shape"),
        ("/item/kind", json!("thought"), "json.shape"),
        ("/auditPath", json!([]), "commitment.audit_path"),
        ("/auditPath/0", json!(SHA), "commitment.audit_path"),
        ("/auditPath", json!([SHA, SHA, SHA]), "commitment.audit_path"),
        ("/auditPath", json!(vec![SHA; 33]), "commitment.shape"),
    ];
    for (field, value, code) in cases {
        assert_eq!(
            edited(field, value.clone()).unwrap_err().code(),
            code,
            "{field} = {value}"
        );
    }
}

#[test]
fn case_12_the_base64_of_a_disclosure_has_one_form() {
    // "AA==" with trailing bits, without padding, doubled padding, and in the other alphabet.
    for bytes in ["AB==", "AA", "AA====", "A_==", " AA==", "AA ==", "AA==\n", "_-8="] {
        assert_eq!(
            edited("/bytes", json!(bytes)).unwrap_err().code(),
            "commitment.encoding",
            "{bytes:?}"
        );
    }
}

#[test]
fn a_step_is_not_proven_as_another_step_or_beyond_the_count() {
    let (signed, disclosure) = disclosed_step(17);
    for (index, code) in [
        (16, "commitment.audit_path"),
        (22, "commitment.audit_path"),
        (23, "commitment.none"),
    ] {
        let mut moved = disclosure.clone();
        moved.item.index = index;
        assert_eq!(moved.verify(&signed).unwrap_err().code(), code, "{index}");
    }
    let none = self::signed(|predicate| drop(predicate.as_object_mut().unwrap().remove("transcript")));
    let mut about = disclosure;
    about.payload = none.payload_digest();
    assert_eq!(about.verify(&none).unwrap_err().code(), "commitment.none");
}

#[test]
fn nothing_is_opened_that_the_leaf_does_not_commit_to() {
    let item = Item {
        kind: Kind::Step,
        index: 4,
        origin: None,
    };
    let key = derive(&run_key(), Kind::Step, 4);
    assert!(Disclosure::of_leaf(digest(SHA), item, &steps(), &key, b"other").is_none());
    let beyond = Item { index: 23, ..item };
    assert!(Disclosure::of_leaf(digest(SHA), beyond, &steps(), &key, step_of(4).as_bytes()).is_none());
}

#[test]
fn listed_prompts_must_lead_to_the_stated_root() {
    let check = |signed: &SignedStatement| {
        verify_prompt_root(signed.statement().predicate.as_agent_change().unwrap())
    };
    assert!(check(&signed(|_| {})).is_ok());
    for (pointer, value) in [
        ("/prompt/root", json!(SHA)),
        ("/prompt/commitments/1/commitment", json!(SHA)),
        ("/prompt/commitments/1/origin", json!("human")),
    ] {
        let broken = signed(|predicate| *predicate.pointer_mut(pointer).unwrap() = value);
        assert_eq!(
            check(&broken).unwrap_err().code(),
            "commitment.root_mismatch",
            "{pointer}"
        );
    }
}
