//! Requests and answers of RFC 3161, byte by byte.

use touchmark_testkit::sigstore::tsa::TokenPlan;
use touchmark_testkit::sigstore::{Instance, InstanceOptions, SIGNED_AT};

use super::*;

#[test]
fn a_request_is_the_der_that_others_write() {
    let imprint = DigestAlgorithm::Sha256.digest(b"");
    let found = wire::encode_request(DigestAlgorithm::Sha256, &imprint, &[0x41; 16]);
    let mut expected = vec![0x30, 0x49, 0x02, 0x01, 0x01, 0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09];
    expected.extend([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20]);
    expected.extend(&imprint);
    expected.extend([0x02, 0x10]);
    expected.extend([0x41; 16]);
    expected.extend([0x01, 0x01, 0xff]);
    assert_eq!(found, expected);
}

#[test]
fn each_key_goes_with_a_hash_as_strong() {
    assert_eq!(digest_for(KeyAlgorithm::EcdsaP256Sha256), DigestAlgorithm::Sha256);
    assert_eq!(digest_for(KeyAlgorithm::EcdsaP384Sha384), DigestAlgorithm::Sha384);
    assert_eq!(digest_for(KeyAlgorithm::Ed25519), DigestAlgorithm::Sha512);
}

#[test]
fn case_111_status_imprint_and_nonce_are_read_and_every_truncation_is_refused() {
    let instance = Instance::new(5, InstanceOptions::default());
    let authority = &instance.timestamp_authorities[0];
    let mut plan = TokenPlan::good(authority, SIGNED_AT);
    plan.nonce = Some(vec![0x41; 16]);
    let answer = authority.answer(b"signature", &plan);
    let read = wire::parse_response(&answer).unwrap();
    assert_eq!(read.nonce, Some(&[0x41; 16][..]));
    assert_eq!(read.imprint, DigestAlgorithm::Sha256.digest(b"signature"));
    for end in 0..answer.len() {
        assert_eq!(
            wire::parse_response(&answer[..end]).unwrap_err().code(),
            "tsa.malformed",
            "{end}"
        );
    }
    let longer = [&answer[..], b"\0"].concat();
    assert_eq!(wire::parse_response(&longer).unwrap_err().code(), "tsa.malformed");
    for status in [1, 2, 3, 4, 5] {
        let mut plan = TokenPlan::good(authority, SIGNED_AT);
        plan.status = status;
        let answer = authority.answer(b"signature", &plan);
        assert_eq!(
            wire::parse_response(&answer).unwrap_err().code(),
            "tsa.not_granted",
            "{status}"
        );
    }
}
