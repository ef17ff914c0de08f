//! A certificate as an authority has just issued it: read, and held against the trusted root by whoever asked for it.
//!
//! For signers, before anything is signed with the certificate's key. It proves nothing about a signature: that needs a
//! verified time, and is what [`verify`](mod@crate::verify) is for.

use touchmark_statement::timestamp::Timestamp;

use crate::identity::CertificateIdentity;
use crate::key::PublicKey;
use crate::trust::TrustedRoot;
use crate::window::Window;
use crate::x509::chain::{self, Purpose};
use crate::x509::{Certificate, CertificateError, fulcio, profile, sct};

/// A signer's certificate, read; whether anybody trusted issued it is for [`IssuedCertificate::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    der: Vec<u8>,
    key: PublicKey,
    identity: CertificateIdentity,
    window: Window,
}

impl IssuedCertificate {
    /// Reads a certificate with the profile of a signer's and a key of a kind that signers here have.
    pub fn parse(der: impl Into<Vec<u8>>) -> Result<Self, CertificateError> {
        let der = der.into();
        let certificate = Certificate::parse(&der)?;
        profile::require_signer(&certificate)?;
        let key =
            PublicKey::from_spki_der(certificate.spki).map_err(|source| CertificateError::Key { source })?;
        Ok(IssuedCertificate {
            identity: fulcio::read_identity(&certificate)?,
            window: Window {
                start: certificate.not_before,
                end: Some(certificate.not_after),
            },
            key,
            der,
        })
    }

    /// Returns the certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the key that it certifies.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Returns whom it names.
    pub fn identity(&self) -> &CertificateIdentity {
        &self.identity
    }

    /// Returns when it holds.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Verifies that an authority of the root issued the certificate, as of `at`, and that a certificate log of the root
    /// has it, unless the instance has none.
    pub fn verify(
        &self,
        root: &TrustedRoot,
        at: Timestamp,
        certificate_logs: CertificateLogs,
    ) -> Result<(), CertificateError> {
        let certificate = Certificate::parse(&self.der)?;
        let mut refusal = CertificateError::NoAuthority;
        for authority in &root.usable().certificate_authorities {
            // One authority has to answer for all of it: another's log does not help this one's chain.
            match chain::build(&self.der, &[], authority, Purpose::CodeSigning, at) {
                Ok(path) => {
                    if certificate_logs == CertificateLogs::Required {
                        sct::verify(&certificate, &path.issuer_spki, &root.usable().certificate_logs)?;
                    }
                    return Ok(());
                }
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }
}

/// Whether the instance that issues certificates logs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CertificateLogs {
    /// It does: a certificate without a log's timestamp is refused.
    #[default]
    Required,
    /// It is known to have none.
    None,
}
