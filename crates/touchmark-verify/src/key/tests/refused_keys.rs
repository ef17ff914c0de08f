//! Keys that are refused at load, each made from a good one by breaking one thing.

use super::*;
fn spki_code(der: &[u8]) -> &'static str {
    PublicKey::from_spki_der(der)
        .map(|_| "accepted")
        .unwrap_or_else(|error| error.code())
}

fn pem_code(text: impl AsRef<[u8]>) -> &'static str {
    PublicKey::from_pem(text)
        .map(|_| "accepted")
        .unwrap_or_else(|error| error.code())
}

#[test]
fn case_41_rsa_and_other_kinds_of_keys_are_refused_at_load() {
    for (text, code) in [
        (public_pem!("rsa-1024"), "key.unsupported_algorithm"),
        (public_pem!("rsa-2048"), "key.unsupported_algorithm"),
        (public_pem!("rsa-pss"), "key.unsupported_algorithm"),
        (public_pem!("ed448"), "key.unsupported_algorithm"),
        (public_pem!("x25519"), "key.unsupported_algorithm"),
        (public_pem!("p521"), "key.unsupported_curve"),
        (public_pem!("secp256k1"), "key.unsupported_curve"),
    ] {
        assert_eq!(pem_code(text), code);
    }
    for scheme in [
        "PKIX_RSA_PKCS1V15_2048_SHA256",
        "PKIX_RSA_PSS_4096_SHA256",
        "PKCS1_RSA_PSS",
    ] {
        assert_eq!(
            KeyAlgorithm::from_key_details(scheme).unwrap_err().code(),
            "key.unsupported_scheme"
        );
    }
}

#[test]
fn case_239_public_keys_have_exactly_one_encoding() {
    let good = PublicKey::from_pem(public_pem!("p256")).unwrap();
    let der = good.spki_der();
    assert_eq!(spki_code(der), "accepted");
    assert_eq!(spki_code(&[der, &[0]].concat()), "key.trailing_bytes");
    assert_eq!(spki_code(&[der, der].concat()), "key.trailing_bytes");
    assert_eq!(spki_code(&der[..der.len() - 1]), "key.spki_malformed");
    assert_eq!(spki_code(&[]), "key.spki_malformed");
    assert_eq!(spki_code(good.raw()), "key.spki_malformed");
    // Byte 26 is the form of the point.
    for (form, code) in [
        (0x02, "key.compressed_point"),
        (0x06, "key.hybrid_point"),
        (0x07, "key.hybrid_point"),
        (0x05, "key.point_not_on_curve"),
    ] {
        let mut broken = der.to_vec();
        broken[26] = form;
        assert_eq!(spki_code(&broken), code, "{form:#x}");
    }
    let mut off_curve = der.to_vec();
    *off_curve.last_mut().unwrap() ^= 1;
    assert_eq!(spki_code(&off_curve), "key.point_not_on_curve");
    // The unused-bits byte of the BIT STRING.
    let mut unused_bits = der.to_vec();
    unused_bits[25] = 1;
    assert_eq!(spki_code(&unused_bits), "key.spki_malformed");
    // A length in long form: BER, not DER.
    let ber = [&[0x30, 0x81, 0x59][..], &der[2..]].concat();
    assert_eq!(spki_code(&ber), "key.spki_malformed");
    // Made by OpenSSL.
    assert_eq!(pem_code(public_pem!("p256-compressed")), "key.compressed_point");
    assert_eq!(pem_code(public_pem!("p256-hybrid")), "key.hybrid_point");
    assert_eq!(pem_code(public_pem!("p256-explicit")), "key.explicit_parameters");
    // A NULL where RFC 8410 §3 says the parameters are absent.
    let key = PublicKey::from_pem(public_pem!("ed25519")).unwrap();
    let null = [
        &b"\x30\x2c\x30\x07\x06\x03\x2b\x65\x70\x05\x00\x03\x21\x00"[..],
        key.raw(),
    ]
    .concat();
    assert_eq!(spki_code(&null), "key.not_canonical");
    // The point at infinity, and a point of the other curve under this curve's name.
    let infinity = PublicKey::from_raw(KeyAlgorithm::EcdsaP256Sha256, &[0]).unwrap_err();
    assert_eq!(infinity.code(), "key.point_not_on_curve");
    let other = PublicKey::from_pem(public_pem!("p384")).unwrap();
    let length = PublicKey::from_raw(KeyAlgorithm::EcdsaP256Sha256, other.raw()).unwrap_err();
    assert_eq!(length.code(), "key.point_length");
}

