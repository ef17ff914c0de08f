//! `hook run`: silent and content whatever happens, durable where anything could be kept, and attested by itself.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::agent::{Agent, hook};
use crate::common::{Outcome, Sandbox, contains};

const ONE: &str = "11111111-1111-4111-8111-111111111111";
const SECRET_WORDS: &str = "the words that nobody else may read";

#[test]
fn a_turn_becomes_a_signed_logged_and_verified_statement_with_nothing_typed() {
    let sandbox = Sandbox::with_code();
    let base = sandbox.git(["rev-parse", "HEAD"]);
    let mut agent = Agent::new(&sandbox, ONE);
    agent
        .starts()
        .is_told(SECRET_WORDS)
        .writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n")
        .runs("cargo test");
    let head = agent.commits("two is two");
    agent.stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1, "{claims:#?}");
    let claim = &claims[0];
    assert_eq!(claim["agent"]["instance"], ONE);
    assert_eq!(claim["agent"]["product"]["name"], "claude-code");
    assert_eq!(claim["change"]["base"]["gitCommit"], base.as_str());
    assert_eq!(claim["change"]["proposed"]["gitCommit"], head.as_str());
    assert_eq!(claim["change"]["commits"][0]["gitCommit"], head.as_str());
    assert_eq!(claim["change"]["paths"][0]["attribution"], "agent");
    assert_eq!(claim["change"]["dirty"], false);
    assert_eq!(claim["prompt"]["count"], 1);
    assert_eq!(claim["run"]["sequence"], 0);
    assert_eq!(claim["transcript"]["complete"], "whole");
    assert_eq!(
        claim["run"].get("since"),
        None,
        "nothing accounted for anything of it before"
    );
    let found = sandbox
        .touchmark(["find", "--format", "json", "--commit", &head])
        .ok()
        .json();
    assert_eq!(found["found"].as_array().map(Vec::len), Some(1), "{found}");
    let log = sandbox
        .touchmark(["log", "check", "--format", "json"])
        .ok()
        .json();
    assert_eq!(log["size"], 1);
    // Only the agent's own file and the vault hold what was typed.
    for (path, bytes) in sandbox.files("touchmark") {
        let is_vault = path.components().any(|part| part.as_os_str() == "vault");
        assert!(
            is_vault || !contains(&bytes, SECRET_WORDS.as_bytes()),
            "{}",
            path.display()
        );
    }
    for (path, bytes) in sandbox.files("repo/.git") {
        assert!(!contains(&bytes, SECRET_WORDS.as_bytes()), "{}", path.display());
    }
}

#[test]
fn uncommitted_work_is_attested_by_its_tree_and_found_again_when_it_is_committed() {
    let sandbox = Sandbox::with_code();
    let base = sandbox.git(["rev-parse", "HEAD^{tree}"]);
    let mut agent = Agent::new(&sandbox, ONE);
    agent
        .starts()
        .is_told("do it")
        .writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n")
        .stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0]["change"]["base"]["gitTree"], base.as_str());
    assert_eq!(claims[0]["change"]["proposed"].get("gitCommit"), None);
    let head = sandbox.commit("by hand");
    assert_eq!(
        claims[0]["change"]["proposed"]["gitTree"],
        sandbox.git(["rev-parse", "HEAD^{tree}"]).as_str()
    );
    agent.is_told("and now?").stops();
    sandbox.settled();
    assert_eq!(sandbox.chained().len(), 1, "the tree is the same: {head}");
}

#[test]
fn a_turn_that_changed_nothing_is_folded_into_the_next() {
    let sandbox = Sandbox::with_code();
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("what is this?").runs("ls").stops();
    sandbox.settled();
    assert_eq!(sandbox.chained().len(), 0);
    agent
        .is_told("change it")
        .writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n")
        .stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0]["prompt"]["count"], 2, "both turns are in it");
}

/// Everything that an agent could hand us wrongly, in the surroundings of `break_it`.
#[track_caller]
fn content(break_it: impl FnOnce(&mut Command), payload: &[u8]) {
    let sandbox = Sandbox::with_code();
    let mut command = sandbox.command(["hook", "run", "claude-code"]);
    break_it(&mut command);
    hook(command, payload).unheard();
    sandbox.rested();
}

