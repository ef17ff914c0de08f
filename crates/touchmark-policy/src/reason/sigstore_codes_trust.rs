//! Codes of fetching, showing and making trust material.

use super::registry::{Entry, entry};
use crate::exit::Class::{Error, Inconsistent, Invalid};

const TUF: &str = "Trust material is fetched through The Update Framework: every file is signed by the keys of its role, \
    counted in versions and good for a while only, all the way down from the root that was pinned.";

pub(super) const CODES: &[Entry] = &[
    entry(
        "tuf.cache",
        Error,
        "the cache of trust material could not be read or written",
        TUF,
        "see the cause; the folder is `trust` below the data folder of `touchmark env`",
    ),
    entry(
        "tuf.cache_damaged",
        Error,
        "the cache of a trust repository is damaged, or is another repository's",
        TUF,
        "remove the file and run `touchmark trust fetch` again; what the repository said before is then forgotten",
    ),
    entry(
        "tuf.cache_missing",
        Error,
        "nothing of a trust repository is in the cache",
        TUF,
        "run `touchmark trust fetch` once with a network",
    ),
    entry(
        "tuf.empty",
        Invalid,
        "a repository's trusted root names neither a log nor a certificate authority",
        TUF,
        "ask who runs the repository",
    ),
    entry(
        "tuf.expired",
        Error,
        "a trust repository's metadata has expired",
        TUF,
        "with a network, run `touchmark trust fetch`, and look at this machine's clock; without one, `--stale-for` says how old it may be",
    ),
    entry(
        "tuf.integrity",
        Invalid,
        "a file is not the one that a trust repository signed for",
        TUF,
        "fetch again; if it stays so, the mirror serves something else than the repository",
    ),
    entry(
        "tuf.json",
        Invalid,
        "a trust repository's metadata is not strict JSON",
        TUF,
        "ask who runs the repository",
    ),
    entry(
        "tuf.key_twice",
        Invalid,
        "a role of a trust repository has one key under two names",
        TUF,
        "ask who runs the repository: its threshold would count one key twice",
    ),
    entry(
        "tuf.malformed",
        Invalid,
        "a trust repository's metadata is malformed",
        TUF,
        "check that the address and the root are those of a TUF repository",
    ),
    entry(
        "tuf.missing",
        Error,
        "a trust repository does not have a file that it must have",
        TUF,
        "check the address: it is the folder in which `timestamp.json` lies",
    ),
    entry(
        "tuf.refused",
        Invalid,
        "a trust repository is refused",
        TUF,
        "see the cause",
    ),
    entry(
        "tuf.rollback",
        Inconsistent,
        "a trust repository goes back behind what it said before",
        TUF,
        "treat the mirror as hostile until the people who run the repository explain it",
    ),
    entry(
        "tuf.root_chain",
        Error,
        "the versions of a trust repository's root do not end",
        TUF,
        "ask who runs the repository",
    ),
    entry(
        "tuf.root_version",
        Invalid,
        "a root does not follow the one that is trusted",
        TUF,
        "treat the mirror as hostile until the people who run the repository explain it",
    ),
    entry(
        "tuf.signatures",
        Invalid,
        "a trust repository's metadata is not signed as its role demands",
        TUF,
        "check that the pinned root is this repository's; else treat the mirror as hostile",
    ),
    entry(
        "tuf.target_missing",
        Error,
        "a trust repository does not list what was asked for",
        TUF,
        "check that the repository is one of Sigstore's kind, with a `trusted_root.json`",
    ),
    entry(
        "tuf.target_path",
        Invalid,
        "a trust repository names a file like a way out of a folder",
        TUF,
        "treat the repository as hostile until the people who run it explain it",
    ),
    entry(
        "tuf.too_large",
        Error,
        "a file of a trust repository is larger than it may be",
        TUF,
        "ask who runs the repository",
    ),
];
