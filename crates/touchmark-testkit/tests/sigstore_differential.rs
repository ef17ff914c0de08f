//! Every defect judged by us and by `sigstore-verify`, side by side.
//!
//! `differential.txt` records both answers; `REWRITE=1` writes it anew. We may refuse what the peer accepts; what the
//! peer refuses we never accept, save for what [`MORE_LENIENT`] lists with its reason.

use std::fmt::Write as _;
use std::path::PathBuf;

use sigstore_types::{DerPublicKey, Sha256Hash};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, Verifier};
use touchmark_statement::timestamp::Timestamp;
use touchmark_testkit::sigstore::keys::Hash;
use touchmark_testkit::sigstore::{
    BundleVersion, CertificateDefect, Defect, GithubRun, Instance, InstanceOptions, Key, LogDefect, LogKind,
    SIGNED_AT, Scheme, Signatory, Signed, Signing, TimeDefect, TrustRootDefect, hint,
};
use touchmark_verify::bundle::Bundle;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::IdentityRules;
use touchmark_verify::key::PublicKey;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::message::ArtifactDigests;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::{VerifyOptions, verify, verify_message};

const ARTIFACT: &[u8] = b"the artifact";

/// Defects that we accept and the peer refuses, and why that is right.
const MORE_LENIENT: &[(&str, &str)] = &[
    ("certificate SctTwice", MANY_SCTS),
    ("log ProofRootDiffers", COPIES),
    ("log ProofSizeDiffers", COPIES),
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

fn ours(instance: &Instance, case: &Case, signed: &Signed) -> String {
    let judge = || {
        let root =
            TrustedRoot::parse(instance.trusted_root_json().as_bytes()).map_err(|error| error.code())?;
        let bundle = Bundle::parse(&signed.bytes()).map_err(|error| error.code())?;
        let at = Timestamp::from_unix(SIGNED_AT + 86_400).expect("a time");
        let (expected, options) = (expected(&case.signing), VerifyOptions::new(at));
        let verified = match case.message {
            true => verify_message(
                &bundle,
                &ArtifactDigests::of(ARTIFACT),
                &expected,
                &root,
                &options,
            )
            .map(drop),
            false => verify(&bundle, &expected, &root, &options).map(drop),
        };
        verified.map_err(|error| error.code())
    };
    match judge() {
        Ok(_) => "accepted".to_owned(),
        Err(code) => code.to_owned(),
    }
}

/// The key that signed, or anybody with a certificate: the peer is asked the same.
fn expected(signing: &Signing) -> ExpectedSigners {
    let Signatory::Key(key) = &signing.signatory else {
        let reason = "the case is about something else".to_owned();
        return IdentityRules::DangerouslyAny { reason }.into();
    };
    let public = PublicKey::from_spki_der(&key.spki()).expect("a key");
    let mut ring = KeyRing::new();
    ring.allow(public.fingerprint())
        .name(&hint(key), public.fingerprint())
        .add_key(public);
    ring.into()
}

fn peer_accepts(instance: &Instance, case: &Case, signed: &Signed) -> bool {
    let Ok(root) = sigstore_trust_root::TrustedRoot::from_json(&instance.trusted_root_json()) else {
        return false;
    };
    let Ok(bundle) = sigstore_types::Bundle::from_json(&signed.json.to_string()) else {
        return false;
    };
    let artifact = Sha256Hash::try_from(Hash::Sha256.of(ARTIFACT).as_slice()).expect("32 bytes");
    let verifier = Verifier::new(&root);
    verifier.is_ok_and(|verifier| match &case.signing.signatory {
        Signatory::Keyless(_) | Signatory::Certified(..) => verifier
            .verify(artifact, &bundle, &VerificationPolicy::any_identity())
            .is_ok(),
        Signatory::Key(key) => {
            let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(key.spki()));
            verifier.verify(artifact, &bundle, &policy).is_ok()
        }
    })
}

/// One thing that both are asked.
struct Case {
    name: String,
    defect: Option<Defect>,
    signing: Signing,
    message: bool,
}

