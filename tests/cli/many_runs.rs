//! One run and many commits, many runs and one commit: each gives the right statements, and nothing is counted twice.

use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::common::agent::Agent;

const ONE: &str = "11111111-1111-4111-8111-111111111111";
const TWO: &str = "22222222-2222-4222-8222-222222222222";
const THREAD: &str = "019b0000-1000-7000-8000-000000000009";

pub(crate) fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "a\n");
    sandbox.write("b.txt", "b\n");
    sandbox.commit("first");
    // Long before any session began.
    let tree = sandbox.git(["rev-parse", "HEAD^{tree}"]);
    let commit = format!(
        "tree {tree}\nauthor T <t@example.invalid> 1767322800 +0000\ncommitter T <t@example.invalid> 1767322800 +0000\n\nfirst\n"
    );
    std::fs::write(sandbox.path("commit"), commit).unwrap();
    let file = sandbox.path("commit").to_string_lossy().into_owned();
    let id = sandbox.git(["hash-object", "-t", "commit", "-w", &file]);
    sandbox.git(["update-ref", "refs/heads/main", &id]);
    sandbox
}

/// Fails unless these statements are one whole chain.
#[track_caller]
fn assert_chained(claims: &[Value]) {
    for (number, claim) in claims.iter().enumerate() {
        assert_eq!(claim["run"]["sequence"], number, "{claim:#}");
        assert_eq!(claim["run"]["chain"], claims[0]["run"]["chain"]);
        assert_eq!(claim["run"].get("previous").is_some(), number > 0);
    }
}

/// The steps that a statement accounts for: after these, up to those.
fn steps(claim: &Value) -> (u64, u64) {
    let from = claim["run"]["since"]["steps"].as_u64().unwrap_or_default();
    (from, claim["transcript"]["steps"]["count"].as_u64().unwrap())
}

/// The gate's answer, by a policy that lies outside of the repository and asks that every path is accounted for.
fn judged(sandbox: &Sandbox, range: &str) -> Value {
    let key = sandbox.touchmark(["key", "public", "--fingerprint"]).ok().stdout;
    let policy = format!(
        "version = 1\nserial = 1\nexpires = 2099-12-31\n\n[trust]\nlog = {{ inclusion = true, self = \"allow\" }}\n\n\
         [[agent]]\nid = \"claude-code\"\nsigners = [{{ key = \"{}\" }}]\nscope = {{ paths = [\"**\"] }}\n\n\
         [gate.merge]\nrequire = [\"accounted\"]\nresidual = \"forbid\"\n",
        key.trim()
    );
    let file = sandbox.path("policy.toml");
    std::fs::write(&file, policy).unwrap();
    let file = file.to_string_lossy().into_owned();
    let verify = ["verify", range, "--policy", &file, "--format", "json"];
    sandbox.touchmark(verify).ok().json()
}

pub(crate) fn sum(claims: &[Value], pointer: &str) -> u64 {
    claims
        .iter()
        .filter_map(|claim| claim.pointer(pointer)?.as_u64())
        .sum()
}

pub(crate) fn calls(claims: &[Value]) -> u64 {
    let tools = claims.iter().flat_map(|claim| claim["tools"].as_array().unwrap());
    tools.map(|tool| tool["calls"].as_u64().unwrap()).sum()
}

