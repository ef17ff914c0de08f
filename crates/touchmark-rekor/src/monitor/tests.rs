//! A log of our own that can be made to lie, and a monitor that looks at it.

use std::cell::{Cell, RefCell};
use std::path::Path;

use ed25519_dalek::{Signer as _, SigningKey};
use p256::pkcs8::EncodePublicKey as _;
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::checkpoint::Checkpoint;
use touchmark_tlog::entry::{EntryVerifier, HashAlgorithm, HashedRekordV002, KeyDetails, VerifierMaterial};
use touchmark_tlog::merkle::{Hash, inclusion_path, leaf_hash, root_of};
use touchmark_tlog::note::{Note, SignatureLine, VerifierKey};
use touchmark_tlog::prove::{TileSource, consistency};
use touchmark_tlog::tile::TILE_WIDTH;
use touchmark_verify::key::KeyFingerprint;
use touchmark_verify::trust::{TrustedLog, TrustedRoot};

use super::*;

const ORIGIN: &str = "log.example.test";
const NOW: i64 = 1_790_000_000;

/// A log in memory. What it signs and what it shows can be made to differ.
struct FakeLog {
    key: SigningKey,
    entries: RefCell<Vec<Vec<u8>>>,
    /// The entries that are shown, where they are not those that are signed.
    shown: RefCell<Option<Vec<Vec<u8>>>>,
    /// Reads that succeed before the network fails.
    reads_left: Cell<u64>,
    batch: usize,
}

struct Leaves(Vec<Hash>);

impl TileSource for Leaves {
    type Error = std::convert::Infallible;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error> {
        let leaves = 1_usize << (8 * u32::from(level));
        let first = index as usize * usize::from(TILE_WIDTH) * leaves;
        let nodes = self.0[first..].chunks_exact(leaves).take(usize::from(width));
        Ok(nodes.map(root_of).collect())
    }
}

impl FakeLog {
    fn new(entries: Vec<Vec<u8>>) -> Self {
        Self {
            key: SigningKey::from_bytes(&[7; 32]),
            entries: RefCell::new(entries),
            shown: RefCell::new(None),
            reads_left: Cell::new(u64::MAX),
            batch: 5,
        }
    }

    fn trusted(&self) -> TrustedLog {
        let key = VerifierKey::ed25519(ORIGIN, self.key.verifying_key().as_bytes()).unwrap();
        let start = Timestamp::from_unix(NOW - 1_000_000).unwrap();
        let json = format!(
            r#"{{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{{"baseUrl":"https://{ORIGIN}","hashAlgorithm":"SHA2_256","publicKey":{{"rawBytes":"{}","keyDetails":"PKIX_ED25519","validFor":{{"start":"{start}"}}}},"logId":{{"keyId":"{}"}}}}]}}"#,
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key.spki_der()),
            key.log_id().to_base64(),
        );
        TrustedRoot::parse(json.as_bytes()).unwrap().logs()[0].clone()
    }

    fn leaves(&self) -> Vec<Hash> {
        self.entries
            .borrow()
            .iter()
            .map(|entry| leaf_hash(entry))
            .collect()
    }

    fn push(&self, entry: Vec<u8>) {
        self.entries.borrow_mut().push(entry);
    }

    fn read(&self) -> Result<(), ReadError> {
        let left = self.reads_left.get();
        self.reads_left.set(left.saturating_sub(1));
        if left == 0 {
            return Err(ReadError::new(
                "anything",
                "network.unreachable",
                "the cable is out",
            ));
        }
        Ok(())
    }
}

