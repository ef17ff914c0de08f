//! What a checkpoint costs: its log's signature by key type, its cosignatures, a policy's quorum, a Rekor v1 body.

#![allow(clippy::unwrap_used, reason = "a bench that cannot build its input fails")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ed25519_dalek::{Signer as _, SigningKey};
use touchmark_tlog::checkpoint::{Checkpoint, VerifiedCheckpoint, verify_note};
use touchmark_tlog::cosignature::WitnessKey;
use touchmark_tlog::entry::VerifierMaterial;
use touchmark_tlog::entry::rekor_v1::{DsseV001, NamedDigest, PemVerifier};
use touchmark_tlog::merkle::leaf_hash;
use touchmark_tlog::note::{Note, SignatureLine, VerifierKey};
use touchmark_tlog::witness_policy::WitnessPolicy;

const ORIGIN: &str = "log.example";

fn signing(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn key() -> VerifierKey {
    VerifierKey::ed25519(ORIGIN, signing(1).verifying_key().as_bytes()).unwrap()
}

fn witness(seed: u8) -> WitnessKey {
    WitnessKey::ed25519(&format!("w{seed}"), signing(seed).verifying_key().as_bytes()).unwrap()
}

/// A checkpoint that so many witnesses have cosigned.
fn note(witnesses: u8) -> String {
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 1_000_000,
        root: leaf_hash(b"root"),
        extensions: Vec::new(),
    };
    let text = checkpoint.encode();
    let signature = signing(1).sign(text.as_bytes()).to_bytes().to_vec();
    let mut lines = vec![SignatureLine::new(&key(), signature)];
    for seed in 10..10 + witnesses {
        let message = witness(seed).message(1_700_000_000, &text, &checkpoint).unwrap();
        lines.push(witness(seed).line(1_700_000_000, &signing(seed).sign(&message).to_bytes()));
    }
    Note::new(text, lines).unwrap().encode()
}

fn verified(note: &str) -> VerifiedCheckpoint {
    verify_note(note.as_bytes(), ORIGIN, &key()).unwrap()
}

fn policy(witnesses: u8) -> WitnessPolicy {
    let mut text = String::new();
    for seed in 10..10 + witnesses {
        text.push_str(&format!("witness n{seed} {}\n", witness(seed)));
    }
    let members: String = (10..10 + witnesses).map(|seed| format!(" n{seed}")).collect();
    WitnessPolicy::parse(format!("{text}group all-of-them all{members}\nquorum all-of-them\n").as_bytes())
        .unwrap()
}

fn checkpoints(c: &mut Criterion) {
    let alone = note(0);
    c.bench_function("checkpoint ed25519", |b| b.iter(|| verified(black_box(&alone))));
    let (cosigned, policy) = (verified(&note(8)), policy(8));
    c.bench_function("quorum of 8 ed25519 witnesses", |b| {
        b.iter(|| assert!(policy.evaluate(black_box(&cosigned)).unwrap().quorum));
    });
    let digest = || NamedDigest {
        algorithm: touchmark_tlog::entry::HashAlgorithm::Sha256,
        digest: vec![1; 32],
    };
    let body = DsseV001 {
        envelope_hash: digest(),
        payload_hash: digest(),
        signatures: vec![(
            vec![2; 71],
            PemVerifier::new(VerifierMaterial::Certificate(vec![3; 2048])),
        )],
    }
    .canonical_body();
    c.bench_function("dsse 0.0.1 body with a certificate", |b| {
        b.iter(|| DsseV001::parse_canonical(black_box(&body)).unwrap());
    });
}

criterion_group!(benches, checkpoints);
criterion_main!(benches);
