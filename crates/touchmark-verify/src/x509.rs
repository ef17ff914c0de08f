//! Certificates of signers and authorities, RFC 5280: parsed strictly, chained to a trusted authority at a given time,
//! held against the profile of a signing certificate, and shown to certificate logs, RFC 6962.
//!
//! Chains are built and checked by webpki; what it accepts and we do not is refused here first. No clock is read.

mod certificate;
pub(crate) mod chain;
mod error;
pub(crate) mod fulcio;
pub(crate) mod profile;
pub(crate) mod sct;

#[cfg(test)]
mod tests;

pub(crate) use certificate::{Certificate, oid};
pub use error::CertificateError;

use crate::identity::CertificateIdentity;

/// Reads the identity that a certificate claims, DER. Nothing is proven: this only tells which certificates are worth
/// verifying.
pub fn claimed_identity(der: &[u8]) -> Result<CertificateIdentity, CertificateError> {
    fulcio::read_identity(&Certificate::parse(der)?)
}
