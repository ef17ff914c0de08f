//! Tests of keys and bare signatures. Every rejection starts from a good key or signature and breaks one thing.

use ed25519_dalek::Signer as _;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::*;

const MESSAGE: &[u8] = b"DSSEv1 4 type 4 body";

macro_rules! public_pem {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../testdata/keys/public/",
            $name,
            ".pem"
        ))
    };
}

mod properties;
mod refused_keys;

fn p256() -> (p256::ecdsa::SigningKey, PublicKey) {
    let signer = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let point = signer.verifying_key().to_sec1_point(false);
    (
        signer,
        PublicKey::from_raw(KeyAlgorithm::EcdsaP256Sha256, point.as_bytes()).unwrap(),
    )
}

fn p384() -> (p384::ecdsa::SigningKey, PublicKey) {
    let signer = p384::ecdsa::SigningKey::from_slice(&[7; 48]).unwrap();
    let point = signer.verifying_key().to_sec1_point(false);
    (
        signer,
        PublicKey::from_raw(KeyAlgorithm::EcdsaP384Sha384, point.as_bytes()).unwrap(),
    )
}

fn ed25519() -> (ed25519_dalek::SigningKey, PublicKey) {
    let signer = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let key = PublicKey::from_raw(KeyAlgorithm::Ed25519, signer.verifying_key().as_bytes()).unwrap();
    (signer, key)
}

fn sign_p256(signer: &p256::ecdsa::SigningKey) -> p256::ecdsa::Signature {
    signer.sign(MESSAGE)
}

fn sign_p384(signer: &p384::ecdsa::SigningKey) -> p384::ecdsa::Signature {
    signer.sign(MESSAGE)
}

fn verify_code(key: &PublicKey, signature: &[u8]) -> &'static str {
    key.verify(MESSAGE, signature)
        .map(|()| "accepted")
        .unwrap_or_else(|error| error.code())
}

#[test]
fn reads_what_openssl_writes_and_writes_it_back() {
    for (text, algorithm) in [
        (public_pem!("p256"), KeyAlgorithm::EcdsaP256Sha256),
        (public_pem!("p384"), KeyAlgorithm::EcdsaP384Sha384),
        (public_pem!("ed25519"), KeyAlgorithm::Ed25519),
    ] {
        let key = PublicKey::from_pem(text).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(key.to_pem(), text);
        assert_eq!(PublicKey::from_spki_der(key.spki_der()).unwrap(), key);
        assert_eq!(PublicKey::from_raw(algorithm, key.raw()).unwrap(), key);
        assert_eq!(
            KeyAlgorithm::from_key_details(algorithm.key_details()),
            Ok(algorithm)
        );
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
    }
}

#[test]
fn fingerprint_is_sha256_of_the_spki_and_round_trips() {
    let (_, key) = p256();
    let fingerprint = key.fingerprint();
    assert_eq!(fingerprint.as_bytes()[..], Sha256::digest(key.spki_der())[..]);
    assert_eq!(
        fingerprint.to_string(),
        format!("sha256:{}", fingerprint.to_hex())
    );
    assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
    let json = serde_json::to_string(&fingerprint).unwrap();
    assert_eq!(
        serde_json::from_str::<KeyFingerprint>(&json).unwrap(),
        fingerprint
    );
    let hex = fingerprint.to_hex();
    for wrong in [
        hex.clone(),
        format!("sha256:{}", hex.to_uppercase()),
        format!("sha256:{}", &hex[..62]),
        format!("sha256:{hex}00"),
        format!("sha256: {}", &hex[1..]),
        format!("SHA256:{hex}"),
        String::new(),
    ] {
        assert_eq!(
            wrong.parse::<KeyFingerprint>().unwrap_err().code(),
            "key.fingerprint_malformed",
            "{wrong}"
        );
    }
}

#[test]
fn good_signatures_verify_over_message_and_digest() {
    let (signer, key) = p256();
    let signature = sign_p256(&signer).to_der();
    key.verify(MESSAGE, signature.as_bytes()).unwrap();
    key.verify_digest(&Sha256::digest(MESSAGE), signature.as_bytes())
        .unwrap();
    assert_eq!(
        key.algorithm().digest(MESSAGE).unwrap(),
        Sha256::digest(MESSAGE).to_vec()
    );

    let (signer, key) = p384();
    let signature = sign_p384(&signer).to_der();
    key.verify(MESSAGE, signature.as_bytes()).unwrap();
    key.verify_digest(&Sha384::digest(MESSAGE), signature.as_bytes())
        .unwrap();
    assert_eq!(
        key.algorithm().digest(MESSAGE).unwrap(),
        Sha384::digest(MESSAGE).to_vec()
    );

    let (signer, key) = ed25519();
    key.verify(MESSAGE, &signer.sign(MESSAGE).to_bytes()).unwrap();
    assert_eq!(key.algorithm().digest(MESSAGE), None);
}

