//! The published JSON Schemas of what we write, as text.

/// The schema of an in-toto Statement v1 as we read it.
pub const STATEMENT_V1: &str = include_str!("../../../schemas/statement/v1.json");

/// The schema of the `agent-change/v1` predicate.
pub const AGENT_CHANGE_V1: &str = include_str!("../../../schemas/agent-change/v1.json");

/// The schema of the `review/v1` predicate.
pub const REVIEW_V1: &str = include_str!("../../../schemas/review/v1.json");

#[cfg(test)]
mod tests;
