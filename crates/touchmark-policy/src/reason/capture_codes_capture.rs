//! Codes of runs, chains and what a statement is about.

use super::registry::Entry;

pub(super) const CODES: &[Entry] = &[];
