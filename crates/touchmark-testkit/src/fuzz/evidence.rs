//! Bundles, envelopes, statements.

use touchmark_statement::limits::{MAX_DIGESTS, MAX_SUBJECTS, MAX_UNKNOWN_FIELDS};
use touchmark_statement::statement::SignedStatement;
use touchmark_verify::bundle::{Bundle, Content};
use touchmark_verify::envelope::{Envelope, pae};
use touchmark_verify::limits::{MAX_CERTIFICATES, MAX_HINT_BYTES, MAX_TIMESTAMPS, MAX_TLOG_ENTRIES};

use super::good::good;
use super::keyless::keyless;

/// A bundle: parsed, written, parsed again, and verified.
pub fn bundle(input: &[u8]) {
    let bundle = match Bundle::parse(input) {
        Ok(bundle) => bundle,
        Err(error) => {
            let again = Bundle::parse(input).expect_err("one answer to one input");
            assert_eq!(again.code(), error.code());
            return;
        }
    };
    hold_caps(&bundle);
    assert_eq!(Bundle::parse(input).expect("one answer to one input"), bundle);
    let written = bundle.encode();
    let again = Bundle::parse(&written).expect("what is written can be read");
    assert_eq!(again, bundle);
    assert_eq!(again.encode(), written);
    let one = good().refuse_other_payloads(&bundle) || keyless().refuse_other_meanings(&bundle);
    let other = good().refuse_other_payloads(&again) || keyless().refuse_other_meanings(&again);
    assert_eq!(one, other, "what was written is judged as what was read");
}

fn hold_caps(bundle: &Bundle) {
    use touchmark_verify::bundle::VerificationMaterial::{Certificate, CertificateChain, PublicKey};
    assert!(bundle.tlog_entries.len() <= MAX_TLOG_ENTRIES);
    assert!(bundle.timestamps.len() <= MAX_TIMESTAMPS);
    match &bundle.material {
        PublicKey { hint } => assert!(hint.len() <= MAX_HINT_BYTES),
        Certificate(der) => assert!(!der.is_empty()),
        CertificateChain(chain) => assert!((1..=MAX_CERTIFICATES).contains(&chain.len())),
    }
    if let Content::Envelope(envelope) = &bundle.content {
        assert!(envelope.keyid.len() <= MAX_HINT_BYTES);
    }
}

/// An envelope in a bundle that is good but for it: as JSON, and as raw parts.
pub fn dsse(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return raw_envelope(input);
    };
    let model = &good().bundles[0];
    let mut material: serde_json::Value =
        serde_json::from_slice(&model.encode()).expect("what is written can be read");
    let material = material["verificationMaterial"].take();
    let json = format!(
        r#"{{"mediaType":"{}","verificationMaterial":{material},"dsseEnvelope":{text}}}"#,
        model.media_type.as_str()
    );
    if let Ok(bundle) = Bundle::parse(json.as_bytes()) {
        let Content::Envelope(envelope) = &bundle.content else {
            panic!("an envelope became something else");
        };
        open_pae(envelope);
        good().refuse_other_payloads(&bundle);
        assert_eq!(
            Bundle::parse(&bundle.encode()).expect("what is written can be read"),
            bundle
        );
    }
    raw_envelope(input);
}

/// The first byte says where the payload ends and the signature begins, in sixteenths of the input.
fn raw_envelope(input: &[u8]) {
    let Some((&at, rest)) = input.split_first() else {
        return;
    };
    let cut = |sixteenths: u8| rest.len() * usize::from(sixteenths) / 16;
    let (start, end) = (cut(at & 15).min(cut(at >> 4)), cut(at & 15).max(cut(at >> 4)));
    for model in &good().bundles {
        let mut bundle = model.clone();
        let Content::Envelope(envelope) = &mut bundle.content else {
            panic!("the good bundles carry envelopes");
        };
        envelope.payload_type = String::from_utf8_lossy(&rest[..start]).into_owned();
        envelope.payload = rest[start..end].to_vec();
        open_pae(envelope);
        good().refuse_other_payloads(&bundle);
        let Content::Envelope(envelope) = &mut bundle.content else {
            panic!("the good bundles carry envelopes");
        };
        envelope.signature = rest[end..].to_vec();
        good().refuse_other_payloads(&bundle);
    }
}

/// What is signed can be taken apart in one way only.
fn open_pae(envelope: &Envelope) {
    let encoded = pae(&envelope.payload_type, &envelope.payload);
    let rest = encoded.strip_prefix(b"DSSEv1 ").expect("the version");
    let (kind, rest) = counted(rest);
    let rest = rest.strip_prefix(b" ").expect("a space");
    let (payload, rest) = counted(rest);
    assert!(rest.is_empty());
    assert_eq!(kind, envelope.payload_type.as_bytes());
    assert_eq!(payload, envelope.payload);
}

fn counted(bytes: &[u8]) -> (&[u8], &[u8]) {
    let space = bytes.iter().position(|byte| *byte == b' ').expect("a length");
    let length = std::str::from_utf8(&bytes[..space]).expect("digits");
    bytes[space + 1..].split_at(length.parse().expect("a length"))
}

/// A statement: parsed, written canonically, parsed again.
pub fn statement(input: &[u8]) {
    let signed = match SignedStatement::parse(input.to_vec()) {
        Ok(signed) => signed,
        Err(error) => {
            let again = SignedStatement::parse(input.to_vec()).expect_err("one answer to one input");
            assert_eq!(again.code(), error.code());
            return;
        }
    };
    assert_eq!(signed.raw(), input, "the signed bytes are kept");
    assert_eq!(
        SignedStatement::parse(input.to_vec()).expect("one answer to one input"),
        signed
    );
    let statement = signed.statement();
    assert!((1..=MAX_SUBJECTS).contains(&statement.subject.len()));
    for subject in &statement.subject {
        assert!(subject.digest.iter().count() <= MAX_DIGESTS);
    }
    assert!(signed.unknown_fields().len() <= MAX_UNKNOWN_FIELDS);
    assert!(signed.unknown_fields().len() <= signed.unknown_field_count());
    // What carries no unknown fields can be written; then it is read as the same, and written the same.
    if let Ok(written) = statement.encode() {
        let again = SignedStatement::parse(written.clone()).expect("what is written can be read");
        assert_eq!(again.statement(), statement);
        assert_eq!(again.statement().encode().expect("written once before"), written);
    }
}
