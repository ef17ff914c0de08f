//! Catalogue: transparency log.

use std::num::NonZeroU8;

use touchmark_statement::statement::IN_TOTO_PAYLOAD_TYPE;
use touchmark_tlog::entry::{EntryVerifier, KeyDetails, KindVersion, VerifierMaterial};
use touchmark_tlog::merkle::Hash;
use touchmark_tlog::note::{Note, SignatureLine};
use touchmark_verify::bundle::{Bundle, MediaType};
use touchmark_verify::key::KeyAlgorithm;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verified::CheckOutcome;
use touchmark_verify::verify::{LogRequirement, Verifier, verify};

use crate::support::*;

/// Breaks one thing in the log entry of a good bundle and returns the code.
fn broken(change: impl FnOnce(&World, &mut touchmark_tlog::entry::LogEntry)) -> &'static str {
    let mut world = World::new();
    let mut bundle = world.good();
    let key = world.signer.public();
    world.ring.add_key(key);
    change(&world, &mut bundle.tlog_entries[0]);
    world.code(&bundle)
}

/// Replaces the checkpoint of a good bundle by what the log signs instead.
fn with_note(note: impl FnOnce(&World) -> String) -> &'static str {
    broken(|world, entry| entry.inclusion_proof.as_mut().unwrap().checkpoint = Some(note(world)))
}

#[test]
fn case_76_no_entry_where_one_is_required() {
    let mut world = World::new();
    let mut bundle = world.good();
    let key = world.signer.public();
    world.ring.add_key(key);
    bundle.tlog_entries.clear();
    assert_eq!(world.code(&bundle), "tlog.entry_missing");
    world.options.log = LogRequirement::DangerouslyUnlogged {
        reason: "air gap".to_owned(),
    };
    let verified = world.verify(&bundle).unwrap();
    assert!(verified.log().is_none());
    let skipped = verified
        .checks()
        .iter()
        .find(|check| check.name == "tlog.inclusion")
        .unwrap();
    assert_eq!(
        skipped.outcome,
        CheckOutcome::Skipped {
            reason: "not asked for: air gap".into()
        }
    );
}

#[test]
fn case_77_a_genuine_entry_of_another_bundle() {
    let mut world = World::new();
    let other = world.bundle(
        &String::from_utf8(statement())
            .unwrap()
            .replace("payments", "invoices")
            .into_bytes(),
    );
    let mut bundle = world.good();
    bundle.tlog_entries = other.tlog_entries;
    assert_eq!(world.code(&bundle), "tlog.digest_mismatch");
    world.options.log = LogRequirement::DangerouslyUnlogged {
        reason: "test".to_owned(),
    };
    assert_eq!(world.code(&bundle), "tlog.digest_mismatch");
    // Another signer's entry about the same payload.
    let mut mallory = World::new();
    mallory.signer = Signer::new(66);
    let mut bundle = world.good();
    bundle.tlog_entries = mallory.good().tlog_entries;
    let key = world.signer.public();
    world.ring.add_key(key);
    assert_eq!(world.code(&bundle), "tlog.verifier_mismatch");
    // The same signer's key in a certificate is not the key.
    let mut world = World::new();
    let envelope = world.signer.envelope(&statement());
    let mut body = world.signer.body(&envelope);
    body.verifier = EntryVerifier {
        key_details: KeyDetails::EcdsaP256Sha256,
        material: VerifierMaterial::Certificate(world.signer.public().spki_der().to_vec()),
    };
    let bundle = world.bundle_with_body(envelope, body.canonical_body());
    let key = world.signer.public();
    world.ring.add_key(key);
    assert_eq!(world.code(&bundle), "tlog.verifier_mismatch");
}

