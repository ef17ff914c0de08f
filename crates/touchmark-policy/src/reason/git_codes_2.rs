//! Codes of reading and writing git repositories. Part 2.

use super::registry::{Entry, entry};
use crate::exit::Class::Usage;

pub(super) const CODES: &[Entry] = &[
    entry(
        "git.foreign_owner",
        Usage,
        "the repository belongs to another user",
        "Somebody else could have prepared its files. Nothing in it is used.",
        "change the owner, or run as the owner",
    ),
    entry(
        "git.gitfile_elsewhere",
        Usage,
        "the repository's `.git` file leads elsewhere",
        "The repository or the revision is not one that can be worked with.",
        "name a repository that you own and a full id or full ref name",
    ),
    entry(
        "git.no_work_tree",
        Usage,
        "the repository has no work tree",
        "The repository or the revision is not one that can be worked with.",
        "name a repository that you own and a full id or full ref name",
    ),
    entry(
        "git.not_a_repository",
        Usage,
        "there is no repository here",
        "The repository or the revision is not one that can be worked with.",
        "name a repository that you own and a full id or full ref name",
    ),
    entry(
        "git.remote",
        Usage,
        "the remote's name or URL is not allowed",
        "The repository or the revision is not one that can be worked with.",
        "name a repository that you own and a full id or full ref name",
    ),
    entry(
        "git.revision_abbreviated",
        Usage,
        "the revision is abbreviated",
        "The repository or the revision is not one that can be worked with.",
        "name a repository that you own and a full id or full ref name",
    ),
    entry(
        "git.revision_ambiguous",
        Usage,
        "the revision names several things",
        "The repository or the revision is not one that can be worked with.",
        "name a repository that you own and a full id or full ref name",
    ),
    entry(
        "git.revision_syntax",
        Usage,
        "the revision is malformed",
        "The repository or the revision is not one that can be worked with.",
        "name a repository that you own and a full id or full ref name",
    ),
    entry(
        "git.revision_unknown",
        Usage,
        "the revision names nothing",
        "The repository or the revision is not one that can be worked with.",
        "name a repository that you own and a full id or full ref name",
    ),
];
