//! Tests of signing, log requests and log answers.
