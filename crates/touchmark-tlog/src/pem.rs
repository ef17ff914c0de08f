//! The PEM of a certificate or public key inside a Rekor v1 body (RFC 7468), read strictly: one block, nothing else.
//!
//! Private keys never come through here: any other label is refused before anything is decoded.

use crate::encoding::{base64_decode, base64_encode};

/// The largest PEM text that is looked at.
const MAX_PEM_BYTES: usize = 64 * 1024;

/// Decodes the one block of a text, whose label must be among those expected.
pub(crate) fn decode<'l>(text: &[u8], expected: &[&'l str]) -> Option<(&'l str, Vec<u8>)> {
    if text.len() > MAX_PEM_BYTES {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let mut lines = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line));
    let begin = lines.next()?;
    let label = *expected
        .iter()
        .find(|label| begin == format!("-----BEGIN {label}-----"))?;
    let end = format!("-----END {label}-----");
    let mut base64 = String::with_capacity(text.len());
    let (mut width, mut last) = (None, false);
    loop {
        let line = lines.next()?;
        if line == end {
            break;
        }
        let full = *width.get_or_insert(line.len());
        // Every line but the last is as long as the first; some writers use one long line.
        if last || line.is_empty() || line.len() > full {
            return None;
        }
        last = line.len() < full;
        base64.push_str(line);
    }
    let trailing = lines.next().is_some_and(|rest| !rest.is_empty()) || lines.next().is_some();
    let der = base64_decode(&base64).filter(|der| !der.is_empty())?;
    (!trailing).then_some((label, der))
}

/// Encodes one block with lines of 64 characters, ending in a line feed.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let base64 = base64_encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in base64.as_bytes().chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_survives_the_round_trip_and_nothing_may_stand_beside_it() {
        for len in [1, 47, 48, 49, 200] {
            let der: Vec<u8> = (0..len).collect();
            let text = encode("CERTIFICATE", &der);
            let decoded = decode(text.as_bytes(), &["PUBLIC KEY", "CERTIFICATE"]);
            assert_eq!(decoded, Some(("CERTIFICATE", der)), "{text}");
            for broken in [
                format!(" {text}"),
                format!("{text} "),
                format!("{text}{text}"),
                format!("{text}\n"),
                text.replace("-----END CERTIFICATE-----", "-----END PUBLIC KEY-----"),
                text.replace("CERTIFICATE", "PRIVATE KEY"),
                text.replacen('\n', "\n\n", 1),
            ] {
                assert_eq!(decode(broken.as_bytes(), &["CERTIFICATE"]), None, "{broken}");
            }
        }
        let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
        assert_eq!(decode(empty.as_bytes(), &["CERTIFICATE"]), None);
    }
}
