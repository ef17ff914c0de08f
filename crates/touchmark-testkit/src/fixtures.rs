//! The session files in `testdata/sessions`, generated. `cargo run -p touchmark-testkit --example write-fixtures -- DIR`
//! writes them; a test compares them with what lies there.

mod claude_code;
mod codex;
mod copilot;
mod cursor;
mod gemini;
mod neutral;
mod opencode;
mod openhands;
mod others;
mod swe_agent;

use serde_json::{Value, json};

use crate::session::{SessionBuilder, ToolResult};

/// One generated file.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// Its path below `testdata/sessions`.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

const ROOT: &str = "/home/ada/greeter";
const HAIKU: &str = "claude-haiku-4-5-20251001";
/// A picture of one pixel.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// Returns every generated session file.
pub fn sessions() -> Vec<Fixture> {
    let mut fixtures: Vec<Fixture> = [
        ("plain", plain().build()),
        ("sidechain", sidechain().build()),
        ("two-values-on-one-line", two_values().build()),
        (
            "no-last-line-feed",
            session(4)
                .prompt("Say hello.")
                .says("Hello.")
                .without_line_feed()
                .build(),
        ),
        ("compaction", compaction().build()),
        ("mcp-tools", mcp_tools().build()),
        ("two-versions", two_versions().build()),
        (
            "cost-state",
            session(8)
                .prompt("Say hello.")
                .says("Hello.")
                .cost(0.07125)
                .build(),
        ),
        ("rewound", rewound().build()),
    ]
    .into_iter()
    .map(|(name, bytes)| Fixture {
        path: format!("claude-code/{name}.jsonl"),
        bytes,
    })
    .collect();
    fixtures.extend(separate_files());
    fixtures.extend(claude_code::all());
    fixtures.extend(neutral::all());
    fixtures.extend(others::all());
    fixtures.extend(codex::all());
    fixtures.extend(gemini::all());
    fixtures.extend(copilot::all());
    fixtures.extend(cursor::all());
    fixtures.extend(opencode::all());
    fixtures.extend(openhands::all());
    fixtures.extend(swe_agent::all());
    fixtures
}

/// One record a line.
fn json_lines(records: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        bytes.extend(record.to_string().into_bytes());
        bytes.push(b'\n');
    }
    bytes
}

fn id(number: u32) -> String {
    format!("5e551000-0000-4000-8000-{number:012}")
}

fn session(number: u32) -> SessionBuilder {
    SessionBuilder::new(&id(number), ROOT)
}

/// A run with an edit, a new file, a failing and a passing test, and a commit.
fn plain() -> SessionBuilder {
    session(1)
        .meta("Caveat: the messages below were written by local commands.")
        .prompt("Greet people by name, and test it.")
        .edit(
            "/home/ada/greeter/src/lib.rs",
            "\"hello\"",
            "format!(\"hello, {name}\")",
        )
        .write("/home/ada/greeter/tests/greeting.rs", "#[test]\nfn greets() {}\n")
        .bash_failed("cargo test", 101, "error: could not compile `greeter`")
        .edit(
            "/home/ada/greeter/src/lib.rs",
            "fn greet()",
            "fn greet(name: &str)",
        )
        .bash("cargo test", "test greets ... ok")
        .bash("cargo fmt && cargo clippy", "")
        .bash(
            "git add -A && git commit -m 'Greet by name'",
            "[agent/greeting 1f2e3d4] Greet by name\n 2 files changed, 5 insertions(+)",
        )
        .tool(
            "Read",
            json!({"file_path": "/home/ada/greeter/absent"}),
            ToolResult::Failed("File does not exist.".to_owned()),
        )
        .tool("Grep", json!({"pattern": "greet"}), ToolResult::None)
        .prompt("[Request interrupted by user for tool use]")
        .picture(PIXEL, "It should look like this.")
        .says("It does.")
}

