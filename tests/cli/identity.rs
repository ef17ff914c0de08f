//! Who took part, as every source says: in the statement, and at the gate, which reads git again.

use std::process::Command;

use serde_json::{Value, json};

use crate::common::agent::Agent;
use crate::common::world::RULE;
use crate::common::{Outcome, SESSION_ID, Sandbox, World};

/// Attests with these variables, and returns the statement's identities and findings.
fn told(sandbox: &Sandbox, variables: &[(&str, &str)], flags: &[&str]) -> (Vec<Value>, Vec<Value>) {
    let all = ["attest", "--base", "main", "--dry-run", "--format", "json"];
    let mut command = sandbox.command(all.iter().chain(flags));
    command.envs(variables.iter().copied());
    let document = Outcome::of(command.output().unwrap()).ok().json();
    let predicate = &document["statement"]["predicate"];
    let list = |name: &str| {
        predicate[name]
            .as_array()
            .unwrap_or_else(|| panic!("{predicate:#}"))
            .clone()
    };
    (list("identities"), list("findings"))
}

#[track_caller]
fn codes(sandbox: &Sandbox, variables: &[(&str, &str)], flags: &[&str]) -> Vec<String> {
    let (_, findings) = told(sandbox, variables, flags);
    findings
        .iter()
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect()
}

/// A sandbox whose commit has this message and author.
fn committed(author: &str, message: &str) -> Sandbox {
    let sandbox = Sandbox::with_change();
    let author = format!("--author={author}");
    sandbox.git(["commit", "--quiet", "--amend", &author, "--message", message]);
    sandbox
}

const ADA: &str = "Ada Lovelace <ada@example.invalid>";
const CLAUDE: &str = "fix two\n\nCo-Authored-By: Claude Opus 4.5 <noreply@anthropic.com>";

#[test]
fn sources_that_agree_are_recorded_and_contradict_nothing() {
    let sandbox = committed(ADA, CLAUDE);
    let marks = [("CLAUDECODE", "1"), ("CLAUDE_CODE_SESSION_ID", SESSION_ID)];
    let (identities, findings) = told(&sandbox, &marks, &["--agent", "payments-fixer"]);
    assert_eq!(findings, [Value::Null; 0]);
    for expected in [
        json!({"role": "agent", "value": "claude-code", "source": "trailer", "name": "Co-authored-by"}),
        json!({"role": "agent", "value": "claude-code", "source": "environment", "name": "CLAUDECODE"}),
        json!({"role": "session", "value": SESSION_ID, "source": "environment", "name": "CLAUDE_CODE_SESSION_ID"}),
        json!({"role": "author", "value": "person", "source": "observed", "name": "author"}),
        json!({"role": "committer", "value": "person", "source": "observed", "name": "committer"}),
    ] {
        assert!(
            identities.contains(&expected),
            "{expected} is not in {identities:#?}"
        );
    }
    let text = json!(identities).to_string();
    for personal in ["Ada", "example.invalid", "Test"] {
        assert!(!text.contains(personal), "{personal}: {text}");
    }
}

#[test]
fn each_contradiction_is_a_finding_of_the_statement() {
    let good = committed(ADA, CLAUDE);
    for (variables, flags, code) in [
        (
            &[("CODEX_THREAD_ID", "T-1")][..],
            &[][..],
            "identity.environment_differs",
        ),
        (&[("AI_AGENT", "gemini")], &[], "identity.environment_differs"),
        (
            &[("CLAUDE_CODE_SESSION_ID", "1b5d1c1e-7a51-4a0e-9d2f-3f6f0f6b1a12")],
            &[],
            "identity.session_differs",
        ),
        (&[], &["--agent", "codex"], "identity.declared_differs"),
    ] {
        assert_eq!(codes(&good, variables, flags), [code]);
    }
    let copilot = "copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>";
    let trailer = "fix two\n\nCo-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>";
    for (author, message, code) in [
        (ADA, trailer, "identity.trailer_differs"),
        (copilot, CLAUDE, "identity.author_differs"),
        (
            "renovate[bot] <bot@example.invalid>",
            CLAUDE,
            "identity.author_is_bot",
        ),
    ] {
        assert_eq!(codes(&committed(author, message), &[], &[]), [code], "{code}");
    }
    let early = Sandbox::with_change();
    early.git([
        "commit",
        "--quiet",
        "--amend",
        "--no-edit",
        "--date",
        "2026-03-01T10:59:59Z",
    ]);
    assert_eq!(codes(&early, &[], &[]), ["identity.commit_before_session"]);
}

