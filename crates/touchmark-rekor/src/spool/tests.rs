//! Tests of the spool: nothing lost, nothing finished twice, nothing half-written believed.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;
use touchmark_sign::{PrivateKey, attestation};
use touchmark_statement::statement::SignedStatement;
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::entry::{InclusionProof, KindVersion};
use touchmark_tlog::merkle::Hash;
use touchmark_verify::key::KeyAlgorithm;

use super::*;
use crate::publisher::ApiVersion;

fn entry(number: u32) -> Entry {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": format!("artifact {number}"), "digest": {"sha256": "c".repeat(64)}}],
        "predicateType": "https://example.com/anything/v1",
        "predicate": {},
    });
    let statement = SignedStatement::parse(serde_json::to_vec(&statement).unwrap()).unwrap();
    let key = PrivateKey::from_secret(KeyAlgorithm::EcdsaP256Sha256, &[7; 32]).unwrap();
    Entry {
        signed: attestation::sign(statement.statement(), &key).unwrap(),
        keyless: None,
        targets: vec![Target::new(LogAddress::Embedded("local".to_owned()))],
        destinations: vec![refs(), file("/tmp/bundle.json")],
        bundle: None,
        queued_at: Timestamp::from_unix(1_700_000_000).unwrap(),
    }
}

fn refs() -> Destination {
    let places = vec![
        EvidencePlace::Commit("a".repeat(40).parse().unwrap()),
        EvidencePlace::Tree("b".repeat(40).parse().unwrap()),
    ];
    // A path that is not UTF-8.
    Destination::Refs {
        repository: PathBuf::from(std::ffi::OsStr::from_bytes(b"/repo\xff")),
        places,
    }
}

fn file(path: &str) -> Destination {
    Destination::File {
        path: PathBuf::from(path),
    }
}

fn spool() -> (TempDir, Spool, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    let spool = Spool::open(&path).unwrap();
    (folder, spool, path)
}

fn taken<'a>(spool: &'a Spool, id: &EvidenceId) -> Box<Taken<'a>> {
    match spool.take(id).unwrap() {
        Take::Taken(taken) => taken,
        other => panic!("{other:?}"),
    }
}

fn code<T>(result: Result<T, SpoolError>) -> &'static str {
    result.map(|_| "accepted").unwrap_or_else(|error| error.code())
}

#[test]
fn an_entry_waits_is_taken_and_is_gone_when_complete() {
    let (_folder, spool, path) = spool();
    let id = spool.put(&entry(1)).unwrap();
    assert_eq!(id, entry(1).evidence_id());
    assert_eq!(Spool::open(&path).unwrap().list().unwrap().waiting, [id]);
    assert_eq!(spool.peek(&id).unwrap(), Some(entry(1)));
    let first = taken(&spool, &id);
    assert_eq!((first.id(), first.entry()), (id, &entry(1)));
    first.complete().unwrap();
    assert!(spool.list().unwrap().waiting.is_empty());
    assert!(matches!(spool.take(&id).unwrap(), Take::Gone));
    assert_eq!(spool.peek(&id).unwrap(), None);
    let left: Vec<_> = fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, [".lock"]);
}

#[test]
fn only_one_process_finishes_an_entry_and_a_dropped_one_waits_on() {
    let (_folder, spool, path) = spool();
    let id = spool.put(&entry(1)).unwrap();
    let other = Spool::open(&path).unwrap();
    let mine = taken(&spool, &id);
    assert!(matches!(other.take(&id).unwrap(), Take::Busy));
    drop(mine);
    taken(&other, &id).complete().unwrap();
    assert!(matches!(spool.take(&id).unwrap(), Take::Gone));
}

#[test]
fn many_workers_finish_every_entry_once() {
    let (_folder, spool, path) = spool();
    let ids: Vec<_> = (0..24).map(|number| spool.put(&entry(number)).unwrap()).collect();
    let done: Vec<AtomicUsize> = ids.iter().map(|_| AtomicUsize::new(0)).collect();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let spool = Spool::open(&path).unwrap();
                for (id, done) in ids.iter().zip(&done) {
                    if let Take::Taken(taken) = spool.take(id).unwrap() {
                        done.fetch_add(1, Ordering::SeqCst);
                        taken.complete().unwrap();
                    }
                }
            });
        }
    });
    assert!(
        done.iter().all(|count| count.load(Ordering::SeqCst) == 1),
        "{done:?}"
    );
    assert!(spool.list().unwrap().waiting.is_empty());
}

