//! `touchmark policy`: reads a policy file as the gate would, and prints its schema.

use std::path::PathBuf;

use serde::Serialize;
use touchmark_policy::Policy;
use touchmark_policy::file::Principal;

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;
use crate::output::{Format, Schema};
use crate::render;

/// The largest policy file that is read.
pub(crate) const MAX_POLICY_BYTES: u64 = 1024 * 1024;

/// Flags of `policy`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark policy check .touchmark/policy.toml", "touchmark policy schema"))]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Reads a policy file as the gate would
    #[command(before_help = example("touchmark policy check .touchmark/policy.toml", "touchmark policy check policy.toml --format json"))]
    Check {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Prints the JSON Schema of the policy file
    #[command(before_help = example("touchmark policy schema", "touchmark policy schema > policy.schema.json"))]
    Schema,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicySummary {
    sha256: String,
    serial: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    principals: Vec<PrincipalSummary>,
    rules: Vec<String>,
}

#[derive(Serialize)]
struct PrincipalSummary {
    kind: &'static str,
    id: String,
    keys: Vec<String>,
    identities: Vec<String>,
}

/// Runs `policy`.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    match args.verb {
        Verb::Check { file } => check(&file, context),
        Verb::Schema => {
            context
                .output
                .raw(include_bytes!("../../../../schemas/policy/v1.json"));
            Ok(ExitCode::Allowed)
        }
    }
}

fn check(file: &std::path::Path, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let bytes = file_argument::read(&context.path(file), MAX_POLICY_BYTES)?;
    let policy = Policy::load(&bytes).map_err(|error| {
        let place = error.line().map_or_else(String::new, |line| format!(":{line}"));
        CliError::from_error(ExitCode::Usage, error.code(), &error)
            .because(format_args!("in {}{place}", file.display()))
            .hint("`touchmark policy schema` prints what a policy may hold")
    })?;
    let summary = summary(&policy);
    match context.output.format() {
        Format::Json => context
            .output
            .document(Schema::new("policy-summary", 1), &summary)?,
        Format::Text => {
            context.output.rendered(format!(
                "policy sha256:{} serial {}",
                summary.sha256, summary.serial
            ));
            if let Some(expires) = &summary.expires {
                context.output.rendered(render::field("expires", expires));
            }
            for principal in &summary.principals {
                let line = format!(
                    "{} ({} keys, {} identities)",
                    principal.id,
                    principal.keys.len(),
                    principal.identities.len()
                );
                context.output.rendered(render::field(principal.kind, &line));
            }
            for rule in &summary.rules {
                context.output.rendered(render::field("rule", rule));
            }
        }
    }
    let now = context.now()?;
    if policy.expires.is_some_and(|expires| expires <= now) {
        return Err(CliError::usage(
            "policy.expired",
            "this policy has expired: the gate judges nothing by it",
        )
        .hint("land a change of .touchmark/policy.toml that sets a later `expires` and a higher `serial`"));
    }
    Ok(ExitCode::Allowed)
}

fn summary(policy: &Policy) -> PolicySummary {
    let principal = |principal: Principal<'_>| PrincipalSummary {
        kind: principal.kind(),
        id: principal.id().to_owned(),
        keys: principal
            .signers()
            .iter()
            .filter_map(|signer| signer.key().map(ToString::to_string))
            .collect(),
        identities: principal
            .signers()
            .iter()
            .filter_map(|signer| signer.identity())
            .map(|rule| format!("{} (issuer {})", rule.san, rule.issuer))
            .collect(),
    };
    PolicySummary {
        sha256: policy.digest.to_string(),
        serial: policy.serial,
        expires: policy.expires.map(|expires| expires.to_string()),
        principals: policy.principals().map(principal).collect(),
        rules: policy.rules.iter().map(|rule| rule.id.clone()).collect(),
    }
}
