//! From a bundle, a trusted root and a time to a verified statement; from a set of them and a git view to a lineage.
//!
//! Pure functions of their arguments: no network, no clock, no environment, no file. [`Bundle`](bundle::Bundle) is
//! what arrived, [`VerifiedStatement`](verified::VerifiedStatement) is what was proven and can be built here only.
//! Begin reading at [`verify`](mod@verify).

pub mod bundle;
pub mod commitment;
pub mod envelope;
pub mod evidence;
pub mod git_view;
pub mod key;
pub mod key_ring;
pub mod limits;
pub mod lineage;
pub mod trust;
pub mod verified;
pub mod verify;
pub mod window;
