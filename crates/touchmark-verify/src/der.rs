//! DER, X.690 §8 and §10, read strictly and without copying: one encoding of each value, lengths in their shortest form,
//! nothing indefinite, nothing left over.
//!
//! Reads what certificates and timestamp tokens need and no more. Never recurses by what it reads.

use thiserror::Error;
use touchmark_statement::timestamp::Timestamp;

/// Why bytes are not the DER that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DerError {
    /// The bytes end before the value does.
    #[error("the bytes end before the value does")]
    Truncated,
    /// Another kind of value stands where one was expected.
    #[error("expected a value of tag {expected:#04x}, found {found:#04x}")]
    Tag {
        /// The tag expected.
        expected: u8,
        /// The tag found.
        found: u8,
    },
    /// A tag or length is not in its one form.
    #[error("a tag or length is not in the one form that DER allows")]
    Form,
    /// Bytes follow the value.
    #[error("{found} bytes follow the value")]
    Trailing {
        /// How many.
        found: usize,
    },
    /// A value is not in its one form.
    #[error("a {kind} is not in the one form that DER allows")]
    Value {
        /// The kind of value.
        kind: &'static str,
    },
}

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;

/// Returns the tag of a context-specific field in constructed form.
pub(crate) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// Returns the tag of a context-specific field in primitive form.
pub(crate) const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// One value: its tag, its content, and all of its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// Reads values one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn finish(self) -> Result<(), DerError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DerError::Trailing {
                found: self.rest.len(),
            })
        }
    }

    /// Reads one value of any kind.
    pub(crate) fn any(&mut self) -> Result<Element<'a>, DerError> {
        let (&tag, after) = self.rest.split_first().ok_or(DerError::Truncated)?;
        // Tags of several bytes occur in nothing that is read here.
        if tag & 0x1f == 0x1f {
            return Err(DerError::Form);
        }
        let (&first, after) = after.split_first().ok_or(DerError::Truncated)?;
        let (length, after) = match first {
            0..=0x7f => (usize::from(first), after),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let (bytes, after) = after.split_at_checked(count).ok_or(DerError::Truncated)?;
                let length = bytes
                    .iter()
                    .fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
                let shortest = bytes[0] != 0 && length > 0x7f;
                if !shortest {
                    return Err(DerError::Form);
                }
                (length, after)
            }
            _ => return Err(DerError::Form),
        };
        let (content, rest) = after.split_at_checked(length).ok_or(DerError::Truncated)?;
        let whole = &self.rest[..self.rest.len() - rest.len()];
        self.rest = rest;
        Ok(Element { tag, content, whole })
    }

    /// Reads one value of this tag.
    pub(crate) fn element(&mut self, tag: u8) -> Result<Element<'a>, DerError> {
        let found = *self.rest.first().ok_or(DerError::Truncated)?;
        if found == tag {
            self.any()
        } else {
            Err(DerError::Tag { expected: tag, found })
        }
    }

    /// Reads one value of this tag if it is next.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, DerError> {
        match self.rest.first() {
            Some(found) if *found == tag => self.any().map(Some),
            _ => Ok(None),
        }
    }

    /// Reads the values inside one value of this tag.
    pub(crate) fn nested(&mut self, tag: u8) -> Result<Reader<'a>, DerError> {
        Ok(Reader::new(self.element(tag)?.content))
    }

    /// Reads the content of an object identifier.
    pub(crate) fn oid(&mut self) -> Result<&'a [u8], DerError> {
        let content = self.element(OID)?.content;
        // X.690 §8.19.2: each arc in its shortest form, and the last one complete.
        let complete = content.last().is_some_and(|last| last & 0x80 == 0);
        let shortest = content
            .iter()
            .scan(true, |start, byte| {
                let padded = *start && *byte == 0x80;
                *start = byte & 0x80 == 0;
                Some(!padded)
            })
            .all(|shortest| shortest);
        if complete && shortest {
            Ok(content)
        } else {
            Err(DerError::Value {
                kind: "object identifier",
            })
        }
    }

    /// Reads a BOOLEAN whose default is FALSE. DER leaves a default out, so that only TRUE is ever written, as 0xff.
    pub(crate) fn flag(&mut self) -> Result<bool, DerError> {
        match self.optional(BOOLEAN)?.map(|element| element.content) {
            None => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(DerError::Value { kind: "BOOLEAN" }),
        }
    }

    /// Reads the content of an INTEGER in its shortest form, sign included.
    pub(crate) fn integer(&mut self) -> Result<&'a [u8], DerError> {
        let content = self.element(INTEGER)?.content;
        let shortest = match content {
            [] => false,
            [0x00, next, ..] => next & 0x80 != 0,
            [0xff, next, ..] => next & 0x80 == 0,
            _ => true,
        };
        if shortest {
            Ok(content)
        } else {
            Err(DerError::Value { kind: "INTEGER" })
        }
    }

    /// Reads an INTEGER from 0 to 255.
    pub(crate) fn small(&mut self) -> Result<u8, DerError> {
        match self.integer()? {
            [number] if number & 0x80 == 0 => Ok(*number),
            [0, number] => Ok(*number),
            _ => Err(DerError::Value {
                kind: "small INTEGER",
            }),
        }
    }

    /// Reads a BIT STRING of whole bytes.
    pub(crate) fn bytes_as_bits(&mut self) -> Result<&'a [u8], DerError> {
        match self.element(BIT_STRING)?.content.split_first() {
            Some((0, bytes)) => Ok(bytes),
            _ => Err(DerError::Value { kind: "BIT STRING" }),
        }
    }
}

