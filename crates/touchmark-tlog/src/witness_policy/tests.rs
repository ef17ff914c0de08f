use ed25519_dalek::{Signer as _, SigningKey};

use super::*;
use crate::checkpoint::{Checkpoint, verify_note};
use crate::merkle::leaf_hash;
use crate::note::{Note, SignatureLine};

fn signing(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn witness(seed: u8) -> WitnessKey {
    WitnessKey::ed25519(
        &format!("w{seed}.example"),
        signing(seed).verifying_key().as_bytes(),
    )
    .unwrap()
}

fn log_key() -> VerifierKey {
    VerifierKey::ed25519("log.example", signing(200).verifying_key().as_bytes()).unwrap()
}

/// The specification's example: two of three X and one of three Y.
fn example() -> String {
    let mut text = format!("# a comment\n\t\nlog {}\n", log_key());
    for (at, name) in ["X1", "X2", "X3", "Y1", "Y2", "Y3"].iter().enumerate() {
        text.push_str(&format!(
            "witness {name} {} https://w.example/{at}\n",
            witness(at as u8 + 1)
        ));
    }
    text + "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n group X-and-Y all X-witnesses \tY-witnesses\nquorum X-and-Y\n"
}

fn policy(text: &str) -> WitnessPolicy {
    WitnessPolicy::parse(text.as_bytes()).unwrap()
}

fn code(text: &str) -> &'static str {
    WitnessPolicy::parse(text.as_bytes()).map_or_else(|error| error.code(), |_| "ok")
}

/// Returns a checkpoint that these witnesses cosigned, after `change` of its lines.
fn cosigned(seeds: &[u8], change: impl FnOnce(&mut Vec<SignatureLine>)) -> VerifiedCheckpoint {
    let checkpoint = Checkpoint {
        origin: "log.example".to_owned(),
        size: 7,
        root: leaf_hash(b"root"),
        extensions: Vec::new(),
    };
    let text = checkpoint.encode();
    let signature = signing(200).sign(text.as_bytes()).to_bytes().to_vec();
    let mut lines = vec![SignatureLine::new(&log_key(), signature)];
    for seed in seeds {
        let key = witness(*seed);
        let time = 1_700_000_000 + u64::from(*seed);
        let message = key.message(time, &text, &checkpoint).unwrap();
        lines.push(key.line(time, &signing(*seed).sign(&message).to_bytes()));
    }
    change(&mut lines);
    let note = Note::new(text, lines).unwrap().encode();
    verify_note(note.as_bytes(), "log.example", &log_key()).unwrap()
}

#[test]
fn the_quorum_is_what_the_groups_say() {
    let policy = policy(&example());
    let met = |seeds: &[u8]| policy.evaluate(&cosigned(seeds, |_| {})).unwrap().quorum;
    assert!(met(&[1, 2, 4]) && met(&[1, 3, 6]) && met(&[1, 2, 3, 4, 5, 6]));
    for few in [
        &[][..],
        &[1],
        &[4],
        &[1, 4],
        &[1, 2],
        &[1, 2, 3],
        &[1, 4, 5, 6],
        &[9, 10, 11],
    ] {
        assert!(!met(few), "{few:?}");
    }
    let cosigned = cosigned(&[2, 1, 6, 99], |_| {});
    let found = policy.evaluate(&cosigned).unwrap();
    let names: Vec<_> = found
        .cosigners
        .iter()
        .map(|cosigner| (cosigner.witness.name.as_str(), cosigner.timestamp))
        .collect();
    assert_eq!(
        names,
        [
            ("X1", 1_700_000_001),
            ("X2", 1_700_000_002),
            ("Y3", 1_700_000_006)
        ]
    );
}

#[test]
fn one_witness_never_counts_twice() {
    let policy = policy(&example());
    let twice = cosigned(&[1, 4], |lines| lines.push(lines[1].clone()));
    assert!(!policy.evaluate(&twice).unwrap().quorum);
    let w1 = witness(1);
    let renamed = WitnessKey::ed25519("other.example", signing(1).verifying_key().as_bytes()).unwrap();
    let text = format!("witness a {w1}\nwitness b {renamed}\nquorum a\n");
    assert_eq!(code(&text), "witness_policy.duplicate_key");
}

#[test]
fn a_wrong_line_of_a_known_witness_is_an_error_and_one_of_a_stranger_is_not() {
    let policy = policy(&example());
    let broken = |line: usize| {
        cosigned(&[1, 2, 4, 99], |lines| {
            let mut bytes = lines[line].signature().to_vec();
            bytes[20] ^= 1;
            lines[line] = SignatureLine::from_parts(lines[line].name(), lines[line].hint(), bytes).unwrap();
        })
    };
    assert_eq!(
        policy.evaluate(&broken(1)).unwrap_err().code(),
        "tlog.cosignature"
    );
    assert!(policy.evaluate(&broken(4)).unwrap().quorum);
    // The time is signed, and a time beyond 2^63 - 1 is none.
    let moved = cosigned(&[1, 2, 4], |lines| {
        let mut bytes = lines[1].signature().to_vec();
        bytes[0] = 0x80;
        lines[1] = SignatureLine::from_parts(lines[1].name(), lines[1].hint(), bytes).unwrap();
    });
    assert_eq!(policy.evaluate(&moved).unwrap_err().code(), "tlog.cosignature");
}

