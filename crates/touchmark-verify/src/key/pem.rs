//! Textual encoding (RFC 7468) read strictly: one block, one expected label, nothing before, between or after.
//!
//! Ready-made readers accept text around the block, take the first of two blocks, or accept any label. The contents
//! are kept in zeroizing memory, since private keys are read through here too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use zeroize::Zeroizing;

use super::error::shown;

/// Largest PEM text that is looked at.
pub const MAX_PEM_BYTES: usize = 64 * 1024;
const MAX_LINE_CHARS: usize = 76;
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// The text is not exactly one expected PEM block.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PemError {
    /// Longer than any key file.
    #[error("PEM text has {found} bytes, at most {max} are read")]
    TooLarge {
        /// Bytes found.
        found: usize,
        /// The cap.
        max: usize,
    },
    /// No block begins at the first byte.
    #[error("text does not begin with a PEM block")]
    NoBlock,
    /// Something follows the block.
    #[error("text follows the PEM block")]
    Trailing,
    /// The label is not one of those expected.
    #[error("PEM block is labelled `{found}`, expected `{expected}`")]
    Label {
        /// The first label expected.
        expected: &'static str,
        /// The label found, shortened and with unusual characters replaced.
        found: String,
    },
    /// Header lines, uneven lines, characters outside base64 or no end line.
    #[error("PEM block is not well formed")]
    Malformed,
}

impl PemError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            PemError::TooLarge { .. } => "key.pem_too_large",
            PemError::NoBlock => "key.pem_no_block",
            PemError::Trailing => "key.pem_surrounding_text",
            PemError::Label { .. } => "key.pem_label",
            PemError::Malformed => "key.pem_malformed",
        }
    }
}

/// One decoded block.
pub struct Block {
    /// The label, one of those the caller expected.
    pub label: &'static str,
    /// The decoded bytes.
    pub contents: Zeroizing<Vec<u8>>,
}

/// Returns whether the text contains the begin line of any kind of private key.
pub fn mentions_private_key(text: &[u8]) -> bool {
    const MARK: &[u8] = b"PRIVATE KEY-----";
    text.windows(MARK.len()).any(|window| window == MARK)
}

/// Returns the label of the block at the start of the text, without decoding anything.
pub fn label(text: &[u8]) -> Result<&str, PemError> {
    if text.len() > MAX_PEM_BYTES {
        return Err(PemError::TooLarge {
            found: text.len(),
            max: MAX_PEM_BYTES,
        });
    }
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|_| PemError::NoBlock)?;
    let line = line.strip_suffix('\r').unwrap_or(line);
    line.strip_prefix(BEGIN)
        .and_then(|rest| rest.strip_suffix(DASHES))
        .ok_or(PemError::NoBlock)
}

/// Decodes the one block whose label must be among `expected`; the first of those is named in errors.
pub fn decode(text: &[u8], expected: &[&'static str]) -> Result<Block, PemError> {
    let found = label(text)?;
    let known = expected.iter().find(|label| **label == found);
    let label = *known.ok_or_else(|| PemError::Label {
        expected: expected.first().copied().unwrap_or_default(),
        found: found.split(' ').map(shown).collect::<Vec<_>>().join(" "),
    })?;
    let text = std::str::from_utf8(text).map_err(|_| PemError::Malformed)?;
    let end = format!("{END}{label}{DASHES}");
    let mut lines = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .skip(1);
    let mut base64 = Zeroizing::new(String::with_capacity(text.len()));
    let (mut width, mut last) = (None, false);
    loop {
        let line = lines.next().ok_or(PemError::Malformed)?;
        if line == end {
            break;
        }
        let full = *width.get_or_insert(line.len());
        // Every line but the last is as long as the first.
        if last || line.is_empty() || line.len() > full || line.len() > MAX_LINE_CHARS {
            return Err(PemError::Malformed);
        }
        last = line.len() < full;
        base64.push_str(line);
    }
    // After the end line: nothing, or one line end.
    if lines.next().is_some_and(|rest| !rest.is_empty()) || lines.next().is_some() {
        return Err(PemError::Trailing);
    }
    let mut contents = Zeroizing::new(vec![0; base64.len()]);
    let len = STANDARD
        .decode_slice(base64.as_bytes(), &mut contents)
        .map_err(|_| PemError::Malformed)?;
    contents.truncate(len);
    if contents.is_empty() {
        Err(PemError::Malformed)
    } else {
        Ok(Block { label, contents })
    }
}

/// Encodes one block with lines of 64 characters, ending in a line feed.
pub fn encode(label: &str, contents: &[u8]) -> String {
    let base64 = Zeroizing::new(STANDARD.encode(contents));
    // Room for everything at once: growing would leave copies of a private key behind.
    let mut text = String::with_capacity(base64.len() + base64.len() / 64 + 2 * (label.len() + 20));
    for part in [BEGIN, label, DASHES, "\n"] {
        text.push_str(part);
    }
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = next;
    }
    for part in [END, label, DASHES, "\n"] {
        text.push_str(part);
    }
    text
}
