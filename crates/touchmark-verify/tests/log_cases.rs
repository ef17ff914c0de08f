//! Catalogue: transparency log, against a whole in-process Sigstore: both generations of Rekor, every kind of entry,
//! witnesses, and checkpoints that were seen before.

#![allow(clippy::unwrap_used, reason = "a test that cannot mint its evidence fails")]

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use touchmark_statement::timestamp::Timestamp;
use touchmark_testkit::sigstore::{
    BundleVersion, GithubRun, Instance, InstanceOptions, LogDefect, LogKind, Part, SIGNED_AT, Scheme, Signed,
    Signing,
};
use touchmark_tlog::checkpoint::VerifiedCheckpoint;
use touchmark_tlog::entry::EntryBody;
use touchmark_tlog::merkle::{Hash, leaf_hash};
use touchmark_tlog::prove::{TileSource, verified_consistency};
use touchmark_tlog::tlog_proof::TlogProof;
use touchmark_tlog::witness_policy::WitnessPolicy;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::IdentityRules;
use touchmark_verify::key::PublicKey;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::message::ArtifactDigests;
use touchmark_verify::remembered::{
    Consistency, ForkKind, RememberedCheckpoints, RememberedError, compare, follow,
};
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verified::{Check, CheckOutcome, TimeSource, VerifiedStatement};
use touchmark_verify::verify::{
    LogRequirement, VerifyError, VerifyOptions, verify, verify_log_proof, verify_message,
};

const KINDS: [LogKind; 4] = [
    LogKind::V2,
    LogKind::V1HashedRekord,
    LogKind::V1Dsse,
    LogKind::V1Intoto,
];

/// Who signs: with a certificate, or with a key that the verifier knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Certificate,
    Key,
}

const ALL: [By; 2] = [By::Certificate, By::Key];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).unwrap()
}

fn options() -> VerifyOptions {
    VerifyOptions::new(at(SIGNED_AT + 86_400))
}

fn instance(defect: Option<LogDefect>) -> Instance {
    instance_with(defect, InstanceOptions::default())
}

fn instance_with(defect: Option<LogDefect>, options: InstanceOptions) -> Instance {
    let instance = Instance::new(7, options);
    match defect {
        Some(defect) => instance.with(defect),
        None => instance,
    }
}

fn statement() -> Vec<u8> {
    let value = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": "ab".repeat(32)}}],
        "predicateType": "https://example.com/anything/v1",
        "predicate": {},
    });
    serde_json::to_vec(&value).unwrap()
}

/// Returns how to sign, with something before it in the log so that proofs have hashes.
fn signing(instance: &Instance, by: By, log: LogKind) -> Signing {
    let key = instance.key(Scheme::P256, "a key that people manage");
    let signing = match by {
        By::Certificate => Signing::keyless(GithubRun::default().identity()),
        By::Key => Signing::with_key(key),
    };
    match log {
        LogKind::V2 => {
            let mut log = instance.rekor_v2();
            for filler in 0..6_u8 {
                log.add(vec![filler; 20], SIGNED_AT);
            }
        }
        _ => {
            let mut log = instance.rekor_v1();
            for filler in 0..6_u8 {
                log.push(format!("{{\"filler\":{filler}}}").into_bytes(), SIGNED_AT);
            }
        }
    }
    signing.log(log)
}

fn expected(signed: &Signed) -> ExpectedSigners {
    if signed.certificate.is_some() {
        return IdentityRules::DangerouslyAny {
            reason: "the log is what is tested".to_owned(),
        }
        .into();
    }
    let key = PublicKey::from_spki_der(&signed.key.spki()).unwrap();
    let mut ring = KeyRing::new();
    ring.allow(key.fingerprint()).add_key(key);
    ring.into()
}

fn verified(
    instance: &Instance,
    signed: &Signed,
    options: &VerifyOptions,
) -> Result<VerifiedStatement, VerifyError> {
    verify(
        &signed.bundle(),
        &expected(signed),
        &instance.trusted_root(),
        options,
    )
}

/// Returns the code with which what was signed is refused, or `ok`.
fn code_of(instance: &Instance, signed: &Signed, options: &VerifyOptions) -> &'static str {
    match Bundle::parse(&signed.bytes()) {
        Err(error) => error.code(),
        Ok(_) => verified(instance, signed, options).map_or_else(|error| error.code(), |_| "ok"),
    }
}

fn code(by: By, kind: LogKind, defect: impl Into<Option<LogDefect>>) -> &'static str {
    let options = InstanceOptions {
        witnesses: 2,
        ..InstanceOptions::default()
    };
    let instance = instance_with(defect.into(), options);
    let signing = signing(&instance, by, kind);
    let signed = instance.sign_statement(&signing, &statement());
    code_of(&instance, &signed, &self::options())
}

fn everywhere(defect: LogDefect, expected: &str) {
    for by in ALL {
        for kind in KINDS {
            assert_eq!(code(by, kind, defect), expected, "{by:?} {kind:?} {defect:?}");
        }
    }
}

fn outcome<'v>(verified: &'v VerifiedStatement, name: &str) -> &'v CheckOutcome {
    let mut checks = verified.checks().iter();
    &checks.find(|check: &&Check| check.name == name).unwrap().outcome
}

