//! Keys, keyless signing, and the vault of run keys and prompts.
//!
//! Promises that a statement is checked against its schema before it is signed and that the result verifies before
//! it is handed out; that no private key, password, run key or prompt is shown by any `Debug` or `Display`; and that
//! what was signed is on disk before anyone is told so. Knows nothing of policy, and asks no one for a password:
//! the caller resolves prompts, environment and descriptors.
//!
//! ```
//! use touchmark_sign::{PrivateKey, Signer as _, key_file, password::Password};
//! use touchmark_verify::key::{KeyAlgorithm, PublicKey};
//!
//! let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256Sha256)?;
//! let password = Password::new("correct horse")?;
//! let file = key_file::encode_encrypted(&key, &password)?;
//!
//! let signature = key_file::parse(file.as_bytes(), Some(&password))?.sign(b"message")?;
//! PublicKey::from_pem(key_file::export_public(&key))?.verify(b"message", &signature)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod agent;
pub mod attestation;
mod error;
pub mod escrow;
pub mod folder;
pub mod key_file;
pub mod key_uri;
pub mod keyless;
pub mod password;
mod private_key;
mod signer;
pub mod vault;

pub use error::SignError;
pub use private_key::PrivateKey;
pub use signer::Signer;
