//! Keys of logs and witnesses of every type: what they sign verifies, and each has one name and one spelling.

#![allow(clippy::unwrap_used, reason = "a test that cannot make its keys fails")]

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, ML_DSA_44_SIGNING, PqdsaKeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaKeyPair,
};
use ed25519_dalek::{Signer as _, SigningKey};
use p384::ecdsa::signature::hazmat::PrehashSigner as _;
use sha2::{Digest as _, Sha256, Sha384};
use touchmark_tlog::checkpoint::{Checkpoint, verify_note, verify_rekor_v1_note};
use touchmark_tlog::cosignature::WitnessKey;
use touchmark_tlog::merkle::leaf_hash;
use touchmark_tlog::note::{Note, SignatureLine, VerifierKey};

const P384_PREFIX: &[u8] =
    b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00";

fn p384() -> (p384::ecdsa::SigningKey, Vec<u8>) {
    let key = p384::ecdsa::SigningKey::from_slice(&[5; 48]).unwrap();
    let point = key.verifying_key().to_sec1_point(false);
    (key, [P384_PREFIX, point.as_bytes()].concat())
}

fn p384_signature(key: &p384::ecdsa::SigningKey, digest: &[u8]) -> Vec<u8> {
    let signature: p384::ecdsa::Signature = key.sign_prehash(digest).unwrap();
    signature.to_der().as_bytes().to_vec()
}

fn rsa(key: &RsaKeyPair) -> Vec<u8> {
    key.public_key().as_der().unwrap().as_ref().to_vec()
}

fn rsa_signature(key: &RsaKeyPair, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
        .unwrap();
    signature
}

fn checkpoint(origin: &str) -> Checkpoint {
    Checkpoint {
        origin: origin.to_owned(),
        size: 9,
        root: leaf_hash(b"root"),
        extensions: Vec::new(),
    }
}

fn encode(text: String, line: SignatureLine) -> Vec<u8> {
    Note::new(text, vec![line]).unwrap().encode().into_bytes()
}

/// A note of the second generation: named after the origin, with the key's own hint.
fn v2_note(key: &VerifierKey, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let text = checkpoint("log.example").encode();
    let line = SignatureLine::new(key, sign(text.as_bytes()));
    encode(text, line)
}

/// A note of Rekor v1: named after the host alone, with the beginning of the key's digest as hint.
fn v1_note(key: &VerifierKey, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let text = checkpoint("rekor.example - 4711").encode();
    let digest = *key.spki_digest().as_bytes();
    let hint = [digest[0], digest[1], digest[2], digest[3]];
    let line = SignatureLine::from_parts("rekor.example", hint, sign(text.as_bytes())).unwrap();
    encode(text, line)
}

fn code_v1(note: &[u8], key: &VerifierKey) -> &'static str {
    verify_rekor_v1_note(note, key).map_or_else(|error| error.code(), |_| "ok")
}

fn code_v2(note: &[u8], key: &VerifierKey) -> &'static str {
    verify_note(note, "log.example", key).map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn every_type_of_log_key_verifies_notes_of_both_generations() {
    let ed25519 = SigningKey::from_bytes(&[4; 32]);
    let key = VerifierKey::ed25519("log.example", ed25519.verifying_key().as_bytes()).unwrap();
    let sign = |text: &[u8]| ed25519.sign(text).to_bytes().to_vec();
    assert_eq!(
        (
            code_v1(&v1_note(&key, sign), &key),
            code_v2(&v2_note(&key, sign), &key)
        ),
        ("ok", "ok")
    );
    // The hint of one generation is unknown to the other, where name and type are part of it.
    assert_ne!(key.log_id(), key.spki_digest());

    let (p384, spki) = p384();
    let key = VerifierKey::from_spki("log.example", &spki).unwrap();
    let sha384 = |text: &[u8]| p384_signature(&p384, &Sha384::digest(text));
    assert_eq!(
        (
            code_v1(&v1_note(&key, sha384), &key),
            code_v2(&v2_note(&key, sha384), &key)
        ),
        ("ok", "ok")
    );
    // Rekor v1 hashes with SHA-256 whatever the curve.
    let sha256 = |text: &[u8]| p384_signature(&p384, &Sha256::digest(text));
    assert_eq!(code_v1(&v1_note(&key, sha256), &key), "ok");
    assert_eq!(key.log_id(), key.spki_digest());

    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let key = VerifierKey::from_spki("log.example", &rsa(&pair)).unwrap();
    let sign = |text: &[u8]| rsa_signature(&pair, text);
    assert_eq!(
        (
            code_v1(&v1_note(&key, sign), &key),
            code_v2(&v2_note(&key, sign), &key)
        ),
        ("ok", "ok")
    );
    let wrong_hash = |text: &[u8]| {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA512, &SystemRandom::new(), text, &mut signature)
            .unwrap();
        signature
    };
    assert_eq!(code_v1(&v1_note(&key, wrong_hash), &key), "tlog.note_signature");
    for key in [key, VerifierKey::from_spki("log.example", &spki).unwrap()] {
        assert_eq!(key.to_string().parse::<VerifierKey>().unwrap(), key);
        assert_eq!(VerifierKey::from_spki(key.name(), &key.spki_der()).unwrap(), key);
    }
}

