//! Every reason and error code of every crate, with its class, what it means and what to do.

pub mod registry;

mod cli_codes_1;
mod gate_codes;
mod git_codes_1;
mod git_codes_2;
mod policy_codes;
mod sigstore_codes_keyless;
mod sigstore_codes_monitor;
mod sigstore_codes_policy;
mod sigstore_codes_tlog;
mod sigstore_codes_verify;
mod statement_codes_1;
mod statement_codes_2;
mod tool_codes_1;
mod tool_codes_2;
mod verify_codes_1;
mod verify_codes_2;
mod verify_codes_3;