#[test]
fn both_values_stand_in_the_finding_with_their_sources() {
    let sandbox = committed(ADA, "fix\n\nGenerated-by: Gemini CLI");
    let (_, findings) = told(&sandbox, &[], &[]);
    assert_eq!(
        findings,
        [json!({"code": "identity.trailer_differs", "values": [
            {"value": "gemini", "source": "trailer", "name": "Generated-by"},
            {"value": "claude-code", "source": "transcript"},
        ]})]
    );
}

/// A world whose one commit has this message, under a policy with these lines more.
fn world(message: &str, more: &str) -> World {
    let world = World::under(|policy| format!("{policy}\n{more}"));
    world.git(["commit", "--quiet", "--amend", "--message", message]);
    world
}

const COPILOT: &str = "greet by name\n\nCo-authored-by: Copilot <copilot@github.com>";
const DENY: &str = "[identity]\ncontradictions = \"deny\"\n";

#[test]
fn a_contradiction_warns_or_denies_as_the_policy_says() {
    let world = self::world(COPILOT, "");
    world.attest_with(&[]);
    world.approve_as("alice", &[]);
    let verdict = world.judged(&[], 0, &["identity.trailer_differs"]);
    let reason = &verdict["reasons"][0];
    assert_eq!(reason["class"], "finding");
    assert_eq!(reason["found"], "copilot (trailer, Co-authored-by)");
    assert_eq!(reason["expected"], "claude-code (transcript)");
    let world = self::world(COPILOT, DENY);
    world.attest_with(&[]);
    world.approve_as("alice", &[]);
    let verdict = world.judged(&[], 12, &["identity.trailer_differs"]);
    assert_eq!(verdict["reasons"][0]["class"], "denied");
    let world = self::world("greet by name", DENY);
    world.attest_with(&[]);
    world.approve_as("alice", &[]);
    world.judged(&[], 0, &[]);
}

#[test]
fn what_the_statement_itself_found_is_told_too() {
    let world = self::world("greet by name", "");
    let (key, session) = (world.key("agent"), world.file("session.jsonl"));
    let all = [
        "attest",
        "--base",
        "main",
        "--session",
        &session,
        "--key",
        &key,
        "--agent",
        "greeter-agent",
        "--at",
        crate::common::AT,
    ];
    let mut command = world.command(all);
    Outcome::of(command.env("CURSOR_AGENT", "1").output().unwrap()).ok();
    let verdict = world.judged(&[], 14, &[RULE, "identity.environment_differs"]);
    assert_eq!(verdict["reasons"].as_array().unwrap().len(), 2);
}

#[test]
fn people_are_shown_what_was_found() {
    let world = self::world(COPILOT, "");
    let payload = world.attest_with(&[])["payload"].as_str().unwrap().to_owned();
    let root = world.file("root.json");
    let shown = world
        .touchmark(["show", &payload, "--trusted-root", &root])
        .ok()
        .stdout;
    let line = "identity.trailer_differs: copilot (trailer, Co-authored-by); claude-code (transcript)";
    assert!(shown.contains(line), "{shown}");
}

