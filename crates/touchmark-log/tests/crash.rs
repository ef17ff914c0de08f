//! Processes that die, many processes at once, and disks that give out.
//!
//! The other processes are this test binary again: `other_process` does nothing unless it is told what to do.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and talks through its output"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{Numbers, TestKey, assert_clean, new_log, verify_entry};
use touchmark_log::{AddError, Log};
use touchmark_tlog::checkpoint::verify_note;
use touchmark_tlog::merkle::{Hash, leaf_hash, verify_consistency};

const ORDERS: &str = "LOG_TEST_ORDERS";
const THREADS: u64 = 4;

/// Runs this test binary again with these orders.
fn spawn(orders: &str) -> Child {
    command(orders).spawn().expect("this test binary again")
}

fn command(orders: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test binary"));
    command.args(["--exact", "other_process", "--nocapture", "--test-threads=1"]);
    command
        .env(ORDERS, orders)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// What a process was told of one entry: its index, its leaf hash, and the checkpoint.
struct Acknowledged {
    index: u64,
    leaf: Hash,
    note: String,
}

/// Reads the complete lines that a process wrote before it ended.
fn acknowledged(child: &mut Child) -> Vec<Acknowledged> {
    let mut entries = Vec::new();
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while output.read_line(&mut line).is_ok_and(|length| length > 0) {
        if let Some(words) = line
            .strip_prefix("ack ")
            .and_then(|words| words.strip_suffix('\n'))
        {
            let [index, leaf, note] = words
                .split(' ')
                .collect::<Vec<_>>()
                .try_into()
                .expect("three words");
            entries.push(Acknowledged {
                index: index.parse().expect("a number"),
                leaf: leaf.parse().expect("a hash"),
                note: note.replace('~', "\n").replace('_', " "),
            });
        }
        line.clear();
    }
    child.wait().expect("an end");
    entries
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "how a test process learns what it is to do"
)]
fn other_process() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    // The test harness has begun a line with the name of this test.
    println!();
    let [order, dir, name, count] = orders
        .split('|')
        .collect::<Vec<_>>()
        .try_into()
        .expect("four orders");
    let log = Arc::new(Log::open(Path::new(dir)).expect("a log"));
    let count: u64 = count.parse().expect("a number");
    match order {
        "append" => {
            let threads = (0..THREADS).map(|thread| {
                let (log, name) = (log.clone(), name.to_owned());
                thread::spawn(move || append(&log, &format!("{name}/{thread}"), count))
            });
            threads
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|thread| thread.join().expect("no panic"));
        }
        "same" => same(&log, count),
        "until-refused" => until_refused(&log, name, count),
        other => panic!("unknown order {other}"),
    }
}

/// Appends and says so; a line is written whole.
fn append(log: &Log, name: &str, count: u64) {
    let key = TestKey::new(1);
    for number in 0..count {
        let entry = log.add(&key.request(&format!("{name}/{number}"))).expect("room");
        let note = entry
            .inclusion_proof
            .and_then(|proof| proof.checkpoint)
            .expect("a checkpoint");
        let note = note.replace(' ', "_").replace('\n', "~");
        let line = format!(
            "ack {} {} {note}\n",
            entry.log_index,
            leaf_hash(&entry.canonicalized_body)
        );
        std::io::stdout()
            .lock()
            .write_all(line.as_bytes())
            .expect("a pipe");
    }
}

/// Adds what other processes add too.
fn same(log: &Log, count: u64) {
    let key = TestKey::new(1);
    for number in 0..count {
        let line = match log.add(&key.request(&format!("same/{number}"))) {
            Ok(entry) => format!("added {number} {}\n", entry.log_index),
            Err(AddError::Duplicate { index }) => format!("known {number} {index}\n"),
            Err(error) => panic!("{error}"),
        };
        std::io::stdout()
            .lock()
            .write_all(line.as_bytes())
            .expect("a pipe");
    }
}

/// Appends until the log cannot, and says with which code it could not; then reads everything again.
fn until_refused(log: &Log, name: &str, count: u64) {
    let key = TestKey::new(1);
    for number in 0..count {
        let request = key.request(&format!("{name}/{number}"));
        match log.add(&request) {
            Ok(entry) => println!("added {}", entry.log_index),
            Err(error) => {
                println!("refused {}", error.code());
                // The same answer again, and everything that was acknowledged is still there.
                println!("refused {}", log.add(&request).expect_err("no room").code());
                for index in 0..log.checkpoint().expect("readable").size() {
                    log.get(index).expect("readable");
                }
                return;
            }
        }
    }
}

