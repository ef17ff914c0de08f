//! Catalogue: certificates. Every case begins with a good keyless bundle and breaks one thing.

mod common;

use common::*;
use touchmark_testkit::sigstore::{
    BundleVersion, CertificateDefect as Broken, Instance, InstanceOptions, LogKind, Scheme, Signing,
};
use touchmark_verify::verify::SctRequirement;

#[test]
fn good_bundles_are_accepted_in_every_version_and_from_every_log() {
    for log in [LogKind::V2, LogKind::V1Dsse, LogKind::V1Intoto] {
        for version in [BundleVersion::V01, BundleVersion::V02, BundleVersion::V03] {
            if (log, version) != (LogKind::V2, BundleVersion::V01) {
                let signing = Signing::keyless(github()).log(log).version(version);
                judge(&instance(), &signing).unwrap_or_else(|code| panic!("{log:?} {version:?}: {code}"));
            }
        }
    }
}

#[test]
fn good_bundles_of_every_kind_of_instance_are_accepted() {
    let default = InstanceOptions::default;
    #[rustfmt::skip]
    let instances = [
        InstanceOptions { certificate_authority: Scheme::P384, ..default() },
        InstanceOptions { timestamp_authority: Scheme::P384, ..default() },
        InstanceOptions { rekor_v2: Scheme::P256, ..default() },
        InstanceOptions { leaf: Scheme::P384, ..default() },
        InstanceOptions { witnesses: 3, ..default() },
        InstanceOptions { timestamp_authorities: 2, certificate_logs: 2, ..default() },
    ];
    for options in instances {
        let what = format!("{options:?}");
        let instance = Instance::new(1, options);
        judge(&instance, &Signing::keyless(github())).unwrap_or_else(|code| panic!("{what}: {code}"));
    }
}

#[test]
fn case_46_chain_to_an_unknown_root() {
    refused(Broken::UnknownRoot, "certificate.chain");
}

#[test]
fn case_46_bundle_of_another_instance() {
    let other = Instance::new(2, InstanceOptions::default());
    for (log, code) in [
        (LogKind::V2, "time.authority_unknown"),
        (LogKind::V1Dsse, "tlog.log_unknown"),
    ] {
        let signing = match log {
            LogKind::V2 => Signing::keyless(github()),
            // Without a timestamp, the promise is the first that is looked at.
            _ => Signing::keyless(github()).log(log).timestamps(&[]),
        };
        let bundle = sign(&other, &signing).bytes();
        judge_with(&other, &bundle, &rule(&github()).into(), &options()).expect("accepted at home");
        let found = judge_with(&instance(), &bundle, &rule(&github()).into(), &options());
        assert_eq!(found.err(), Some(code));
    }
}

#[test]
fn case_47_bundle_with_a_root_of_its_own() {
    let signing = Signing::keyless(github()).version(BundleVersion::V02);
    refused_as(Broken::RootInBundle, &signing, "certificate.root_in_bundle");
}

#[test]
fn case_47_self_signed_leaf() {
    refused(Broken::SelfSignedLeaf, "certificate.chain");
}

#[test]
fn a_leaf_that_its_issuer_did_not_sign() {
    refused(Broken::SignatureOfOtherKey, "certificate.chain");
}

#[test]
fn a_leaf_over_another_key_than_the_signers() {
    refused(Broken::KeyNotTheSigners, "signature.invalid");
}

#[test]
fn bytes_after_a_certificate() {
    refused(Broken::TrailingBytes, "certificate.malformed");
}

#[test]
fn certificates_of_another_shape() {
    refused(Broken::VersionOne, "certificate.version");
    refused(Broken::AlgorithmsDiffer, "certificate.algorithms");
    refused(Broken::KeyOfUnknownAlgorithm, "certificate.key");
    refused(Broken::KeyUsageWithoutSignatures, "certificate.key_usage");
}

#[test]
fn a_subject_says_nothing_of_the_signer() {
    let found = judge(
        &instance().with(Broken::SubjectNamed),
        &Signing::keyless(github()),
    )
    .expect("accepted");
    let identity = found.signer().certificate().expect("a certificate");
    assert_eq!(identity.san.as_str(), github().san.text());
}

#[test]
fn case_49_intermediate_or_root_expired_while_the_leaf_was_valid() {
    refused(Broken::IntermediateExpired, "certificate.outside_validity");
    refused(Broken::RootExpired, "certificate.outside_validity");
}

#[test]
fn case_50_leaf_not_for_signing_code() {
    refused(Broken::UsageMissing, "certificate.not_for_code_signing");
    refused(Broken::UsageServer, "certificate.not_for_code_signing");
    refused(Broken::UsageAny, "certificate.any_usage");
    refused(Broken::LeafIsAuthority, "certificate.authority");
}

#[test]
fn case_51_unknown_critical_and_duplicate_extensions() {
    refused(Broken::UnknownCriticalExtension, "certificate.critical_extension");
    refused(Broken::DuplicateName, "certificate.duplicate_extension");
    refused(Broken::DuplicateClaim, "certificate.duplicate_extension");
}

#[test]
fn case_59_the_two_issuers_disagree() {
    refused(Broken::IssuersDisagree, "certificate.issuers_disagree");
    refused(Broken::IssuerMissing, "certificate.issuer_missing");
    refused(Broken::IssuerEmpty, "certificate.issuer_missing");
}

