//! Catalogue: trust root. Every case begins with a good keyless bundle and its good root, and breaks one thing.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::*;
use touchmark_testkit::sigstore::{
    BundleVersion, CertificateDefect, Instance, InstanceOptions, LogKind, Part, SIGNED_AT, Signing,
    TrustRootDefect as Broken,
};
use touchmark_verify::bundle::Bundle;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::verify;

/// The windows that hold a good bundle: which part, what falls into it, and what a window that ends earlier means.
const WINDOWS: &[(Part, LogKind, i64, &str)] = &[
    // The certificate is judged at the time of the timestamp.
    (
        Part::CertificateAuthority,
        LogKind::V2,
        SIGNED_AT + 2,
        "certificate.outside_authority_window",
    ),
    // Its log signed when it was issued.
    (Part::CertificateLog, LogKind::V2, SIGNED_AT, "sct.outside_window"),
    (
        Part::TimestampAuthority,
        LogKind::V2,
        SIGNED_AT + 2,
        "time.outside_authority_window",
    ),
    (
        Part::RekorV2,
        LogKind::V2,
        SIGNED_AT + 2,
        "tlog.outside_log_window",
    ),
    (
        Part::RekorV1,
        LogKind::V1Dsse,
        SIGNED_AT + 3,
        "tlog.outside_log_window",
    ),
];

#[test]
fn case_119_the_last_second_of_a_window_belongs_to_it_and_the_next_does_not() {
    for (part, log, end, code) in WINDOWS {
        let judge = |end| {
            let options = InstanceOptions {
                windows: vec![(*part, end)],
                ..InstanceOptions::default()
            };
            judge(&Instance::new(1, options), &Signing::keyless(github()).log(*log)).map(drop)
        };
        assert_eq!(judge(*end), Ok(()), "{part:?}");
        assert_eq!(judge(end - 1), Err(*code), "{part:?}");
    }
}

#[test]
fn case_119_a_window_without_a_start_or_turned_around_is_an_error() {
    refused(Broken::WindowWithoutStart, "trust.start_missing");
    refused(Broken::WindowReversed, "trust.window_reversed");
    refused(Broken::WindowMalformed, "trust.time");
}

#[test]
fn case_120_one_log_id_twice_or_of_another_key() {
    refused(Broken::DuplicateLogId, "trust.duplicate_log_id");
    refused(Broken::DuplicateCtLogId, "trust.duplicate_log_id");
    refused(Broken::TwoKeysOneId, "trust.log_id");
    refused(Broken::LogIdOfOtherKey, "trust.log_id");
}

#[test]
fn case_121_keys_and_certificates_of_other_kinds_spoil_nothing_else() {
    let instance = instance();
    let bundle = sign(&instance, &Signing::keyless(github())).bundle();
    let mut root = instance.trusted_root_value();
    for list in ["tlogs", "ctlogs"] {
        let mut other = root[list][0].clone();
        other["publicKey"]["rawBytes"] = STANDARD.encode([7; 40]).into();
        other["publicKey"]["keyDetails"] = "ML_DSA_65".into();
        other["logId"]["keyId"] = STANDARD.encode([8; 32]).into();
        root[list].as_array_mut().expect("a list").insert(0, other);
    }
    for list in ["certificateAuthorities", "timestampAuthorities"] {
        let mut other = root[list][0].clone();
        other["certChain"]["certificates"][0]["rawBytes"] = STANDARD.encode(b"no certificate").into();
        root[list].as_array_mut().expect("a list").insert(0, other);
    }
    let root = TrustedRoot::parse(root.to_string().as_bytes()).expect("a root with other parts");
    assert_eq!(root.unusable().len(), 4);
    verify(&bundle, &rule(&github()).into(), &root, &options()).expect("accepted by what is usable");
}