#[test]
fn every_payload_is_taken_in_silence() {
    let deep = "[".repeat(100_000);
    let long = format!(r#"{{"session_id":"{}"}}"#, "x".repeat(20 * 1024 * 1024));
    let payloads: [&[u8]; 9] = [
        b"",
        b"{",
        b"null",
        b"\xff\xfe",
        b"{\"session_id\":17,\"cwd\":[]}",
        b"{\"hook_event_name\":\"Stop\",\"cwd\":\"/nonexistent\",\"transcript_path\":\"/dev/zero\"}",
        b"{\"hook_event_name\":\"Stop\",\"session_id\":\"../../../etc\",\"transcript_path\":\"/etc/../dev/tty\"}",
        deep.as_bytes(),
        long.as_bytes(),
    ];
    for payload in payloads {
        content(|_| {}, payload);
    }
}

#[test]
fn every_way_to_be_called_wrongly_is_taken_in_silence() {
    let sandbox = Sandbox::with_code();
    let calls: [&[&str]; 7] = [
        &["hook", "run", "claude-code", "--no-such-flag"],
        &["hook", "run", "no-such-agent"],
        &["hook", "run", "--session", "x"],
        &["hook", "run", ""],
        &["hook", "run", "git-no-such-hook"],
        &["hook", "run", "git-pre-push"],
        &["--quiet", "hook", "run", "claude-code"],
    ];
    for words in calls {
        let heard = hook(
            sandbox.command(words),
            b"{\"hook_event_name\":\"Stop\",\"session_id\":\"x\"}",
        );
        assert_eq!(
            (heard.outcome.code, heard.outcome.stdout.as_str()),
            (Some(0), ""),
            "{words:?}"
        );
    }
    sandbox.rested();
}

#[test]
fn every_surrounding_is_taken_in_silence() {
    let payload = br#"{"hook_event_name":"Stop","session_id":"x","cwd":"/"}"#;
    content(
        |command| {
            command.env("TOUCHMARK_HOME", "/dev/null/home");
        },
        payload,
    );
    content(
        |command| {
            command.env("TOUCHMARK_HOME", "/proc/1");
        },
        payload,
    );
    content(
        |command| {
            command.env_remove("TOUCHMARK_HOME").env_remove("HOME");
        },
        payload,
    );
    content(
        |command| {
            command.env_remove("PATH");
        },
        payload,
    );
    content(
        |command| {
            command.current_dir("/");
        },
        payload,
    );
}

#[test]
fn settings_that_nobody_understands_are_taken_in_silence_and_lose_nothing() {
    let sandbox = Sandbox::with_code();
    fs::create_dir_all(sandbox.path("touchmark/config")).unwrap();
    fs::write(
        sandbox.path("touchmark/config/config.toml"),
        "this is = = no TOML",
    )
    .unwrap();
    let mut agent = Agent::new(&sandbox, ONE);
    agent
        .starts()
        .is_told("x")
        .writes("src/lib.rs", "pub fn two() -> u32 { 3 }\n")
        .stops();
    sandbox.rested();
    assert!(!sandbox.turns().is_empty(), "the turn waits");
    fs::remove_file(sandbox.path("touchmark/config/config.toml")).unwrap();
    agent.stops();
    sandbox.settled();
    assert_eq!(sandbox.chained().len(), 1);
}

#[test]
fn a_home_that_cannot_be_written_is_taken_in_silence() {
    if rustix::process::geteuid().is_root() {
        println!("skipped: nothing is forbidden to root");
        return;
    }
    let sandbox = Sandbox::with_code();
    fs::create_dir(sandbox.path("touchmark")).unwrap();
    fs::set_permissions(sandbox.path("touchmark"), fs::Permissions::from_mode(0o500)).unwrap();
    sandbox
        .hook(
            "claude-code",
            &json!({"hook_event_name": "Stop", "session_id": ONE}),
        )
        .unheard();
}

/// Runs a hook in a mount namespace of its own, where `mount` has changed something; nothing where that is not allowed.
fn mounted(sandbox: &Sandbox, mount: &str) -> Option<Outcome> {
    let script = format!(
        "set -e; mkdir -p touchmark/data/capture; {mount}; cd repo; exec '{}' hook run claude-code < ../payload",
        env!("CARGO_BIN_EXE_touchmark")
    );
    let payload = json!({"hook_event_name": "Stop", "session_id": ONE});
    fs::write(sandbox.path("payload"), payload.to_string()).unwrap();
    let allowed = Command::new("unshare")
        .args(["-rm", "true"])
        .stderr(Stdio::null())
        .status();
    if !allowed.is_ok_and(|status| status.success()) {
        println!("skipped: no mount namespaces here");
        return None;
    }
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "/bin/sh", "-c", &script])
        .current_dir(sandbox.path(""));
    command.env("TOUCHMARK_HOME", sandbox.path("touchmark"));
    Some(Outcome::of(command.output().unwrap()))
}

#[test]
fn a_full_disk_and_a_disk_for_reading_only_are_taken_in_silence() {
    let full = "mount -t tmpfs -o size=64k,mode=0700 none touchmark/data/capture; \
        chmod 700 touchmark/data/capture; head -c 200k /dev/zero > touchmark/data/capture/filler 2>/dev/null || true";
    let read_only = "mount -t tmpfs none touchmark/data/capture; mount -o remount,ro touchmark/data/capture";
    for mount in [full, read_only] {
        let sandbox = Sandbox::with_code();
        if let Some(said) = mounted(&sandbox, mount) {
            assert_eq!(
                (said.code, said.stdout.as_str(), said.stderr.as_str()),
                (Some(0), "", ""),
                "{mount}"
            );
        }
    }
}

