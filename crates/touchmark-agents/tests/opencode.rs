//! OpenCode: the made-up sessions of `testdata/sessions/opencode`, a real recording, a run of the real program, and
//! databases that were cut, damaged or built to do harm.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::disallowed_methods,
    reason = "how much is tried is a variable's to say"
)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use touchmark_agents::importer::{self, Importer, Places};
use touchmark_agents::opencode::OpenCode;
use touchmark_agents::run::{
    CommandKind, Completeness, Finding, PromptOrigin, PromptPart, Relation, Role, StepKind, StepState,
    ToolKind,
};
use touchmark_agents::session::{ImportOptions, Session};

use support::{origins, recordings, tokens};

const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions/opencode");
const MAIN: &str = "ses_0000000000fixture0000000main";
const CHILD: &str = "ses_0000000001fixture000000child";
const OLDER: &str = "ses_0000000002fixture000000older";

fn options(session: Option<&str>) -> ImportOptions {
    ImportOptions {
        session_id: session.map(str::to_owned),
        ..ImportOptions::default()
    }
}

fn load(path: &Path, session: Option<&str>) -> Session {
    OpenCode.load(path, &options(session)).unwrap()
}

/// Makes the database of the fixture, and runs more statements in it.
fn database(folder: &Path, more: &str) -> PathBuf {
    let path = folder.join("opencode.db");
    let connection = Connection::open(&path).unwrap();
    let statements = std::fs::read_to_string(Path::new(SESSIONS).join("sessions.sql")).unwrap();
    connection.execute_batch(&statements).unwrap();
    connection.execute_batch(more).unwrap();
    connection.close().unwrap();
    path
}

/// Cost, then the tokens by kind, then requests.
fn counted(session: &Session) -> (Option<&str>, [Option<u64>; 5]) {
    (
        session.run.cost.as_ref().map(|cost| cost.amount.as_str()),
        tokens(&session.run.usage),
    )
}

#[test]
fn the_newest_session_with_its_sub_agents() {
    let folder = tempfile::tempdir().unwrap();
    let session = load(&database(folder.path(), ""), None);
    let run = &session.run;
    assert_eq!(run.session_id.as_deref(), Some(MAIN));
    assert_eq!(run.completeness, Completeness::Whole);
    assert_eq!((run.counters.unknown, run.counters.malformed), (0, 0));
    assert_eq!(run.product.versions, ["1.18.33"]);
    assert_eq!(run.working_directories, ["/home/ada/greeter"]);
    assert_eq!(
        origins(&session.run),
        [PromptOrigin::Human, PromptOrigin::Injected, PromptOrigin::Agent]
    );
    assert!(matches!(&run.prompts[0].parts[1], PromptPart::Other { kind, .. } if kind == "file"));
    // The message's own row has the tokens of its last request; each `step-finish` has those of its own.
    // (4 + 10) + 3, (36 + 40) + 5, (1000 + 900) + 0, (200 + 0) + 0; costs 0.002 + 0.0005.
    assert_eq!(
        counted(&session),
        (
            Some("0.0025"),
            [Some(17), Some(81), Some(1_900), Some(200), Some(3)]
        )
    );
    assert!(run.findings.is_empty());
    let calls: Vec<(&str, u64, u64, u64)> = run
        .tools
        .iter()
        .map(|(name, tool)| (name.as_str(), tool.calls, tool.failures, tool.unanswered))
        .collect();
    assert_eq!(
        calls,
        [
            ("bash", 4, 1, 1),
            ("edit", 1, 1, 0),
            ("mcp__tracker__create_issue", 1, 0, 0),
            ("task", 1, 0, 0),
            ("write", 1, 0, 0)
        ]
    );
    assert_eq!(run.tools["mcp__tracker__create_issue"].kind, ToolKind::Mcp);
    let commands: Vec<(CommandKind, Option<i32>, Option<bool>, Role)> = run
        .commands
        .iter()
        .map(|command| (command.kind, command.exit_code, command.failed, command.role))
        .collect();
    assert_eq!(
        commands,
        [
            (CommandKind::Test, Some(101), Some(true), Role::Primary),
            (CommandKind::Test, Some(0), Some(false), Role::Primary),
            (CommandKind::Other, None, None, Role::Primary),
            (CommandKind::Other, Some(0), Some(false), Role::Subagent)
        ]
    );
    let written: Vec<&String> = run.written.keys().collect();
    assert_eq!(
        written,
        [
            "/home/ada/greeter/src/lib.rs",
            "/home/ada/greeter/tests/greeting.rs"
        ]
    );
    let helper = &run.subagents[CHILD];
    assert_eq!(
        (
            helper.agent_type.as_deref(),
            helper.tool_use_id.as_deref(),
            helper.steps
        ),
        (Some("general"), Some("call_7"), 8)
    );
    let names: Vec<&str> = session.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, [format!("{MAIN}.jsonl"), format!("{CHILD}.jsonl")]);
}

