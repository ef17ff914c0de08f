//! Bills of materials: of the trees of a change, and as evidence of their own.

mod command;
mod file;
mod trees;

use std::path::Path;

use touchmark_git::Repository;
use touchmark_statement::agent_change::{DependencyChange, SbomClaim, TreeSide, UnreadManifest};
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::limits::{MAX_DEPENDENCIES, MAX_STATEMENT_BYTES, MAX_TEXT_BYTES, MAX_UNREAD};
use touchmark_sbom::{Difference, Tool};

pub(crate) use self::command::{Args, run};
pub(crate) use self::file::read;
use super::change::GitChange;
use crate::commands::version::VERSION;
use crate::context::Context;
use crate::error::CliError;

/// The format of the documents that are written, as statements name it.
const FORMAT: &str = "cyclonedx-1.6";
/// The most that the changed dependencies of one statement take; the rest of its limit is for everything else.
const MAX_DEPENDENCY_BYTES: usize = MAX_STATEMENT_BYTES / 8;

/// Who writes the documents.
fn tool() -> Tool {
    Tool {
        name: "touchmark".to_owned(),
        version: VERSION.to_owned(),
    }
}

/// What a statement says of the dependencies of a change: what a file made elsewhere says, else what the trees say.
/// Where the trees cannot be looked through, nothing is said, and the user is told.
pub(crate) fn claim(
    file: Option<&Path>,
    change: &GitChange,
    git: &Repository,
    context: &Context<'_>,
) -> Result<Option<SbomClaim>, CliError> {
    if let Some(file) = file {
        return read(&context.path(file)).map(Some);
    }
    let pair = match trees::Pair::of(git, change) {
        Ok(pair) => pair,
        Err(error) => {
            context.output.warn(format!(
                "no bill of materials: [{}] {error}",
                error.code()
            ));
            return Ok(None);
        }
    };
    let proposed = pair.proposed.cyclonedx(&tool());
    let digest = DigestSet::of_sha256(Sha256Digest::of(&proposed));
    let base = if pair.is_same {
        digest.clone()
    } else {
        DigestSet::of_sha256(Sha256Digest::of(&pair.base.cyclonedx(&tool())))
    };
    let mut claim = SbomClaim {
        format: FORMAT.to_owned(),
        digest,
        base: Some(base),
        dependencies: Vec::new(),
        unread: Vec::new(),
        omitted: 0,
    };
    say(Difference::between(&pair.base, &pair.proposed), &mut claim);
    warn(&pair.proposed, context);
    Ok(Some(claim))
}

/// Takes over what fits into a statement, and counts the rest.
fn say(difference: Difference, claim: &mut SbomClaim) {
    let mut room = MAX_DEPENDENCY_BYTES;
    for row in difference.rows {
        let texts = [Some(&row.purl), row.from.as_ref(), row.to.as_ref()];
        let bytes: usize = texts.iter().flatten().map(|text| text.len() + 16).sum();
        let bytes = bytes + row.manifest.as_bytes().len() + 32;
        if row.purl.len() > MAX_TEXT_BYTES || bytes > room || claim.dependencies.len() >= MAX_DEPENDENCIES {
            claim.omitted += 1;
            continue;
        }
        room -= bytes;
        claim.dependencies.push(DependencyChange {
            purl: row.purl,
            from: row.from,
            to: row.to,
            manifest: row.manifest,
        });
    }
    // A list that is cut is still a finding.
    let unread = difference.unread.into_iter().take(MAX_UNREAD);
    claim.unread.extend(unread.map(|unread| UnreadManifest {
        manifest: unread.manifest,
        tree: if unread.in_base {
            TreeSide::Base
        } else {
            TreeSide::Proposed
        },
        reason: unread.reason.to_owned(),
    }));
}

/// Names the first lockfiles of which not everything is known, and counts the others.
fn warn(inventory: &touchmark_sbom::Inventory, context: &Context<'_>) {
    const NAMED: usize = 5;
    let unread: Vec<(String, &str)> = inventory
        .lockfiles()
        .iter()
        .filter_map(|lockfile| Some((lockfile.path.to_string(), lockfile.code()?)))
        .collect();
    for (path, code) in unread.iter().take(NAMED) {
        context
            .output
            .warn(format!("the bill of materials is incomplete: [{code}] {path}"));
    }
    if unread.len() > NAMED {
        context.output.warn(format!(
            "the bill of materials is incomplete: {} more lockfiles",
            unread.len() - NAMED
        ));
    }
}
