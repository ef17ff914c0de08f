//! What is kept of a run, here and in escrow.

use touchmark_sign::vault::{Draft, RecordName, Vault};

use crate::context::Context;
use crate::error::CliError;

/// Makes a record durable.
pub(crate) fn keep(name: &RecordName, draft: &Draft<'_>, context: &Context<'_>) -> Result<(), CliError> {
    let vault = Vault::open(&context.home.vault())?;
    // What a killed run left half written holds prompts and belongs to nothing.
    vault.clean()?;
    Ok(vault.put(name, draft)?)
}