#[test]
fn case_60_claims_in_another_encoding() {
    for defect in [
        Broken::RawTextInDerClaim,
        Broken::DerInRawClaim,
        Broken::ClaimOfOtherStringType,
        Broken::ClaimWithTrailingBytes,
    ] {
        refused(defect, "certificate.claim");
    }
}

#[test]
fn signed_certificate_timestamps_must_be_there_and_right() {
    refused(Broken::SctMissing, "sct.missing");
    refused(Broken::SctCut, "sct.malformed");
    refused(Broken::SctOfUnknownLog, "sct.log_unknown");
    refused(Broken::SctOfOtherCertificate, "sct.signature");
    refused(Broken::SctOfOtherIssuer, "sct.signature");
    refused(Broken::SctLogRetired, "sct.outside_window");
}

#[test]
fn certificates_without_timestamps_can_be_asked_for_explicitly() {
    let instance = instance().with(Broken::SctMissing);
    let mut options = options();
    options.sct = SctRequirement::DangerouslySkipped {
        reason: "a private authority without certificate log".to_owned(),
    };
    let bundle = sign(&instance, &Signing::keyless(github())).bytes();
    let verified = judge_with(&instance, &bundle, &rule(&github()).into(), &options).expect("accepted");
    assert!(
        verified
            .checks()
            .iter()
            .any(|check| format!("{check:?}").contains("without certificate log"))
    );
}

#[test]
fn case_69_two_timestamps_of_one_certificate_log() {
    let signing = Signing::keyless(github());
    let two = Instance::new(
        1,
        InstanceOptions {
            certificate_logs: 2,
            ..InstanceOptions::default()
        },
    );
    let judge = |instance: &Instance| {
        judge_with(
            instance,
            &sign(instance, &signing).bytes(),
            &rule(&github()).into(),
            &scts(2),
        )
        .map(drop)
    };
    assert_eq!(judge(&two), Ok(()));
    assert_eq!(
        judge(&instance().with(Broken::SctTwice)),
        Err("sct.too_few_operators")
    );
    // One timestamp, although two authorities of one name could have issued the certificate.
    let namesake = InstanceOptions {
        namesake_authority: true,
        ..InstanceOptions::default()
    };
    assert_eq!(judge(&Instance::new(1, namesake)), Err("sct.too_few_operators"));
}

#[test]
fn case_69_two_certificate_logs_of_one_operator() {
    let two = Instance::new(
        1,
        InstanceOptions {
            certificate_logs: 2,
            ..InstanceOptions::default()
        },
    );
    let bundle = sign(&two, &Signing::keyless(github())).bundle();
    let mut root = two.trusted_root_value();
    root["ctlogs"][1]["operator"] = root["ctlogs"][0]["operator"].clone();
    let root = touchmark_verify::trust::TrustedRoot::parse(root.to_string().as_bytes()).expect("a good root");
    let error = touchmark_verify::verify::verify(&bundle, &rule(&github()).into(), &root, &scts(2));
    assert_eq!(error.expect_err("one operator").code(), "sct.too_few_operators");
}

#[test]
fn case_70_timestamps_with_extensions() {
    let options = InstanceOptions {
        sct_extensions: true,
        ..InstanceOptions::default()
    };
    judge(&Instance::new(1, options), &Signing::keyless(github())).expect("accepted");
}

#[test]
fn case_71_two_intermediates_of_one_name() {
    let options = InstanceOptions {
        namesake_authority: true,
        ..InstanceOptions::default()
    };
    for version in [BundleVersion::V02, BundleVersion::V03] {
        let signing = Signing::keyless(github()).version(version);
        judge(&Instance::new(1, options.clone()), &signing).expect("accepted by the one that signed");
    }
}

#[test]
fn case_72_a_hundred_cross_signed_authorities() {
    let signing = Signing::keyless(github()).version(BundleVersion::V02);
    refused_as(Broken::HundredIntermediates, &signing, "bundle.certificate_count");
    // As many as a bundle may carry, each of which could have issued every other: the search ends, without a path.
    let signed = sign(&instance().with(Broken::HundredIntermediates), &signing);
    let stranger = sign(&instance().with(Broken::UnknownRoot), &signing);
    let mut bundle = signed.json.clone();
    let chain = &mut bundle["verificationMaterial"]["x509CertificateChain"]["certificates"];
    chain[0] = stranger.json["verificationMaterial"]["x509CertificateChain"]["certificates"][0].clone();
    chain.as_array_mut().expect("a list").truncate(16);
    for part in [
        "dsseEnvelope",
        "/verificationMaterial/tlogEntries",
        "/verificationMaterial/timestampVerificationData",
    ] {
        let pointer = format!("/{}", part.trim_start_matches('/'));
        let good = stranger.json.pointer(&pointer).expect("it is there").clone();
        *bundle.pointer_mut(&pointer).expect("it is there") = good;
    }
    let found = judge_with(
        &instance(),
        bundle.to_string().as_bytes(),
        &rule(&github()).into(),
        &options(),
    );
    assert_eq!(found.err(), Some("certificate.chain"));
}
