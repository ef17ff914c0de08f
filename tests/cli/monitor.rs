//! `touchmark monitor`: somebody signs as our agent, a log takes something back, the monitor is killed.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;
use touchmark_sign::Signer as _;
use touchmark_statement::digest::Sha256Digest;
use touchmark_tlog::entry::{CreateEntryRequest, EntryVerifier, KeyDetails, VerifierMaterial};

use crate::common::schema::assert_valid;
use crate::common::{AT, Outcome, World};

/// One pass of the monitor over the world's own log, with the repository's evidence as explanation.
fn pass(world: &World, flags: &[&str]) -> Outcome {
    let (policy, root, log) = (policy(world), world.file("root.json"), log(world));
    let repo = world.repo().to_string_lossy().into_owned();
    let mut all = vec![
        "monitor",
        "--once",
        "--policy",
        &policy,
        "--trusted-root",
        &root,
        "--repository",
        &repo,
        "--format",
        "json",
    ];
    if !flags.contains(&"--at") {
        all.extend(["--at", AT]);
    }
    if !flags.contains(&"--grace") {
        all.extend(["--grace", "0s"]);
    }
    if !flags.contains(&"--log") {
        all.extend(["--log", &log]);
    }
    all.extend(flags);
    world.touchmark(all)
}

fn log(world: &World) -> String {
    world.file("touchmark/data/log")
}

fn policy(world: &World) -> String {
    let path = world.path("policy.toml");
    if !path.exists() {
        fs::write(&path, world.git(["show", "main:.touchmark/policy.toml"])).unwrap();
    }
    path.to_string_lossy().into_owned()
}

/// The document of a pass that ended like this.
#[track_caller]
fn ended(outcome: Outcome, exit: i32) -> Value {
    assert_eq!(outcome.code, Some(exit), "{}{}", outcome.stdout, outcome.stderr);
    let document = outcome.json();
    assert_valid(&document);
    document
}

#[test]
fn what_evidence_explains_is_no_alert() {
    let world = World::approved();
    let document = ended(pass(&world, &[]), 0);
    assert_eq!(document["logs"][0]["judged"], 2);
    assert_eq!(document["logs"][0]["matched"], 2);
    assert_eq!(document["explained"], 2);
    assert_eq!(document["open"], Value::Array(Vec::new()));
}

#[test]
fn somebody_who_signed_as_our_agent_is_an_alert_until_it_is_closed() {
    let world = World::attested();
    let bundles = world.evidence_refs();
    assert!(!bundles.is_empty());
    ended(pass(&world, &[]), 0);
    // The thief's attestation is logged, and its evidence is kept from us.
    world.drop_evidence();
    let document = ended(pass(&world, &["--state", &world.file("other")]), 13);
    let alert = &document["new"][0];
    assert_eq!(alert["principal"], "greeter-agent");
    assert_eq!(alert["status"], "alert");
    assert_eq!(alert["proof"], "key");
    assert!(
        alert["signer"]
            .as_str()
            .unwrap()
            .ends_with(&world.fingerprint("agent"))
    );
    // What was explained before and is not any more is told as well.
    let document = ended(pass(&world, &[]), 13);
    assert_eq!(document["new"].as_array().unwrap().len(), 1);
    // The same alert is open in the next pass, but not new.
    let document = ended(pass(&world, &[]), 13);
    assert_eq!(document["new"], Value::Array(Vec::new()));
    assert_eq!(document["open"].as_array().unwrap().len(), 1);
    let id = format!("{}-0", alert["logId"].as_str().unwrap());
    world
        .touchmark(["monitor", "--acknowledge", &id, "--reason", "a drill"])
        .ok();
    ended(pass(&world, &[]), 0);
    let unknown = format!("{}-9", alert["logId"].as_str().unwrap());
    world
        .touchmark(["monitor", "--acknowledge", &unknown, "--reason", "a drill"])
        .refused(2, "monitor.finding_unknown");
}

#[test]
fn what_is_left_for_the_next_pass_is_no_all_clear() {
    let world = World::approved();
    let first = ended(pass(&world, &["--max-entries", "1"]), 1);
    assert_eq!(
        (&first["logs"][0]["judged"], &first["logs"][0]["size"]),
        (&1.into(), &2.into())
    );
    ended(pass(&world, &["--per-log", "0s"]), 1);
    let last = ended(pass(&world, &[]), 0);
    assert_eq!(last["logs"][0]["judged"], 2);
}

#[test]
fn an_entry_may_wait_for_its_evidence() {
    let world = World::attested();
    world.drop_evidence();
    let document = ended(pass(&world, &["--grace", "10m"]), 0);
    assert_eq!(document["waiting"], 1);
    let later = "2026-03-01T12:10:00Z";
    ended(pass(&world, &["--grace", "10m", "--at", later]), 13);
}

