//! What the catalogue's keyless cases share: a good bundle of the in-process Sigstore, and how it is judged.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::num::NonZeroU8;

use touchmark_statement::timestamp::Timestamp;
use touchmark_testkit::sigstore::keys::Hash;
use touchmark_testkit::sigstore::{
    Defect, GithubRun, Identity, Instance, InstanceOptions, SIGNED_AT, Signed, Signing,
};
use touchmark_verify::bundle::Bundle;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::{IdentityRule, IdentityRules, TextPattern};
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verified::VerifiedStatement;
use touchmark_verify::verify::{SctRequirement, VerifyOptions, verify};

/// What the statement's subject is the digest of.
pub(crate) const ARTIFACT: &[u8] = b"the artifact";

/// Returns the bytes of a statement about the artifact.
pub(crate) fn statement() -> Vec<u8> {
    let digest: String = Hash::Sha256
        .of(ARTIFACT)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "artifact", "digest": {"sha256": digest}}],
        "predicateType": "https://example.test/predicate/v1",
        "predicate": {},
    })
    .to_string()
    .into_bytes()
}

pub(crate) fn instance() -> Instance {
    Instance::new(1, InstanceOptions::default())
}

pub(crate) fn at(unix: i64) -> Timestamp {
    Timestamp::from_unix(unix).expect("a time")
}

/// A day after everything was signed.
pub(crate) fn options() -> VerifyOptions {
    VerifyOptions::new(at(SIGNED_AT + 86_400))
}

pub(crate) fn github() -> Identity {
    GithubRun::default().identity()
}

pub(crate) fn exact(text: &str) -> TextPattern {
    TextPattern::exact(text).expect("not empty")
}

/// The rule that describes an identity by name and issuer.
pub(crate) fn rule(identity: &Identity) -> IdentityRule {
    IdentityRule::new(exact(&identity.issuer), exact(identity.san.text()))
}

pub(crate) fn anybody() -> ExpectedSigners {
    IdentityRules::DangerouslyAny {
        reason: "the case is about something else".to_owned(),
    }
    .into()
}

pub(crate) fn sign(instance: &Instance, signing: &Signing) -> Signed {
    instance.sign_statement(signing, &statement())
}

/// Verifies a bundle with an instance's own trusted root.
pub(crate) fn judge_with(
    instance: &Instance,
    bundle: &[u8],
    expected: &ExpectedSigners,
    options: &VerifyOptions,
) -> Result<VerifiedStatement, &'static str> {
    let root = TrustedRoot::parse(instance.trusted_root_json().as_bytes()).map_err(|error| error.code())?;
    let bundle = Bundle::parse(bundle).map_err(|error| error.code())?;
    verify(&bundle, expected, &root, options).map_err(|error| error.code())
}

/// Judges what an instance signs, by the rule of the identity that signs.
pub(crate) fn judge(instance: &Instance, signing: &Signing) -> Result<VerifiedStatement, &'static str> {
    judge_with(
        instance,
        &sign(instance, signing).bytes(),
        &rule(&github()).into(),
        &options(),
    )
}

/// Asserts that the good bundle is accepted, and with one defect refused for this reason.
#[track_caller]
pub(crate) fn refused(defect: impl Into<Defect>, code: &str) {
    refused_as(defect, &Signing::keyless(github()), code);
}

/// As [`refused`], for something that is signed in another way.
#[track_caller]
pub(crate) fn refused_as(defect: impl Into<Defect>, signing: &Signing, code: &str) {
    let defect = defect.into();
    judge(&instance(), signing).expect("the good bundle is accepted");
    let found = judge(&instance().with(defect), signing);
    assert_eq!(found.err(), Some(code), "{defect:?}");
}

/// Judges the good bundle of an identity by a rule.
pub(crate) fn judge_identity(
    identity: &Identity,
    rule: IdentityRule,
) -> Result<VerifiedStatement, &'static str> {
    let instance = instance();
    let signed = sign(&instance, &Signing::keyless(identity.clone()));
    judge_with(&instance, &signed.bytes(), &rule.into(), &options())
}

/// Options that ask for the certificate logs of this many operators.
pub(crate) fn scts(operators: u8) -> VerifyOptions {
    VerifyOptions {
        sct: SctRequirement::Embedded {
            operators: NonZeroU8::new(operators).expect("more than none"),
        },
        ..options()
    }
}