#[test]
fn trusted_roots_name_the_key_that_they_hold() {
    let (_, p384) = p384();
    let two = rsa(&RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
    let three = rsa(&RsaKeyPair::generate(KeySize::Rsa3072).unwrap());
    let outcome =
        |details: &str, spki: &[u8]| match VerifierKey::from_key_details("log.example", details, spki) {
            Ok(Some(key)) => key.key_details(),
            Ok(None) => "unsupported",
            Err(error) => error.code(),
        };
    let (small, large) = ("PKIX_RSA_PKCS1V15_2048_SHA256", "PKIX_RSA_PKCS1V15_3072_SHA256");
    assert_eq!(outcome(small, &two), small);
    assert_eq!(outcome(large, &three), large);
    assert_eq!(outcome(small, &three), "tlog.note_key");
    assert_eq!(
        outcome("PKIX_ECDSA_P384_SHA_384", &p384),
        "PKIX_ECDSA_P384_SHA_384"
    );
    assert_eq!(outcome("PKIX_ECDSA_P256_SHA_256", &p384), "tlog.note_key");
    assert_eq!(outcome("PKIX_ED25519", &p384), "tlog.note_key");
    assert_eq!(outcome("PKIX_ED25519_PH", &p384), "unsupported");
    assert_eq!(outcome("PKCS1_RSA_PKCS1V5", &two), "unsupported");
    // One encoding of each key.
    for spki in [&p384, &two] {
        let mut broken = vec![
            [spki, &[0][..]].concat(),
            spki[1..].to_vec(),
            spki[..spki.len() - 1].to_vec(),
        ];
        broken.push([&spki[..4], &[0x05, 0x00], &spki[4..]].concat());
        for broken in broken {
            assert!(
                VerifierKey::from_spki("log.example", &broken).is_err(),
                "{broken:02x?}"
            );
        }
    }
    let mut off_curve = p384.clone();
    *off_curve.last_mut().unwrap() ^= 1;
    assert!(VerifierKey::from_spki("log.example", &off_curve).is_err());
}

#[test]
fn a_note_of_rekor_v1_is_named_after_its_host() {
    let ed25519 = SigningKey::from_bytes(&[4; 32]);
    let key = VerifierKey::ed25519("anything.example", ed25519.verifying_key().as_bytes()).unwrap();
    let sign = |text: &[u8]| ed25519.sign(text).to_bytes().to_vec();
    let note = String::from_utf8(v1_note(&key, sign)).unwrap();
    // The key is the log's whole identity: the name under which it is trusted need not be the host.
    let verified = verify_rekor_v1_note(note.as_bytes(), &key).unwrap();
    assert_eq!(
        verified.checkpoint().rekor_v1_origin(),
        Some(("rekor.example", 4711))
    );
    let code = |from: &str, to: &str| {
        assert!(note.contains(from));
        code_v1(note.replacen(from, to, 1).as_bytes(), &key)
    };
    assert_eq!(
        code("\u{2014} rekor.example ", "\u{2014} rekor.example.com "),
        "tlog.note_unsigned"
    );
    assert_eq!(
        code("rekor.example - 4711\n", "rekor.example - 4712\n"),
        "tlog.note_signature"
    );
    assert_eq!(
        code("rekor.example - 4711\n", "other.example - 4711\n"),
        "tlog.note_unsigned"
    );
    for origin in [
        "rekor.example",
        "rekor.example - 04711",
        "rekor.example - ",
        "rekor.example - -1",
        "rekor.example-4711",
    ] {
        assert_eq!(
            code("rekor.example - 4711", origin),
            "tlog.checkpoint_origin",
            "{origin}"
        );
    }
}

fn witness_note(sign: impl FnOnce(&str, &Checkpoint) -> SignatureLine, extension: Option<&str>) -> Vec<u8> {
    let log = SigningKey::from_bytes(&[4; 32]);
    let key = VerifierKey::ed25519("log.example", log.verifying_key().as_bytes()).unwrap();
    let mut checkpoint = checkpoint("log.example");
    checkpoint.extensions = extension.map(str::to_owned).into_iter().collect();
    let text = checkpoint.encode();
    let own = SignatureLine::new(&key, log.sign(text.as_bytes()).to_bytes().to_vec());
    let lines = vec![own, sign(&text, &checkpoint)];
    Note::new(text, lines).unwrap().encode().into_bytes()
}

/// Returns the witness's time, or the code with which its line is refused.
fn cosigned(note: &[u8], witness: &WitnessKey) -> Result<Option<u64>, &'static str> {
    let log = SigningKey::from_bytes(&[4; 32]);
    let key = VerifierKey::ed25519("log.example", log.verifying_key().as_bytes()).unwrap();
    let checkpoint = verify_note(note, "log.example", &key).unwrap();
    let found = witness.verify(&checkpoint).map_err(|error| error.code())?;
    Ok(found.map(|cosignature| cosignature.timestamp))
}