#[test]
fn good_entries_of_every_kind_verify() {
    for by in ALL {
        for kind in KINDS {
            assert_eq!(code(by, kind, None), "ok", "{by:?} {kind:?}");
        }
    }
    // The position that is reported counts over all trees of the log.
    let instance = instance(None);
    let signed = instance.sign_statement(&signing(&instance, By::Key, LogKind::V1Dsse), &statement());
    let verified = verified(&instance, &signed, &options()).unwrap();
    let (log, offset) = (verified.log().unwrap(), instance.rekor_v1().offset);
    let size = instance.rekor_v1().tree.size() as u64;
    assert!(offset > 0);
    assert_eq!(log.index, offset + size - 1);
    assert_eq!(log.checkpoint.as_ref().unwrap().size(), size);
    let source = TimeSource::InclusionPromise { log_id: log.log_id };
    let time = &verified.verified_times()[0];
    assert_eq!((time.not_after, &time.source), (at(SIGNED_AT + 3), &source));
}

#[test]
fn blobs_are_bound_to_their_entries_too() {
    for by in ALL {
        for kind in [LogKind::V2, LogKind::V1HashedRekord] {
            let instance = instance(None);
            let signing = signing(&instance, by, kind);
            let signed = instance.sign_message(&signing, b"a message");
            let mut other = instance.sign_message(&signing, b"another message");
            let run = |bundle: &Bundle, message: &[u8]| {
                verify_message(
                    bundle,
                    &ArtifactDigests::of(message),
                    &expected(&signed),
                    &instance.trusted_root(),
                    &options(),
                )
                .map_or_else(|error| error.code(), |_| "ok")
            };
            assert_eq!(run(&signed.bundle(), b"a message"), "ok", "{by:?} {kind:?}");
            // Another message's genuine entry.
            let mut spliced = signed.clone();
            *spliced.entry() = other.entry().clone();
            let code = run(&spliced.bundle(), b"a message");
            match by {
                By::Key => assert_eq!(code, "tlog.digest_mismatch", "{kind:?}"),
                By::Certificate => assert_eq!(code, "tlog.verifier_mismatch", "{kind:?}"),
            }
        }
    }
    // An entry about an envelope proves nothing of a message.
    let instance = instance(None);
    let mut envelope = instance.sign_statement(&signing(&instance, By::Key, LogKind::V1Dsse), &statement());
    let hashed = signing(&instance, By::Key, LogKind::V1HashedRekord);
    let mut message = instance.sign_message(&hashed, &statement());
    *message.entry() = envelope.entry().clone();
    let refused = verify_message(
        &message.bundle(),
        &ArtifactDigests::of(statement()),
        &expected(&message),
        &instance.trusted_root(),
        &options(),
    );
    assert_eq!(refused.unwrap_err().code(), "tlog.no_envelope");
}

#[test]
fn case_76_no_entry_where_one_is_required() {
    everywhere(LogDefect::EntryMissing, "tlog.entry_missing");
}

#[test]
fn case_77_a_genuine_entry_of_another_bundle() {
    for by in ALL {
        assert_eq!(
            code(by, LogKind::V2, LogDefect::EntryOfOtherBundle),
            "tlog.digest_mismatch"
        );
    }
    for kind in KINDS {
        let instance = instance(None);
        let signing = signing(&instance, By::Key, kind);
        let other = statement()
            .iter()
            .map(|byte| if *byte == b'b' { b'c' } else { *byte })
            .collect::<Vec<u8>>();
        let mut other = instance.sign_statement(&signing, &other);
        let mut signed = instance.sign_statement(&signing, &statement());
        *signed.entry() = other.entry().clone();
        assert_eq!(
            code_of(&instance, &signed, &options()),
            "tlog.digest_mismatch",
            "{kind:?}"
        );
        let unlogged = VerifyOptions {
            log: LogRequirement::DangerouslyUnlogged {
                reason: "test".to_owned(),
            },
            ..options()
        };
        assert_eq!(
            code_of(&instance, &signed, &unlogged),
            "tlog.digest_mismatch",
            "{kind:?}"
        );
    }
    for by in ALL {
        for kind in [LogKind::V2, LogKind::V1HashedRekord, LogKind::V1Dsse] {
            let found = code(by, kind, LogDefect::SignatureDiffers);
            assert_eq!(found, "tlog.signature_mismatch", "{by:?} {kind:?}");
        }
    }
    // Another certificate over the same key is another verifier.
    let found = code(By::Certificate, LogKind::V2, LogDefect::VerifierDiffers);
    assert_eq!(found, "tlog.verifier_mismatch");
}

