//! Codes of keys on disk, agents' sessions, spool, vault and the embedded log. Part 2.

use super::registry::{Entry, entry};
use crate::exit::Class::{Error, Inconsistent, Usage};

pub(super) const CODES: &[Entry] = &[
    entry(
        "log.key_mode",
        Error,
        "others may read the log's key",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "log.key_unsupported",
        Usage,
        "the entry's key type is not taken",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "log.missing",
        Usage,
        "there is no log here",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "log.name",
        Usage,
        "the log's name is malformed",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "log.no_entry",
        Error,
        "the log has no entry there",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "log.random",
        Error,
        "the system gives no random bytes",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "log.read_only",
        Error,
        "the log cannot be written",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "log.rolled_back",
        Inconsistent,
        "the log is smaller than it promised to be",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "log.root",
        Inconsistent,
        "the log's entries do not lead to its checkpoint's root",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "log.storage",
        Error,
        "the log's folder cannot be read or written",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "log.storage_full",
        Error,
        "there is no room left",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "log.tile",
        Error,
        "a tile of the log is malformed",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "log.tile_differs",
        Inconsistent,
        "a tile of the log is not what its entries make",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "log.tile_missing",
        Error,
        "a tile of the log is not there",
        "The embedded log keeps entries in a folder. Nothing is taken back that was promised.",
        "run `touchmark log check`",
    ),
    entry(
        "metadata.field",
        Usage,
        "a field of the metadata file is wrong",
        "Sessions of agents are read up to a byte that does not move, and never changed.",
        "name the session file, or attest without one",
    ),
    entry(
        "metadata.malformed",
        Usage,
        "the metadata file is malformed",
        "Sessions of agents are read up to a byte that does not move, and never changed.",
        "name the session file, or attest without one",
    ),
    entry(
        "session.empty",
        Error,
        "the session file has no records",
        "Sessions of agents are read up to a byte that does not move, and never changed.",
        "name the session file, or attest without one",
    ),
    entry(
        "session.not_a_file",
        Error,
        "the session is not a regular file",
        "Sessions of agents are read up to a byte that does not move, and never changed.",
        "name the session file, or attest without one",
    ),
    entry(
        "session.shrunk",
        Error,
        "the session file shrank while it was read",
        "Sessions of agents are read up to a byte that does not move, and never changed.",
        "name the session file, or attest without one",
    ),
    entry(
        "session.too_large",
        Error,
        "the session file is larger than the limit",
        "Sessions of agents are read up to a byte that does not move, and never changed.",
        "name the session file, or attest without one",
    ),
    entry(
        "session.unreadable",
        Error,
        "the session file cannot be read",
        "Sessions of agents are read up to a byte that does not move, and never changed.",
        "name the session file, or attest without one",
    ),
    entry(
        "spool.damaged",
        Error,
        "an item of the spool is damaged",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "spool.full",
        Error,
        "the spool is full",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "spool.other_bundle",
        Error,
        "an item of the spool has another bundle already",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "spool.other_name",
        Error,
        "an item of the spool has another name than its content",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "store.foreign_owner",
        Usage,
        "the folder belongs to another user",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "store.io",
        Error,
        "the folder cannot be read or written",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "store.no_randomness",
        Error,
        "the system gives no random bytes",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "store.not_folder",
        Error,
        "there is something else than a folder",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "store.not_regular",
        Error,
        "there is something else than a regular file",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "store.permissions",
        Usage,
        "others may read or write the folder",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "store.too_large",
        Error,
        "a file is larger than the limit",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "store.too_many",
        Error,
        "the folder has more files than the limit",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "vault.conflict",
        Error,
        "the vault holds something else under this name",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "vault.damaged",
        Error,
        "an item of the vault is damaged",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "vault.order",
        Error,
        "the vault's items are out of order",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
    entry(
        "vault.too_large",
        Error,
        "an item is larger than the limit",
        "The spool keeps evidence until it is published; the vault keeps what was promised to stay \
         private. Both write first and forget nothing.",
        "run `touchmark status`",
    ),
];
