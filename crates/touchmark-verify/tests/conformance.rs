//! The public Sigstore conformance suite: every bundle, by path and by digest, offline.
//!
//! A failure counts only for the reason that the case is about: each failing case names the codes it may be refused
//! with, the same by path and by digest.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and say what it saw"
)]

use std::path::{Path, PathBuf};

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::{IdentityRule, TextPattern};
use touchmark_verify::key::PublicKey;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::message::{ArtifactDigests, DigestAlgorithm};
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verified::VerifiedStatement;
use touchmark_verify::verify::{VerifyOptions, verify, verify_message};

const SUITE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/sigstore-conformance/bundle-verify"
);
const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
/// Later than everything in the suite.
const AT: &str = "2026-11-01T00:00:00Z";

/// Each case and what it must come to.
const EXPECTED: &[(&str, &str)] = &[
    ("bundle-empty-certificate-chain_fail", "bundle.certificate_count"),
    ("bundle-from-wrong-instance_fail", "tlog.log_unknown"),
    ("bundle-invalid-base64-signature_fail", "bundle.base64"),
    ("bundle-malformed-json_fail", "json.malformed"),
    ("bundle-negative-log-index_fail", "tlog.entry_number"),
    ("bundle-unknown-version_fail", "bundle.media_type"),
    ("bundle-with-root-cert_fail", "certificate.root_in_bundle"),
    ("bundle-with-sct-with-extensions", "ok"),
    ("checkpoint-bad-keyhint_fail", "tlog.note_unsigned"),
    ("checkpoint-wrong-roothash_fail", "tlog.proof_length"),
    ("dsse-invalid-sig_fail", "signature.invalid"),
    ("dsse-mismatch-envelope_fail", "tlog.digest_mismatch"),
    ("dsse-mismatch-sig_fail", "tlog.signature_mismatch"),
    ("happy-path-intoto-in-dsse-v3", "ok"),
    ("happy-path-v0.1", "ok"),
    ("happy-path-v0.2", "ok"),
    ("happy-path-v0.3", "ok"),
    ("happy-path-v0.3-new-mediaType", "ok"),
    ("inclusion-proof-corrupted-hash_fail", "tlog.root_mismatch"),
    ("incorrect-public-key_fail", "tlog.promise_signature"),
    ("integrated-time-in-future_fail", "certificate.outside_validity"),
    ("intoto-expired-certificate_fail", "certificate.outside_validity"),
    ("intoto-log-entry-mismatch_fail", "tlog.entry_bytes"),
    ("intoto-missing-inclusion-proof_fail", "bundle.proof_missing"),
    (
        "intoto-set-outside-signing-cert-validity_fail",
        "certificate.outside_validity",
    ),
    (
        "intoto-tsa-timestamp-outside-cert-validity_fail",
        "certificate.outside_validity",
    ),
    ("intoto-with-custom-trust-root", "ok"),
    ("invalid-checkpoint-signature_fail", "tlog.note_signature"),
    ("invalid-ct-key_fail", "sct.log_unknown"),
    ("invalid-inclusion-proof_fail", "bundle.proof_missing"),
    ("managed-key-and-trusted-root", "ok"),
    ("managed-key-happy-path", "ok"),
    ("managed-key-no-key_fail", "signer.key_not_expected"),
    ("managed-key-wrong-key_fail", "key.pem_malformed"),
    ("message-digest-mismatch_fail", "message.digest_mismatch"),
    ("rekor2-checkpoint-cosigned", "ok"),
    (
        "rekor2-checkpoint-missing-log-signature_fail",
        "tlog.note_structure",
    ),
    ("rekor2-checkpoint-missing-origin_fail", "tlog.note_signature"),
    ("rekor2-checkpoint-missing-root-hash_fail", "tlog.note_signature"),
    ("rekor2-checkpoint-missing-size_fail", "tlog.note_signature"),
    ("rekor2-checkpoint-multiple-cosigs", "ok"),
    (
        "rekor2-checkpoint-no-matching-signature_fail",
        "tlog.note_unsigned",
    ),
    ("rekor2-checkpoint-origin-not-first", "ok"),
    ("rekor2-checkpoint-two-sigs-cosigned", "ok"),
    ("rekor2-checkpoint-two-sigs-from-origin", "ok"),
    ("rekor2-dsse-happy-path", "ok"),
    ("rekor2-dsse-invalid-sig_fail", "signature.invalid"),
    ("rekor2-dsse-mismatch-envelope_fail", "tlog.digest_mismatch"),
    ("rekor2-dsse-mismatch-sig_fail", "tlog.signature_mismatch"),
    ("rekor2-happy-path", "ok"),
    ("rekor2-no-inclusion-proof_fail", "bundle.proof_missing"),
    ("rekor2-no-timestamp_fail", "certificate.no_verified_time"),
    (
        "rekor2-timestamp-outside-trust-root-tsa-validity_fail",
        "time.outside_authority_window",
    ),
    (
        "rekor2-timestamp-outside-tsa-cert-validity_fail",
        "time.outside_certificate_validity",
    ),
    ("rekor2-timestamp-payload-mismatch_fail", "time.timestamp_imprint"),
    (
        "rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail",
        "time.authority_unknown",
    ),
    (
        "rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail",
        "time.authority_unknown",
    ),
    ("rekor2-timestamp-with-embedded-cert", "ok"),
    ("rekor2-timestamp-with-expired-cert-chain", "ok"),
    ("rekor2-timestamp-with-incorrect-time_fail", "bundle.base64"),
    ("rekor2-timestamp-without-embedded-cert", "ok"),
    ("set-invalid-signature_fail", "tlog.promise_signature"),
    ("signature-mismatch_fail", "signature.invalid"),
    (
        "trust-root-tlog-missing-validity-start_fail",
        "trust.start_missing",
    ),
    ("trust-root-tlog-validity-end-inclusive", "ok"),
    ("trust-root-tsa-validity-end-inclusive", "ok"),
    ("wrong-hashedrekord-artifact_fail", "tlog.digest_mismatch"),
    ("wrong-hashedrekord-cert-and-sig_fail", "tlog.verifier_mismatch"),
    ("wrong-hashedrekord-entry_fail", "tlog.verifier_mismatch"),
    ("wrong-material_fail", "message.digest_mismatch"),
];