#[test]
fn the_same_evidence_again_unites_destinations_even_while_it_is_taken() {
    let (_folder, spool, _) = spool();
    let id = spool.put(&entry(1)).unwrap();
    let mine = taken(&spool, &id);
    let more = Entry {
        destinations: vec![file("/tmp/bundle.json"), file("/tmp/more.json")],
        ..entry(1)
    };
    assert_eq!(spool.put(&more).unwrap(), id);
    assert_eq!(spool.list().unwrap().waiting.len(), 1);
    // What was asked for meanwhile is not lost with the entry.
    mine.complete().unwrap();
    let waiting = spool.peek(&id).unwrap().unwrap();
    assert_eq!(waiting.destinations, [file("/tmp/more.json")]);
    taken(&spool, &id).complete().unwrap();
    assert!(spool.list().unwrap().waiting.is_empty());
}

fn answer(log: u8) -> LogEntry {
    let id = Hash::from_slice(&[log; 32]).unwrap();
    LogEntry {
        log_index: u64::from(log),
        log_id: id,
        kind: KindVersion::hashedrekord_v002(),
        integrated_time: None,
        inclusion_promise: None,
        inclusion_proof: Some(InclusionProof {
            log_index: u64::from(log),
            root_hash: id,
            tree_size: 1000,
            hashes: Vec::new(),
            checkpoint: Some("unread".to_owned()),
        }),
        canonicalized_body: vec![log],
    }
}

#[test]
fn the_answer_of_a_log_is_kept_before_it_is_stored() {
    let (_folder, spool, path) = spool();
    let id = spool.put(&entry(1)).unwrap();
    let mut mine = taken(&spool, &id);
    mine.keep_answer(0, answer(1)).unwrap();
    let bundle = entry(1).bundle_with(vec![answer(1)]);
    assert_eq!(mine.entry().bundle.as_ref(), Some(&bundle));
    assert_eq!(mine.entry().unanswered().count(), 0);
    // As after a crash: another process goes on with what the log answered.
    drop(mine);
    let other = Spool::open(&path).unwrap();
    let found = taken(&other, &id).entry().clone();
    assert_eq!(
        (found.bundle.as_ref(), found.unanswered().count()),
        (Some(&bundle), 0)
    );
    // Put in again, it does not lose the answer.
    spool.put(&entry(1)).unwrap();
    assert_eq!(spool.peek(&id).unwrap().unwrap().bundle, Some(bundle));
    // The answer of a log that is gone is replaced, never kept beside the new one.
    let mut mine = taken(&spool, &id);
    mine.forget_answer(0);
    assert_eq!(
        (mine.entry().bundle.as_ref(), mine.entry().unanswered().count()),
        (None, 1)
    );
    mine.keep_answer(0, answer(2)).unwrap();
    drop(mine);
    let found = spool.peek(&id).unwrap().unwrap();
    assert_eq!(found.bundle, Some(entry(1).bundle_with(vec![answer(2)])));
}

fn service(port: u16, version: ApiVersion) -> Target {
    let url = format!("http://127.0.0.1:{port}/").parse().unwrap();
    Target::new(LogAddress::Service { url, version })
}

#[test]
fn answers_of_several_logs_are_kept_one_by_one_in_the_order_of_the_logs() {
    let (_folder, spool, _) = spool();
    let several = Entry {
        targets: vec![
            service(1, ApiVersion::V2),
            service(2, ApiVersion::V1),
            service(3, ApiVersion::V2),
        ],
        ..entry(1)
    };
    let id = spool.put(&several).unwrap();
    let mut mine = taken(&spool, &id);
    mine.keep_answer(2, answer(3)).unwrap();
    mine.keep_answer(0, answer(1)).unwrap();
    let same = mine.keep_answer(1, answer(1)).unwrap_err();
    assert!(
        matches!(same, KeepError::Publish(PublishError::SameLogTwice { .. })),
        "{same:?}"
    );
    drop(mine);
    let found = spool.peek(&id).unwrap().unwrap();
    assert_eq!(
        found.bundle,
        Some(entry(1).bundle_with(vec![answer(1), answer(3)]))
    );
    let waiting: Vec<usize> = found.unanswered().map(|(index, _)| index).collect();
    assert_eq!(waiting, [1]);
    // A log that is gone for good is replaced; what has answered stays.
    spool.redirect(&id, |_| vec![service(4, ApiVersion::V2)]).unwrap();
    let found = spool.peek(&id).unwrap().unwrap();
    assert_eq!(found.targets.len(), 3);
    assert_eq!(found.targets[2], service(4, ApiVersion::V2));
    assert_eq!(found.bundle.unwrap().tlog_entries.len(), 2);
}

