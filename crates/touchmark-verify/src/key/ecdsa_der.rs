//! `ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279 §2.2.3) in strict DER, both ways.
//!
//! Signatures of P-256 and P-384 never need a long-form length, so every long form is BER and refused.

use thiserror::Error;

use super::{KeyAlgorithm, SignatureError};

/// What is wrong with the DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DerFault {
    /// Not a SEQUENCE of two INTEGERs.
    #[error("expected a SEQUENCE of two INTEGERs")]
    Structure,
    /// A length in long or indefinite form.
    #[error("length is not in its shortest form")]
    Length,
    /// Bytes after the SEQUENCE or inside it after the second INTEGER.
    #[error("bytes follow the signature")]
    Trailing,
    /// An INTEGER with a needless leading zero byte.
    #[error("INTEGER is not in its shortest form")]
    NotMinimal,
    /// An INTEGER below one.
    #[error("INTEGER is zero or negative")]
    NotPositive,
    /// An INTEGER longer than the curve's order.
    #[error("INTEGER is larger than the group order")]
    TooLarge,
}

/// The two halves of a signature, big-endian without leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halves<'a> {
    /// The first INTEGER.
    pub r: &'a [u8],
    /// The second INTEGER.
    pub s: &'a [u8],
}

/// Parses a strict DER signature for `algorithm`; the halves are positive and no longer than the group order.
pub fn parse(algorithm: KeyAlgorithm, signature: &[u8]) -> Result<Halves<'_>, SignatureError> {
    parse_der(algorithm.field_len(), signature).map_err(|fault| {
        // Named apart because it is the usual mistake of other tools, not an attack. A raw signature may begin with
        // the header of a SEQUENCE of its own length by chance: then it is malformed DER, and refused all the same.
        let raw_len = 2 * algorithm.field_len();
        let has_header = signature.first_chunk() == Some(&[0x30, u8::try_from(raw_len - 2).unwrap_or(0)]);
        if signature.len() == raw_len && !has_header {
            SignatureError::RawWhereDerExpected { len: raw_len }
        } else {
            SignatureError::Der(fault)
        }
    })
}

/// Encodes two big-endian numbers, leading zeros allowed, as a DER signature.
///
/// Refuses zero and anything longer than the group order of `algorithm`, so the result always parses.
pub fn encode(algorithm: KeyAlgorithm, r: &[u8], s: &[u8]) -> Result<Vec<u8>, DerFault> {
    let mut content = integer(algorithm, r)?;
    content.extend(integer(algorithm, s)?);
    // At most 2 * (2 + 49) bytes, so the short form always holds.
    let len = u8::try_from(content.len()).map_err(|_| DerFault::TooLarge)?;
    Ok([&[0x30, len][..], &content].concat())
}

fn integer(algorithm: KeyAlgorithm, number: &[u8]) -> Result<Vec<u8>, DerFault> {
    let start = number
        .iter()
        .position(|byte| *byte != 0)
        .ok_or(DerFault::NotPositive)?;
    let number = &number[start..];
    if number.len() > algorithm.field_len() {
        return Err(DerFault::TooLarge);
    }
    let pad: &[u8] = if number[0] & 0x80 != 0 { &[0] } else { &[] };
    let len = u8::try_from(pad.len() + number.len()).map_err(|_| DerFault::TooLarge)?;
    Ok([&[0x02, len][..], pad, number].concat())
}

fn parse_der(field_len: usize, signature: &[u8]) -> Result<Halves<'_>, DerFault> {
    let (content, rest) = element(0x30, signature)?;
    if !rest.is_empty() {
        return Err(DerFault::Trailing);
    }
    let (r, rest) = element(0x02, content)?;
    let (s, rest) = element(0x02, rest)?;
    if !rest.is_empty() {
        return Err(DerFault::Trailing);
    }
    Ok(Halves {
        r: positive(field_len, r)?,
        s: positive(field_len, s)?,
    })
}

fn element(tag: u8, input: &[u8]) -> Result<(&[u8], &[u8]), DerFault> {
    let (&found, input) = input.split_first().ok_or(DerFault::Structure)?;
    if found != tag {
        return Err(DerFault::Structure);
    }
    let (&len, input) = input.split_first().ok_or(DerFault::Structure)?;
    if len & 0x80 != 0 {
        return Err(DerFault::Length);
    }
    input
        .split_at_checked(usize::from(len))
        .ok_or(DerFault::Structure)
}

fn positive(field_len: usize, integer: &[u8]) -> Result<&[u8], DerFault> {
    let number = match integer {
        [] => return Err(DerFault::Structure),
        [0] => return Err(DerFault::NotPositive),
        [0, next, ..] if next & 0x80 == 0 => return Err(DerFault::NotMinimal),
        [0, number @ ..] => number,
        [first, ..] if first & 0x80 != 0 => return Err(DerFault::NotPositive),
        number => number,
    };
    if number.len() > field_len {
        Err(DerFault::TooLarge)
    } else {
        Ok(number)
    }
}