#[test]
fn policies_survive_the_round_trip() {
    let parsed = policy(&example());
    assert_eq!(policy(&parsed.to_string()), parsed);
    assert_eq!(parsed.quorum_name(), "X-and-Y");
    assert!(parsed.knows_log(&log_key()) && parsed.asks_for_witnesses());
    assert_eq!((parsed.logs().len(), parsed.witnesses().len()), (1, 6));
    let none = policy("quorum none\n");
    assert_eq!(none.to_string(), "quorum none\n");
    assert!(none.knows_log(&log_key()) && !none.asks_for_witnesses());
    assert!(none.evaluate(&cosigned(&[], |_| {})).unwrap().quorum);
    let other = VerifierKey::ed25519("log.example", signing(201).verifying_key().as_bytes()).unwrap();
    assert!(!parsed.knows_log(&other));
}

#[test]
fn a_policy_with_one_defect_has_its_own_code() {
    let good = example();
    let key = witness(50);
    let replaced = |from: &str, to: &str| code(&good.replacen(from, to, 1));
    assert_eq!(code(&good), "ok");
    for (from, to, expected) in [
        ("quorum X-and-Y\n", "", "witness_policy.quorum"),
        (
            "quorum X-and-Y",
            "quorum X1\nquorum X-and-Y",
            "witness_policy.quorum",
        ),
        ("quorum X-and-Y", "quorum nobody", "witness_policy.unknown_name"),
        ("quorum X-and-Y\n", "quorum X-and-Y", "witness_policy.text"),
        ("quorum X-and-Y", "quorum X-and-Y extra", "witness_policy.line"),
        ("quorum X-and-Y", "Quorum X-and-Y", "witness_policy.line"),
        (
            "group X-witnesses 2 X1 X2 X3",
            "group X-witnesses 2",
            "witness_policy.line",
        ),
        (" 2 X1", " 0 X1", "witness_policy.threshold"),
        (" 2 X1", " 4 X1", "witness_policy.threshold"),
        (" 2 X1", " 02 X1", "witness_policy.threshold"),
        (" 2 X1", " ALL X1", "witness_policy.threshold"),
        ("X1 X2 X3", "X1 X2 X2", "witness_policy.member_twice"),
        ("any Y1 Y2 Y3", "any Y1 Y2 X3", "witness_policy.member_twice"),
        ("any Y1 Y2 Y3", "any Y1 Y2 none", "witness_policy.unknown_name"),
        ("any Y1 Y2 Y3", "any Y1 Y2 X-and-Y", "witness_policy.unknown_name"),
        (
            "any Y1 Y2 Y3",
            "any Y1 Y2 Y-witnesses",
            "witness_policy.unknown_name",
        ),
        (
            "group Y-witnesses",
            "group X-witnesses",
            "witness_policy.duplicate_name",
        ),
        ("group Y-witnesses", "group none", "witness_policy.duplicate_name"),
        ("witness X2", "witness X1", "witness_policy.duplicate_name"),
        ("# a comment", "# a \r comment", "witness_policy.text"),
        ("# a comment", "a comment", "witness_policy.line"),
    ] {
        assert_eq!(replaced(from, to), expected, "{from:?} -> {to:?}");
    }
    assert_eq!(
        code(&format!("log {}\n{good}", log_key())),
        "witness_policy.duplicate_key"
    );
    assert_eq!(code(&format!("log {key}\n{good}")), "tlog.note_key_type");
    assert_eq!(
        code(&format!("witness Z {}\n{good}", log_key())),
        "tlog.witness_key_type"
    );
    assert_eq!(
        code(&format!("witness Z {}x\n{good}", witness(50))),
        "tlog.witness_key_text"
    );
    let long = "n".repeat(MAX_POLICY_TEXT + 1);
    assert_eq!(
        code(&format!("witness {long} {key}\n{good}")),
        "witness_policy.limit"
    );
    let many: String = (0..=MAX_POLICY_ITEMS)
        .map(|at| format!("witness v{at} {}\n", witness(at as u8 + 60)))
        .collect();
    assert_eq!(code(&format!("{many}{good}")), "witness_policy.limit");
    assert_eq!(code(&"#\n".repeat(MAX_POLICY_BYTES)), "witness_policy.too_large");
    assert_eq!(
        WitnessPolicy::parse(b"# \xff\nquorum none\n").unwrap_err().code(),
        "witness_policy.text"
    );
}
