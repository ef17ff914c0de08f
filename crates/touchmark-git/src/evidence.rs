//! Evidence refs: bundles kept in the repository under the exact name of what they are about.
//!
//! `refs/touchmark/commit/<2 hex>/<id>` and `refs/touchmark/tree/<2 hex>/<id>` each point to a commit whose tree holds
//! one file a piece of evidence and whose parents are the evidence commit before it and the attested commit. There is no
//! shared tip: two writers meet only when they write about the same thing, and then their files are united.

mod key;
mod read;
mod remote;
mod write;

pub use self::key::{EvidenceKey, EvidenceName};
pub use self::read::{EvidenceFile, EvidenceRef, EvidenceSet, IgnoredEntry};
pub use self::remote::Pushed;
pub use self::write::{EvidenceItem, Written};
