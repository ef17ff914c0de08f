//! C2SP signed notes: text, a blank line, signature lines. <https://c2sp.org/signed-note>
//!
//! A note counts as signed by a known key only if every line that names the key verifies; lines of unknown keys are
//! ignored, up to a number. Signing itself happens elsewhere: `SignatureLine::new` takes the finished signature.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use sha2::{Digest as _, Sha256};

use crate::ed25519;
use crate::encoding::{base64_decode, base64_encode};
use crate::merkle::Hash;

/// The largest note that is parsed.
pub const MAX_NOTE_BYTES: usize = 128 * 1024;
/// The most signature lines of unknown keys in a note.
pub const MAX_UNKNOWN_SIGNATURES: usize = 16;
/// The most signature lines in a note.
pub const MAX_SIGNATURES: usize = 32;

const SIGNATURE_PREFIX: &str = "\u{2014} ";
const TYPE_ED25519: u8 = 0x01;
const TYPE_ECDSA: u8 = 0x02;
/// The DER of a P-256 `SubjectPublicKeyInfo` with a named curve, up to the uncompressed point.
const P256_SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

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
            name: key.name.clone(),
            hint: key.hint(),
            signature,
        }
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
        let valid = is_key_name(name) && !signature.is_empty();
        valid.then(|| Self {
            name: name.to_owned(),
            hint: *hint,
            signature: signature.to_vec(),
        })
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
        let (mut signers, mut unknown) = (Vec::<&VerifierKey>::new(), 0);
        for line in &self.signatures {
            let mut named = keys
                .iter()
                .filter(|key| key.name == line.name && key.hint() == line.hint)
                .peekable();
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
            let expected = keys
                .iter()
                .map(|key| key.name.as_str())
                .collect::<Vec<_>>()
                .join(" ");
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

fn is_key_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|char| char.is_whitespace() || char.is_control() || char == '+')
}

/// The algorithm and point of a note key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Ed25519(ed25519_dalek::VerifyingKey),
    /// The DER of the `SubjectPublicKeyInfo`.
    EcdsaP256(Vec<u8>),
}

/// The public key that verifies a log's signature lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    material: Material,
}

impl VerifierKey {
    /// Returns the Ed25519 key with this name.
    pub fn ed25519(name: &str, key: &[u8; 32]) -> Result<Self, NoteError> {
        let name = checked_name(name)?;
        match ed25519::parse(key) {
            Some(key) => Ok(Self {
                name,
                material: Material::Ed25519(key),
            }),
            None => Err(NoteError::Key { name }),
        }
    }

    /// Returns the ECDSA P-256 key with this name, from the DER of its `SubjectPublicKeyInfo`.
    pub fn ecdsa_p256(name: &str, spki_der: &[u8]) -> Result<Self, NoteError> {
        let name = checked_name(name)?;
        match p256_point(spki_der).filter(|point| parse_point(point).is_some()) {
            Some(_) => Ok(Self {
                name,
                material: Material::EcdsaP256(spki_der.to_vec()),
            }),
            None => Err(NoteError::Key { name }),
        }
    }

    /// Returns the name of the key, which is the origin of the logs that follow C2SP.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the whole key identifier, by which Rekor v2 entries and trusted roots name a log.
    pub fn log_id(&self) -> Hash {
        let digest = match &self.material {
            Material::Ed25519(key) => Sha256::new()
                .chain_update(&self.name)
                .chain_update([b'\n', TYPE_ED25519])
                .chain_update(key.as_bytes())
                .finalize(),
            // The exception of the signed-note specification: neither name nor algorithm byte.
            Material::EcdsaP256(spki) => Sha256::digest(spki),
        };
        Hash::from_bytes(digest.into())
    }

    /// Returns the first four bytes of the key identifier, which signature lines carry.
    pub fn hint(&self) -> [u8; 4] {
        let id = self.log_id();
        let [a, b, c, d, ..] = *id.as_bytes();
        [a, b, c, d]
    }

    /// Returns the DER of the key's `SubjectPublicKeyInfo`.
    pub fn spki_der(&self) -> Vec<u8> {
        match &self.material {
            // RFC 8410 §4.
            Material::Ed25519(key) => [
                &[
                    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
                ],
                &key.as_bytes()[..],
            ]
            .concat(),
            Material::EcdsaP256(spki) => spki.clone(),
        }
    }

    /// Returns the protobuf name of the key's algorithm, as trusted roots write it.
    pub fn key_details(&self) -> &'static str {
        match &self.material {
            Material::Ed25519(_) => "PKIX_ED25519",
            Material::EcdsaP256(_) => "PKIX_ECDSA_P256_SHA_256",
        }
    }

    fn is_signature(&self, text: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(text, &signature).is_ok()),
            Material::EcdsaP256(spki) => p256_point(spki)
                .and_then(parse_point)
                .is_some_and(|key| key.verify_sig(text, signature).is_ok()),
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, key) = match &self.material {
            Material::Ed25519(key) => (TYPE_ED25519, key.as_bytes().as_slice()),
            Material::EcdsaP256(spki) => (TYPE_ECDSA, spki.as_slice()),
        };
        let hint = u32::from_be_bytes(self.hint());
        write!(
            f,
            "{}+{hint:08x}+{}",
            self.name,
            base64_encode(&[&[kind], key].concat())
        )
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hint), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::KeyText);
        };
        let bytes = base64_decode(encoded).ok_or(NoteError::KeyText)?;
        let key = match bytes.split_first() {
            Some((&TYPE_ED25519, key)) => {
                Self::ed25519(name, key.try_into().map_err(|_| NoteError::KeyText)?)
            }
            Some((&TYPE_ECDSA, spki)) => Self::ecdsa_p256(name, spki),
            Some((&kind, _)) => Err(NoteError::KeyType { kind }),
            None => Err(NoteError::KeyText),
        }?;
        // One spelling only, which also makes the text's hint agree with its key.
        if hint.len() == 8 && key.to_string() == text {
            Ok(key)
        } else {
            Err(NoteError::KeyText)
        }
    }
}

fn checked_name(name: &str) -> Result<String, NoteError> {
    if is_key_name(name) {
        Ok(name.to_owned())
    } else {
        Err(NoteError::KeyName)
    }
}

/// Returns the uncompressed point of a P-256 key in its one DER spelling.
fn p256_point(spki_der: &[u8]) -> Option<&[u8]> {
    spki_der
        .strip_prefix(&P256_SPKI_PREFIX)
        .filter(|point| point.len() == 65 && point[0] == 0x04)
}

/// Parses the point, which must lie on the curve.
fn parse_point(point: &[u8]) -> Option<ParsedPublicKey> {
    ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).ok()
}
