//! OpenSSH private keys (PROTOCOL.key), plain or encrypted, through `ssh-key`; P-256, P-384 and Ed25519.

use ssh_key::private::{EcdsaKeypair, KeypairData};
use ssh_key::{Algorithm, EcdsaCurve, Error, Kdf, PrivateKey as SshPrivateKey};
use touchmark_verify::key::KeyAlgorithm;

use super::KeyFileError;
use crate::password::Password;
use crate::private_key::PrivateKey;
use crate::signer::Signer as _;

/// `ssh-keygen` uses 16 or 24; each round takes milliseconds.
const MAX_BCRYPT_ROUNDS: u32 = 512;

/// Returns whether the decoded file is encrypted.
pub(super) fn is_encrypted(bytes: &[u8]) -> Result<bool, KeyFileError> {
    Ok(read(bytes)?.is_encrypted())
}

/// Parses the decoded file.
pub(super) fn parse(bytes: &[u8], password: Option<&Password>) -> Result<PrivateKey, KeyFileError> {
    let key = read(bytes)?;
    if !key.is_encrypted() {
        return convert(&key);
    }
    let password = password.ok_or(KeyFileError::PasswordRequired)?;
    if let Kdf::Bcrypt { rounds, .. } = key.kdf()
        && *rounds > MAX_BCRYPT_ROUNDS
    {
        let (asked, max) = (u64::from(*rounds), u64::from(MAX_BCRYPT_ROUNDS));
        return Err(KeyFileError::KdfCost {
            asked,
            max,
            unit: "bcrypt rounds",
        });
    }
    let key = key.decrypt(password.as_bytes()).map_err(|error| match error {
        // The check number inside tells only after decrypting whether the password was right.
        Error::Crypto => KeyFileError::PasswordWrong,
        _ => KeyFileError::Malformed,
    })?;
    convert(&key)
}

/// Reads the outer structure and refuses, by the public part, what could never sign for us.
fn read(bytes: &[u8]) -> Result<SshPrivateKey, KeyFileError> {
    let key = SshPrivateKey::from_bytes(bytes).map_err(|_| KeyFileError::Malformed)?;
    match key.algorithm() {
        Algorithm::SkEcdsaSha2NistP256 | Algorithm::SkEd25519 => Err(KeyFileError::Fido),
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP256 | EcdsaCurve::NistP384,
        }
        | Algorithm::Ed25519 => Ok(key),
        other => Err(KeyFileError::UnsupportedAlgorithm {
            found: other.as_str().to_owned(),
        }),
    }
}

fn convert(key: &SshPrivateKey) -> Result<PrivateKey, KeyFileError> {
    let (private, public) = match key.key_data() {
        KeypairData::Ecdsa(EcdsaKeypair::NistP256 { public, private }) => (
            PrivateKey::from_secret(KeyAlgorithm::EcdsaP256Sha256, private.as_slice())?,
            public.as_bytes(),
        ),
        KeypairData::Ecdsa(EcdsaKeypair::NistP384 { public, private }) => (
            PrivateKey::from_secret(KeyAlgorithm::EcdsaP384Sha384, private.as_slice())?,
            public.as_bytes(),
        ),
        KeypairData::Ed25519(pair) => (
            PrivateKey::from_secret(KeyAlgorithm::Ed25519, pair.private.as_ref())?,
            &pair.public.0[..],
        ),
        _ => return Err(KeyFileError::Malformed),
    };
    // A file whose two halves disagree could make us sign under a key we do not name.
    if private.public_key().raw() == public {
        Ok(private)
    } else {
        Err(KeyFileError::Malformed)
    }
}