impl LogReader for FakeLog {
    fn checkpoint(&self) -> Result<Vec<u8>, ReadError> {
        self.read()?;
        let leaves = self.leaves();
        let text = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: leaves.len() as u64,
            root: root_of(&leaves),
            extensions: Vec::new(),
        }
        .encode();
        let key = VerifierKey::ed25519(ORIGIN, self.key.verifying_key().as_bytes()).unwrap();
        let line = SignatureLine::new(&key, self.key.sign(text.as_bytes()).to_bytes().to_vec());
        Ok(Note::new(text, vec![line]).unwrap().encode().into_bytes())
    }

    fn entries(&self, start: u64, size: u64) -> Result<Vec<Vec<u8>>, ReadError> {
        self.read()?;
        let shown = self
            .shown
            .borrow()
            .clone()
            .unwrap_or_else(|| self.entries.borrow().clone());
        let end = (start as usize + self.batch).min(size as usize).min(shown.len());
        Ok(shown.get(start as usize..end).unwrap_or_default().to_vec())
    }

    fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, ReadError> {
        self.read()?;
        Ok(consistency(&Leaves(self.leaves()), old, new).unwrap())
    }

    fn last_leaf(&self, size: u64) -> Result<ProvenLeaf, ReadError> {
        self.read()?;
        let leaves = self.leaves();
        let last = size as usize - 1;
        Ok(ProvenLeaf {
            leaf: leaves[last],
            tree_size: leaves.len() as u64,
            proof: inclusion_path(&leaves, last).unwrap(),
        })
    }
}

fn spki(seed: u8) -> Vec<u8> {
    let key = p256::SecretKey::from_slice(&[seed; 32]).unwrap();
    key.public_key().to_public_key_der().unwrap().into_vec()
}

/// The body of an entry by the key of this seed.
fn entry(seed: u8, digest: u8) -> Vec<u8> {
    HashedRekordV002 {
        hash: HashAlgorithm::Sha256,
        digest: vec![digest; 32],
        signature: vec![0x30, 6, 2, 1, 1, 2, 1, 1],
        verifier: EntryVerifier {
            key_details: KeyDetails::EcdsaP256Sha256,
            material: VerifierMaterial::PublicKey(spki(seed)),
        },
    }
    .canonical_body()
}

fn watch_for(seed: u8) -> Watch {
    let mut watch = Watch::new();
    watch.key(KeyFingerprint::of_spki(&spki(seed)), "payments-fixer");
    watch
}

struct Run {
    report: Result<LogReport, FollowError<StoreError>>,
    settled: Settled,
}

