//! `touchmark attest` in a repository of 80,000 files, beside `git status` there.
//!
//! Everything is real: the checked-out HEAD is compared with the work tree, a plain P-256 key signs, the embedded log
//! and the evidence refs are written. Goal: at most 150 ms.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::{BatchSize, Criterion};

const FILES: usize = 80_000;
const CHANGED: usize = 10;

struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let this = Self {
            root: tempfile::tempdir().expect("a temporary folder"),
        };
        fs::create_dir(this.repo()).expect("a folder");
        this.git(&["init", "--quiet", "--initial-branch=main", "."]);
        let stream = this.root.path().join("stream");
        fs::write(&stream, history()).expect("a stream");
        let import = this
            .command("git", &["fast-import", "--quiet"])
            .stdin(fs::File::open(stream).expect("the stream"))
            .status();
        assert!(import.expect("git runs").success());
        this.git(&["checkout", "--quiet", "work"]);
        // The index is refreshed once, as it is in a repository that somebody works in.
        this.git(&["status", "--porcelain"]);
        this
    }

    fn repo(&self) -> PathBuf {
        self.root.path().join("repo")
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.repo())
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/local/bin");
        command
            .env("HOME", self.root.path())
            .env("TOUCHMARK_HOME", self.root.path().join("touchmark"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn git(&self, arguments: &[&str]) {
        assert!(
            self.command("git", arguments)
                .status()
                .expect("git runs")
                .success(),
            "git {arguments:?}"
        );
    }

    /// A session that nobody has attested yet, and no evidence from the run before.
    fn fresh(&self, number: usize) -> PathBuf {
        let refs = self
            .command(
                "git",
                &["for-each-ref", "--format=delete %(refname)", "refs/touchmark/"],
            )
            .stdout(Stdio::piped())
            .output();
        let file = self.root.path().join("refs");
        fs::write(&file, refs.expect("git runs").stdout).expect("a file");
        let delete = self
            .command("git", &["update-ref", "--stdin"])
            .stdin(fs::File::open(file).expect("the file"))
            .status();
        assert!(delete.expect("git runs").success());
        let session = self.root.path().join(format!("session-{number}.jsonl"));
        fs::write(&session, transcript(&self.repo(), number)).expect("a session");
        session
    }
}

fn path(file: usize) -> String {
    format!(
        "src/part{:02}/group{:02}/file{file:05}.rs",
        file % 40,
        file / 40 % 50
    )
}

fn history() -> String {
    let mut stream = String::from(
        "commit refs/heads/main\ncommitter B <b@example.invalid> 1767322800 +0000\ndata 4\nbase\n",
    );
    let write = |stream: &mut String, file: usize, content: &str| {
        let _ = writeln!(
            stream,
            "M 100644 inline {}\ndata {}\n{content}",
            path(file),
            content.len()
        );
    };
    for file in 0..FILES {
        write(
            &mut stream,
            file,
            &format!("// file {file}\n{}", "fn f() {}\n".repeat(file % 60)),
        );
    }
    stream.push_str("\ncommit refs/heads/work\ncommitter B <b@example.invalid> 1767322900 +0000\ndata 4\nwork\nfrom refs/heads/main\n");
    for file in 0..CHANGED {
        write(&mut stream, file * 997, "// changed\n");
    }
    stream
}

fn transcript(repo: &Path, number: usize) -> String {
    let common = format!(
        r#""sessionId":"00000000-2222-4000-8000-{number:012}","cwd":"{}","version":"2.1.14","gitBranch":"work","timestamp":"2026-03-01T11:00:00.000Z""#,
        repo.display()
    );
    let mut lines = format!(
        r#"{{"type":"user","uuid":"p","parentUuid":null,{common},"message":{{"role":"user","content":"change them"}}}}"#
    );
    lines.push('\n');
    for file in 0..CHANGED {
        let full = repo.join(path(file * 997));
        let full = full.display();
        let _ = writeln!(
            lines,
            r#"{{"type":"assistant","uuid":"a{file}","parentUuid":"p","requestId":"r{file}",{common},"message":{{"id":"m{file}","model":"claude-opus-4-5-20251101","role":"assistant","content":[{{"type":"tool_use","id":"t{file}","name":"Write","input":{{"file_path":"{full}","content":"x"}}}}],"usage":{{"input_tokens":1,"output_tokens":1}}}}}}"#
        );
        let _ = writeln!(
            lines,
            r#"{{"type":"user","uuid":"b{file}","parentUuid":"a{file}",{common},"toolUseResult":{{"type":"update","filePath":"{full}"}},"message":{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t{file}","content":"ok"}}]}}}}"#
        );
    }
    lines
}

fn main() {
    let place = Place::new();
    let mut criterion = Criterion::default()
        .sample_size(20)
        .measurement_time(Duration::from_secs(10))
        .configure_from_args();
    let mut group = criterion.benchmark_group("repository of 80,000 files");
    let mut number = 0;
    group.bench_function("touchmark attest", |bench| {
        bench.iter_batched(
            || {
                number += 1;
                place.fresh(number)
            },
            |session| {
                let mut command = place.command(
                    env!("CARGO_BIN_EXE_touchmark"),
                    &["attest", "--base", "main", "--session"],
                );
                assert!(command.arg(session).status().expect("the binary runs").success());
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("git status", |bench| {
        bench.iter(|| place.git(&["status", "--porcelain"]))
    });
    group.finish();
    criterion.final_summary();
}
