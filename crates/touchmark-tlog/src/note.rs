//! C2SP signed notes: text, a blank line, signature lines. <https://c2sp.org/signed-note>
//!
//! A note counts as signed by a known key only if every line that names the key verifies; lines of unknown keys are
//! ignored, up to a number. Signing itself happens elsewhere: `SignatureLine::new` takes the finished signature.

mod key;

use std::fmt;

use crate::encoding::{base64_decode, base64_encode};

pub use key::VerifierKey;

/// The largest note that is parsed.
pub const MAX_NOTE_BYTES: usize = 128 * 1024;
/// The most signature lines of unknown keys in a note.
pub const MAX_UNKNOWN_SIGNATURES: usize = 16;
/// The most signature lines in a note.
pub const MAX_SIGNATURES: usize = 32;

const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// Why a note or a key of a note was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// The note is larger than the limit.
    #[error("a note may have at most {MAX_NOTE_BYTES} bytes, found {found}")]
    TooLarge {
        /// The number of bytes found.
        found: usize,
    },
    /// The note is not text, has control characters, or has no blank line before its signatures.
    #[error("the note is not text followed by a blank line and signature lines")]
    Structure,
    /// A signature line does not have the form of one.
    #[error("signature line {line} of the note is malformed")]
    SignatureLine {
        /// The number of the line, from 1.
        line: usize,
    },
    /// The note has too many signature lines.
    #[error(
        "a note may have at most {MAX_UNKNOWN_SIGNATURES} signatures of unknown keys and {MAX_SIGNATURES} in all"
    )]
    TooManySignatures,
    /// A line that names a known key does not verify with it.
    #[error("the note's signature line of {name:?} does not verify")]
    InvalidSignature {
        /// The name on the line.
        name: String,
    },
    /// No known key has signed the note.
    #[error("the note has no signature of the expected key {expected:?}")]
    Unsigned {
        /// The names of the keys expected, separated by spaces.
        expected: String,
    },
    /// The key's name is empty or has a space or plus sign.
    #[error("the name of a note key must be text without spaces and plus signs")]
    KeyName,
    /// The text is not a verifier key, or its parts contradict each other.
    #[error("not a verifier key of the form name+hash+key")]
    KeyText,
    /// The key's algorithm is none that this program verifies.
    #[error("note keys of type {kind:#04x} are not supported")]
    KeyType {
        /// The algorithm byte.
        kind: u8,
    },
    /// The key is not a valid point, not canonically encoded, or of low order.
    #[error("the note key of {name:?} is not a usable public key")]
    Key {
        /// The name of the key.
        name: String,
    },
}

impl NoteError {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "tlog.note_size",
            Self::Structure => "tlog.note_structure",
            Self::SignatureLine { .. } => "tlog.note_signature_line",
            Self::TooManySignatures => "tlog.note_signatures",
            Self::InvalidSignature { .. } => "tlog.note_signature",
            Self::Unsigned { .. } => "tlog.note_unsigned",
            Self::KeyName => "tlog.note_key_name",
            Self::KeyText => "tlog.note_key_text",
            Self::KeyType { .. } => "tlog.note_key_type",
            Self::Key { .. } => "tlog.note_key",
        }
    }
}

/// One signature line of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    name: String,
    hint: [u8; 4],
    signature: Vec<u8>,
}

impl SignatureLine {
    /// Returns the line that carries this signature of this key.
    pub fn new(key: &VerifierKey, signature: Vec<u8>) -> Self {
        Self {
            name: key.name().to_owned(),
            hint: key.hint(),
            signature,
        }
    }

    /// Returns the line with this name and hint; `None` if no key has such a name, or the signature is empty.
    pub fn from_parts(name: &str, hint: [u8; 4], signature: Vec<u8>) -> Option<Self> {
        (is_key_name(name) && !signature.is_empty()).then(|| Self {
            name: name.to_owned(),
            hint,
            signature,
        })
    }

    /// Returns the name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the first four bytes of the key's identifier.
    pub fn hint(&self) -> [u8; 4] {
        self.hint
    }

