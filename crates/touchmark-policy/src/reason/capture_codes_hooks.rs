//! Codes of hooks, the worker behind them and wrapped commands.

use super::registry::Entry;

pub(super) const CODES: &[Entry] = &[];