/// One run of the monitor with the records in `folder`.
fn run(folder: &Path, log: &FakeLog, change: impl FnOnce(&mut Monitor<'_>)) -> Run {
    let store = Store::open(folder).unwrap();
    let (watch, explained) = (watch_for(1), Explained::new());
    let root = TrustedRoot::from_logs(vec![log.trusted()]).unwrap();
    let mut monitor = Monitor {
        store: &store,
        watch: &watch,
        explained: &explained,
        root: &root,
        now: Timestamp::from_unix(NOW).unwrap(),
        grace: 0,
        start: Start::Beginning,
        limit: Limit {
            entries: u64::MAX,
            deadline: None,
        },
        keep_explained: 10_000,
    };
    change(&mut monitor);
    Run {
        report: monitor.follow(&log.trusted(), log),
        settled: monitor.settle().unwrap(),
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .tempdir()
        .unwrap()
}

/// 23 entries, of which 4 and 17 are by the key that is looked for.
fn mixed() -> Vec<Vec<u8>> {
    (0..23_u8)
        .map(|i| entry(if i == 4 || i == 17 { 1 } else { 2 }, i))
        .collect()
}

#[test]
fn entries_by_our_key_without_evidence_are_alerts() {
    let (dir, log) = (folder(), FakeLog::new(mixed()));
    let first = run(dir.path(), &log, |_| {});
    let report = first.report.unwrap();
    assert_eq!(
        (report.size, report.judged, report.judged_now, report.matched),
        (23, 23, 23, 2)
    );
    let indices: Vec<u64> = first.settled.new.iter().map(|finding| finding.index).collect();
    assert_eq!(indices, [4, 17]);
    assert_eq!(first.settled.new[0].principal, "payments-fixer");
    assert_eq!(
        first.settled.new[0].digest.as_deref(),
        Some(format!("sha256:{}", "04".repeat(32)).as_str())
    );
    // The next run has nothing new to tell, but they stay open.
    let second = run(dir.path(), &log, |_| {});
    assert_eq!(second.report.unwrap().judged_now, 0);
    assert_eq!((second.settled.new.len(), second.settled.open.len()), (0, 2));
}

#[test]
fn a_log_followed_from_now_on_is_judged_from_there() {
    let (dir, log) = (folder(), FakeLog::new(mixed()));
    let now = |monitor: &mut Monitor<'_>| monitor.start = Start::Now;
    let first = run(dir.path(), &log, now);
    assert_eq!(first.report.unwrap().judged_now, 0);
    log.push(entry(2, 50));
    log.push(entry(1, 51));
    let second = run(dir.path(), &log, now);
    assert_eq!(second.report.unwrap().judged_now, 2);
    assert_eq!(second.settled.new.len(), 1);
    assert_eq!(second.settled.new[0].index, 24);
}

#[test]
fn a_tree_that_a_known_log_opens_is_read_from_its_beginning() {
    let (dir, log) = (folder(), FakeLog::new(mixed()));
    for expected in [Start::Now, Start::Beginning] {
        run(dir.path(), &log, |monitor| {
            monitor.start = Start::Now;
            *monitor = monitor.clone().begin(&log.trusted()).unwrap();
            assert_eq!(monitor.start, expected);
        });
    }
}

#[test]
fn an_entry_waits_for_its_evidence_before_it_is_an_alert() {
    let (dir, log) = (folder(), FakeLog::new(mixed()));
    let first = run(dir.path(), &log, |monitor| monitor.grace = 600);
    assert_eq!((first.settled.new.len(), first.settled.waiting), (0, 2));
    let later = |seconds| {
        move |monitor: &mut Monitor<'_>| {
            monitor.grace = 600;
            monitor.now = Timestamp::from_unix(NOW + seconds).unwrap();
        }
    };
    assert_eq!(run(dir.path(), &log, later(599)).settled.new.len(), 0);
    assert_eq!(run(dir.path(), &log, later(600)).settled.new.len(), 2);
}

#[test]
fn a_limited_run_goes_on_where_the_last_one_ended() {
    let (dir, log) = (folder(), FakeLog::new(mixed()));
    let mut judged = Vec::new();
    for _ in 0..4 {
        let report = run(dir.path(), &log, |monitor| monitor.limit.entries = 7)
            .report
            .unwrap();
        judged.push(report.judged);
    }
    assert_eq!(judged, [7, 14, 21, 23]);
    assert_eq!(run(dir.path(), &log, |_| {}).settled.open.len(), 2);
}

#[test]
fn a_run_whose_time_is_over_begins_no_batch_and_loses_nothing() {
    let (dir, log) = (folder(), FakeLog::new(mixed()));
    let over = touchmark_http::Deadline::after(std::time::Duration::ZERO);
    let first = run(dir.path(), &log, |monitor| monitor.limit.deadline = Some(over));
    assert_eq!(first.report.unwrap().judged, 0);
    assert_eq!(run(dir.path(), &log, |_| {}).settled.open.len(), 2);
}

#[test]
fn a_run_cut_off_at_any_read_is_repeated_with_the_same_result() {
    let reference = folder();
    let whole = run(reference.path(), &FakeLog::new(mixed()), |_| {});
    let expected = whole.settled.open;
    for cut in 0..14 {
        let (dir, log) = (folder(), FakeLog::new(mixed()));
        log.reads_left.set(cut);
        let _ = run(dir.path(), &log, |_| {});
        log.reads_left.set(u64::MAX);
        let again = run(dir.path(), &log, |_| {});
        assert_eq!(again.report.unwrap().judged, 23, "cut after {cut} reads");
        assert_eq!(again.settled.open, expected, "cut after {cut} reads");
        for name in ["position", "finding"] {
            assert_eq!(
                files(dir.path(), name),
                files(reference.path(), name),
                "cut after {cut} reads"
            );
        }
    }
}

/// Name and contents of every record of this kind.
fn files(dir: &Path, kind: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(&format!("{kind}.json")))
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read(path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

/// Follows a good log once, changes it, and expects an alarm with both of its words kept.
fn expect_alarm(change: impl FnOnce(&FakeLog), code: &str) {
    let (dir, log) = (folder(), FakeLog::new(mixed()));
    run(dir.path(), &log, |_| {}).report.unwrap();
    let kept = files(dir.path(), "position");
    change(&log);
    let Err(FollowError::Alarm(alarm)) = run(dir.path(), &log, |_| {}).report else {
        panic!("expected the alarm {code}");
    };
    assert_eq!(alarm.code, code);
    let recorded = files(dir.path(), "alarm");
    let recorded = String::from_utf8(recorded[0].1.clone()).unwrap();
    assert!(
        recorded.contains(code) && recorded.contains("\"kept\""),
        "{recorded}"
    );
    if code != "monitor.not_included" && code != "monitor.entries_missing" {
        assert!(alarm.current.is_some());
        assert_eq!(
            files(dir.path(), "position"),
            kept,
            "the kept checkpoint must stay"
        );
    }
}

#[test]
fn case_101_a_log_that_goes_back_is_an_alarm() {
    expect_alarm(
        |log| {
            log.entries.borrow_mut().pop();
        },
        "tlog.rollback",
    );
}

#[test]
fn case_100_two_roots_for_one_size_are_an_alarm() {
    expect_alarm(
        |log| log.entries.borrow_mut()[3] = entry(2, 99),
        "tlog.split_view",
    );
}

#[test]
fn case_101_a_history_written_anew_is_an_alarm() {
    expect_alarm(
        |log| {
            log.entries.borrow_mut()[3] = entry(2, 99);
            log.push(entry(2, 100));
        },
        "tlog.not_extended",
    );
}

#[test]
fn entries_other_than_those_signed_are_an_alarm_and_not_judged() {
    expect_alarm(
        |log| {
            log.push(entry(1, 60));
            // The log hides that our key signed.
            let mut shown = log.entries.borrow().clone();
            shown[23] = entry(2, 60);
            *log.shown.borrow_mut() = Some(shown);
        },
        "monitor.not_included",
    );
}

#[test]
fn entries_that_are_withheld_are_an_alarm() {
    expect_alarm(
        |log| {
            let shown = log.entries.borrow().clone();
            log.push(entry(1, 60));
            *log.shown.borrow_mut() = Some(shown);
        },
        "monitor.entries_missing",
    );
}

#[test]
fn a_false_start_is_an_alarm() {
    let (dir, log) = (folder(), FakeLog::new(mixed()));
    struct Lying<'a>(&'a FakeLog);
    impl LogReader for Lying<'_> {
        fn checkpoint(&self) -> Result<Vec<u8>, ReadError> {
            self.0.checkpoint()
        }
        fn entries(&self, start: u64, size: u64) -> Result<Vec<Vec<u8>>, ReadError> {
            self.0.entries(start, size)
        }
        fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, ReadError> {
            self.0.consistency(old, new)
        }
        fn last_leaf(&self, size: u64) -> Result<ProvenLeaf, ReadError> {
            let leaf = leaf_hash(b"another");
            self.0.last_leaf(size).map(|proven| ProvenLeaf { leaf, ..proven })
        }
    }
    let store = Store::open(dir.path()).unwrap();
    let (watch, explained) = (watch_for(1), Explained::new());
    let root = TrustedRoot::from_logs(vec![log.trusted()]).unwrap();
    let monitor = Monitor {
        store: &store,
        watch: &watch,
        explained: &explained,
        root: &root,
        now: Timestamp::from_unix(NOW).unwrap(),
        grace: 0,
        start: Start::Now,
        limit: Limit {
            entries: u64::MAX,
            deadline: None,
        },
        keep_explained: 10_000,
    };
    let Err(FollowError::Alarm(alarm)) = monitor.follow(&log.trusted(), &Lying(&log)) else {
        panic!("a start that leads elsewhere must not be believed");
    };
    assert_eq!(alarm.code, "monitor.not_included");
    assert!(files(dir.path(), "position").is_empty());
}