#[test]
fn case_77_entries_of_rekor_v1_are_held_against_signature_and_verifier() {
    // A certificate in the entry where the bundle has the same key bare, and the reverse.
    for kind in KINDS {
        let instance = instance(None);
        let mut keyless = instance.sign_statement(&signing(&instance, By::Certificate, kind), &statement());
        let key = keyless.key.clone();
        let bare = Signing::with_key(key).log(kind);
        let mut managed = instance.sign_statement(&bare, &statement());
        // Signatures are deterministic: both entries have the same digest and signature.
        let entry = keyless.entry().clone();
        *keyless.entry() = managed.entry().clone();
        *managed.entry() = entry;
        for signed in [keyless, managed] {
            assert_eq!(
                code_of(&instance, &signed, &options()),
                "tlog.verifier_mismatch",
                "{kind:?}"
            );
        }
    }
    // An envelope logged with two signatures is another envelope.
    let instance = instance(None);
    let mut signed = instance.sign_statement(&signing(&instance, By::Key, LogKind::V1Dsse), &statement());
    relog(&instance, &mut signed, |body| {
        let signature = body["spec"]["signatures"][0].clone();
        body["spec"]["signatures"] = json!([signature, signature]);
    });
    assert_eq!(code_of(&instance, &signed, &options()), "tlog.signature_count");
    let mut signed = instance.sign_statement(&signing(&instance, By::Key, LogKind::V1Intoto), &statement());
    relog(&instance, &mut signed, |body| {
        body["spec"]["content"]["envelope"]["payloadType"] = json!("text/plain");
    });
    assert_eq!(
        code_of(&instance, &signed, &options()),
        "tlog.payload_type_mismatch"
    );
    let mut signed = instance.sign_statement(&signing(&instance, By::Key, LogKind::V1Intoto), &statement());
    relog(&instance, &mut signed, |body| {
        body["spec"]["content"]["envelope"]["payload"] = json!(STANDARD.encode(STANDARD.encode("{}")));
    });
    assert_eq!(code_of(&instance, &signed, &options()), "tlog.digest_mismatch");
    // The digest of the JSON that was sent cannot be known and is not asked for.
    let mut signed = instance.sign_statement(&signing(&instance, By::Key, LogKind::V1Dsse), &statement());
    relog(&instance, &mut signed, |body| {
        body["spec"]["envelopeHash"]["value"] = json!("00".repeat(32));
    });
    assert_eq!(code_of(&instance, &signed, &options()), "ok");
}

/// Changes the body of a Rekor v1 entry and logs it again, so that promise and proof go with it.
fn relog(instance: &Instance, signed: &mut Signed, change: impl FnOnce(&mut Value)) {
    let body = STANDARD
        .decode(signed.entry()["canonicalizedBody"].as_str().unwrap())
        .unwrap();
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    change(&mut body);
    let body = serde_json::to_vec(&body).unwrap();
    *signed.entry() = instance.rekor_v1().add(body, SIGNED_AT + 3);
}

#[test]
fn case_79_kinds_that_are_unknown_or_differ_from_the_body() {
    everywhere(LogDefect::VersionUnknown, "tlog.entry_kind");
    everywhere(LogDefect::VersionDiffers, "tlog.entry_kind");
    // Each known kind as each other one.
    for (kind, name, version) in [
        (LogKind::V2, "hashedrekord", "0.0.1"),
        (LogKind::V1HashedRekord, "hashedrekord", "0.0.2"),
        (LogKind::V1Dsse, "intoto", "0.0.2"),
        (LogKind::V1Intoto, "dsse", "0.0.1"),
    ] {
        let instance = instance(None);
        let mut signed = instance.sign_statement(&signing(&instance, By::Key, kind), &statement());
        signed.entry()["kindVersion"] = json!({"kind": name, "version": version});
        let code = code_of(&instance, &signed, &options());
        assert_eq!(code, "tlog.entry_kind", "{kind:?} as {name} {version}");
    }
}

#[test]
fn case_80_a_digest_of_the_payload_in_place_of_what_was_signed() {
    for by in ALL {
        for kind in [LogKind::V2, LogKind::V1HashedRekord] {
            let found = code(by, kind, LogDefect::DigestOfPayload);
            assert_eq!(found, "tlog.digest_mismatch", "{by:?} {kind:?}");
        }
    }
}

#[test]
fn case_81_no_inclusion_proof() {
    everywhere(LogDefect::ProofMissing, "bundle.proof_missing");
    everywhere(LogDefect::CheckpointMissing, "bundle.proof_missing");
}

#[test]
fn case_82_inclusion_proofs_with_one_defect() {
    everywhere(LogDefect::ProofHashFlipped, "tlog.root_mismatch");
    everywhere(LogDefect::ProofReordered, "tlog.root_mismatch");
    everywhere(LogDefect::ProofHashMissing, "tlog.proof_length");
    everywhere(LogDefect::ProofHashExtra, "tlog.proof_length");
    everywhere(LogDefect::ProofHashShort, "tlog.entry_bytes");
    for by in ALL {
        assert_eq!(
            code(by, LogKind::V2, LogDefect::IndexDiffers),
            "tlog.root_mismatch"
        );
        // In Rekor v1 the promise covers the position over all trees, and the proof the one in its own.
        let found = code(by, LogKind::V1Dsse, LogDefect::IndexDiffers);
        assert_eq!(found, "tlog.promise_signature");
    }
    let instance = instance(None);
    let mut signed = instance.sign_statement(&signing(&instance, By::Key, LogKind::V1Dsse), &statement());
    let size = instance.rekor_v1().tree.size();
    signed.entry()["inclusionProof"]["logIndex"] = json!((size - 2).to_string());
    assert_eq!(code_of(&instance, &signed, &options()), "tlog.root_mismatch");
    signed.entry()["inclusionProof"]["logIndex"] = json!(size.to_string());
    assert_eq!(code_of(&instance, &signed, &options()), "tlog.index_range");
}

#[test]
fn case_84_copies_of_size_and_root_are_not_read() {
    everywhere(LogDefect::ProofRootDiffers, "ok");
    everywhere(LogDefect::ProofSizeDiffers, "ok");
}

#[test]
fn case_85_an_inner_node_presented_as_a_leaf() {
    for by in ALL {
        let found = code(by, LogKind::V2, LogDefect::InnerNodeAsLeaf);
        assert!(found.starts_with("json."), "{found}");
    }
}