#[test]
fn ml_dsa_44_witnesses_cosign_too() {
    let pair = PqdsaKeyPair::generate(&ML_DSA_44_SIGNING).unwrap();
    let witness = WitnessKey::ml_dsa_44("w.example", pair.public_key().as_ref()).unwrap();
    let sign_at = |time: u64| {
        let (pair, witness) = (&pair, witness.clone());
        move |text: &str, checkpoint: &Checkpoint| {
            let message = witness.message(time, text, checkpoint).unwrap();
            let mut signature = vec![0; pair.algorithm().signature_len()];
            let len = pair.sign(&message, &mut signature).unwrap();
            witness.line(time, &signature[..len])
        }
    };
    assert_eq!(cosigned(&witness_note(sign_at(17), None), &witness), Ok(Some(17)));
    // Such a witness need not state a time, and says nothing of extension lines.
    assert_eq!(
        cosigned(&witness_note(sign_at(0), Some("more")), &witness),
        Ok(Some(0))
    );
    let renamed = WitnessKey::ml_dsa_44("v.example", pair.public_key().as_ref()).unwrap();
    assert_eq!(cosigned(&witness_note(sign_at(17), None), &renamed), Ok(None));
    // The message holds the witness's name: a line under another name is wrong, not just unknown.
    let under_other_name = |text: &str, checkpoint: &Checkpoint| {
        let line = sign_at(17)(text, checkpoint);
        SignatureLine::from_parts("v.example", renamed.hint(), line.signature().to_vec()).unwrap()
    };
    assert_eq!(
        cosigned(&witness_note(under_other_name, None), &renamed),
        Err("tlog.cosignature")
    );
    let text = witness.to_string();
    assert_eq!(text.parse::<WitnessKey>().unwrap(), witness);
    assert_eq!(
        WitnessKey::ml_dsa_44("w.example", &pair.public_key().as_ref()[1..])
            .unwrap_err()
            .code(),
        "tlog.witness_key"
    );
}

#[test]
fn ed25519_cosignatures_cover_time_and_extension_lines() {
    let key = SigningKey::from_bytes(&[6; 32]);
    let witness = WitnessKey::ed25519("w.example", key.verifying_key().as_bytes()).unwrap();
    let sign = |time: u64, claimed: u64| {
        let (key, witness) = (key.clone(), witness.clone());
        move |text: &str, checkpoint: &Checkpoint| {
            let message = witness.message(time, text, checkpoint).unwrap();
            witness.line(claimed, &key.sign(&message).to_bytes())
        }
    };
    assert_eq!(
        cosigned(&witness_note(sign(5, 5), Some("more")), &witness),
        Ok(Some(5))
    );
    assert_eq!(
        cosigned(&witness_note(sign(5, 6), None), &witness),
        Err("tlog.cosignature")
    );
    let other_text = |_: &str, checkpoint: &Checkpoint| sign(5, 5)("other\n", checkpoint);
    assert_eq!(
        cosigned(&witness_note(other_text, None), &witness),
        Err("tlog.cosignature")
    );
    // A note signature by the same key is no cosignature, and the reverse.
    let plain = |text: &str, _: &Checkpoint| {
        SignatureLine::from_parts(
            "w.example",
            witness.hint(),
            key.sign(text.as_bytes()).to_bytes().to_vec(),
        )
        .unwrap()
    };
    assert_eq!(
        cosigned(&witness_note(plain, None), &witness),
        Err("tlog.cosignature")
    );
    let empty =
        |_: &str, _: &Checkpoint| SignatureLine::from_parts("w.example", witness.hint(), vec![0; 7]).unwrap();
    assert_eq!(
        cosigned(&witness_note(empty, None), &witness),
        Err("tlog.cosignature")
    );
    for text in [
        "",
        "w.example",
        "w.example+00000000+AA==",
        "w.example+3bc3c7e4+Bw==",
        "+00000000+BA==",
    ] {
        assert!(text.parse::<WitnessKey>().is_err(), "{text}");
    }
}

#[test]
fn case_37_low_order_witness_keys_are_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(
        WitnessKey::ed25519("w.example", &identity).unwrap_err().code(),
        "tlog.witness_key"
    );
}
