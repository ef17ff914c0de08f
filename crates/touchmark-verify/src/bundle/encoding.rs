//! A bundle as JSON, and the one base64 dialect.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::wire::{
    BundleWire, BytesWire, Capped, ChainWire, EnvelopeWire, HintWire, MaterialWire, SignatureWire,
    TimestampWire, TimestampsWire,
};
use super::{Bundle, BundleError, VerificationMaterial};

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
    let envelope = &bundle.envelope;
    let signature = SignatureWire {
        sig: STANDARD.encode(&envelope.signature),
        keyid: (!envelope.keyid.is_empty()).then(|| envelope.keyid.clone()),
    };
    BundleWire {
        media_type: bundle.media_type.as_str().to_owned(),
        verification_material: material,
        dsse_envelope: Some(EnvelopeWire {
            payload: STANDARD.encode(&envelope.payload),
            payload_type: envelope.payload_type.clone(),
            signatures: Capped::new(vec![signature]),
        }),
        message_signature: None,
    }
}