#[test]
fn case_86_a_checkpoint_without_one_of_its_lines() {
    everywhere(LogDefect::CheckpointWithoutOrigin, "tlog.checkpoint_line");
    everywhere(LogDefect::CheckpointWithoutSize, "tlog.checkpoint_size");
    everywhere(LogDefect::CheckpointWithoutRoot, "tlog.checkpoint_line");
    everywhere(LogDefect::CheckpointWithoutSignature, "tlog.note_structure");
}

#[test]
fn case_87_another_log_s_checkpoint() {
    everywhere(LogDefect::CheckpointOfOtherLog, "tlog.note_signature");
    everywhere(LogDefect::LogUnknown, "tlog.log_unknown");
    // The rules of one generation do not hold for entries of the other.
    for (kind, from, to) in [(LogKind::V2, "\n", " - 4711\n"), (LogKind::V1Dsse, " - ", "-")] {
        let instance = instance(None);
        let mut signed = instance.sign_statement(&signing(&instance, By::Key, kind), &statement());
        resign(&instance, &mut signed, kind, |text| text.replacen(from, to, 1));
        assert_eq!(
            code_of(&instance, &signed, &options()),
            "tlog.checkpoint_origin",
            "{kind:?}"
        );
    }
}

/// Changes the text of the checkpoint and lets the log sign that.
fn resign(instance: &Instance, signed: &mut Signed, kind: LogKind, change: impl FnOnce(&str) -> String) {
    let envelope = &mut signed.entry()["inclusionProof"]["checkpoint"]["envelope"];
    let note = envelope.as_str().unwrap().to_owned();
    let text = change(&note[..=note.rfind("\n\n").unwrap()]);
    let note = match kind {
        LogKind::V2 => instance.rekor_v2().sign_note(&text, SIGNED_AT),
        _ => instance.rekor_v1().sign_note(&text),
    };
    *envelope = note.into();
}

#[test]
fn case_89_sizes_and_roots_in_another_spelling() {
    everywhere(LogDefect::SizeWithLeadingZero, "tlog.checkpoint_size");
    everywhere(LogDefect::SizeWithPlus, "tlog.checkpoint_size");
    everywhere(LogDefect::SizeWithSpace, "tlog.checkpoint_size");
    everywhere(LogDefect::SizeWithTwentyDigits, "tlog.checkpoint_size");
    everywhere(LogDefect::RootShort, "tlog.checkpoint_root");
}

#[test]
fn case_90_one_wrong_line_of_a_known_key_spoils_the_note() {
    everywhere(LogDefect::SecondLineInvalid, "tlog.note_signature");
}

#[test]
fn case_91_only_cosignatures() {
    for by in ALL {
        assert_eq!(
            code(by, LogKind::V2, LogDefect::OnlyCosignatures),
            "tlog.note_unsigned"
        );
    }
}

#[test]
fn case_92_ten_thousand_lines() {
    everywhere(LogDefect::TenThousandLines, "tlog.note_size");
}

#[test]
fn case_94_extension_lines_are_ignored_for_trust() {
    for kind in KINDS {
        let instance = instance(None);
        let mut signed = instance.sign_statement(&signing(&instance, By::Key, kind), &statement());
        resign(&instance, &mut signed, kind, |text| {
            format!("{text}Timestamp: 9999999999\nowner mallory\n")
        });
        assert_eq!(code_of(&instance, &signed, &options()), "ok", "{kind:?}");
    }
}

#[test]
fn case_95_entries_of_one_log_never_count_twice() {
    everywhere(LogDefect::EntryTwice, "tlog.duplicate_entry");
}

#[test]
fn case_96_a_promise_about_something_else() {
    for by in ALL {
        for kind in [LogKind::V1HashedRekord, LogKind::V1Dsse, LogKind::V1Intoto] {
            for defect in [
                LogDefect::PromiseOverOtherTime,
                LogDefect::PromiseOverOtherIndex,
                LogDefect::PromiseOverOtherBody,
                LogDefect::PromiseOverOtherLog,
            ] {
                let found = code(by, kind, defect);
                assert_eq!(found, "tlog.promise_signature", "{by:?} {kind:?} {defect:?}");
            }
        }
    }
    // A promise without a time, or about a time that is none.
    for time in [None, Some("0"), Some("9223372036854775807")] {
        let instance = instance(None);
        let mut signed = instance.sign_statement(&signing(&instance, By::Key, LogKind::V1Dsse), &statement());
        match time {
            None => _ = signed.entry().as_object_mut().unwrap().remove("integratedTime"),
            Some(time) => signed.entry()["integratedTime"] = json!(time),
        }
        assert_eq!(
            code_of(&instance, &signed, &options()),
            "tlog.promise_time",
            "{time:?}"
        );
    }
}

