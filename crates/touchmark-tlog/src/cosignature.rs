//! C2SP cosignatures: a witness's word that a checkpoint is consistent with every one of this log that it saw before.
//!
//! Ed25519 (`cosignature/v1`) and ML-DSA-44 lines are verified; a line of a known witness that does not verify spoils
//! the note. The time in a cosignature is the witness's claim: it is reported, and no time source of its own.
//! <https://c2sp.org/tlog-cosignature>

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ML_DSA_44, ParsedPublicKey};
use sha2::{Digest as _, Sha256};

use crate::checkpoint::{Checkpoint, VerifiedCheckpoint};
use crate::ed25519;
use crate::encoding::{base64_decode, base64_encode};
use crate::note::{Note, SignatureLine, is_key_name};

const TYPE_ED25519: u8 = 0x04;
const TYPE_ML_DSA_44: u8 = 0x06;
/// The length of an ML-DSA-44 public key, FIPS 204.
pub const ML_DSA_44_KEY_BYTES: usize = 1312;

/// Why a witness's key or cosignature was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CosignatureError {
    /// The text is not a witness's key, or its parts contradict each other.
    #[error("not a witness key of the form name+hash+key")]
    KeyText,
    /// The key's type is none for cosignatures.
    #[error("keys of type {kind:#04x} are not for cosignatures")]
    KeyType {
        /// The type byte found.
        kind: u8,
    },
    /// The key is not a valid point, not canonically encoded, of low order, or has the wrong length.
    #[error("the key of witness {name:?} is not a usable public key")]
    Key {
        /// The name of the witness.
        name: String,
    },
    /// A line of a known witness does not verify.
    #[error("the cosignature of witness {name:?} does not verify")]
    Invalid {
        /// The name on the line.
        name: String,
    },
}

impl CosignatureError {
    /// Returns the stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeyText => "tlog.witness_key_text",
            Self::KeyType { .. } => "tlog.witness_key_type",
            Self::Key { .. } => "tlog.witness_key",
            Self::Invalid { .. } => "tlog.cosignature",
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
enum Material {
    Ed25519(ed25519_dalek::VerifyingKey),
    MlDsa44(Box<[u8]>),
}

/// The public key by which a witness is known.
#[derive(Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    material: Material,
}

/// One verified cosignature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness's time, in Unix seconds; 0 where an ML-DSA-44 witness states none.
    pub timestamp: u64,
}

impl WitnessKey {
    /// Returns the Ed25519 witness with this name.
    pub fn ed25519(name: &str, key: &[u8; 32]) -> Result<Self, CosignatureError> {
        let unusable = || CosignatureError::Key {
            name: name.to_owned(),
        };
        let key = ed25519::parse(key)
            .filter(|_| is_key_name(name))
            .ok_or_else(unusable)?;
        Ok(Self {
            name: name.to_owned(),
            material: Material::Ed25519(key),
        })
    }

    /// Returns the ML-DSA-44 witness with this name.
    pub fn ml_dsa_44(name: &str, key: &[u8]) -> Result<Self, CosignatureError> {
        // Its message holds the name after a length of one byte.
        let usable = is_key_name(name)
            && name.len() <= 255
            && key.len() == ML_DSA_44_KEY_BYTES
            && ParsedPublicKey::new(&ML_DSA_44, key).is_ok();
        if !usable {
            return Err(CosignatureError::Key {
                name: name.to_owned(),
            });
        }
        Ok(Self {
            name: name.to_owned(),
            material: Material::MlDsa44(key.into()),
        })
    }

    /// Returns the name of the key, which signature lines carry.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the public key without name and type: keys are the same witness if these are equal.
    pub fn key_bytes(&self) -> &[u8] {
        match &self.material {
            Material::Ed25519(key) => key.as_bytes(),
            Material::MlDsa44(key) => key,
        }
    }

    /// Returns the first four bytes of the key identifier, which signature lines carry.
    pub fn hint(&self) -> [u8; 4] {
        let id = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', self.kind()])
            .chain_update(self.key_bytes())
            .finalize();
        [id[0], id[1], id[2], id[3]]
    }

    fn kind(&self) -> u8 {
        match &self.material {
            Material::Ed25519(_) => TYPE_ED25519,
            Material::MlDsa44(_) => TYPE_ML_DSA_44,
        }
    }

