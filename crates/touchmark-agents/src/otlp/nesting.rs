//! Which operations stand inside which: spans name their parents, log records the spans that they belong to.

use std::collections::HashMap;

use super::operation::{Kind, Operation};

/// The parent of each operation, where it is there.
pub(super) fn parents(operations: &[Operation]) -> Vec<Option<usize>> {
    let spans: HashMap<(String, String), usize> = operations
        .iter()
        .enumerate()
        .filter(|(_, operation)| !operation.is_log && !operation.id.is_empty())
        .map(|(at, operation)| ((operation.trace.clone(), operation.id.clone()), at))
        .collect();
    operations
        .iter()
        .map(|operation| parent_of(operation, &spans))
        .collect()
}

/// A log record stands inside the span that it names; a span inside its parent.
fn parent_of(operation: &Operation, spans: &HashMap<(String, String), usize>) -> Option<usize> {
    let id = if operation.is_log {
        Some(operation.id.clone()).filter(|id| !id.is_empty())
    } else {
        operation.parent.clone()
    };
    spans.get(&(operation.trace.clone(), id?)).copied()
}

/// Which operations have others below them whose tokens count: theirs repeat those.
pub(super) fn counted_below(operations: &[Operation], parents: &[Option<usize>]) -> Vec<bool> {
    let mut below = vec![false; operations.len()];
    for (at, operation) in operations.iter().enumerate() {
        if !operation.has_usage() {
            continue;
        }
        let mut up = parents[at];
        while let Some(parent) = up.filter(|parent| !below[*parent] && *parent != at) {
            below[parent] = true;
            up = parents[parent];
        }
    }
    below
}

/// The sub-agent that each operation belongs to: the nearest agent that another agent called.
pub(super) fn owners(operations: &[Operation], parents: &[Option<usize>]) -> Vec<Option<String>> {
    let agent_at = |at: usize| operations[at].kind == Kind::Agent;
    // The nearest agent of each, itself included, found once for each.
    let mut nearest: Vec<Option<Option<usize>>> = vec![None; operations.len()];
    for start in 0..operations.len() {
        let mut path = Vec::new();
        let mut at = Some(start);
        let found = loop {
            let Some(here) = at else { break None };
            if let Some(known) = nearest[here] {
                break known;
            }
            if agent_at(here) {
                break Some(here);
            }
            // A cycle leads back to what has no answer yet.
            nearest[here] = Some(None);
            path.push(here);
            at = parents[here];
        };
        for here in path {
            nearest[here] = Some(found);
        }
        if agent_at(start) {
            nearest[start] = Some(Some(start));
        }
    }
    (0..operations.len())
        .map(|at| {
            let agent = nearest[at].flatten()?;
            let above = parents[agent].and_then(|parent| nearest[parent].flatten())?;
            let operation = &operations[agent];
            let is_same = operation.agent.is_some() && operation.agent == operations[above].agent;
            (!is_same && above != agent).then(|| {
                let name = operation.agent.clone();
                name.unwrap_or_else(|| operation.id.clone())
            })
        })
        .collect()
}