#[test]
fn case_97_a_promise_alone_counts_only_where_the_caller_says_so() {
    let allowed = VerifyOptions {
        allow_promise_only: true,
        ..options()
    };
    for kind in [LogKind::V1HashedRekord, LogKind::V1Dsse, LogKind::V1Intoto] {
        let instance = instance(Some(LogDefect::ProofMissing));
        let v01 = signing(&instance, By::Key, kind).version(BundleVersion::V01);
        let mut signed = instance.sign_statement(&v01, &statement());
        assert_eq!(
            code_of(&instance, &signed, &options()),
            "tlog.proof_missing",
            "{kind:?}"
        );
        let verified = verified(&instance, &signed, &allowed).unwrap();
        assert!(verified.log().unwrap().checkpoint.is_none());
        assert!(matches!(
            outcome(&verified, "tlog.inclusion"),
            CheckOutcome::Skipped { .. }
        ));
        // Nobody else can have seen what is not in a tree.
        let witnessed = VerifyOptions {
            witnesses: Some(WitnessPolicy::parse(b"quorum none\n").unwrap()),
            ..allowed.clone()
        };
        assert_eq!(code_of(&instance, &signed, &witnessed), "tlog.witness_quorum");
        // A proof that is there must be right, promise or not.
        let size = instance.rekor_v1().tree.size();
        let mut proven = instance.rekor_v1().entry(size - 1, size);
        proven["inclusionProof"]["hashes"] = json!([]);
        *signed.entry() = proven;
        assert_eq!(
            code_of(&instance, &signed, &allowed),
            "tlog.proof_length",
            "{kind:?}"
        );
    }
    // An entry of Rekor v2 has no promise, whatever stands there.
    let instance = instance(Some(LogDefect::ProofMissing));
    let v01 = signing(&instance, By::Key, LogKind::V2).version(BundleVersion::V01);
    let mut signed = instance.sign_statement(&v01, &statement());
    signed.entry()["inclusionPromise"] = json!({"signedEntryTimestamp": "AQ=="});
    assert_eq!(code_of(&instance, &signed, &allowed), "tlog.proof_missing");
}

#[test]
fn case_99_a_retired_log_is_trusted_for_its_own_time() {
    for (part, kind) in [(Part::RekorV1, LogKind::V1Dsse), (Part::RekorV2, LogKind::V2)] {
        for (end, expected) in [
            (SIGNED_AT + 100, "ok"),
            (SIGNED_AT + 1, "tlog.outside_log_window"),
        ] {
            let options = InstanceOptions {
                windows: vec![(part, end)],
                ..InstanceOptions::default()
            };
            let instance = instance_with(None, options);
            let signed = instance.sign_statement(&signing(&instance, By::Certificate, kind), &statement());
            assert_eq!(
                code_of(&instance, &signed, &self::options()),
                expected,
                "{part:?} until {end}"
            );
        }
    }
    for by in [By::Certificate] {
        for kind in KINDS {
            assert_eq!(
                code(by, kind, LogDefect::LogRetired),
                "tlog.outside_log_window",
                "{kind:?}"
            );
        }
    }
}

#[test]
fn case_19_a_body_in_another_spelling() {
    everywhere(LogDefect::BodyNotCanonical, "tlog.entry_not_canonical");
}

/// Returns a policy over witnesses of an instance.
fn policy(instance: &Instance, quorum: &str) -> WitnessPolicy {
    let log = instance.rekor_v2();
    let mut text = String::new();
    for (at, witness) in log.witnesses.iter().enumerate() {
        text.push_str(&format!("witness w{at} {}\n", witness.verifier_key()));
    }
    WitnessPolicy::parse(format!("{text}{quorum}\n").as_bytes()).unwrap()
}

#[test]
fn a_quorum_of_witnesses_can_be_asked_for() {
    let instance = instance_with(
        None,
        InstanceOptions {
            witnesses: 3,
            ..InstanceOptions::default()
        },
    );
    let mut signed = instance.sign_statement(&signing(&instance, By::Key, LogKind::V2), &statement());
    let asked = |quorum: &str| VerifyOptions {
        witnesses: Some(policy(&instance, quorum)),
        ..options()
    };
    let quorum = "group all3 all w0 w1 w2\nquorum all3";
    let found = verified(&instance, &signed, &asked(quorum)).unwrap();
    let names: Vec<_> = found
        .log()
        .unwrap()
        .cosigned
        .iter()
        .map(|by| by.name.as_str())
        .collect();
    assert_eq!(names, ["w0", "w1", "w2"]);
    assert_eq!(outcome(&found, "tlog.witnesses"), &CheckOutcome::Pass);
    // The witnesses' own time is shown, and is no verified time.
    assert!(found.log().unwrap().cosigned[0].claimed_at.is_some());
    assert!(found.verified_times().is_empty());
    // Nobody is asked for.
    let found = verified(&instance, &signed, &asked("quorum none")).unwrap();
    assert!(matches!(
        outcome(&found, "tlog.witnesses"),
        CheckOutcome::Skipped { .. }
    ));

    // Without one witness's line.
    let envelope = &mut signed.entry()["inclusionProof"]["checkpoint"]["envelope"];
    let note = envelope.as_str().unwrap().to_owned();
    let lines: Vec<&str> = note.lines().collect();
    let kept = |keep: &[&str]| format!("{}\n", keep.join("\n"));
    *envelope = kept(&lines[..lines.len() - 1]).into();
    assert_eq!(code_of(&instance, &signed, &asked(quorum)), "tlog.witness_quorum");
    assert_eq!(
        code_of(&instance, &signed, &asked("group g 2 w0 w1 w2\nquorum g")),
        "ok"
    );
    assert_eq!(code_of(&instance, &signed, &options()), "ok");
    // A witness that the verifier does not know says nothing.
    let strangers = Instance::new(99, instance.options().clone());
    let others = VerifyOptions {
        witnesses: Some(policy(&strangers, "group g any w0 w1 w2\nquorum g")),
        ..options()
    };
    assert_eq!(code_of(&instance, &signed, &others), "tlog.witness_quorum");
    // A wrong line of one that it knows is no missing line.
    let broken = note.replacen("witness", "wItness", 0);
    let (head, last) = broken.trim_end().rsplit_once('\n').unwrap();
    let (name, blob) = last.rsplit_once(' ').unwrap();
    let mut blob = STANDARD.decode(blob).unwrap();
    *blob.last_mut().unwrap() ^= 1;
    let wrong = format!("{head}\n{name} {}\n", STANDARD.encode(blob));
    signed.entry()["inclusionProof"]["checkpoint"]["envelope"] = wrong.into();
    assert_eq!(
        code_of(&instance, &signed, &asked("quorum w0")),
        "tlog.cosignature"
    );
    assert_eq!(code_of(&instance, &signed, &options()), "ok");
}