    /// Verifies the witness's lines on a checkpoint: `None` if there is none, the latest of several if all verify.
    pub fn verify(&self, checkpoint: &VerifiedCheckpoint) -> Result<Option<Cosignature>, CosignatureError> {
        self.verify_note(checkpoint.note(), checkpoint.checkpoint())
    }

    /// The same for a note whose log's own signature was not verified, as a witness's answer to a log is.
    pub fn verify_note(
        &self,
        note: &Note,
        checkpoint: &Checkpoint,
    ) -> Result<Option<Cosignature>, CosignatureError> {
        let hint = self.hint();
        let lines = note.signatures().iter();
        let own = lines.filter(|line| line.name() == self.name && line.hint() == hint);
        let mut latest = None;
        for line in own {
            let found =
                self.verify_line(line, note.text(), checkpoint)
                    .ok_or_else(|| CosignatureError::Invalid {
                        name: self.name.clone(),
                    })?;
            latest = latest.max(Some(found));
        }
        Ok(latest.map(|timestamp| Cosignature { timestamp }))
    }

    fn verify_line(&self, line: &SignatureLine, text: &str, checkpoint: &Checkpoint) -> Option<u64> {
        let (timestamp, signature) = line.signature().split_first_chunk::<8>()?;
        let timestamp = u64::from_be_bytes(*timestamp);
        i64::try_from(timestamp).ok()?;
        let message = self.message(timestamp, text, checkpoint)?;
        let valid = match &self.material {
            Material::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(&message, &signature).is_ok()),
            Material::MlDsa44(key) => ParsedPublicKey::new(&ML_DSA_44, key)
                .is_ok_and(|key| key.verify_sig(&message, signature).is_ok()),
        };
        valid.then_some(timestamp)
    }

    /// Returns the bytes that a cosignature at this time covers; `None` if the origin is too long for ML-DSA-44's.
    ///
    /// The Ed25519 message does not hold the witness's name, so a key must not be used under two names.
    pub fn message(&self, timestamp: u64, text: &str, checkpoint: &Checkpoint) -> Option<Vec<u8>> {
        match &self.material {
            Material::Ed25519(_) => Some(format!("cosignature/v1\ntime {timestamp}\n{text}").into_bytes()),
            Material::MlDsa44(_) => {
                let mut message = b"subtree/v1\n\0".to_vec();
                message.push(u8::try_from(self.name.len()).ok()?);
                message.extend_from_slice(self.name.as_bytes());
                message.extend_from_slice(&timestamp.to_be_bytes());
                message.push(u8::try_from(checkpoint.origin.len()).ok()?);
                message.extend_from_slice(checkpoint.origin.as_bytes());
                message.extend_from_slice(&0_u64.to_be_bytes());
                message.extend_from_slice(&checkpoint.size.to_be_bytes());
                message.extend_from_slice(checkpoint.root.as_bytes());
                Some(message)
            }
        }
    }

    /// Returns the line that carries a cosignature made at this time over [`Self::message`].
    pub fn line(&self, timestamp: u64, signature: &[u8]) -> SignatureLine {
        let blob = [&timestamp.to_be_bytes(), signature].concat();
        SignatureLine::from_parts(&self.name, self.hint(), blob).expect("the name was checked")
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "WitnessKey({} {:08x})",
            self.name,
            u32::from_be_bytes(self.hint())
        )
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hint = u32::from_be_bytes(self.hint());
        let key = [&[self.kind()], self.key_bytes()].concat();
        write!(f, "{}+{hint:08x}+{}", self.name, base64_encode(&key))
    }
}

impl FromStr for WitnessKey {
    type Err = CosignatureError;

    fn from_str(text: &str) -> Result<Self, CosignatureError> {
        let malformed = || CosignatureError::KeyText;
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hint), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed());
        };
        let bytes = base64_decode(encoded).ok_or_else(malformed)?;
        let key = match bytes.split_first() {
            Some((&TYPE_ED25519, key)) => Self::ed25519(name, key.try_into().map_err(|_| malformed())?)?,
            Some((&TYPE_ML_DSA_44, key)) => Self::ml_dsa_44(name, key)?,
            Some((&kind, _)) => return Err(CosignatureError::KeyType { kind }),
            None => return Err(malformed()),
        };
        // One spelling only, which also makes the text's hint agree with its key.
        if hint.len() == 8 && key.to_string() == text {
            Ok(key)
        } else {
            Err(malformed())
        }
    }
}
