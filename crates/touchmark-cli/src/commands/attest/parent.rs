//! The session that a session works for or goes back to, and that session's last statement about the same repository.

use touchmark_agents::run::{Relation, Run};
use touchmark_statement::agent_change as claim;
use touchmark_statement::digest::DigestSet;

use crate::capture::marks;
use crate::context::Context;
use crate::error::CliError;
use crate::pipeline::chain;

/// Returns what the session's own records say of it, else what was seen.
///
/// Its statement is named only where its product is known for certain: one session's id means nothing to another
/// product. What is in nobody's chain here is not named at all.
pub(super) fn of(
    run: &Run,
    seen: Option<claim::ParentAgent>,
    repository: &str,
    context: &Context<'_>,
) -> Result<Option<claim::ParentAgent>, CliError> {
    let (product, instance, relation) = match (&run.parent, seen) {
        (Some(told), _) => (
            Some(run.product.name.as_str()),
            told.session_id.clone(),
            relation(told.relation),
        ),
        (None, Some(seen)) => (
            marks::product_of(&context.environment, &seen.instance),
            seen.instance,
            seen.relation,
        ),
        (None, None) => return Ok(None),
    };
    let mut parent = claim::ParentAgent {
        instance,
        statement: None,
        relation,
    };
    let is_itself = |product: &str| {
        product == run.product.name && run.session_id.as_ref().is_some_and(|id| *id == parent.instance)
    };
    if let Some(product) = product.filter(|product| !is_itself(product)) {
        let session = chain::session_name(product, &parent.instance, repository);
        let last = chain::last(&session, context)?;
        parent.statement = last.map(|link| DigestSet::of_sha256(link.payload));
    }
    Ok(Some(parent))
}

fn relation(relation: Relation) -> Option<claim::ParentRelation> {
    match relation {
        Relation::Fork => Some(claim::ParentRelation::Fork),
        Relation::Resume => Some(claim::ParentRelation::Resume),
        Relation::Subagent => Some(claim::ParentRelation::Subagent),
        _ => None,
    }
}