#[test]
fn a_session_by_name_that_was_summed_up_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let session = load(&database(folder.path(), ""), Some(OLDER));
    let run = &session.run;
    assert_eq!(run.session_id.as_deref(), Some(OLDER));
    assert_eq!(run.structure.compactions, 1);
    assert_eq!(
        origins(&session.run),
        [
            PromptOrigin::Injected,
            PromptOrigin::Compaction,
            PromptOrigin::Human
        ]
    );
    assert!(run.prompts[2].rewound && !run.prompts[1].rewound);
    let rewound = run
        .steps
        .iter()
        .filter(|step| step.state == StepState::Rewound)
        .count();
    assert_eq!(rewound, 4);

    let child = load(&database(tempfile::tempdir().unwrap().path(), ""), Some(CHILD)).run;
    let parent = child.parent.unwrap();
    assert_eq!(
        (parent.session_id.as_str(), parent.relation),
        (MAIN, Relation::Subagent)
    );
}

#[test]
fn a_session_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = OpenCode
        .load(&database(folder.path(), ""), &options(Some("ses_other")))
        .unwrap_err();
    assert_eq!(error.code(), "session.not_held");
}

#[test]
fn the_export_says_what_the_database_says() {
    let folder = tempfile::tempdir().unwrap();
    let database = load(&database(folder.path(), ""), None).run;
    let export = importer::load(
        &Path::new(SESSIONS).join("export.json"),
        &ImportOptions::default(),
    )
    .unwrap();
    let run = &export.run;
    assert_eq!(run.session_id, database.session_id);
    assert_eq!(run.completeness, Completeness::Whole);
    let primary =
        |run: &touchmark_agents::run::Run| run.models[&("claude-opus-4-5".to_owned(), Role::Primary)].usage;
    assert_eq!(primary(run), primary(&database));
    assert_eq!(run.written, database.written);
    assert_eq!(run.commands.len() + 1, database.commands.len());
    // The helper's session is not part of an export; that it was started is.
    assert_eq!(run.subagents[CHILD].tool_use_id.as_deref(), Some("call_7"));
}

#[test]
fn the_product_s_own_sum_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(
        folder.path(),
        "UPDATE session SET tokens_input = 15 WHERE id LIKE '%main'",
    );
    let findings = load(&path, None).run.findings;
    assert_eq!(
        findings,
        [Finding::UsageDiffers {
            counted: 17 + 81 + 1_900 + 200,
            reported: 18 + 81 + 1_900 + 200
        }]
    );
}

/// What was counted without this importer: with Python's `sqlite3` and `json` over the rows of the file, the tokens also
/// as they stand in `data` by eye.
#[test]
fn the_recording_holds_what_was_counted_in_python() {
    let Some(path) = recordings("opencode/opencode.db") else {
        return;
    };
    let session = load(&path, None);
    let run = &session.run;
    assert_eq!(run.session_id.as_deref(), Some("test-session-123"));
    assert_eq!(run.parent.as_ref().unwrap().session_id, "parent-session-456");
    assert_eq!(run.product.versions, ["1.0"]);
    assert_eq!(
        counted(&session),
        (Some("0"), [Some(10), Some(20), Some(0), Some(0), Some(1)])
    );
    let model = &run.models[&("gpt-5".to_owned(), Role::Primary)];
    assert_eq!((model.provider.as_deref(), model.answers), (Some("openai"), 1));
    assert_eq!(
        (run.human_prompts().count(), run.tool_calls(), run.commands.len()),
        (1, 1, 0)
    );
    assert_eq!(run.written.len(), 1);
    assert_eq!(run.started_at.unwrap().timestamp_millis(), 1_706_459_830_000);
    assert_eq!(run.ended_at.unwrap().timestamp_millis(), 1_706_459_835_000);
    assert_eq!(run.completeness, Completeness::Whole);
    // 1 row of the session, 2 of messages, 4 of parts, a first and a last line.
    assert_eq!(run.steps.len(), 9);
}

