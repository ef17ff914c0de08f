//! `touchmark demo tamper`: makes the broken bundles of the demonstration, so that its attacks can be repeated by hand.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;

const MAX_BUNDLE_BYTES: u64 = 16 * 1024 * 1024;

/// What is broken, and in which files.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Tamper {
    /// Prints BUNDLE with the log entry of OTHER
    SpliceEntry {
        /// The bundle that is broken
        bundle: PathBuf,
        /// The bundle whose log entry it gets
        other: PathBuf,
    },
    /// Prints BUNDLE with one bit of its inclusion proof turned over
    AlterProof {
        /// The bundle that is broken
        bundle: PathBuf,
    },
}

/// Runs the verb.
pub(super) fn run(tamper: &Tamper, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let broken = match tamper {
        Tamper::SpliceEntry { bundle, other } => {
            let mut broken = load(bundle, context)?;
            let other = load(other, context)?;
            *entries(&mut broken)? = other.pointer(ENTRIES).cloned().ok_or_else(not_a_logged_bundle)?;
            broken
        }
        Tamper::AlterProof { bundle } => {
            let mut broken = load(bundle, context)?;
            turn_one_bit(&mut broken)?;
            broken
        }
    };
    context.output.rendered(broken.to_string());
    Ok(ExitCode::Allowed)
}

const ENTRIES: &str = "/verificationMaterial/tlogEntries";

fn load(path: &std::path::Path, context: &Context<'_>) -> Result<Value, CliError> {
    let bytes = file_argument::read(&context.path(path), MAX_BUNDLE_BYTES)?;
    serde_json::from_slice(&bytes).map_err(|_| not_a_logged_bundle())
}

fn entries(bundle: &mut Value) -> Result<&mut Value, CliError> {
    bundle.pointer_mut(ENTRIES).ok_or_else(not_a_logged_bundle)
}

fn turn_one_bit(bundle: &mut Value) -> Result<(), CliError> {
    let proof = bundle
        .pointer_mut("/verificationMaterial/tlogEntries/0/inclusionProof")
        .ok_or_else(not_a_logged_bundle)?;
    let hash = proof.pointer_mut("/hashes/0").ok_or_else(not_a_logged_bundle)?;
    let text = hash.as_str().ok_or_else(not_a_logged_bundle)?;
    let mut bytes = STANDARD.decode(text).map_err(|_| not_a_logged_bundle())?;
    *bytes.first_mut().ok_or_else(not_a_logged_bundle)? ^= 1;
    *hash = Value::String(STANDARD.encode(bytes));
    Ok(())
}

fn not_a_logged_bundle() -> CliError {
    CliError::usage(
        "demo.not_a_bundle",
        "not a logged bundle whose proof has a hash to change",
    )
}
