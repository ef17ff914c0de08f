//! Step 4: who the signer is, as typed values, held against whom the caller expects.

use thiserror::Error;

use super::signer::AuthenticSigner;
use crate::expected::ExpectedSigners;
use crate::identity::{CertificateIdentity, IdentityMismatch, IdentityRules};
use crate::verified::{Check, SignerIdentity};

/// Why an identity was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// None of the rules describes the signer; the difference is that from the rule which came nearest.
    #[error("the signer {identity} is none of those expected")]
    NotExpected {
        /// Who signed.
        identity: Box<CertificateIdentity>,
        /// How the signer differs.
        #[source]
        nearest: IdentityMismatch,
    },
    /// The caller accepts keys only.
    #[error("the bundle is signed with the certificate of {identity}, but only keys were expected")]
    NoneExpected {
        /// Who signed.
        identity: Box<CertificateIdentity>,
    },
}

impl IdentityError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotExpected { nearest, .. } => nearest.code(),
            Self::NoneExpected { .. } => "signer.certificate_not_expected",
        }
    }
}

/// A signer that the caller expects.
#[derive(Debug)]
pub(super) struct ExpectedIdentity {
    signer: SignerIdentity,
    check: Option<Check>,
}

/// Reads the identity of a signer; a key stands for itself and was expected already.
pub(super) fn read(
    signer: &AuthenticSigner,
    expected: &ExpectedSigners,
) -> Result<ExpectedIdentity, IdentityError> {
    let Some(identity) = signer.certificate_identity() else {
        return Ok(ExpectedIdentity {
            signer: SignerIdentity::Key(signer.key().fingerprint()),
            check: None,
        });
    };
    let check = judge(identity, &expected.identities)?;
    Ok(ExpectedIdentity {
        signer: SignerIdentity::Certificate(Box::new(identity.clone())),
        check: Some(check),
    })
}

fn judge(identity: &CertificateIdentity, rules: &IdentityRules) -> Result<Check, IdentityError> {
    let none = || IdentityError::NoneExpected {
        identity: Box::new(identity.clone()),
    };
    let rules = match rules {
        IdentityRules::None => return Err(none()),
        IdentityRules::DangerouslyAny { reason } => {
            return Ok(Check::skipped(
                "signer.identity",
                format!("anybody's would do: {reason}"),
            ));
        }
        IdentityRules::Any(rules) => rules,
    };
    let mut nearest: Option<IdentityMismatch> = None;
    for rule in rules {
        match rule.matches(identity) {
            Ok(()) => return Ok(Check::pass("signer.identity")),
            Err(mismatch)
                if nearest
                    .as_ref()
                    .is_none_or(|nearest| nearest.rank() < mismatch.rank()) =>
            {
                nearest = Some(mismatch);
            }
            Err(_) => {}
        }
    }
    Err(match nearest {
        Some(nearest) => IdentityError::NotExpected {
            identity: Box::new(identity.clone()),
            nearest,
        },
        None => none(),
    })
}

impl ExpectedIdentity {
    pub(super) fn checks(&self) -> Vec<Check> {
        self.check.clone().into_iter().collect()
    }

    pub(super) fn into_signer(self) -> SignerIdentity {
        self.signer
    }
}
