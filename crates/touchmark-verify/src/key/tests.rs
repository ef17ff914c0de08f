//! Tests of keys and bare signatures.
