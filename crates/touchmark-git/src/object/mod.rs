//! Git objects: read, re-hashed, and parsed by rules under which every reader sees the same thing.

pub(crate) mod cache;
pub(crate) mod commit;
pub(crate) mod hash;
pub(crate) mod store;
pub(crate) mod tag;
pub(crate) mod tree;