fn paths(claim: &Value, attribution: &str) -> Vec<String> {
    let rows = claim["change"]["paths"].as_array().unwrap().iter();
    rows.filter(|row| row["attribution"] == attribution)
        .map(|row| row["path"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_session_with_several_turns_gives_a_chain_that_counts_everything_once() {
    let sandbox = repository();
    let mut agent = Agent::new(&sandbox, ONE);
    agent
        .starts()
        .is_told("one")
        .writes("a.txt", "1\n")
        .runs("cargo test")
        .stops();
    sandbox.settled();
    agent
        .is_told("two")
        .writes("b.txt", "2\n")
        .runs("cargo build")
        .runs("ls")
        .stops();
    sandbox.settled();
    agent.is_told("three").runs("ls").stops();
    sandbox.settled();
    agent.is_told("four").writes("a.txt", "4\n");
    let head = agent.commits("all of it");
    agent.stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 3, "the third turn changed nothing");
    assert_chained(&claims);
    for pair in claims.windows(2) {
        assert_eq!(
            pair[0]["change"]["proposed"]["gitTree"],
            pair[1]["change"]["base"]["gitTree"]
        );
        assert_eq!(
            steps(&pair[0]).1,
            steps(&pair[1]).0,
            "each begins where the one before ended"
        );
    }
    assert_eq!(steps(&claims[0]).0, 0);
    assert_eq!(claims[2]["change"]["proposed"]["gitCommit"], head.as_str());
    assert_eq!(claims[2]["change"]["commits"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        claims[1]["change"]["unwritten"],
        json!([]),
        "a.txt was written before, and is told of there"
    );
    // Eight calls, each of 10 tokens in and 20 out, in all of them together.
    assert_eq!(calls(&claims), 8, "{claims:#?}");
    assert_eq!(sum(&claims, "/usage/inputTokens"), 80);
    assert_eq!(sum(&claims, "/usage/outputTokens"), 160);
    assert_eq!(sum(&claims, "/usage/requests"), 8);
    assert_eq!(sum(&claims, "/prompt/count"), 4);
    let commands: Vec<usize> = claims
        .iter()
        .map(|claim| claim["commands"].as_array().unwrap().len())
        .collect();
    assert_eq!(commands, [1, 2, 2]);
    assert_eq!(claims[1]["run"]["since"]["prompts"], 1);
    assert_eq!(claims[1]["run"]["since"]["commands"], 1);
    // The tree leads from one to the other, so that the gate finds all of them from the commit.
    sandbox.git(["update-ref", "refs/heads/protected", "HEAD~1"]);
    let verdict = judged(&sandbox, "protected..HEAD");
    assert_eq!(verdict["decision"], "allowed", "{verdict:#}");
    assert_eq!(
        verdict["statements"].as_array().map(Vec::len),
        Some(3),
        "{verdict:#}"
    );
}

#[test]
fn one_turn_with_several_commits_is_one_statement_that_names_them_all() {
    let sandbox = repository();
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("go").writes("a.txt", "1\n");
    let first = agent.commits("one");
    agent.writes("b.txt", "2\n");
    let second = agent.commits("two");
    agent.stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1);
    let commits: Vec<&Value> = claims[0]["change"]["commits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["gitCommit"])
        .collect();
    assert_eq!(commits, [&json!(first), &json!(second)]);
}

#[test]
fn what_is_committed_and_what_is_not_are_two_statements_and_count_once() {
    let sandbox = repository();
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("go").writes("a.txt", "1\n");
    let head = agent.commits("one");
    agent.writes("b.txt", "2\n").stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 2);
    assert_chained(&claims);
    assert_eq!(claims[0]["change"]["proposed"]["gitCommit"], head.as_str());
    assert_eq!(claims[0]["change"]["dirty"], true);
    assert_eq!(claims[1]["change"]["base"]["gitCommit"], head.as_str());
    assert_eq!(claims[1]["change"]["proposed"].get("gitCommit"), None);
    assert_eq!(steps(&claims[0]).1, steps(&claims[1]).0);
    assert_eq!(
        steps(&claims[1]).0,
        steps(&claims[1]).1,
        "the turn is in the first one"
    );
    assert_eq!(sum(&claims, "/usage/outputTokens"), 60);
    assert_eq!(claims[1]["run"]["since"]["promptAgain"], true);
    assert_eq!(claims[1]["prompt"]["count"], 1, "what steered it is still told");
}

#[test]
fn what_lay_about_before_the_session_is_not_the_agents() {
    let sandbox = repository();
    sandbox.write("mine.txt", "not committed, not the agent's\n");
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("go").writes("a.txt", "1\n");
    sandbox.git(["add", "a.txt"]);
    sandbox.git(["commit", "--quiet", "--message", "only mine"]);
    agent.stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1, "{claims:#?}");
    assert_eq!(paths(&claims[0], "agent"), ["a.txt"]);
    assert_eq!(paths(&claims[0], "unknown"), Vec::<String>::new());
    // The next turn leaves it lying about, and changes something beside it.
    agent.is_told("more").writes("b.txt", "2\n").stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 2);
}

