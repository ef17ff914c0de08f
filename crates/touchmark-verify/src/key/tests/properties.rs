//! Properties that hold for any bytes: one encoding of each key and signature, and no panic.

use super::*;

proptest::proptest! {
    #[test]
    fn no_key_has_a_second_encoding(
        which in 0..3_usize, at in 0..120_usize, flip in 1..=255_u8, cut in 0..120_usize, more in ".{0,4}",
    ) {
        let good = [public_pem!("p256"), public_pem!("p384"), public_pem!("ed25519")][which];
        let good = PublicKey::from_pem(good).unwrap();
        let mut der = good.spki_der().to_vec();
        let at = at % der.len();
        der[at] ^= flip;
        if let Ok(key) = PublicKey::from_spki_der(&der) {
            // Another point of the curve, at most: Ed25519 has many, the others need both coordinates right.
            proptest::prop_assert_eq!(key.spki_der(), &der[..]);
            proptest::prop_assert_eq!(key.algorithm(), good.algorithm());
            proptest::prop_assert_ne!(key.fingerprint(), good.fingerprint());
        }
        let longer = [good.spki_der(), more.as_bytes()].concat();
        proptest::prop_assert_eq!(PublicKey::from_spki_der(&longer).is_ok(), more.is_empty());
        let shorter = &good.spki_der()[..cut.min(good.spki_der().len() - 1)];
        proptest::prop_assert!(PublicKey::from_spki_der(shorter).is_err());
    }

    #[test]
    fn no_signature_has_a_second_encoding(bytes in proptest::collection::vec(0..=255_u8, 0..80), p384: bool) {
        let algorithm = if p384 { KeyAlgorithm::EcdsaP384Sha384 } else { KeyAlgorithm::EcdsaP256Sha256 };
        let (r, s) = bytes.split_at(bytes.len() / 2);
        if let Ok(der) = ecdsa_der::encode(algorithm, r, s) {
            let halves = ecdsa_der::parse(algorithm, &der).unwrap();
            proptest::prop_assert_eq!(&ecdsa_der::encode(algorithm, halves.r, halves.s).unwrap(), &der);
        }
        if let Ok(halves) = ecdsa_der::parse(algorithm, &bytes) {
            proptest::prop_assert_eq!(&ecdsa_der::encode(algorithm, halves.r, halves.s).unwrap(), &bytes);
        }
    }

    #[test]
    fn pem_and_fingerprint_readers_survive_anything(text in "(-----BEGIN PUBLIC KEY-----\n)?[A-Za-z0-9+/=\r\n -]{0,200}") {
        let _ = PublicKey::from_pem(&text);
        let _ = text.parse::<KeyFingerprint>();
        let block = pem::encode(PUBLIC_KEY_LABEL, text.as_bytes());
        if !text.is_empty() {
            proptest::prop_assert_eq!(&pem::decode(block.as_bytes(), &[PUBLIC_KEY_LABEL]).unwrap().contents[..], text.as_bytes());
        }
    }
}
