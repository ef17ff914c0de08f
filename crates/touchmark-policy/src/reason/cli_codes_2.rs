//! Codes of the command line: flags, configuration, files, attesting, showing. Part 2.

use super::registry::{Entry, entry};
use crate::exit::Class::Error;

pub(super) const CODES: &[Entry] = &[
];