#[test]
fn several_sessions_in_one_commit_each_tell_what_they_wrote() {
    let sandbox = repository();
    let mut one = Agent::new(&sandbox, ONE);
    let mut two = Agent::new(&sandbox, TWO);
    one.starts();
    two.starts();
    sandbox.settled();
    one.is_told("a").writes("a.txt", "1\n");
    two.is_told("b").writes("b.txt", "2\n");
    let head = sandbox.commit("both");
    one.stops();
    two.stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 2);
    assert_ne!(claims[0]["run"]["chain"], claims[1]["run"]["chain"]);
    for (claim, wrote) in claims.iter().zip(["a.txt", "b.txt"]) {
        assert_eq!(claim["change"]["proposed"]["gitCommit"], head.as_str());
        assert_eq!(paths(claim, "agent"), [wrote]);
        assert_eq!(claim["run"]["sequence"], 0);
    }
}

#[test]
fn a_session_over_two_repositories_is_a_chain_in_each_and_counts_once() {
    let sandbox = repository();
    let other = sandbox.cloned();
    let mut agent = Agent::new(&sandbox, ONE);
    agent
        .starts()
        .is_told("both")
        .writes("a.txt", "1\n")
        .writes("../other/b.txt", "2\n")
        .stops();
    sandbox.settled();
    let here: Vec<Value> = sandbox.chained();
    let there: Vec<Value> = sandbox.statements_in(&other).into_values().collect();
    assert_eq!((here.len(), there.len()), (1, 1), "{}", sandbox.troubles());
    assert_ne!(here[0]["run"]["chain"], there[0]["run"]["chain"]);
    assert_eq!(
        (&here[0]["run"]["sequence"], &there[0]["run"]["sequence"]),
        (&json!(0), &json!(0))
    );
    let both = [here[0].clone(), there[0].clone()];
    assert_eq!(sum(&both, "/usage/outputTokens"), 40, "{both:#?}");
    assert_eq!(paths(&there[0], "agent"), ["b.txt"]);
}

#[test]
fn a_linked_work_tree_and_a_folder_inside_are_told_apart_by_what_is_checked_out_there() {
    let sandbox = repository();
    let linked = sandbox.path("linked");
    sandbox.git([
        "worktree",
        "add",
        "--quiet",
        "-b",
        "side",
        linked.to_str().unwrap(),
    ]);
    std::fs::create_dir_all(linked.join("deep/er")).unwrap();
    let mut agent = Agent::at(&sandbox, ONE, &linked.join("deep/er"));
    agent.starts().is_told("go").writes("c.txt", "1\n");
    let head = agent.commits("side");
    agent.stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0]["change"]["ref"], "refs/heads/side");
    assert_eq!(claims[0]["change"]["proposed"]["gitCommit"], head.as_str());
    assert_eq!(paths(&claims[0], "agent"), ["deep/er/c.txt"]);
}

