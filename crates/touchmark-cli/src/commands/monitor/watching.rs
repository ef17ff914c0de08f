//! Whom to look for, and what is explained.

use std::path::PathBuf;

use touchmark_policy::Policy;
use touchmark_rekor::monitor::{Explained, Watch};
use touchmark_verify::bundle::Bundle;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::verify::{Verifier, VerifyOptions};

use super::Args;
use crate::commands::policy::MAX_POLICY_BYTES;
use crate::commands::verify::bundles;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;
use crate::investigation;
use crate::pipeline::open_for_writing;
use crate::trust::Root;

/// The signers that policies name.
pub(super) struct Signers {
    /// For the monitor.
    pub(super) watch: Watch,
    /// For verification of what explains their entries: whom each policy expects.
    pub(super) expected: Vec<ExpectedSigners>,
}

/// Reads the policies, those given or those configured.
pub(super) fn signers(files: &[PathBuf], context: &Context<'_>) -> Result<Signers, CliError> {
    let configured = context.config.strings("policies");
    let paths: Vec<PathBuf> = match files.is_empty() {
        true => configured.iter().map(PathBuf::from).collect(),
        false => files.to_vec(),
    };
    let (mut watch, mut expected) = (Watch::new(), Vec::new());
    for path in paths {
        let path = context.path(&path);
        let bytes = file_argument::read(&path, MAX_POLICY_BYTES)?;
        let policy = Policy::load(&bytes).map_err(|error| {
            CliError::from_error(ExitCode::Usage, error.code(), &error)
                .because(format_args!("in {}", path.display()))
        })?;
        expected.push(policy.expected_signers());
        for principal in policy.principals() {
            for signer in principal.signers() {
                if let Some(key) = signer.key() {
                    watch.key(*key, principal.id());
                }
                if let Some(rule) = signer.identity() {
                    watch.identity(rule.clone(), principal.id());
                }
            }
        }
    }
    if watch.is_empty() {
        return Err(
            CliError::usage("monitor.nobody_watched", "no policy names a signer to look for")
                .hint("give --policy FILE, or configure `policies`"),
        );
    }
    Ok(Signers { watch, expected })
}

/// Verifies all evidence at hand; what does not verify explains nothing.
pub(super) fn explained(
    args: &Args,
    expected: &[ExpectedSigners],
    roots: &[Root],
    context: &Context<'_>,
) -> Result<Explained, CliError> {
    let options = VerifyOptions::new(context.now()?);
    let verifiers: Vec<Verifier<'_>> = roots
        .iter()
        .map(|root| Verifier::new(&root.root, &options))
        .collect();
    let mut explained = Explained::new();
    let mut add = |bytes: &[u8]| {
        let Ok(bundle) = Bundle::parse(bytes) else { return };
        let mut ways = verifiers
            .iter()
            .flat_map(|verifier| expected.iter().map(move |expected| (verifier, expected)));
        let verified = ways.find_map(|(verifier, expected)| verifier.verify(&bundle, expected).ok());
        if let Some(verified) = verified {
            explained.add(&verified, &bundle);
        }
    };
    for repository in &args.repositories {
        let repository = open_for_writing(&context.path(repository), context)?;
        let (pieces, _) = investigation::read(&repository, None)?;
        pieces.values().for_each(|(_, bytes)| add(bytes));
    }
    for path in &args.bundles {
        let pieces = bundles(&context.path(path))?;
        pieces.iter().for_each(|piece| add(&piece.bytes));
    }
    Ok(explained)
}
