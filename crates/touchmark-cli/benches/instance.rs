//! Bundles of a private Sigstore instance of the real services: a thousand of them beside `sigstore-verify`, and one as a
//! cold process beside cosign and sigstore-python, all in one run.
//!
//! `tests/sigstore/run -- cargo bench -p touchmark-cli --bench instance [BUNDLES]`; without an instance it says so. The
//! bundles are signed with identities by `touchmark-conformance`, sixteen at a time, before any clock starts.

#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that cannot mint its evidence fails"
)]
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(
    clippy::disallowed_methods,
    reason = "the environment names the instance and the peers"
)]

#[path = "../../../tests/interop/instance.rs"]
#[allow(dead_code, reason = "a benchmark uses a part")]
mod instance;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sigstore_verify::VerificationPolicy;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::{IdentityRule, TextPattern};
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::{Verifier, VerifyOptions, verify};

use self::instance::{ALICE, Instance};

const TYPE: &str = "https://example.test/predicate/v1";
const ROUNDS: usize = 7;
const COLD_RUNS: usize = 15;

/// A statement of this instance's as bytes, and the artifact that it is about.
struct Piece {
    json: String,
    artifact: [u8; 32],
}

fn main() {
    let Some(instance) = Instance::running() else {
        return;
    };
    let count = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(1_000);
    let folder = tempfile::tempdir().unwrap();
    let (pieces, took) = measured(|| mint(&instance, folder.path(), count));
    println!("{count} bundles signed through Fulcio, TSA and Rekor v2 in {took:.1?}");
    let root = instance.file("trusted_root.json");
    throughput(&pieces, &root, instance.issuer());
    cold(&instance, folder.path());
}

/// Signs statements about different artifacts, each with a certificate of its own.
fn mint(instance: &Instance, folder: &Path, count: usize) -> Vec<Piece> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut pieces = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return pieces;
            }
            pieces.push(sign(instance, folder, number));
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

fn sign(instance: &Instance, folder: &Path, number: usize) -> Piece {
    let content = format!("artifact {number}");
    let artifact = Sha256Digest::of(content.as_bytes());
    let file = |ending: &str| folder.join(format!("{number}.{ending}"));
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a","digest":{{"sha256":"{artifact}"}}}}],"predicateType":"{TYPE}","predicate":{{"number":{number}}}}}"#
    );
    std::fs::write(file("blob"), content).unwrap();
    std::fs::write(file("statement"), statement).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_touchmark-conformance"));
    command.args([
        "sign-bundle",
        "--identity-token",
        &instance.token(ALICE),
        "--in-toto",
    ]);
    command.args(["--signing-config", &instance.argument("signing_config.json")]);
    command.args([
        "--trusted-root",
        &instance.argument("trusted_root.json"),
        "--bundle",
    ]);
    command.arg(file("json")).arg(file("statement"));
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Piece {
        json: std::fs::read_to_string(file("json")).unwrap(),
        artifact: *artifact.as_bytes(),
    }
}

