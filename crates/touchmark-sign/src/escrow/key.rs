//! Escrow keys: X25519 (RFC 7748), the public half as SPKI and the private half as PKCS#8 (RFC 8410) in PEM.
//!
//! They are no signing keys and cannot be read as ones, nor the other way round. A private key is stored as signing keys
//! are: plain, or encrypted with a password under scrypt, with a label of its own.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use hpke::kem::{Kem as _, X25519HkdfSha256};
use hpke::{Deserializable as _, Serializable as _};
use sha2::{Digest as _, Sha256};
use touchmark_verify::key::pem;
use zeroize::Zeroizing;

use super::EscrowError;
use crate::key_file::{self, KeyFileError, Placement, open_with_password, seal_with_password};
use crate::password::Password;

/// The PEM label of an encrypted escrow key.
const ENCRYPTED_LABEL: &str = "ENCRYPTED TOUCHMARK ESCROW KEY";
const PUBLIC_LABEL: &str = "PUBLIC KEY";
/// SubjectPublicKeyInfo with the algorithm id-X25519, up to the 32 bytes of the key.
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00,
];
/// PrivateKeyInfo, version 0, with the algorithm id-X25519, up to the 32 bytes of the key.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20,
];

/// The SHA-256 of a public key's SPKI, by which it is called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub(super) [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The public half of an escrow key: what records are encrypted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscrowPublicKey {
    key: <X25519HkdfSha256 as hpke::kem::Kem>::PublicKey,
    fingerprint: Fingerprint,
}

impl EscrowPublicKey {
    fn of(key: <X25519HkdfSha256 as hpke::kem::Kem>::PublicKey) -> Self {
        let spki = [&SPKI[..], &key.to_bytes()].concat();
        Self {
            fingerprint: Fingerprint(Sha256::digest(spki).into()),
            key,
        }
    }

    /// Reads a public key from PEM.
    pub fn from_pem(text: &[u8]) -> Result<Self, EscrowError> {
        let block = pem::decode(text, &[PUBLIC_LABEL]).map_err(|_| EscrowError::NotEscrowKey)?;
        let raw: &[u8; 32] = block
            .contents
            .strip_prefix(&SPKI)
            .and_then(|raw| raw.try_into().ok())
            .ok_or(EscrowError::NotEscrowKey)?;
        // RFC 7748 §6.1: what is agreed on with such a point is zero, whoever agrees on it.
        if is_low_order(raw) {
            return Err(EscrowError::WeakKey);
        }
        let key = <X25519HkdfSha256 as hpke::kem::Kem>::PublicKey::from_bytes(raw);
        Ok(Self::of(key.map_err(|_| EscrowError::NotEscrowKey)?))
    }

    /// Reads a public key file.
    pub fn load(path: &Path) -> Result<Self, EscrowError> {
        Self::from_pem(&key_file::read_public(path)?)
    }

    /// Writes the key as PEM.
    pub fn to_pem(&self) -> String {
        pem::encode(PUBLIC_LABEL, &[&SPKI[..], &self.key.to_bytes()].concat())
    }

    /// Writes a new file that everybody may read.
    pub fn write_new(&self, path: &Path) -> Result<(), EscrowError> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(EscrowError::Io)?;
        file.write_all(self.to_pem().as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(EscrowError::Io)
    }

    /// Returns the name of the key.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(super) fn raw(&self) -> &<X25519HkdfSha256 as hpke::kem::Kem>::PublicKey {
        &self.key
    }
}

/// The points whose order is small, with the top bit cleared as RFC 7748 §5 asks.
fn is_low_order(raw: &[u8; 32]) -> bool {
    let mut point = *raw;
    point[31] &= 0x7f;
    let is_near_p =
        |low: u8| point[0] == low && point[1..31].iter().all(|byte| *byte == 0xff) && point[31] == 0x7f;
    let is_small = |low: u8| point[0] == low && point[1..].iter().all(|byte| *byte == 0);
    const ORDER_8: [[u8; 32]; 2] = [
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
            0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
            0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
        ],
    ];
    is_small(0)
        || is_small(1)
        || is_near_p(0xec)
        || is_near_p(0xed)
        || is_near_p(0xee)
        || ORDER_8.contains(&point)
}