#[test]
fn signatures_over_other_bytes_or_by_another_key_are_invalid() {
    let (signer, key) = p256();
    let signature = sign_p256(&signer).to_der();
    assert_eq!(
        key.verify(b"other", signature.as_bytes()).unwrap_err().code(),
        "signature.invalid"
    );
    let other = PublicKey::from_pem(public_pem!("p256")).unwrap();
    assert_eq!(verify_code(&other, signature.as_bytes()), "signature.invalid");
    let wrong = Sha256::digest(b"other");
    assert_eq!(
        key.verify_digest(&wrong, signature.as_bytes())
            .unwrap_err()
            .code(),
        "signature.invalid"
    );

    let (signer, key) = ed25519();
    let signature = signer.sign(MESSAGE).to_bytes();
    assert_eq!(
        key.verify(b"other", &signature).unwrap_err().code(),
        "signature.invalid"
    );
    let other = PublicKey::from_pem(public_pem!("ed25519")).unwrap();
    assert_eq!(verify_code(&other, &signature), "signature.invalid");
}

#[test]
fn digests_of_another_length_and_digests_for_ed25519_are_refused() {
    let (signer, key) = p384();
    let signature = sign_p384(&signer).to_der();
    let error = key
        .verify_digest(&Sha256::digest(MESSAGE), signature.as_bytes())
        .unwrap_err();
    assert_eq!(
        error,
        SignatureError::DigestLength {
            expected: 48,
            found: 32
        }
    );
    let (signer, key) = ed25519();
    let signature = signer.sign(MESSAGE).to_bytes();
    let error = key
        .verify_digest(&Sha512::digest(MESSAGE), &signature)
        .unwrap_err();
    assert_eq!(error.code(), "signature.not_prehashable");
}

#[test]
fn case_34_both_ecdsa_twins_verify_so_a_signature_is_no_identity() {
    let (signer, key) = p256();
    let signature = sign_p256(&signer);
    let (r, s) = signature.split_scalars();
    let twin = p256::ecdsa::Signature::from_scalars(*r, -*s).unwrap();
    assert_ne!(twin.to_der().as_bytes(), signature.to_der().as_bytes());
    assert_eq!(verify_code(&key, signature.to_der().as_bytes()), "accepted");
    assert_eq!(verify_code(&key, twin.to_der().as_bytes()), "accepted");

    let (signer, key) = p384();
    let signature = sign_p384(&signer);
    let (r, s) = signature.split_scalars();
    let twin = p384::ecdsa::Signature::from_scalars(*r, -*s).unwrap();
    assert_ne!(twin.to_der().as_bytes(), signature.to_der().as_bytes());
    assert_eq!(verify_code(&key, signature.to_der().as_bytes()), "accepted");
    assert_eq!(verify_code(&key, twin.to_der().as_bytes()), "accepted");
}

#[test]
fn case_35_raw_halves_where_der_is_expected_and_der_where_raw_is() {
    let (signer, key) = p256();
    let signature = sign_p256(&signer);
    assert_eq!(verify_code(&key, signature.to_der().as_bytes()), "accepted");
    assert_eq!(
        verify_code(&key, &signature.to_bytes()),
        "signature.raw_where_der_expected"
    );
    let (signer, key) = p384();
    assert_eq!(
        verify_code(&key, &sign_p384(&signer).to_bytes()),
        "signature.raw_where_der_expected"
    );

    let (signer, key) = ed25519();
    let raw = signer.sign(MESSAGE).to_bytes();
    assert_eq!(verify_code(&key, &raw), "accepted");
    let der = ecdsa_der::encode(KeyAlgorithm::EcdsaP256Sha256, &raw[..32], &raw[32..]).unwrap();
    assert_eq!(verify_code(&key, &der), "signature.length");
}

