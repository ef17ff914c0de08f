//! Certificates and timestamp tokens, alone and inside bundles that are good but for them.

use std::sync::LazyLock;

use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::bundle::{Bundle, VerificationMaterial};
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::{CertificateIdentity, IdentityRule, SubjectAlternativeName, TextPattern};
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verified::VerifiedStatement;
use touchmark_verify::verify::{VerifyOptions, verify};
use touchmark_verify::x509::claimed_identity;

use crate::sigstore::{BundleVersion, Identity, Instance, InstanceOptions, LogKind, SIGNED_AT, Signing};

const ISSUER: &str = "https://issuer.fuzz.example";
const NAME: &str = "fuzz@example.test";

/// Bundles of a keyless signer, and what a verifier is told about it.
#[derive(Debug)]
pub struct Keyless {
    /// With Rekor v2 and a timestamp, with Rekor v1's three kinds of entry, with every version of the bundle.
    pub bundles: Vec<Bundle>,
    /// What every one of them carries.
    pub payload: Vec<u8>,
    /// What the verifier trusts.
    pub root: TrustedRoot,
    /// The same, JSON.
    pub root_json: String,
    expected: ExpectedSigners,
    times: Vec<Timestamp>,
}

/// Returns them; made once, the same in every run.
pub fn keyless() -> &'static Keyless {
    static KEYLESS: LazyLock<Keyless> = LazyLock::new(Keyless::mint);
    &KEYLESS
}

impl Keyless {
    fn mint() -> Self {
        let instance = Instance::new(7, InstanceOptions::default());
        let payload = super::seeds::statements().swap_remove(1).bytes;
        let signing = || Signing::keyless(Identity::email(NAME, ISSUER));
        let ways = [
            signing(),
            signing().log(LogKind::V1Dsse),
            signing().log(LogKind::V1HashedRekord),
            signing().log(LogKind::V1Intoto).version(BundleVersion::V02),
            signing().log(LogKind::V1Dsse).version(BundleVersion::V01),
        ];
        let bundles: Vec<Bundle> = ways
            .iter()
            .map(|way| instance.sign_statement(way, &payload).bundle())
            .collect();
        let pattern = |text: &str| TextPattern::exact(text).expect("a text");
        let mut keyless = Self {
            bundles,
            payload,
            root: instance.trusted_root(),
            root_json: instance.trusted_root_json(),
            expected: IdentityRule::new(pattern(ISSUER), pattern(NAME)).into(),
            times: Vec::new(),
        };
        keyless.times = keyless
            .bundles
            .iter()
            .flat_map(|bundle| {
                let verified = keyless.verify(bundle).expect("a good bundle");
                verified
                    .verified_times()
                    .iter()
                    .map(|time| time.not_after)
                    .collect::<Vec<_>>()
            })
            .collect();
        keyless
    }

    fn verify(&self, bundle: &Bundle) -> Option<VerifiedStatement> {
        let at = Timestamp::from_unix(SIGNED_AT + 86_400).expect("a time");
        verify(bundle, &self.expected, &self.root, &VerifyOptions::new(at)).ok()
    }

    /// Panics if the bundle is verified for another payload, another identity or another time than the good ones.
    pub fn refuse_other_meanings(&self, bundle: &Bundle) -> bool {
        let Some(verified) = self.verify(bundle) else {
            return false;
        };
        assert_eq!(
            verified.signed().raw(),
            self.payload,
            "verified a payload that nobody signed"
        );
        let identity = verified.signer().certificate().expect("no key is expected");
        assert_eq!(identity.san, SubjectAlternativeName::Email(NAME.to_owned()));
        assert_eq!(identity.issuer, ISSUER);
        for time in verified.verified_times() {
            assert!(self.times.contains(&time.not_after), "a time that nobody signed");
        }
        true
    }
}

/// A certificate: its claims, and the certificate as a signer's.
pub fn certificate(input: &[u8]) {
    match (claimed_identity(input), claimed_identity(input)) {
        (Ok(identity), Ok(again)) => {
            assert_eq!(identity, again, "one answer to one input");
            readable(&identity);
        }
        (Err(error), Err(again)) => assert_eq!(error.code(), again.code(), "one answer to one input"),
        _ => panic!("two answers to one input"),
    }
    for model in &keyless().bundles[..2] {
        let mut bundle = model.clone();
        bundle.material = VerificationMaterial::Certificate(input.to_vec());
        keyless().refuse_other_meanings(&bundle);
    }
    let mut chained = keyless().bundles[3].clone();
    chained.material = VerificationMaterial::CertificateChain(vec![input.to_vec()]);
    keyless().refuse_other_meanings(&chained);
}

/// What people are shown, and what rules compare, has neither control characters nor nothing in it.
fn readable(identity: &CertificateIdentity) {
    let plain = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
    assert!(plain(identity.san.as_str()), "{identity:?}");
    assert!(plain(&identity.issuer), "{identity:?}");
    for (claim, text) in identity.claims.iter() {
        assert!(!text.chars().any(char::is_control), "{claim:?}");
    }
}

/// A timestamp token, as the only time of a bundle that needs one.
pub fn timestamp(input: &[u8]) {
    let mut bundle = keyless().bundles[0].clone();
    bundle.timestamps = vec![input.to_vec()];
    let one = keyless().refuse_other_meanings(&bundle);
    assert_eq!(
        keyless().refuse_other_meanings(&bundle),
        one,
        "one answer to one input"
    );
    // Beside a good one, a token adds nothing that it does not prove by itself.
    let good = keyless().bundles[0].timestamps[0].clone();
    bundle.timestamps = vec![good, input.to_vec()];
    keyless().refuse_other_meanings(&bundle);
}