#[test]
fn case_239_public_key_files_hold_exactly_one_block() {
    let good = public_pem!("p256");
    let crlf = good.replace('\n', "\r\n");
    assert_eq!(pem_code(good), "accepted");
    assert_eq!(pem_code(good.trim_end()), "accepted");
    assert_eq!(pem_code(&crlf), "accepted");
    let second = public_pem!("p384");
    let headers = good.replacen("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n", 1);
    let lines: Vec<&str> = good.lines().collect();
    let uneven = format!(
        "{}\n{}\n{}{}\n{}\n",
        lines[0],
        &lines[1][..8],
        &lines[1][8..],
        lines[2],
        lines[3]
    );
    for (name, text, code) in [
        ("text before", format!("a key:\n{good}"), "key.pem_no_block"),
        ("line before", format!("\n{good}"), "key.pem_no_block"),
        ("byte order mark", format!("\u{feff}{good}"), "key.pem_no_block"),
        (
            "text after",
            format!("{good}and more"),
            "key.pem_surrounding_text",
        ),
        (
            "empty line after",
            format!("{good}\n"),
            "key.pem_surrounding_text",
        ),
        (
            "second key",
            format!("{good}{second}"),
            "key.pem_surrounding_text",
        ),
        (
            "other label",
            good.replace("PUBLIC KEY", "CERTIFICATE"),
            "key.pem_label",
        ),
        (
            "RSA label",
            good.replace("PUBLIC KEY", "RSA PUBLIC KEY"),
            "key.pem_label",
        ),
        (
            "lower-case label",
            good.replace("PUBLIC KEY", "public key"),
            "key.pem_label",
        ),
        (
            "other end label",
            good.replacen("END PUBLIC", "END PRIVATE", 1)
                .replace("END PRIVATE KEY", "END P KEY"),
            "key.pem_malformed",
        ),
        (
            "no end",
            good.replace("-----END PUBLIC KEY-----\n", ""),
            "key.pem_malformed",
        ),
        ("headers", headers, "key.pem_malformed"),
        ("uneven lines", uneven, "key.pem_malformed"),
        (
            "space in base64",
            good.replacen("MFkw", "MF w", 1),
            "key.pem_malformed",
        ),
        ("no padding", good.replace("=", ""), "key.pem_malformed"),
        ("nothing", String::new(), "key.pem_no_block"),
        (
            "empty block",
            "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n".to_owned(),
            "key.pem_malformed",
        ),
        ("huge", "-".repeat(pem::MAX_PEM_BYTES + 1), "key.pem_too_large"),
    ] {
        assert_eq!(pem_code(&text), code, "{name}");
    }
}

#[test]
fn case_240_private_key_where_public_is_expected_is_refused_and_not_echoed() {
    let text = include_str!("../../../../../testdata/keys/TEST-ONLY-p256.pem");
    let secret: String = text.lines().nth(1).unwrap().to_owned();
    let beside = format!("{}{text}", public_pem!("p256"));
    for text in [text.to_owned(), beside, text.replace("PRIVATE", "EC PRIVATE")] {
        let error = PublicKey::from_pem(&text).unwrap_err();
        assert_eq!(error.code(), "key.private_where_public_expected");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(&secret[..16]), "{shown}");
    }
}