#[test]
fn a_commit_that_is_amended_is_stated_again_from_where_both_began() {
    let sandbox = repository();
    let base = sandbox.git(["rev-parse", "HEAD"]);
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("one").writes("a.txt", "1\n");
    agent.commits("one");
    agent.stops();
    sandbox.settled();
    agent.is_told("amend it").writes("b.txt", "2\n");
    sandbox.git(["add", "--all"]);
    sandbox.git(["commit", "--quiet", "--amend", "--message", "one, amended"]);
    agent.stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 2);
    assert_chained(&claims);
    assert_eq!(claims[1]["change"]["base"]["gitCommit"], base.as_str());
    assert_eq!(claims[1]["change"]["commits"].as_array().map(Vec::len), Some(1));
    assert_eq!(paths(&claims[1], "agent"), ["a.txt", "b.txt"]);
    assert_eq!(sum(&claims, "/usage/outputTokens"), 60);
}

#[test]
fn what_others_commit_between_two_turns_is_not_the_agents() {
    let sandbox = repository();
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("one").writes("a.txt", "1\n");
    agent.commits("one");
    agent.stops();
    sandbox.settled();
    sandbox.write("theirs.txt", "somebody else's\n");
    let between = sandbox.commit("by hand");
    agent.is_told("two").writes("b.txt", "2\n");
    agent.commits("two");
    agent.stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 2);
    assert_eq!(claims[1]["change"]["base"]["gitCommit"], between.as_str());
    assert_eq!(paths(&claims[1], "unknown"), Vec::<String>::new());
}

#[test]
fn an_agent_inside_of_another_names_its_parent() {
    let sandbox = repository();
    let mut inner = Agent::new(&sandbox, TWO).with("CODEX_THREAD_ID", "thread-of-the-outer-agent");
    inner.starts().is_told("go").writes("a.txt", "1\n").stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(
        claims[0]["agent"]["parent"]["instance"],
        "thread-of-the-outer-agent"
    );
    assert_eq!(claims[0]["agent"]["parent"].get("statement"), None, "it has none");
    let sources = &claims[0]["capture"]["sources"];
    assert_eq!(sources["/agent/parent"], "environment");
    assert_eq!(sources.get("/agent/parent/statement"), None);
}

/// The digest of the one statement of a session.
#[track_caller]
pub(crate) fn digest_of(sandbox: &Sandbox, folder: &std::path::Path, session: &str) -> String {
    let all = sandbox.statements_in(folder);
    let mut of = all
        .iter()
        .filter(|(_, claim)| claim["agent"]["instance"] == session);
    let (digest, _) = of.next().expect("a statement of this session");
    assert!(of.next().is_none(), "several statements");
    digest.clone()
}

/// What Codex writes of a thread in which it changed a file, and the payload at the end of its turn.
fn codex_turn(sandbox: &Sandbox, folder: &std::path::Path, path: &str) -> Value {
    let cwd = folder.to_string_lossy();
    let record = |kind: &str, payload: Value| {
        format!(
            "{}\n",
            json!({"timestamp": "2026-03-01T10:00:01.000Z", "type": kind, "payload": payload})
        )
    };
    let patch = format!("*** Begin Patch\n*** Add File: {path}\n+1\n*** End Patch");
    let lines = [
        record(
            "session_meta",
            json!({"id": THREAD, "cwd": cwd, "originator": "codex_cli_rs",
            "cli_version": "0.154.0", "timestamp": "2026-03-01T10:00:00.000Z"}),
        ),
        record("turn_context", json!({"cwd": cwd, "model": "gpt-5.4"})),
        record(
            "response_item",
            json!({"type": "message", "role": "user",
            "content": [{"type": "input_text", "text": "go"}]}),
        ),
        record("event_msg", json!({"type": "user_message", "message": "go"})),
        record(
            "response_item",
            json!({"type": "custom_tool_call", "name": "apply_patch", "call_id": "c-1",
            "input": patch, "status": "completed"}),
        ),
        record(
            "response_item",
            json!({"type": "custom_tool_call_output", "call_id": "c-1",
            "output": "{\"output\":\"Success.\",\"metadata\":{\"exit_code\":0}}"}),
        ),
        record(
            "response_item",
            json!({"type": "message", "role": "assistant",
            "content": [{"type": "output_text", "text": "done"}]}),
        ),
    ];
    let file = sandbox.path(format!(
        "home/.codex/sessions/2026/03/01/rollout-2026-03-01T10-00-00-{THREAD}.jsonl"
    ));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, lines.concat()).unwrap();
    std::fs::write(folder.join(path), "1\n").unwrap();
    json!({"hook_event_name": "Stop", "session_id": THREAD, "transcript_path": file, "cwd": cwd, "turn_id": "t-1",
        "stop_hook_active": false, "last_assistant_message": "done"})
}

