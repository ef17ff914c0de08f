//! Catalogue: transparency log, against a whole in-process Sigstore: both generations of Rekor, every kind of entry,
//! witnesses, and checkpoints that were seen before.

#![allow(clippy::unwrap_used, reason = "a test that cannot mint its evidence fails")]

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use touchmark_statement::timestamp::Timestamp;
use touchmark_testkit::sigstore::{
    BundleVersion, GithubRun, Instance, InstanceOptions, LogDefect, LogKind, Part, SIGNED_AT, Scheme, Signed,
    Signing,
};
use touchmark_tlog::checkpoint::VerifiedCheckpoint;
use touchmark_tlog::entry::EntryBody;
use touchmark_tlog::merkle::{Hash, leaf_hash};
use touchmark_tlog::prove::{TileSource, verified_consistency};
use touchmark_tlog::tlog_proof::TlogProof;
use touchmark_tlog::witness_policy::WitnessPolicy;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::IdentityRules;
use touchmark_verify::key::PublicKey;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::message::ArtifactDigests;
use touchmark_verify::remembered::{
    Consistency, ForkKind, RememberedCheckpoints, RememberedError, compare, follow,
};
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verified::{Check, CheckOutcome, TimeSource, VerifiedStatement};
use touchmark_verify::verify::{
    LogRequirement, VerifyError, VerifyOptions, verify, verify_log_proof, verify_message,
};

mod entries;
mod promises;
mod remembered;
mod witnesses;

const KINDS: [LogKind; 4] = [
    LogKind::V2,
    LogKind::V1HashedRekord,
    LogKind::V1Dsse,
    LogKind::V1Intoto,
];

/// Who signs: with a certificate, or with a key that the verifier knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Certificate,
    Key,
}

const ALL: [By; 2] = [By::Certificate, By::Key];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).unwrap()
}

fn options() -> VerifyOptions {
    VerifyOptions::new(at(SIGNED_AT + 86_400))
}

fn instance(defect: Option<LogDefect>) -> Instance {
    instance_with(defect, InstanceOptions::default())
}

fn instance_with(defect: Option<LogDefect>, options: InstanceOptions) -> Instance {
    let instance = Instance::new(7, options);
    match defect {
        Some(defect) => instance.with(defect),
        None => instance,
    }
}

fn statement() -> Vec<u8> {
    let value = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": "ab".repeat(32)}}],
        "predicateType": "https://example.com/anything/v1",
        "predicate": {},
    });
    serde_json::to_vec(&value).unwrap()
}

/// Returns how to sign, with something before it in the log so that proofs have hashes.
fn signing(instance: &Instance, by: By, log: LogKind) -> Signing {
    let key = instance.key(Scheme::P256, "a key that people manage");
    let signing = match by {
        By::Certificate => Signing::keyless(GithubRun::default().identity()),
        By::Key => Signing::with_key(key),
    };
    match log {
        LogKind::V2 => {
            let mut log = instance.rekor_v2();
            for filler in 0..6_u8 {
                log.add(vec![filler; 20], SIGNED_AT);
            }
        }
        _ => {
            let mut log = instance.rekor_v1();
            for filler in 0..6_u8 {
                log.push(format!("{{\"filler\":{filler}}}").into_bytes(), SIGNED_AT);
            }
        }
    }
    signing.log(log)
}

fn expected(signed: &Signed) -> ExpectedSigners {
    if signed.certificate.is_some() {
        return IdentityRules::DangerouslyAny {
            reason: "the log is what is tested".to_owned(),
        }
        .into();
    }
    let key = PublicKey::from_spki_der(&signed.key.spki()).unwrap();
    let mut ring = KeyRing::new();
    ring.allow(key.fingerprint()).add_key(key);
    ring.into()
}

fn verified(
    instance: &Instance,
    signed: &Signed,
    options: &VerifyOptions,
) -> Result<VerifiedStatement, VerifyError> {
    verify(
        &signed.bundle(),
        &expected(signed),
        &instance.trusted_root(),
        options,
    )
}

/// Returns the code with which what was signed is refused, or `ok`.
fn code_of(instance: &Instance, signed: &Signed, options: &VerifyOptions) -> &'static str {
    match Bundle::parse(&signed.bytes()) {
        Err(error) => error.code(),
        Ok(_) => verified(instance, signed, options).map_or_else(|error| error.code(), |_| "ok"),
    }
}

fn code(by: By, kind: LogKind, defect: impl Into<Option<LogDefect>>) -> &'static str {
    let options = InstanceOptions {
        witnesses: 2,
        ..InstanceOptions::default()
    };
    let instance = instance_with(defect.into(), options);
    let signing = signing(&instance, by, kind);
    let signed = instance.sign_statement(&signing, &statement());
    code_of(&instance, &signed, &self::options())
}

fn everywhere(defect: LogDefect, expected: &str) {
    for by in ALL {
        for kind in KINDS {
            assert_eq!(code(by, kind, defect), expected, "{by:?} {kind:?} {defect:?}");
        }
    }
}

fn outcome<'v>(verified: &'v VerifiedStatement, name: &str) -> &'v CheckOutcome {
    let mut checks = verified.checks().iter();
    &checks.find(|check: &&Check| check.name == name).unwrap().outcome
}