#[test]
fn a_witness_policy_counts_only_the_logs_that_it_knows() {
    let options = InstanceOptions {
        witnesses: 1,
        ..InstanceOptions::default()
    };
    let instance = instance_with(None, options.clone());
    let signed = instance.sign_statement(&signing(&instance, By::Key, LogKind::V2), &statement());
    let other = Instance::new(98, options);
    let named = |from: &Instance| {
        let root = from.trusted_root();
        let v2 = root
            .logs()
            .iter()
            .find(|log| log.key.key_details() == "PKIX_ED25519")
            .unwrap();
        let text = format!("log {}\n{}", v2.key, policy(&instance, "quorum w0"));
        VerifyOptions {
            witnesses: Some(WitnessPolicy::parse(text.as_bytes()).unwrap()),
            ..self::options()
        }
    };
    assert_eq!(code_of(&instance, &signed, &named(&instance)), "ok");
    assert_eq!(code_of(&instance, &signed, &named(&other)), "tlog.witness_quorum");
}

/// What a verifier remembers, in memory.
#[derive(Debug, Default)]
struct Memory {
    notes: BTreeMap<(Hash, String), String>,
    /// The leaves of the one tree whose tiles are at hand.
    leaves: Vec<Hash>,
    unreadable: bool,
}

impl RememberedCheckpoints for Memory {
    fn newest(&self, log_id: &Hash, origin: &str) -> Result<Option<String>, RememberedError> {
        if self.unreadable {
            return Err(RememberedError {
                origin: origin.to_owned(),
                problem: "test".to_owned(),
            });
        }
        Ok(self.notes.get(&(*log_id, origin.to_owned())).cloned())
    }

    fn tile(&self, _: &Hash, _: &str, level: u8, index: u64, width: u16) -> Option<Vec<Hash>> {
        // Trees of tests have one tile.
        let leaves = self.leaves.get(..usize::from(width))?;
        (level == 0 && index == 0).then(|| leaves.to_vec())
    }
}

/// Returns the code, or what was found of consistency, with this checkpoint remembered.
fn against(instance: &Instance, signed: &Signed, kind: LogKind, memory: Memory, note: String) -> String {
    let origin = note.lines().next().unwrap().to_owned();
    let root = instance.trusted_root();
    let entry = &signed.bundle().tlog_entries[0];
    assert!(root.log(&entry.log_id).is_some(), "{kind:?}");
    let mut memory = memory;
    memory.notes.insert((entry.log_id, origin), note);
    let options = VerifyOptions {
        remembered: Some(Arc::new(memory)),
        ..options()
    };
    match verified(instance, signed, &options) {
        Err(error) => error.code().to_owned(),
        Ok(found) => match outcome(&found, "tlog.consistency") {
            CheckOutcome::Pass => "proven".to_owned(),
            CheckOutcome::Skipped { reason } => reason.clone().into_owned(),
        },
    }
}

fn leaves(instance: &Instance, kind: LogKind) -> Vec<Hash> {
    match kind {
        LogKind::V2 => instance.rekor_v2().tree.leaves().to_vec(),
        _ => instance.rekor_v1().tree.leaves().to_vec(),
    }
}

fn checkpoint(instance: &Instance, kind: LogKind, size: usize) -> String {
    match kind {
        LogKind::V2 => instance.rekor_v2().checkpoint(size, SIGNED_AT),
        _ => instance.rekor_v1().checkpoint(size),
    }
}

#[test]
fn case_100_one_size_with_two_roots_is_an_alarm_with_both_notes() {
    for kind in [LogKind::V2, LogKind::V1Dsse] {
        let instance = instance(None);
        let signed = instance.sign_statement(&signing(&instance, By::Key, kind), &statement());
        let size = leaves(&instance, kind).len();
        let same = checkpoint(&instance, kind, size);
        let outcome = against(&instance, &signed, kind, Memory::default(), same.clone());
        assert_eq!(outcome, "proven", "{kind:?}");
        let other = forged(&instance, kind, size as u64);
        assert_eq!(
            against(&instance, &signed, kind, Memory::default(), other.clone()),
            "tlog.split_view",
            "{kind:?}"
        );
        // Both notes are kept for whoever has to explain them.
        let entry = &signed.bundle().tlog_entries[0];
        let origin = other.lines().next().unwrap().to_owned();
        let memory = Memory {
            notes: BTreeMap::from([((entry.log_id, origin), other.clone())]),
            ..Memory::default()
        };
        let options = VerifyOptions {
            remembered: Some(Arc::new(memory)),
            ..options()
        };
        let Err(VerifyError::Log(touchmark_verify::verify::LogError::Fork { source, .. })) =
            verified(&instance, &signed, &options)
        else {
            panic!("no alarm");
        };
        assert_eq!(source.remembered, other);
        assert_eq!(
            source.found,
            *entry
                .inclusion_proof
                .as_ref()
                .unwrap()
                .checkpoint
                .as_ref()
                .unwrap()
        );
    }
}