/// Reads the one value that the bytes are.
pub(crate) fn only(bytes: &[u8], tag: u8) -> Result<Element<'_>, DerError> {
    let mut reader = Reader::new(bytes);
    let element = reader.element(tag)?;
    reader.finish()?;
    Ok(element)
}

/// Returns the text of an object identifier, for messages.
pub(crate) fn dotted(oid: &[u8]) -> String {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc = 0_u64;
    for byte in oid.iter().take(64) {
        arc = arc.saturating_mul(128).saturating_add(u64::from(byte & 0x7f));
        if byte & 0x80 == 0 {
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.extend([first, arc - first * 40]);
            } else {
                arcs.push(arc);
            }
            arc = 0;
        }
    }
    arcs.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

/// Reads a `Time` of a certificate, RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime without fractions after.
pub(crate) fn certificate_time(element: Element<'_>) -> Result<Timestamp, DerError> {
    let invalid = DerError::Value { kind: "time" };
    match (element.tag, element.content) {
        (UTC_TIME, [rest @ .., b'Z']) if rest.len() == 12 => {
            let digits = digits(rest).ok_or(invalid)?;
            let year = i64::from(digits[0]);
            moment(if year < 50 { 2000 + year } else { 1900 + year }, &digits[1..]).ok_or(invalid)
        }
        (GENERALIZED_TIME, [rest @ .., b'Z']) if rest.len() == 14 => {
            let digits = digits(rest).ok_or(invalid)?;
            let year = i64::from(digits[0]) * 100 + i64::from(digits[1]);
            moment(year, &digits[2..]).ok_or(invalid)
        }
        _ => Err(invalid),
    }
}

/// Reads the time of a timestamp, RFC 3161 §2.4.2: GeneralizedTime in UTC, with or without a fraction that does not end
/// in zero. A fraction counts as the whole second after it, so that the time stays an upper bound.
pub(crate) fn stamped_time(content: &[u8]) -> Result<Timestamp, DerError> {
    let invalid = DerError::Value {
        kind: "GeneralizedTime",
    };
    let [rest @ .., b'Z'] = content else {
        return Err(invalid);
    };
    let (whole, fraction) = rest.split_at_checked(14).ok_or(invalid)?;
    let digits = digits(whole).ok_or(invalid)?;
    let year = i64::from(digits[0]) * 100 + i64::from(digits[1]);
    let seconds = moment(year, &digits[2..]).ok_or(invalid)?;
    match fraction {
        [] => Ok(seconds),
        [b'.', decimals @ ..]
            if decimals.len() <= 9
                && decimals.iter().all(u8::is_ascii_digit)
                && decimals.last().is_some_and(|last| *last != b'0') =>
        {
            Timestamp::from_unix(seconds.unix() + 1).map_err(|_| invalid)
        }
        _ => Err(invalid),
    }
}

