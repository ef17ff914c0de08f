//! Publishing to logs that other machines serve: through the binary, with the services up, down and lying.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use touchmark_testkit::sigstore::{Fault, Instance, InstanceOptions, Route, Served};

use crate::common::{Outcome, Sandbox, is_spool_entry};

/// `touchmark log serve`, until it is dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(sandbox: &Sandbox, folder: &str) -> Self {
        let mut child = sandbox
            .command(["log", "serve", "--listen", "127.0.0.1:0", "--log", folder])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let url = loop {
            let line = lines
                .next()
                .expect("the server says where it listens")
                .expect("text");
            if let Some((_, url)) = line.split_once("listens on ") {
                break url.trim().to_owned();
            }
        };
        // Whatever it says later must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        Server { child, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A sandbox, and a log of somebody else with its trusted root.
fn with_team_log() -> (Sandbox, PathBuf, String) {
    let sandbox = Sandbox::with_change();
    let folder = sandbox.path("team-log");
    let log = folder.to_str().unwrap().to_owned();
    sandbox
        .touchmark(["log", "create", "--log", &log, "--name", "team.example"])
        .ok();
    let root = sandbox
        .touchmark(["log", "root", "--log", &log, "--operator", "team"])
        .ok();
    let file = sandbox.path("team-root.json");
    fs::write(&file, root.stdout).unwrap();
    (sandbox, file, log)
}

/// An address on which nobody listens.
fn dead_url() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn spooled(sandbox: &Sandbox) -> usize {
    let files = sandbox.files("touchmark/data/spool");
    files.iter().filter(|(path, _)| is_spool_entry(path)).count()
}

fn attest(sandbox: &Sandbox, url: &str, root: &str, more: &[&str]) -> Outcome {
    let flags = [
        "attest",
        "--base",
        "main",
        "--log-timeout",
        "6",
        "--rekor-url",
        url,
        "--trusted-root",
        root,
    ];
    let json = ["--format", "json"];
    let format: &[&str] = if more.contains(&"--format") { &[] } else { &json };
    sandbox.touchmark(flags.iter().chain(more).chain(format))
}

#[test]
fn attests_to_a_served_log_and_verifies_with_its_root_alone() {
    let (sandbox, root, log) = with_team_log();
    let server = Server::start(&sandbox, &log);
    let root = root.to_str().unwrap();
    let done = attest(&sandbox, &server.url, root, &["--yes"]).ok().json();
    assert_eq!(done["outcome"], "logged", "{done}");
    assert!(
        done["log"]["origin"].as_str().unwrap().ends_with(".team.example"),
        "{done}"
    );
    assert_eq!((done["log"]["index"].clone(), spooled(&sandbox)), (json!(0), 0));
    assert!(
        !sandbox.path("touchmark/data/log").exists(),
        "the embedded log was made for nothing"
    );
    // The bundle stands on its own: the log may be gone.
    drop(server);
    let found = sandbox
        .touchmark(["find", "--trusted-root", root, "--format", "json"])
        .ok()
        .json();
    assert_eq!(found["unverified"].as_array().map(Vec::len), Some(0), "{found}");
}

