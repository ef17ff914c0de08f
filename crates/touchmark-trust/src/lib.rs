//! Trusted roots and signing configs: built in, fetched through TUF, or made from parts.
//!
//! Fetching goes through [`tuf`]: every file is verified against a root that the caller pinned, at a time that the
//! caller gives, and is kept in a cache of its own for each repository. What comes out is bytes, to be parsed by the
//! crates that use them. No clock, no environment; the network only through `touchmark-http`.

pub mod built_in;
pub mod certificate;
pub mod create;
pub mod limits;
pub mod tuf;

pub use built_in::{BuiltIn, built_in};