/// Returns a checkpoint of this size that the log signed over another root.
fn forged(instance: &Instance, kind: LogKind, size: u64) -> String {
    let genuine = checkpoint(instance, kind, 1);
    let origin = genuine.lines().next().unwrap();
    let text = format!("{origin}\n{size}\n{}\n", Hash::from_bytes([7; 32]).to_base64());
    match kind {
        LogKind::V2 => instance.rekor_v2().sign_note(&text, SIGNED_AT),
        _ => instance.rekor_v1().sign_note(&text),
    }
}

#[test]
fn case_101_checkpoints_that_do_not_extend_each_other_are_an_alarm() {
    for kind in [LogKind::V2, LogKind::V1Dsse] {
        let instance = instance(None);
        let signing = signing(&instance, By::Key, kind);
        let signed = instance.sign_statement(&signing, &statement());
        for filler in 0..20_u8 {
            let more = format!("{{\"more\":{filler}}}").into_bytes();
            match kind {
                LogKind::V2 => _ = instance.rekor_v2().add(more, SIGNED_AT),
                _ => _ = instance.rekor_v1().push(more, SIGNED_AT),
            }
        }
        let all = leaves(&instance, kind);
        let tiles = || Memory {
            leaves: all.clone(),
            ..Memory::default()
        };
        let run = |memory, note| against(&instance, &signed, kind, memory, note);
        // A bundle's checkpoint may be older than the remembered one, or newer.
        for size in [1, 4, 6, 8, 16, 27] {
            assert_eq!(
                run(tiles(), checkpoint(&instance, kind, size)),
                "proven",
                "{kind:?} {size}"
            );
        }
        // Without tiles nothing is proven, and nothing is wrong.
        let unseen = "the tiles between both checkpoints are not at hand";
        assert_eq!(run(Memory::default(), checkpoint(&instance, kind, 27)), unseen);
        // Damaged tiles are damaged tiles, and not the log's doing.
        let damaged = Memory {
            leaves: all.iter().map(|_| Hash::from_bytes([3; 32])).collect(),
            ..Memory::default()
        };
        assert_eq!(
            run(damaged, checkpoint(&instance, kind, 27)),
            "the tiles at hand do not lead to the larger checkpoint"
        );
        // The log signed a smaller tree that is no beginning of this one.
        for size in [2, 4, 5] {
            let outcome = run(tiles(), forged(&instance, kind, size));
            assert_eq!(outcome, "tlog.not_extended", "{kind:?} {size}");
        }
    }
}

#[test]
fn what_is_remembered_is_believed_for_the_log_s_signature_only() {
    let instance = instance(None);
    let signed = instance.sign_statement(&signing(&instance, By::Key, LogKind::V2), &statement());
    let run = |memory, note| against(&instance, &signed, LogKind::V2, memory, note);
    let note = checkpoint(&instance, LogKind::V2, 3);
    let size = note.replacen("\n3\n", "\n7\n", 1);
    assert_eq!(run(Memory::default(), size), "tlog.remembered_unreadable");
    let unreadable = Memory {
        unreadable: true,
        ..Memory::default()
    };
    assert_eq!(run(unreadable, note), "tlog.remembered_unreadable");
    let options = VerifyOptions {
        remembered: Some(Arc::new(Memory::default())),
        ..options()
    };
    let found = verified(&instance, &signed, &options).unwrap();
    let reason = "no checkpoint of this log was seen before";
    assert_eq!(
        outcome(&found, "tlog.consistency"),
        &CheckOutcome::Skipped {
            reason: reason.into()
        }
    );
}

#[test]
fn integrated_time_of_a_rekor_v2_entry_is_ignored() {
    let instance = instance(None);
    let mut signed = instance.sign_statement(&signing(&instance, By::Key, LogKind::V2), &statement());
    for time in ["0", "1", "9999999999"] {
        signed.entry()["integratedTime"] = json!(time);
        let found = verified(&instance, &signed, &options()).unwrap();
        assert!(found.verified_times().is_empty());
    }
}

#[test]
fn every_single_defect_of_a_log_entry_is_refused() {
    let harmless = [LogDefect::ProofRootDiffers, LogDefect::ProofSizeDiffers];
    for defect in LogDefect::ALL {
        let kinds: &[LogKind] = match defect {
            LogDefect::PromiseOverOtherTime
            | LogDefect::PromiseOverOtherIndex
            | LogDefect::PromiseOverOtherBody
            | LogDefect::PromiseOverOtherLog => &[LogKind::V1Dsse],
            _ => &[LogKind::V2],
        };
        for kind in kinds {
            let found = code(By::Certificate, *kind, *defect);
            assert_eq!(
                found == "ok",
                harmless.contains(defect),
                "{defect:?} {kind:?}: {found}"
            );
        }
    }
}

#[test]
fn roots_of_other_instances_prove_nothing() {
    let (instance, other) = (instance(None), Instance::new(8, InstanceOptions::default()));
    for kind in KINDS {
        let signed = instance.sign_statement(&signing(&instance, By::Key, kind), &statement());
        let root: TrustedRoot = other.trusted_root();
        let refused = verify(&signed.bundle(), &expected(&signed), &root, &options()).unwrap_err();
        assert_eq!(refused.code(), "tlog.log_unknown", "{kind:?}");
    }
}

/// The tiles of one tree, all of them in one.
struct Tiles(Vec<Hash>);

impl TileSource for Tiles {
    type Error = std::fmt::Error;

