//! Project Wycheproof through our own verification function, and Ed25519 edge cases that Wycheproof lacks.
//!
//! Counts are asserted, so that an empty or shrunken set fails.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest as _, Sha512};
use touchmark_verify::key::{KeyAlgorithm, PublicKey};
use wycheproof::TestResult;
use wycheproof::ecdsa::TestName as Ecdsa;

/// Outcomes of one set through [`PublicKey::verify`].
#[derive(Debug, Default, PartialEq)]
struct Tally {
    /// Valid and accepted.
    accepted: usize,
    /// Invalid (or valid only by a lax reading) and refused.
    refused: usize,
}

fn load_ecdsa(name: Ecdsa) -> wycheproof::ecdsa::TestSet {
    wycheproof::ecdsa::TestSet::load(name).expect("vectors are part of the crate")
}

fn run_ecdsa(name: Ecdsa, algorithm: KeyAlgorithm) -> Tally {
    let mut tally = Tally::default();
    for group in load_ecdsa(name).test_groups {
        let key = PublicKey::from_spki_der(&group.der).expect("keys of this set are good");
        assert_eq!(key.algorithm(), algorithm);
        for test in group.tests {
            let verdict = key.verify(&test.msg, &test.sig);
            let digest = algorithm.digest(&test.msg).expect("ECDSA hashes");
            assert_eq!(
                key.verify_digest(&digest, &test.sig).is_ok(),
                verdict.is_ok(),
                "{}",
                test.tc_id
            );
            if test.result == TestResult::Valid {
                assert!(
                    verdict.is_ok(),
                    "case {} {}: {verdict:?}",
                    test.tc_id,
                    test.comment
                );
                tally.accepted += 1;
            } else {
                assert!(
                    verdict.is_err(),
                    "case {} {} was accepted",
                    test.tc_id,
                    test.comment
                );
                tally.refused += 1;
            }
        }
    }
    tally
}

#[test]
fn ecdsa_p256_sha256() {
    let tally = run_ecdsa(Ecdsa::EcdsaSecp256r1Sha256, KeyAlgorithm::EcdsaP256Sha256);
    assert_eq!(
        tally,
        Tally {
            accepted: 174,
            refused: 310
        }
    );
}

#[test]
fn ecdsa_p384_sha384() {
    let tally = run_ecdsa(Ecdsa::EcdsaSecp384r1Sha384, KeyAlgorithm::EcdsaP384Sha384);
    assert_eq!(
        tally,
        Tally {
            accepted: 194,
            refused: 310
        }
    );
}

#[test]
fn ed25519() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519)
        .expect("vectors are part of the crate");
    let mut tally = Tally::default();
    for group in set.test_groups {
        let key = PublicKey::from_spki_der(&group.der).expect("keys of this set are good");
        assert_eq!(key.algorithm(), KeyAlgorithm::Ed25519);
        for test in group.tests {
            let verdict = key.verify(&test.msg, &test.sig);
            if test.result == TestResult::Valid {
                assert!(
                    verdict.is_ok(),
                    "case {} {}: {verdict:?}",
                    test.tc_id,
                    test.comment
                );
                tally.accepted += 1;
            } else {
                assert!(
                    verdict.is_err(),
                    "case {} {} was accepted",
                    test.tc_id,
                    test.comment
                );
                tally.refused += 1;
            }
        }
    }
    assert_eq!(
        tally,
        Tally {
            accepted: 88,
            refused: 63
        }
    );
}

#[test]
fn our_curves_with_another_hash_never_verify() {
    let sets = [
        Ecdsa::EcdsaSecp256r1Sha3_256,
        Ecdsa::EcdsaSecp256r1Sha3_512,
        Ecdsa::EcdsaSecp256r1Sha512,
        Ecdsa::EcdsaSecp256r1Shake128,
        Ecdsa::EcdsaSecp384r1Sha256,
        Ecdsa::EcdsaSecp384r1Sha3_384,
        Ecdsa::EcdsaSecp384r1Sha3_512,
        Ecdsa::EcdsaSecp384r1Sha512,
        Ecdsa::EcdsaSecp384r1Shake256,
    ];
    let (mut refused, mut valid_elsewhere) = (0, 0);
    for name in sets {
        for group in load_ecdsa(name).test_groups {
            let key = PublicKey::from_spki_der(&group.der).expect("the curve is ours");
            for test in group.tests {
                let verdict = key.verify(&test.msg, &test.sig);
                assert!(verdict.is_err(), "{name:?} case {} {}", test.tc_id, test.comment);
                refused += 1;
                valid_elsewhere += usize::from(test.result == TestResult::Valid);
            }
        }
    }
    assert_eq!((refused, valid_elsewhere), (4656, 1897));
}

