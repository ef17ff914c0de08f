//! The body of a log entry of any kind that is verified.

use super::rekor_v1::{DsseV001, HashedRekordV001, IntotoV002};
use super::{EntryError, HashedRekordV002, KindVersion, LogEntry, VerifierMaterial};

/// The body of a log entry, typed. Rekor v2 writes the first, Rekor v1 the others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryBody {
    /// `hashedrekord` 0.0.2.
    HashedRekordV002(HashedRekordV002),
    /// `hashedrekord` 0.0.1.
    HashedRekordV001(HashedRekordV001),
    /// `dsse` 0.0.1.
    DsseV001(DsseV001),
    /// `intoto` 0.0.2.
    IntotoV002(IntotoV002),
}

impl EntryBody {
    /// Parses the body of an entry as the kind that the entry names; the body must state the same of itself.
    pub fn of(entry: &LogEntry) -> Result<Self, EntryError> {
        let body = &entry.canonicalized_body;
        match (entry.kind.kind.as_str(), entry.kind.version.as_str()) {
            ("hashedrekord", "0.0.2") => HashedRekordV002::parse_canonical(body).map(Self::HashedRekordV002),
            ("hashedrekord", "0.0.1") => HashedRekordV001::parse_canonical(body).map(Self::HashedRekordV001),
            ("dsse", "0.0.1") => DsseV001::parse_canonical(body).map(Self::DsseV001),
            ("intoto", "0.0.2") => IntotoV002::parse_canonical(body).map(Self::IntotoV002),
            _ => Err(EntryError::kind(&entry.kind)),
        }
    }

    /// Returns the kind and version.
    pub fn kind(&self) -> KindVersion {
        let (kind, version) = match self {
            Self::HashedRekordV002(_) => ("hashedrekord", "0.0.2"),
            Self::HashedRekordV001(_) => ("hashedrekord", "0.0.1"),
            Self::DsseV001(_) => ("dsse", "0.0.1"),
            Self::IntotoV002(_) => ("intoto", "0.0.2"),
        };
        KindVersion {
            kind: kind.to_owned(),
            version: version.to_owned(),
        }
    }

    /// Tells whether Rekor v1 writes such bodies, whose entries may have an inclusion promise.
    pub fn is_rekor_v1(&self) -> bool {
        !matches!(self, Self::HashedRekordV002(_))
    }

    /// Returns the keys and certificates that the body names, one for each signature.
    pub fn verifiers(&self) -> Vec<&VerifierMaterial> {
        match self {
            Self::HashedRekordV002(body) => vec![&body.verifier.material],
            Self::HashedRekordV001(body) => vec![body.verifier.material()],
            Self::DsseV001(body) => {
                let verifiers = body.signatures.iter();
                verifiers.map(|(_, verifier)| verifier.material()).collect()
            }
            Self::IntotoV002(body) => {
                let signatures = body.signatures.iter();
                signatures
                    .map(|signature| signature.verifier.material())
                    .collect()
            }
        }
    }
}
