//! Hook, worker and agent killed at random instants: every turn that a hook acknowledged is contained in exactly one
//! statement, and nothing half-written is evidence.
//!
//! A turn is contained in a statement if the last step that was there when its hook was called lies in the part of the
//! transcript that the statement accounts for: after `run.since.steps`, up to `transcript.steps.count`. The parts of a
//! session's statements must not overlap, and follow one another without a gap.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::Sandbox;

/// How many turns are taken; `TOUCHMARK_TEST_ROUNDS` asks for more.
const ROUNDS: usize = 40;
const SEED: u64 = 0x7011_c43a_5eed_0002;
/// How many turns a session has before its agent dies and another takes over.
const TURNS: usize = 5;

#[allow(
    clippy::disallowed_methods,
    reason = "how long a test runs is asked for by a variable"
)]
fn rounds() -> usize {
    let asked = std::env::var_os("TOUCHMARK_TEST_ROUNDS");
    asked
        .and_then(|text| text.to_str()?.parse().ok())
        .unwrap_or(ROUNDS)
}

fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// A turn that a hook acknowledged.
#[derive(Debug)]
struct Acknowledged {
    session: String,
    /// How many records the transcript had when the hook was called.
    steps: u64,
}

/// One agent's session, whose file is written by hand.
struct Running {
    id: String,
    file: PathBuf,
    lines: usize,
}

impl Running {
    fn new(sandbox: &Sandbox, number: usize) -> Self {
        let id = format!("00000000-3333-4000-8000-{number:012}");
        let file = sandbox.session().id(&id).store(sandbox);
        Self { id, file, lines: 0 }
    }

    /// The records of one turn: a prompt, a call and its answer.
    fn records(&mut self, sandbox: &Sandbox, path: &str, number: usize) -> Vec<u8> {
        let file = sandbox.repo().join(path);
        let uuid = |line: usize| format!("00000000-0000-4000-8000-{line:012}");
        let mut bytes = Vec::new();
        let records = [
            json!({"type": "user", "message": {"role": "user", "content": format!("turn {number}")}}),
            json!({"type": "assistant", "requestId": format!("r{number}"), "message": {"id": format!("{}-{number}", self.id),
                "model": "claude-opus-4-5-20251101", "role": "assistant", "stop_reason": "tool_use",
                "content": [{"type": "tool_use", "id": format!("t{number}"), "name": "Write",
                    "input": {"file_path": file, "content": "x"}}],
                "usage": {"input_tokens": 10, "output_tokens": 20}}}),
            json!({"type": "user", "toolUseResult": {"type": "update", "filePath": file}, "message": {"role": "user",
                "content": [{"type": "tool_result", "tool_use_id": format!("t{number}"), "content": "ok"}]}}),
        ];
        for mut record in records {
            let parent = self.lines.checked_sub(1).map(uuid);
            let common = json!({"uuid": uuid(self.lines), "parentUuid": parent, "sessionId": self.id,
                "timestamp": "2026-03-01T11:00:00.000Z", "cwd": sandbox.repo(), "version": "2.1.14",
                "isSidechain": false});
            record
                .as_object_mut()
                .unwrap()
                .extend(common.as_object().unwrap().clone());
            bytes.extend_from_slice(format!("{record}\n").as_bytes());
            self.lines += 1;
        }
        bytes
    }

    fn append(&self, bytes: &[u8]) {
        let mut file = fs::OpenOptions::new().append(true).open(&self.file).unwrap();
        file.write_all(bytes).unwrap();
    }