/// The end of a turn of Codex that was started by a session of Claude Code, and its statement.
#[track_caller]
fn codex_inside(sandbox: &Sandbox, folder: &std::path::Path, variable: (&str, &str)) -> Value {
    let payload = codex_turn(sandbox, folder, "inner.txt");
    let mut command = sandbox.command(["hook", "run", "codex"]);
    command.current_dir(folder).env(variable.0, variable.1);
    crate::common::agent::hook(command, payload.to_string().as_bytes()).unheard();
    sandbox.settled();
    let all = sandbox.statements_in(folder);
    let inner = all
        .into_values()
        .find(|claim| claim["agent"]["instance"] == THREAD);
    inner.unwrap_or_else(|| panic!("{}", sandbox.troubles()))
}

#[test]
fn an_agent_inside_of_another_names_the_last_statement_of_its_parent() {
    let sandbox = repository();
    let mut outer = Agent::new(&sandbox, ONE);
    outer.starts().is_told("go").writes("a.txt", "1\n");
    outer.commits("by the outer one");
    outer.stops();
    sandbox.settled();
    let statement = digest_of(&sandbox, &sandbox.repo(), ONE);
    let inner = codex_inside(&sandbox, &sandbox.repo(), ("CLAUDE_CODE_SESSION_ID", ONE));
    assert_eq!(inner["agent"]["product"]["name"], "codex");
    let parent = &inner["agent"]["parent"];
    assert_eq!(
        *parent,
        json!({"instance": ONE, "statement": {"sha256": statement}})
    );
    let sources = &inner["capture"]["sources"];
    assert_eq!(sources["/agent/parent"], "environment");
    assert_eq!(sources["/agent/parent/statement"], "observed");
}

#[test]
fn a_parents_statement_is_not_named_where_it_is_not_certain() {
    let sandbox = repository();
    let other = sandbox.path("other");
    sandbox.git(["init", "--quiet", "-b", "main", other.to_str().unwrap()]);
    std::fs::write(other.join("c.txt"), "c\n").unwrap();
    sandbox.git_in(&other, ["add", "--all"]);
    sandbox.git_in(&other, ["commit", "--quiet", "--message", "first"]);
    let mut outer = Agent::new(&sandbox, ONE);
    outer.starts().is_told("go").writes("a.txt", "1\n").stops();
    sandbox.settled();
    digest_of(&sandbox, &sandbox.repo(), ONE);
    // It has said nothing about this repository.
    let inner = codex_inside(&sandbox, &other, ("CLAUDE_CODE_SESSION_ID", ONE));
    assert_eq!(inner["agent"]["parent"], json!({"instance": ONE}));
    // A session of another product, whatever its id, is another session.
    let sandbox = repository();
    let mut outer = Agent::new(&sandbox, ONE);
    outer.starts().is_told("go").writes("a.txt", "1\n").stops();
    sandbox.settled();
    let inner = codex_inside(&sandbox, &sandbox.repo(), ("GEMINI_SESSION_ID", ONE));
    assert_eq!(inner["agent"]["parent"], json!({"instance": ONE}));
}

