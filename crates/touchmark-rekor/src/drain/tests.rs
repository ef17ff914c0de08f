//! Draining against logs that live in memory and fail on command.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use touchmark_http::{Deadline, HttpError};
use touchmark_sign::{PrivateKey, attestation};
use touchmark_statement::statement::SignedStatement;
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::entry::{InclusionProof, KindVersion, LogEntry};
use touchmark_tlog::merkle::Hash;
use touchmark_verify::key::KeyAlgorithm;

use super::*;
use crate::publisher::ApiVersion;
use crate::spool::{Destination, Entry, Keyless, Target};
use crate::submission::LogSubmission;

/// What a log in memory does with one submission.
#[derive(Debug, Clone, Copy)]
enum Does {
    Take,
    /// Takes the entry, but the answer is lost.
    TakeAndLose,
    FailFor(Duration),
    Refuse,
}

#[derive(Debug)]
struct Memory {
    id: Hash,
    script: Mutex<Vec<Does>>,
    entries: Mutex<Vec<Vec<u8>>>,
    asked: AtomicUsize,
}

impl Memory {
    fn new(id: u8, script: &[Does]) -> Arc<Self> {
        Arc::new(Memory {
            id: Hash::from_slice(&[id; 32]).unwrap(),
            script: Mutex::new(script.to_vec()),
            entries: Mutex::default(),
            asked: AtomicUsize::new(0),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn entries(&self) -> usize {
        self.entries.lock().unwrap().len()
    }
}

fn unreachable_log(retry: Option<u64>) -> PublishError {
    let text = retry.map(|seconds| seconds.to_string()).unwrap_or_default();
    PublishError::Http(HttpError::Status {
        url: "http://127.0.0.1:1/".parse().unwrap(),
        status: 503,
        retry_after: touchmark_http::RetryAfter::parse(&text, None, Duration::from_secs(120)),
    })
}

impl Publisher for Memory {
    fn publish(&self, submission: &LogSubmission, _deadline: Deadline) -> Result<LogEntry, PublishError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let does = {
            let mut script = self.script.lock().unwrap();
            if script.is_empty() {
                Does::Take
            } else {
                script.remove(0)
            }
        };
        let body = submission
            .create_entry_request()?
            .to_entry()
            .unwrap()
            .canonical_body();
        let log_index = match does {
            Does::FailFor(asked) => {
                return Err(unreachable_log((!asked.is_zero()).then_some(asked.as_secs())));
            }
            Does::Refuse => {
                return Err(PublishError::Refused {
                    status: 400,
                    message: "no".to_owned(),
                });
            }
            Does::Take | Does::TakeAndLose => {
                let mut entries = self.entries.lock().unwrap();
                // As a log does: the same entry again is the same entry.
                let known = entries.iter().position(|entry| *entry == body);
                known.unwrap_or_else(|| {
                    entries.push(body.clone());
                    entries.len() - 1
                }) as u64
            }
        };
        if matches!(does, Does::TakeAndLose) {
            return Err(unreachable_log(None));
        }
        Ok(LogEntry {
            log_index,
            log_id: self.id,
            kind: KindVersion::hashedrekord_v002(),
            integrated_time: None,
            inclusion_promise: None,
            inclusion_proof: Some(InclusionProof {
                log_index,
                root_hash: self.id,
                tree_size: 1000,
                hashes: Vec::new(),
                checkpoint: Some("unread".to_owned()),
            }),
            canonicalized_body: body,
        })
    }

    fn is_answer_of(&self, log_id: &Hash) -> bool {
        self.id == *log_id
    }
}

fn entry(number: u32, targets: Vec<Target>) -> Entry {
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
        targets,
        destinations: vec![Destination::File {
            path: PathBuf::from("/tmp/bundle.json"),
        }],
        bundle: None,
        queued_at: Timestamp::from_unix(1_700_000_000).unwrap(),
    }
}

fn service(number: u16, version: ApiVersion) -> Target {
    let url = format!("http://127.0.0.1:{number}/").parse().unwrap();
    Target::new(LogAddress::Service { url, version })
}

fn v2(number: u16) -> Target {
    service(number, ApiVersion::V2)
}

fn spool() -> (TempDir, Spool) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(&folder.path().join("spool")).unwrap();
    (folder, spool)
}

struct World {
    logs: Vec<(LogAddress, Arc<Memory>)>,
    now: i64,
    deadline: Duration,
}

