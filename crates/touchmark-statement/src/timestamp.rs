//! Points in time: UTC, whole seconds, RFC 3339 with `Z`.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::strict_json;

/// A text or number that is not a time we accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// The text is not `YYYY-MM-DDTHH:MM:SSZ`.
    #[error("a time is YYYY-MM-DDTHH:MM:SSZ, without fraction, offset or leap second")]
    Malformed,
    /// The number of seconds is outside the years 1 to 9999.
    #[error("{seconds} seconds since 1970 is outside the years 1 to 9999")]
    OutOfRange {
        /// The number found.
        seconds: i64,
    },
}

impl TimestampError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "timestamp.malformed",
            Self::OutOfRange { .. } => "timestamp.out_of_range",
        }
    }
}

/// A point in time, in whole seconds UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Returns the time that is `seconds` after 1970-01-01T00:00:00Z.
    pub fn from_unix(seconds: i64) -> Result<Self, TimestampError> {
        const FIRST: i64 = -62_135_596_800; // 0001-01-01T00:00:00Z
        const LAST: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z
        let out_of_range = TimestampError::OutOfRange { seconds };
        if !(FIRST..=LAST).contains(&seconds) {
            return Err(out_of_range);
        }
        DateTime::from_timestamp(seconds, 0).map(Self).ok_or(out_of_range)
    }

    /// Returns the number of seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0.timestamp()
    }

    /// Parses any RFC 3339 time as other tools write it, dropping fractions of a second.
    pub fn parse_any_rfc3339(text: &str) -> Result<Self, TimestampError> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| TimestampError::Malformed)?;
        // chrono keeps a leap second as 1,000,000,000 nanoseconds or more.
        if time.timestamp_subsec_nanos() >= 1_000_000_000 {
            return Err(TimestampError::Malformed);
        }
        Self::from_unix(time.timestamp())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        parse_strict(text).ok_or(TimestampError::Malformed)
    }
}

fn parse_strict(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let shape = b"0000-00-00T00:00:00Z";
    let fits = bytes.len() == shape.len()
        && bytes.iter().zip(shape).all(|(byte, model)| match model {
            b'0' => byte.is_ascii_digit(),
            _ => byte == model,
        });
    if !fits {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().ok();
    let date = NaiveDate::from_ymd_opt(number(0..4)?.try_into().ok()?, number(5..7)?, number(8..10)?)?;
    let time: NaiveDateTime = date.and_hms_opt(number(11..13)?, number(14..16)?, number(17..19)?)?;
    Timestamp::from_unix(time.and_utc().timestamp()).ok()
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        strict_json::parse_str(deserializer, "an RFC 3339 time in UTC", |text| {
            text.parse::<Self>().map_err(|error| (error.code(), error))
        })
    }
}

/// Reads an optional time as other tools write it.
pub(crate) fn any_rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let parse = |text: String| {
        Timestamp::parse_any_rfc3339(&text).map_err(|error| strict_json::invalid(error.code(), error))
    };
    text.map(parse).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_the_one_form() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2026-02-28T23:59:59Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
        ] {
            let time: Timestamp = text.parse().unwrap();
            assert_eq!(time.to_string(), text);
            assert_eq!(Timestamp::from_unix(time.unix()), Ok(time));
        }
    }

    #[test]
    fn refuses_every_other_form() {
        let wrong = [
            "2026-02-28T23:59:60Z",
            "2026-02-30T00:00:00Z",
            "2026-02-28T23:59:59",
            "2026-02-28T23:59:59+00:00",
            "2026-02-28T23:59:59.5Z",
            "2026-02-28t23:59:59z",
            "2026-02-28 23:59:59Z",
            "0000-01-01T00:00:00Z",
            "2026-2-28T23:59:59Z",
            "+026-02-28T23:59:59Z",
            "2026-02-28T24:00:00Z",
            "",
            "２026-02-28T23:59:59Z",
        ];
        for text in wrong {
            assert_eq!(
                text.parse::<Timestamp>(),
                Err(TimestampError::Malformed),
                "{text}"
            );
        }
        assert_eq!(
            Timestamp::from_unix(i64::MAX).unwrap_err().code(),
            "timestamp.out_of_range"
        );
    }

    #[test]
    fn reads_what_others_write() {
        let time = Timestamp::parse_any_rfc3339("2026-02-28T23:59:59.987+01:00").unwrap();
        assert_eq!(time.to_string(), "2026-02-28T22:59:59Z");
        assert!(Timestamp::parse_any_rfc3339("2026-02-28T23:59:60Z").is_err());
    }
}
