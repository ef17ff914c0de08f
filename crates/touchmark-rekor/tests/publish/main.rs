//! Publishing to an in-process Rekor of both versions, over HTTP, with everything that can go wrong on the way.

mod answers;
mod embedded;
mod faults;
mod good;
mod keyless;
mod property;
mod support;
