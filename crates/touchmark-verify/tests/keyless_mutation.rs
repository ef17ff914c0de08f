//! One flipped bit anywhere in a certificate, a timestamp token or the signature never makes another answer: the bundle is
//! refused, or means exactly what it meant.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and say what it saw"
)]

mod common;

use common::{github, instance, options, rule, sign};
use touchmark_testkit::sigstore::Signing;
use touchmark_verify::bundle::{Bundle, VerificationMaterial};
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::{LogRequirement, Verifier};

/// Flips one bit of every byte of a part, and returns how many of the bundles were accepted all the same.
fn accepted(part: impl Fn(&mut Bundle) -> &mut Vec<u8>) -> usize {
    let instance = instance();
    let bundle = sign(&instance, &Signing::keyless(github())).bundle();
    let root = TrustedRoot::parse(instance.trusted_root_json().as_bytes()).unwrap();
    let expected: ExpectedSigners = rule(&github()).into();
    // Without its entry nothing but the part itself can tell.
    let mut options = options();
    options.log = LogRequirement::DangerouslyUnlogged {
        reason: "the part stands alone".to_owned(),
    };
    let mut bundle = bundle;
    bundle.tlog_entries.clear();
    let verifier = Verifier::new(&root, &options);
    let good = verifier.verify(&bundle, &expected).unwrap();
    let length = part(&mut bundle).len();
    let mut accepted = 0;
    for position in 0..length {
        let mut changed = bundle.clone();
        part(&mut changed)[position] ^= 1 << (position % 8);
        if let Ok(verified) = verifier.verify(&changed, &expected) {
            assert_eq!(verified.evidence_id(), good.evidence_id(), "byte {position}");
            assert_eq!(
                verified.verified_times(),
                good.verified_times(),
                "byte {position}"
            );
            assert_eq!(verified.signer(), good.signer(), "byte {position}");
            accepted += 1;
        }
    }
    accepted
}

#[test]
fn no_bit_of_a_certificate_can_change() {
    let accepted = accepted(|bundle| match &mut bundle.material {
        VerificationMaterial::Certificate(leaf) => leaf,
        other => panic!("not keyless: {other:?}"),
    });
    assert_eq!(accepted, 0);
}

#[test]
fn no_bit_of_the_signature_can_change() {
    let accepted = accepted(|bundle| &mut bundle.envelope_mut().unwrap().signature);
    assert_eq!(accepted, 0);
}

#[test]
fn no_bit_of_a_token_that_anybody_signed_can_change() {
    let accepted = accepted(|bundle| &mut bundle.timestamps[0]);
    // The status, version numbers, and the certificates that the token carries are signed by nobody and not relied on.
    println!("{accepted} bits are without meaning");
}