/// Returns the DER `INTEGER`s of a signature, headers included.
fn integers(der: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let r_end = 4 + usize::from(der[3]);
    (der[2..r_end].to_vec(), der[r_end..].to_vec())
}

fn sequence(contents: &[&[u8]]) -> Vec<u8> {
    let contents = contents.concat();
    [&[0x30, u8::try_from(contents.len()).unwrap()][..], &contents].concat()
}

#[test]
fn case_36_der_with_trailing_bytes_ber_lengths_negative_or_zero_integers() {
    let (signer, key) = p256();
    let good = sign_p256(&signer).to_der().as_bytes().to_vec();
    let (r, s) = integers(&good);
    assert_eq!(sequence(&[&r, &s]), good);
    assert_eq!(verify_code(&key, &good), "accepted");

    let mut negative = s.clone();
    let first = if negative[2] == 0 { 3 } else { 2 };
    negative.drain(2..first);
    negative[2] |= 0x80;
    negative[1] = u8::try_from(negative.len() - 2).unwrap();
    let mut padded = s.clone();
    padded.insert(2, 0);
    padded[1] += 1;
    let len = good[1];
    let breakages: &[(&str, Vec<u8>, DerFaultName)] = &[
        ("byte after the sequence", [&good[..], &[0]].concat(), "Trailing"),
        ("byte inside after s", sequence(&[&r, &s, &[0]]), "Trailing"),
        ("third integer", sequence(&[&r, &s, &[2, 1, 1]]), "Trailing"),
        (
            "length in long form",
            [&[0x30, 0x81, len][..], &good[2..]].concat(),
            "Length",
        ),
        (
            "length in two bytes",
            [&[0x30, 0x82, 0, len][..], &good[2..]].concat(),
            "Length",
        ),
        (
            "indefinite length",
            [&[0x30, 0x80][..], &good[2..], &[0, 0]].concat(),
            "Length",
        ),
        (
            "integer length in long form",
            sequence(&[&[2, 0x81, r[1]], &r[2..], &s]),
            "Length",
        ),
        ("negative s", sequence(&[&r, &negative]), "NotPositive"),
        ("zero s", sequence(&[&r, &[2, 1, 0]]), "NotPositive"),
        ("zero r", sequence(&[&[2, 1, 0], &s]), "NotPositive"),
        ("empty integer", sequence(&[&r, &[2, 0]]), "Structure"),
        ("padded s", sequence(&[&r, &padded]), "NotMinimal"),
        ("too long s", sequence(&[&r, &[2, 34], &[1; 34]]), "TooLarge"),
        ("one integer", sequence(&[&r]), "Structure"),
        (
            "set instead of sequence",
            [&[0x31][..], &good[1..]].concat(),
            "Structure",
        ),
        ("cut short", good[..good.len() - 1].to_vec(), "Structure"),
        ("empty", Vec::new(), "Structure"),
    ];
    for (name, broken, fault) in breakages {
        let error = key.verify(MESSAGE, broken).unwrap_err();
        assert_eq!(error.code(), "signature.malformed", "{name}");
        let SignatureError::Der(found) = error else {
            panic!("{name}")
        };
        assert_eq!(format!("{found:?}"), *fault, "{name}");
        assert_eq!(
            key.verify_digest(&Sha256::digest(MESSAGE), broken)
                .unwrap_err()
                .code(),
            "signature.malformed"
        );
    }
}

type DerFaultName = &'static str;

