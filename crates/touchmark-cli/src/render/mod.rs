//! Text for people. Decides nothing, and escapes everything that came from evidence or from a repository.

pub(crate) mod statement;
pub(crate) mod verdict;

use crate::output::escape;

/// Words for one line of a list: a label and its values, escaped.
pub(crate) fn field(label: &str, value: &str) -> String {
    format!("  {label:<12} {}", escape::inline(value))
}

/// The first twelve characters of an identifier.
pub(crate) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
