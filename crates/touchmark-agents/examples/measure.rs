//! Writes large sessions, and says how fast and in how much memory one is read. `tests/peers/run` runs it beside another
//! implementation.
//!
//! ```sh
//! cargo run --release -p touchmark-agents --example measure -- write claude-code 134217728 session.jsonl
//! cargo run --release -p touchmark-agents --example measure -- read session.jsonl 5
//! ```

#![allow(clippy::print_stdout, reason = "a program for a terminal")]

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use touchmark_agents::importer;
use touchmark_agents::session::ImportOptions;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["write", kind, bytes, path] => write(kind, bytes.parse()?, Path::new(path)),
        ["read", path, rounds] => read(Path::new(path), rounds.parse()?),
        _ => Err("write claude-code|codex|gemini BYTES FILE, or read FILE ROUNDS".into()),
    }
}

/// Reads a session again and again from its file, and prints the best time and the most memory.
fn read(path: &Path, rounds: u32) -> Result<(), Box<dyn Error>> {
    let importer = importer::recognise(path)?.ok_or("no importer knows the file")?;
    let name = path.file_name().ok_or("no file")?.to_string_lossy();
    let bytes = std::fs::metadata(path)?.len();
    let mut best = f64::INFINITY;
    let (mut steps, mut calls) = (0, 0);
    for _ in 0..rounds {
        let started = Instant::now();
        let mut reader = BufReader::with_capacity(256 * 1024, File::open(path)?);
        let run = importer.import_reader(&name, &mut reader, &ImportOptions::default())?;
        best = best.min(started.elapsed().as_secs_f64());
        (steps, calls) = (run.steps.len(), run.tool_calls());
    }
    println!(
        "touchmark {:<20} {:>7.1} MB/s  {steps} steps, {calls} calls, most memory {}",
        importer.format(),
        bytes as f64 / 1e6 / best,
        most_memory().unwrap_or_else(|| "unknown".to_owned())
    );
    Ok(())
}

/// The most memory that this process has held, as Linux counts it.
fn most_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.trim_start_matches("VmHWM:").trim().to_owned())
}

/// Writes a session of at least so many bytes.
fn write(kind: &str, bytes: u64, path: &Path) -> Result<(), Box<dyn Error>> {
    let round: fn(u64) -> Vec<Value> = match kind {
        "claude-code" => claude_code,
        "codex" => codex,
        "gemini" => gemini,
        _ => return Err("claude-code, codex or gemini".into()),
    };
    let mut file = BufWriter::new(File::create(path)?);
    let mut written = 0;
    for number in 0.. {
        for record in round(number) {
            let line = record.to_string();
            file.write_all(line.as_bytes())?;
            file.write_all(b"\n")?;
            written += line.len() as u64 + 1;
        }
        if written >= bytes {
            break;
        }
    }
    file.flush()?;
    Ok(())
}

fn id(number: u64, part: u64) -> String {
    format!("{number:08x}-0000-4000-8000-{part:012x}")
}

fn time(number: u64) -> String {
    let (minute, second) = (number / 60 % 60, number % 60);
    format!(
        "2026-03-01T{:02}:{minute:02}:{second:02}.000Z",
        number / 3_600 % 24
    )
}

fn output() -> String {
    "test greeting::by_name ... ok, and some more words of what a program prints\n".repeat(40)
}

fn claude_code(number: u64) -> Vec<Value> {
    let record = |part: u64, more: Value| {
        let mut record = json!({
            "parentUuid": (part > 0 || number > 0).then(|| id(number - u64::from(part == 0), (part + 3) % 4)),
            "isSidechain": false, "userType": "external", "cwd": "/home/ada/greeter",
            "sessionId": "5e551000-0000-4000-8000-000000000001", "version": "2.1.286", "gitBranch": "main",
            "uuid": id(number, part), "timestamp": time(number * 4 + part),
        });
        if let (Value::Object(record), Value::Object(more)) = (&mut record, more) {
            record.extend(more);
        }
        record
    };
    let usage = json!({"input_tokens": 4, "output_tokens": 120, "cache_read_input_tokens": 2_400,
                       "cache_creation_input_tokens": 150});
    let answer = |content: Value| {
        json!({"type": "assistant", "requestId": format!("req_{number}"), "message": {
            "id": format!("msg_{number}"), "type": "message", "role": "assistant",
            "model": "claude-opus-4-5-20251101", "content": content, "usage": usage}})
    };
    vec![
        record(
            0,
            json!({"type": "user", "message": {"role": "user", "content": "Test it again."}}),
        ),
        record(1, answer(json!([{"type": "text", "text": "I run the tests."}]))),
        record(
            2,
            answer(
                json!([{"type": "tool_use", "id": format!("toolu_{number}"), "name": "Bash",
                           "input": {"command": "cargo test --workspace"}}]),
            ),
        ),
        record(
            3,
            json!({"type": "user",
                   "message": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": format!("toolu_{number}"),
                                                            "is_error": false, "content": output()}]},
                   "toolUseResult": {"stdout": output(), "stderr": "", "interrupted": false}}),
        ),
    ]
}

