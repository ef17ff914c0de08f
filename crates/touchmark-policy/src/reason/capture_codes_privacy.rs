//! Codes of disclosure, escrow and redaction.

use super::registry::Entry;

pub(super) const CODES: &[Entry] = &[];
