//! From each agent's payload to a signed statement in a repository; and `run`, for those that have no hooks.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::common::agent::{Agent, hook};
use crate::common::{Outcome, Sandbox};

const ONE: &str = "11111111-1111-4111-8111-111111111111";

fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../testdata")
        .join(path)
}

/// A recorded session, as if it had worked in the sandbox's repository.
fn recorded(sandbox: &Sandbox, fixture: &str, place: &str) -> PathBuf {
    let text = fs::read_to_string(testdata(&format!("sessions/{fixture}"))).unwrap();
    let file = sandbox.path("home").join(place);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let repo = sandbox.repo().to_string_lossy().into_owned();
    fs::write(&file, text.replace("/home/ada/greeter", &repo)).unwrap();
    file
}

/// A recorded payload with these fields in place of its own.
fn payload(fixture: &str, fields: &Value) -> Value {
    let text = fs::read_to_string(testdata(&format!("hooks/{fixture}"))).unwrap();
    let mut payload: Value = serde_json::from_str(&text).unwrap();
    let ours = fields.as_object().unwrap().clone();
    payload.as_object_mut().unwrap().extend(ours);
    payload
}

/// Changes the repository between two hooks of an agent and returns the statement that comes of it.
#[track_caller]
fn attested(sandbox: &Sandbox, agent: &str, start: &Value, stop: &Value) -> Value {
    sandbox.hook(agent, start).unheard();
    sandbox.settled();
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
    sandbox.hook(agent, stop).unheard();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1, "{agent}: {}", sandbox.troubles());
    let log = sandbox
        .touchmark(["log", "check", "--format", "json"])
        .ok()
        .json();
    assert_eq!(log["size"], 1);
    claims[0].clone()
}

/// Plays a recorded session of an agent whose payloads are named alike, and holds the statement against it.
#[track_caller]
fn named(agent: &str, id: &str, fixture: &str, place: &str, [start, stop]: [&str; 2]) {
    let sandbox = Sandbox::with_code();
    let file = recorded(&sandbox, &format!("{agent}/{fixture}"), place);
    let own = json!({"session_id": id, "transcript_path": file, "cwd": sandbox.repo()});
    let hook = |event: &str| payload(&format!("{agent}/{event}.json"), &own);
    let claim = attested(&sandbox, agent, &hook(start), &hook(stop));
    assert_eq!(claim["agent"]["product"]["name"], agent);
    assert_eq!(claim["agent"]["instance"], id);
}

#[test]
fn claude_code() {
    let id = "5e551000-0000-4000-8000-000000000003";
    let place = format!(".claude/projects/x/{id}.jsonl");
    named(
        "claude-code",
        id,
        "plain.jsonl",
        &place,
        ["session-start", "stop"],
    );
}

#[test]
fn codex() {
    let id = "019b0000-1000-7000-8000-000000000001";
    let name = format!("sessions/2026/03/01/rollout-2026-03-01T10-00-00-{id}.jsonl");
    let place = format!(".codex/{name}");
    named("codex", id, &name, &place, ["session-start", "stop"]);
}

#[test]
fn gemini() {
    let id = "5e551000-0000-4000-8000-000000000301";
    let name = "tmp/greeter/chats/session-2026-03-01T10-00-5e551000.jsonl";
    let place = format!(".gemini/{name}");
    named("gemini", id, name, &place, ["session-start", "after-agent"]);
}

#[test]
fn codex_of_old_gives_its_payload_as_an_argument() {
    let sandbox = Sandbox::with_code();
    let id = "019b0000-1000-7000-8000-000000000001";
    let name = format!("sessions/2026/03/01/rollout-2026-03-01T10-00-00-{id}.jsonl");
    recorded(&sandbox, &format!("codex/{name}"), &format!(".codex/{name}"));
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
    let text = payload(
        "codex/notify.json",
        &json!({"thread-id": id, "cwd": sandbox.repo()}),
    )
    .to_string();
    let said = sandbox.touchmark(["hook", "run", "codex", &text]);
    assert_eq!(
        (said.code, said.stdout.as_str(), said.stderr.as_str()),
        (Some(0), "", "")
    );
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(
        claims.last().map(|claim| claim["agent"]["instance"].clone()),
        Some(json!(id)),
        "{}",
        sandbox.troubles()
    );
}