    fn tile(&self, _: u8, _: u64, width: u16) -> Result<Vec<Hash>, std::fmt::Error> {
        let tile = self.0.get(..usize::from(width)).ok_or(std::fmt::Error)?;
        Ok(tile.to_vec())
    }
}

/// Returns a log's checkpoint of this note, verified.
fn verified_note(instance: &Instance, kind: LogKind, note: &str) -> VerifiedCheckpoint {
    let root = instance.trusted_root();
    let id = match kind {
        LogKind::V2 => instance.rekor_v2().log_id(),
        _ => instance.rekor_v1().key.spki_digest(),
    };
    let log = root.log(&Hash::from_bytes(id)).unwrap();
    let origin = note.lines().next().unwrap();
    touchmark_verify::remembered::verify_remembered(note, origin, log).unwrap()
}

#[test]
fn case_101_a_log_s_current_checkpoint_never_goes_back() {
    for kind in [LogKind::V2, LogKind::V1Dsse] {
        let instance = instance(None);
        _ = signing(&instance, By::Key, kind);
        let at = |size| verified_note(&instance, kind, &checkpoint(&instance, kind, size));
        let tiles = Tiles(leaves(&instance, kind));
        assert_eq!(compare(&at(5), &at(8), &tiles), Ok(Consistency::Proven));
        assert_eq!(compare(&at(5), &at(5), &tiles), Ok(Consistency::Proven));
        let fork = follow(&at(8), &at(5), &[]).unwrap_err();
        assert_eq!(
            (fork.code(), fork.kind),
            ("tlog.rollback", ForkKind::WentBack { old: 8, new: 5 })
        );
        assert_eq!(
            (fork.remembered, fork.found),
            (at(8).note().encode(), at(5).note().encode())
        );
        let other = |size| verified_note(&instance, kind, &forged(&instance, kind, size));
        assert_eq!(
            compare(&other(5), &at(5), &tiles).unwrap_err().code(),
            "tlog.split_view"
        );
        assert_eq!(
            compare(&other(5), &at(8), &tiles).unwrap_err().code(),
            "tlog.not_extended"
        );

        // The proof that the log itself answers with: one that fails is an alarm.
        let tree = match kind {
            LogKind::V2 => instance.rekor_v2().tree.clone(),
            _ => instance.rekor_v1().tree.clone(),
        };
        let proof = tree.consistency(5, 8);
        assert_eq!(follow(&at(5), &at(8), &proof), Ok(()));
        assert_eq!(
            follow(&at(5), &at(8), &[]).unwrap_err().code(),
            "tlog.not_extended"
        );
        assert_eq!(
            follow(&other(5), &at(8), &proof).unwrap_err().code(),
            "tlog.not_extended"
        );
        assert_eq!(
            follow(&other(5), &at(5), &[]).unwrap_err().code(),
            "tlog.split_view"
        );
        assert_eq!(
            follow(&at(8), &at(5), &proof).unwrap_err().code(),
            "tlog.rollback"
        );
        assert_eq!(verified_consistency(&tiles, &at(5), &at(8)).unwrap(), proof);
        assert_eq!(
            verified_consistency(&tiles, &other(5), &at(8))
                .unwrap_err()
                .code(),
            "tlog.inconsistent"
        );
    }
}

#[test]
fn log_proofs_of_both_generations_stand_alone() {
    for kind in KINDS {
        let options = InstanceOptions {
            witnesses: 2,
            ..InstanceOptions::default()
        };
        let instance = instance_with(None, options);
        let signed = instance.sign_statement(&signing(&instance, By::Key, kind), &statement());
        let bundle = signed.bundle();
        let entry = &bundle.tlog_entries[0];
        let exported = TlogProof::of_entry(entry, &EntryBody::of(entry).unwrap()).unwrap();
        let proof = TlogProof::parse(exported.encode().as_bytes()).unwrap();
        let leaf = leaf_hash(proof.extra.as_ref().unwrap());
        let root = instance.trusted_root();
        let run = |proof: &TlogProof, leaf: &Hash, options: &VerifyOptions| {
            verify_log_proof(proof, leaf, &root, options)
        };
        let proven = run(&proof, &leaf, &self::options()).unwrap();
        assert_eq!(proven.log.log_id, entry.log_id);
        assert_eq!(
            proven.log.index,
            leaves(&instance, kind).len() as u64 - 1,
            "{kind:?}"
        );
        let code = |proof: &TlogProof, leaf: &Hash, options: &VerifyOptions| {
            run(proof, leaf, options).unwrap_err().code()
        };
        assert_eq!(
            code(&proof, &leaf_hash(b"other"), &self::options()),
            "tlog.root_mismatch"
        );
        let asked = VerifyOptions {
            witnesses: Some(policy(&instance, "group g all w0 w1\nquorum g")),
            ..self::options()
        };
        match kind {
            LogKind::V2 => assert_eq!(run(&proof, &leaf, &asked).unwrap().log.cosigned.len(), 2),
            _ => assert_eq!(code(&proof, &leaf, &asked), "tlog.witness_quorum"),
        }
        let early = VerifyOptions::new(at(1_000_000_000));
        assert_eq!(code(&proof, &leaf, &early), "tlog.outside_log_window");
        let other = Instance::new(97, InstanceOptions::default());
        let refused = verify_log_proof(&proof, &leaf, &other.trusted_root(), &self::options()).unwrap_err();
        // The other instance's log has the same name, so that the refusal is about its key.
        assert!(
            matches!(refused.code(), "tlog.log_unknown" | "tlog.note_unsigned"),
            "{}",
            refused.code()
        );
    }
}