#[test]
fn the_same_rows_give_the_same_bytes_whatever_the_file_looks_like() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let plain = load(&database(folders[0].path(), ""), None);
    let other = "PRAGMA page_size=512; VACUUM; CREATE TABLE more(x); INSERT INTO more VALUES (1); REINDEX;";
    let packed = load(&database(folders[1].path(), other), None);
    for (a, b) in plain.files.iter().zip(&packed.files) {
        assert!(a.bytes == b.bytes);
    }
    // And the lines are read as the database is.
    let again = OpenCode.import(&plain.files, &ImportOptions::default()).unwrap();
    assert_eq!(format!("{again:?}"), format!("{:?}", plain.run));
}

fn fingerprint(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        // Shared memory is the readers' own blackboard.
        .filter(|path| !path.to_string_lossy().ends_with("-shm"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, Sha256::digest(std::fs::read(&path).unwrap()).to_vec())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn changes_that_are_not_merged_yet_are_read_and_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(folder.path(), "PRAGMA journal_mode=WAL");
    let writer = Connection::open(&path).unwrap();
    writer
        .execute_batch(
            "PRAGMA wal_autocheckpoint=0; INSERT INTO part VALUES ('prt_099', 'msg_02', \
             'ses_0000000000fixture0000000main', 1, 1, '{\"type\":\"text\",\"text\":\"late\"}')",
        )
        .unwrap();
    let before = fingerprint(folder.path());
    assert!(before.iter().any(|(name, _)| name.ends_with("-wal")));
    let session = load(&path, None);
    assert!(String::from_utf8_lossy(&session.files[0].bytes).contains("late"));
    assert_eq!(session.run.completeness, Completeness::Whole);
    assert_eq!(fingerprint(folder.path()), before);
    // The writer goes on undisturbed, and a transaction that is open is not seen.
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM part").unwrap();
    let during = load(&path, None);
    assert_eq!(during.run.steps.len(), session.run.steps.len());
    writer.execute_batch("ROLLBACK").unwrap();
    writer.close().unwrap();
    // Closed for good: the log is merged, and no file is made to read it.
    let before = fingerprint(folder.path());
    let after = load(&path, None);
    assert_eq!(after.run.steps.len(), session.run.steps.len());
    assert_eq!(fingerprint(folder.path()), before);
    assert!(!folder.path().join("opencode.db-shm").exists());
}

#[test]
fn links_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(folder.path(), "");
    let link = folder.path().join("opencode-link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let error = OpenCode.load(&link, &ImportOptions::default()).unwrap_err();
    assert_eq!(error.code(), "session.not_a_file");
    for beside in ["-wal", "-shm", "-journal"] {
        let beside = folder.path().join(format!("opencode.db{beside}"));
        std::os::unix::fs::symlink("/etc/hostname", &beside).unwrap();
        let error = OpenCode.load(&path, &ImportOptions::default()).unwrap_err();
        assert_eq!(error.code(), "session.not_a_file");
        std::fs::remove_file(&beside).unwrap();
    }
    assert!(OpenCode.load(&path, &ImportOptions::default()).is_ok());
}

#[test]
fn rows_that_cannot_be_read_are_counted_and_nothing_is_whole() {
    for (change, malformed, skipped) in [
        ("UPDATE part SET data = 'no json' WHERE id = 'prt_011'", 1, 0),
        (
            "UPDATE part SET data = '{\"type\":\"text\"' WHERE id = 'prt_011'",
            1,
            0,
        ),
        ("UPDATE part SET data = x'00ff' WHERE id = 'prt_011'", 0, 1),
        (
            "UPDATE part SET data = zeroblob(40000000) WHERE id = 'prt_011'",
            0,
            1,
        ),
        ("UPDATE message SET data = '' WHERE id = 'msg_02'", 1, 0),
        (
            "UPDATE part SET message_id = 'msg_gone' WHERE id = 'prt_023'",
            0,
            0,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let run = load(&database(folder.path(), change), None).run;
        assert_eq!(
            (run.counters.malformed, run.counters.skipped),
            (malformed, skipped),
            "{change}"
        );
        assert_eq!(run.completeness, Completeness::TailMissing, "{change}");
        let unreadable = run
            .steps
            .iter()
            .filter(|step| step.kind == StepKind::Unreadable)
            .count() as u64;
        assert_eq!(unreadable, malformed + skipped, "{change}");
    }
}

#[test]
fn tables_that_are_no_plain_tables_are_not_read() {
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)";
    for change in [
        // A view that never ends.
        format!(
            "ALTER TABLE part RENAME TO old; CREATE VIEW part AS {endless} SELECT x AS id, 'msg_02' AS message_id, \
             '{MAIN}' AS session_id, 1 AS time_created, 1 AS time_updated, '{{}}' AS data FROM n"
        ),
        "DROP TABLE part; CREATE VIRTUAL TABLE part USING fts5(id, message_id, session_id, data)".to_owned(),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let run = load(&database(folder.path(), &change), None).run;
        assert_eq!(run.completeness, Completeness::TailMissing);
        assert_eq!(run.tool_calls(), 0);
    }
    // What is computed inside a table or by its indexes and rules is never computed.
    for change in [
        "ALTER TABLE part RENAME TO old; CREATE TABLE part (id text, message_id text, session_id text, raw text, \
         data text GENERATED ALWAYS AS (hex(zeroblob(30000000)) || raw) VIRTUAL); \
         INSERT INTO part (id, message_id, session_id, raw) SELECT id, message_id, session_id, data FROM old",
        "CREATE INDEX slow ON part (length(hex(zeroblob(length(data) + 2000000))))",
        "CREATE INDEX slow ON part (session_id) WHERE length(hex(zeroblob(length(data) + 2000000))) > 0",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let run = load(&database(folder.path(), change), None).run;
        assert_eq!(
            (run.completeness, run.tool_calls()),
            (Completeness::TailMissing, 0),
            "{change}"
        );
    }
    let check = "ALTER TABLE part RENAME TO old; CREATE TABLE part (id text, message_id text, session_id text, \
                 time_created integer, time_updated integer, data text, \
                 CHECK (length(hex(zeroblob(length(data) + 2000000))) > 0)); INSERT INTO part SELECT * FROM old";
    let folder = tempfile::tempdir().unwrap();
    let run = load(&database(folder.path(), check), None).run;
    assert_eq!((run.completeness, run.tool_calls()), (Completeness::Whole, 8));
}

#[test]
fn sessions_that_are_each_other_s_parents_end() {
    let folder = tempfile::tempdir().unwrap();
    let change = format!("UPDATE session SET parent_id = '{CHILD}' WHERE id = '{MAIN}'");
    let run = load(&database(folder.path(), &change), Some(MAIN)).run;
    assert_eq!(run.sources.len(), 2);
}

#[test]
fn discovery_is_by_directory_and_knows_every_channel() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join(".local/share/opencode");
    std::fs::create_dir_all(&data).unwrap();
    let path = database(&data, "");
    std::fs::rename(&path, data.join("opencode-beta.db")).unwrap();
    let places = Places {
        home: Some(home.path().to_owned()),
        ..Places::default()
    };
    let found = OpenCode
        .discover(&places, Path::new("/home/ada/greeter"))
        .unwrap();
    let ids: Vec<&str> = found
        .iter()
        .map(|candidate| candidate.session_id.as_str())
        .collect();
    assert_eq!(ids, [MAIN, OLDER]);
    assert!(
        OpenCode
            .discover(&places, Path::new("/home/ada/other"))
            .unwrap()
            .is_empty()
    );
    let places = Places {
        home: None,
        variables: [("OPENCODE_DB", data.join("opencode-beta.db"))].into(),
    };
    assert_eq!(
        OpenCode.discover(&places, Path::new("/home/ada")).unwrap().len(),
        2
    );
}