#[test]
fn a_checkpoint_of_another_key_is_refused() {
    let (dir, log) = (folder(), FakeLog::new(mixed()));
    let trusted = log.trusted();
    let mut other = FakeLog::new(mixed());
    other.key = SigningKey::from_bytes(&[8; 32]);
    let store = Store::open(dir.path()).unwrap();
    let (watch, explained) = (watch_for(1), Explained::new());
    let root = TrustedRoot::from_logs(vec![trusted.clone()]).unwrap();
    let monitor = Monitor {
        store: &store,
        watch: &watch,
        explained: &explained,
        root: &root,
        now: Timestamp::from_unix(NOW).unwrap(),
        grace: 0,
        start: Start::Beginning,
        limit: Limit {
            entries: u64::MAX,
            deadline: None,
        },
        keep_explained: 10_000,
    };
    assert!(matches!(
        monitor.follow(&trusted, &other),
        Err(FollowError::Checkpoint(_))
    ));
    assert!(files(dir.path(), "position").is_empty());
}

#[test]
fn entries_that_cannot_be_read_are_counted() {
    let dir = folder();
    let log = FakeLog::new(vec![
        b"{\"apiVersion\":\"0.0.1\",\"kind\":\"rpm\",\"spec\":{}}".to_vec(),
        b"{\"apiVersion\":\"0.0.1\",\"kind\":\"rpm\",\"spec\":{\"x\":1}}".to_vec(),
        b"not json".to_vec(),
        entry(1, 1),
    ]);
    let report = run(dir.path(), &log, |_| {}).report.unwrap();
    let counted: Vec<_> = report.not_checked.into_iter().collect();
    assert_eq!(
        counted,
        [("rpm 0.0.1".to_owned(), 2), ("unreadable".to_owned(), 1)]
    );
    assert_eq!(report.matched, 1);
}

