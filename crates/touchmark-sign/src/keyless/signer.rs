//! A key that was made for one run, and the certificate that says whose it is.

use touchmark_http::{Client, Deadline, Url};
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::evidence::SignerId;
use touchmark_verify::issued::{CertificateLogs, IssuedCertificate};
use touchmark_verify::key::{KeyAlgorithm, PublicKey};
use touchmark_verify::trust::TrustedRoot;

use super::fulcio::{self, CertificateRequest, FulcioError};
use super::token::IdentityToken;
use crate::error::SignError;
use crate::{PrivateKey, Signer};

/// So long before its end a certificate is not used for another signature: time and log still have to be had.
const MARGIN_SECONDS: i64 = 60;

/// An ephemeral key under a certificate. One of them signs as many statements as its certificate's window allows.
#[derive(Debug)]
pub struct KeylessSigner {
    key: PrivateKey,
    certificate: IssuedCertificate,
}

/// What a signer is made from.
#[derive(Clone, Copy)]
pub struct KeylessRequest<'a> {
    /// The base address of the certificate authority.
    pub certificate_authority: &'a Url,
    /// Who signs.
    pub token: &'a IdentityToken,
    /// What the certificate must lead to.
    pub root: &'a TrustedRoot,
    /// Whether the instance logs its certificates.
    pub certificate_logs: CertificateLogs,
    /// The caller's clock.
    pub clock: &'a dyn Fn() -> Timestamp,
    /// By when there must be a certificate.
    pub deadline: Deadline,
}

impl KeylessSigner {
    /// Makes a key and asks for its certificate.
    pub fn request(client: &Client, request: &KeylessRequest<'_>) -> Result<Self, FulcioError> {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256Sha256).map_err(|_| SignError::UnusableKey)?;
        let asked = CertificateRequest {
            url: request.certificate_authority,
            token: request.token,
            key: &key,
            root: request.root,
            certificate_logs: request.certificate_logs,
            clock: request.clock,
            deadline: request.deadline,
        };
        let certificate = fulcio::request_certificate(client, &asked)?;
        Ok(KeylessSigner { key, certificate })
    }

    /// Returns the certificate.
    pub fn certificate(&self) -> &IssuedCertificate {
        &self.certificate
    }

    /// Returns the id under which evidence of this signer is filed: the identity's, whatever the key.
    pub fn signer_id(&self) -> SignerId {
        SignerId::of_identity(self.certificate.identity())
    }

    /// Tells whether there is time enough left to sign, stamp and log one more statement.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        let last = self.certificate.window().end.map_or(i64::MAX, Timestamp::unix);
        at.unix().saturating_add(MARGIN_SECONDS) <= last
    }
}

impl Signer for KeylessSigner {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.key.sign(message)
    }
}
