//! Whether the path rows of a statement are what git computes: every path, both modes and blobs, content and size.

use touchmark_statement::agent_change::{Change, NewSide, OldSide, PathRow};
use touchmark_statement::repo_path::RepoPath;

use super::SetAsideReason;
use super::bind::Refusal;
use super::diffs::Diffs;
use crate::git_view::{PathChange, TreeEntry};

/// Computes the rows again and requires them to be equal, all of them.
pub(super) fn require_equal(change: &Change, diffs: &mut Diffs<'_>) -> Result<(), Refusal> {
    let Some(rows) = &change.paths else {
        return Err(SetAsideReason::PathsTreeUnsupported.into());
    };
    let computed = diffs
        .changed(&change.base.git_tree, &change.proposed.git_tree)
        .map_err(Refusal::of_claim)?;
    let mut stated: Vec<&PathRow> = rows.iter().collect();
    stated.sort_by(|one, other| one.path.as_bytes().cmp(other.path.as_bytes()));
    let mut stated = stated.into_iter();
    for row in computed.iter() {
        match stated.next() {
            Some(claim) if claim.path == row.path => require_row(claim, row, diffs)?,
            Some(claim) => {
                let first = claim.path.as_bytes().min(row.path.as_bytes());
                let path = if first == row.path.as_bytes() {
                    &row.path
                } else {
                    &claim.path
                };
                return Err(mismatch(path));
            }
            None => return Err(mismatch(&row.path)),
        }
    }
    stated.next().map_or(Ok(()), |claim| Err(mismatch(&claim.path)))
}

fn require_row(claim: &PathRow, row: &PathChange, diffs: &Diffs<'_>) -> Result<(), Refusal> {
    let same_from = match (&claim.from, &row.from) {
        (None, None) => true,
        (Some(OldSide { mode, git_blob }), Some(entry)) => *mode == entry.mode && *git_blob == entry.id,
        _ => false,
    };
    let same_to = match (&claim.to, &row.to) {
        (None, None) => true,
        (Some(side), Some(entry)) => {
            side.mode == entry.mode && side.git_blob == entry.id && same_content(side, entry, diffs)?
        }
        _ => false,
    };
    // The status follows from the two sides, which parsing has checked.
    if same_from && same_to {
        Ok(())
    } else {
        Err(mismatch(&row.path))
    }
}

/// The SHA-256 and size of a blob; a submodule's commit has neither.
fn same_content(side: &NewSide, entry: &TreeEntry, diffs: &Diffs<'_>) -> Result<bool, Refusal> {
    if entry.mode == touchmark_statement::file_mode::FileMode::Gitlink {
        return Ok(side.sha256.is_none() && side.size.is_none());
    }
    let (sha256, size) = diffs.git().blob_digest(&entry.id).map_err(Refusal::of_claim)?;
    Ok(side.sha256 == Some(sha256) && side.size == Some(size))
}

fn mismatch(path: &RepoPath) -> Refusal {
    SetAsideReason::PathsMismatch { path: path.clone() }.into()
}