fn codex(number: u64) -> Vec<Value> {
    let line = |part: u64, kind: &str, payload: Value| json!({"timestamp": time(number * 6 + part), "type": kind, "payload": payload});
    let call = format!("call_{number}");
    let mut records = Vec::new();
    if number == 0 {
        records.push(line(
            0,
            "session_meta",
            json!({"id": "019b0000-1000-7000-8000-000000000001", "cwd": "/home/ada/greeter", "originator": "codex-tui",
                   "cli_version": "0.118.0", "source": "cli", "model_provider": "openai",
                   "timestamp": time(0), "git": {"branch": "main"}}),
        ));
    }
    let total = json!({"input_tokens": 1_000 * (number + 1), "cached_input_tokens": 900 * (number + 1),
                       "output_tokens": 50 * (number + 1), "reasoning_output_tokens": 10 * (number + 1),
                       "total_tokens": 1_050 * (number + 1)});
    records.extend([
        line(
            1,
            "turn_context",
            json!({"turn_id": format!("t{number}"), "cwd": "/home/ada/greeter", "approval_policy": "on-request",
                   "sandbox_policy": {"type": "workspace-write"}, "model": "gpt-5.4"}),
        ),
        line(2, "event_msg", json!({"type": "user_message", "message": "Test it again.", "images": []})),
        line(
            3,
            "response_item",
            json!({"type": "function_call", "name": "exec_command", "call_id": call,
                   "arguments": "{\"cmd\":\"cargo test --workspace\"}"}),
        ),
        line(
            4,
            "response_item",
            json!({"type": "function_call_output", "call_id": call,
                   "output": format!("Command: cargo test\nProcess exited with code 0\nOutput:\n{}", output())}),
        ),
        line(
            5,
            "response_item",
            json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": output()}]}),
        ),
        line(
            5,
            "event_msg",
            json!({"type": "token_count", "info": {"total_token_usage": total, "last_token_usage": {
                "input_tokens": 1_000, "cached_input_tokens": 900, "output_tokens": 50, "reasoning_output_tokens": 10,
                "total_tokens": 1_050}}}),
        ),
    ]);
    records
}

fn gemini(number: u64) -> Vec<Value> {
    let mut records = Vec::new();
    if number == 0 {
        records.push(
            json!({"sessionId": "5e551000-0000-4000-8000-000000000001", "projectHash": "7e89", "kind": "main",
                            "startTime": time(0), "lastUpdated": time(0)}),
        );
    }
    records.extend([
        json!({"id": id(number, 0), "timestamp": time(number * 2), "type": "user",
               "content": [{"text": "Test it again."}]}),
        json!({"id": id(number, 1), "timestamp": time(number * 2 + 1), "type": "gemini", "content": output(),
               "model": "gemini-2.5-pro", "thoughts": [],
               "tokens": {"input": 1_000, "output": 40, "cached": 900, "thoughts": 30, "tool": 0, "total": 1_070},
               "toolCalls": [{"id": format!("run_shell_command-{number}"), "name": "run_shell_command",
                              "args": {"command": "cargo test --workspace"}, "status": "success",
                              "timestamp": time(number * 2 + 1),
                              "result": [{"functionResponse": {"id": format!("run_shell_command-{number}"),
                                  "name": "run_shell_command", "response": {"output": output()}}}]}]}),
    ]);
    records
}
