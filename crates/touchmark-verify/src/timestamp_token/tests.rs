use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::EncodePublicKey as _;

use super::*;
use crate::der::build::{Parts, extension, sequence, tlv};

const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const MESSAGE: &[u8] = b"a signature";

fn algorithm(oid: &[u8]) -> Vec<u8> {
    sequence(&[tlv(0x06, oid)])
}

/// A response in parts, each of which a test may replace.
struct Response {
    status: u8,
    imprint_hash: &'static [u8],
    imprint: Vec<u8>,
    time: Vec<u8>,
    after_time: Vec<u8>,
    content_type: &'static [u8],
    info_version: u8,
    attribute_type: &'static [u8],
    digest: Option<Vec<u8>>,
    more_attributes: Vec<Vec<u8>>,
    digest_algorithm: &'static [u8],
    signature_algorithm: &'static [u8],
    signers: usize,
    bag: Vec<Vec<u8>>,
}

impl Default for Response {
    fn default() -> Self {
        Self {
            status: 0,
            imprint_hash: SHA256,
            imprint: DigestAlgorithm::Sha256.digest(MESSAGE),
            time: tlv(0x18, b"20261120120000Z"),
            after_time: Vec::new(),
            content_type: TST_INFO,
            info_version: 1,
            attribute_type: TST_INFO,
            digest: None,
            more_attributes: Vec::new(),
            digest_algorithm: SHA256,
            signature_algorithm: ECDSA_SHA256,
            signers: 1,
            bag: Vec::new(),
        }
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

/// The certificate that responses name: issuer and serial are those of [`Parts`].
fn certificate(seed: u8, usages: &[&[u8]], critical: Option<u8>) -> Vec<u8> {
    let usages: Vec<Vec<u8>> = usages.iter().map(|usage| tlv(0x06, usage)).collect();
    let spki = key(seed).verifying_key().to_public_key_der().unwrap();
    Parts {
        spki: spki.as_bytes().to_vec(),
        extensions: vec![extension(oid::EXT_KEY_USAGE, critical, &sequence(&usages))],
        ..Parts::default()
    }
    .der()
}

impl Response {
    fn info(&self) -> Vec<u8> {
        let imprint = sequence(&[algorithm(self.imprint_hash), tlv(0x04, &self.imprint)]);
        sequence(&[
            tlv(0x02, &[self.info_version]),
            tlv(0x06, &[0x2a, 3]),
            imprint,
            tlv(0x02, &[9]),
            self.time.clone(),
            self.after_time.clone(),
        ])
    }

    fn der(&self) -> Vec<u8> {
        let info = self.info();
        let attribute = |name: &[u8], value: Vec<u8>| sequence(&[tlv(0x06, name), tlv(0x31, &value)]);
        let digest = self
            .digest
            .clone()
            .unwrap_or_else(|| DigestAlgorithm::Sha256.digest(&info));
        let mut attributes = vec![
            attribute(CONTENT_TYPE, tlv(0x06, self.attribute_type)),
            attribute(MESSAGE_DIGEST, tlv(0x04, &digest)),
        ];
        attributes.extend(self.more_attributes.clone());
        let attributes = attributes.concat();
        let signature: p256::ecdsa::DerSignature = key(1).sign(&tlv(0x31, &attributes));
        let signer = sequence(&[
            tlv(0x02, &[1]),
            sequence(&[sequence(&[tlv(0x31, b"issuer")]), tlv(0x02, &[7])]),
            algorithm(self.digest_algorithm),
            tlv(0xa0, &attributes),
            algorithm(self.signature_algorithm),
            tlv(0x04, signature.as_bytes()),
        ]);
        let content = sequence(&[tlv(0x06, self.content_type), tlv(0xa0, &tlv(0x04, &info))]);
        let bag = match self.bag.is_empty() {
            true => Vec::new(),
            false => tlv(0xa0, &self.bag.concat()),
        };
        let signed = sequence(&[
            tlv(0x02, &[3]),
            tlv(0x31, &algorithm(SHA256)),
            content,
            bag,
            tlv(0x31, &signer.repeat(self.signers)),
        ]);
        sequence(&[
            sequence(&[tlv(0x02, &[self.status])]),
            sequence(&[tlv(0x06, SIGNED_DATA), tlv(0xa0, &signed)]),
        ])
    }

    fn code(&self) -> &'static str {
        Token::parse(&self.der(), MESSAGE).map_or_else(|error| error.code(), |_| "ok")
    }
}

fn with(change: impl FnOnce(&mut Response)) -> Response {
    let mut response = Response::default();
    change(&mut response);
    response
}

#[test]
fn a_good_token_is_read_and_every_truncation_refused() {
    let response = Response::default();
    let der = response.der();
    let token = Token::parse(&der, MESSAGE).unwrap();
    assert_eq!(token.time.to_string(), "2026-11-20T12:00:00Z");
    let leaf = certificate(1, &[oid::TIME_STAMPING], Some(0xff));
    let leaf = StampSigner::parse(&leaf).unwrap();
    assert!(token.names(&leaf) && token.is_signed_by(&leaf) && leaf.for_timestamps_only);
    for length in 0..der.len() {
        assert!(Token::parse(&der[..length], MESSAGE).is_err(), "{length}");
    }
    let mut longer = der.clone();
    longer.push(0);
    assert_eq!(
        Token::parse(&longer, MESSAGE).unwrap_err().code(),
        "time.timestamp_malformed"
    );
    // Accuracy, ordering, nonce, name and an extension that is not critical are passed over.
    let accuracy = sequence(&[tlv(0x02, &[1])]);
    let plain = sequence(&[tlv(0x06, &[0x2a, 5]), tlv(0x04, b"")]);
    let all = [
        accuracy,
        tlv(0x01, &[0xff]),
        tlv(0x02, &[5]),
        tlv(0xa0, b""),
        tlv(0xa1, &plain),
    ]
    .concat();
    assert_eq!(with(|response| response.after_time = all).code(), "ok");
    assert_eq!(with(|response| response.status = 1).code(), "ok");
}

#[test]
fn case_104_a_token_over_another_message_is_refused() {
    assert_eq!(
        Token::parse(&Response::default().der(), b"another")
            .unwrap_err()
            .code(),
        "time.timestamp_imprint"
    );
    let short = with(|response| {
        response.imprint.pop();
    });
    assert_eq!(short.code(), "time.timestamp_imprint");
}

#[test]
fn case_106_the_signer_is_who_the_token_names_and_whose_key_signed() {
    let other = certificate(2, &[oid::TIME_STAMPING], Some(0xff));
    let right = certificate(1, &[oid::TIME_STAMPING], Some(0xff));
    // A decoy with the right name comes first.
    let der = with(|response| response.bag = vec![other.clone(), right.clone()]).der();
    let token = Token::parse(&der, MESSAGE).unwrap();
    let candidates: Vec<Vec<u8>> = token.candidates().map(|signer| signer.der).collect();
    assert_eq!(candidates, [other.clone(), right.clone()]);
    assert!(!token.is_signed_by(&StampSigner::parse(&other).unwrap()));
    let stranger = Parts {
        subject: sequence(&[tlv(0x31, b"stranger")]),
        ..Parts::default()
    };
    assert!(token.names(&StampSigner::parse(&stranger.der()).unwrap()));
    // One signer, no fewer and no more.
    assert_eq!(
        with(|response| response.signers = 0).code(),
        "time.timestamp_malformed"
    );
    assert_eq!(
        with(|response| response.signers = 2).code(),
        "time.timestamp_signers"
    );
    // The algorithm that is named must be the one that fits key and digest.
    let der = with(|response| response.signature_algorithm = ECDSA_SHA384).der();
    let token = Token::parse(&der, MESSAGE).unwrap();
    assert!(!token.is_signed_by(&StampSigner::parse(&right).unwrap()));
}

#[test]
fn case_107_only_certificates_for_timestamps_alone_sign_them() {
    let fits = |usages: &[&[u8]], critical| {
        is_for_timestamps_only(&Certificate::parse(&certificate(1, usages, critical)).unwrap())
    };
    assert!(fits(&[oid::TIME_STAMPING], Some(0xff)));
    assert!(!fits(&[oid::TIME_STAMPING], None));
    assert!(!fits(&[oid::CODE_SIGNING], Some(0xff)));
    assert!(!fits(&[oid::TIME_STAMPING, oid::CODE_SIGNING], Some(0xff)));
    assert!(!fits(&[oid::ANY_EXT_KEY_USAGE], Some(0xff)));
    assert!(!is_for_timestamps_only(
        &Certificate::parse(&Parts::default().der()).unwrap()
    ));
}

#[test]
fn case_111_weak_hashes_and_refusals_of_the_authority() {
    assert_eq!(
        with(|response| response.imprint_hash = SHA1).code(),
        "time.timestamp_hash"
    );
    assert_eq!(
        with(|response| response.digest_algorithm = SHA1).code(),
        "time.timestamp_hash"
    );
    for status in 2..6 {
        assert_eq!(
            with(|response| response.status = status).code(),
            "time.timestamp_not_granted"
        );
    }
}

#[test]
fn attributes_and_content_are_about_each_other() {
    let refused: [(Response, &str); 8] = [
        (
            with(|r| r.digest = Some(vec![0; 32])),
            "time.timestamp_attributes",
        ),
        (
            with(|r| r.attribute_type = SIGNED_DATA),
            "time.timestamp_attributes",
        ),
        (
            with(|r| {
                let digest = DigestAlgorithm::Sha256.digest(&r.info());
                r.more_attributes = vec![sequence(&[
                    tlv(0x06, MESSAGE_DIGEST),
                    tlv(0x31, &tlv(0x04, &digest)),
                ])];
            }),
            "time.timestamp_attributes",
        ),
        (with(|r| r.content_type = SIGNED_DATA), "time.timestamp_content"),
        (with(|r| r.info_version = 2), "time.timestamp_content"),
        (
            with(|r| r.time = tlv(0x17, b"261120120000Z")),
            "time.timestamp_malformed",
        ),
        (
            with(|r| r.time = tlv(0x18, b"20261120120060Z")),
            "time.timestamp_malformed",
        ),
        (
            with(|r| {
                let critical = sequence(&[tlv(0x06, &[0x2a, 5]), tlv(0x01, &[0xff]), tlv(0x04, b"")]);
                r.after_time = tlv(0xa1, &critical);
            }),
            "time.timestamp_critical_extension",
        ),
    ];
    for (index, (response, code)) in refused.iter().enumerate() {
        assert_eq!(response.code(), *code, "{index}");
    }
}
