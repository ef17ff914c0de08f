//! The log's signing key: Ed25519, in a file that only its owner can read.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, spki::der::pem::LineEnding};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use touchmark_tlog::checkpoint::Checkpoint;
use touchmark_tlog::note::{Note, SignatureLine, VerifierKey};
use zeroize::Zeroizing;

use crate::error::{LogError, storage};

const MAX_KEY_FILE_BYTES: u64 = 4096;
const MAX_NAME_BYTES: usize = 200;

/// The key and the origin that names it.
pub(crate) struct LogKey {
    signing: SigningKey,
    verifier: VerifierKey,
}

impl LogKey {
    /// Makes a new key, and the origin `<16 hex digits of the key's digest>.<name>`: two logs never share one, and the
    /// origin is a host name, since that is all that some verifiers take from a log's URL.
    pub(crate) fn generate(name: &str) -> Result<Self, LogError> {
        let valid = (1..=MAX_NAME_BYTES).contains(&name.len()) && name.split('.').all(is_host_label);
        if !valid {
            return Err(LogError::Name {
                name: name.to_owned(),
            });
        }
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|_| LogError::Random)?;
        let signing = SigningKey::from_bytes(&seed);
        let origin = format!("{}.{name}", key_digest(&signing));
        Self::new(signing, &origin)
    }

    fn new(signing: SigningKey, origin: &str) -> Result<Self, LogError> {
        let verifier = VerifierKey::ed25519(origin, signing.verifying_key().as_bytes())
            .map_err(LogError::VerifierKey)?;
        Ok(Self { signing, verifier })
    }

    /// Loads the key of the log with this origin.
    pub(crate) fn load(path: &Path, origin: &str) -> Result<Self, LogError> {
        let no_follow = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(no_follow.bits().cast_signed())
            .open(path)
            .map_err(storage("open", path))?;
        let metadata = file.metadata().map_err(storage("read", path))?;
        if !metadata.is_file() || metadata.mode() & 0o077 != 0 {
            return Err(LogError::KeyMode {
                path: path.to_owned(),
            });
        }
        let mut pem = Zeroizing::new(String::new());
        file.take(MAX_KEY_FILE_BYTES)
            .read_to_string(&mut pem)
            .map_err(storage("read", path))?;
        let wrong = || LogError::Key {
            path: path.to_owned(),
        };
        let signing = SigningKey::from_pkcs8_pem(&pem).map_err(|_| wrong())?;
        if origin
            .split_once('.')
            .is_none_or(|(digest, _)| digest != key_digest(&signing))
        {
            return Err(wrong());
        }
        Self::new(signing, origin)
    }

    /// Returns the content of the key file.
    pub(crate) fn to_pem(&self) -> Zeroizing<String> {
        self.signing
            .to_pkcs8_pem(LineEnding::LF)
            .expect("an Ed25519 key has a PKCS #8 form")
    }

    pub(crate) fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(crate) fn origin(&self) -> &str {
        self.verifier.name()
    }

    /// Signs a checkpoint and returns the note.
    pub(crate) fn sign(&self, checkpoint: &Checkpoint) -> Note {
        let text = checkpoint.encode();
        let signature = self.signing.sign(text.as_bytes()).to_bytes().to_vec();
        Note::new(text, vec![SignatureLine::new(&self.verifier, signature)])
            .expect("a checkpoint is text that ends in a newline")
    }
}

/// A part of a host name, RFC 1123 §2.1, in lower case.
fn is_host_label(label: &str) -> bool {
    let plain = label
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

/// The first 16 hexadecimal digits of the digest of the public key.
fn key_digest(key: &SigningKey) -> String {
    let digest = Sha256::digest(key.verifying_key().as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
