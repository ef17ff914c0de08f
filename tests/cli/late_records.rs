//! Agents that write their record after they have called their hook: behind it, or only as they end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::Sandbox;

const ID: &str = "5e551000-0000-4000-8000-000000000201";

/// A session of Copilot CLI that worked in the sandbox's repository: where its record belongs, and what it holds.
fn session(sandbox: &Sandbox) -> (PathBuf, String) {
    let place = format!("session-state/{ID}/events.jsonl");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/sessions/copilot");
    let text = fs::read_to_string(fixture.join(&place)).unwrap();
    let file = sandbox.path("home/.copilot").join(place);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    (
        file,
        text.replace("/home/ada/greeter", &sandbox.repo().to_string_lossy()),
    )
}

/// The first lines of a text, and the others.
fn split(text: &str, lines: usize) -> (String, String) {
    let first: String = text.split_inclusive('\n').take(lines).collect();
    let rest = text[first.len()..].to_owned();
    (first, rest)
}

fn payload(sandbox: &Sandbox, fields: &Value) -> Value {
    let mut payload = json!({"sessionId": ID, "timestamp": 1_795_207_487_217_u64, "cwd": sandbox.repo()});
    let ours = fields.as_object().unwrap().clone();
    payload.as_object_mut().unwrap().extend(ours);
    payload
}

/// The session begins, and its work is done.
fn work(sandbox: &Sandbox) {
    let start = payload(sandbox, &json!({"source": "new", "initialPrompt": "go"}));
    sandbox.hook("copilot", &start).unheard();
    sandbox.settled();
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
}

fn stop(sandbox: &Sandbox, record: &Path) {
    let stop = payload(
        sandbox,
        &json!({"transcriptPath": record, "stopReason": "end_turn"}),
    );
    sandbox.hook("copilot", &stop).unheard();
}

/// The one statement, which is about the whole record.
#[track_caller]
fn whole(sandbox: &Sandbox, record: &str) -> Value {
    let mut claims = sandbox.chained();
    assert_eq!(claims.len(), 1, "{}", sandbox.troubles());
    let claim = claims.remove(0);
    assert_eq!(claim["agent"]["instance"], ID);
    assert_eq!(claim["transcript"]["steps"]["count"], record.lines().count());
    // What the record's last line says.
    assert_eq!(claim["usage"]["outputTokens"], 210, "{}", claim["usage"]);
    claim
}

#[test]
fn a_record_that_is_written_after_the_last_hook_is_waited_for() {
    let sandbox = Sandbox::with_code();
    let (file, text) = session(&sandbox);
    work(&sandbox);
    stop(&sandbox, &file);
    let end = payload(&sandbox, &json!({"reason": "complete"}));
    sandbox.hook("copilot", &end).unheard();
    std::thread::sleep(Duration::from_millis(900));
    assert!(
        sandbox.chained().is_empty(),
        "nothing is known of the session yet"
    );
    fs::write(&file, &text).unwrap();
    sandbox.settled();
    whole(&sandbox, &text);
}

#[test]
fn a_record_that_holds_no_answer_yet_is_waited_for() {
    let sandbox = Sandbox::with_code();
    let (file, text) = session(&sandbox);
    let (first, rest) = split(&text, 3);
    assert!(rest.contains("assistant.message") && !first.contains("assistant.message"));
    work(&sandbox);
    fs::write(&file, first).unwrap();
    stop(&sandbox, &file);
    std::thread::sleep(Duration::from_millis(900));
    fs::write(&file, &text).unwrap();
    sandbox.settled();
    whole(&sandbox, &text);
}

/// Runs a script as an agent's own process, which ends with it. Nothing without a Python to run it.
fn agent(sandbox: &Sandbox, start: &Value, work: &str) -> Option<()> {
    let script = format!(
        "import json, subprocess, time\n\
         def hook(payload):\n\
         \x20   subprocess.run([{program:?}, 'hook', 'run', 'copilot'], input=payload.encode(), cwd={repo:?}, check=True)\n\
         hook({start:?})\n\
         time.sleep(1)\n\
         open({source:?}, 'w').write('pub fn two() -> u32 {{ 2 }}')\n\
         {work}",
        program = env!("CARGO_BIN_EXE_touchmark"),
        repo = sandbox.repo(),
        start = start.to_string(),
        source = sandbox.repo().join("src/lib.rs"),
    );
    let status = Command::new("python3")
        .args(["-c", &script])
        .env("TOUCHMARK_HOME", sandbox.path("touchmark"))
        .env("HOME", sandbox.path("home"))
        .status();
    if let Ok(status) = status {
        assert!(status.success());
        return Some(());
    }
    println!("skipped: no python3 to be an agent");
    None
}