#[test]
fn the_gate_does_not_ask_for_the_statement_of_a_parent() {
    let sandbox = repository();
    let mut outer = Agent::new(&sandbox, ONE);
    outer.starts().is_told("go").writes("a.txt", "1\n");
    outer.commits("by the outer one");
    outer.stops();
    sandbox.settled();
    let statement = digest_of(&sandbox, &sandbox.repo(), ONE);
    let fork = crate::forks::forked(&sandbox, &outer);
    assert_eq!(fork["agent"]["parent"]["statement"]["sha256"], statement.as_str());
    sandbox.git(["update-ref", "refs/heads/protected", "HEAD~1"]);
    let verdict = judged(&sandbox, "protected..HEAD");
    assert_eq!(verdict["decision"], "allowed", "{verdict:#}");
    // Neither where nobody has it any more.
    for reference in sandbox.evidence_refs() {
        if sandbox
            .git(["ls-tree", "--name-only", &reference])
            .contains(&statement)
        {
            sandbox.git(["update-ref", "-d", &reference]);
        }
    }
    assert!(!sandbox.statements_in(&sandbox.repo()).contains_key(&statement));
    let verdict = judged(&sandbox, "protected..HEAD");
    assert_eq!(verdict["decision"], "allowed", "{verdict:#}");
}

#[test]
fn the_first_commit_of_a_repository_is_attested_from_nothing() {
    let sandbox = Sandbox::new();
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("begin").writes("a.txt", "1\n");
    let head = agent.commits("first");
    agent.stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1, "{}", sandbox.troubles());
    assert_eq!(claims[0]["change"]["proposed"]["gitCommit"], head.as_str());
    assert_eq!(claims[0]["change"]["base"].get("gitCommit"), None);
}

#[test]
fn a_session_that_no_hook_saw_begin_starts_after_the_last_older_commit() {
    let sandbox = repository();
    let base = sandbox.git(["rev-parse", "HEAD"]);
    let mut agent = Agent::new(&sandbox, ONE);
    // The first hook of all is the end of a turn. Its records are of March, the commit is of January.
    agent.writes("a.txt", "1\n").stops();
    sandbox.settled();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1, "{}", sandbox.troubles());
    assert_eq!(claims[0]["change"]["base"]["gitCommit"], base.as_str());
}

#[test]
fn a_session_whose_process_died_is_finished_by_the_next_worker() {
    let sandbox = repository();
    // The stand-in's own process, which calls the hook and then dies without a word.
    let agent = Agent::new(&sandbox, ONE);
    let payload = agent.payload(&json!({"hook_event_name": "SessionStart", "source": "startup"}));
    std::fs::write(sandbox.path("payload"), payload).unwrap();
    let (work, record) = (sandbox.path("work"), agent.file().to_owned());
    let session = sandbox
        .session()
        .id(ONE)
        .prompt("go")
        .writes("a.txt")
        .bash("cargo test");
    std::fs::write(&work, session.bytes()).unwrap();
    let script = format!(
        "import shutil, subprocess, time\n\
         subprocess.run([{:?}, 'hook', 'run', 'claude-code'], stdin=open({:?}), cwd={:?})\n\
         time.sleep(1)\n\
         open({:?}, 'w').write('1')\n\
         shutil.copyfile({work:?}, {record:?})\n",
        env!("CARGO_BIN_EXE_touchmark"),
        sandbox.path("payload"),
        sandbox.repo(),
        sandbox.repo().join("a.txt"),
    );
    let mut python = std::process::Command::new("python3");
    python
        .args(["-c", &script])
        .env("TOUCHMARK_HOME", sandbox.path("touchmark"))
        .env("HOME", sandbox.path("home"));
    match python.status() {
        Ok(status) if status.success() => {}
        _ => {
            println!("skipped: no python3 to be an agent");
            return;
        }
    }
    sandbox.settled();
    sandbox.touchmark(["hook", "worker"]).ok();
    let claims = sandbox.chained();
    assert_eq!(claims.len(), 1, "{}", sandbox.troubles());
    assert_eq!(paths(&claims[0], "agent"), ["a.txt"]);
    sandbox.touchmark(["hook", "worker"]).ok();
    assert_eq!(sandbox.chained().len(), 1);
}
