//! Codes of tests and builds as evidence, and of exports.

use super::registry::Entry;

pub(super) const CODES: &[Entry] = &[];