/// A small database, so that every byte of it matters.
fn small(folder: &Path) -> (PathBuf, Vec<u8>) {
    let path = folder.join("opencode.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "PRAGMA page_size=512;
             CREATE TABLE session (id text PRIMARY KEY, directory text, version text, time_updated integer);
             CREATE TABLE message (id text PRIMARY KEY, session_id text, time_created integer, data text);
             CREATE TABLE part (id text PRIMARY KEY, message_id text, session_id text, data text);
             CREATE INDEX part_session_idx ON part (session_id);
             INSERT INTO session VALUES ('ses_1', '/home/ada', '1.18.33', 5);
             INSERT INTO message VALUES ('msg_1', 'ses_1', 1, '{\"role\":\"user\"}');
             INSERT INTO part VALUES ('prt_1', 'msg_1', 'ses_1', '{\"type\":\"text\",\"text\":\"Say hello.\"}');
             INSERT INTO message VALUES ('msg_2', 'ses_1', 2, '{\"role\":\"assistant\",\"modelID\":\"m\"}');
             INSERT INTO part VALUES ('prt_2', 'msg_2', 'ses_1', '{\"type\":\"text\",\"text\":\"' || hex(zeroblob(700)) || '\"}');",
        )
        .unwrap();
    connection.close().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    (path, bytes)
}

