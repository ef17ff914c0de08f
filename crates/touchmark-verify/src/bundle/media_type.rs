//! The media types of Sigstore bundles, and what each version allows.
//!
//! <https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_bundle.proto>

use std::fmt;

/// A media type of a Sigstore bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MediaType {
    /// `application/vnd.dev.sigstore.bundle+json;version=0.1`
    V01,
    /// `application/vnd.dev.sigstore.bundle+json;version=0.2`
    V02,
    /// `application/vnd.dev.sigstore.bundle+json;version=0.3`, the older spelling of version 0.3.
    V03Parameter,
    /// `application/vnd.dev.sigstore.bundle.v0.3+json`, the spelling this program writes.
    V03,
}

impl MediaType {
    /// Every media type that is read.
    pub const ALL: [MediaType; 4] = [Self::V01, Self::V02, Self::V03Parameter, Self::V03];

    /// Returns the media type as a bundle spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V01 => "application/vnd.dev.sigstore.bundle+json;version=0.1",
            Self::V02 => "application/vnd.dev.sigstore.bundle+json;version=0.2",
            Self::V03Parameter => "application/vnd.dev.sigstore.bundle+json;version=0.3",
            Self::V03 => "application/vnd.dev.sigstore.bundle.v0.3+json",
        }
    }

    /// Returns the media type with exactly this spelling.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|media_type| media_type.as_str() == name)
    }

    /// Tells whether this is version 0.3, in either spelling.
    pub fn is_v03(self) -> bool {
        matches!(self, Self::V03Parameter | Self::V03)
    }

    /// Tells whether every log entry must carry an inclusion proof with a checkpoint (0.2 and later).
    pub fn demands_inclusion_proof(self) -> bool {
        self != Self::V01
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