#[test]
fn copilot() {
    let sandbox = Sandbox::with_code();
    let id = "5e551000-0000-4000-8000-000000000201";
    let place = format!("session-state/{id}/events.jsonl");
    let file = recorded(
        &sandbox,
        &format!("copilot/{place}"),
        &format!(".copilot/{place}"),
    );
    let own = json!({"sessionId": id, "transcriptPath": file, "cwd": sandbox.repo()});
    let start = json!({"sessionId": id, "cwd": sandbox.repo()});
    let claim = attested(
        &sandbox,
        "copilot",
        &payload("copilot/session-start.json", &start),
        &payload("copilot/agent-stop.json", &own),
    );
    assert_eq!(claim["agent"]["product"]["name"], "copilot");
    assert_eq!(claim["agent"]["instance"], id);
}

const OPENCODE: &str = "ses_0000000000fixture0000000main";

/// OpenCode's database as it stands while the agent works: in use, with what is new in a log beside it.
fn opencode_database(sandbox: &Sandbox) -> rusqlite::Connection {
    let statements = fs::read_to_string(testdata("sessions/opencode/sessions.sql")).unwrap();
    let folder = sandbox.path("home/.local/share/opencode");
    fs::create_dir_all(&folder).unwrap();
    let database = rusqlite::Connection::open(folder.join("opencode.db")).unwrap();
    let repo = sandbox.repo().to_string_lossy().into_owned();
    database
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;")
        .unwrap();
    database
        .execute_batch(&statements.replace("/home/ada/greeter", &repo))
        .unwrap();
    database
}

/// The one statement about what OpenCode's main session did.
#[track_caller]
fn assert_opencode(sandbox: &Sandbox) {
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1, "{}", sandbox.troubles());
    let claim = &claims[0];
    assert_eq!(claim["agent"]["product"]["name"], "opencode");
    assert_eq!(claim["agent"]["product"]["version"], "1.18.33");
    assert_eq!(claim["agent"]["instance"], OPENCODE);
    assert_eq!(claim["models"][0]["id"], "claude-opus-4-5");
    assert_eq!(claim["change"]["paths"][0]["path"], "tests/greeting.rs");
    assert_eq!(claim["change"]["paths"][0]["attribution"], "agent");
    assert_eq!(claim["usage"]["outputTokens"], 81, "with those of its sub-agent");
    let log = sandbox.touchmark(["log", "check", "--format", "json"]).ok();
    assert_eq!(log.json()["size"], 1);
}

#[test]
fn opencode() {
    let sandbox = Sandbox::with_code();
    let _database = opencode_database(&sandbox);
    let repo = sandbox.repo().to_string_lossy().into_owned();
    let hook = |event: &str| {
        let words = ["--event", event, "--session", OPENCODE, "--cwd", &repo];
        let said = sandbox.touchmark(["hook", "run", "opencode"].iter().chain(&words));
        assert_eq!(
            (said.code, said.stdout.as_str(), said.stderr.as_str()),
            (Some(0), "", "")
        );
        sandbox.settled();
    };
    hook("session.created");
    sandbox.write("tests/greeting.rs", "#[test] fn greets() {}\n");
    hook("session.idle");
    assert_opencode(&sandbox);
    hook("session.deleted");
    assert_opencode(&sandbox);
}

/// Calls the plugin, as it is installed, with these events.
fn plugged(sandbox: &Sandbox, events: &Value) {
    let installed = sandbox.path("home/.config/opencode/plugins/touchmark.ts");
    // It is JavaScript too, which is what is at hand to run it.
    let plugin = sandbox.path("plugin.mjs");
    fs::copy(installed, &plugin).unwrap();
    let script = format!(
        "import {{ spawnSync }} from 'node:child_process'\n\
         import {{ Touchmark }} from {plugin:?}\n\
         const $ = (texts, ...values) => {{\n\
           const words = texts.flatMap((text, at) =>\n\
             [...text.split(' ').filter((word) => word), ...(at < values.length ? [values[at]] : [])])\n\
           const said = spawnSync(words[0], words.slice(1))\n\
           if (said.status !== 0 || said.stdout.length || said.stderr.length) process.exit(1)\n\
           return {{ quiet() {{ return this }}, nothrow() {{}} }}\n\
         }}\n\
         const {{ event }} = await Touchmark({{ $, directory: {repo:?} }})\n\
         for (const one of {events}) await event({{ event: one }})\n",
        repo = sandbox.repo(),
    );
    let file = sandbox.path("events.mjs");
    fs::write(&file, script).unwrap();
    let mut node = std::process::Command::new("node");
    node.arg(file)
        .env("TOUCHMARK_HOME", sandbox.path("touchmark"))
        .env("HOME", sandbox.path("home"))
        .env_remove("XDG_DATA_HOME");
    assert!(node.status().unwrap().success());
    sandbox.settled();
}