    fn call(&self, sandbox: &Sandbox, event: &str) -> Child {
        let payload = json!({"session_id": self.id, "transcript_path": self.file, "cwd": sandbox.repo(),
            "hook_event_name": event});
        let mut child = sandbox
            .command(["hook", "run", "claude-code"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _ = child
            .stdin
            .take()
            .unwrap()
            .write_all(payload.to_string().as_bytes());
        child
    }
}

/// The worker's process: whoever runs `hook worker` in this sandbox.
fn worker(sandbox: &Sandbox) -> Option<u32> {
    let home = sandbox.path("touchmark").to_string_lossy().into_owned();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let is_worker = words.ends_with(b"hook\0worker\0");
        if is_worker && String::from_utf8_lossy(&environment).contains(&home) {
            return Some(pid);
        }
    }
    None
}

fn kill(pid: u32) {
    let _ = Command::new("kill")
        .args(["-9", &pid.to_string()])
        .stderr(Stdio::null())
        .status();
}

#[test]
fn killed_anywhere_every_acknowledged_turn_is_in_exactly_one_statement() {
    let sandbox = Sandbox::new();
    sandbox.write("src/n.txt", "0\n");
    sandbox.commit("first");
    let (mut state, mut acknowledged, mut killed) = (SEED, Vec::new(), [0; 3]);
    let mut running = Running::new(&sandbox, 0);
    assert!(running.call(&sandbox, "SessionStart").wait().unwrap().success());
    for round in 1..=rounds() {
        if round % TURNS == 0 {
            running = Running::new(&sandbox, round);
            assert!(running.call(&sandbox, "SessionStart").wait().unwrap().success());
        }
        sandbox.write("src/n.txt", format!("{round}\n"));
        let bytes = running.records(&sandbox, "src/n.txt", round);
        // Every fourth agent dies in the middle of a record, and is taken up again: it closes the line and goes on.
        if next(&mut state).is_multiple_of(4) {
            let cut = usize::try_from(next(&mut state)).unwrap_or(7) % bytes.len();
            running.append(&bytes[..cut]);
            std::thread::sleep(Duration::from_millis(next(&mut state) % 20));
            running.append(&bytes[cut..]);
            killed[2] += 1;
        } else {
            running.append(&bytes);
        }
        let steps = u64::try_from(running.lines).unwrap();
        let mut hook = running.call(&sandbox, "Stop");
        let instant = Duration::from_micros(next(&mut state) % 60_000);
        match next(&mut state) % 3 {
            // The hook is killed somewhere on its way.
            0 => {
                std::thread::sleep(instant);
                let _ = hook.kill();
                killed[0] += 1;
            }
            // The worker is.
            1 => {
                std::thread::sleep(instant * 4);
                if let Some(pid) = worker(&sandbox) {
                    kill(pid);
                    killed[1] += 1;
                }
            }
            _ => {}
        }
        if hook.wait().unwrap().code() == Some(0) {
            acknowledged.push(Acknowledged {
                session: running.id.clone(),
                steps,
            });
        }
        if next(&mut state).is_multiple_of(3) {
            std::thread::sleep(instant * 8);
        }
    }
    finish(&sandbox);
    let claims = sandbox.chained();
    println!(
        "{} of {} turns acknowledged, {} statements; killed {} hooks and {} workers, {} agents in a record",
        acknowledged.len(),
        rounds(),
        claims.len(),
        killed[0],
        killed[1],
        killed[2]
    );
    assert!(acknowledged.len() >= rounds() / 3);
    for turn in &acknowledged {
        let holding = claims.iter().filter(|claim| contains(claim, turn)).count();
        assert_eq!(holding, 1, "{turn:?} is in {holding} statements");
    }
    assert_once(&claims);
    assert_logged_once(&sandbox, claims.len());
}

/// What was killed is done by those who come after.
fn finish(sandbox: &Sandbox) {
    sandbox.rested();
    for _ in 0..3 {
        sandbox.touchmark(["publish"]).ok();
    }
    sandbox.settled();
}

fn part(claim: &Value) -> (u64, u64) {
    let from = claim["run"]["since"]["steps"].as_u64().unwrap_or_default();
    (from, claim["transcript"]["steps"]["count"].as_u64().unwrap())
}

fn contains(claim: &Value, turn: &Acknowledged) -> bool {
    let (from, to) = part(claim);
    claim["agent"]["instance"] == turn.session.as_str() && from < turn.steps && turn.steps <= to
}

/// The statements of each session follow one another and count every call once.
fn assert_once(claims: &[Value]) {
    for session in claims.chunk_by(|one, other| one["agent"]["instance"] == other["agent"]["instance"]) {
        for (number, claim) in session.iter().enumerate() {
            assert_eq!(claim["run"]["sequence"], number, "each place in the chain once");
            assert_eq!(claim["run"]["chain"], session[0]["run"]["chain"]);
            let before = number.checked_sub(1).map_or(0, |before| part(&session[before]).1);
            assert_eq!(part(claim).0, before, "each begins where the one before ended");
        }
        let last = part(session.last().unwrap()).1;
        let calls: u64 = session
            .iter()
            .flat_map(|claim| claim["tools"].as_array().unwrap())
            .map(|tool| tool["calls"].as_u64().unwrap())
            .sum();
        assert_eq!(calls, last / 3, "each call is counted once");
    }
}

fn assert_logged_once(sandbox: &Sandbox, statements: usize) {
    let log = sandbox
        .touchmark(["log", "check", "--format", "json"])
        .ok()
        .json();
    assert_eq!(log["size"], statements, "one log entry a statement");
    let status = sandbox.touchmark(["status", "--format", "json"]).ok().json();
    assert_eq!(status["spool"], json!([]));
    assert_eq!(status["turns"], json!([]));
}
