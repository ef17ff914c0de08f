//! Payloads of every agent, and hostile ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/hooks")
}

fn payload(name: &str) -> Vec<u8> {
    let path = folder().join(format!("{name}.json"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const CLAUDE: &str = "3f1c9a52-7d0e-4b7a-9c55-0a1b2c3d4e5f";
const CODEX: &str = "01a1fab2-4cff-76c3-84e9-d1e9822d1fbb";
const TURN: &str = "01a1fab2-4d1c-7552-9b7e-95811eb2cc64";
const GEMINI: &str = "c7f5858f-2fab-4f15-9986-702df361d1db";
const COPILOT: &str = "1acb9ef0-b564-47a2-93f0-79034642bf33";
const CURSOR: &str = "9a0d5b1e-0b52-4f6f-8f0e-3c1d2e4f5a6b";

/// Payload, product, kind, session, and what else is expected: `name=value`, or `name` for what must be absent.
#[rustfmt::skip]
const EXPECTED: &[(&str, &str, HookKind, &str, &[&str])] = &[
    ("claude-code/session-start", "claude-code", HookKind::SessionStart, CLAUDE, &["source=startup", "model", "turn"]),
    ("claude-code/session-start-model", "claude-code", HookKind::SessionStart, CLAUDE, &["source=resume", "model=claude-opus-5-5"]),
    ("claude-code/user-prompt-submit", "claude-code", HookKind::Prompt, CLAUDE, &["turn=p-1", "prompt=write a greeting", "mode=default"]),
    ("claude-code/post-tool-use", "claude-code", HookKind::ToolUse, CLAUDE, &["tool=Write", "call=toolu_01", "file=/home/ada/app/greeting.txt", "command", "done=true"]),
    ("claude-code/stop", "claude-code", HookKind::TurnEnd, CLAUDE, &["turn=p-1", "last=The greeting is written.", "active=false", "mode=acceptEdits", "cwd=/home/ada/app"]),
    ("claude-code/stop-2025", "claude-code", HookKind::TurnEnd, CLAUDE, &["turn", "last", "active=true", "mode"]),
    ("claude-code/subagent-stop", "claude-code", HookKind::SubagentEnd, CLAUDE, &["agent=a1b2c3", "agentType=Explore", "last=Found it.",
        "agentTranscript=/home/ada/.claude/projects/-home-ada-app/3f1c9a52-7d0e-4b7a-9c55-0a1b2c3d4e5f/subagents/agent-a1b2c3.jsonl"]),
    ("claude-code/session-end", "claude-code", HookKind::SessionEnd, CLAUDE, &["reason=prompt_input_exit"]),
    ("codex/session-start", "codex", HookKind::SessionStart, CODEX, &["source=startup", "model=gpt-5.5", "turn"]),
    ("codex/user-prompt-submit", "codex", HookKind::Prompt, CODEX, &["turn=01a1fab2-4d1c-7552-9b7e-95811eb2cc64", "prompt=write a greeting"]),
    ("codex/post-tool-use", "codex", HookKind::ToolUse, CODEX, &["tool=Bash", "command=echo hello > greeting.txt", "call=call_0004"]),
    ("codex/stop", "codex", HookKind::TurnEnd, CODEX, &["turn=01a1fab2-4d1c-7552-9b7e-95811eb2cc64", "last=The greeting is written.", "mode=bypassPermissions"]),
    ("codex/stop-nulls", "codex", HookKind::TurnEnd, CODEX, &["transcript", "last", "model=gpt-5.5"]),
    ("codex/subagent-stop", "codex", HookKind::SubagentEnd, CODEX, &["agent=01a1fab2-5000-7552-9b7e-95811eb2cc64", "agentTranscript=/home/ada/.codex/sessions/2026/11/20/rollout-sub.jsonl"]),
    ("codex/session-end", "codex", HookKind::SessionEnd, CODEX, &["reason=other", "turn"]),
    ("codex/notify", "codex", HookKind::TurnEnd, CODEX, &["turn=01a1fab2-4d1c-7552-9b7e-95811eb2cc64", "prompt=write a greeting", "last=The greeting is written.", "event=agent-turn-complete", "transcript"]),
    ("gemini/session-start", "gemini", HookKind::SessionStart, GEMINI, &["source=startup", "time=2026-11-20T20:44:44.223Z"]),
    ("gemini/before-agent", "gemini", HookKind::Prompt, GEMINI, &["prompt=write a greeting"]),
    ("gemini/after-tool", "gemini", HookKind::ToolUse, GEMINI, &["tool=run_shell_command", "command=echo hello > greeting.txt", "done=true"]),
    ("gemini/after-agent", "gemini", HookKind::TurnEnd, GEMINI, &["last=The greeting is written.", "active=false"]),
    ("gemini/session-end", "gemini", HookKind::SessionEnd, GEMINI, &["reason=exit"]),
    ("copilot/session-start", "copilot", HookKind::SessionStart, COPILOT, &["source=new", "prompt=write a greeting", "time=1795207487217", "event"]),
    ("copilot/user-prompt-submitted", "copilot", HookKind::Prompt, COPILOT, &["prompt=write a greeting"]),
    ("copilot/post-tool-use", "copilot", HookKind::ToolUse, COPILOT, &["tool=bash", "command=echo hello > greeting.txt"]),
    ("copilot/tool-args-as-text", "copilot", HookKind::ToolUse, COPILOT, &["tool=bash", "command=echo hello"]),
    ("copilot/agent-stop", "copilot", HookKind::TurnEnd, COPILOT, &["reason=end_turn", "transcript=/home/ada/.copilot/session-state/1acb9ef0-b564-47a2-93f0-79034642bf33/events.jsonl"]),
    ("copilot/subagent-stop", "copilot", HookKind::SubagentEnd, COPILOT, &["agentType=explore"]),
    ("copilot/session-end", "copilot", HookKind::SessionEnd, COPILOT, &["reason=complete", "transcript"]),
    ("copilot/vscode-session-start", "copilot", HookKind::SessionStart, COPILOT, &["prompt=write a greeting"]),
    ("copilot/vscode-post-tool-use", "copilot", HookKind::ToolUse, COPILOT, &["tool=Bash"]),
    ("copilot/vscode-stop", "copilot", HookKind::TurnEnd, COPILOT, &["reason=end_turn"]),
    ("copilot/vscode-session-end", "copilot", HookKind::SessionEnd, COPILOT, &["reason=complete"]),
    ("copilot/vscode-editor", "copilot", HookKind::TurnEnd, COPILOT, &["time=2026-11-20T20:44:47.217Z"]),
    ("cursor/session-start", "cursor", HookKind::SessionStart, CURSOR, &["version=2.4.21", "root=/home/ada/app", "cwd"]),
    ("cursor/before-submit-prompt", "cursor", HookKind::Prompt, CURSOR, &["prompt=write a greeting", "turn=g-1"]),
    ("cursor/after-file-edit", "cursor", HookKind::ToolUse, CURSOR, &["tool=afterFileEdit", "file=/home/ada/app/greeting.txt", "done=true"]),
    ("cursor/after-shell-execution", "cursor", HookKind::ToolUse, CURSOR, &["tool=afterShellExecution", "command=cargo test", "exit"]),
    ("cursor/after-mcp-execution", "cursor", HookKind::ToolUse, CURSOR, &["tool=search"]),
    ("cursor/stop", "cursor", HookKind::TurnEnd, CURSOR, &["turn=g-1", "transcript", "reason=completed"]),
    ("cursor/stop-conversation-only", "cursor", HookKind::TurnEnd, CURSOR, &["turn=g-1", "transcript", "reason=aborted"]),
    ("cursor/session-end", "cursor", HookKind::SessionEnd, CURSOR, &["reason=user_close"]),
    ("cursor/claude-hooks-stop", "cursor", HookKind::TurnEnd, CURSOR, &["turn=g-1", "version=2.4.21"]),
    ("other/droid-stop", "droid", HookKind::TurnEnd, "d-1", &["mode=default"]),
    ("other/amp-generic", "amp", HookKind::Other, "T-1", &["event=turn-end"]),
];

fn facts(event: &HookEvent) -> BTreeMap<&'static str, String> {
    let tool = event.tool.clone().unwrap_or_default();
    let all = [
        ("event", event.event_name.clone()),
        ("turn", event.turn_id.clone()),
        ("agent", event.agent_id.clone()),
        ("agentType", event.agent_type.clone()),
        ("transcript", event.transcript_path.clone()),
        ("agentTranscript", event.agent_transcript_path.clone()),
        ("cwd", event.cwd.clone()),
        ("root", event.workspace_roots.first().cloned()),
        ("model", event.model.clone()),
        ("version", event.product_version.clone()),
        ("mode", event.permission_mode.clone()),
        ("source", event.source.clone()),
        ("reason", event.reason.clone()),
        ("active", event.stop_hook_active.map(|active| active.to_string())),
        ("prompt", event.prompt.clone()),
        ("last", event.last_assistant_message.clone()),
        ("time", event.timestamp.clone()),
        ("tool", tool.name),
        ("call", tool.call_id),
        ("command", tool.command),
        ("file", tool.files.first().cloned()),
        ("exit", tool.exit_code.map(|code| code.to_string())),
        ("done", event.tool.as_ref().map(|tool| tool.done.to_string())),
    ];
    all.into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

#[test]
fn every_payload_says_what_is_expected_of_it() {
    for (name, product, kind, session, expected) in EXPECTED {
        let reading = parse(Some(product), &payload(name));
        let event = &reading.event;
        assert_eq!(reading.problems, vec![], "{name}");
        assert_eq!(
            (event.kind, event.session_id.as_deref()),
            (*kind, Some(*session)),
            "{name}"
        );
        assert_eq!(reading.product.as_deref(), Some(*product), "{name}");
        assert!(!reading.mismatch, "{name}");
        let facts = facts(event);
        for fact in *expected {
            match fact.split_once('=') {
                Some((field, value)) => assert_eq!(
                    facts.get(field).map(String::as_str),
                    Some(value),
                    "{name} {field}"
                ),
                None => assert_eq!(facts.get(fact), None, "{name}"),
            }
        }
    }
}

#[test]
fn every_payload_is_expected() {
    let mut found = 0;
    for agent in std::fs::read_dir(folder()).unwrap().map(Result::unwrap) {
        for file in std::fs::read_dir(agent.path()).unwrap().map(Result::unwrap) {
            let name = format!(
                "{}/{}",
                agent.file_name().display(),
                file.path().file_stem().unwrap().display()
            );
            assert!(
                EXPECTED.iter().any(|row| row.0 == name),
                "{name} is not in the table"
            );
            found += 1;
        }
    }
    assert_eq!(found, EXPECTED.len());
}

#[test]
fn a_payload_tells_its_product_and_a_wrong_claim_is_told() {
    let exclusive = |name: &str| {
        name.starts_with("cursor/") || name.starts_with("copilot/v") || name.starts_with("codex/stop")
    };
    for (name, product, ..) in EXPECTED {
        let unclaimed = parse(None, &payload(name));
        if !name.starts_with("other/") {
            assert!(
                unclaimed.by_shape.contains(product),
                "{name}: {:?}",
                unclaimed.by_shape
            );
        }
        let wrong = if *product == "codex" {
            "claude-code"
        } else {
            "codex"
        };
        let claimed = parse(Some(wrong), &payload(name));
        if exclusive(name) {
            assert!(claimed.mismatch, "{name}");
            assert_ne!(claimed.product.as_deref(), Some(wrong), "{name}");
            assert_eq!(claimed.claimed.as_deref(), Some(wrong));
        }
    }
    // Cursor runs the hooks that Claude Code's settings name.
    let reading = parse(Some("claude-code"), &payload("cursor/claude-hooks-stop"));
    assert!(reading.mismatch);
    assert_eq!(reading.product.as_deref(), Some("cursor"));
}

#[test]
fn the_same_turn_told_twice_has_one_key() {
    let key = |name: &str| parse(None, &payload(name)).event.dedupe_key();
    assert_eq!(key("cursor/stop"), key("cursor/claude-hooks-stop"));
    assert_eq!(key("cursor/stop"), key("cursor/stop-conversation-only"));
    assert_eq!(key("codex/stop"), key("codex/notify"));
    assert_eq!(key("copilot/session-end"), key("copilot/vscode-session-end"));
    let keys: Vec<_> = [
        "codex/stop",
        "codex/user-prompt-submit",
        "codex/session-end",
        "codex/post-tool-use",
        "claude-code/stop",
    ]
    .iter()
    .map(|name| key(name).unwrap())
    .collect();
    for (at, key) in keys.iter().enumerate() {
        assert!(!keys[..at].contains(key));
    }
    // Nothing tells one turn from the next.
    assert_eq!(key("claude-code/stop-2025"), None);
}

#[test]
fn words_and_addresses_stay_out_of_debug() {
    for (name, ..) in EXPECTED {
        let shown = format!("{:?}", parse(None, &payload(name)));
        for word in [
            "greeting is written",
            "write a greeting",
            "example.com",
            "echo hello",
            "cargo test",
        ] {
            assert!(!shown.contains(word), "{name}: {shown}");
        }
    }
}

#[test]
fn arguments_serve_where_there_is_no_payload() {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let reading = parse_arguments(
        Some("opencode"),
        &words("--event session.idle --session ses_1 --cwd=/home/ada/app --unknown"),
        b"",
    );
    assert_eq!(reading.event.kind, HookKind::TurnEnd);
    assert_eq!(reading.event.session_id.as_deref(), Some("ses_1"));
    assert_eq!(reading.event.cwd.as_deref(), Some("/home/ada/app"));
    assert_eq!(
        (reading.product.as_deref(), reading.problems.len()),
        (Some("opencode"), 0)
    );

    let object = String::from_utf8(payload("codex/notify")).unwrap();
    let reading = parse_arguments(Some("codex"), &[object.trim_end().to_owned()], b"");
    assert_eq!(reading.event.turn_id.as_deref(), Some(TURN));

    // What the payload says counts first.
    let reading = parse_arguments(None, &words("--session other"), &payload("gemini/after-agent"));
    assert_eq!(reading.event.session_id.as_deref(), Some(GEMINI));
    for arguments in [
        "--session",
        "--session=",
        "--cwd \u{1b}[2J",
        "{",
        "--event x --event y",
    ] {
        let _ = parse_arguments(None, &words(arguments), b"{}");
    }
}

#[test]
fn hostile_payloads_are_read_as_far_as_they_go() {
    let code = |payload: &[u8]| {
        let problems = parse(Some("codex"), payload).problems;
        problems.first().map(HookProblem::code)
    };
    assert_eq!(code(b""), Some("hook.payload_empty"));
    assert_eq!(code(b" \n"), Some("hook.payload_empty"));
    for malformed in [
        "[]",
        "null",
        "7",
        "\"x\"",
        "{",
        "{\"a\"",
        "{\"session_id\":}",
        "\u{0}",
        "nonsense",
    ] {
        assert_eq!(
            code(malformed.as_bytes()),
            Some("hook.payload_malformed"),
            "{malformed}"
        );
    }
    assert_eq!(code(b"{} {}"), Some("hook.payload_trailing"));
    assert_eq!(
        code(br#"{"session_id":"a","sessionId":"b"}"#),
        Some("hook.field_repeated")
    );
    assert_eq!(
        code(br#"{"session_id":"a","conversation_id":"b"}"#),
        Some("hook.field_contradiction")
    );
    for unusable in [
        r#"{"session_id":7}"#,
        r#"{"session_id":["a"]}"#,
        r#"{"session_id":"a\u0000b"}"#,
        r#"{"cwd":{"a":1}}"#,
        r#"{"stop_hook_active":"yes"}"#,
        r#"{"workspace_roots":"/a"}"#,
        r#"{"timestamp":-1}"#,
        r#"{"last_assistant_message":{}}"#,
    ] {
        assert_eq!(
            code(unusable.as_bytes()),
            Some("hook.field_unusable"),
            "{unusable}"
        );
    }
    let long = format!(r#"{{"session_id":"{}"}}"#, "x".repeat(5_000));
    assert_eq!(code(long.as_bytes()), Some("hook.field_too_long"));

    // What stood before the end counts.
    let whole = payload("codex/stop");
    let cut = parse(Some("codex"), &whole[..whole.len() - 20]);
    assert_eq!(cut.event.kind, HookKind::TurnEnd);
    assert_eq!(cut.event.session_id.as_deref(), Some(CODEX));
    assert_eq!(cut.problems[0].code(), "hook.payload_malformed");

    // Halves of characters and bytes that are no text.
    let halves = parse(
        None,
        b"{\"hook_event_name\":\"Stop\",\"last_assistant_message\":\"a\\ud83d\",\"cwd\":\"/\xff\"}",
    );
    assert_eq!(halves.event.kind, HookKind::TurnEnd);
    assert!(halves.event.last_assistant_message.unwrap().starts_with('a'));
}

#[test]
fn huge_and_deep_payloads_cost_no_more_than_their_bytes() {
    let deep = format!("{{\"session_id\":\"a\",\"x\":{}", "[".repeat(1_000_000));
    let reading = parse(None, deep.as_bytes());
    assert_eq!(reading.event.session_id.as_deref(), Some("a"));
    let deep = format!(
        "{{\"tool_input\":{}1{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(parse(None, deep.as_bytes()).event.session_id.is_none());
    let mut huge = br#"{"session_id":"a","hook_event_name":"Stop","prompt":""#.to_vec();
    huge.resize(MAX_HOOK_PAYLOAD_BYTES + 1_000, b'x');
    huge.extend_from_slice(b"\"}");
    let reading = parse(None, &huge);
    assert_eq!(reading.event.kind, HookKind::TurnEnd);
    assert_eq!(reading.problems[0].code(), "hook.payload_too_large");
    assert_eq!(reading.event.prompt, None);
    let many = format!("{{{}\"cwd\":\"/a\"}}", "\"session_id\":7,".repeat(200_000));
    let reading = parse(None, many.as_bytes());
    assert!(reading.problems.len() <= 32);
    assert_eq!(reading.event.cwd.as_deref(), Some("/a"));
    let roots = format!(r#"{{"workspace_roots":[{}"/z"]}}"#, r#""/a","#.repeat(100_000));
    assert_eq!(parse(None, roots.as_bytes()).event.workspace_roots.len(), 64);
}

#[test]
fn a_hundred_thousand_mutations_end_quietly() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for (name, product, ..) in EXPECTED {
        let good = payload(name);
        for _ in 0..=100_000 / EXPECTED.len() {
            let mut bytes = good.clone();
            for _ in 0..=next(4) {
                if bytes.is_empty() {
                    break;
                }
                let at = next(bytes.len());
                match next(5) {
                    0 => bytes[at] = u8::try_from(next(256)).unwrap(),
                    1 => bytes[at] ^= 1 << next(8),
                    2 => bytes.insert(at, b"{}[]\",:\\0u"[next(10)]),
                    3 => drop(bytes.remove(at)),
                    _ => bytes.truncate(at),
                }
            }
            let reading = parse(Some(product), &bytes);
            assert!(reading.problems.len() <= 32);
            let _ = (reading.event.dedupe_key(), format!("{reading:?}"));
        }
    }
}