#[test]
fn opencode_by_our_plugin_in_which_sub_agents_are_part_of_their_session() {
    let version = std::process::Command::new("node").arg("--version").output();
    if !version.is_ok_and(|version| version.status.success()) {
        println!("skipped: no node to run the plugin");
        return;
    }
    let sandbox = Sandbox::with_code();
    sandbox.touchmark(["hook", "install", "opencode"]).ok();
    let database = opencode_database(&sandbox);
    let child = "ses_0000000001fixture000000child";
    plugged(
        &sandbox,
        &json!([
            {"type": "server.connected", "properties": {}},
            {"type": "session.created", "properties": {"info": {"id": OPENCODE}}},
        ]),
    );
    sandbox.write("tests/greeting.rs", "#[test] fn greets() {}\n");
    plugged(
        &sandbox,
        &json!([
            {"type": "session.created", "properties": {"info": {"id": child, "parentID": OPENCODE}}},
            {"type": "message.updated", "properties": {"info": {"id": "msg_04", "sessionID": child}}},
            {"type": "session.idle", "properties": {"sessionID": child}},
        ]),
    );
    assert_eq!(sandbox.chained().len(), 0);
    plugged(
        &sandbox,
        &json!([{"type": "session.idle", "properties": {"sessionID": OPENCODE}}]),
    );
    assert_opencode(&sandbox);
    assert_eq!(sandbox.troubles(), "");
    drop(database);
}

#[test]
fn cursor_whose_hooks_are_the_record() {
    let sandbox = Sandbox::with_code();
    let id = "9a0d5b1e-0b52-4f6f-8f0e-3c1d2e4f5a6b";
    let own = json!({"conversation_id": id, "session_id": id, "workspace_roots": [sandbox.repo()], "transcript_path": null});
    sandbox
        .hook("cursor", &payload("cursor/session-start.json", &own))
        .unheard();
    let words = "words that only the stream may hold";
    let mut asked = payload("cursor/before-submit-prompt.json", &own);
    asked["prompt"] = json!(words);
    sandbox.hook("cursor", &asked).unheard();
    sandbox.settled();
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
    let mut edit = payload("cursor/after-file-edit.json", &own);
    edit["file_path"] = json!(sandbox.repo().join("src/lib.rs"));
    sandbox.hook("cursor", &edit).unheard();
    sandbox
        .hook("cursor", &payload("cursor/after-shell-execution.json", &own))
        .unheard();
    sandbox
        .hook("cursor", &payload("cursor/stop.json", &own))
        .unheard();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1, "{}", sandbox.troubles());
    assert_eq!(claims[0]["agent"]["product"]["name"], "cursor");
    assert_eq!(claims[0]["change"]["paths"][0]["attribution"], "agent");
    assert_eq!(claims[0]["prompt"]["count"], 1);
    for (path, bytes) in sandbox.files("touchmark") {
        let private = path
            .components()
            .any(|part| part.as_os_str() == "vault" || part.as_os_str() == "streams");
        assert!(
            private || !crate::common::contains(&bytes, words.as_bytes()),
            "{}",
            path.display()
        );
    }
}

#[test]
fn two_agents_that_fire_for_one_event_make_one_statement() {
    let sandbox = Sandbox::with_code();
    let id = "9a0d5b1e-0b52-4f6f-8f0e-3c1d2e4f5a6b";
    let own = json!({"conversation_id": id, "session_id": id, "workspace_roots": [sandbox.repo()], "transcript_path": null});
    sandbox
        .hook("cursor", &payload("cursor/session-start.json", &own))
        .unheard();
    sandbox.settled();
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
    let mut edit = payload("cursor/after-file-edit.json", &own);
    edit["file_path"] = json!(sandbox.repo().join("src/lib.rs"));
    sandbox.hook("cursor", &edit).unheard();
    let stop = payload("cursor/stop.json", &own);
    sandbox.hook("cursor", &stop).unheard();
    // Cursor also runs the hooks of Claude Code, with its own payload.
    sandbox.hook("claude-code", &stop).unheard();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1, "{claims:#?}");
    assert_eq!(claims[0]["agent"]["product"]["name"], "cursor");
}