impl World {
    fn new(logs: &[(u16, &Arc<Memory>)]) -> Self {
        World {
            logs: logs
                .iter()
                .map(|(number, log)| (v2(*number).log, Arc::clone(log)))
                .collect(),
            now: 1_700_000_100,
            deadline: Duration::from_secs(20),
        }
    }

    fn drain(&self, spool: &Spool) -> Vec<(EvidenceId, Settled<EvidenceId, ()>)> {
        let connect = |address: &LogAddress| -> Result<Arc<dyn Publisher>, PublishError> {
            // Version 1 and version 2 of the same address are the same log here.
            let LogAddress::Service { url, .. } = address else {
                return Err(unreachable_log(None));
            };
            let found = self
                .logs
                .iter()
                .find(|(known, _)| matches!(known, LogAddress::Service { url: known, .. } if known == url));
            found
                .map(|(_, log)| Arc::clone(log) as Arc<dyn Publisher>)
                .ok_or_else(|| unreachable_log(None))
        };
        let drain = Drain {
            connect: &connect,
            backoff: Backoff {
                first: Duration::from_millis(2),
                longest: Duration::from_millis(10),
                attempts: 3,
            },
            jitter: &|| 0.5,
            parallel: NonZeroUsize::new(4).unwrap(),
            deadline: Deadline::after(self.deadline),
            now: Timestamp::from_unix(self.now).unwrap(),
        };
        let ids = spool.list().unwrap().waiting;
        drain.run(spool, ids, |taken| {
            assert!(taken.entry().bundle.is_some(), "delivered without an answer");
            Ok(taken.id())
        })
    }
}

fn codes(settled: &[(EvidenceId, Settled<EvidenceId, ()>)]) -> Vec<&'static str> {
    settled
        .iter()
        .map(|(_, outcome)| match outcome {
            Settled::Finished(_) => "finished",
            Settled::Undelivered(()) => "undelivered",
            Settled::Waiting(error) => error.code(),
            Settled::Busy => "busy",
            Settled::Gone => "gone",
        })
        .collect()
}

#[test]
fn every_entry_is_published_once_and_leaves_the_spool() {
    let (_folder, spool) = spool();
    let log = Memory::new(1, &[]);
    for number in 0..20 {
        spool.put(&entry(number, vec![v2(1)])).unwrap();
    }
    let settled = World::new(&[(1, &log)]).drain(&spool);
    assert_eq!(codes(&settled), ["finished"; 20]);
    assert_eq!((log.asked(), log.entries()), (20, 20));
    assert!(spool.list().unwrap().waiting.is_empty());
    assert!(World::new(&[(1, &log)]).drain(&spool).is_empty());
}

#[test]
fn two_drains_at_once_publish_once() {
    let (folder, spool) = spool();
    let log = Memory::new(1, &[]);
    for number in 0..16 {
        spool.put(&entry(number, vec![v2(1)])).unwrap();
    }
    let world = World::new(&[(1, &log)]);
    let other = Spool::open(&folder.path().join("spool")).unwrap();
    let mut all = Vec::new();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| codes(&world.drain(&other)));
        all.extend(codes(&world.drain(&spool)));
        all.extend(second.join().unwrap());
    });
    assert_eq!(
        all.iter().filter(|code| **code == "finished").count(),
        16,
        "{all:?}"
    );
    assert!(
        all.iter().all(|code| ["finished", "busy", "gone"].contains(code)),
        "{all:?}"
    );
    assert_eq!((log.asked(), log.entries()), (16, 16));
}

#[test]
fn case_231_a_log_that_is_down_loses_nothing_and_is_asked_no_more_than_needed() {
    let (_folder, spool) = spool();
    let down = Memory::new(1, &[Does::FailFor(Duration::ZERO); 1000]);
    for number in 0..12 {
        spool.put(&entry(number, vec![v2(1)])).unwrap();
    }
    let settled = World::new(&[(1, &down)]).drain(&spool);
    assert_eq!(codes(&settled), ["http.status"; 12]);
    // Four workers may have been at it when the first gave up; nobody began afterwards.
    assert!(down.asked() <= 12, "{}", down.asked());
    assert_eq!(spool.list().unwrap().waiting.len(), 12);
    let up = Memory::new(1, &[]);
    assert_eq!(codes(&World::new(&[(1, &up)]).drain(&spool)), ["finished"; 12]);
    assert_eq!(up.entries(), 12);
}