/// Verifies all bundles on one core, parsing included; prints the best of several rounds, taken in turns.
fn throughput(pieces: &[Piece], root: &str, issuer: &str) {
    let ours = TrustedRoot::parse(root.as_bytes()).unwrap();
    let exact = |text: &str| TextPattern::exact(text).unwrap();
    let expected: ExpectedSigners = IdentityRule::new(exact(issuer), exact(ALICE)).into();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let options = VerifyOptions::new(Timestamp::from_unix(i64::try_from(now.as_secs()).unwrap()).unwrap());
    let theirs = sigstore_trust_root::TrustedRoot::from_json(root).unwrap();
    let peer = sigstore_verify::Verifier::new(&theirs).unwrap();
    let mut best = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        let together = || {
            let verifier = Verifier::new(&ours, &options);
            for piece in pieces {
                let bundle = Bundle::parse(piece.json.as_bytes()).unwrap();
                verifier.verify(&bundle, &expected).unwrap();
            }
        };
        let alone = || {
            for piece in pieces {
                let bundle = Bundle::parse(piece.json.as_bytes()).unwrap();
                verify(&bundle, &expected, &ours, &options).unwrap();
            }
        };
        let others = || {
            for piece in pieces {
                let bundle = sigstore_types::Bundle::from_json(&piece.json).unwrap();
                let artifact = sigstore_types::Sha256Hash::try_from(piece.artifact.as_slice()).unwrap();
                peer.verify(artifact, &bundle, &VerificationPolicy::any_identity())
                    .unwrap();
            }
        };
        let rounds: [&dyn Fn(); 3] = [&together, &alone, &others];
        for (slot, round) in best.iter_mut().zip(rounds) {
            *slot = measured(round).1.min(*slot);
        }
    }
    let names = ["one verifier", "one by one", "sigstore-verify, one by one"];
    for (name, time) in names.iter().zip(best) {
        println!("{name}: {:.0}/s", pieces.len() as f64 / time.as_secs_f64());
    }
    println!(
        "ratio of one verifier to sigstore-verify: {:.2}",
        best[2].as_secs_f64() / best[0].as_secs_f64()
    );
}

/// Verifies one bundle in a process of its own; prints minimum and median, the programs taken in turns.
fn cold(instance: &Instance, folder: &Path) {
    let (bundle, blob) = (folder.join("0.json"), folder.join("0.blob"));
    let root = instance.argument("trusted_root.json");
    let signer = [
        "--certificate-identity",
        ALICE,
        "--certificate-oidc-issuer",
        instance.issuer(),
    ];
    let (bundle, blob) = (bundle.to_str().unwrap(), blob.to_str().unwrap());
    let mut programs: Vec<(&str, Command)> = Vec::new();
    let mut add = |name, program: &Path, arguments: &[&[&str]]| {
        let mut command = Command::new(program);
        command
            .args(arguments.concat())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
            .env("HOME", folder)
            .env("TOUCHMARK_HOME", folder.join("home"));
        programs.push((name, command));
    };
    let ours = Path::new(env!("CARGO_BIN_EXE_touchmark"));
    let question = ["--bundle", bundle, "--trusted-root", &root];
    add(
        "touchmark verify",
        ours,
        &[&["verify"], &question, &["--artifact", blob], &signer],
    );
    if let Some(cosign) = std::env::var_os("TOUCHMARK_TEST_COSIGN").map(PathBuf::from) {
        let verb = [
            "verify-blob-attestation",
            "--new-bundle-format",
            "--type",
            TYPE,
            "--use-signed-timestamps",
        ];
        add(
            "cosign verify-blob-attestation",
            &cosign,
            &[&verb, &question, &signer, &[blob]],
        );
    }
    if let Some(python) = std::env::var_os("TOUCHMARK_TEST_SIGSTORE_PYTHON").map(PathBuf::from) {
        let config = instance.argument("client_trust_config.json");
        let verb = [
            "-m",
            "sigstore",
            "--trust-config",
            &config,
            "verify",
            "identity",
            "--bundle",
            bundle,
        ];
        let signer = ["--cert-identity", ALICE, "--cert-oidc-issuer", instance.issuer()];
        add(
            "sigstore-python verify identity",
            &python,
            &[&verb, &signer, &[blob]],
        );
    }
    let mut times = vec![Vec::new(); programs.len()];
    for _ in 0..COLD_RUNS {
        for ((name, command), times) in programs.iter_mut().zip(&mut times) {
            let (status, took) = measured(|| command.status().unwrap());
            assert!(status.success(), "{name} refused the bundle");
            times.push(took);
        }
    }
    for ((name, _), times) in programs.iter().zip(&mut times) {
        times.sort_unstable();
        println!(
            "{name}, cold process: {:.1?} minimum, {:.1?} median",
            times[0],
            times[COLD_RUNS / 2]
        );
    }
}

fn measured<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}