#[test]
fn case_231_an_outage_ends_unlogged_and_publish_finishes_it_later() {
    let (sandbox, root, log) = with_team_log();
    let root = root.to_str().unwrap();
    let url = dead_url();
    let started = Instant::now();
    let outcome = attest(&sandbox, &url, root, &["--yes"]);
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
    let document = outcome.json();
    assert_eq!(
        (&document["outcome"], &document["reason"]["code"]),
        (&json!("unlogged"), &json!("network.connect"))
    );
    assert_eq!(spooled(&sandbox), 1, "what was signed is lost");
    assert!(sandbox.evidence_refs().is_empty(), "unlogged evidence was filed");

    let status = sandbox.touchmark(["status", "--format", "json"]).ok().json();
    let state = status["spool"][0]["state"].as_str().unwrap();
    assert!(
        state.starts_with("unlogged: waits for http://127.0.0.1:"),
        "{state}"
    );
    assert_eq!(status["last"]["logIndex"], Value::Null);

    // The gate takes it for what it is: nothing.
    sandbox.write(".touchmark/policy.toml", policy());
    let verdict = sandbox.touchmark([
        "verify",
        "HEAD",
        "--target",
        "refs/heads/main",
        "--policy",
        ".touchmark/policy.toml",
        "--trusted-root",
        &format!("team={root}"),
        "--format",
        "json",
    ]);
    assert_eq!(verdict.code, Some(10), "{}{}", verdict.stdout, verdict.stderr);

    // Still down: it waits on, and says so.
    let flags = [
        "publish",
        "--format",
        "json",
        "--log-timeout",
        "3",
        "--trusted-root",
        root,
    ];
    let waiting = sandbox.touchmark(flags);
    assert_eq!(waiting.code, Some(20), "{}", waiting.stderr);
    assert_eq!(waiting.json()["waiting"][0]["code"], "network.connect");

    // The log is back, at another address.
    let server = Server::start(&sandbox, &log);
    let moved = ["--rekor-url", &server.url];
    let text = ["publish", "--trusted-root", root];
    sandbox
        .touchmark(text.iter().chain(&moved))
        .refused(2, "publish.not_agreed");
    let preview = ["publish", "--dry-run", "--format", "json"];
    let preview = sandbox.touchmark(preview.iter().chain(&moved)).ok().json();
    let body: Value = serde_json::from_str(preview["requests"][0]["body"].as_str().unwrap()).unwrap();
    assert!(body["hashedRekordRequestV002"]["digest"].is_string(), "{preview}");
    assert_eq!(preview["requests"][0]["log"], format!("{}/", server.url));
    let done = sandbox
        .touchmark(flags.iter().chain(&moved).chain(&["--yes"]))
        .ok()
        .json();
    assert_eq!(done["finished"][0]["evidence"], document["evidence"]);
    assert_eq!((spooled(&sandbox), sandbox.evidence_refs().len()), (0, 2));
    // Nothing is left, and doing it again does nothing.
    let again = sandbox.touchmark(flags).ok().json();
    assert_eq!((&again["finished"], &again["waiting"]), (&json!([]), &json!([])));
}

fn policy() -> String {
    let key = format!("sha256:{}", "0".repeat(64));
    format!(
        "version = 1\nserial = 1\nexpires = 2099-12-31\n\n[trust]\nlog = {{ inclusion = true, self = \"deny\" }}\n\n\
         [[agent]]\nid = \"claude-code\"\nowner = \"team\"\nsigners = [{{ key = \"{key}\" }}]\n\n\
         [gate.merge]\nrequire = [\"accounted\"]\nresidual = \"forbid\"\n"
    )
}

#[test]
fn nothing_is_published_before_somebody_has_agreed() {
    let (sandbox, root, log) = with_team_log();
    let server = Server::start(&sandbox, &log);
    let root = root.to_str().unwrap();
    let text = ["--format", "text"];
    attest(&sandbox, &server.url, root, &text).refused(2, "publish.not_agreed");
    assert_eq!(spooled(&sandbox), 0, "it was signed although nobody had agreed");
    attest(&sandbox, &server.url, root, &["--yes"]).ok();
    // Once for the repository.
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 1 + 1 }\n");
    sandbox.commit("fix two again");
    attest(&sandbox, &server.url, root, &[]).ok();
}

