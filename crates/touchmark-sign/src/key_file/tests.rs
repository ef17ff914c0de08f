//! Tests of key files. Each rejection starts from a file that loads and breaks one thing.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use touchmark_verify::key::KeyAlgorithm;

use super::*;
use crate::Signer;

macro_rules! key {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../testdata/keys/",
            $name
        ))
    };
}

mod place;
mod secrets;

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

fn cosign_password() -> Password {
    password("TEST-ONLY cosign password")
}

fn ssh_password() -> Password {
    password("TEST-ONLY ssh password")
}

fn parse_code(text: impl AsRef<[u8]>, password: Option<&Password>) -> &'static str {
    parse(text.as_ref(), password)
        .map(|_| "accepted")
        .unwrap_or_else(|error| error.code())
}

/// Every readable private key with its password and its public half.
fn readable() -> Vec<(&'static str, Option<Password>, String)> {
    let ssh = |line: &str| {
        let key = ssh_key::PublicKey::from_openssh(line).unwrap();
        let (algorithm, raw) = match key.key_data() {
            ssh_key::public::KeyData::Ecdsa(ssh_key::public::EcdsaPublicKey::NistP256(point)) => {
                (KeyAlgorithm::EcdsaP256Sha256, point.as_bytes().to_vec())
            }
            ssh_key::public::KeyData::Ecdsa(ssh_key::public::EcdsaPublicKey::NistP384(point)) => {
                (KeyAlgorithm::EcdsaP384Sha384, point.as_bytes().to_vec())
            }
            ssh_key::public::KeyData::Ed25519(point) => (KeyAlgorithm::Ed25519, point.0.to_vec()),
            other => panic!("{other:?}"),
        };
        PublicKey::from_raw(algorithm, &raw).unwrap().to_pem()
    };
    let (p256, p384, ed25519) = (
        ssh(key!("TEST-ONLY-ssh-ecdsa-256.pub")),
        ssh(key!("TEST-ONLY-ssh-ecdsa-384.pub")),
        ssh(key!("TEST-ONLY-ssh-ed25519.pub")),
    );
    vec![
        (
            key!("TEST-ONLY-p256.pem"),
            None,
            key!("public/p256.pem").to_owned(),
        ),
        (
            key!("TEST-ONLY-p384.pem"),
            None,
            key!("public/p384.pem").to_owned(),
        ),
        (
            key!("TEST-ONLY-ed25519.pem"),
            None,
            key!("public/ed25519.pem").to_owned(),
        ),
        (
            key!("TEST-ONLY-cosign.key"),
            Some(cosign_password()),
            key!("TEST-ONLY-cosign.pub").to_owned(),
        ),
        (key!("TEST-ONLY-ssh-ecdsa-256"), None, p256.clone()),
        (key!("TEST-ONLY-ssh-ecdsa-384"), None, p384.clone()),
        (key!("TEST-ONLY-ssh-ed25519"), None, ed25519.clone()),
        (
            key!("TEST-ONLY-ssh-ecdsa-256-encrypted"),
            Some(ssh_password()),
            p256,
        ),
        (
            key!("TEST-ONLY-ssh-ecdsa-384-encrypted"),
            Some(ssh_password()),
            p384,
        ),
        (
            key!("TEST-ONLY-ssh-ed25519-encrypted"),
            Some(ssh_password()),
            ed25519,
        ),
    ]
}

#[test]
fn reads_keys_of_openssl_cosign_and_openssh_and_signs_with_them() {
    for (text, password, public) in readable() {
        assert_eq!(needs_password(text.as_bytes()).unwrap(), password.is_some());
        let key = parse(text.as_bytes(), password.as_ref()).unwrap();
        assert_eq!(export_public(&key), public);
        let signature = key.sign(b"message").unwrap();
        PublicKey::from_pem(&public)
            .unwrap()
            .verify(b"message", &signature)
            .unwrap();
    }
}

#[test]
fn every_readable_key_can_be_imported_as_plain_or_encrypted() {
    let new = password("another password");
    for (text, password, public) in readable() {
        let key = parse(text.as_bytes(), password.as_ref()).unwrap();
        let plain = encode_plain(&key).unwrap();
        assert_eq!(export_public(&parse(plain.as_bytes(), None).unwrap()), public);
        let encrypted = encode_encrypted(&key, &new).unwrap();
        assert_eq!(format(encrypted.as_bytes()).unwrap(), Format::Cosign);
        assert_eq!(
            export_public(&parse(encrypted.as_bytes(), Some(&new)).unwrap()),
            public
        );
    }
}

#[test]
fn plain_keys_are_written_as_openssl_writes_them() {
    for text in [
        key!("TEST-ONLY-p256.pem"),
        key!("TEST-ONLY-p384.pem"),
        key!("TEST-ONLY-ed25519.pem"),
    ] {
        let key = parse(text.as_bytes(), None).unwrap();
        assert!(*encode_plain(&key).unwrap() == *text);
    }
}

