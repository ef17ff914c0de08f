//! The public key of an X.509 certificate, and nothing else of it: the log checks signatures, not chains.

/// Returns the DER of the `SubjectPublicKeyInfo`, if the bytes are exactly one DER certificate (RFC 5280 §4.1).
pub(crate) fn spki(certificate: &[u8]) -> Option<&[u8]> {
    const INTEGER: u8 = 0x02;
    const BIT_STRING: u8 = 0x03;
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;

    let (outer, rest) = element(certificate, SEQUENCE)?;
    if !rest.is_empty() {
        return None;
    }
    let (tbs, rest) = element(outer.content, SEQUENCE)?;
    let (_algorithm, rest) = element(rest, SEQUENCE)?;
    let (_signature, rest) = element(rest, BIT_STRING)?;
    if !rest.is_empty() {
        return None;
    }
    let rest = element(tbs.content, VERSION).map_or(tbs.content, |(_, rest)| rest);
    let (_serial, rest) = element(rest, INTEGER)?;
    let (_algorithm, rest) = element(rest, SEQUENCE)?;
    let (_issuer, rest) = element(rest, SEQUENCE)?;
    let (_validity, rest) = element(rest, SEQUENCE)?;
    let (_subject, rest) = element(rest, SEQUENCE)?;
    let (spki, _extensions) = element(rest, SEQUENCE)?;
    Some(spki.whole)
}

/// One DER element.
struct Element<'a> {
    whole: &'a [u8],
    content: &'a [u8],
}

/// Splits off the element with this tag; lengths must be in their shortest form.
fn element(bytes: &[u8], tag: u8) -> Option<(Element<'_>, &[u8])> {
    let (&[found, first], after) = bytes.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, header) = match first {
        0..=0x7f => (usize::from(first), 2),
        0x81 => (usize::from(*after.first()?), 3),
        0x82 => (usize::from(u16::from_be_bytes(*after.first_chunk()?)), 4),
        // No certificate that fits into an entry is longer.
        _ => return None,
    };
    let shortest = match header {
        3 => length > 0x7f,
        4 => length > 0xff,
        _ => true,
    };
    let (whole, rest) = bytes.split_at_checked(header + length).filter(|_| shortest)?;
    Some((
        Element {
            whole,
            content: &whole[header..],
        },
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wraps content in a DER element.
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = match content.len() {
            short @ 0..=0x7f => vec![short as u8],
            middle @ 0x80..=0xff => vec![0x81, middle as u8],
            long => [&[0x82][..], &(long as u16).to_be_bytes()].concat(),
        };
        [&[tag], &length[..], content].concat()
    }

    fn certificate(spki: &[u8], version: &[u8]) -> Vec<u8> {
        let sequence = der(0x30, &[0x05, 0x00]);
        let tbs = [
            version,
            &der(0x02, &[1]),
            &sequence,
            &sequence,
            &sequence,
            &sequence,
            spki,
        ]
        .concat();
        der(0x30, &[der(0x30, &tbs), sequence, der(0x03, &[0; 70])].concat())
    }

    #[test]
    fn finds_the_key() {
        let key = der(0x30, &[7; 300]);
        assert_eq!(
            spki(&certificate(&key, &der(0xa0, &[2, 1, 2]))),
            Some(key.as_slice())
        );
        assert_eq!(spki(&certificate(&key, &[])), Some(key.as_slice()));
    }

    #[test]
    fn refuses_what_is_not_exactly_one_certificate() {
        let good = certificate(&der(0x30, &[7; 300]), &der(0xa0, &[2, 1, 2]));
        assert_eq!(spki(&[&good[..], &[0]].concat()), None, "trailing byte");
        for end in 0..good.len() {
            assert_eq!(spki(&good[..end]), None, "cut at {end}");
        }
        assert_eq!(spki(&[0x30, 0x80, 0, 0]), None, "indefinite length");
        assert_eq!(
            spki(&[0x30, 0x81, 0x01, 0]),
            None,
            "length not in its shortest form"
        );
    }
}