/// Lines that begin with one of these words, without it.
fn lines_with(child: &mut Child, word: &str) -> Vec<String> {
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let lines: Vec<String> = output.lines().map_while(Result::ok).collect();
    assert!(child.wait().expect("an end").success(), "{lines:?}");
    lines
        .iter()
        .filter_map(|line| line.strip_prefix(word))
        .map(str::to_owned)
        .collect()
}

fn assert_consistent(log: &Log, note: &str) {
    let old = verify_note(note.as_bytes(), log.origin(), log.verifier_key()).expect("signed by this log");
    let (proof, new) = log.consistency(old.size()).expect("a proof");
    verify_consistency(old.size(), new.size(), &proof, old.root(), new.root()).expect("consistent");
}

#[test]
fn a_log_survives_being_killed_at_any_instant() {
    let dir = tempfile::tempdir().unwrap();
    let path = new_log(dir.path()).dir().to_owned();
    let mut delays = Numbers(0x746f_7563_686d_6172);
    let mut everything = BTreeMap::new();
    let mut notes = BTreeSet::new();
    for round in 0..200 {
        let mut child = spawn(&format!("append|{}|{round}|1000000", path.display()));
        thread::sleep(Duration::from_micros(3_000 + delays.below(120_000)));
        child.kill().expect("a process");
        let acknowledged = acknowledged(&mut child);

        let log = Log::open(&path).expect("opens after every kill");
        let size = log.checkpoint().unwrap().size();
        for entry in acknowledged {
            assert!(
                entry.index < size,
                "entry {} was acknowledged, but the log has {size}",
                entry.index
            );
            assert_eq!(
                leaf_hash(&log.get(entry.index).unwrap().canonicalized_body),
                entry.leaf
            );
            if notes.insert(entry.note.clone()) {
                assert_consistent(&log, &entry.note);
            }
            assert_eq!(
                everything.insert(entry.index, entry.leaf),
                None,
                "an index was given twice"
            );
        }
        // The next writer clears up and goes on.
        let request = TestKey::new(1).request(&format!("between/{round}"));
        verify_entry(&log, &log.add(&request).unwrap(), &request);
    }
    let log = Log::open(&path).unwrap();
    let size = log.checkpoint().unwrap().size();
    assert!(
        everything.len() > 200,
        "only {} entries were acknowledged",
        everything.len()
    );
    println!(
        "{size} entries, {} acknowledged to killed processes, {} checkpoints",
        everything.len(),
        notes.len()
    );
    notes.iter().for_each(|note| assert_consistent(&log, note));
    assert_clean(&log, size);
}

#[test]
fn processes_and_threads_append_together() {
    const PROCESSES: u64 = 4;
    const EACH: u64 = 40;
    let dir = tempfile::tempdir().unwrap();
    let log = new_log(dir.path());
    let orders = |process| format!("append|{}|process{process}|{EACH}", log.dir().display());
    let children: Vec<Child> = (0..PROCESSES).map(|process| spawn(&orders(process))).collect();
    let mut indices = BTreeSet::new();
    for mut child in children {
        for entry in acknowledged(&mut child) {
            assert!(
                indices.insert(entry.index),
                "index {} was given twice",
                entry.index
            );
            assert_eq!(
                leaf_hash(&log.get(entry.index).unwrap().canonicalized_body),
                entry.leaf
            );
            assert_consistent(&log, &entry.note);
        }
    }
    assert_eq!(indices, (0..PROCESSES * THREADS * EACH).collect());
    assert_clean(&log, PROCESSES * THREADS * EACH);
}

#[test]
fn processes_that_add_the_same_make_one_entry() {
    let dir = tempfile::tempdir().unwrap();
    let log = new_log(dir.path());
    let children: Vec<Child> = (0..4)
        .map(|_| spawn(&format!("same|{}|x|60", log.dir().display())))
        .collect();
    let (mut added, mut known) = (BTreeMap::new(), Vec::new());
    for mut child in children {
        let output = BufReader::new(child.stdout.take().unwrap());
        for line in output.lines().map_while(Result::ok) {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["added", number, index] => {
                    assert_eq!(
                        added.insert(number.to_owned(), index.to_owned()),
                        None,
                        "added twice"
                    );
                }
                ["known", number, index] => known.push((number.to_owned(), index.to_owned())),
                _ => {}
            }
        }
        assert!(child.wait().unwrap().success());
    }
    assert_eq!((added.len(), known.len()), (60, 180));
    for (number, index) in known {
        assert_eq!(added[&number], index);
    }
    assert_clean(&log, 60);
}