    /// Returns the signature, without the hint before it.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE_PREFIX)?.split_once(' ')?;
        let bytes = base64_decode(encoded)?;
        let (hint, signature) = bytes.split_first_chunk::<4>()?;
        Self::from_parts(name, *hint, signature.to_vec())
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.hint, self.signature.as_slice()].concat();
        write!(f, "{SIGNATURE_PREFIX}{} {}", self.name, base64_encode(&bytes))
    }
}

/// A note and the signatures it claims to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

impl Note {
    /// Returns the note with this text, which must end in a newline and have no other control character.
    pub fn new(text: String, signatures: Vec<SignatureLine>) -> Result<Self, NoteError> {
        if is_note_text(&text) {
            Ok(Self { text, signatures })
        } else {
            Err(NoteError::Structure)
        }
    }

    /// Parses a note; nothing is verified.
    pub fn parse(note: &[u8]) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge { found: note.len() });
        }
        let note = std::str::from_utf8(note).map_err(|_| NoteError::Structure)?;
        let blank = note.rfind("\n\n").ok_or(NoteError::Structure)?;
        let (text, lines) = (&note[..=blank], &note[blank + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Structure)?;
        if lines.split('\n').nth(MAX_SIGNATURES).is_some() {
            return Err(NoteError::TooManySignatures);
        }
        let signatures = lines
            .split('\n')
            .enumerate()
            .map(|(at, line)| SignatureLine::parse(line).ok_or(NoteError::SignatureLine { line: at + 1 }))
            .collect::<Result<_, _>>()?;
        Self::new(text.to_owned(), signatures)
    }

    /// Returns the text of the note, which is what its signatures cover.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the signature lines, verified or not.
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Encodes the note.
    pub fn encode(&self) -> String {
        let mut note = format!("{}\n", self.text);
        for line in &self.signatures {
            note.push_str(&line.to_string());
            note.push('\n');
        }
        note
    }

    /// Verifies the note and returns those of the given keys that signed it, each once; there is at least one.
    ///
    /// A line with the name and hint of given keys must verify with one of them, or the whole note is refused.
    pub fn verify<'k>(&self, keys: &[&'k VerifierKey]) -> Result<Vec<&'k VerifierKey>, NoteError> {
        self.verify_lines(keys, |line, key| {
            key.name() == line.name && key.hint() == line.hint
        })
    }

    /// Verifies the note as one of Rekor v1: its signature lines have this name, and as hint the beginning of the
    /// digest of the key's `SubjectPublicKeyInfo`, whatever the key's type.
    pub fn verify_rekor_v1(&self, name: &str, key: &VerifierKey) -> Result<(), NoteError> {
        let hint = key.spki_hint();
        self.verify_lines(&[key], |line, _| line.name == name && line.hint == hint)
            .map(|_| ())
    }

    fn verify_lines<'k>(
        &self,
        keys: &[&'k VerifierKey],
        names: impl Fn(&SignatureLine, &VerifierKey) -> bool,
    ) -> Result<Vec<&'k VerifierKey>, NoteError> {
        let (mut signers, mut unknown) = (Vec::<&VerifierKey>::new(), 0);
        for line in &self.signatures {
            let mut named = keys.iter().filter(|key| names(line, key)).peekable();
            if named.peek().is_none() {
                unknown += 1;
                continue;
            }
            let signer = named
                .find(|key| key.is_signature(self.text.as_bytes(), &line.signature))
                .ok_or_else(|| NoteError::InvalidSignature {
                    name: line.name.clone(),
                })?;
            if !signers.contains(signer) {
                signers.push(*signer);
            }
        }
        if unknown > MAX_UNKNOWN_SIGNATURES || self.signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        if signers.is_empty() {
            let expected = keys.iter().map(|key| key.name()).collect::<Vec<_>>().join(" ");
            return Err(NoteError::Unsigned { expected });
        }
        Ok(signers)
    }
}

fn is_note_text(text: &str) -> bool {
    text.ends_with('\n')
        && !text
            .bytes()
            .any(|byte| byte < 0x20 && byte != b'\n' || byte == 0x7f)
}

pub(crate) fn is_key_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|char| char.is_whitespace() || char.is_control() || char == '+')
}
