//! How fast sessions are read.

fn main() {}
