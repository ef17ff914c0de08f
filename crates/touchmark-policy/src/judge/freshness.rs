//! Whether the question can be asked of a policy: not older than one already seen, not past its last day, nothing left
//! out that the answer needs.

use touchmark_statement::repo_path::RepoPath;
use touchmark_verify::git_view::GitViewError;

use super::facts::Matcher;
use super::request::{JudgeRequest, PolicyInForce};
use crate::classes;
use crate::globs::Glob;
use crate::verdict::Reason;

/// Where suspects are kept; this version does not read them and will not ignore them.
const SUSPECTS: &str = ".touchmark/suspects";

/// Returns the reasons for which nothing can be judged by this policy.
pub(super) fn judge(
    request: &JudgeRequest<'_>,
    used: &PolicyInForce<'_>,
) -> Result<Vec<Reason>, GitViewError> {
    let mut reasons = Vec::new();
    if let Some(floor) = used.serial_floor.filter(|floor| used.policy.serial < *floor) {
        let reason = Reason::new("policy.rolled_back").expected(format!("serial {floor} or higher"));
        reasons.push(reason.found(format!("serial {}", used.policy.serial)));
    }
    if let Some(expires) = used.policy.expires.filter(|expires| *expires <= request.at)
        && !only_policy_paths(request)?
    {
        let reason = Reason::new("policy.expired").expected(format!("a policy in force at {}", request.at));
        reasons.push(reason.found(format!("it expired at {expires}")));
    }
    let change = request.change;
    if change.base_tree != change.result_tree
        && change.commits.is_empty()
        && change.pull_request_commits.is_empty()
    {
        // Without commits nobody could be excluded as an author.
        reasons.push(
            Reason::new("range.no_commits")
                .expected("the commits of the change")
                .found("none"),
        );
    }
    let suspects: RepoPath = SUSPECTS.parse().expect("the folder's name is a path");
    // Only an answer of "nothing there" lets the judgement go on.
    if !matches!(
        request.git.read_path(&request.change.base_tree, &suspects, 0),
        Ok(None)
    ) {
        reasons.push(Reason::new("suspect.unsupported").found(SUSPECTS));
    }
    Ok(reasons)
}

/// Returns whether the change is confined to the policy's own folder.
fn only_policy_paths(request: &JudgeRequest<'_>) -> Result<bool, GitViewError> {
    let globs: Vec<Glob> = classes::built_in()
        .iter()
        .filter(|(id, _)| *id == classes::POLICY_CLASS)
        .flat_map(|(_, patterns)| patterns.iter())
        .filter_map(|pattern| Glob::parse(pattern).ok())
        .collect();
    let paths = request
        .git
        .changed_paths(&request.change.base_tree, &request.change.result_tree)?;
    Ok(paths
        .iter()
        .all(|row| Matcher::new(&row.path, None, None).is_protected_by(&globs)))
}