impl Case {
    fn keyless(what: &str, defect: impl Into<Option<Defect>>, log: LogKind) -> Self {
        Self {
            name: format!("{what} {log:?} 0.3"),
            defect: defect.into(),
            signing: Signing::keyless(GithubRun::default().identity()).log(log),
            message: false,
        }
    }

    fn version_02(mut self) -> Self {
        self.signing = self.signing.version(BundleVersion::V02);
        self.name = self.name.replace("0.3", "0.2");
        self
    }

    fn of_message(mut self) -> Self {
        self.message = true;
        self.name = format!("message, {}", self.name);
        self
    }

    fn with_key(mut self, key: &Key) -> Self {
        self.signing = Signing::with_key(key.clone()).log(self.signing.log);
        self.name = format!("key, {}", self.name);
        self
    }
}

fn log_cases(log: LogKind) -> impl Iterator<Item = Case> {
    let broken = LogDefect::ALL.iter().filter(move |defect| defect.applies_to(log));
    let good = std::iter::once(Case::keyless("good", None, log));
    good.chain(
        broken.map(move |defect| Case::keyless(&format!("log {defect:?}"), Defect::from(*defect), log)),
    )
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for defect in CertificateDefect::ALL {
        let case = Case::keyless(
            &format!("certificate {defect:?}"),
            Defect::from(*defect),
            LogKind::V2,
        );
        cases.push(match defect {
            CertificateDefect::RootInBundle | CertificateDefect::HundredIntermediates => case.version_02(),
            _ => case,
        });
    }
    for log in [LogKind::V2, LogKind::V1Dsse] {
        let broken = TimeDefect::ALL.iter();
        cases.extend(
            broken.map(|defect| Case::keyless(&format!("time {defect:?}"), Defect::from(*defect), log)),
        );
    }
    let key = Instance::new(1, InstanceOptions::default()).key(Scheme::P256, "managed");
    for log in [LogKind::V2, LogKind::V1Dsse, LogKind::V1Intoto] {
        cases.extend(log_cases(log));
        // A key's entry names no certificate that could differ.
        let of_keys = log_cases(log).filter(|case| case.defect != Some(LogDefect::VerifierDiffers.into()));
        cases.extend(of_keys.map(|case| case.with_key(&key)));
    }
    for log in [LogKind::V2, LogKind::V1HashedRekord] {
        cases.extend(log_cases(log).map(Case::of_message));
    }
    let roots = TrustRootDefect::ALL.iter();
    cases.extend(
        roots.map(|defect| Case::keyless(&format!("root {defect:?}"), Defect::from(*defect), LogKind::V2)),
    );
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
    for case in cases() {
        let instance = Instance::new(1, InstanceOptions::default());
        let instance = match case.defect {
            Some(defect) => instance.with(defect),
            None => instance,
        };
        let signed = match case.message {
            true => instance.sign_message(&case.signing, ARTIFACT),
            false => instance.sign_statement(&case.signing, &statement()),
        };
        let (ours, peer) = (
            ours(&instance, &case, &signed),
            peer_accepts(&instance, &case, &signed),
        );
        if ours == "accepted" && !peer {
            lenient.push(case.name.clone());
        }
        let peer = if peer { "accepted" } else { "refused" };
        writeln!(table, "{:<60} {ours:<40} {peer}", case.name).expect("a text grows");
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/differential.txt");
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(&path, &table).expect("the table can be written");
    }
    let is_listed = |name: &String| MORE_LENIENT.iter().any(|(defect, _)| name.contains(defect));
    lenient.retain(|name| !is_listed(name));
    assert_eq!(lenient, Vec::<String>::new());
    let recorded = std::fs::read_to_string(&path).expect("the table");
    for (recorded, found) in recorded.lines().zip(table.lines()) {
        assert_eq!(
            recorded, found,
            "run again with REWRITE=1 where the difference is meant"
        );
    }
    assert_eq!(recorded.lines().count(), table.lines().count());
}