/// An escrow key: what opens records.
pub struct EscrowKey {
    key: <X25519HkdfSha256 as hpke::kem::Kem>::PrivateKey,
    public: EscrowPublicKey,
}

impl EscrowKey {
    /// Makes a new key.
    pub fn generate() -> Result<Self, EscrowError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut seed[..]).map_err(|_| EscrowError::NoRandomness)?;
        let (key, public) = X25519HkdfSha256::derive_keypair(&seed[..]);
        Ok(Self {
            key,
            public: EscrowPublicKey::of(public),
        })
    }

    /// Returns the public half.
    pub fn public(&self) -> &EscrowPublicKey {
        &self.public
    }

    /// Returns whether a password is needed to read this text.
    pub fn needs_password(text: &[u8]) -> Result<bool, EscrowError> {
        match pem::label(text).map_err(KeyFileError::Pem)? {
            key_file::PKCS8_LABEL => Ok(false),
            ENCRYPTED_LABEL => Ok(true),
            _ => Err(EscrowError::NotEscrowKey),
        }
    }

    /// Reads a private key; a password is only used where it is encrypted.
    pub fn from_pem(text: &[u8], password: Option<&Password>) -> Result<Self, EscrowError> {
        if !Self::needs_password(text)? {
            let block = pem::decode(text, &[key_file::PKCS8_LABEL]).map_err(KeyFileError::Pem)?;
            return Self::from_der(&block.contents);
        }
        let block = pem::decode(text, &[ENCRYPTED_LABEL]).map_err(KeyFileError::Pem)?;
        let password = password.ok_or(KeyFileError::PasswordRequired)?;
        Self::from_der(&open_with_password(&block.contents, password)?)
    }

    fn from_der(der: &[u8]) -> Result<Self, EscrowError> {
        let raw = der
            .strip_prefix(&PKCS8)
            .filter(|raw| raw.len() == 32)
            .ok_or(EscrowError::NotEscrowKey)?;
        let key = <X25519HkdfSha256 as hpke::kem::Kem>::PrivateKey::from_bytes(raw);
        let key = key.map_err(|_| EscrowError::NotEscrowKey)?;
        Ok(Self {
            public: EscrowPublicKey::of(X25519HkdfSha256::sk_to_pk(&key)),
            key,
        })
    }

    fn to_der(&self) -> Zeroizing<Vec<u8>> {
        let mut der = Zeroizing::new(Vec::with_capacity(PKCS8.len() + 32));
        der.extend_from_slice(&PKCS8);
        let mut raw = Zeroizing::new([0; 32]);
        self.key.write_exact(&mut raw[..]);
        der.extend_from_slice(&raw[..]);
        der
    }

    /// Encodes the key without a password.
    pub fn to_plain_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(pem::encode(key_file::PKCS8_LABEL, &self.to_der()))
    }

    /// Encodes the key under a password.
    pub fn to_encrypted_pem(&self, password: &Password) -> Result<String, EscrowError> {
        if password.is_empty() {
            return Err(KeyFileError::PasswordEmpty.into());
        }
        let sealed = seal_with_password(&self.to_der(), password)?;
        Ok(pem::encode(ENCRYPTED_LABEL, &sealed))
    }

    /// Reads the text of a private key's file, which must be ours and closed to others.
    pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, EscrowError> {
        Ok(key_file::read_private(path, &Placement::default())?)
    }

    pub(super) fn raw(&self) -> &<X25519HkdfSha256 as hpke::kem::Kem>::PrivateKey {
        &self.key
    }
}

impl fmt::Debug for EscrowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EscrowKey({})", self.public.fingerprint)
    }
}
