//! The patch that a run was submitted as.

use touchmark_statement::digest::Sha256Digest;

/// The patch that the agent's program took as the run's result, in products that end a run with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The digest of the patch's text, as its JSON string decodes.
    pub sha256: Sha256Digest,
    /// How many bytes it has.
    pub bytes: u64,
}