#[test]
fn a_capture_folder_that_is_no_folder_is_taken_in_silence() {
    let sandbox = Sandbox::with_code();
    fs::create_dir_all(sandbox.path("touchmark/data")).unwrap();
    fs::write(sandbox.path("touchmark/data/capture"), "not a folder").unwrap();
    sandbox
        .hook(
            "claude-code",
            &json!({"hook_event_name": "Stop", "session_id": ONE}),
        )
        .unheard();
}

#[test]
fn closed_streams_and_one_that_never_ends_are_taken_in_silence() {
    let sandbox = Sandbox::with_code();
    let mut command = Command::new("/bin/sh");
    command
        .arg("-c")
        .arg(format!(
            "exec '{}' hook run claude-code <&- >&- 2>&-",
            env!("CARGO_BIN_EXE_touchmark")
        ))
        .env_clear()
        .env("TOUCHMARK_HOME", sandbox.path("touchmark"))
        .current_dir(sandbox.repo());
    assert_eq!(command.status().unwrap().code(), Some(0));
    // The agent keeps standard input open and says nothing.
    let mut child = sandbox
        .command(["hook", "run", "claude-code"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = std::time::Instant::now();
    let stdin = child.stdin.take();
    let said = Outcome::of(child.wait_with_output().unwrap());
    drop(stdin);
    assert_eq!(
        (said.code, said.stdout.as_str(), said.stderr.as_str()),
        (Some(0), "", "")
    );
    assert!(started.elapsed() < Duration::from_secs(6));
    sandbox.rested();
}

#[test]
fn outside_of_any_repository_there_is_nothing_to_attest() {
    let sandbox = Sandbox::with_code();
    fs::create_dir(sandbox.path("elsewhere")).unwrap();
    let mut agent = Agent::at(&sandbox, ONE, &sandbox.path("elsewhere"));
    agent
        .starts()
        .is_told("hello")
        .writes("notes.txt", "x")
        .stops()
        .ends();
    sandbox.settled();
    assert_eq!(sandbox.evidence_refs(), Vec::<String>::new());
}

#[test]
fn the_log_has_a_line_for_each_hook_and_no_word_of_any() {
    let sandbox = Sandbox::with_code();
    let mut agent = Agent::new(&sandbox, ONE);
    agent
        .starts()
        .is_told(SECRET_WORDS)
        .writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n")
        .stops();
    sandbox
        .hook(
            "claude-code",
            &json!({"hook_event_name": "Stop", "cursor_version": "1.7", "conversation_id": "c",
        "generation_id": "g", "workspace_roots": [sandbox.repo()]}),
        )
        .unheard();
    sandbox.rested();
    let log = fs::read_to_string(sandbox.path("touchmark/data/capture/hook.log")).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 4, "{log}");
    assert!(lines[2].contains(" claude-code turn-end kept session="), "{log}");
    assert!(lines[3].contains("payload-of=cursor"), "{log}");
    let repo = sandbox.repo();
    for word in [SECRET_WORDS, ONE, repo.to_str().unwrap()] {
        assert!(!log.contains(word), "{log}");
    }
    let mode = fs::metadata(sandbox.path("touchmark/data/capture/hook.log"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn many_hooks_in_a_row_make_one_worker_and_one_statement() {
    let sandbox = Sandbox::with_code();
    let mut agent = Agent::new(&sandbox, ONE);
    agent
        .starts()
        .is_told("go")
        .writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| agent.hook(&json!({"hook_event_name": "Stop"})).unheard());
        }
    });
    sandbox.settled();
    assert_eq!(sandbox.chained().len(), 1);
    assert_eq!(
        sandbox
            .touchmark(["log", "check", "--format", "json"])
            .ok()
            .json()["size"],
        1
    );
}

#[test]
fn the_last_answer_is_waited_for() {
    let sandbox = Sandbox::with_code();
    let mut agent = Agent::new(&sandbox, ONE);
    agent
        .starts()
        .is_told("go")
        .writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
    let last = "It is two now.";
    agent
        .hook(&json!({"hook_event_name": "Stop", "last_assistant_message": last}))
        .unheard();
    std::thread::sleep(Duration::from_millis(600));
    let before = agent.written();
    let mut session = fs::read(agent.file()).unwrap();
    let mut record: Value = serde_json::from_slice(session.split(|b| *b == b'\n').nth(1).unwrap()).unwrap();
    record["uuid"] = json!("00000000-0000-4000-8000-999999999999");
    record["message"]["id"] = json!("msg_last");
    record["message"]["content"] = json!([{"type": "text", "text": last}]);
    session.extend_from_slice(format!("{record}\n").as_bytes());
    fs::write(agent.file(), &session).unwrap();
    sandbox.settled();
    let claim = &sandbox.chained()[0];
    let lines = session.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(
        claim["transcript"]["steps"]["count"], lines,
        "{before} bytes were there at the hook"
    );
}
