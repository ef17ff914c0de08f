//! A bundle as JSON, and the one base64 dialect.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::wire::{
    BundleWire, BytesWire, Capped, ChainWire, EnvelopeWire, HintWire, MaterialWire, MessageDigestWire,
    MessageWire, SignatureWire, TimestampWire, TimestampsWire,
};
use super::{Bundle, BundleError, Content, VerificationMaterial};
use crate::envelope::Envelope;
use crate::message::MessageSignature;

/// Decodes a field of bytes, which must not be empty.
pub(super) fn decode_field(field: &'static str, text: &str) -> Result<Vec<u8>, BundleError> {
    let bytes = STANDARD.decode(text).map_err(|_| BundleError::Base64 { field })?;
    if bytes.is_empty() {
        Err(BundleError::Base64 { field })
    } else {
        Ok(bytes)
    }
}

/// Builds the JSON side of a bundle.
pub(super) fn to_wire(bundle: &Bundle) -> BundleWire {
    let raw = |bytes: &Vec<u8>| BytesWire {
        raw_bytes: STANDARD.encode(bytes),
    };
    let entries = bundle.tlog_entries.iter().map(|entry| {
        let json = String::from_utf8(entry.encode()).expect("JSON is UTF-8");
        RawValue::from_string(json).expect("an encoded entry is JSON")
    });
    let stamps = bundle.timestamps.iter().map(|stamp| TimestampWire {
        signed_timestamp: STANDARD.encode(stamp),
    });
    let mut material = MaterialWire {
        certificate: None,
        public_key: None,
        x509_certificate_chain: None,
        tlog_entries: Some(Capped::new(entries.collect())),
        timestamp_verification_data: (!bundle.timestamps.is_empty()).then(|| TimestampsWire {
            rfc3161_timestamps: Some(Capped::new(stamps.collect())),
        }),
    };
    match &bundle.material {
        VerificationMaterial::PublicKey { hint } => {
            material.public_key = Some(HintWire {
                hint: Some(hint.clone()),
            })
        }
        VerificationMaterial::Certificate(leaf) => material.certificate = Some(raw(leaf)),
        VerificationMaterial::CertificateChain(chain) => {
            material.x509_certificate_chain = Some(ChainWire {
                certificates: Capped::new(chain.iter().map(raw).collect()),
            });
        }
    }
    let (dsse_envelope, message_signature) = match &bundle.content {
        Content::Envelope(envelope) => (Some(envelope_wire(envelope)), None),
        Content::Message(message) => (None, Some(message_wire(message))),
    };
    BundleWire {
        media_type: bundle.media_type.as_str().to_owned(),
        verification_material: material,
        dsse_envelope,
        message_signature,
    }
}

fn message_wire(message: &MessageSignature) -> MessageWire {
    MessageWire {
        message_digest: message.digest.as_ref().map(|digest| MessageDigestWire {
            algorithm: digest.algorithm.protobuf_name().to_owned(),
            digest: STANDARD.encode(&digest.value),
        }),
        signature: STANDARD.encode(&message.signature),
    }
}

fn envelope_wire(envelope: &Envelope) -> EnvelopeWire {
    let signature = SignatureWire {
        sig: STANDARD.encode(&envelope.signature),
        keyid: (!envelope.keyid.is_empty()).then(|| envelope.keyid.clone()),
    };
    EnvelopeWire {
        payload: STANDARD.encode(&envelope.payload),
        payload_type: envelope.payload_type.clone(),
        signatures: Capped::new(vec![signature]),
    }
}