#[test]
fn raw_signatures_never_pass_for_der() {
    let (mut refused, mut valid_as_raw) = (0, 0);
    for name in [Ecdsa::EcdsaSecp256r1Sha256P1363, Ecdsa::EcdsaSecp384r1Sha384P1363] {
        for group in load_ecdsa(name).test_groups {
            let key = PublicKey::from_spki_der(&group.der).expect("the curve is ours");
            for test in group.tests {
                let error = key
                    .verify(&test.msg, &test.sig)
                    .expect_err("raw signatures are refused");
                if test.result == TestResult::Valid {
                    valid_as_raw += 1;
                    assert_eq!(
                        error.code(),
                        "signature.raw_where_der_expected",
                        "case {}",
                        test.tc_id
                    );
                }
                refused += 1;
            }
        }
    }
    assert_eq!((refused, valid_as_raw), (542, 366));
}

#[test]
fn keys_on_other_curves_are_refused_at_load() {
    let sets = [
        Ecdsa::EcdsaSecp224r1Sha256,
        Ecdsa::EcdsaSecp256k1Sha256,
        Ecdsa::EcdsaSecp521r1Sha512,
        Ecdsa::EcdsaBrainpool256r1Sha256,
        Ecdsa::EcdsaBrainpool384r1Sha384,
    ];
    let mut refused = 0;
    for name in sets {
        for group in load_ecdsa(name).test_groups {
            let error = PublicKey::from_spki_der(&group.der).expect_err("the curve is not ours");
            assert_eq!(error.code(), "key.unsupported_curve", "{name:?}");
            refused += 1;
        }
    }
    let set =
        wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed448).expect("vectors are there");
    for group in set.test_groups {
        let error = PublicKey::from_spki_der(&group.der).expect_err("the curve is not ours");
        assert_eq!(error.code(), "key.unsupported_algorithm");
        refused += 1;
    }
    assert_eq!(refused, 554);
}

/// The 19 values of y that have a second spelling below 2^255, as `p + k`, with both signs.
fn non_canonical_encodings() -> Vec<[u8; 32]> {
    let spell = |k: u8, last: u8| {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (0xed + k, last);
        bytes
    };
    (0..19).flat_map(|k| [spell(k, 0x7f), spell(k, 0xff)]).collect()
}

/// "Minus zero": x = 0 with the sign bit set, for y = 1 and y = -1.
fn minus_zero_encodings() -> [[u8; 32]; 2] {
    let mut one = [0; 32];
    (one[0], one[31]) = (1, 0x80);
    let mut minus_one = [0xff; 32];
    minus_one[0] = 0xec;
    [one, minus_one]
}

/// The eight points of small order in all their encodings: 8 canonical ones first, then 6 others.
fn small_order_encodings() -> Vec<[u8; 32]> {
    let mut encodings: Vec<[u8; 32]> = EIGHT_TORSION
        .iter()
        .map(|point| point.compress().to_bytes())
        .collect();
    let small = |bytes: &[u8; 32]| {
        CompressedEdwardsY(*bytes)
            .decompress()
            .is_some_and(|point| point.is_small_order())
    };
    encodings.extend(
        non_canonical_encodings()
            .into_iter()
            .chain(minus_zero_encodings())
            .filter(small),
    );
    encodings
}

fn load(raw: &[u8; 32]) -> Result<PublicKey, &'static str> {
    PublicKey::from_raw(KeyAlgorithm::Ed25519, raw).map_err(|error| error.code())
}

#[test]
fn case_37_ed25519_keys_of_small_order_are_refused_at_load() {
    let encodings = small_order_encodings();
    assert_eq!(encodings.len(), 14);
    let codes: Vec<_> = encodings
        .iter()
        .map(|raw| load(raw).expect_err("small order"))
        .collect();
    assert!(
        codes[..8].iter().all(|code| *code == "key.ed25519_weak"),
        "{codes:?}"
    );
    assert!(
        codes[8..].iter().all(|code| *code == "key.ed25519_not_canonical"),
        "{codes:?}"
    );
    // The identity point as a whole SubjectPublicKeyInfo.
    let mut spki = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00\x01".to_vec();
    spki.resize(44, 0);
    let error = PublicKey::from_spki_der(&spki).expect_err("the identity signs everything");
    assert_eq!(error.code(), "key.ed25519_weak");
}

