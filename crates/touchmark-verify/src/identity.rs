//! Who a certificate says signed: subject alternative name, issuer and every Fulcio claim, as typed values; and the
//! rules by which a caller says whom it expects.
//!
//! Names are compared byte for byte: no case folding, no percent decoding, no resolving of dots, no punycode.

mod claims;
mod pattern;
mod rule;

#[cfg(test)]
mod tests;

use std::fmt;

pub use claims::{Claim, FulcioClaims};
pub use pattern::{PatternError, TextPattern};
pub use rule::{DANGEROUS_TRIGGERS, IdentityMismatch, IdentityRule, IdentityRules};

/// The identity in a signing certificate, proven by its chain; whether it is wanted is for an [`IdentityRule`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CertificateIdentity {
    /// The one subject alternative name.
    pub san: SubjectAlternativeName,
    /// The OpenID Connect issuer that vouched for it; both spellings of the claim agreed where both are there.
    pub issuer: String,
    /// What else the issuer said.
    pub claims: FulcioClaims,
}

impl CertificateIdentity {
    /// Returns an identity without claims, as certificates of people have it.
    pub fn new(san: SubjectAlternativeName, issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        let claims = FulcioClaims {
            issuer: Some(issuer.clone()),
            ..FulcioClaims::default()
        };
        Self { san, issuer, claims }
    }
}

impl fmt::Display for CertificateIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (issuer {})", self.san, self.issuer)
    }
}

/// A subject alternative name of a kind that Fulcio writes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SubjectAlternativeName {
    /// An e-mail address (`rfc822Name`).
    Email(String),
    /// A URI, such as that of a workflow.
    Uri(String),
    /// A user name (`otherName` of type 1.3.6.1.4.1.57264.1.7).
    OtherName(String),
}

impl SubjectAlternativeName {
    /// Returns the name itself.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(name) | Self::Uri(name) | Self::OtherName(name) => name,
        }
    }

    /// Returns the kind of the name in one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Uri(_) => "uri",
            Self::OtherName(_) => "other",
        }
    }
}

impl fmt::Display for SubjectAlternativeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
