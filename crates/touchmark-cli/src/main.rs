//! The command line of Touchmark.
fn main() {}
