//! What keyless verification costs: a thousand different statements, each with its own certificate or all with one,
//! beside `sigstore-verify` one by one in the same run.
//!
//! `cargo bench -p touchmark-verify --bench keyless`. Everything is minted in process: certificates with an embedded SCT,
//! an RFC 3161 timestamp, an entry of a Rekor v2 log. Parsing is included on both sides. What is measured is the time
//! that the one thread's core worked, so that other work on the machine does not count.

#![allow(missing_docs, reason = "criterion's macros write functions")]
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that cannot mint its evidence fails"
)]

use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rustix::time::{ClockId, Timespec, clock_gettime};
use sigstore_verify::VerificationPolicy;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;
use touchmark_testkit::sigstore::{GithubRun, Instance, InstanceOptions, Scheme, Signatory, Signing};
use touchmark_verify::bundle::Bundle;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::{IdentityRule, TextPattern};
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::{Verifier, VerifyOptions, verify};

const BUNDLES: usize = 1_000;
const SIGNED_AT: i64 = 1_772_022_400;

/// The time that this thread's core worked.
struct CoreTime;

impl Measurement for CoreTime {
    type Intermediate = Timespec;
    type Value = Duration;

    fn start(&self) -> Timespec {
        clock_gettime(ClockId::ThreadCPUTime)
    }

    fn end(&self, start: Timespec) -> Duration {
        let end = clock_gettime(ClockId::ThreadCPUTime);
        let nanoseconds = |time: Timespec| time.tv_sec * 1_000_000_000 + time.tv_nsec;
        Duration::from_nanos(u64::try_from(nanoseconds(end) - nanoseconds(start)).unwrap())
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// A thousand statements of one workflow, as files.
struct Batch {
    root: String,
    bundles: Vec<String>,
    artifacts: Vec<[u8; 32]>,
    expected: ExpectedSigners,
    options: VerifyOptions,
}

impl Batch {
    fn mint(authorities: Scheme, one_leaf: bool) -> Self {
        let options = InstanceOptions {
            certificate_authority: authorities,
            timestamp_authority: authorities,
            ..InstanceOptions::default()
        };
        let instance = Instance::new(1, options);
        let identity = GithubRun::default().identity();
        let mut signing = Signing::keyless(identity.clone());
        if one_leaf {
            let key = instance.key(Scheme::P256, "the one signer");
            let certificate = instance.issue(&identity, &key.spki(), SIGNED_AT);
            signing.signatory = Signatory::Certified(key, certificate);
        }
        let (mut bundles, mut artifacts) = (Vec::new(), Vec::new());
        for number in 0..BUNDLES {
            let artifact = Sha256Digest::of(format!("artifact {number}").as_bytes());
            let statement = format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a","digest":{{"sha256":"{artifact}"}}}}],"predicateType":"https://example.test/predicate/v1","predicate":{{}}}}"#
            );
            let signed = instance.sign_statement(&signing, statement.as_bytes());
            bundles.push(signed.json.to_string());
            artifacts.push(*artifact.as_bytes());
        }
        let exact = |text: &str| TextPattern::exact(text).unwrap();
        Self {
            root: instance.trusted_root_json(),
            bundles,
            artifacts,
            expected: IdentityRule::new(exact(&identity.issuer), exact(identity.san.text())).into(),
            options: VerifyOptions::new(Timestamp::from_unix(SIGNED_AT + 86_400).unwrap()),
        }
    }

    /// Ours, with one verifier for all.
    fn together(&self, root: &TrustedRoot) {
        let verifier = Verifier::new(root, &self.options);
        for json in &self.bundles {
            let bundle = Bundle::parse(json.as_bytes()).unwrap();
            verifier.verify(&bundle, &self.expected).unwrap();
        }
    }

    /// Ours, each as if it were the only one.
    fn alone(&self, root: &TrustedRoot) {
        for json in &self.bundles {
            let bundle = Bundle::parse(json.as_bytes()).unwrap();
            verify(&bundle, &self.expected, root, &self.options).unwrap();
        }
    }

    /// The peer, one by one.
    fn peer(&self, verifier: &sigstore_verify::Verifier) {
        for (json, artifact) in self.bundles.iter().zip(&self.artifacts) {
            let bundle = sigstore_types::Bundle::from_json(json).unwrap();
            let artifact = sigstore_types::Sha256Hash::try_from(artifact.as_slice()).unwrap();
            verifier
                .verify(artifact, &bundle, &VerificationPolicy::any_identity())
                .unwrap();
        }
    }
}

fn keyless(criterion: &mut Criterion<CoreTime>) {
    for (authorities, scheme) in [("P-256", Scheme::P256), ("P-384", Scheme::P384)] {
        for (leaves, one_leaf) in [("distinct leaves", false), ("one leaf", true)] {
            let batch = Batch::mint(scheme, one_leaf);
            let root = TrustedRoot::parse(batch.root.as_bytes()).unwrap();
            let peer_root = sigstore_trust_root::TrustedRoot::from_json(&batch.root).unwrap();
            let peer = sigstore_verify::Verifier::new(&peer_root).unwrap();
            let mut group = criterion.benchmark_group(format!("1000 keyless, {authorities}, {leaves}"));
            group
                .sample_size(10)
                .throughput(Throughput::Elements(BUNDLES as u64));
            group.bench_function("one verifier", |bencher| bencher.iter(|| batch.together(&root)));
            group.bench_function("one by one", |bencher| bencher.iter(|| batch.alone(&root)));
            group.bench_function("sigstore-verify", |bencher| bencher.iter(|| batch.peer(&peer)));
            group.finish();
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CoreTime);
    targets = keyless
}
criterion_main!(benches);
