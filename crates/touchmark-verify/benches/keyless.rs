//! What keyless verification costs: a thousand different statements, each with its own certificate or all with one,
//! beside `sigstore-verify` one by one in the same run.
//!
//! `cargo bench -p touchmark-verify --bench keyless`. Everything is minted in process: certificates with an embedded SCT,
//! an RFC 3161 timestamp, an entry of a Rekor v2 log. One core; parsing is included on both sides.

#![allow(missing_docs, reason = "criterion's macros write functions")]
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that cannot mint its evidence fails"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
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

fn keyless(criterion: &mut Criterion) {
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

criterion_group!(benches, keyless);
criterion_main!(benches);
