//! Writes DER (X.690) piece by piece, so that any piece can be written wrongly.

use chrono::{DateTime, Datelike as _, Utc};

/// Encodes one element: tag, definite length, content.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        short @ 0..=127 => out.push(short as u8),
        long => {
            let bytes = long.to_be_bytes();
            let bytes = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(0)..];
            out.push(0x80 | bytes.len() as u8);
            out.extend_from_slice(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

/// Encodes a SEQUENCE.
pub fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// Encodes a SET OF, its members in DER's order.
pub fn set(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x31, &sorted(parts))
}

/// Returns members in the order in which DER writes a SET OF.
pub fn sorted(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut parts = parts.to_vec();
    parts.sort();
    parts.concat()
}

/// Encodes an explicitly tagged or a constructed implicit field, `[number]`.
pub fn context(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0xa0 | number, content)
}

/// Encodes a primitive implicit field, `[number]`.
pub fn context_primitive(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0x80 | number, content)
}

/// Encodes an OBJECT IDENTIFIER in dotted form.
pub fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted
        .split('.')
        .map(|arc| arc.parse().expect("a number"))
        .collect();
    let mut content = Vec::new();
    push_base128(&mut content, arcs[0] * 40 + arcs[1]);
    for arc in &arcs[2..] {
        push_base128(&mut content, *arc);
    }
    tlv(0x06, &content)
}

fn push_base128(out: &mut Vec<u8>, value: u64) {
    let digits = (64 - value.leading_zeros()).div_ceil(7).max(1);
    for digit in (0..digits).rev() {
        let more = if digit == 0 { 0 } else { 0x80 };
        out.push((value >> (7 * digit)) as u8 & 0x7f | more);
    }
}

/// Encodes a non-negative INTEGER from its big-endian bytes.
pub fn integer(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte != 0);
    let bytes = first.map_or(&[0_u8][..], |first| &bytes[first..]);
    let mut content = Vec::new();
    if bytes[0] & 0x80 != 0 {
        content.push(0);
    }
    content.extend_from_slice(bytes);
    tlv(0x02, &content)
}

/// Encodes a small INTEGER.
pub fn small(value: u64) -> Vec<u8> {
    integer(&value.to_be_bytes())
}

/// Encodes a BIT STRING of whole octets.
pub fn bits(bytes: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], bytes].concat())
}

/// Encodes an OCTET STRING.
pub fn octets(bytes: &[u8]) -> Vec<u8> {
    tlv(0x04, bytes)
}

/// Encodes a UTF8String.
pub fn utf8(text: &str) -> Vec<u8> {
    tlv(0x0c, text.as_bytes())
}

/// Encodes TRUE.
pub fn yes() -> Vec<u8> {
    tlv(0x01, &[0xff])
}

/// Encodes a GeneralizedTime as RFC 5280 and RFC 3161 want it: `YYYYMMDDHHMMSSZ`.
pub fn generalized_time(unix: i64) -> Vec<u8> {
    tlv(0x18, date(unix).format("%Y%m%d%H%M%SZ").to_string().as_bytes())
}

/// Encodes a time of a certificate: UTCTime until 2049, GeneralizedTime after that (RFC 5280 §4.1.2.5).
pub fn certificate_time(unix: i64) -> Vec<u8> {
    if date(unix).year() >= 2050 {
        return generalized_time(unix);
    }
    tlv(0x17, date(unix).format("%y%m%d%H%M%SZ").to_string().as_bytes())
}

fn date(unix: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(unix, 0).expect("a time of this age")
}

/// Encodes a distinguished name of an organisation and a common name.
pub fn name(organization: &str, common_name: &str) -> Vec<u8> {
    let attribute = |kind: &str, value: &str| set(&[sequence(&[oid(kind), utf8(value)])]);
    sequence(&[
        attribute("2.5.4.10", organization),
        attribute("2.5.4.3", common_name),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_the_ones_of_the_standard() {
        assert_eq!(
            oid("1.2.840.113549"),
            [0x06, 0x06, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]
        );
        assert_eq!(integer(&[0, 0x80]), [0x02, 0x02, 0x00, 0x80]);
        assert_eq!(small(0), [0x02, 0x01, 0x00]);
        assert_eq!(tlv(0x04, &[7; 200])[..4], [0x04, 0x81, 200, 7]);
        assert_eq!(generalized_time(0), b"\x18\x0f19700101000000Z");
        assert_eq!(certificate_time(0), b"\x17\x0d700101000000Z");
    }
}