#[test]
fn an_entry_for_one_embedded_log_is_written_as_before_and_others_as_version_2() {
    let (_folder, spool, path) = spool();
    let version = |id: &EvidenceId| -> (Value, Value) {
        let mut file: Value = serde_json::from_slice(&fs::read(path.join(file_name(id))).unwrap()).unwrap();
        (file["version"].take(), file["log"].take())
    };
    let id = spool.put(&entry(1)).unwrap();
    assert_eq!(version(&id), (json!(1), json!("local")));
    let remote = Entry {
        targets: vec![service(1, ApiVersion::V2)],
        ..entry(2)
    };
    let id = spool.put(&remote).unwrap();
    assert_eq!(version(&id), (json!(2), Value::Null));
    assert_eq!(spool.peek(&id).unwrap(), Some(remote));
}

#[test]
fn half_written_files_are_never_seen_and_are_cleaned_unless_their_writer_lives() {
    let (_folder, spool, path) = spool();
    let id = spool.put(&entry(1)).unwrap();
    let half = path.join(".tmp-00000000000000000000000000000001");
    fs::write(&half, b"{\"version\":").unwrap();
    assert_eq!(spool.list().unwrap().waiting, [id]);
    let writer = fs::File::open(&half).unwrap();
    rustix::fs::flock(&writer, rustix::fs::FlockOperation::LockExclusive).unwrap();
    assert_eq!(spool.clean().unwrap(), 0);
    drop(writer);
    assert_eq!(spool.clean().unwrap(), 1);
    assert!(!half.exists());
    assert_eq!(spool.list().unwrap().waiting, [id]);
}

#[test]
fn damaged_entries_have_their_code_and_are_left_alone() {
    let (_folder, spool, path) = spool();
    let id = spool.put(&entry(1)).unwrap();
    let file = path.join(file_name(&id));
    let good = fs::read(&file).unwrap();
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&good).unwrap();
        change(&mut value);
        fs::write(&file, serde_json::to_vec(&value).unwrap()).unwrap();
        code(spool.take(&id))
    };
    assert_eq!(broken(&|_| {}), "accepted");
    assert_eq!(broken(&|value| value["version"] = json!(2)), "spool.damaged");
    assert_eq!(broken(&|value| value["more"] = json!(1)), "spool.damaged");
    assert_eq!(broken(&|value| value["payload"] = json!("e30=")), "spool.damaged");
    assert_eq!(broken(&|value| value["payload"] = json!("e30")), "spool.damaged");
    assert_eq!(
        broken(&|value| value["publicKey"] = json!("AAAA")),
        "spool.damaged"
    );
    assert_eq!(broken(&|value| value["keyid"] = json!("")), "spool.damaged");
    assert_eq!(broken(&|value| value["bundle"] = json!("e30=")), "spool.damaged");
    assert_eq!(
        broken(&|value| value["destinations"] = json!([{"file": {"path": ""}}])),
        "spool.damaged"
    );
    assert_eq!(
        broken(&|value| value["destinations"] = json!([{"mail": {"to": "x"}}])),
        "spool.damaged"
    );
    for len in [0, 1, good.len() / 2, good.len() - 1] {
        fs::write(&file, &good[..len]).unwrap();
        assert_eq!(code(spool.take(&id)), "spool.damaged", "cut to {len}");
    }
    assert!(file.exists());
    // A good entry under another one's name.
    let other = entry(2).evidence_id();
    fs::write(path.join(file_name(&other)), &good).unwrap();
    assert_eq!(code(spool.take(&other)), "spool.other_name");
    // Files of others are listed and left alone.
    fs::write(path.join("notes.txt"), b"").unwrap();
    assert_eq!(spool.list().unwrap().foreign, ["notes.txt"]);
}

#[test]
fn a_full_spool_takes_nothing_more_and_can_still_be_drained() {
    let (_folder, spool, path) = spool();
    let id = spool.put(&entry(1)).unwrap();
    for number in 1..MAX_ENTRIES {
        fs::write(path.join(format!("{number}.spool.json")), b"").unwrap();
    }
    assert_eq!(code(spool.put(&entry(2))), "spool.full");
    taken(&spool, &id).complete().unwrap();
    assert_eq!(code(spool.put(&entry(2))), "accepted");
}

#[test]
fn entries_are_private_and_so_is_the_folder() {
    let (folder, spool, path) = spool();
    let id = spool.put(&entry(1)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join(file_name(&id))), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(code(Spool::open(&path)), "store.permissions");
    let target = folder.path().join("elsewhere");
    fs::create_dir(&target).unwrap();
    std::os::unix::fs::symlink(&target, folder.path().join("link")).unwrap();
    assert_eq!(code(Spool::open(&folder.path().join("link"))), "store.not_folder");
}
