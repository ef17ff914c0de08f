//! Codes of reading and writing git repositories. Part 1.

use super::registry::{Entry, entry};
use crate::exit::Class::{Error, Invalid, Unavailable, Usage};

pub(super) const CODES: &[Entry] = &[
    entry(
        "git.commit_carriage_return",
        Invalid,
        "a commit's header has a carriage return",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.commit_duplicate_header",
        Invalid,
        "a commit has a header twice",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.commit_header_order",
        Invalid,
        "a commit's headers are out of order",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.commit_header_value",
        Invalid,
        "a commit's header is malformed",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.commit_identity",
        Invalid,
        "a commit's author or committer line is malformed",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.commit_nul",
        Invalid,
        "a commit's header has a NUL byte",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.commit_too_many_headers",
        Invalid,
        "a commit has more headers than the limit",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.commit_unterminated",
        Invalid,
        "a commit's headers do not end",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.object_mismatch",
        Invalid,
        "an object's bytes belong to another id",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.path_collision",
        Invalid,
        "two names are one file where case or Unicode form does not count",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.replaced",
        Invalid,
        "a replace ref stands in for a commit that is relied on",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.sha1_collision",
        Invalid,
        "an object carries the pattern of a SHA-1 collision attack",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.tree_duplicate_name",
        Invalid,
        "a tree has a name twice",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.tree_empty_folder",
        Invalid,
        "the change adds a folder without entries",
        "Git neither writes such a folder nor checks it out. No path would stand for it, so nobody would account \
         for it and no rule would meet it.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.tree_mode",
        Invalid,
        "a tree has a mode that git does not write",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.tree_name",
        Invalid,
        "a tree has a name that git does not check out",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.tree_null_id",
        Invalid,
        "a tree has an entry whose id is all zeros",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.tree_order",
        Invalid,
        "a tree is out of order",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.tree_truncated",
        Invalid,
        "a tree ends within an entry",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.wrong_kind",
        Invalid,
        "an id names an object of another kind",
        "Every git object that is relied on is read by our own reader and hashed again. Objects that two \
         readers could understand differently are refused.",
        "find out who made the object; rewrite the commit or tree",
    ),
    entry(
        "git.alternates",
        Error,
        "the repository borrows objects from another folder",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.base_not_ancestor",
        Error,
        "the base is not an ancestor of the head",
        "A change is judged against the tip of its target, which it has to contain; the target has moved on, or was \
         rewritten.",
        "rebase the change or merge the target into it, then attest and approve what is new",
    ),
    entry(
        "git.contended",
        Unavailable,
        "other writers kept changing the evidence",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.control_file_too_large",
        Error,
        "a control file of the repository is larger than the limit",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.empty_range",
        Usage,
        "the range has no commits",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.evidence_cap",
        Error,
        "more evidence than the limit",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.evidence_name",
        Error,
        "an evidence file has a name that is not allowed",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.grafted",
        Error,
        "a graft changes the parents of a commit that is relied on",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.grafts_file",
        Error,
        "the repository has a grafts file",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.io",
        Error,
        "a file of the repository cannot be read or written",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.malformed_file",
        Error,
        "a file of the repository is malformed",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.not_a_commit",
        Usage,
        "the revision is not a commit",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.not_a_file",
        Error,
        "there is something else than a file at a path",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.not_linear",
        Usage,
        "the history is not a line of first parents",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.object_format",
        Error,
        "an object id does not have this repository's length",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.object_missing",
        Error,
        "an object is not in the repository",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.object_too_large",
        Error,
        "an object is larger than the limit",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.output_too_large",
        Error,
        "the git program printed more than the limit",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.program_failed",
        Error,
        "the git program failed",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.program_missing",
        Error,
        "the git program is not installed",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.push_refused",
        Error,
        "the remote refused the evidence",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.range_cap",
        Error,
        "the range has more commits than the limit",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.ref_collision",
        Error,
        "two refs have one name where case does not count",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.ref_unreadable",
        Error,
        "a ref cannot be read",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.replace_refs",
        Error,
        "the repository has replace refs",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.shallow",
        Error,
        "the history is cut off within the range",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.timeout",
        Error,
        "the git program took too long",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.too_deep",
        Error,
        "paths nest deeper than the limit",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.too_many_paths",
        Error,
        "more paths differ than the limit",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.unborn",
        Usage,
        "the branch has no commit yet",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.unexpected_output",
        Error,
        "the git program printed something unexpected",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.unreadable",
        Error,
        "the object store cannot be read",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.unsupported_format",
        Error,
        "the repository has a format that is not read",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.write_object",
        Error,
        "an object could not be written",
        "The repository does not give the answer, so nothing can be decided.",
        "fetch the full history and try again",
    ),
    entry(
        "git.remote_unavailable",
        Unavailable,
        "the remote cannot be reached",
        "The repository does not give the answer, so nothing can be decided.",
        "try again later",
    ),
    entry(
        "git.embedded_bare",
        Usage,
        "a bare repository lies within another one's work tree",
        "The repository or the revision is not one that can be worked with.",
        "name a repository that you own and a full id or full ref name",
    ),
];
