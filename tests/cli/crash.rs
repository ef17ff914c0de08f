//! `attest` killed at 200 instants spread over its run: nothing acknowledged is lost, nothing half-written is accepted,
//! and the next run finishes the work as one attestation.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Outcome, Sandbox, is_spool_entry};

const RUNS: usize = 200;
const SEED: u64 = 0x7011_c43a_5eed_0001;

/// One run's inputs: a branch of its own and a session of its own.
struct Work {
    branch: String,
    session: PathBuf,
    home: PathBuf,
}

/// Makes a branch for each run in one go.
fn prepare() -> (Sandbox, Vec<Work>) {
    let sandbox = Sandbox::new();
    sandbox.write("src/lib.rs", "pub fn n() -> u32 { 0 }\n");
    let base = sandbox.commit("first");
    let mut stream = String::new();
    for run in 0..RUNS {
        let content = format!("pub fn n() -> u32 {{ {} }}\n", run + 1);
        stream +=
            &format!("commit refs/heads/work/{run}\ncommitter T <t@example.invalid> 1767322800 +0000\n");
        stream += &format!(
            "data 4\nwork\nfrom {base}\nM 100644 inline src/lib.rs\ndata {}\n{content}\n",
            content.len()
        );
    }
    let file = sandbox.path("stream");
    std::fs::write(&file, stream).unwrap();
    let mut import = std::process::Command::new("git");
    import
        .args(["fast-import", "--quiet"])
        .current_dir(sandbox.repo())
        .stdin(std::fs::File::open(file).unwrap());
    assert!(import.status().unwrap().success());
    let works = (0..RUNS).map(|run| {
        let session = sandbox.path(format!("session-{run}.jsonl"));
        let id = format!("00000000-1111-4000-8000-{run:012}");
        std::fs::write(
            &session,
            sandbox
                .session()
                .id(&id)
                .prompt("count")
                .writes("src/lib.rs")
                .bytes(),
        )
        .unwrap();
        // Every other run is somebody's first: its key and its log are being made as well.
        let home = if run % 2 == 0 {
            "shared".to_owned()
        } else {
            format!("first-{run}")
        };
        Work {
            branch: format!("refs/heads/work/{run}"),
            session,
            home: sandbox.path(home),
        }
    });
    let works = works.collect();
    (sandbox, works)
}

fn attest(sandbox: &Sandbox, work: &Work) -> std::process::Command {
    let mut command = sandbox.command([
        "attest",
        "--format",
        "json",
        "--quiet",
        "--base",
        "main",
        "--proposed",
    ]);
    command
        .arg(&work.branch)
        .arg("--session")
        .arg(&work.session)
        .env("TOUCHMARK_HOME", &work.home);
    command
}

fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn evidence_files(sandbox: &Sandbox, work: &Work) -> Vec<(String, Vec<u8>)> {
    let commit = sandbox.git(["rev-parse", &work.branch]);
    let reference = format!("refs/touchmark/commit/{}/{commit}", &commit[..2]);
    let exists = !sandbox
        .git(["for-each-ref", "--format=%(refname)", &reference])
        .is_empty();
    if exists {
        sandbox.evidence(&reference)
    } else {
        Vec::new()
    }
}

fn payload_digest(bundle: &[u8]) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    let bundle: Value = serde_json::from_slice(bundle).expect("evidence is whole JSON");
    let payload = bundle["dsseEnvelope"]["payload"].as_str().expect("a payload");
    let payload = base64::engine::general_purpose::STANDARD
        .decode(payload)
        .expect("base64");
    sha2::Sha256::digest(payload)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn killed_anywhere_the_next_run_finishes_exactly_one_attestation() {
    let (sandbox, works) = prepare();
    // How long a run takes here: the instants are spread over a little more than that.
    let started = Instant::now();
    let whole = Outcome::of(attest(&sandbox, &works[0]).output().unwrap())
        .ok()
        .json();
    assert_eq!(whole["outcome"], "logged");
    let length = started.elapsed().mul_f64(1.15);
    let (mut state, mut acknowledged, mut left_in_spool) = (SEED, 0, 0);
    for work in &works[1..] {
        let mut child = attest(&sandbox, work)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let instant = Duration::from_nanos(next(&mut state) % u64::try_from(length.as_nanos()).unwrap());
        std::thread::sleep(instant);
        child.kill().unwrap();
        let killed = child.wait_with_output().unwrap();
        let said: Option<Value> = (killed.status.code() == Some(0))
            .then(|| serde_json::from_slice(&killed.stdout).expect("whole JSON"));
        acknowledged += usize::from(said.is_some());
        let before = evidence_files(&sandbox, work);
        assert!(
            before.len() <= 1,
            "{} pieces of evidence after a kill",
            before.len()
        );
        let waiting = std::fs::read_dir(work.home.join("data/spool")).map(|entries| {
            entries
                .flatten()
                .filter(|entry| is_spool_entry(&entry.path()))
                .count()
        });
        left_in_spool += usize::from(waiting.is_ok_and(|count| count > 0));

        let again = Outcome::of(attest(&sandbox, work).output().unwrap()).ok().json();
        let files = evidence_files(&sandbox, work);
        assert_eq!(files.len(), 1, "one run, one piece of evidence");
        let digest = payload_digest(&files[0].1);
        assert_eq!(again["payload"], digest);
        assert!(files[0].0.starts_with(&digest));
        if let Some(said) = said {
            assert_eq!(said["payload"], digest, "what was acknowledged is what is there");
            assert_eq!(again["outcome"], "folded");
        }
        if let Some((name, bytes)) = before.first() {
            assert_eq!(
                (name, bytes),
                (&files[0].0, &files[0].1),
                "what was there stays as it was"
            );
        }
    }
    println!(
        "{acknowledged} of {} runs had ended, {left_in_spool} left a spool entry",
        RUNS - 1
    );
    let homes: std::collections::BTreeSet<&PathBuf> = works.iter().map(|work| &work.home).collect();
    for home in homes {
        let mut check = sandbox.command(["log", "check", "--format", "json"]);
        check.env("TOUCHMARK_HOME", home);
        let report = Outcome::of(check.output().unwrap()).ok().json();
        let expected = if home.ends_with("shared") { RUNS / 2 } else { 1 };
        assert_eq!(
            report["size"],
            expected,
            "{}: one log entry a run",
            home.display()
        );
        let mut status = sandbox.command(["status", "--format", "json"]);
        status.env("TOUCHMARK_HOME", home);
        assert_eq!(
            Outcome::of(status.output().unwrap()).ok().json()["spool"],
            serde_json::json!([])
        );
    }
}