#[test]
fn case_237_an_answer_that_is_lost_makes_no_second_entry() {
    let (_folder, spool) = spool();
    let log = Memory::new(1, &[Does::TakeAndLose, Does::FailFor(Duration::ZERO), Does::Take]);
    let id = spool.put(&entry(1, vec![v2(1)])).unwrap();
    assert_eq!(codes(&World::new(&[(1, &log)]).drain(&spool)), ["finished"]);
    assert_eq!((log.asked(), log.entries()), (3, 1));
    // A process that dies after the log took it, and one that dies after it kept the answer.
    spool.put(&entry(1, vec![v2(1)])).unwrap();
    assert_eq!(codes(&World::new(&[(1, &log)]).drain(&spool)), ["finished"]);
    assert_eq!(log.entries(), 1);
    assert!(matches!(spool.take(&id).unwrap(), Take::Gone));
}

#[test]
fn what_one_log_has_answered_is_not_asked_again_when_another_fails() {
    let (_folder, spool) = spool();
    let (first, second) = (Memory::new(1, &[]), Memory::new(2, &[Does::Refuse]));
    let id = spool.put(&entry(1, vec![v2(1), v2(2)])).unwrap();
    let world = World::new(&[(1, &first), (2, &second)]);
    assert_eq!(codes(&world.drain(&spool)), ["rekor.refused"]);
    let waiting = spool.peek(&id).unwrap().unwrap();
    assert_eq!(waiting.bundle.map(|bundle| bundle.tlog_entries.len()), Some(1));
    assert_eq!(codes(&world.drain(&spool)), ["finished"]);
    assert_eq!((first.asked(), second.asked()), (1, 2));
}

#[test]
fn two_services_of_one_log_do_not_count_as_two() {
    let (_folder, spool) = spool();
    let log = Memory::new(1, &[]);
    spool.put(&entry(1, vec![v2(1), v2(2)])).unwrap();
    let world = World::new(&[(1, &log), (2, &log)]);
    assert_eq!(codes(&world.drain(&spool)), ["rekor.same_log_twice"]);
    assert_eq!(spool.list().unwrap().waiting.len(), 1);
}

#[test]
fn the_deadline_holds_whatever_the_log_asks_for() {
    let (_folder, spool) = spool();
    let log = Memory::new(1, &[Does::FailFor(Duration::from_secs(60)); 10]);
    spool.put(&entry(1, vec![v2(1)])).unwrap();
    let mut world = World::new(&[(1, &log)]);
    world.deadline = Duration::from_millis(300);
    let started = Instant::now();
    assert_eq!(codes(&world.drain(&spool)), ["http.status"]);
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(
        log.asked(),
        1,
        "it was asked again before the time that it asked for"
    );
    world.deadline = Duration::ZERO;
    assert_eq!(codes(&world.drain(&spool)), ["spool.out_of_time"]);
}

fn keyless(timestamps: usize) -> Keyless {
    Keyless {
        certificate: vec![1],
        signer: entry(1, Vec::new()).evidence_id().signer,
        timestamps: vec![vec![2]; timestamps],
        expires_at: Timestamp::from_unix(1_700_000_600).unwrap(),
    }
}

#[test]
fn a_lapsed_certificate_needs_a_timestamp_and_a_log_without_a_time_of_its_own() {
    let drain = |now: i64| Drain {
        connect: &|_| Err(unreachable_log(None)),
        backoff: Backoff::default(),
        jitter: &|| 0.0,
        parallel: NonZeroUsize::new(1).unwrap(),
        deadline: Deadline::after(Duration::from_secs(1)),
        now: Timestamp::from_unix(now).unwrap(),
    };
    let judge = |now: i64, timestamps: usize, version: ApiVersion| {
        let target = service(1, version);
        let entry = Entry {
            keyless: Some(keyless(timestamps)),
            ..entry(1, vec![target.clone()])
        };
        drain(now)
            .refuse_lapsed(&entry, &target.log)
            .map_or_else(|error| error.code(), |()| "sent")
    };
    let (before, end, after) = (1_700_000_500, 1_700_000_600, 1_700_000_601);
    assert_eq!(judge(before, 0, ApiVersion::V2), "sent");
    assert_eq!(judge(end, 0, ApiVersion::V2), "sent");
    assert_eq!(judge(after, 0, ApiVersion::V2), "spool.certificate_lapsed");
    assert_eq!(judge(after, 1, ApiVersion::V2), "sent");
    assert_eq!(judge(before, 0, ApiVersion::V1), "sent");
    assert_eq!(judge(end, 1, ApiVersion::V1), "spool.certificate_lapsed");
    assert_eq!(judge(after, 1, ApiVersion::V1), "spool.certificate_lapsed");
}