#[test]
fn case_122_empty_lists_are_not_nothing_to_check() {
    refused(Broken::NoCertificateAuthorities, "certificate.no_authority");
    refused(Broken::NoTimestampAuthorities, "time.no_authority");
    refused(Broken::NoCertificateLogs, "sct.log_unknown");
    refused(Broken::NoLogs, "tlog.log_unknown");
    refused(Broken::EmptyCertificateChain, "trust.chain_empty");
    refused(Broken::EmptyTimestampChain, "trust.chain_empty");
    refused(Broken::MalformedCertificate, "certificate.no_authority");
}

#[test]
fn case_122_a_timestamp_authority_is_missed_also_where_another_time_would_do() {
    let signing = Signing::keyless(github()).log(LogKind::V1Dsse);
    refused_as(Broken::NoTimestampAuthorities, &signing, "time.no_authority");
}

#[test]
fn case_130_what_a_bundle_brings_is_not_trusted() {
    // The whole chain of an unknown authority, as far as a bundle may carry it, and then its root too.
    let signing = Signing::keyless(github()).version(BundleVersion::V02);
    let stranger = instance().with(CertificateDefect::UnknownRoot);
    let mut bundle = sign(&stranger, &signing).json;
    let raw = |der: &[u8]| serde_json::json!({"rawBytes": STANDARD.encode(der)});
    let namesake = &stranger.namesake;
    let chain = &mut bundle["verificationMaterial"]["x509CertificateChain"]["certificates"];
    chain[1] = raw(&namesake.intermediate.certificate);
    let judged = |bundle: &serde_json::Value| {
        judge_with(
            &instance(),
            bundle.to_string().as_bytes(),
            &rule(&github()).into(),
            &options(),
        )
        .map(drop)
    };
    assert_eq!(judged(&bundle), Err("certificate.chain"));
    let chain = &mut bundle["verificationMaterial"]["x509CertificateChain"]["certificates"];
    chain
        .as_array_mut()
        .expect("a list")
        .push(raw(&namesake.root.certificate));
    assert_eq!(judged(&bundle), Err("certificate.root_in_bundle"));
}

#[test]
fn case_130_a_bundle_cannot_carry_a_trusted_root() {
    let instance = instance();
    let mut bundle = sign(&instance, &Signing::keyless(github())).json;
    bundle["trustedRoot"] = instance.trusted_root_value();
    let found = Bundle::parse(bundle.to_string().as_bytes());
    assert_eq!(found.expect_err("an unknown field").code(), "json.shape");
}

/// The variables by which other verifiers can be led elsewhere.
const VARIABLES: &[&str] = &[
    "SIGSTORE_ROOT_FILE",
    "SIGSTORE_REKOR_PUBLIC_KEY",
    "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE",
    "SIGSTORE_TSA_CERTIFICATE_FILE",
    "TUF_ROOT",
    "TUF_MIRROR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the environment is what the case is about"
)]
fn case_131_variables_of_the_environment_do_not_switch_trust() {
    const CHILD: &str = "TOUCHMARK_TEST_CHILD";
    let judged = format!(
        "{:?}",
        (
            judge(&instance(), &Signing::keyless(github())).map(drop),
            judge(
                &instance().with(CertificateDefect::UnknownRoot),
                &Signing::keyless(github())
            )
            .map(drop),
        )
    );
    assert_eq!(judged, r#"(Ok(()), Err("certificate.chain"))"#);
    if std::env::var_os(CHILD).is_some() {
        return;
    }
    // The same once more, in a process whose environment names the stranger's root everywhere.
    let folder = std::env::temp_dir().join(format!("touchmark-case-131-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let root = folder.join("root.json");
    let stranger = Instance::new(2, InstanceOptions::default());
    std::fs::write(&root, stranger.trusted_root_json()).expect("a file");
    let mut child = std::process::Command::new(std::env::current_exe().expect("this test"));
    child
        .args([
            "--exact",
            "case_131_variables_of_the_environment_do_not_switch_trust",
        ])
        .env(CHILD, "1");
    for variable in VARIABLES {
        child.env(variable, &root);
    }
    let output = child.output().expect("it runs");
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