#[test]
fn the_log_is_chosen_by_the_user_and_never_by_the_repository() {
    let (sandbox, root, log) = with_team_log();
    let server = Server::start(&sandbox, &log);
    let config = format!(
        "[sigstore]\nrekor-url = \"{}\"\ntrusted-root = \"{}\"\n",
        server.url,
        root.display()
    );
    sandbox.write(".touchmark/config.toml", &config);
    sandbox
        .touchmark(["attest", "--base", "main"])
        .refused(2, "config.trust_in_project");
    fs::remove_file(sandbox.repo().join(".touchmark/config.toml")).unwrap();
    fs::create_dir_all(sandbox.path("touchmark/config")).unwrap();
    fs::write(sandbox.path("touchmark/config/config.toml"), &config).unwrap();
    let done = sandbox.attest(&["--base", "main", "--yes"]);
    assert!(
        done["log"]["origin"].as_str().unwrap().ends_with(".team.example"),
        "{done}"
    );
}

#[allow(
    clippy::disallowed_methods,
    reason = "the services are as late as the program that asks them"
)]
fn clock() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}

/// A Sigstore with both versions of Rekor, its trusted root and a signing config.
fn sigstore(sandbox: &Sandbox) -> (Served, PathBuf) {
    let served = Instance::new(3, InstanceOptions::default()).serve();
    served.follow(clock);
    let root = sandbox.path("sigstore-root.json");
    fs::write(&root, served.instance().trusted_root_json()).unwrap();
    (served, root)
}

#[test]
fn a_key_publishes_to_both_versions_of_rekor_and_ed25519_to_the_first() {
    let sandbox = Sandbox::with_change();
    let (served, root) = sigstore(&sandbox);
    let root = root.to_str().unwrap();
    attest(&sandbox, &served.urls().rekor_v2, root, &["--yes"]).ok();
    sandbox.write("src/lib.rs", "pub fn two() -> u32 { 1 + 1 }\n");
    sandbox.commit("fix two again");
    sandbox
        .touchmark(["key", "generate", "ed", "--plain", "--algorithm", "ed25519"])
        .ok();
    let key = sandbox.path("touchmark/config/keys/ed.pem");
    let flags = ["--key", key.to_str().unwrap(), "--yes"];
    let text = ["--format", "text"];
    attest(
        &sandbox,
        &served.urls().rekor_v2,
        root,
        &[&flags[..], &text[..]].concat(),
    )
    .refused(2, "key.ed25519_not_loggable");
    let version = ["--rekor-version", "1"];
    let done = attest(
        &sandbox,
        &served.urls().rekor_v1,
        root,
        &[&flags[..], &version[..]].concat(),
    )
    .ok()
    .json();
    assert_eq!(done["outcome"], "logged");
}

#[test]
fn a_lying_log_is_never_believed_and_nothing_is_lost() {
    // What the log took although its answer was spoiled is found again at once, and proven; the rest waits.
    for (fault, code) in [
        (Fault::OtherEntry, None),
        (Fault::Truncated, None),
        (Fault::ContentType("text/html".to_owned()), None),
        (Fault::GzipBomb(8 * 1024 * 1024), Some("http.encoded")),
        (
            Fault::Redirect(307, "https://example.org/".to_owned()),
            Some("network.redirect_other_scheme"),
        ),
        (
            Fault::RetryAfter(429, "315360000".to_owned()),
            Some("http.status"),
        ),
        (Fault::ResetAfter(20), Some("network.broken")),
    ] {
        let sandbox = Sandbox::with_change();
        let (served, root) = sigstore(&sandbox);
        served.fault(Route::V2Create, fault.clone());
        let root = root.to_str().unwrap();
        let outcome = attest(&sandbox, &served.urls().rekor_v2, root, &["--yes"]);
        let state = (spooled(&sandbox), sandbox.evidence_refs().len());
        match code {
            None => assert_eq!(
                (outcome.code, state),
                (Some(0), (0, 2)),
                "{fault:?}: {}",
                outcome.stderr
            ),
            Some(code) => {
                assert_eq!(
                    (outcome.code, state),
                    (Some(20), (1, 0)),
                    "{fault:?}: {}",
                    outcome.stderr
                );
                assert_eq!(outcome.json()["reason"]["code"], code, "{fault:?}");
            }
        }
        served.clear_faults();
        sandbox.touchmark(["publish", "--trusted-root", root]).ok();
        let state = (spooled(&sandbox), sandbox.evidence_refs().len());
        assert_eq!(state, (0, 2), "{fault:?}");
        // Three entries of somebody else, and ours once.
        assert_eq!(served.instance().rekor_v2().tree.size(), 4, "{fault:?}");
    }
}