#[test]
fn a_database_that_is_cut_anywhere_is_never_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes) = small(folder.path());
    assert_eq!(load(&path, None).run.completeness, Completeness::Whole);
    // Each byte near the ends of pages, every seventh elsewhere; `TOUCHMARK_TEST_EVERY=1` takes all.
    let every = std::env::var_os("TOUCHMARK_TEST_EVERY").is_some();
    let picked = |len: &usize| every || len.is_multiple_of(7) || len % 512 < 3 || len % 512 > 509;
    for len in (0..bytes.len()).filter(picked) {
        std::fs::write(&path, &bytes[..len]).unwrap();
        if let Ok(session) = OpenCode.load(&path, &ImportOptions::default()) {
            assert_ne!(session.run.completeness, Completeness::Whole, "{len}");
        }
    }
    // The lines that are written out of it: a cut one is seen to be cut.
    std::fs::write(&path, &bytes).unwrap();
    let files = load(&path, None).files;
    for len in (0..files[0].bytes.len()).filter(|len| every || len.is_multiple_of(3)) {
        let mut cut = files.clone();
        cut[0].bytes.truncate(len);
        if let Ok(run) = OpenCode.import(&cut, &ImportOptions::default()) {
            assert_ne!(run.completeness, Completeness::Whole, "{len}");
        }
    }
}

/// A small generator of numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// `TOUCHMARK_TEST_MUTATIONS=100000` runs as many; every run takes other ones where `TOUCHMARK_TEST_SEED` says so.
#[test]
fn a_damaged_database_neither_panics_nor_hangs_nor_loses_rows_in_silence() {
    let number = |name: &str, usual: u64| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(usual)
    };
    let mut numbers = Numbers(number("TOUCHMARK_TEST_SEED", 0x5eed).max(1));
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes) = small(folder.path());
    let expected = load(&path, None).run.steps.len();
    let (mut read, mut refused, mut lost) = (0_u64, 0_u64, 0_u64);
    for _ in 0..number("TOUCHMARK_TEST_MUTATIONS", 4_000) {
        let mut changed = bytes.clone();
        for _ in 0..1 + numbers.below(4) {
            let at = numbers.below(changed.len());
            match numbers.below(4) {
                0 => changed[at] = 0,
                1 => changed[at] = 0xff,
                2 => changed[at] ^= 1 << numbers.below(8),
                _ => changed[at] = numbers.below(256) as u8,
            }
        }
        std::fs::write(&path, &changed).unwrap();
        match OpenCode.load(&path, &ImportOptions::default()) {
            Ok(session) => {
                read += 1;
                let whole = session.run.completeness == Completeness::Whole;
                // Rows may be renamed by damage to their text; none may be missing from what is called whole, unless
                // damage moved it to another session.
                if whole && session.run.steps.len() < expected {
                    lost += 1;
                    assert!(moved(&path, session.run.session_id.as_deref().unwrap()));
                }
            }
            Err(error) => {
                assert!(
                    ["session.database", "session.empty", "session.too_large"].contains(&error.code()),
                    "{error}"
                );
                refused += 1;
            }
        }
    }
    println!("read {read}, refused {refused}, whole with rows moved elsewhere {lost}");
}

/// Whether the database itself, asked by a reader without any of our rules, has no more rows of the session than that.
fn moved(path: &Path, session: &str) -> bool {
    let connection = Connection::open(path).unwrap();
    let count = |table: &str| -> i64 {
        connection
            .query_row(
                &format!("SELECT count(*) FROM {table} NOT INDEXED WHERE session_id = ?1"),
                [session],
                |row| row.get(0),
            )
            .unwrap_or(0)
    };
    count("message") + count("part") < 4
}