#[test]
fn threads_share_batches() {
    let dir = tempfile::tempdir().unwrap();
    let log = Arc::new(new_log(dir.path()));
    let threads: Vec<_> = (0..16_u64)
        .map(|name| {
            let log = log.clone();
            thread::spawn(move || {
                let key = TestKey::new(1);
                (0..20_u64)
                    .map(|number| {
                        let request = key.request(&format!("{name}/{number}"));
                        let entry = log.add(&request).unwrap();
                        verify_entry(&log, &entry, &request);
                        entry.inclusion_proof.unwrap().tree_size
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let sizes: BTreeSet<u64> = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect();
    assert_clean(&log, 320);
    assert!(sizes.len() < 320, "every entry had a checkpoint of its own");
}

#[test]
fn a_full_disk_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (new_log(dir.path()), TestKey::new(1));
    let full = log.dir().join(".private/tmp/0");
    for number in 0..5 {
        let request = key.request(&format!("message {number}"));
        if number > 0 {
            // The next unfinished file is written to a device that is always full.
            symlink("/dev/full", &full).unwrap();
            let before = log.checkpoint().unwrap();
            assert_eq!(log.add(&request).unwrap_err().code(), "log.storage_full");
            assert_eq!(log.checkpoint().unwrap(), before);
            assert!(!full.exists());
        }
        verify_entry(&log, &log.add(&request).unwrap(), &request);
    }
    assert_clean(&log, 5);
}

#[test]
fn case_212_a_limit_on_file_size_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = new_log(dir.path());
    let child = command(&format!("until-refused|{}|limited|1000", log.dir().display()));
    // The shell sets the limit (in blocks of 512 bytes) and has the signal ignored, so that writing fails instead.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 40; exec \"$0\" \"$@\""]);
    limited.arg(child.get_program()).args(child.get_args());
    limited.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = limited.stderr(Stdio::piped()).output().unwrap();
    let output_text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{output_text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let of = |word: &str| -> Vec<&str> {
        output_text
            .lines()
            .filter_map(|line| line.strip_prefix(word))
            .collect()
    };
    let added = of("added ").len() as u64;
    assert_eq!(
        of("refused "),
        ["log.storage_full", "log.storage_full"],
        "after {added} entries"
    );
    assert!(added > 5, "{added}");
    assert_clean(&log, added);
    // Without the limit the log goes on.
    let request = TestKey::new(1).request(&format!("limited/{added}"));
    assert_eq!(log.add(&request).unwrap().log_index, added);
    assert_clean(&log, added + 1);
}

#[test]
fn a_directory_that_cannot_be_written_can_be_read() {
    const NOBODY: u32 = 65534;
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (new_log(dir.path()), TestKey::new(1));
    for number in 0..3 {
        log.add(&key.request(&format!("message {number}"))).unwrap();
    }
    let superuser = fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    each_file(log.dir(), &|path, is_dir| {
        if superuser {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        if is_dir {
            fs::set_permissions(path, fs::Permissions::from_mode(0o500)).unwrap();
        }
    });
    let mut other = command(&format!("until-refused|{}|refused|1", log.dir().display()));
    if superuser {
        // Modes do not bind the superuser.
        other.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    let refused = lines_with(&mut other.spawn().unwrap(), "refused ");
    each_file(log.dir(), &|path, is_dir| {
        if is_dir {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        }
    });
    assert_eq!(refused, ["log.read_only", "log.read_only"]);
    assert_clean(&Log::open(log.dir()).unwrap(), 3);
}

/// Visits a directory's files first and itself last, so that it stays readable meanwhile.
fn each_file(path: &Path, visit: &dyn Fn(&Path, bool)) {
    let is_dir = path.is_dir();
    if is_dir {
        let readable = fs::Permissions::from_mode(0o700);
        fs::set_permissions(path, readable).unwrap();
        for entry in fs::read_dir(path).unwrap() {
            each_file(&entry.unwrap().path(), visit);
        }
    }
    visit(path, is_dir);
}
