//! From a bundle, a trusted root and a time to a verified statement; from a set of them and a git view to a lineage.

pub mod git_view;
pub mod key;