#[test]
fn a_person_can_close_an_alert_and_it_stays_closed() {
    let (dir, log) = (folder(), FakeLog::new(mixed()));
    let open = run(dir.path(), &log, |_| {}).settled.open;
    let store = Store::open(dir.path()).unwrap();
    let mut finding = store.finding(&open[0].id().unwrap()).unwrap();
    finding.status = Status::Acknowledged;
    finding.note = Some("a test of ours".to_owned());
    store.replace(&finding).unwrap();
    drop(store);
    let settled = run(dir.path(), &log, |_| {}).settled;
    assert_eq!((settled.new.len(), settled.open.len()), (0, 1));
}

#[test]
fn two_monitors_do_not_share_records() {
    let dir = folder();
    let held = Store::open(dir.path()).unwrap();
    assert_eq!(Store::open(dir.path()).unwrap_err().code(), "monitor.busy");
    drop(held);
    assert!(Store::open(dir.path()).is_ok());
}

#[test]
fn a_position_that_was_tampered_with_is_not_gone_on_from() {
    let (dir, log) = (folder(), FakeLog::new(mixed()));
    run(dir.path(), &log, |monitor| monitor.limit.entries = 7)
        .report
        .unwrap();
    let (name, good) = files(dir.path(), "position").remove(0);
    let good = String::from_utf8(good).unwrap();
    for bad in [
        good.replace("\"judged\": 7", "\"judged\": 8"),
        good.replace("\"judged\": 7", "\"judged\": 70"),
        good.replace("\"version\": 1", "\"version\": 2"),
        good.replace("\\n23\\n", "\\n24\\n"),
        good[..good.len() / 2].to_owned(),
    ] {
        assert_ne!(bad, good);
        std::fs::write(dir.path().join(&name), &bad).unwrap();
        let Err(FollowError::Keep(error)) = run(dir.path(), &log, |_| {}).report else {
            panic!("accepted {bad}");
        };
        assert_eq!(error.code(), "monitor.position_unusable");
    }
}