#[test]
fn an_agent_that_ends_writes_until_it_is_gone() {
    let sandbox = Sandbox::with_code();
    let (file, text) = session(&sandbox);
    let (most, last) = split(&text, text.lines().count() - 1);
    assert!(last.contains("session.shutdown"));
    fs::write(sandbox.path("last"), last).unwrap();
    fs::write(sandbox.path("most"), most).unwrap();
    let start = payload(&sandbox, &json!({"source": "new", "initialPrompt": "go"}));
    let end = payload(&sandbox, &json!({"reason": "complete"})).to_string();
    let script = format!(
        "open({file:?}, 'w').write(open({most:?}).read())\n\
         hook({end:?})\n\
         time.sleep(0.9)\n\
         open({file:?}, 'a').write(open({last:?}).read())\n",
        most = sandbox.path("most"),
        last = sandbox.path("last"),
    );
    if agent(&sandbox, &start, &script).is_none() {
        return;
    }
    sandbox.settled();
    whole(&sandbox, &text);
}

#[test]
fn a_dead_session_whose_record_no_hook_named_is_finished_by_the_next_worker() {
    let sandbox = Sandbox::with_code();
    let (file, text) = session(&sandbox);
    fs::write(sandbox.path("all"), &text).unwrap();
    let start = payload(&sandbox, &json!({"source": "new", "initialPrompt": "go"}));
    let script = format!(
        "open({file:?}, 'w').write(open({all:?}).read())\n",
        all = sandbox.path("all")
    );
    if agent(&sandbox, &start, &script).is_none() {
        return;
    }
    sandbox.settled();
    sandbox.touchmark(["hook", "worker"]).ok();
    whole(&sandbox, &text);
    sandbox.touchmark(["hook", "worker"]).ok();
    assert_eq!(sandbox.chained().len(), 1);
}

#[test]
fn a_session_in_which_nobody_answered_is_over_when_its_agent_is_gone() {
    let sandbox = Sandbox::with_code();
    let (file, text) = session(&sandbox);
    let (first, _) = split(&text, 3);
    fs::write(sandbox.path("first"), first).unwrap();
    let start = payload(&sandbox, &json!({"source": "new", "initialPrompt": "go"}));
    let end = payload(&sandbox, &json!({"reason": "complete"})).to_string();
    let script = format!(
        "open({file:?}, 'w').write(open({first:?}).read())\n\
         hook({end:?})\n",
        first = sandbox.path("first")
    );
    if agent(&sandbox, &start, &script).is_none() {
        return;
    }
    sandbox.settled();
    assert_eq!(sandbox.chained(), Vec::<Value>::new());
    assert_eq!(sandbox.troubles(), "");
}

#[test]
fn work_of_which_no_record_says_whose_it_is_waits_and_is_told_of() {
    let sandbox = Sandbox::with_code();
    let (file, text) = session(&sandbox);
    let text = text.replace("\"model\":\"claude-sonnet-4.5\",", "");
    let (nameless, _) = split(&text, text.lines().count() - 1);
    assert!(nameless.contains("tool.execution_start") && !nameless.contains("claude"));
    fs::write(sandbox.path("nameless"), nameless).unwrap();
    let start = payload(&sandbox, &json!({"source": "new", "initialPrompt": "go"}));
    let end = payload(&sandbox, &json!({"reason": "complete"})).to_string();
    let script = format!(
        "open({file:?}, 'w').write(open({nameless:?}).read())\n\
         hook({end:?})\n",
        nameless = sandbox.path("nameless")
    );
    if agent(&sandbox, &start, &script).is_none() {
        return;
    }
    let until = Instant::now() + Duration::from_secs(30);
    while sandbox.troubles().is_empty() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    sandbox.rested();
    let status = sandbox.touchmark(["publish", "--format", "json"]);
    assert_eq!(status.code, Some(1), "{}", status.stderr);
    assert!(
        sandbox.troubles().contains("\"session.no_model\""),
        "{}",
        sandbox.troubles()
    );
    assert_eq!((sandbox.turns().len(), sandbox.chained().len()), (1, 0));
}
