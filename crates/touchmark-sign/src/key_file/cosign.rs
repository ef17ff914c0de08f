//! The JSON inside cosign's encrypted key files, as `go-securesystemslib/encrypted` v0.11 writes it.
//!
//! scrypt (RFC 7914) makes a key from the password, a secretbox holds a PKCS#8 key. The cost parameters come from
//! the file, so they are compared with the three sets that library knows before any work is done.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::KeyFileError;
use super::secretbox::{self, KEY_BYTES, NONCE_BYTES};
use crate::password::Password;

const SCRYPT: &str = "scrypt";
const SECRETBOX: &str = "nacl/secretbox";
const SALT_BYTES: usize = 32;
/// 2^15 (old), 2^16 (what cosign writes), 2^17 (OWASP's advice); 128 MiB and about 0.3 s at most.
const COSTS: [u64; 3] = [1 << 15, 1 << 16, 1 << 17];
const WRITTEN_COST: u64 = 1 << 16;

// The field order is the one of the Go structs, so that our files look like cosign's own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encrypted {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cipher {
    name: String,
    nonce: String,
}

/// Opens the JSON with a password.
pub(crate) fn decrypt(json: &[u8], password: &Password) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let file: Encrypted = serde_json::from_slice(json).map_err(|_| KeyFileError::Malformed)?;
    if file.kdf.name != SCRYPT || file.cipher.name != SECRETBOX {
        return Err(KeyFileError::KdfUnknown);
    }
    let log_n = affordable(&file.kdf.params)?;
    let salt = decode(&file.kdf.salt)?;
    let nonce =
        <[u8; NONCE_BYTES]>::try_from(decode(&file.cipher.nonce)?).map_err(|_| KeyFileError::Malformed)?;
    let ciphertext = decode(&file.ciphertext)?;
    let key = derive(password, &salt, log_n)?;
    secretbox::open(&key, &nonce, &ciphertext).ok_or(KeyFileError::PasswordWrong)
}

/// Encrypts a PKCS#8 key with a password, a fresh salt and a fresh nonce.
pub(crate) fn encrypt(pkcs8: &[u8], password: &Password) -> Result<Vec<u8>, KeyFileError> {
    encrypt_at(WRITTEN_COST, pkcs8, password)
}

/// Encrypts at a given scrypt cost, which must be one of those that are read.
pub(super) fn encrypt_at(cost: u64, pkcs8: &[u8], password: &Password) -> Result<Vec<u8>, KeyFileError> {
    let (mut salt, mut nonce) = ([0; SALT_BYTES], [0; NONCE_BYTES]);
    getrandom::fill(&mut salt).map_err(|_| KeyFileError::NoRandomness)?;
    getrandom::fill(&mut nonce).map_err(|_| KeyFileError::NoRandomness)?;
    let params = Params { n: cost, r: 8, p: 1 };
    let key = derive(password, &salt, affordable(&params)?)?;
    let file = Encrypted {
        kdf: Kdf {
            name: SCRYPT.to_owned(),
            params,
            salt: STANDARD.encode(salt),
        },
        cipher: Cipher {
            name: SECRETBOX.to_owned(),
            nonce: STANDARD.encode(nonce),
        },
        ciphertext: STANDARD.encode(secretbox::seal(&key, &nonce, pkcs8)),
    };
    serde_json::to_vec(&file).map_err(|_| KeyFileError::Malformed)
}

/// Returns log2 of the cost, or refuses parameters outside the known sets before anything is computed.
fn affordable(params: &Params) -> Result<u8, KeyFileError> {
    let max = COSTS[COSTS.len() - 1];
    if params.n > max {
        return Err(KeyFileError::KdfCost {
            asked: params.n,
            max,
            unit: "scrypt N",
        });
    }
    if params.r > 8 {
        return Err(KeyFileError::KdfCost {
            asked: params.r.into(),
            max: 8,
            unit: "scrypt r",
        });
    }
    if params.p > 1 {
        return Err(KeyFileError::KdfCost {
            asked: params.p.into(),
            max: 1,
            unit: "scrypt p",
        });
    }
    if !COSTS.contains(&params.n) || params.r != 8 || params.p != 1 {
        return Err(KeyFileError::KdfUnknown);
    }
    u8::try_from(params.n.ilog2()).map_err(|_| KeyFileError::KdfUnknown)
}

fn derive(password: &Password, salt: &[u8], log_n: u8) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyFileError> {
    let params = scrypt::Params::new(log_n, 8, 1).map_err(|_| KeyFileError::KdfUnknown)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    scrypt::scrypt(password.as_bytes(), salt, &params, &mut key[..]).map_err(|_| KeyFileError::KdfUnknown)?;
    Ok(key)
}

fn decode(base64: &str) -> Result<Vec<u8>, KeyFileError> {
    STANDARD.decode(base64).map_err(|_| KeyFileError::Malformed)
}
