//! Codes of statements and of the JSON they are written in. Part 2.

use super::registry::{Entry, entry};
use crate::exit::Class::Invalid;

pub(super) const CODES: &[Entry] = &[
    entry(
        "git_id.malformed",
        Invalid,
        "a git object id is not 40 or 64 lowercase hex digits",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "mode.unknown",
        Invalid,
        "a file mode is none that git writes",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "path.dot_component",
        Invalid,
        "a path has a `.` or `..` component",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "path.empty",
        Invalid,
        "a path is empty",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "path.empty_component",
        Invalid,
        "a path has an empty component",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "path.git_folder",
        Invalid,
        "a path has a component that can be taken for `.git`",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "path.not_canonical",
        Invalid,
        "a path is not in its one form",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "path.nul",
        Invalid,
        "a path has a NUL byte",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "path.too_long",
        Invalid,
        "a path is longer than the limit",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "timestamp.malformed",
        Invalid,
        "a time is not RFC 3339 in UTC",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "timestamp.out_of_range",
        Invalid,
        "a time is outside the years 1 to 9999",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
];
