//! Signed times for an envelope, by key or by certificate, each proven under the trusted root before it is kept.
//!
//! What is proven is a bundle as others will see it, without a log's answer: envelope, key or certificate, and one
//! timestamp. So the time is held against the certificate's window too.

use touchmark_http::{Client, Deadline, Url};
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::bundle::{Bundle, VerificationMaterial};
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::IdentityRules;
use touchmark_verify::issued::{CertificateLogs, IssuedCertificate};
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::{LogRequirement, SctRequirement, VerifyOptions, verify};

use super::tsa::{self, StampVerifier, TimestampRequest, TsaError};
use crate::attestation::SignedEnvelope;

/// How far an authority's clock may be ahead of ours.
const MAX_SKEW_SECONDS: i64 = 60;

/// What is stamped, by whom, and what the answers are held against.
#[derive(Clone, Copy)]
pub struct Stamping<'a> {
    /// What was signed.
    pub signed: &'a SignedEnvelope,
    /// The certificate of its key, where it was signed under one.
    pub certificate: Option<&'a IssuedCertificate>,
    /// Whether the instance logs its certificates.
    pub certificate_logs: CertificateLogs,
    /// The authorities to ask; each one must answer.
    pub authorities: &'a [&'a Url],
    /// What the answers must lead to.
    pub root: &'a TrustedRoot,
    /// The caller's clock.
    pub clock: &'a dyn Fn() -> Timestamp,
    /// By when there must be answers.
    pub deadline: Deadline,
}

/// Asks every authority for the time of the signature and returns the answers, DER.
pub fn timestamps(client: &Client, stamping: &Stamping<'_>) -> Result<Vec<Vec<u8>>, TsaError> {
    let ask = |url: &&Url| {
        let request = TimestampRequest {
            url,
            signature: &stamping.signed.envelope().signature,
            digest: tsa::digest_for(stamping.signed.public_key().algorithm()),
            deadline: stamping.deadline,
        };
        tsa::timestamp(client, &request, stamping)
    };
    stamping.authorities.iter().map(ask).collect()
}

impl StampVerifier for Stamping<'_> {
    fn verify(&self, response: &[u8], _signature: &[u8]) -> Result<(), TsaError> {
        let unproven = |error| TsaError::Unproven(Box::new(error));
        let at = (self.clock)().unix().saturating_add(MAX_SKEW_SECONDS);
        let at = Timestamp::from_unix(at).unwrap_or_else(|_| (self.clock)());
        let reason = "a time is proven before anything is logged";
        let mut options = VerifyOptions::new(at);
        options.log = LogRequirement::DangerouslyUnlogged {
            reason: reason.to_owned(),
        };
        options.timestamps = 1;
        if self.certificate_logs == CertificateLogs::None {
            options.sct = SctRequirement::DangerouslySkipped {
                reason: "the instance has no certificate log".to_owned(),
            };
        }
        let bundle = Bundle {
            timestamps: vec![response.to_vec()],
            ..self.bundle()
        };
        verify(&bundle, &self.expected(reason), self.root, &options).map_err(unproven)?;
        Ok(())
    }
}

impl Stamping<'_> {
    fn bundle(&self) -> Bundle {
        let bundle = self.signed.unlogged_bundle();
        match self.certificate {
            Some(certificate) => Bundle {
                material: VerificationMaterial::Certificate(certificate.der().to_vec()),
                ..bundle
            },
            None => bundle,
        }
    }

    /// The signer is known: the envelope was made with its key a moment ago. Only the time is in question.
    fn expected(&self, reason: &str) -> ExpectedSigners {
        let mut keys = KeyRing::new();
        keys.add_key(self.signed.public_key().clone())
            .allow(self.signed.public_key().fingerprint());
        ExpectedSigners {
            keys,
            identities: IdentityRules::DangerouslyAny {
                reason: reason.to_owned(),
            },
        }
    }
}
