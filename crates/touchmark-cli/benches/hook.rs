//! `touchmark hook run` in a repository of 80,000 files and in a small one: the time that an agent waits, as p50 and p99
//! over 1,000 runs (`TOUCHMARK_BENCH_RUNS` asks for another number). Goal: under 100 ms.
//!
//! Every run is a process of its own with a payload on standard input; the worker is kept from starting, as it is inside
//! of `touchmark run`, so that only the hook is measured.

#![allow(clippy::print_stdout, reason = "a bench tells what it measured")]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[allow(
    clippy::disallowed_methods,
    reason = "how long a bench runs is asked for by a variable"
)]
fn main() {
    let runs = std::env::var_os("TOUCHMARK_BENCH_RUNS")
        .and_then(|text| text.to_str()?.parse().ok())
        .unwrap_or(1_000);
    for files in [100, 80_000] {
        let place = Place::new(files);
        for event in ["UserPromptSubmit", "Stop"] {
            let mut times: Vec<Duration> = (0..runs).map(|run| place.hook(event, run)).collect();
            times.sort();
            let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
            println!(
                "hook run, {event}, {files} files, {runs} runs: p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms",
                at(0.5),
                at(0.99),
                at(1.0)
            );
        }
    }
}

struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new(files: usize) -> Self {
        let this = Self {
            root: tempfile::tempdir().expect("a temporary folder"),
        };
        fs::create_dir(this.repo()).expect("a folder");
        this.git(&["init", "--quiet", "--initial-branch=main", "."]);
        let mut stream = String::from(
            "commit refs/heads/main\ncommitter B <b@example.invalid> 1767322800 +0000\ndata 4\nbase\n",
        );
        for file in 0..files {
            let content = format!("// file {file}\n{}", "fn f() {}\n".repeat(file % 60));
            let _ = writeln!(
                stream,
                "M 100644 inline src/part{:02}/group{:02}/file{file:05}.rs\ndata {}\n{content}",
                file % 40,
                file / 40 % 50,
                content.len()
            );
        }
        let path = this.root.path().join("stream");
        fs::write(&path, stream).expect("a stream");
        let import = this
            .command("git", &["fast-import", "--quiet"])
            .stdin(fs::File::open(path).expect("the stream"))
            .status();
        assert!(import.expect("git runs").success());
        this.git(&["checkout", "--quiet", "main"]);
        this.git(&["status", "--porcelain"]);
        fs::write(this.transcript(), "{\"type\":\"user\"}\n".repeat(100_000)).expect("a transcript");
        this
    }

    fn repo(&self) -> PathBuf {
        self.root.path().join("repo")
    }

    fn transcript(&self) -> PathBuf {
        self.root.path().join("session.jsonl")
    }

    fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(self.repo())
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/local/bin")
            .env("HOME", self.root.path())
            .env("TOUCHMARK_HOME", self.root.path().join("touchmark"))
            .env("TOUCHMARK_RUN", "bench");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn git(&self, words: &[&str]) {
        assert!(self.command("git", words).status().expect("git runs").success());
    }

    fn hook(&self, event: &str, run: usize) -> Duration {
        let payload = payload(&self.repo(), &self.transcript(), event, run);
        let mut command = self.command(env!("CARGO_BIN_EXE_touchmark"), &["hook", "run", "claude-code"]);
        let started = Instant::now();
        let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(payload.as_bytes()).expect("the payload is read");
        drop(stdin);
        assert!(child.wait().expect("the binary ends").success());
        started.elapsed()
    }
}

fn payload(repo: &Path, transcript: &Path, event: &str, run: usize) -> String {
    format!(
        r#"{{"session_id":"00000000-4444-4000-8000-{run:012}","transcript_path":"{}","cwd":"{}","permission_mode":"default","hook_event_name":"{event}","last_assistant_message":"It is done."}}"#,
        transcript.display(),
        repo.display()
    )
}
