//! Merkle trees and proofs, tiles, signed notes, checkpoints and log entry bodies.
//!
//! Formats and arithmetic only: no files, no network, no clock. The specifications are RFC 6962 (hashing and
//! proofs), C2SP tlog-tiles, signed-note and tlog-checkpoint, and the protobuf JSON of Rekor v2.

pub mod checkpoint;
pub mod compact_range;
pub mod cosignature;
pub mod entry;
pub mod merkle;
pub mod note;
pub mod prove;
pub mod tile;
pub mod tlog_proof;
pub mod witness_policy;

mod ed25519;
mod encoding;
mod pem;
