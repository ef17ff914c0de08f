//! The road of one statement: vault, signature, spool, log, bundle, evidence refs.