#[test]
fn a_landed_commit_that_names_another_agent_is_not_passed_over() {
    let world = World::approved();
    world.git(["switch", "--quiet", "main"]);
    world.git(["merge", "--quiet", "--squash", "agent/greeting"]);
    world.git([
        "commit",
        "--quiet",
        "--message",
        "greet (#1)\n\nCo-authored-by: Devin AI <devin@example.invalid>",
    ]);
    world.git(["switch", "--quiet", "--create", "landed"]);
    world.git(["branch", "--force", "main", "HEAD~1"]);
    let flags = [
        "HEAD",
        "--target",
        "refs/heads/main",
        "--pull-request",
        "agent/greeting",
    ];
    // The approval was of another head.
    let verdict = world.asked(
        &flags,
        11,
        &["approval.not_bound", RULE, "identity.unattested_agent"],
    );
    let reason = &verdict["reasons"][2];
    assert_eq!(reason["found"], format!("devin in commit {}", world.id("HEAD")));
    assert_eq!(reason["class"], "finding");
}

#[test]
fn a_policy_says_warn_or_deny_and_nothing_else() {
    for (lines, line) in [
        ("[identity]\ncontradictions = \"ignore\"\n", "policy.value"),
        ("[identity]\ncontradiction = \"deny\"\n", "policy.unknown_key"),
    ] {
        let world = World::under(|policy| policy);
        let file = world.file("policy.toml");
        std::fs::write(&file, format!("{}\n{lines}", world.policy())).unwrap();
        let outcome = world.touchmark(["policy", "check", &file]);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(line), "{line}: {}", outcome.stderr);
    }
}

#[test]
fn no_git_of_the_test_is_needed_to_read_a_message_that_is_no_text() {
    let sandbox = Sandbox::with_change();
    let file = sandbox.path("message");
    std::fs::write(
        &file,
        b"fix \xff\xfe\n\nCo-authored-by: \xff <noreply@anthropic.com>\nClaude-Session: \xff\n",
    )
    .unwrap();
    let status = Command::new("git")
        .args([
            "-c",
            "i18n.commitEncoding=binary",
            "commit",
            "--quiet",
            "--amend",
            "--file",
        ])
        .arg(&file)
        .current_dir(sandbox.repo())
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/local/bin")
        .envs([
            ("GIT_AUTHOR_NAME", "T"),
            ("GIT_AUTHOR_EMAIL", "t@example.invalid"),
        ])
        .envs([
            ("GIT_COMMITTER_NAME", "T"),
            ("GIT_COMMITTER_EMAIL", "t@example.invalid"),
        ])
        .status()
        .unwrap();
    assert!(status.success());
    let (identities, _) = told(&sandbox, &[], &[]);
    assert!(
        identities
            .iter()
            .any(|identity| identity["value"] == "claude-code")
    );
}

/// A worker serves the hooks of every agent: what marks one's process is kept with its turn, and marks no other's.
#[test]
fn marks_are_those_of_the_hook_and_not_of_the_worker() {
    let marks = [
        ("AUGMENT_AGENT", "augment"),
        ("ANTIGRAVITY_AGENT", "antigravity"),
        ("CURSOR_SANDBOX", "cursor"),
    ];
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "0\n");
    sandbox.commit("first");
    let worker = |variables: &[(&str, &str)]| {
        let mut command = sandbox.command(["hook", "worker"]);
        command.envs(variables.iter().copied());
        Outcome::of(command.output().unwrap()).ok();
        let claims = sandbox.chained();
        claims.last().unwrap()["identities"].as_array().unwrap().clone()
    };
    let said = |mark: (&str, &str)| json!({"role": "agent", "value": mark.1, "source": "environment", "name": mark.0});
    let mut marked = Agent::new(&sandbox, SESSION_ID).with("TOUCHMARK_RUN", "1");
    for (name, _) in marks {
        marked = marked.with(name, "1");
    }
    marked.starts().is_told("go").writes("a.txt", "1\n").stops();
    let identities = worker(&[]);
    for mark in marks {
        assert!(identities.contains(&said(mark)), "{identities:#?}");
    }
    let other = "22222222-2222-4222-8222-222222222222";
    let mut plain = Agent::new(&sandbox, other).with("TOUCHMARK_RUN", "1");
    plain.starts().is_told("go on").writes("a.txt", "2\n").stops();
    let identities = worker(&marks);
    for mark in marks {
        assert!(!identities.contains(&said(mark)), "{identities:#?}");
    }
}
