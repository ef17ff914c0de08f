//! Private key files: plain PKCS#8, cosign's encrypted form and OpenSSH; where they may lie and who may read them.
//!
//! Parsing takes text; [`load`] and [`write_new`] add the rules about the file. No error holds bytes of a key.

mod cosign;
mod error;
mod openssh;
mod place;
mod secretbox;

#[cfg(test)]
mod tests;

use std::path::Path;

use touchmark_verify::key::pem;
use touchmark_verify::key::{KeyError, PublicKey};
use zeroize::Zeroizing;

pub(crate) use cosign::{decrypt as open_with_password, encrypt as seal_with_password};
pub use error::KeyFileError;
pub use place::{Placement, read_private, read_public, write_new, write_public_new};

use crate::password::Password;
use crate::private_key::PrivateKey;
use crate::signer::Signer as _;

/// The PEM label of a plain PKCS#8 key (RFC 7468 §10).
pub const PKCS8_LABEL: &str = "PRIVATE KEY";
/// The PEM label that cosign writes today.
pub const SIGSTORE_LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
/// The PEM label that cosign wrote before.
pub const COSIGN_LABEL: &str = "ENCRYPTED COSIGN PRIVATE KEY";
/// The PEM label of OpenSSH's own format.
pub const OPENSSH_LABEL: &str = "OPENSSH PRIVATE KEY";
const ENCRYPTED_PKCS8_LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// The kind of a private key file, told from its PEM label alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Plain PKCS#8.
    Pkcs8,
    /// Encrypted by cosign.
    Cosign,
    /// OpenSSH, plain or encrypted.
    OpenSsh,
}

/// Returns the kind of a private key text, or why it is none.
pub fn format(text: &[u8]) -> Result<Format, KeyFileError> {
    if is_ssh_public(text) {
        return Err(KeyFileError::PublicWherePrivateExpected);
    }
    match pem::label(text).map_err(KeyFileError::Pem)? {
        PKCS8_LABEL => Ok(Format::Pkcs8),
        SIGSTORE_LABEL | COSIGN_LABEL => Ok(Format::Cosign),
        OPENSSH_LABEL => Ok(Format::OpenSsh),
        ENCRYPTED_PKCS8_LABEL => Err(KeyFileError::EncryptedPkcs8),
        label if label.ends_with("PUBLIC KEY") => Err(KeyFileError::PublicWherePrivateExpected),
        label => Err(KeyFileError::unknown_format(label)),
    }
}

/// Returns whether a password is needed to read this private key text.
pub fn needs_password(text: &[u8]) -> Result<bool, KeyFileError> {
    match format(text)? {
        Format::Pkcs8 => Ok(false),
        Format::Cosign => Ok(true),
        Format::OpenSsh => openssh::is_encrypted(&pem::decode(text, &[OPENSSH_LABEL])?.contents),
    }
}

/// Parses a private key text; a password is only used where the format needs one.
pub fn parse(text: &[u8], password: Option<&Password>) -> Result<PrivateKey, KeyFileError> {
    match format(text)? {
        Format::Pkcs8 => PrivateKey::from_pkcs8_der(&pem::decode(text, &[PKCS8_LABEL])?.contents),
        Format::Cosign => {
            let block = pem::decode(text, &[SIGSTORE_LABEL, COSIGN_LABEL])?;
            let password = password.ok_or(KeyFileError::PasswordRequired)?;
            PrivateKey::from_pkcs8_der(&cosign::decrypt(&block.contents, password)?)
        }
        Format::OpenSsh => openssh::parse(&pem::decode(text, &[OPENSSH_LABEL])?.contents, password),
    }
}

/// Encodes a private key as a plain PKCS#8 PEM block.
pub fn encode_plain(key: &PrivateKey) -> Result<Zeroizing<String>, KeyFileError> {
    Ok(Zeroizing::new(pem::encode(PKCS8_LABEL, &key.to_pkcs8_der()?)))
}

/// Encodes a private key in cosign's encrypted form, which cosign reads back.
pub fn encode_encrypted(key: &PrivateKey, password: &Password) -> Result<String, KeyFileError> {
    if password.is_empty() {
        return Err(KeyFileError::PasswordEmpty);
    }
    Ok(pem::encode(
        SIGSTORE_LABEL,
        &cosign::encrypt(&key.to_pkcs8_der()?, password)?,
    ))
}

/// Loads a private key from a file that obeys the rules of [`Placement`].
pub fn load(
    path: &Path,
    placement: &Placement<'_>,
    password: Option<&Password>,
) -> Result<PrivateKey, KeyFileError> {
    parse(&read_private(path, placement)?, password)
}

/// Loads a public key from a PEM file.
pub fn load_public(path: &Path) -> Result<PublicKey, KeyFileError> {
    let text = read_public(path)?;
    PublicKey::from_pem(text.as_slice()).map_err(|error| match error {
        KeyError::PrivateWherePublicExpected => KeyFileError::PrivateWherePublicExpected,
        error => KeyFileError::PublicKey(error),
    })
}

/// Returns the public half as PEM.
pub fn export_public(key: &PrivateKey) -> String {
    key.public_key().to_pem()
}

fn is_ssh_public(text: &[u8]) -> bool {
    [
        &b"ssh-"[..],
        b"ecdsa-sha2-",
        b"sk-ssh-",
        b"sk-ecdsa-",
        b"---- BEGIN SSH2 PUBLIC KEY",
    ]
    .iter()
    .any(|prefix| text.starts_with(prefix))
}