#[test]
fn ed25519_keys_in_a_second_spelling_are_refused_at_load() {
    let (mut on_curve, mut of_large_order) = (0, 0);
    for raw in non_canonical_encodings() {
        assert_eq!(load(&raw), Err("key.ed25519_not_canonical"));
        if let Some(point) = CompressedEdwardsY(raw).decompress() {
            on_curve += 1;
            of_large_order += usize::from(!point.is_small_order());
        }
    }
    // So many of the 38 are points to a lax decoder, and so many of those look like ordinary keys.
    assert_eq!((on_curve, of_large_order), (24, 20));
}

/// A signer that builds what no honest signer would.
struct Forge {
    secret: Scalar,
    key: PublicKey,
    raw: [u8; 32],
}

impl Forge {
    fn new() -> Self {
        let secret = Scalar::from(0x1234_5678_9abc_def1_u64);
        let raw = (ED25519_BASEPOINT_POINT * secret).compress().to_bytes();
        Forge {
            secret,
            key: load(&raw).expect("an ordinary key"),
            raw,
        }
    }

    fn challenge(&self, r: &[u8; 32], message: &[u8]) -> Scalar {
        let hash = Sha512::new()
            .chain_update(r)
            .chain_update(self.raw)
            .chain_update(message)
            .finalize();
        Scalar::from_bytes_mod_order_wide(&hash.into())
    }

    /// Returns `R ‖ nonce + h·a` for the given bytes of R.
    fn sign(&self, r: &[u8; 32], nonce: Scalar, message: &[u8]) -> [u8; 64] {
        let s = nonce + self.challenge(r, message) * self.secret;
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(r);
        signature[32..].copy_from_slice(s.as_bytes());
        signature
    }

    fn refused(&self, signature: &[u8; 64]) {
        let error = self.key.verify(b"m", signature).expect_err("no honest signature");
        assert_eq!(error.code(), "signature.invalid");
    }
}

#[test]
fn ed25519_signatures_with_r_of_small_order_are_invalid() {
    let forge = Forge::new();
    let nonce = Scalar::from(77_u64);
    let honest = (ED25519_BASEPOINT_POINT * nonce).compress().to_bytes();
    forge
        .key
        .verify(b"m", &forge.sign(&honest, nonce, b"m"))
        .expect("an honest R verifies");
    let encodings = small_order_encodings();
    assert_eq!(encodings.len(), 14);
    for r in encodings {
        forge.refused(&forge.sign(&r, Scalar::ZERO, b"m"));
    }
    // With R = identity the equation itself holds, so that one is refused for its R alone.
    let identity = EdwardsPoint::default().compress().to_bytes();
    let signature = forge.sign(&identity, Scalar::ZERO, b"m");
    let s = Scalar::from_canonical_bytes(signature[32..].try_into().expect("32 bytes")).expect("reduced");
    let right =
        CompressedEdwardsY(forge.raw).decompress().expect("a point") * forge.challenge(&identity, b"m");
    assert_eq!(ED25519_BASEPOINT_POINT * s, right);
}

#[test]
fn ed25519_signatures_that_need_the_cofactor_are_invalid() {
    let forge = Forge::new();
    let nonce = Scalar::from(77_u64);
    assert_eq!(EIGHT_TORSION.len(), 8);
    for torsion in &EIGHT_TORSION[1..] {
        let r = (ED25519_BASEPOINT_POINT * nonce + torsion).compress().to_bytes();
        forge.refused(&forge.sign(&r, nonce, b"m"));
    }
}

#[test]
fn ed25519_signatures_with_s_at_or_above_the_group_order_are_invalid() {
    // L = 2^252 + 27742317777372353535851937790883648493, little-endian.
    let mut order = [0; 32];
    order[..16].copy_from_slice(&27742317777372353535851937790883648493_u128.to_le_bytes());
    order[31] = 0x10;
    let forge = Forge::new();
    let nonce = Scalar::from(77_u64);
    let r = (ED25519_BASEPOINT_POINT * nonce).compress().to_bytes();
    let mut signature = forge.sign(&r, nonce, b"m");
    forge
        .key
        .verify(b"m", &signature)
        .expect("s below the order verifies");
    let mut carry = 0_u16;
    for (byte, order) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    forge.refused(&signature);
}
