//! Codes of what two sources say of one identity.

use super::registry::Entry;

pub(super) const CODES: &[Entry] = &[];
