//! A DSSE envelope with exactly one signature, and its pre-authentication encoding.
//!
//! Nothing here is verified. The payload is the decoded bytes as they were signed; they are never encoded again.
//! <https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md>

use touchmark_statement::digest::Sha256Digest;

/// A DSSE envelope as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The media type of the payload, which the signature covers.
    pub payload_type: String,
    /// The payload, decoded, byte for byte what was signed.
    pub payload: Vec<u8>,
    /// The signer's hint about its key; empty when absent. Never trusted.
    pub keyid: String,
    /// The one signature, decoded.
    pub signature: Vec<u8>,
}

impl Envelope {
    /// Returns the bytes that the signature covers.
    pub fn pae(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }

    /// Returns the SHA-256 of the payload, by which evidence is named.
    pub fn payload_digest(&self) -> Sha256Digest {
        Sha256Digest::of(&self.payload)
    }
}

/// Returns the pre-authentication encoding: `DSSEv1 len(type) type len(payload) payload`, lengths in bytes.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut encoded = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}

#[cfg(test)]
mod tests {
    use super::pae;

    #[test]
    fn matches_the_specification_s_example_and_counts_bytes() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(
            pae("\u{e9}", "\u{e9}".as_bytes()),
            "DSSEv1 2 \u{e9} 2 \u{e9}".as_bytes()
        );
    }
}