#[test]
fn case_79_entry_kinds_that_are_unknown_or_differ_from_the_body() {
    for (kind, version, expected) in [
        ("hashedrekord", "0.0.3", "tlog.entry_kind"),
        ("HashedRekord", "0.0.2", "tlog.entry_kind"),
        ("rekord", "0.0.1", "tlog.entry_kind"),
        ("dsse", "0.0.2", "tlog.entry_kind"),
        ("", "", "tlog.entry_kind"),
        ("hashedrekord", "0.0.1", "tlog.entry_kind"),
        ("dsse", "0.0.1", "tlog.entry_kind"),
        ("intoto", "0.0.2", "tlog.entry_kind"),
    ] {
        let code = broken(|_, entry| {
            entry.kind = KindVersion {
                kind: kind.to_owned(),
                version: version.to_owned(),
            }
        });
        assert_eq!(code, expected, "{kind} {version}");
    }
    for (from, to) in [
        (r#""apiVersion":"0.0.2""#, r#""apiVersion":"0.0.1""#),
        (r#""kind":"hashedrekord""#, r#""kind":"dsse""#),
    ] {
        let mut world = World::new();
        let envelope = world.signer.envelope(&statement());
        let body = String::from_utf8(world.signer.body(&envelope).canonical_body()).unwrap();
        let bundle = world.bundle_with_body(envelope, body.replacen(from, to, 1).into_bytes());
        assert_eq!(world.code(&bundle), "tlog.entry_kind", "{to}");
    }
}

#[test]
fn case_80_an_entry_over_the_payload_instead_of_the_pae() {
    let mut world = World::new();
    let envelope = world.signer.envelope(&statement());
    let mut body = world.signer.body(&envelope);
    body.digest = KeyAlgorithm::EcdsaP256Sha256.digest(&envelope.payload).unwrap();
    let bundle = world.bundle_with_body(envelope, body.canonical_body());
    assert_eq!(world.code(&bundle), "tlog.digest_mismatch");
    // The body's digest under another hash than the key's is malformed already.
    let envelope = world.signer.envelope(&statement());
    let mut body = world.signer.body(&envelope);
    body.hash = touchmark_tlog::entry::HashAlgorithm::Sha384;
    body.digest = KeyAlgorithm::EcdsaP384Sha384.digest(&envelope.pae()).unwrap();
    let bundle = world.bundle_with_body(envelope, body.canonical_body());
    assert_eq!(world.code(&bundle), "tlog.entry_digest");
}

#[test]
fn case_81_no_inclusion_proof() {
    for version in [MediaType::V02, MediaType::V03Parameter, MediaType::V03] {
        let mut world = World::new();
        let mut bundle = world.good();
        bundle.media_type = version;
        bundle.tlog_entries[0].inclusion_proof = None;
        assert_eq!(world.code(&bundle), "bundle.proof_missing");
        let mut bundle = world.good();
        bundle.media_type = version;
        bundle.tlog_entries[0]
            .inclusion_proof
            .as_mut()
            .unwrap()
            .checkpoint = None;
        assert_eq!(world.code(&bundle), "bundle.proof_missing");
    }
    // Version 0.1 lets a promise stand in, but an entry of Rekor v2 has none and must be proven all the same.
    let mut world = World::new();
    let mut bundle = world.good();
    bundle.media_type = MediaType::V01;
    bundle.tlog_entries[0].inclusion_proof = None;
    bundle.tlog_entries[0].inclusion_promise = Some(vec![1]);
    assert_eq!(world.code(&bundle), "tlog.proof_missing");
}

#[test]
fn case_82_inclusion_proofs_with_one_defect() {
    let hashes = |change: fn(&mut Vec<Hash>)| {
        broken(|_, entry| change(&mut entry.inclusion_proof.as_mut().unwrap().hashes))
    };
    let flipped = |hashes: &mut Vec<Hash>| {
        let mut bytes = *hashes[0].as_bytes();
        bytes[31] ^= 1;
        hashes[0] = Hash::from_bytes(bytes);
    };
    assert_eq!(hashes(flipped), "tlog.root_mismatch");
    assert_eq!(hashes(|hashes| hashes.reverse()), "tlog.root_mismatch");
    assert_eq!(hashes(|hashes| _ = hashes.pop()), "tlog.proof_length");
    assert_eq!(hashes(Vec::clear), "tlog.proof_length");
    assert_eq!(hashes(|hashes| hashes.push(hashes[0])), "tlog.proof_length");
    // The index says on which side each hash stands.
    assert_eq!(broken(|_, entry| entry.log_index = 4), "tlog.root_mismatch");
    assert_eq!(broken(|_, entry| entry.log_index = 6), "tlog.index_range");
    assert_eq!(broken(|_, entry| entry.log_index = u64::MAX), "tlog.index_range");
    // A hash of another length is malformed already.
    let mut value: serde_json::Value = serde_json::from_slice(&World::new().good().encode()).unwrap();
    value["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["hashes"][0] = "AAAA".into();
    assert_eq!(
        Bundle::parse(&bytes(&value)).unwrap_err().code(),
        "tlog.entry_bytes"
    );
}

#[test]
fn case_84_copies_of_index_size_and_root_are_not_read() {
    let code = broken(|_, entry| {
        let proof = entry.inclusion_proof.as_mut().unwrap();
        (proof.log_index, proof.tree_size, proof.root_hash) = (99, 1, Hash::from_bytes([0; 32]));
    });
    assert_eq!(code, "ok");
    // The checkpoint rules: a proof for another tree fails whatever the copies say.
    let mut world = World::new();
    let mut bundle = world.good();
    world.log.add(vec![1]);
    let checkpoint = world.log.checkpoint();
    let proof = bundle.tlog_entries[0].inclusion_proof.as_mut().unwrap();
    proof.checkpoint = Some(world.log.note(&checkpoint.encode()));
    let code = world.code(&bundle);
    assert_eq!(code, "tlog.proof_length");
}

#[test]
fn case_85_an_inner_node_presented_as_a_leaf() {
    // The children of an inner node as a body: it hashes with 0x00 and not with 0x01, and is no entry either.
    let code = broken(|_, entry| {
        let (left, right) = (Hash::from_bytes([1; 32]), Hash::from_bytes([2; 32]));
        entry.canonicalized_body = [&[0x01][..], left.as_bytes(), right.as_bytes()].concat();
    });
    assert_eq!(code, "json.malformed");
    // A tree of one leaf fewer, in which the path's first inner node would be the leaf.
    let code = broken(|_, entry| {
        entry.log_index /= 2;
        entry.inclusion_proof.as_mut().unwrap().hashes.remove(0);
    });
    assert_eq!(code, "tlog.proof_length");
}

#[test]
fn case_86_a_checkpoint_without_one_of_its_lines() {
    let lines = |keep: fn(&[&str]) -> String| {
        with_note(|world| {
            let text = world.log.checkpoint().encode();
            let lines: Vec<&str> = text.lines().collect();
            world.log.note(&keep(&lines))
        })
    };
    assert_eq!(
        lines(|lines| format!("{}\n{}\n", lines[1], lines[2])),
        "tlog.checkpoint_size"
    );
    assert_eq!(
        lines(|lines| format!("{}\n{}\n", lines[0], lines[2])),
        "tlog.checkpoint_size"
    );
    assert_eq!(
        lines(|lines| format!("{}\n{}\n", lines[0], lines[1])),
        "tlog.checkpoint_line"
    );
    assert_eq!(
        with_note(|world| format!("{}\n", world.log.checkpoint().encode())),
        "tlog.note_structure"
    );
    assert_eq!(
        with_note(|world| world.log.checkpoint().encode()),
        "tlog.note_structure"
    );
}

#[test]
fn case_87_another_log_s_checkpoint() {
    // Another trusted log's checkpoint under our origin's name, with our key's hint before its signature.
    let other = Log::new("log.example/test", 10);
    let code = with_note(|world| {
        let text = other.checkpoint().encode();
        let foreign = other.sign_note(&text);
        let line = SignatureLine::new(&world.log.verifier_key(), foreign.signature().to_vec());
        Note::new(text, vec![line]).unwrap().encode()
    });
    assert_eq!(code, "tlog.note_signature");
    // Our own key under another origin.
    let code = with_note(|world| {
        let mut checkpoint = world.log.checkpoint();
        checkpoint.origin = "log.example/other".to_owned();
        world.log.note(&checkpoint.encode())
    });
    assert_eq!(code, "tlog.checkpoint_origin");
}

#[test]
fn case_89_numbers_and_roots_in_another_spelling() {
    for (size, expected) in [
        ("007", "tlog.checkpoint_size"),
        ("+7", "tlog.checkpoint_size"),
        ("7 ", "tlog.checkpoint_size"),
        ("-7", "tlog.checkpoint_size"),
        ("0x7", "tlog.checkpoint_size"),
        ("12345678901234567890", "tlog.checkpoint_size"),
        ("", "tlog.checkpoint_size"),
    ] {
        let code = with_note(|world| {
            let root = world.log.checkpoint().root.to_base64();
            world.log.note(&format!("{}\n{size}\n{root}\n", world.log.origin))
        });
        assert_eq!(code, expected, "{size:?}");
    }
    for root in ["AAAA", "AB==", "not base64", " "] {
        let code = with_note(|world| world.log.note(&format!("{}\n6\n{root}\n", world.log.origin)));
        assert_eq!(code, "tlog.checkpoint_root", "{root:?}");
    }
}

#[test]
fn case_90_one_wrong_line_of_a_known_key_spoils_the_note() {
    let code = with_note(|world| {
        let text = world.log.checkpoint().encode();
        let wrong = SignatureLine::new(&world.log.verifier_key(), vec![7; 64]);
        Note::new(text.clone(), vec![world.log.sign_note(&text), wrong])
            .unwrap()
            .encode()
    });
    assert_eq!(code, "tlog.note_signature");
}

#[test]
fn case_91_only_cosignatures() {
    let code = with_note(|world| {
        let text = world.log.checkpoint().encode();
        let witness = Log::new("witness.example", 11);
        Note::new(text.clone(), vec![witness.sign_note(&text)])
            .unwrap()
            .encode()
    });
    assert_eq!(code, "tlog.note_unsigned");
}

#[test]
fn case_92_unknown_signature_lines() {
    let with_unknown = |count: u8| {
        with_note(|world| {
            let text = world.log.checkpoint().encode();
            let unknown =
                (0..count).map(|seed| Log::new(&format!("witness{seed}"), seed + 100).sign_note(&text));
            let lines = std::iter::once(world.log.sign_note(&text))
                .chain(unknown)
                .collect();
            Note::new(text.clone(), lines).unwrap().encode()
        })
    };
    assert_eq!(with_unknown(16), "ok");
    assert_eq!(with_unknown(17), "tlog.note_signatures");
    let code = with_note(|world| {
        let note = world.log.note(&world.log.checkpoint().encode());
        let line = note.lines().last().unwrap();
        format!("{note}{}", format!("{line}\n").repeat(10_000))
    });
    assert_eq!(code, "tlog.note_size");
}

#[test]
fn case_94_extension_lines_are_ignored() {
    let code = with_note(|world| {
        let mut checkpoint = world.log.checkpoint();
        checkpoint.extensions = vec!["Timestamp: 1".to_owned(), "owner mallory".to_owned()];
        world.log.note(&checkpoint.encode())
    });
    assert_eq!(code, "ok");
}

/// Verifies a good bundle that stands in two logs, against a demand for two operators.
fn in_two_logs(operators: [Option<&str>; 2], demanded: u8) -> &'static str {
    let mut world = World::new();
    let mut bundle = world.good();
    let mut second = Log::new("log.example/second", 12);
    let index = second.add(bundle.tlog_entries[0].canonicalized_body.clone());
    bundle.tlog_entries.push(second.entry(index));
    world.log.operator = operators[0].map(str::to_owned);
    second.operator = operators[1].map(str::to_owned);
    let root = TrustedRoot::from_logs(vec![world.log.trusted(), second.trusted()]).unwrap();
    world.options.log = LogRequirement::Inclusion {
        operators: NonZeroU8::new(demanded).unwrap(),
    };
    verify(&bundle, &world.ring.clone().into(), &root, &world.options)
        .map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn case_95_entries_of_one_log_never_count_twice() {
    let mut world = World::new();
    let mut bundle = world.good();
    let twice = bundle.tlog_entries[0].clone();
    bundle.tlog_entries.push(twice);
    assert_eq!(world.code(&bundle), "tlog.duplicate_entry");
    // Two positions in one log.
    let mut bundle = world.good();
    let index = world.log.add(bundle.tlog_entries[0].canonicalized_body.clone());
    let second = world.log.entry(index);
    bundle.tlog_entries.push(second);
    world.options.log = LogRequirement::Inclusion {
        operators: NonZeroU8::new(2).unwrap(),
    };
    assert_eq!(world.code(&bundle), "tlog.duplicate_entry");
    bundle.tlog_entries.pop();
    assert_eq!(world.code(&bundle), "tlog.too_few_operators");
    assert_eq!(in_two_logs([None, None], 2), "ok");
    assert_eq!(in_two_logs([None, None], 3), "tlog.too_few_operators");
}

#[test]
fn case_102_two_logs_of_one_operator_count_once() {
    assert_eq!(in_two_logs([Some("a"), Some("b")], 2), "ok");
    assert_eq!(in_two_logs([Some("a"), Some("a")], 2), "tlog.too_few_operators");
    assert_eq!(in_two_logs([Some("a"), Some("a")], 1), "ok");
    assert_eq!(in_two_logs([Some("a"), None], 2), "ok");
}

#[test]
fn case_99_a_retired_log() {
    let mut world = World::new();
    let bundle = world.good();
    let mut log = world.log.trusted();
    log.valid_for.end = Some(at(NOW - 10));
    let root = TrustedRoot::from_logs(vec![log.clone()]).unwrap();
    let verified = verify(&bundle, &world.ring.clone().into(), &root, &world.options).unwrap();
    let check = verified
        .checks()
        .iter()
        .find(|check| check.name == "tlog.window")
        .unwrap();
    assert!(matches!(check.outcome, CheckOutcome::Skipped { .. }), "{check:?}");
    // A log that is not in use yet cannot have taken anything.
    log.valid_for.start = at(NOW + 1);
    log.valid_for.end = None;
    let root = TrustedRoot::from_logs(vec![log]).unwrap();
    let refused = verify(&bundle, &world.ring.clone().into(), &root, &world.options).unwrap_err();
    assert_eq!(refused.code(), "tlog.outside_log_window");
}

#[test]
fn a_verifier_that_remembers_gives_the_same_answers() {
    let mut world = World::new();
    let good = world.good();
    let root = world.root();
    let verifier = Verifier::new(&root, &world.options);
    let code = |bundle: &Bundle| {
        verifier
            .verify(bundle, &world.ring.clone().into())
            .map_or_else(|error| error.code(), |_| "ok")
    };
    assert_eq!(code(&good), "ok");
    let mut spoilt = good.clone();
    let proof = spoilt.tlog_entries[0].inclusion_proof.as_mut().unwrap();
    proof.checkpoint = proof.checkpoint.take().map(|note| note.replace("\n6\n", "\n7\n"));
    assert_eq!(code(&spoilt), "tlog.note_signature");
    let mut spliced = good.clone();
    spliced.tlog_entries[0].log_index = 4;
    assert_eq!(code(&spliced), "tlog.root_mismatch");
    let mut twin = good.clone();
    twin.envelope_mut().unwrap().signature = world.signer.twin(&touchmark_verify::envelope::pae(
        IN_TOTO_PAYLOAD_TYPE,
        &statement(),
    ));
    assert_eq!(code(&twin), "tlog.signature_mismatch");
    assert_eq!(code(&good), "ok");
    // A key that an earlier bundle brought is not at hand for a bundle that brings none.
    let mut options = world.options.clone();
    options.log = LogRequirement::DangerouslyUnlogged {
        reason: "test".to_owned(),
    };
    let verifier = Verifier::new(&root, &options);
    verifier.verify(&good, &world.ring.clone().into()).unwrap();
    let mut unlogged = good;
    unlogged.tlog_entries.clear();
    let refused = verifier
        .verify(&unlogged, &world.ring.clone().into())
        .unwrap_err();
    assert_eq!(refused.code(), "signer.key_missing");
}