#[test]
fn ecdsa_halves_at_or_above_the_group_order_are_invalid() {
    let (signer, key) = p256();
    let good = sign_p256(&signer).to_der().as_bytes().to_vec();
    let (r, _) = integers(&good);
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> = (0..32)
        .map(|i| u8::from_str_radix(&order[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    for number in [order, vec![0xff; 32]] {
        let s = [&[2, 33, 0][..], &number].concat();
        assert_eq!(verify_code(&key, &sequence(&[&r, &s])), "signature.invalid");
    }
}

#[test]
fn encoded_signatures_parse_back() {
    for algorithm in [KeyAlgorithm::EcdsaP256Sha256, KeyAlgorithm::EcdsaP384Sha384] {
        let len = algorithm.field_len();
        for (r, s) in [
            (vec![0xff; len], vec![0x7f; len]),
            (vec![1], [&[0; 9][..], &[0x80]].concat()),
        ] {
            let der = ecdsa_der::encode(algorithm, &r, &s).unwrap();
            let halves = ecdsa_der::parse(algorithm, &der).unwrap();
            let trim = |number: &[u8]| number[number.iter().position(|b| *b != 0).unwrap()..].to_vec();
            assert_eq!((halves.r.to_vec(), halves.s.to_vec()), (trim(&r), trim(&s)));
        }
        assert_eq!(
            ecdsa_der::encode(algorithm, &[0], &[1]),
            Err(ecdsa_der::DerFault::NotPositive)
        );
        assert_eq!(
            ecdsa_der::encode(algorithm, &vec![1; len + 1], &[1]),
            Err(ecdsa_der::DerFault::TooLarge)
        );
    }
}

#[test]
fn case_39_ed25519ph_is_not_taken_for_pure_nor_pure_for_ph() {
    // RFC 8032 §7.3: the one Ed25519ph vector, over "abc".
    let secret = unhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42");
    let public = unhex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf");
    let prehashed = unhex(
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
         31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    );
    let signer = ed25519_dalek::SigningKey::from_bytes(&secret.try_into().unwrap());
    assert_eq!(signer.verifying_key().as_bytes()[..], public[..]);
    assert!(verifies_as_ed25519ph(&public, b"abc", &prehashed));
    let key = PublicKey::from_raw(KeyAlgorithm::Ed25519, &public).unwrap();
    assert_eq!(key.verify(b"abc", &signer.sign(b"abc").to_bytes()), Ok(()));
    assert_eq!(
        key.verify(b"abc", &prehashed).unwrap_err().code(),
        "signature.invalid"
    );
    // As a pure signature over the prehash it is none either.
    assert_eq!(
        key.verify(&Sha512::digest(b"abc"), &prehashed)
            .unwrap_err()
            .code(),
        "signature.invalid"
    );
    // The reverse: nothing of ours verifies the prehashed scheme, whatever the signature.
    assert_eq!(
        KeyAlgorithm::from_key_details("PKIX_ED25519_PH")
            .unwrap_err()
            .code(),
        "key.unsupported_scheme"
    );
}

/// The equation of RFC 8032 §5.1.7 with `dom2(1, "")`, which nothing outside this test computes.
fn verifies_as_ed25519ph(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    use curve25519_dalek::{constants::ED25519_BASEPOINT_POINT, edwards::CompressedEdwardsY, scalar::Scalar};
    let point = |bytes: &[u8]| {
        CompressedEdwardsY::from_slice(bytes)
            .unwrap()
            .decompress()
            .unwrap()
    };
    let (r, s) = signature.split_at(32);
    let hash = Sha512::new()
        .chain_update(b"SigEd25519 no Ed25519 collisions\x01\x00")
        .chain_update(r)
        .chain_update(public)
        .chain_update(Sha512::digest(message))
        .finalize();
    let h = Scalar::from_bytes_mod_order_wide(&hash.into());
    let s = Scalar::from_canonical_bytes(s.try_into().unwrap()).unwrap();
    ED25519_BASEPOINT_POINT * s == point(r) + point(public) * h
}

#[test]
fn case_40_curves_go_with_their_own_hash_only() {
    use p256::ecdsa::signature::hazmat::PrehashSigner as _;
    for name in [
        "PKIX_ECDSA_P256_SHA_512",
        "PKIX_ECDSA_P384_SHA_256",
        "PKIX_ECDSA_P256_SHA_384",
        "PKIX_ECDSA_P521_SHA_512",
        "PKIX_ECDSA_P521_SHA_256",
        "pkix_ecdsa_p256_sha_256",
        "PKIX_ECDSA_P256_SHA_256 ",
        "PUBLIC_KEY_DETAILS_UNSPECIFIED",
        "",
    ] {
        assert_eq!(
            KeyAlgorithm::from_key_details(name).unwrap_err().code(),
            "key.unsupported_scheme",
            "{name}"
        );
    }
    let (signer, key) = p256();
    let other_hash: p256::ecdsa::Signature = signer.sign_prehash(&Sha512::digest(MESSAGE)).unwrap();
    assert_eq!(
        verify_code(&key, other_hash.to_der().as_bytes()),
        "signature.invalid"
    );
    let (signer, key) = p384();
    let other_hash: p384::ecdsa::Signature = signer.sign_prehash(&Sha256::digest(MESSAGE)).unwrap();
    assert_eq!(
        verify_code(&key, other_hash.to_der().as_bytes()),
        "signature.invalid"
    );
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
