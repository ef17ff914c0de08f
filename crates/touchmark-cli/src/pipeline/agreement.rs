//! Nobody publishes to a service by accident: the first time in a repository, somebody has to say yes.
//!
//! What is logged can never be taken back. The answer is kept in the user's own folder, for each repository and log.

use std::io::{BufRead as _, IsTerminal as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use touchmark_http::Url;
use touchmark_rekor::ApiVersion;
use touchmark_rekor::spool::{LogAddress, Target};
use touchmark_sign::folder::Folder;
use touchmark_statement::digest::Sha256Digest;

use super::logs::LogArgs;
use crate::context::Context;
use crate::error::CliError;

/// Returns the logs that a statement signed now goes to, all of them agreed to.
pub(crate) fn agreed_targets(
    args: &LogArgs,
    repository: &Path,
    context: &Context<'_>,
) -> Result<Vec<Target>, CliError> {
    let targets = args.targets(context)?;
    agree(&targets, args, repository, context)?;
    Ok(targets)
}

/// Makes sure that somebody has agreed to each service among these logs.
pub(crate) fn agree(
    targets: &[Target],
    args: &LogArgs,
    repository: &Path,
    context: &Context<'_>,
) -> Result<(), CliError> {
    for target in targets {
        let LogAddress::Service { url, version } = &target.log else {
            continue;
        };
        let folder = Folder::open(&context.home.data().join("agreed"))?;
        let name = file_name(repository, url.as_str());
        if folder.contains(&name)? {
            continue;
        }
        let variable = args.variable(context);
        let is_agreed = args.is_agreed() && variable.is_none();
        if !is_agreed && !asked(&target.log, *version, repository, context)? {
            let refused = CliError::usage(
                "publish.not_agreed",
                format!("nobody has agreed yet to publish from this repository to {url}"),
            );
            return Err(match variable.filter(|_| args.is_agreed()) {
                Some(name) => refused.hint(format!(
                    "{name} chose it, and --yes does not agree to that: name it with --rekor-url"
                )),
                None => refused.hint("what is logged can never be taken back: agree once with --yes; `--dry-run` shows what it would be"),
            });
        }
        let record = format!("{}\n{url}\n", repository.display());
        folder.write(&name, |file| file.write_all(record.as_bytes()))?;
    }
    Ok(())
}

/// Makes sure that somebody has agreed that an identity is shown to this certificate authority, which logs it.
///
/// The token goes there too, and whoever has it is its bearer. A flag that agrees to whatever is chosen does not agree
/// to what a variable chose: an earlier step of a job can set variables.
pub(crate) fn agree_identity(
    authority: &Url,
    variable: Option<&str>,
    args: &LogArgs,
    repository: &Path,
    context: &Context<'_>,
) -> Result<(), CliError> {
    let folder = Folder::open(&context.home.data().join("agreed"))?;
    let name = file_name(repository, authority.as_str());
    if folder.contains(&name)? {
        return Ok(());
    }
    let what = "your identity and the workflow or address in it: certificates are logged";
    let is_agreed = args.is_agreed() && variable.is_none();
    if !is_agreed && !asked_about(authority, what, repository, context)? {
        let refused = CliError::usage(
            "publish.not_agreed",
            format!("nobody has agreed yet to sign from this repository with certificates of {authority}"),
        );
        return Err(match variable.filter(|_| args.is_agreed()) {
            Some(name) => refused.hint(format!(
                "{name} chose it, and --yes does not agree to that: name it with --fulcio-url"
            )),
            None => refused.hint(
                "the identity becomes public for ever: agree once with --yes; `--dry-run` shows what it would be",
            ),
        });
    }
    let record = format!("{}\n{}\n", repository.display(), authority.as_str());
    Ok(folder.write(&name, |file| file.write_all(record.as_bytes()))?)
}

fn file_name(repository: &Path, url: &str) -> String {
    let bytes = [repository.as_os_str().as_bytes(), b"\0", url.as_bytes()].concat();
    Sha256Digest::of(&bytes).to_string()
}

/// Asks, where there is somebody to ask.
fn asked(
    log: &LogAddress,
    version: ApiVersion,
    repository: &Path,
    context: &Context<'_>,
) -> Result<bool, CliError> {
    let what = match version {
        ApiVersion::V1 => {
            "the statement's digest, its signature and your public key or certificate (the log reads the statement)"
        }
        ApiVersion::V2 => "the digest that was signed, its signature and your public key or certificate",
    };
    asked_about(log, what, repository, context)
}

/// Asks about one service.
fn asked_about(
    service: &dyn std::fmt::Display,
    what: &str,
    repository: &Path,
    context: &Context<'_>,
) -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    context.output.note(format!(
        "publishing from {} to {service} makes public, for ever: {what}",
        repository.display()
    ));
    context
        .output
        .note("agree, for this repository from now on? [y/N]");
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| CliError::failed("publish.not_agreed", "no answer could be read").because(error))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
