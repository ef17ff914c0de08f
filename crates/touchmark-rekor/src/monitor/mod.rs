//! Follows logs: what they say of themselves must stay one history, and what our signers signed must be explained.
//!
//! A transparency log only helps if somebody looks. The monitor remembers each log's checkpoint and proves that later
//! ones extend it; it proves every entry that it reads; and it reports those by keys and identities that policy names
//! for which there is no verified evidence: somebody signed as our agent. It keeps its place, and a run that was
//! killed anywhere is repeated with the same result.

mod alarm;
mod certificate;
mod entry;
mod explained;
mod finding;
mod follow;
mod pass;
mod position;
mod reader;
mod remote;
mod store;
mod watch;

#[cfg(test)]
mod tests;

pub use alarm::{Alarm, AlarmKind};
pub use explained::Explained;
pub use finding::{Finding, FindingId, FindingIdError, SignerProof, Status};
pub use follow::{FollowError, Limit, Sink, Start, follow};
pub use pass::{LogReport, Monitor, Settled};
pub use position::{Position, PositionError};
pub use reader::{LogReader, ProvenLeaf, ReadError};
pub use remote::{RekorV1Tree, TileLog, rekor_v1_trees};
pub use store::{Store, StoreError};
pub use watch::Watch;