#[test]
fn encrypted_keys_have_the_form_that_cosign_writes() {
    let ours = encode_encrypted(
        &parse(key!("TEST-ONLY-p256.pem").as_bytes(), None).unwrap(),
        &cosign_password(),
    );
    let shape = |text: &str| {
        let block = pem::decode(text.as_bytes(), &[SIGSTORE_LABEL]).unwrap();
        let json = String::from_utf8(block.contents.to_vec()).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let len = |value: &serde_json::Value| STANDARD.decode(value.as_str().unwrap()).unwrap().len();
        let lens = [
            &value["kdf"]["salt"],
            &value["cipher"]["nonce"],
            &value["ciphertext"],
        ]
        .map(len);
        let order: Vec<usize> = [
            "kdf",
            "name",
            "params",
            "N",
            "r",
            "p",
            "salt",
            "cipher",
            "nonce",
            "ciphertext",
        ]
        .iter()
        .map(|name| json.find(&format!("\"{name}\":")).unwrap())
        .collect();
        assert!(order.is_sorted() && !json.contains([' ', '\n']));
        for pointer in ["/kdf/salt", "/cipher/nonce", "/ciphertext"] {
            *value.pointer_mut(pointer).unwrap() = serde_json::Value::Null;
        }
        (value, lens, text.lines().map(str::len).max())
    };
    assert_eq!(shape(&ours.unwrap()), shape(key!("TEST-ONLY-cosign.key")));
}

#[test]
fn generated_keys_differ_and_sign() {
    for algorithm in [
        KeyAlgorithm::EcdsaP256Sha256,
        KeyAlgorithm::EcdsaP384Sha384,
        KeyAlgorithm::Ed25519,
    ] {
        let (one, two) = (
            PrivateKey::generate(algorithm).unwrap(),
            PrivateKey::generate(algorithm).unwrap(),
        );
        assert_eq!(one.algorithm(), algorithm);
        assert_ne!(one.public_key(), two.public_key());
        let signature = one.sign(b"message").unwrap();
        one.public_key().verify(b"message", &signature).unwrap();
        assert!(two.public_key().verify(b"message", &signature).is_err());
    }
}

#[test]
fn the_old_cosign_label_and_every_cost_that_cosign_reads_are_read() {
    let key = parse(key!("TEST-ONLY-p256.pem").as_bytes(), None).unwrap();
    let old = key!("TEST-ONLY-cosign.key").replace("SIGSTORE", "COSIGN");
    assert_eq!(parse_code(&old, Some(&cosign_password())), "accepted");
    for cost in [1 << 15, 1 << 17] {
        let json = cosign::encrypt_at(cost, &key.to_pkcs8_der().unwrap(), &cosign_password()).unwrap();
        assert_eq!(
            parse_code(pem::encode(SIGSTORE_LABEL, &json), Some(&cosign_password())),
            "accepted"
        );
    }
}

#[test]
fn formats_that_are_not_read_have_codes_of_their_own() {
    for (text, code) in [
        (key!("TEST-ONLY-p256-encrypted-pkcs8.pem"), "key.encrypted_pkcs8"),
        (key!("TEST-ONLY-p256-sec1.pem"), "key.unknown_format"),
        (key!("TEST-ONLY-rsa.pem"), "key.unsupported_algorithm"),
        (key!("TEST-ONLY-ssh-rsa-2048"), "key.unsupported_algorithm"),
        (key!("TEST-ONLY-ssh-ecdsa-521"), "key.unsupported_algorithm"),
        ("", "key.pem_no_block"),
        ("hello", "key.pem_no_block"),
    ] {
        assert_eq!(parse_code(text, None), code);
    }
    let good = key!("TEST-ONLY-p256.pem");
    assert_eq!(
        parse_code(format!("{good}{good}"), None),
        "key.pem_surrounding_text"
    );
    assert_eq!(parse_code(format!("# mine\n{good}"), None), "key.pem_no_block");
    // DER of something else under the right label, and a key with a byte behind it.
    assert_eq!(
        parse_code(pem::encode(PKCS8_LABEL, b"\x30\x00"), None),
        "key.malformed"
    );
    let der = pem::decode(good.as_bytes(), &[PKCS8_LABEL]).unwrap().contents;
    assert_eq!(
        parse_code(pem::encode(PKCS8_LABEL, &[&der[..], &[0]].concat()), None),
        "key.malformed"
    );
    // A public key inside that belongs to another private key.
    let mut mixed = der.to_vec();
    *mixed.last_mut().unwrap() ^= 1;
    assert_eq!(
        parse_code(pem::encode(PKCS8_LABEL, &mixed), None),
        "key.malformed"
    );
}

