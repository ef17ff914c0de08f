//! What waits under a certificate that has lapsed is signed again, by the same identity and by nobody else.
//!
//! The statement stays the same, byte for byte; only the signature and its time are new. Nothing is set back in time.

use std::path::{Path, PathBuf};

use touchmark_rekor::spool::{Destination, Entry};

use crate::context::Context;
use crate::error::CliError;
use crate::keyless::{IdentityArgs, Keyless};
use crate::pipeline;
use crate::pipeline::logs::LogArgs;

/// Signs again what has lapsed, if whoever signs now is whoever signed then. The rest is left, and reported as waiting.
pub(super) fn sign(
    (identity, key): (&IdentityArgs, Option<&str>),
    log: &LogArgs,
    context: &Context<'_>,
) -> Result<(), CliError> {
    if !context.home.spool().exists() {
        return Ok(());
    }
    let (spool, now) = (pipeline::spool(context)?, context.now()?);
    let mut signer: Option<Keyless> = None;
    for id in spool.list()?.waiting {
        let Ok(Some(entry)) = spool.peek(&id) else {
            continue;
        };
        // One that a log has answered already keeps its signature: a second one would be a second attestation.
        if !entry.needs_new_signature(now) || entry.bundle.is_some() {
            continue;
        }
        if signer.is_none() {
            signer = match identity.open(key, log, &repository_of(&entry), context) {
                Ok(signer) => signer,
                Err(error) => {
                    // The rest of the spool has nothing to do with it.
                    context.output.complain(&error);
                    return Ok(());
                }
            };
        }
        // A key signs, and cannot stand in for an identity.
        let Some(signer) = &signer else { return Ok(()) };
        if signer.signer_id() != id.signer {
            context
                .output
                .warn(format!("{id} is left: another identity signed it"));
            continue;
        }
        let signed = signer.sign(entry.signed.prepare_again(), context)?;
        spool.put(&Entry {
            signed: signed.envelope,
            keyless: signed.keyless,
            ..entry
        })?;
        context
            .output
            .note(format!("signed {id} again: its certificate had lapsed"));
    }
    Ok(())
}

fn repository_of(entry: &Entry) -> PathBuf {
    let repository = entry
        .destinations
        .iter()
        .find_map(|destination| match destination {
            Destination::Refs { repository, .. } => Some(repository.as_path()),
            Destination::File { .. } => None,
        });
    repository.unwrap_or(Path::new("/")).to_owned()
}
