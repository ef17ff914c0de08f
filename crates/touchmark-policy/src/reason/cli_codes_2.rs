//! Codes of the command line: flags, configuration, files, attesting, showing. Part 2.

use super::registry::{Entry, entry};
use crate::exit::Class::Error;

pub(super) const CODES: &[Entry] = &[
    entry(
        "store.unreadable",
        Error,
        "a folder of the program cannot be read",
        "The program could not finish what it was asked; nothing was decided.",
        "mend what the message names and try again",
    ),
    entry(
        "store.unwritable",
        Error,
        "a folder of the program cannot be written",
        "The program could not finish what it was asked; nothing was decided.",
        "mend what the message names and try again",
    ),
];
