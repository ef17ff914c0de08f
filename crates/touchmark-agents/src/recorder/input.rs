//! What an importer is given: the files of a session under their caps, up to a watermark.

use crate::error::ImportError;
use crate::limits::{MAX_FILES, MAX_SESSION_BYTES};
use crate::session::SessionFile;

/// Returns the bytes of a file up to the watermark; a file that is shorter was rewritten.
pub(crate) fn up_to(file: &SessionFile, up_to: Option<u64>) -> Result<&[u8], ImportError> {
    let Some(up_to) = up_to else {
        return Ok(&file.bytes);
    };
    let shrunk = || ImportError::Shrunk {
        name: file.name.clone(),
        len: file.bytes.len() as u64,
        up_to,
    };
    usize::try_from(up_to)
        .ok()
        .and_then(|end| file.bytes.get(..end))
        .ok_or_else(shrunk)
}

/// The error of a session that has too many bytes.
pub(crate) fn too_large() -> ImportError {
    ImportError::TooLarge {
        what: "bytes",
        limit: MAX_SESSION_BYTES,
    }
}

/// Refuses a session that has too many bytes.
pub(crate) fn check_size(bytes: u64) -> Result<(), ImportError> {
    if bytes > MAX_SESSION_BYTES {
        Err(too_large())
    } else {
        Ok(())
    }
}

/// Refuses a session of too many files.
pub(crate) fn check_file_count(count: usize) -> Result<(), ImportError> {
    if count > MAX_FILES {
        Err(ImportError::TooLarge {
            what: "files",
            limit: MAX_FILES as u64,
        })
    } else {
        Ok(())
    }
}

/// Returns a JSON number as a decimal without exponent, or `None` where it is no such number.
pub(crate) fn decimal(number: &str) -> Option<String> {
    let plain = |text: &str| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits =
            |part: &str| !part.is_empty() && part.len() <= 30 && part.bytes().all(|b| b.is_ascii_digit());
        digits(whole) && digits(fraction)
    };
    if plain(number) {
        return Some(number.to_owned());
    }
    let value: f64 = number.parse().ok()?;
    let text = format!("{value}");
    (value >= 0.0 && plain(&text)).then_some(text)
}

/// Returns bytes as text: what follows the first byte that is no UTF-8 is left out.
pub(crate) fn utf8_prefix(bytes: &[u8]) -> (&str, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text, true),
        Err(error) => {
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            (valid, false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_no_exponent() {
        for (number, expected) in [
            ("0.76586", Some("0.76586")),
            ("3", Some("3")),
            ("1e-5", Some("0.00001")),
            ("1E2", Some("100")),
            ("-1", None),
            ("1e999", None),
            ("\"1\"", None),
            ("null", None),
            ("[]", None),
        ] {
            assert_eq!(decimal(number).as_deref(), expected, "{number}");
        }
    }
}
