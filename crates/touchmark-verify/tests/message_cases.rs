//! Bare signatures over files that the caller brings: what it knows of them must be what was signed and logged.

mod common;

use common::*;
use touchmark_testkit::sigstore::{
    CertificateDefect, Defect, Instance, InstanceOptions, LogDefect, LogKind, Scheme, Signed, Signing,
    TimeDefect,
};
use touchmark_verify::bundle::Bundle;
use touchmark_verify::message::{ArtifactDigests, DigestAlgorithm};
use touchmark_verify::verify::{verify, verify_message};

fn sign_file(instance: &Instance, log: LogKind) -> Signed {
    instance.sign_message(&Signing::keyless(github()).log(log), ARTIFACT)
}

fn judge_file(instance: &Instance, signed: &Signed, known: &ArtifactDigests) -> Result<(), &'static str> {
    let bundle = Bundle::parse(&signed.bytes()).map_err(|error| error.code())?;
    let root = instance.trusted_root();
    verify_message(&bundle, known, &rule(&github()).into(), &root, &options())
        .map(drop)
        .map_err(|error| error.code())
}

fn digest(algorithm: DigestAlgorithm, message: &[u8]) -> ArtifactDigests {
    ArtifactDigests::from_digest(algorithm, algorithm.digest(message)).expect("of the right length")
}

#[test]
fn files_are_known_by_their_bytes_or_by_the_digest_that_was_signed() {
    for (leaf, algorithm) in [
        (Scheme::P256, DigestAlgorithm::Sha256),
        (Scheme::P384, DigestAlgorithm::Sha384),
    ] {
        let instance = Instance::new(
            1,
            InstanceOptions {
                leaf,
                ..InstanceOptions::default()
            },
        );
        for log in [LogKind::V2, LogKind::V1HashedRekord] {
            let signed = sign_file(&instance, log);
            assert_eq!(
                judge_file(&instance, &signed, &ArtifactDigests::of(ARTIFACT)),
                Ok(()),
                "{log:?}"
            );
            assert_eq!(
                judge_file(&instance, &signed, &digest(algorithm, ARTIFACT)),
                Ok(()),
                "{log:?}"
            );
        }
    }
}

#[test]
fn another_file_is_refused_whatever_is_known_of_it() {
    let instance = instance();
    for log in [LogKind::V2, LogKind::V1HashedRekord] {
        let mut signed = sign_file(&instance, log);
        for known in [
            ArtifactDigests::of(*b"another"),
            digest(DigestAlgorithm::Sha256, b"another"),
        ] {
            assert_eq!(
                judge_file(&instance, &signed, &known),
                Err("message.digest_mismatch")
            );
        }
        // The same where the bundle does not say which digest it means.
        signed.json["messageSignature"]
            .as_object_mut()
            .expect("an object")
            .remove("messageDigest");
        for known in [
            ArtifactDigests::of(*b"another"),
            digest(DigestAlgorithm::Sha256, b"another"),
        ] {
            assert_eq!(judge_file(&instance, &signed, &known), Err("signature.invalid"));
        }
        assert_eq!(
            judge_file(&instance, &signed, &ArtifactDigests::of(ARTIFACT)),
            Ok(())
        );
    }
}

#[test]
fn nothing_known_and_nothing_useful_known_are_no_proof() {
    let instance = instance();
    let signed = sign_file(&instance, LogKind::V2);
    assert_eq!(
        judge_file(&instance, &signed, &ArtifactDigests::default()),
        Err("message.nothing_known")
    );
    // Right, but not what was signed.
    let known = digest(DigestAlgorithm::Sha512, ARTIFACT);
    assert_eq!(
        judge_file(&instance, &signed, &known),
        Err("message.digest_unknown")
    );
}

#[test]
fn statements_and_files_do_not_stand_in_for_each_other() {
    let instance = instance();
    let root = instance.trusted_root();
    let file = sign_file(&instance, LogKind::V2);
    let error = verify(&file.bundle(), &rule(&github()).into(), &root, &options());
    assert_eq!(
        error.expect_err("no statement").code(),
        "bundle.message_signature"
    );
    let statement = sign(&instance, &Signing::keyless(github()));
    let known = ArtifactDigests::of(ARTIFACT);
    assert_eq!(judge_file(&instance, &statement, &known), Err("bundle.envelope"));
}

#[test]
fn a_statement_s_signature_is_none_over_a_file_that_holds_the_statement() {
    // The envelope's signature is over the PAE; as a bare signature over the same payload it must fail.
    let instance = instance();
    let signed = sign(&instance, &Signing::keyless(github()));
    let mut bundle = signed.json.clone();
    let signature = bundle["dsseEnvelope"]["signatures"][0]["sig"].clone();
    let fields = bundle.as_object_mut().expect("an object");
    fields.remove("dsseEnvelope");
    fields.insert(
        "messageSignature".to_owned(),
        serde_json::json!({"signature": signature}),
    );
    let forged = Signed {
        json: bundle,
        ..signed
    };
    let known = ArtifactDigests::of(statement());
    assert_eq!(judge_file(&instance, &forged, &known), Err("signature.invalid"));
}

#[test]
fn the_other_checks_are_made_for_files_too() {
    let cases: &[(Defect, LogKind, &str)] = &[
        (
            CertificateDefect::UnknownRoot.into(),
            LogKind::V2,
            "certificate.chain",
        ),
        (CertificateDefect::SctMissing.into(), LogKind::V2, "sct.missing"),
        (
            TimeDefect::TokenOverArtifact.into(),
            LogKind::V2,
            "time.timestamp_imprint",
        ),
        (
            TimeDefect::TokenAfterCertificate.into(),
            LogKind::V2,
            "certificate.outside_validity",
        ),
        (LogDefect::EntryMissing.into(), LogKind::V2, "tlog.entry_missing"),
        (
            LogDefect::EntryOfOtherBundle.into(),
            LogKind::V2,
            "tlog.digest_mismatch",
        ),
        (
            LogDefect::EntryOfOtherBundle.into(),
            LogKind::V1HashedRekord,
            "tlog.signature_mismatch",
        ),
        (
            LogDefect::SignatureDiffers.into(),
            LogKind::V2,
            "tlog.signature_mismatch",
        ),
        (
            LogDefect::VerifierDiffers.into(),
            LogKind::V2,
            "tlog.verifier_mismatch",
        ),
        (
            LogDefect::ProofHashFlipped.into(),
            LogKind::V1HashedRekord,
            "tlog.root_mismatch",
        ),
        (
            LogDefect::PromiseOverOtherBody.into(),
            LogKind::V1HashedRekord,
            "tlog.promise_signature",
        ),
    ];
    for (defect, log, code) in cases {
        let instance = instance().with(*defect);
        let signed = sign_file(&instance, *log);
        let found = judge_file(&instance, &signed, &ArtifactDigests::of(ARTIFACT));
        assert_eq!(found, Err(*code), "{defect:?} {log:?}");
    }
}
