//! Hardened reading of git repositories, the change between two trees, and evidence refs.
