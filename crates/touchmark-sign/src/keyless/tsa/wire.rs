//! The DER of timestamp requests and of the few fields of a response that are held against them, RFC 3161 §2.4.
//!
//! Reads only as far as the question reaches. Certificates and signatures in the response are the verifier's.

use touchmark_verify::message::DigestAlgorithm;

use super::TsaError;

const BOOLEAN_TRUE: [u8; 3] = [0x01, 0x01, 0xff];
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const BOOLEAN: u8 = 0x01;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const EXPLICIT_0: u8 = 0xa0;

/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];

/// What a response says that it stamped.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StampedWire<'a> {
    pub(super) algorithm: &'a [u8],
    pub(super) imprint: &'a [u8],
    pub(super) nonce: Option<&'a [u8]>,
}

/// Returns the contents of an algorithm's object identifier.
pub(super) fn object_identifier(digest: DigestAlgorithm) -> &'static [u8] {
    match digest {
        DigestAlgorithm::Sha384 => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02],
        DigestAlgorithm::Sha512 => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03],
        _ => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01],
    }
}

/// Encodes a request that asks for the certificate, too.
pub(super) fn encode_request(digest: DigestAlgorithm, imprint: &[u8], nonce: &[u8]) -> Vec<u8> {
    // RFC 5754 §2: no parameters.
    let algorithm = value(SEQUENCE, &[&value(OID, &[object_identifier(digest)])]);
    let imprint = value(SEQUENCE, &[&algorithm, &value(OCTET_STRING, &[imprint])]);
    let version = value(INTEGER, &[&[1]]);
    let nonce = value(INTEGER, &[nonce]);
    value(SEQUENCE, &[&version, &imprint, &nonce, &BOOLEAN_TRUE])
}

fn value(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let content = contents.concat();
    let mut bytes = vec![tag];
    match content.len() {
        short @ 0..=0x7f => bytes.push(u8::try_from(short).expect("below 128")),
        long => {
            // Requests are far below 256 bytes: digests and nonces are.
            bytes.extend([
                0x81,
                u8::try_from(long).expect("a request has less than 256 bytes"),
            ]);
        }
    }
    bytes.extend(content);
    bytes
}

/// Reads a response that grants a timestamp.
pub(super) fn parse_response(der: &[u8]) -> Result<StampedWire<'_>, TsaError> {
    let mut outer = Reader(der);
    let mut response = outer.nested(SEQUENCE)?;
    outer.finish()?;
    let mut status = response.nested(SEQUENCE)?;
    match status.element(INTEGER)? {
        // Granted. "Granted with modifications" is not what was asked for.
        [0] => {}
        [status] => return Err(TsaError::NotGranted { status: *status }),
        _ => return Err(TsaError::Malformed),
    }
    let mut content_info = response.nested(SEQUENCE)?;
    response.finish()?;
    content_info.expect(OID, SIGNED_DATA)?;
    let mut explicit = content_info.nested(EXPLICIT_0)?;
    let mut signed_data = explicit.nested(SEQUENCE)?;
    signed_data.element(INTEGER)?;
    signed_data.element(SET)?;
    let mut encapsulated = signed_data.nested(SEQUENCE)?;
    encapsulated.expect(OID, TST_INFO)?;
    let mut explicit = encapsulated.nested(EXPLICIT_0)?;
    let mut content = Reader(explicit.element(OCTET_STRING)?);
    let mut info = content.nested(SEQUENCE)?;
    content.finish()?;
    parse_info(&mut info)
}

fn parse_info<'a>(info: &mut Reader<'a>) -> Result<StampedWire<'a>, TsaError> {
    info.expect(INTEGER, &[1])?;
    info.element(OID)?;
    let mut imprint = info.nested(SEQUENCE)?;
    let algorithm = imprint.nested(SEQUENCE)?.element(OID)?;
    let digest = imprint.element(OCTET_STRING)?;
    imprint.finish()?;
    info.element(INTEGER)?;
    info.element(GENERALIZED_TIME)?;
    info.optional(SEQUENCE)?;
    info.optional(BOOLEAN)?;
    let nonce = info.optional(INTEGER)?;
    Ok(StampedWire {
        algorithm,
        imprint: digest,
        nonce,
    })
}

/// Reads values in their shortest form, one after the other; never recurses by what it reads.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn element(&mut self, tag: u8) -> Result<&'a [u8], TsaError> {
        let malformed = TsaError::Malformed;
        let [found, first, after @ ..] = self.0 else {
            return Err(malformed);
        };
        if *found != tag {
            return Err(malformed);
        }
        let (len, after) = match first {
            0..=0x7f => (usize::from(*first), after),
            0x81..=0x83 => {
                let count = usize::from(first & 0x7f);
                let Some((bytes, after)) = after.split_at_checked(count) else {
                    return Err(malformed);
                };
                let len = bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
                if bytes[0] == 0 || len <= 0x7f {
                    return Err(malformed);
                }
                (len, after)
            }
            _ => return Err(malformed),
        };
        let (content, rest) = after.split_at_checked(len).ok_or(malformed)?;
        self.0 = rest;
        Ok(content)
    }

    fn nested(&mut self, tag: u8) -> Result<Reader<'a>, TsaError> {
        Ok(Reader(self.element(tag)?))
    }

    fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, TsaError> {
        match self.0.first() {
            Some(found) if *found == tag => self.element(tag).map(Some),
            _ => Ok(None),
        }
    }

    fn expect(&mut self, tag: u8, content: &[u8]) -> Result<(), TsaError> {
        if self.element(tag)? == content {
            Ok(())
        } else {
            Err(TsaError::Malformed)
        }
    }

    fn finish(self) -> Result<(), TsaError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(TsaError::Malformed)
        }
    }
}
