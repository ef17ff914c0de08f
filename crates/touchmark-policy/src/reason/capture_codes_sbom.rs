//! Codes of bills of materials.

use super::registry::Entry;

pub(super) const CODES: &[Entry] = &[];
