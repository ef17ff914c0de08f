//! Codes of bills of materials.

use super::registry::{Entry, entry};
use crate::exit::Class::{Finding, Usage};

const UNREAD: &str =
    "What the lockfile lists is not part of the bill of materials, which says that it is incomplete.";
const HELP: &str =
    "let the package manager write the lockfile again, or hand in a document made elsewhere with `--sbom`";

pub(super) const CODES: &[Entry] = &[
    entry(
        "attest.sbom_too_large",
        Usage,
        "the document is too large for a statement",
        "A statement has at most 4 MiB, and the bill of materials stands in it whole.",
        "write it to a file with `--print` and ship it beside; `attest change` names it by digest all the same",
    ),
    entry(
        "lockfile.duplicate_key",
        Finding,
        "a lockfile has a key twice",
        "Readers disagree about which of the two counts, so neither does.",
        HELP,
    ),
    entry(
        "lockfile.json",
        Finding,
        "a lockfile is not the JSON that it should be",
        UNREAD,
        HELP,
    ),
    entry(
        "lockfile.line",
        Finding,
        "a lockfile has a line that its format does not know",
        "Lines like those of a merge conflict make it unclear what is locked.",
        HELP,
    ),
    entry(
        "lockfile.not_a_file",
        Finding,
        "a lockfile's name belongs to a symlink or a submodule",
        "Links are never followed, so what they lead to is not part of the bill of materials.",
        HELP,
    ),
    entry(
        "lockfile.not_utf8",
        Finding,
        "a lockfile is not UTF-8",
        UNREAD,
        HELP,
    ),
    entry(
        "lockfile.shape",
        Finding,
        "a lockfile lacks what its format requires",
        UNREAD,
        HELP,
    ),
    entry(
        "lockfile.skipped",
        Finding,
        "entries of a lockfile were not understood",
        "The rest of the lockfile was read; packages without a usable name, or edges that lead to nothing, were left out and counted.",
        HELP,
    ),
    entry(
        "lockfile.toml",
        Finding,
        "a lockfile is not the TOML that it should be",
        UNREAD,
        HELP,
    ),
    entry(
        "lockfile.too_deep",
        Finding,
        "values of a lockfile nest too deep",
        UNREAD,
        HELP,
    ),
    entry(
        "lockfile.too_large",
        Finding,
        "a lockfile is too large",
        UNREAD,
        HELP,
    ),
    entry(
        "lockfile.too_many",
        Finding,
        "the tree has too many lockfiles",
        UNREAD,
        HELP,
    ),
    entry(
        "lockfile.too_many_entries",
        Finding,
        "a lockfile has too many entries",
        UNREAD,
        HELP,
    ),
    entry(
        "lockfile.too_much",
        Finding,
        "the lockfiles of the tree are too large together",
        UNREAD,
        HELP,
    ),
    entry(
        "lockfile.unreadable",
        Finding,
        "a lockfile's bytes could not be had",
        "In a partial clone objects may be missing; or what is stored is not what the tree names.",
        HELP,
    ),
    entry(
        "lockfile.unsupported",
        Finding,
        "a lockfile is of a kind that is not read",
        "Its name is known, its format is not read; what it lists is not part of the bill of materials.",
        HELP,
    ),
    entry(
        "lockfile.version",
        Finding,
        "a lockfile is of a version that is not read",
        UNREAD,
        HELP,
    ),
    entry(
        "lockfile.yaml",
        Finding,
        "a lockfile is not the YAML that it should be",
        UNREAD,
        HELP,
    ),
    entry(
        "lockfile.yaml_alias",
        Finding,
        "a lockfile has a YAML alias",
        "An alias can make a small file large, and no package manager writes one.",
        HELP,
    ),
];
