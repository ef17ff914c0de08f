//! The proxy that spoils answers: before the TUF repository, and at every single byte of an answer of Rekor v2.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::Digest as _;
use touchmark_http::{Client, Deadline, Options};
use touchmark_rekor::{ApiVersion, LogSubmission, Signatory, connect};
use touchmark_sign::{PrivateKey, Signer as _};
use touchmark_testkit::sigstore::{Fault, FaultProxy};
use touchmark_verify::key::KeyAlgorithm;
use touchmark_verify::message::DigestAlgorithm;
use touchmark_verify::trust::TrustedRoot;

use super::clients::Bench;
use super::instance::Instance;

#[test]
fn a_reset_at_every_byte_of_an_answer_of_rekor_v2() {
    let Some(instance) = Instance::running() else {
        return;
    };
    let root = TrustedRoot::parse(instance.file("trusted_root.json").as_bytes()).unwrap();
    let proxy = FaultProxy::before(instance.endpoint("rekor2"));
    proxy.replay();
    let client = Client::new(Options::default()).unwrap();
    let log = connect(&client, &proxy.url().parse().unwrap(), ApiVersion::V2, &root);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256Sha256).unwrap();
    let message = b"every byte";
    let submission = LogSubmission::of_digest(
        DigestAlgorithm::Sha256.digest(message),
        key.sign(message).unwrap(),
        Signatory::key(key.public_key().clone()),
    )
    .unwrap();
    let publish = || log.publish(&submission, Deadline::after(Duration::from_secs(5)));
    let entry = publish().unwrap();
    let (_, answer) = &proxy.exchanges()[0];
    let length = answer.encode().len();
    for at in 0..length {
        proxy.set(Some(Fault::ResetAfter(at)));
        let started = Instant::now();
        let outcome = publish();
        assert!(outcome.is_err(), "{at} of {length} bytes were enough");
        assert!(started.elapsed() < Duration::from_secs(6), "{at}");
    }
    proxy.set(None);
    assert_eq!(publish().unwrap(), entry);
    assert_eq!(proxy.exchanges().len(), 1, "the log itself was asked once");
    println!("{length} resets");
}

fn fetch(bench: &Bench, mirror: &str, root: &str) -> Output {
    let mut command = bench.command(Path::new(env!("CARGO_BIN_EXE_touchmark")));
    command.args(["trust", "fetch", "private", "--mirror", mirror, "--root", root]);
    command.args(["--timeout", "5", "--format", "json"]);
    command.output().unwrap()
}

#[test]
fn the_tuf_repository() {
    let Some(instance) = Instance::running() else {
        return;
    };
    let url = instance.endpoint("tuf").to_owned();
    let (service, folder) = url.rsplit_once('/').unwrap();
    let elsewhere = FaultProxy::before(service);
    let target = format!("{}/{folder}/", elsewhere.url().replace("127.0.0.1", "localhost"));
    let wrong = instance.file("tuf/1.snapshot.json").into_bytes();
    let digest: String = sha2::Sha256::digest(instance.file("trusted_root.json"))
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let root = instance.argument("tuf/1.root.json");
    let mut faults = vec![
        Fault::Stall,
        Fault::StallAfter(100),
        Fault::RetryAfter(429, "1".to_owned()),
        Fault::RetryAfter(429, "86400".to_owned()),
        Fault::Status(502),
        Fault::Truncated,
        Fault::GzipBomb(256 << 20),
        Fault::Redirect(302, target.clone()),
        Fault::Redirect(307, target),
        Fault::Body(wrong),
        Fault::ContentType("text/html".to_owned()),
        Fault::Drip(Duration::from_millis(20)),
    ];
    faults.extend((0..400).step_by(23).map(Fault::ResetAfter));
    for fault in faults {
        let name: String = format!("{fault:?}").chars().take(60).collect();
        let bench = Bench::new(Instance::at(instance.path("")));
        let proxy = FaultProxy::before(service);
        proxy.set(Some(fault));
        let started = Instant::now();
        let spoiled = fetch(&bench, &format!("{}/{folder}", proxy.url()), &root);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5 + 8), "{name}: {took:?}");
        if !spoiled.status.success() {
            let printed = String::from_utf8_lossy(&spoiled.stdout);
            assert!(!printed.contains("trustedRoot"), "{name}: {printed}");
            proxy.set(None);
            let mended = fetch(&bench, &format!("{}/{folder}", proxy.url()), &root);
            check(&name, &mended, &digest);
        } else {
            check(&name, &spoiled, &digest);
        }
        let said = String::from_utf8_lossy(&spoiled.stderr);
        println!(
            "TUF: {name}: exit {:?} after {took:.1?} {}",
            spoiled.status.code(),
            said.lines().next().unwrap_or("")
        );
    }
    assert_eq!(elsewhere.requests(), 0, "a redirect was followed");
}

/// What was fetched is the instance's trusted root.
fn check(name: &str, fetched: &Output, digest: &str) {
    let said = String::from_utf8_lossy(&fetched.stderr);
    assert!(fetched.status.success(), "{name}: {said}");
    let document: Value = serde_json::from_slice(&fetched.stdout).unwrap();
    let found = document["trustedRoot"]["digest"].as_str().unwrap();
    assert!(found.ends_with(digest), "{name}: {found}");
}
