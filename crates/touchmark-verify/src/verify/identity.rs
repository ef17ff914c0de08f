//! Step 4: who the signer is, as typed values. Nothing is judged here.

use super::signer::AuthenticSigner;
use crate::verified::SignerIdentity;

/// Reads the identity of a signer; a key stands for itself.
pub(super) fn read(signer: &AuthenticSigner) -> SignerIdentity {
    SignerIdentity::Key(signer.key().fingerprint())
}
