//! Every defect judged by us and by `sigstore-verify`, side by side.
//!
//! `differential.txt` records both answers; `REWRITE=1` writes it anew. We may refuse what the peer accepts; what the
//! peer refuses we never accept, save for what [`MORE_LENIENT`] lists with its reason.

use std::fmt::Write as _;
use std::path::PathBuf;

use sigstore_types::Sha256Hash;
use sigstore_verify::{VerificationPolicy, Verifier};
use touchmark_statement::timestamp::Timestamp;
use touchmark_testkit::sigstore::keys::Hash;
use touchmark_testkit::sigstore::{
    BundleVersion, CertificateDefect, Defect, GithubRun, Instance, InstanceOptions, LogDefect, LogKind,
    SIGNED_AT, Signed, Signing, TimeDefect, TrustRootDefect,
};
use touchmark_verify::bundle::Bundle;
use touchmark_verify::identity::IdentityRules;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::{VerifyOptions, verify};

const ARTIFACT: &[u8] = b"the artifact";

/// What we accept and the peer refuses, and why that is right.
const MORE_LENIENT: &[(&str, &str)] = &[
    ("certificate SctTwice V2 0.3", MANY_SCTS),
    ("log ProofRootDiffers V1Dsse 0.3", COPIES),
    ("log ProofSizeDiffers V1Dsse 0.3", COPIES),
    ("log ProofRootDiffers V1Intoto 0.3", COPIES),
    ("log ProofSizeDiffers V1Intoto 0.3", COPIES),
];
const MANY_SCTS: &str =
    "RFC 6962 §3.3 allows any number of timestamps; we count operators, so that the second adds nothing";
const COPIES: &str =
    "the proof is held against size and root of the signed checkpoint; nothing reads their unsigned copies";

fn statement() -> Vec<u8> {
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

fn ours(instance: &Instance, signed: &Signed) -> String {
    let judge = || {
        let root =
            TrustedRoot::parse(instance.trusted_root_json().as_bytes()).map_err(|error| error.code())?;
        let bundle = Bundle::parse(&signed.bytes()).map_err(|error| error.code())?;
        let anybody = IdentityRules::DangerouslyAny {
            reason: "the peer is asked the same".to_owned(),
        };
        let at = Timestamp::from_unix(SIGNED_AT + 86_400).expect("a time");
        verify(&bundle, &anybody.into(), &root, &VerifyOptions::new(at)).map_err(|error| error.code())
    };
    match judge() {
        Ok(_) => "accepted".to_owned(),
        Err(code) => code.to_owned(),
    }
}

fn peer_accepts(instance: &Instance, signed: &Signed) -> bool {
    let Ok(root) = sigstore_trust_root::TrustedRoot::from_json(&instance.trusted_root_json()) else {
        return false;
    };
    let Ok(bundle) = sigstore_types::Bundle::from_json(&signed.json.to_string()) else {
        return false;
    };
    let artifact = Sha256Hash::try_from(Hash::Sha256.of(ARTIFACT).as_slice()).expect("32 bytes");
    let verifier = Verifier::new(&root);
    verifier.is_ok_and(|verifier| {
        verifier
            .verify(artifact, &bundle, &VerificationPolicy::any_identity())
            .is_ok()
    })
}

fn signing(log: LogKind, version: BundleVersion) -> Signing {
    Signing::keyless(GithubRun::default().identity())
        .log(log)
        .version(version)
}

/// Every defect with what it is tried on, and how the case is called.
fn cases() -> Vec<(String, Option<Defect>, Signing)> {
    let mut cases = Vec::new();
    let mut push = |name: String, defect: Option<Defect>, log, version: BundleVersion| {
        let spelled = match version {
            BundleVersion::V01 => "0.1",
            BundleVersion::V02 => "0.2",
            BundleVersion::V03 => "0.3",
        };
        cases.push((format!("{name} {log:?} {spelled}"), defect, signing(log, version)));
    };
    for log in [LogKind::V2, LogKind::V1Dsse, LogKind::V1Intoto] {
        push("good".to_owned(), None, log, BundleVersion::V03);
    }
    for defect in CertificateDefect::ALL {
        let version = match defect {
            CertificateDefect::RootInBundle | CertificateDefect::HundredIntermediates => BundleVersion::V02,
            _ => BundleVersion::V03,
        };
        push(
            format!("certificate {defect:?}"),
            Some((*defect).into()),
            LogKind::V2,
            version,
        );
    }
    for log in [LogKind::V2, LogKind::V1Dsse] {
        for defect in TimeDefect::ALL {
            push(
                format!("time {defect:?}"),
                Some((*defect).into()),
                log,
                BundleVersion::V03,
            );
        }
    }
    for log in [LogKind::V2, LogKind::V1Dsse, LogKind::V1Intoto] {
        for defect in LogDefect::ALL.iter().filter(|defect| defect.applies_to(log)) {
            push(
                format!("log {defect:?}"),
                Some((*defect).into()),
                log,
                BundleVersion::V03,
            );
        }
    }
    for defect in TrustRootDefect::ALL {
        push(
            format!("root {defect:?}"),
            Some((*defect).into()),
            LogKind::V2,
            BundleVersion::V03,
        );
    }
    cases
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "only a test that rewrites its table reads the environment"
)]
fn we_never_accept_what_the_peer_refuses() {
    let mut table = String::from("# What is wrong, what we say, what sigstore-verify 0.15.1 says.\n");
    let mut lenient = Vec::new();
    for (name, defect, signing) in cases() {
        let instance = Instance::new(1, InstanceOptions::default());
        let instance = match defect {
            Some(defect) => instance.with(defect),
            None => instance,
        };
        let signed = instance.sign_statement(&signing, &statement());
        let (ours, peer) = (ours(&instance, &signed), peer_accepts(&instance, &signed));
        if ours == "accepted" && !peer {
            lenient.push(name.clone());
        }
        let peer = if peer { "accepted" } else { "refused" };
        writeln!(table, "{name:<60} {ours:<40} {peer}").expect("a text grows");
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/differential.txt");
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(&path, &table).expect("the table can be written");
    }
    let listed: Vec<&str> = MORE_LENIENT.iter().map(|(name, _)| *name).collect();
    assert_eq!(lenient, listed);
    let recorded = std::fs::read_to_string(&path).expect("the table");
    for (recorded, found) in recorded.lines().zip(table.lines()) {
        assert_eq!(
            recorded, found,
            "run again with REWRITE=1 where the difference is meant"
        );
    }
    assert_eq!(recorded.lines().count(), table.lines().count());
}