/// The artifact of a case, at hand or by its digest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Path,
    Digest,
}

#[test]
fn every_case_of_the_suite_comes_out_as_it_must_and_for_its_own_reason() {
    let suite = Path::new(SUITE);
    if !suite.is_dir() {
        println!("skipped: the conformance suite is not at hand");
        return;
    }
    let mut cases: Vec<PathBuf> = std::fs::read_dir(suite)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    let mut wrong = Vec::new();
    for case in &cases {
        let name = case.file_name().unwrap().to_str().unwrap();
        for by in [By::Path, By::Digest] {
            let outcome = run(case, by).err().unwrap_or("ok");
            println!("{name}: {outcome}");
            let expected = EXPECTED
                .iter()
                .find(|(known, _)| *known == name)
                .map_or("no case of this name is known", |(_, expected)| expected);
            if outcome != expected || name.ends_with("_fail") == (outcome == "ok") {
                wrong.push(format!("{name}: expected {expected}, found {outcome}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(cases.len(), EXPECTED.len(), "cases are missing");
}

/// One token of the suite is base64 in lines, which is refused before anything in it is looked at. In one line it is
/// refused for what the case is about.
#[test]
fn the_timestamp_outside_the_certificate_s_life_is_refused_for_that_too() {
    let case = Path::new(SUITE).join("rekor2-timestamp-with-incorrect-time_fail");
    let Ok(bundle) = std::fs::read(case.join("bundle.sigstore.json")) else {
        println!("skipped: the conformance suite is not at hand");
        return;
    };
    let mut bundle: serde_json::Value = serde_json::from_slice(&bundle).unwrap();
    let pointer = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";
    let token = bundle.pointer_mut(pointer).unwrap();
    let joined = token.as_str().unwrap().replace('\n', "");
    assert_ne!(token, &joined);
    *token = joined.into();
    let outcome = judge(&case, bundle.to_string().as_bytes(), By::Path);
    assert_eq!(outcome, Err("certificate.outside_validity"));
}

/// Runs one case and returns the code with which it is refused.
fn run(case: &Path, by: By) -> Result<(), &'static str> {
    judge(
        case,
        &std::fs::read(case.join("bundle.sigstore.json")).unwrap(),
        by,
    )
}

fn judge(case: &Path, bundle: &[u8], by: By) -> Result<(), &'static str> {
    let read = |name: &str| std::fs::read(case.join(name)).ok();
    let root = read("trusted_root.json").unwrap_or_else(|| {
        sigstore_trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT
            .as_bytes()
            .to_vec()
    });
    let root = TrustedRoot::parse(&root).map_err(|error| error.code())?;
    let bundle = Bundle::parse(bundle).map_err(|error| error.code())?;
    let artifact = read("artifact").unwrap_or_else(|| std::fs::read(case.join("../a.txt")).unwrap());
    let options = VerifyOptions::new(AT.parse::<Timestamp>().unwrap());
    let expected = expected(read("key.pub"), read("identity"), read("issuer"))?;
    if bundle.envelope().is_some() {
        let verified = verify(&bundle, &expected, &root, &options).map_err(|error| error.code())?;
        return is_about(&verified, &artifact);
    }
    let digest = Sha256Digest::of(&artifact);
    let message = match by {
        By::Path => ArtifactDigests::of(artifact),
        By::Digest => ArtifactDigests::from_digest(DigestAlgorithm::Sha256, *digest.as_bytes()).unwrap(),
    };
    match verify_message(&bundle, &message, &expected, &root, &options) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.code()),
    }
}

fn expected(
    key: Option<Vec<u8>>,
    identity: Option<Vec<u8>>,
    issuer: Option<Vec<u8>>,
) -> Result<ExpectedSigners, &'static str> {
    if let Some(pem) = key {
        let key = PublicKey::from_pem(&pem).map_err(|error| error.code())?;
        let mut ring = KeyRing::new();
        ring.allow(key.fingerprint());
        ring.add_key(key);
        return Ok(ring.into());
    }
    let text = |found: Option<Vec<u8>>, default: &str| {
        let text = found.map_or_else(|| default.to_owned(), |bytes| String::from_utf8(bytes).unwrap());
        TextPattern::exact(text.trim()).unwrap()
    };
    Ok(IdentityRule::new(text(issuer, ISSUER), text(identity, IDENTITY)).into())
}

fn is_about(verified: &VerifiedStatement, artifact: &[u8]) -> Result<(), &'static str> {
    let digest = Sha256Digest::of(artifact).to_string();
    let named = verified
        .statement()
        .subject
        .iter()
        .any(|subject| subject.digest.get("sha256") == Some(digest.as_str()));
    if named {
        Ok(())
    } else {
        Err("the artifact is no subject")
    }
}
