//! Amounts of money: decimal numbers that stay text, so that nothing rounds them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::strict_json;

/// A text that is not a decimal amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an amount is digits with an optional fraction, such as 0.25; no sign, exponent or leading zero")]
pub struct DecimalError;

impl DecimalError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        "decimal.malformed"
    }
}

/// An amount that is not negative, at most 18 digits on either side of the point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DecimalAmount(Box<str>);

impl DecimalAmount {
    /// Returns the amount as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DecimalAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DecimalAmount {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let digits =
            |part: &str| (1..=18).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, fraction) = text
            .split_once('.')
            .map_or((text, None), |(whole, rest)| (whole, Some(rest)));
        let fits = digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(digits);
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(DecimalError)
        }
    }
}

impl Serialize for DecimalAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DecimalAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        strict_json::parse_str(deserializer, "a decimal amount as a string", |text| {
            text.parse::<Self>().map_err(|error| (error.code(), error))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_plain_decimal() {
        for text in [
            "0",
            "12",
            "0.25",
            "10.50",
            "999999999999999999.000000000000000001",
        ] {
            assert_eq!(text.parse::<DecimalAmount>().unwrap().as_str(), text);
        }
        for text in [
            "",
            ".5",
            "5.",
            "-1",
            "+1",
            "01",
            "1e3",
            "1,5",
            "1.2.3",
            "NaN",
            "１",
            "1000000000000000000",
        ] {
            assert_eq!(text.parse::<DecimalAmount>(), Err(DecimalError), "{text}");
        }
    }
}
