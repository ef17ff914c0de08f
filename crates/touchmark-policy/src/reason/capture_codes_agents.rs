//! Codes of reading sessions of many products.

use super::registry::{Entry, entry};
use crate::exit::Class::Error;

pub(super) const CODES: &[Entry] = &[
    entry(
        "session.unknown_format",
        Error,
        "the file is no session of a known product",
        "A session file is told by its name and by the field names of its first records. Reading one product's file with \
         another's importer would report nonsense with confidence.",
        "name the agent's own session file; for a product that is not known, export an ATIF trajectory or OTLP spans",
    ),
    entry(
        "session.database",
        Error,
        "the file is no database that can be read",
        "It begins like a database of SQLite but is damaged, needs the log of changes beside it to be merged by its own \
         program, or this build reads no databases.",
        "run the agent's own program once so that it repairs its database, or name an exported session",
    ),
    entry(
        "session.packed",
        Error,
        "the packed session cannot be unpacked",
        "Its name ends in `.jsonl.zst`, and what is in it is no Zstandard, was cut short or changed, or needs a \
         dictionary. Nothing of it is taken: what is missing could be anything.",
        "unpack the archive with `zstd -d` to see what is wrong with it, or name the plain file",
    ),
    entry(
        "session.not_held",
        Error,
        "the file does not hold the session that was asked for",
        "A database holds many sessions; one is chosen by the identifier that a hook or the caller gave.",
        "name a session that the agent's own listing shows, or leave the name out to take the newest",
    ),
];
