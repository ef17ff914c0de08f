//! Merkle trees and proofs, tiles, checkpoints and log entry bodies.
