//! How fast `agent-sessions` reads a session: the same file, the same rounds, the best of them.

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Instant;

use agent_sessions::{Agent, Event, ReadOptions, import_session, read_from};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, path, rounds] = arguments.as_slice() else {
        return Err("claude-code|codex|gemini FILE ROUNDS".into());
    };
    let agent = match kind.as_str() {
        "claude-code" => Agent::ClaudeCode,
        "codex" => Agent::Codex,
        "gemini" => Agent::GeminiCli,
        _ => return Err("claude-code, codex or gemini".into()),
    };
    let path = Path::new(path);
    let bytes = std::fs::metadata(path)?.len();
    let options = ReadOptions {
        max_file_bytes: None,
        ..ReadOptions::default()
    };
    let mut best = f64::INFINITY;
    let mut events = (0u64, 0u64);
    for _ in 0..rounds.parse()? {
        let started = Instant::now();
        events = read(agent, path, &options)?;
        best = best.min(started.elapsed().as_secs_f64());
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!(
        "agent-sessions {kind:<15} {:>7.1} MB/s  {} events, {} messages, most memory {}",
        bytes as f64 / 1e6 / best,
        events.0,
        events.1,
        memory.unwrap_or("unknown").trim()
    );
    Ok(())
}

/// Streams where it can: then nothing of a session is held.
fn read(agent: Agent, path: &Path, options: &ReadOptions) -> Result<(u64, u64), Box<dyn Error>> {
    let mut counts = (0, 0);
    let mut count = |event: &Event| {
        counts.0 += 1;
        counts.1 += u64::from(matches!(event, Event::Message(_)));
    };
    if agent == Agent::GeminiCli {
        for event in import_session(agent, path, options)?.events {
            count(&event.value);
        }
    } else {
        let reader = BufReader::with_capacity(256 * 1024, File::open(path)?);
        for event in read_from(agent, reader, options)?.by_ref() {
            count(&event?.value);
        }
    }
    Ok(counts)
}
