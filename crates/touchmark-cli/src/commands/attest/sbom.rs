//! Bills of materials: of the trees of a change, and as evidence of their own.

mod command;
mod file;
mod trees;

use std::path::Path;

use touchmark_git::Repository;
use touchmark_sbom::{Difference, Inventory, Tool};
use touchmark_statement::agent_change::{DependencyChange, SbomClaim, TreeSide, UnreadManifest};
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::limits::{MAX_DEPENDENCIES, MAX_STATEMENT_BYTES, MAX_TEXT_BYTES, MAX_UNREAD};

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

/// What the trees of a change say of its dependencies, and what the user is told of it.
#[derive(Debug)]
pub(crate) struct OfTrees {
    claim: Option<SbomClaim>,
    warnings: Vec<String>,
}

impl OfTrees {
    /// Reads the trees, unless a file made elsewhere stands in for them.
    pub(crate) fn unless_in(file: Option<&Path>, git: &Repository, change: &GitChange) -> Option<Self> {
        file.is_none().then(|| Self::read(git, change))
    }

    /// Where the trees cannot be looked through, nothing is claimed.
    fn read(git: &Repository, change: &GitChange) -> Self {
        let pair = match trees::Pair::of(git, change) {
            Ok(pair) => pair,
            Err(error) => {
                return Self {
                    claim: None,
                    warnings: vec![format!("no bill of materials: [{}] {error}", error.code())],
                };
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
        Self {
            claim: Some(claim),
            warnings: warnings(&pair.proposed),
        }
    }
}

/// What a statement says of the dependencies of a change: what a file made elsewhere says, else what the trees say,
/// which are read now unless they were before.
pub(crate) fn claim(
    file: Option<&Path>,
    of_trees: Option<&OfTrees>,
    (change, git): (&GitChange, &Repository),
    context: &Context<'_>,
) -> Result<Option<SbomClaim>, CliError> {
    if let Some(file) = file {
        return read(&context.path(file)).map(Some);
    }
    let read_now;
    let of_trees = match of_trees {
        Some(of_trees) => of_trees,
        None => {
            read_now = OfTrees::read(git, change);
            &read_now
        }
    };
    for warning in &of_trees.warnings {
        context.output.warn(warning);
    }
    Ok(of_trees.claim.clone())
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
fn warnings(inventory: &Inventory) -> Vec<String> {
    const NAMED: usize = 5;
    let unread: Vec<String> = inventory
        .lockfiles()
        .iter()
        .filter_map(|lockfile| Some(format!("[{}] {}", lockfile.code()?, lockfile.path)))
        .collect();
    let incomplete = |what: &str| format!("the bill of materials is incomplete: {what}");
    let mut warnings: Vec<String> = unread.iter().take(NAMED).map(|what| incomplete(what)).collect();
    if unread.len() > NAMED {
        warnings.push(incomplete(&format!("{} more lockfiles", unread.len() - NAMED)));
    }
    warnings
}

/// Tells the user of what is incomplete.
fn warn(inventory: &Inventory, context: &Context<'_>) {
    for warning in warnings(inventory) {
        context.output.warn(warning);
    }
}
