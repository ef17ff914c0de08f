//! Every reason and error code of every crate, with its class, what it means and what to do.

pub mod registry;

mod gate_codes;
mod policy_codes;
