//! The one base64 dialect of this crate: RFC 4648 §4, padded, no whitespace, no stray trailing bits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Decodes padded standard base64; anything that would not encode back to the same text is refused.
pub(crate) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Encodes padded standard base64.
pub(crate) fn base64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Encodes lowercase hexadecimal digits.
pub(crate) fn hex_encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Decodes lowercase hexadecimal digits, an even number of them.
pub(crate) fn hex_decode(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    pairs.map(byte).collect()
}

/// Parses a decimal number without sign, space or leading zero, no larger than `i64::MAX` (the range of the
/// protobuf fields that carry log indices and sizes).
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if !digits || leading_zero || text.is_empty() || text.len() > 19 {
        return None;
    }
    text.parse::<u64>()
        .ok()
        .filter(|value| i64::try_from(*value).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers_have_one_spelling() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("9223372036854775807"), Some(i64::MAX as u64));
        for text in [
            "",
            "007",
            "+7",
            "7 ",
            " 7",
            "-0",
            "0x7",
            "1e3",
            "9223372036854775808",
            "18446744073709551615",
        ] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
    }

    #[test]
    fn case_12_base64_has_one_spelling() {
        assert_eq!(base64_decode("AQ==").as_deref(), Some(&[1u8][..]));
        for text in ["AQ=\n=", "AQ ==", "AR==", "AQ===", "AQ==AQ==", "-_==", "\n", " "] {
            assert_eq!(base64_decode(text), None, "{text:?}");
        }
    }

    #[test]
    fn case_14_unpadded_base64_is_refused() {
        assert_eq!(base64_decode("AQ"), None);
        assert_eq!(base64_decode("AQI"), None);
    }
}
