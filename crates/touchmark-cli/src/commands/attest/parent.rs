//! The session that a session works for or goes back to, and that session's last statement about the same repository.

use touchmark_agents::run::{Relation, Run};
use touchmark_statement::agent_change as claim;
use touchmark_statement::digest::DigestSet;

use crate::capture::marks;
use crate::context::Context;
use crate::error::CliError;
use crate::pipeline::chain;

/// Returns what was seen of it, with what the session's own records say; where both name one, what was seen counts.
///
/// Its statement is named only where its product is known for certain: one session's id means nothing to another
/// product. What is in nobody's chain here is not named at all.
pub(super) fn of(
    run: &Run,
    seen: Option<claim::ParentAgent>,
    repository: &str,
    context: &Context<'_>,
) -> Result<Option<claim::ParentAgent>, CliError> {
    let told = run.parent.as_ref().map(|parent| claim::ParentAgent {
        instance: parent.session_id.clone(),
        statement: None,
        relation: relation(parent.relation),
    });
    let is_told =
        |parent: &claim::ParentAgent| told.as_ref().is_some_and(|told| told.instance == parent.instance);
    let Some(mut parent) = seen.or_else(|| told.clone()) else {
        return Ok(None);
    };
    let product = if is_told(&parent) {
        parent.relation = parent.relation.or(told.and_then(|told| told.relation));
        Some(run.product.name.as_str())
    } else {
        marks::product_of(&context.environment, &parent.instance)
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
