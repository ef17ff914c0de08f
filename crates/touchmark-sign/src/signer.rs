//! What can sign: a key in memory, a key in an agent.

use std::fmt::Debug;

use touchmark_verify::key::PublicKey;

use crate::error::SignError;

/// Something that holds a private key and signs whole messages with it.
pub trait Signer: Debug + Send + Sync {
    /// Returns the public key that signatures of this signer verify under.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message`: DER for ECDSA, 64 bytes for Ed25519.
    ///
    /// Returns only signatures that verify under [`Signer::public_key`].
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}
