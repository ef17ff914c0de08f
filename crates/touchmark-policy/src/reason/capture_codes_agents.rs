//! Codes of reading sessions of many products.

use super::registry::{Entry, entry};
use crate::exit::Class::Error;

pub(super) const CODES: &[Entry] = &[entry(
    "session.unknown_format",
    Error,
    "the file is no session of a known product",
    "A session file is told by its name and by the field names of its first records. Reading one product's file with \
     another's importer would report nonsense with confidence.",
    "name the agent's own session file; for a product that is not known, export an ATIF trajectory or OTLP spans",
)];