#[test]
fn bundles_explain_as_refs_do_and_only_if_they_verify() {
    let world = World::attested();
    let bundle = world
        .evidence(&world.evidence_refs()[0])
        .into_iter()
        .next()
        .expect("a bundle");
    world.drop_evidence();
    fs::write(world.path("good.sigstore.json"), &bundle.1).unwrap();
    let good = world.file("good.sigstore.json");
    ended(pass(&world, &["--bundle", &good]), 0);
    let text = String::from_utf8(bundle.1).unwrap();
    let at = text.find("\"sig\":\"").unwrap() + 20;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    let broken = format!("{}{other}{}", &text[..at], &text[at + 1..]);
    fs::write(world.path("bad.sigstore.json"), broken).unwrap();
    let (bad, state) = (world.file("bad.sigstore.json"), world.file("second"));
    ended(pass(&world, &["--bundle", &bad, "--state", &state]), 13);
}

#[test]
fn case_101_a_log_that_takes_something_back_is_an_alarm() {
    let world = World::attested();
    ended(pass(&world, &[]), 0);
    let before = world.files("touchmark/data/log");
    world.approve_as("alice", &[]);
    ended(pass(&world, &[]), 0);
    // The log's folder as it was before.
    fs::remove_dir_all(world.path("touchmark/data/log")).unwrap();
    for (path, bytes) in before {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let document = ended(pass(&world, &[]), 13);
    assert_eq!(document["alarms"][0]["code"], "tlog.rollback");
    let kept = world
        .files("touchmark/data/monitor")
        .into_iter()
        .find(|(path, _)| path.to_string_lossy().ends_with(".alarm.json"))
        .expect("both notes are kept");
    let kept: Value = serde_json::from_slice(&kept.1).unwrap();
    assert_eq!(kept, document["alarms"][0]);
    assert!(kept["kept"].as_str().unwrap().contains("\n2\n"));
    assert!(kept["current"].as_str().unwrap().contains("\n1\n"));
}

#[test]
fn what_cannot_be_followed_is_said() {
    let world = World::attested();
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = format!("http://{dead}");
    let document = ended(pass(&world, &["--log", &address]), 20);
    assert_eq!(document["unread"][0]["code"], "network.connect");
    let outcome = pass(&world, &["--log", "other.example=http://127.0.0.1:9"]);
    assert_eq!(
        (outcome.code, outcome.json()["code"].as_str()),
        (Some(2), Some("monitor.log_unknown"))
    );
    fs::write(
        world.path("empty.toml"),
        "version = 1\nserial = 1\nexpires = 2099-12-31\n",
    )
    .unwrap();
    world
        .touchmark([
            "monitor",
            "--once",
            "--policy",
            &world.file("empty.toml"),
            "--trusted-root",
            &world.file("root.json"),
        ])
        .refused(2, "monitor.nobody_watched");
    let outcome = world.touchmark(["monitor", "--acknowledge", "7", "--reason", "x"]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
}

/// A process that ends with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves the world's log and returns its address.
fn serve(world: &World) -> (Ends, String) {
    let mut child = world
        .command(["log", "serve", "--listen", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(address.starts_with("http://"), "{line}");
    (Ends(child), address)
}

#[test]
fn a_served_log_is_followed_and_a_webhook_is_told_until_it_listens() {
    let world = World::attested();
    world.drop_evidence();
    let (_server, address) = serve(&world);
    let hook = TcpListener::bind("127.0.0.1:0").unwrap();
    let webhook = format!("http://{}/hook", hook.local_addr().unwrap());
    let receive = |answers: &'static [&'static str]| {
        let hook = hook.try_clone().unwrap();
        std::thread::spawn(move || -> Vec<Value> {
            answers
                .iter()
                .map(|answer| {
                    let (mut stream, _) = hook.accept().unwrap();
                    let body = body_of(&mut stream);
                    write!(
                        stream,
                        "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                    )
                    .unwrap();
                    body
                })
                .collect()
        })
    };
    let flags = ["--log", &address, "--webhook", &webhook];
    let first = receive(&["503 Later", "200 OK"]);
    let outcome = pass(&world, &flags);
    assert!(outcome.stderr.contains("webhook"), "{}", outcome.stderr);
    // The path of a webhook is often its secret.
    assert!(!outcome.stderr.contains("/hook"), "{}", outcome.stderr);
    ended(outcome, 13);
    let kinds = |messages: Vec<Value>| -> Vec<String> {
        messages
            .iter()
            .map(|message| message["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(kinds(first.join().unwrap()), ["alert", "heartbeat"]);
    let second = receive(&["200 OK", "200 OK"]);
    ended(pass(&world, &flags), 13);
    assert_eq!(kinds(second.join().unwrap()), ["alert", "heartbeat"]);
    // It has taken the alert now.
    let third = receive(&["200 OK"]);
    ended(pass(&world, &flags), 13);
    let told = third.join().unwrap();
    assert_eq!(told[0]["open"], 1);
    assert_eq!(kinds(told), ["heartbeat"]);
    let heartbeat = fs::read(world.path("touchmark/data/monitor/heartbeat.json")).unwrap();
    let heartbeat: Value = serde_json::from_slice(&heartbeat).unwrap();
    assert_eq!(heartbeat["at"], AT);
}

#[test]
fn an_alarm_that_no_webhook_took_waits_for_one() {
    let world = World::attested();
    let before = world.files("touchmark/data/log");
    world.approve_as("alice", &[]);
    ended(pass(&world, &[]), 0);
    let after = world.files("touchmark/data/log");
    let restore = |files: &[(std::path::PathBuf, Vec<u8>)]| {
        fs::remove_dir_all(world.path("touchmark/data/log")).unwrap();
        for (path, bytes) in files {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    };
    let hook = TcpListener::bind("127.0.0.1:0").unwrap();
    let webhook = format!("http://{}/hook", hook.local_addr().unwrap());
    let receive = |answer: &'static str, count: usize| {
        let hook = hook.try_clone().unwrap();
        std::thread::spawn(move || -> Vec<String> {
            (0..count)
                .map(|_| {
                    let (mut stream, _) = hook.accept().unwrap();
                    let body = body_of(&mut stream);
                    write!(
                        stream,
                        "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                    )
                    .unwrap();
                    body["kind"].as_str().unwrap().to_owned()
                })
                .collect()
        })
    };
    let told = receive("503 Later", 2);
    restore(&before);
    ended(pass(&world, &["--webhook", &webhook]), 13);
    assert_eq!(told.join().unwrap(), ["alarm", "heartbeat"]);
    // The log behaves again, as if nothing had been.
    restore(&after);
    let told = receive("200 OK", 2);
    ended(pass(&world, &["--webhook", &webhook]), 0);
    assert_eq!(told.join().unwrap(), ["alarm", "heartbeat"]);
    let told = receive("200 OK", 1);
    ended(pass(&world, &["--webhook", &webhook]), 0);
    assert_eq!(told.join().unwrap(), ["heartbeat"]);
}

fn body_of(stream: &mut std::net::TcpStream) -> Value {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn it_runs_until_it_is_stopped() {
    let world = World::attested();
    let (policy, root, log) = (policy(&world), world.file("root.json"), log(&world));
    let mut child = world
        .command([
            "monitor",
            "--interval",
            "1s",
            "--policy",
            &policy,
            "--trusted-root",
            &root,
            "--log",
            &log,
            "--format",
            "json",
            "--grace",
            "1h",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let printed = BufReader::new(child.stdout.take().unwrap());
    let mut passes = serde_json::Deserializer::from_reader(printed).into_iter::<Value>();
    for _ in 0..2 {
        assert_eq!(passes.next().unwrap().unwrap()["logs"][0]["judged"], 1);
    }
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// A log of many entries, every 50th of them by the agent's key, written behind the binary's back to be quick.
fn fill(world: &World, entries: usize) {
    let log = touchmark_log::Log::open(&world.path("touchmark/data/log")).unwrap();
    let pem = fs::read(world.path("keys/agent.pem")).unwrap();
    let agent = touchmark_sign::key_file::parse(&pem, None).unwrap();
    let stranger = touchmark_testkit::keys::p256("a stranger");
    for index in 0..entries {
        let key = if index % 50 == 7 { &agent } else { &stranger };
        let message = format!("message {index}");
        let request = CreateEntryRequest {
            digest: Sha256Digest::of(message.as_bytes()).as_bytes().to_vec(),
            signature: key.sign(message.as_bytes()).unwrap(),
            verifier: EntryVerifier {
                key_details: KeyDetails::EcdsaP256Sha256,
                material: VerifierMaterial::PublicKey(key.public_key().spki_der().to_vec()),
            },
        };
        log.add(&request).unwrap();
    }
}

/// Names and contents of the records that do not tell the time.
fn records(folder: &Path) -> Vec<(String, String)> {
    let mut records: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let text = fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().to_string_lossy().into_owned(), text)
        })
        .filter(|(name, _)| name.ends_with("finding.json") || name.ends_with("position.json"))
        .collect();
    records.sort();
    records
}

#[test]
fn killed_at_any_instant_it_finds_the_same() {
    const RUNS: u64 = 30;
    let world = World::unattested();
    fill(&world, 700);
    let reference = world.file("reference");
    let document = ended(pass(&world, &["--state", &reference]), 13);
    assert_eq!(document["open"].as_array().unwrap().len(), 14);
    let expected = records(Path::new(&reference));
    let mut killed = 0;
    for run in 0..RUNS {
        let state = world.file(format!("state-{run}"));
        let (policy, root, log) = (policy(&world), world.file("root.json"), log(&world));
        let flags = [
            "monitor",
            "--once",
            "--policy",
            &policy,
            "--trusted-root",
            &root,
            "--log",
            &log,
            "--at",
            AT,
            "--grace",
            "0s",
            "--state",
            &state,
        ];
        let mut child = world
            .command(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(2 + 3 * run));
        child.kill().unwrap();
        killed += u64::from(child.wait().unwrap().code().is_none());
        ended(pass(&world, &["--state", &state]), 13);
        assert_eq!(
            records(Path::new(&state)),
            expected,
            "killed after {} ms",
            2 + 3 * run
        );
    }
    println!("killed in {killed} of {RUNS} runs");
    assert!(killed > RUNS / 4, "only {killed} of {RUNS} runs were killed");
}
