//! A document that was made elsewhere.

use std::path::Path;

use serde_json::Value;
use touchmark_statement::agent_change::SbomClaim;
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::predicate::{CYCLONEDX_BOM, SPDX_DOCUMENT};
use touchmark_statement::sbom::{Sbom, SbomFormat};
use touchmark_statement::strict_json::{self, Numbers, Rules};

use crate::error::CliError;
use crate::file_argument;

/// The largest document that is read.
const MAX_SBOM_BYTES: u64 = 64 * 1_024 * 1_024;

/// Reads a document and names it. Its dependencies are not compared with the base's.
pub(crate) fn read(path: &Path) -> Result<SbomClaim, CliError> {
    let (sbom, bytes) = document(path)?;
    let family = match sbom.format() {
        SbomFormat::CycloneDx => "cyclonedx",
        SbomFormat::Spdx => "spdx",
    };
    Ok(SbomClaim {
        format: format!("{family}-{}", sbom.version().trim_start_matches("SPDX-")),
        digest: DigestSet::of_sha256(Sha256Digest::of(&bytes)),
        base: None,
        dependencies: Vec::new(),
        unread: Vec::new(),
        omitted: 0,
    })
}

/// Reads a document and returns it with the bytes of its file.
pub(super) fn document(path: &Path) -> Result<(Sbom, Vec<u8>), CliError> {
    let bytes = file_argument::read(path, MAX_SBOM_BYTES)?;
    let rules = Rules {
        max_bytes: MAX_SBOM_BYTES as usize,
        max_depth: 64,
        numbers: Numbers::Any,
    };
    let document: Value = strict_json::from_slice(&bytes, &rules)?;
    let predicate_type = if document.get("bomFormat").is_some() {
        CYCLONEDX_BOM
    } else if document.get("spdxVersion").is_some() || document.get("@graph").is_some() {
        SPDX_DOCUMENT
    } else {
        return Err(CliError::usage(
            "attest.sbom_unknown",
            format!("{} is no bill of materials", path.display()),
        )
        .hint("CycloneDX 1.4 to 1.6 and SPDX 2.3 and 3 in JSON are known"));
    };
    Ok((Sbom::from_document(predicate_type, &document)?, bytes))
}
