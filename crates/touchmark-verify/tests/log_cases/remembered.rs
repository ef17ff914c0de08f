//! Checkpoints that were seen before, and proofs that stand alone.

use super::witnesses::policy;
use super::*;

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