/// Returns pairs of digits as numbers.
fn digits(text: &[u8]) -> Option<Vec<u8>> {
    let pairs = text.chunks(2).map(|pair| match pair {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + ones - b'0'),
        _ => None,
    });
    pairs.collect()
}

/// Returns the moment of a civil time: year, then month, day, hour, minute, second.
fn moment(year: i64, rest: &[u8]) -> Option<Timestamp> {
    let [month, day, hour, minute, second] = *<&[u8; 5]>::try_from(rest).ok()?;
    let year = i32::try_from(year).ok()?;
    let date = chrono::NaiveDate::from_ymd_opt(year, month.into(), day.into())?;
    // `and_hms_opt` knows no leap second.
    let time = date.and_hms_opt(hour.into(), minute.into(), second.into())?;
    Timestamp::from_unix(time.and_utc().timestamp()).ok()
}

#[cfg(test)]
pub(crate) mod build;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shortest_form_is_read() {
        assert!(only(b"\x04\x01a", OCTET_STRING).is_ok());
        let long = [&[0x04, 0x81, 0x80][..], &[0; 128]].concat();
        assert!(only(&long, OCTET_STRING).is_ok());
        for (bytes, error) in [
            (&b"\x04\x81\x01a"[..], DerError::Form),
            (b"\x04\x82\x00\x01a", DerError::Form),
            (b"\x04\x80a\0\0", DerError::Form),
            (b"\x04\x85\0\0\0\0\x01a", DerError::Form),
            (b"\x04\x02a", DerError::Truncated),
            (b"\x04", DerError::Truncated),
            (b"", DerError::Truncated),
            (b"\x04\x01ab", DerError::Trailing { found: 1 }),
            (
                b"\x05\x00",
                DerError::Tag {
                    expected: 4,
                    found: 5,
                },
            ),
        ] {
            assert_eq!(only(bytes, OCTET_STRING).unwrap_err(), error, "{bytes:?}");
        }
        assert_eq!(Reader::new(b"\x1f\x85\x00").any().unwrap_err(), DerError::Form);
        let refused: [&[u8]; 7] = [
            b"\x02\x00",
            b"\x02\x02\x00\x01",
            b"\x02\x02\xff\x80",
            b"\x01\x01\x01",
            b"\x06\x02\x80\x01",
            b"\x06\x01\x80",
            b"\x06\x00",
        ];
        for bytes in refused {
            let mut reader = Reader::new(bytes);
            let ok = match bytes[0] {
                2 => reader.integer().is_ok(),
                1 => reader.flag().is_ok(),
                _ => reader.oid().is_ok(),
            };
            assert!(!ok, "{bytes:?}");
        }
        assert_eq!(Reader::new(b"\x02\x02\x00\x80").small().unwrap(), 128);
        assert_eq!(
            dotted(b"\x2b\x06\x01\x04\x01\x83\xbf\x30\x01\x08"),
            "1.3.6.1.4.1.57264.1.8"
        );
    }

    #[test]
    fn case_114_times_are_read_strictly() {
        let stamped = |text: &str| stamped_time(text.as_bytes()).map(|time| time.to_string());
        assert_eq!(stamped("20261120120000Z").unwrap(), "2026-11-20T12:00:00Z");
        assert_eq!(stamped("20261120120000.5Z").unwrap(), "2026-11-20T12:00:01Z");
        for text in [
            "20261120120000",
            "20261120120000+0000",
            "20261120120060Z",
            "20261231235960Z",
            "20261320120000Z",
            "20260230120000Z",
            "2026112012000Z",
            "20261120120000.Z",
            "20261120120000.50Z",
            "20261120120000,5Z",
            "20261120120000.0000000001Z",
            "202611201200Z",
            "2026112012000\u{b2}Z",
            "Z",
            "",
        ] {
            assert!(stamped_time(text.as_bytes()).is_err(), "{text:?}");
        }
        let utc = |text: &'static [u8]| {
            certificate_time(Element {
                tag: UTC_TIME,
                content: text,
                whole: text,
            })
        };
        assert_eq!(utc(b"490101000000Z").unwrap().to_string(), "2049-01-01T00:00:00Z");
        assert!(utc(b"4901010000Z").is_err() && utc(b"490101000000+0000").is_err());
    }
}
