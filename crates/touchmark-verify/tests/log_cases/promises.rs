//! Promises, times and roots of logs.

use super::*;

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
