//! in-toto Statements, digest sets, the predicates Touchmark writes and reads, and strict JSON.
