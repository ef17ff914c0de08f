//! What an entry and its proof must be.

use super::*;

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
