//! Software bills of materials, as a digest and a list of components.
//!
//! CycloneDX 1.4 to 1.6, SPDX 2.3 and SPDX 3, JSON. Only the components are read; the document is kept as it is.

mod cyclonedx;
mod spdx;

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::digest::Sha256Digest;
use crate::predicate::{CYCLONEDX_BOM, SPDX_DOCUMENT, SPDX_DOCUMENT_V2_3, SPDX_DOCUMENT_V3};
use crate::strict_json::{self, Author, JsonError, from_str_typed};

/// Why a bill of materials was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SbomError {
    /// The document's JSON, or the shape of a value in it.
    #[error("the bill of materials is refused")]
    Json(#[from] JsonError),
    /// The document is of a version that is not read.
    #[error("{format} {found:?} is not read")]
    Version {
        /// The format.
        format: SbomFormat,
        /// The version found.
        found: String,
    },
    /// The predicate type is none of a bill of materials.
    #[error("{predicate_type:?} is no predicate type of a bill of materials")]
    UnknownType {
        /// The predicate type.
        predicate_type: String,
    },
    /// The predicate type names another version than the document.
    #[error("the predicate type {predicate_type:?} does not fit a document of version {found:?}")]
    PredicateType {
        /// The predicate type.
        predicate_type: String,
        /// The version found.
        found: String,
    },
}

impl SbomError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(error) => error.code(),
            Self::Version { .. } => "sbom.version",
            Self::UnknownType { .. } => "sbom.unknown_type",
            Self::PredicateType { .. } => "sbom.predicate_type",
        }
    }
}

/// A family of document formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SbomFormat {
    /// CycloneDX.
    CycloneDx,
    /// SPDX.
    Spdx,
}

impl SbomFormat {
    /// Returns the format that a predicate type stands for, if any.
    pub fn from_predicate_type(predicate_type: &str) -> Option<Self> {
        match predicate_type {
            SPDX_DOCUMENT | SPDX_DOCUMENT_V2_3 | SPDX_DOCUMENT_V3 => Some(Self::Spdx),
            other => {
                let version = other.strip_prefix(CYCLONEDX_BOM)?;
                matches!(version, "" | "/v1.4" | "/v1.5" | "/v1.6").then_some(Self::CycloneDx)
            }
        }
    }
}

impl fmt::Display for SbomFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CycloneDx => "CycloneDX",
            Self::Spdx => "SPDX",
        })
    }
}

/// One component that a bill of materials lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Its package URL.
    pub purl: Option<String>,
}

/// A bill of materials.
#[derive(Clone, Debug, PartialEq)]
pub struct Sbom {
    predicate_type: String,
    format: SbomFormat,
    version: String,
    digest: Sha256Digest,
    components: Vec<Component>,
    document: Value,
}

impl Sbom {
    /// Makes a bill of materials from a document that we wrote.
    ///
    /// Its digest is that of its canonical JSON, which is how it will stand in the statement.
    pub fn from_document(predicate_type: &str, document: &Value) -> Result<Self, SbomError> {
        let Some(format) = SbomFormat::from_predicate_type(predicate_type) else {
            return Err(SbomError::UnknownType {
                predicate_type: predicate_type.to_owned(),
            });
        };
        let bytes = strict_json::canonical(document)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| JsonError::NotUtf8 {
            offset: error.valid_up_to(),
        })?;
        Self::parse(format, predicate_type, text)
    }

    /// Reads a document from text that has passed `scan`.
    pub(crate) fn parse(format: SbomFormat, predicate_type: &str, text: &str) -> Result<Self, SbomError> {
        let (version, components) = match format {
            SbomFormat::CycloneDx => cyclonedx::read(text)?,
            SbomFormat::Spdx => spdx::read(text)?,
        };
        let stated = predicate_type.rsplit_once("/v").map(|(_, stated)| stated);
        let fits = |stated: &str| version == stated || version.starts_with(&format!("{stated}."));
        if !stated.is_none_or(fits) {
            return Err(SbomError::PredicateType {
                predicate_type: predicate_type.to_owned(),
                found: version,
            });
        }
        let document = from_str_typed::<Value>(text, Author::Others, "/predicate")?.value;
        Ok(Self {
            predicate_type: predicate_type.to_owned(),
            format,
            version,
            digest: Sha256Digest::of(text.as_bytes()),
            components,
            document,
        })
    }

    /// Returns the type of a statement with this document.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// Returns the family of formats.
    pub fn format(&self) -> SbomFormat {
        self.format
    }

    /// Returns the version of the format, such as `1.6`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the SHA-256 digest of the document's bytes as they stand in the statement.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// Returns the components, nested ones included, in document order.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// Returns the whole document.
    pub fn document(&self) -> &Value {
        &self.document
    }
}

#[cfg(test)]
mod tests;