#[test]
fn two_publishes_at_once_log_and_file_once() {
    let sandbox = Sandbox::with_change();
    let (served, root) = sigstore(&sandbox);
    let root = root.to_str().unwrap();
    served.fault(Route::V2Create, Fault::Status(503));
    let outcome = attest(&sandbox, &served.urls().rekor_v2, root, &["--yes"]);
    assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
    served.clear_faults();
    let publish = || {
        let mut command = sandbox.command(["publish", "--trusted-root", root]);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let all: Vec<Child> = (0..3).map(|_| publish()).collect();
    for child in all {
        let outcome = Outcome::of(child.wait_with_output().unwrap());
        // One that came second says that another is at it, or finds nothing to do.
        assert!(
            matches!(outcome.code, Some(0 | 20)),
            "{}{}",
            outcome.stdout,
            outcome.stderr
        );
    }
    sandbox.touchmark(["publish", "--trusted-root", root]).ok();
    assert_eq!((spooled(&sandbox), sandbox.evidence_refs().len()), (0, 2));
    assert_eq!(served.instance().rekor_v2().tree.size(), 4);
}

#[test]
fn case_237_a_publish_that_is_killed_anywhere_makes_one_attestation() {
    let sandbox = Sandbox::with_change();
    let (served, root) = sigstore(&sandbox);
    let root = root.to_str().unwrap();
    served.fault(Route::V2Create, Fault::Status(503));
    let outcome = attest(&sandbox, &served.urls().rekor_v2, root, &["--yes"]);
    assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
    served.clear_faults();
    for pause in [0, 5, 10, 15, 20, 30, 40, 60, 80, 120] {
        let mut child = sandbox
            .command(["publish", "--trusted-root", root])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        let _ = child.kill();
        let _ = child.wait();
        // Filed and still in the spool is fine; out of the spool and not filed would be lost.
        assert!(
            spooled(&sandbox) == 1 || sandbox.evidence_refs().len() == 2,
            "after {pause} ms"
        );
    }
    sandbox.touchmark(["publish", "--trusted-root", root]).ok();
    assert_eq!((spooled(&sandbox), sandbox.evidence_refs().len()), (0, 2));
    assert_eq!(
        served.instance().rekor_v2().tree.size(),
        4,
        "logged more than once"
    );
    for reference in sandbox.evidence_refs() {
        assert_eq!(sandbox.evidence(&reference).len(), 1, "filed more than once");
    }
}

#[test]
fn a_signing_config_that_wants_every_operator_gets_an_entry_of_each() {
    let sandbox = Sandbox::with_change();
    let (served, root) = sigstore(&sandbox);
    let root = root.to_str().unwrap();
    let service = |url: &str, version: u32, operator: &str| {
        json!({
            "url": url, "majorApiVersion": version, "operator": operator,
            "validFor": {"start": "2026-01-01T00:00:00Z"},
        })
    };
    let config = json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "rekorTlogUrls": [
            service(&served.urls().rekor_v2, 2, "one.example"),
            service(&served.urls().rekor_v1, 1, "two.example"),
        ],
        "rekorTlogConfig": {"selector": "ALL"},
    });
    let file = sandbox.path("signing_config.json");
    fs::write(&file, config.to_string()).unwrap();
    // One of the two is down: what the other answered is kept, and nothing is filed.
    served.fault(Route::V1Create, Fault::Status(502));
    let flags = [
        "attest",
        "--base",
        "main",
        "--format",
        "json",
        "--yes",
        "--signing-config",
        file.to_str().unwrap(),
        "--trusted-root",
        root,
    ];
    let outcome = sandbox.touchmark(flags);
    assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
    let status = sandbox.touchmark(["status", "--format", "json"]).ok().json();
    let state = status["spool"][0]["state"].as_str().unwrap().to_owned();
    assert!(state.contains(&served.urls().rekor_v1), "{state}");
    assert!(!state.contains(&served.urls().rekor_v2), "{state}");
    served.clear_faults();
    sandbox.touchmark(["publish", "--trusted-root", root]).ok();
    let reference = sandbox.evidence_refs().remove(0);
    let bundle: Value = serde_json::from_slice(&sandbox.evidence(&reference)[0].1).unwrap();
    let entries = bundle["verificationMaterial"]["tlogEntries"].as_array().unwrap();
    let kinds: Vec<_> = entries
        .iter()
        .map(|entry| entry["kindVersion"]["kind"].clone())
        .collect();
    assert_eq!(kinds, [json!("hashedrekord"), json!("dsse")]);
    assert_eq!(
        served.instance().rekor_v2().tree.size(),
        4,
        "the one that had answered was asked again"
    );
}