/// A program that writes a session and changes the repository, and has no hooks.
fn program(sandbox: &Sandbox, exit: i32) -> String {
    let session = sandbox
        .session()
        .id(ONE)
        .prompt("go")
        .writes("src/lib.rs")
        .bash("cargo test");
    let file = session.store(sandbox);
    let (kept, script) = (sandbox.path("kept.jsonl"), sandbox.path("agent.sh"));
    fs::rename(&file, &kept).unwrap();
    let text = format!(
        "#!/bin/sh\nread line\necho \"heard $line\"\necho 2 > src/lib.rs\ncp '{}' '{}'\nexit {exit}\n",
        kept.display(),
        file.display()
    );
    fs::write(&script, text).unwrap();
    script.to_string_lossy().into_owned()
}

fn run(sandbox: &Sandbox, words: &[&str]) -> Outcome {
    let mut command = sandbox.command(words);
    fs::write(sandbox.path("typed"), "something\n").unwrap();
    command.stdin(fs::File::open(sandbox.path("typed")).unwrap());
    Outcome::of(command.output().unwrap())
}

#[test]
fn run_attests_a_command_and_ends_as_it_ends() {
    let sandbox = Sandbox::with_code();
    let script = program(&sandbox, 7);
    let said = run(&sandbox, &["run", "--agent", "fixer", "--", "/bin/sh", &script]);
    assert_eq!(said.code, Some(7), "{said:?}");
    assert_eq!(said.stdout, "heard something\n", "its streams are ours");
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1, "{said:?}");
    assert_eq!(claims[0]["agent"]["id"], "fixer");
    assert_eq!(claims[0]["change"]["paths"][0]["path"], "src/lib.rs");
    assert_eq!(claims[0]["change"]["paths"][0]["attribution"], "agent");
}