/// A sub-agent in the same file.
fn sidechain() -> SessionBuilder {
    session(2)
        .version("2.0.64")
        .prompt("Find the greeting, then change it.")
        .sidechain("a1b2c3d", HAIKU, |agent| {
            agent
                .prompt("Find where the greeting is made.")
                .bash("grep -rn hello src", "src/lib.rs:1: hello")
                .says("In src/lib.rs.")
        })
        .edit("/home/ada/greeter/src/lib.rs", "hello", "good day")
        .says("Done.")
}

/// A sub-agent in a file of its own, with the record of its start in the session's file.
fn separate_files() -> Vec<Fixture> {
    let folder = format!("claude-code/{}", id(3));
    let main = session(3)
        .prompt("Let a helper write the notes.")
        .tool(
            "Task",
            json!({"description": "notes", "prompt": "Write NOTES.md.", "subagent_type": "writer"}),
            ToolResult::Ok {
                text: "Written.".to_owned(),
                kept: json!({"status": "completed", "agentId": "b7", "totalTokens": 4_321, "totalToolUseCount": 1, "content": []}),
            },
        )
        .says("The notes are there.");
    let agent = main
        .subagent("b7", HAIKU)
        .prompt("Write NOTES.md.")
        .write("/home/ada/greeter/NOTES.md", "# Notes\n")
        .bash_failed("npm test", 1, "no test specified")
        .says("Written.");
    vec![
        Fixture {
            path: format!("{folder}.jsonl"),
            bytes: main.build(),
        },
        Fixture {
            path: format!("{folder}/subagents/agent-b7.jsonl"),
            bytes: agent.build(),
        },
        Fixture {
            path: format!("{folder}/subagents/agent-b7.meta.json"),
            bytes: b"{\"agentType\":\"writer\",\"toolUseId\":\"toolu_01\"}\n".to_vec(),
        },
    ]
}

/// A later writer that found no line feed; a line that is no JSON; a record of an unknown kind.
fn two_values() -> SessionBuilder {
    let first = session(9).prompt("Say hello.").says("Hello.").without_line_feed();
    let mut session = first.record("summary", json!({"summary": "A greeting", "leafUuid": "x"}));
    session = session.record("kind-of-the-future", json!({"x": 1}));
    let mut bytes = session.clone().build();
    bytes.extend_from_slice(b"{\"type\":\"user\",\n\n");
    session.replace(bytes).says("Bye.")
}

fn compaction() -> SessionBuilder {
    session(5)
        .prompt("Change every greeting.")
        .edit("/home/ada/greeter/a.txt", "hello", "good day")
        .compaction("This session is being continued from a previous conversation that ran out of context.")
        .edit("/home/ada/greeter/b.txt", "hello", "good day")
        .says("All changed.")
}

fn mcp_tools() -> SessionBuilder {
    let ok = |text: &str| ToolResult::Ok {
        text: text.to_owned(),
        kept: json!([{"type": "text", "text": text}]),
    };
    session(6)
        .prompt("Look at the ticket and answer it.")
        .tool(
            "mcp__tracker__get_issue",
            json!({"id": "GR-7"}),
            ok("GR-7: greet by name"),
        )
        .tool(
            "mcp__tracker__get_issue",
            json!({"id": "GR-8"}),
            ToolResult::Failed("not found".to_owned()),
        )
        .tool(
            "mcp__plugin_tools_chat__send_message",
            json!({"text": "done"}),
            ok("sent"),
        )
        .says("Answered.")
}

fn two_versions() -> SessionBuilder {
    session(7)
        .version("1.0.111")
        .model("claude-sonnet-4-20250514")
        .prompt("Say hello.")
        .says("Hello.")
        .version("2.1.286")
        .model("claude-opus-4-5-20251101")
        .branch("agent/farewell")
        .at(1_772_352_000)
        .prompt("And goodbye.")
        .says("Goodbye.")
}

/// A person goes back and asks for something else.
fn rewound() -> SessionBuilder {
    let asked = session(10).prompt("Say hello.").says("Hello.");
    let before = asked.last();
    asked
        .prompt("Now in French.")
        .says("Bonjour.")
        .back_to(before)
        .prompt("Now in Italian.")
        .says("Buongiorno.")
}
