//! With what is signed: a key that a certificate was issued for, or a key that verifiers know.

use std::path::Path;

use touchmark_rekor::Signatory;
use touchmark_sign::keyless::KeylessSigner;
use touchmark_sign::{PrivateKey, Signer, key_file};
use touchmark_verify::bundle::VerificationMaterial;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::{IdentityRule, TextPattern};
use touchmark_verify::key_ring::KeyRing;

use super::Failure;
use super::verify::read;

/// A signer and what verifies it.
pub(crate) enum Hand {
    Certified(Box<KeylessSigner>),
    Known(Box<PrivateKey>),
}

impl Hand {
    /// Reads a key without a password.
    pub(crate) fn from_file(path: &Path) -> Result<Self, Failure> {
        Ok(Self::Known(Box::new(key_file::parse(&read(path)?, None)?)))
    }

    pub(crate) fn signer(&self) -> &dyn Signer {
        match self {
            Self::Certified(signer) => signer.as_ref(),
            Self::Known(key) => key.as_ref(),
        }
    }

    pub(crate) fn material(&self) -> VerificationMaterial {
        match self {
            Self::Certified(signer) => VerificationMaterial::Certificate(signer.certificate().der().to_vec()),
            Self::Known(key) => VerificationMaterial::PublicKey {
                hint: key.public_key().fingerprint().to_string(),
            },
        }
    }

    pub(crate) fn signatory(&self) -> Signatory {
        match self {
            Self::Certified(signer) => {
                let certificate = signer.certificate();
                Signatory::certificate(certificate.der().to_vec(), certificate.public_key().clone())
            }
            Self::Known(key) => Signatory::key(key.public_key().clone()),
        }
    }

    /// Whom a verifier would have to expect.
    pub(crate) fn expected(&self) -> Result<ExpectedSigners, Failure> {
        match self {
            Self::Certified(signer) => {
                let identity = signer.certificate().identity();
                let mut rule = IdentityRule::new(
                    TextPattern::exact(identity.issuer.as_str())?,
                    TextPattern::exact(identity.san.as_str())?,
                );
                // Whoever signs here is asked for by name, whatever began the run.
                rule.triggers.extend(identity.claims.build_trigger.clone());
                Ok(rule.into())
            }
            Self::Known(key) => {
                let mut ring = KeyRing::new();
                ring.allow(key.public_key().fingerprint());
                ring.add_key(key.public_key().clone());
                Ok(ring.into())
            }
        }
    }
}