#[test]
fn run_ends_as_the_command_ends_even_where_nothing_can_be_attested() {
    let sandbox = Sandbox::with_code();
    let change = "echo 3 > src/lib.rs";
    let said = sandbox.touchmark(["run", "--", "/bin/sh", "-c", change]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains("session.not_found"), "{said:?}");
    let said = sandbox.touchmark(["run", "--strict", "--", "/bin/sh", "-c", "echo 4 > src/lib.rs"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let said = sandbox.touchmark(["run", "--", "/bin/sh", "-c", "kill -9 $$"]);
    assert_eq!(said.code, Some(137));
    sandbox
        .touchmark(["run", "--", "/no/such/program"])
        .refused(2, "run.not_started");
    assert_eq!(sandbox.chained().len(), 0);
}

#[test]
fn run_says_of_every_turn_that_waits_why_it_does() {
    let sandbox = Sandbox::with_code();
    for id in [ONE, "22222222-2222-4222-8222-222222222222"] {
        let stop = json!({"hook_event_name": "Stop", "session_id": id, "cwd": sandbox.repo(),
            "transcript_path": sandbox.path("absent.jsonl")});
        let mut command = sandbox.command(["hook", "run", "claude-code"]);
        command.env("TOUCHMARK_RUN", "1");
        hook(command, stop.to_string().as_bytes()).unheard();
    }
    let said = sandbox.touchmark(["run", "--", "true"]).ok();
    assert_eq!(
        said.stderr.matches("error[capture.no_record]").count(),
        2,
        "{said:?}"
    );
}

#[test]
fn run_passes_signals_on() {
    let sandbox = Sandbox::with_code();
    let mut command = sandbox.command([
        "run",
        "--",
        "/bin/sh",
        "-c",
        "trap 'exit 42' TERM; echo ready; while :; do sleep 0.1; done",
    ]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut ready = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(42));
}

#[test]
fn what_hooks_keep_inside_of_run_is_attested_once() {
    let sandbox = Sandbox::with_code();
    let script = program(&sandbox, 0);
    let file = Agent::new(&sandbox, ONE).file().to_owned();
    fs::remove_file(&file).unwrap();
    let stop =
        json!({"hook_event_name": "Stop", "session_id": ONE, "transcript_path": file, "cwd": sandbox.repo()});
    fs::write(sandbox.path("stop.json"), stop.to_string()).unwrap();
    let mut text = fs::read_to_string(&script).unwrap();
    text = text.replace(
        "exit 0\n",
        &format!(
            "'{}' hook run claude-code < '{}'\nexit 0\n",
            env!("CARGO_BIN_EXE_touchmark"),
            sandbox.path("stop.json").display()
        ),
    );
    fs::write(&script, text).unwrap();
    let said = run(&sandbox, &["run", "--", "/bin/sh", &script]);
    assert_eq!(said.code, Some(0), "{said:?}");
    sandbox.settled();
    assert_eq!(sandbox.chained().len(), 1, "{said:?}");
}

#[test]
fn what_cannot_be_attested_waits_and_is_told_of() {
    let sandbox = Sandbox::with_code();
    let mut agent = Agent::new(&sandbox, ONE);
    fs::create_dir_all(sandbox.path("touchmark/config/keys")).unwrap();
    fs::write(sandbox.path("touchmark/config/keys/default.pem"), "no key").unwrap();
    agent
        .starts()
        .is_told("x")
        .writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n")
        .stops();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while sandbox.troubles().is_empty() && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    sandbox.rested();
    let status = sandbox.touchmark(["status", "--format", "json"]).ok().json();
    crate::common::schema::assert_valid(&status);
    let turns = status["turns"].as_array().unwrap();
    assert_eq!(turns.len(), 1, "{status:#}");
    assert!(
        turns[0]["state"].as_str().unwrap().starts_with("failed "),
        "{status:#}"
    );
    assert_ne!(sandbox.touchmark(["publish"]).code, Some(0));
    fs::remove_file(sandbox.path("touchmark/config/keys/default.pem")).unwrap();
    sandbox.touchmark(["publish"]).ok();
    assert_eq!(sandbox.chained().len(), 1);
    assert_eq!(sandbox.turns(), Vec::<String>::new());
}

#[test]
fn a_turn_that_failed_is_part_of_a_later_one_that_did_not() {
    let sandbox = Sandbox::with_code();
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("one");
    sandbox.settled();
    let elsewhere = sandbox.path("elsewhere.jsonl");
    agent.writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
    // The first turn's record is behind a link, which nobody follows; the second's is where it should be.
    std::os::unix::fs::symlink(agent.file(), &elsewhere).unwrap();
    let gone = json!({"hook_event_name": "Stop", "session_id": ONE, "transcript_path": elsewhere,
        "cwd": sandbox.repo()});
    sandbox.hook("claude-code", &gone).unheard();
    sandbox.rested();
    agent
        .is_told("two")
        .writes("src/lib.rs", "pub fn two() -> u32 { 3 }\n")
        .stops();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while sandbox.chained().is_empty() && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    sandbox.rested();
    sandbox.touchmark(["publish"]).ok();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1, "{}", sandbox.troubles());
    let tree = sandbox.git(["stash", "create"]);
    let tree = sandbox.git(["rev-parse", &format!("{tree}^{{tree}}")]);
    assert_eq!(
        claims[0]["change"]["proposed"]["gitTree"],
        tree.as_str(),
        "nothing goes back in time"
    );
    assert_eq!(claims[0]["prompt"]["count"], 2);
}

#[test]
fn more_repositories_than_are_looked_at_are_told_of() {
    let sandbox = Sandbox::with_code();
    let mut agent = Agent::new(&sandbox, ONE);
    agent
        .starts()
        .is_told("everywhere")
        .writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
    for number in 0..64 {
        fs::create_dir_all(sandbox.path(format!("other-{number}/.git"))).unwrap();
        agent.writes(&format!("../other-{number}/a.txt"), "1\n");
    }
    agent.stops();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while sandbox.troubles().is_empty() && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    sandbox.rested();
    assert!(
        sandbox.troubles().contains("\"capture.too_many_repositories\""),
        "{}",
        sandbox.troubles()
    );
    assert_eq!(sandbox.chained().len(), 1, "what was looked at is attested");
}
