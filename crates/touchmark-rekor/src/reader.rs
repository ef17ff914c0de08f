//! Reading logs: tiles and checkpoints over HTTP or from a directory, and the API of Rekor v1.
//!
//! Every read is bounded in size and time. Nothing that is read is believed: tiles become proofs, and proofs are
//! verified against a checkpoint that is verified with the log's key.

mod error;
mod rekor_v1;
mod tiles;

pub use error::ReaderError;
pub use rekor_v1::RekorV1Reader;
pub use tiles::TileReader;
