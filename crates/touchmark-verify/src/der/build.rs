//! Builds DER for tests, right and wrong.

/// Encodes one value.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut encoded = vec![tag];
    match content.len() {
        short @ 0..=0x7f => encoded.push(short as u8),
        middle @ 0x80..=0xff => encoded.extend([0x81, middle as u8]),
        long => encoded.extend([0x82, (long >> 8) as u8, long as u8]),
    }
    encoded.extend(content);
    encoded
}

/// Encodes a SEQUENCE of these values.
pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// Encodes an extension; `critical` as it is to be written, absent if `None`.
pub(crate) fn extension(oid: &[u8], critical: Option<u8>, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![tlv(0x06, oid)];
    parts.extend(critical.map(|critical| tlv(0x01, &[critical])));
    parts.push(tlv(0x04, value));
    sequence(&parts)
}

/// A certificate in parts, with nothing valid but its form.
pub(crate) struct Parts {
    pub(crate) version: u8,
    pub(crate) inner_algorithm: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) not_before: Vec<u8>,
    pub(crate) not_after: Vec<u8>,
    pub(crate) spki: Vec<u8>,
    pub(crate) extensions: Vec<Vec<u8>>,
}

/// ecdsa-with-SHA256
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

impl Default for Parts {
    fn default() -> Self {
        Self {
            version: 2,
            inner_algorithm: sequence(&[tlv(0x06, ECDSA_SHA256)]),
            subject: sequence(&[]),
            not_before: tlv(0x17, b"260101000000Z"),
            not_after: tlv(0x17, b"260101001000Z"),
            spki: sequence(&[]),
            extensions: Vec::new(),
        }
    }
}

impl Parts {
    /// Returns the DER of the certificate.
    pub(crate) fn der(&self) -> Vec<u8> {
        let mut tbs = vec![
            tlv(0xa0, &tlv(0x02, &[self.version])),
            tlv(0x02, &[7]),
            self.inner_algorithm.clone(),
            sequence(&[tlv(0x31, b"issuer")]),
            sequence(&[self.not_before.clone(), self.not_after.clone()]),
            self.subject.clone(),
            self.spki.clone(),
        ];
        if !self.extensions.is_empty() {
            tbs.push(tlv(0xa3, &sequence(&self.extensions)));
        }
        let algorithm = sequence(&[tlv(0x06, ECDSA_SHA256)]);
        sequence(&[sequence(&tbs), algorithm, tlv(0x03, b"\0signature")])
    }
}