#[test]
fn what_lapsed_while_it_waited_is_signed_again_by_the_same_identity_only() {
    let sandbox = Sandbox::with_change();
    let served = Instance::new(3, InstanceOptions::default()).serve();
    let (then, later) = (1_772_366_400, 1_772_373_600);
    served.set_time(then);
    let (root, token) = (sandbox.path("root.json"), sandbox.path("token.jwt"));
    fs::write(&root, served.instance().trusted_root_json()).unwrap();
    let log_in = |name: &str| fs::write(&token, served.email_token(name)).unwrap();
    let urls = served.urls().clone();
    let flags = [
        "--yes",
        "--trusted-root",
        root.to_str().unwrap(),
        "--rekor-url",
        &urls.rekor_v1,
        "--rekor-version",
        "1",
        "--log-timeout",
        "5",
        "--fulcio-url",
        &urls.fulcio,
    ];
    let as_somebody = ["--identity-token", token.to_str().unwrap()];
    log_in("alice@example.test");
    served.fault(Route::V1Create, Fault::Status(503));
    let attest = [
        "attest",
        "--base",
        "main",
        "--at",
        "2026-03-01T12:00:00Z",
        "--format",
        "json",
    ];
    let outcome = sandbox.touchmark(attest.iter().chain(&flags).chain(&as_somebody));
    assert_eq!(outcome.code, Some(20), "{}{}", outcome.stdout, outcome.stderr);
    let evidence = outcome.json()["evidence"].clone();

    // Two hours later the log is back, and the certificate is long over.
    served.clear_faults();
    served.set_time(later);
    let publish = [
        "publish",
        "--at",
        "2026-03-01T14:00:00Z",
        "--format",
        "json",
        "--trusted-root",
        root.to_str().unwrap(),
    ];
    let lapsed = sandbox.touchmark(publish);
    assert_eq!(lapsed.code, Some(1), "{}", lapsed.stderr);
    assert_eq!(lapsed.json()["waiting"][0]["code"], "spool.certificate_lapsed");
    let more = [
        "--fulcio-url",
        &urls.fulcio,
        "--yes",
        "--rekor-url",
        &urls.rekor_v1,
        "--rekor-version",
        "1",
    ];
    log_in("mallory@example.test");
    let other = sandbox.touchmark(publish.iter().chain(&more).chain(&as_somebody));
    assert_eq!(
        other.json()["waiting"][0]["code"],
        "spool.certificate_lapsed",
        "{}",
        other.stderr
    );
    assert_eq!((spooled(&sandbox), sandbox.evidence_refs().len()), (1, 0));
    log_in("alice@example.test");
    let done = sandbox
        .touchmark(publish.iter().chain(&more).chain(&as_somebody))
        .ok()
        .json();
    assert_eq!(done["finished"][0]["evidence"], evidence, "{done}");
    assert_eq!((spooled(&sandbox), sandbox.evidence_refs().len()), (0, 2));
}