/// An OpenSSH file that holds a FIDO key, by PROTOCOL.key and PROTOCOL.u2f.
fn fido_file() -> String {
    let string = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let kind = string(b"sk-ssh-ed25519@openssh.com");
    let public = [&kind[..], &string(&[7; 32]), &string(b"ssh:")].concat();
    let mut private = [
        &[1; 8][..],
        &public,
        &[1],
        &string(b"handle"),
        &string(b""),
        &string(b"TEST-ONLY"),
    ]
    .concat();
    for pad in 1.. {
        if private.len() % 8 == 0 {
            break;
        }
        private.push(pad);
    }
    let none = string(b"none");
    let file = [
        &b"openssh-key-v1\0"[..],
        &none,
        &none,
        &string(b""),
        &[0, 0, 0, 1],
        &string(&public),
        &string(&private),
    ];
    pem::encode(OPENSSH_LABEL, &file.concat())
}

#[test]
fn fido_keys_are_refused() {
    assert_eq!(parse_code(fido_file(), None), "key.fido");
}

#[test]
fn case_242_wrong_passwords_have_their_code() {
    for (text, right, _) in readable()
        .into_iter()
        .filter(|(_, password, _)| password.is_some())
    {
        assert_eq!(parse_code(text, right.as_ref()), "accepted");
        assert_eq!(
            parse_code(text, Some(&password("TEST-ONLY wrong"))),
            "key.password_wrong"
        );
        assert_eq!(parse_code(text, None), "key.password_required");
    }
    let empty = encode_encrypted(
        &parse(key!("TEST-ONLY-p256.pem").as_bytes(), None).unwrap(),
        &password(""),
    );
    assert_eq!(empty.unwrap_err().code(), "key.password_empty");
}

#[test]
fn case_242_huge_or_odd_derivation_costs_are_refused_before_any_work() {
    let block = pem::decode(key!("TEST-ONLY-cosign.key").as_bytes(), &[SIGSTORE_LABEL]).unwrap();
    let json = String::from_utf8(block.contents.to_vec()).unwrap();
    let code = |from: &str, to: &str| {
        assert!(json.contains(from), "{from}");
        let broken = json.replacen(from, to, 1);
        parse_code(
            pem::encode(SIGSTORE_LABEL, broken.as_bytes()),
            Some(&cosign_password()),
        )
    };
    for (from, to, expected) in [
        ("\"N\":65536", "\"N\":262144", "key.kdf_cost"),
        ("\"N\":65536", "\"N\":1099511627776", "key.kdf_cost"),
        ("\"N\":65536", "\"N\":18446744073709551615", "key.kdf_cost"),
        ("\"r\":8", "\"r\":4294967295", "key.kdf_cost"),
        ("\"p\":1", "\"p\":1024", "key.kdf_cost"),
        ("\"N\":65536", "\"N\":65537", "key.kdf_unknown"),
        ("\"N\":65536", "\"N\":2", "key.kdf_unknown"),
        ("\"N\":65536", "\"N\":0", "key.kdf_unknown"),
        ("\"r\":8", "\"r\":1", "key.kdf_unknown"),
        ("\"p\":1", "\"p\":0", "key.kdf_unknown"),
        ("\"scrypt\"", "\"argon2\"", "key.kdf_unknown"),
        ("nacl/secretbox", "nacl/box", "key.kdf_unknown"),
        ("\"N\":65536", "\"N\":-1", "key.malformed"),
        ("\"N\":65536", "\"N\":65536.0", "key.malformed"),
        ("\"N\":65536", "\"N\":65536,\"N\":65536", "key.malformed"),
        ("{\"kdf\"", "{\"more\":1,\"kdf\"", "key.malformed"),
    ] {
        assert_eq!(code(from, to), expected, "{to}");
    }
    // OpenSSH: the number of rounds stands at the end of the KDF options, after the 16 bytes of salt.
    let block = pem::decode(
        key!("TEST-ONLY-ssh-ed25519-encrypted").as_bytes(),
        &[OPENSSH_LABEL],
    )
    .unwrap();
    let mut bytes = block.contents.to_vec();
    let name = bytes.windows(6).position(|window| window == b"bcrypt").unwrap();
    let rounds = name + 6 + 4 + 4 + 16;
    assert_eq!(bytes[rounds..rounds + 4], [0, 0, 0, 4]);
    bytes[rounds..rounds + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(
        parse_code(pem::encode(OPENSSH_LABEL, &bytes), Some(&ssh_password())),
        "key.kdf_cost"
    );
}

#[test]
fn a_ciphertext_with_one_bit_changed_does_not_open() {
    let block = pem::decode(key!("TEST-ONLY-cosign.key").as_bytes(), &[SIGSTORE_LABEL]).unwrap();
    let mut value: serde_json::Value = serde_json::from_slice(&block.contents).unwrap();
    let mut ciphertext = STANDARD.decode(value["ciphertext"].as_str().unwrap()).unwrap();
    for at in [0, 15, 16, ciphertext.len() - 1] {
        ciphertext[at] ^= 1;
        value["ciphertext"] = STANDARD.encode(&ciphertext).into();
        ciphertext[at] ^= 1;
        let text = pem::encode(SIGSTORE_LABEL, value.to_string().as_bytes());
        assert_eq!(
            parse_code(text, Some(&cosign_password())),
            "key.password_wrong",
            "byte {at}"
        );
    }
}
