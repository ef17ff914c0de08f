//! `touchmark verify --bundle FILE --key KEY`: one bundle against an expected signer, without a repository or a policy.

use serde::Serialize;
use touchmark_verify::bundle::Bundle;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::key::KeyFingerprint;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verified::{CheckOutcome, VerifiedStatement};
use touchmark_verify::verify::{VerifyOptions, verify};

use super::{Args, bundles, public_keys};
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::output::{Format, Schema};
use crate::render;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    evidence: Vec<VerifiedBundle>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifiedBundle {
    source: String,
    payload_digest: String,
    signer: String,
    predicate_type: String,
    log_origin: Option<String>,
    log_index: Option<u64>,
    checks: Vec<String>,
}

/// Verifies every bundle that was given; one failure is a failure.
pub(super) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    // Whoever says how a change is judged and names none must not take this answer for that one.
    let about_a_change = args.target.is_some()
        || args.repo.is_some()
        || args.forge_author.is_some()
        || args.from.is_some()
        || args.min_serial.is_some()
        || !args.policy.is_empty()
        || !args.pull_request.is_empty();
    if about_a_change {
        return Err(
            CliError::usage("verify.nothing_named", "it is not said which change to judge")
                .hint("touchmark verify main..HEAD, or touchmark verify HEAD --target refs/heads/main"),
        );
    }
    if args.bundle.is_empty() {
        return Err(
            CliError::usage("verify.nothing_named", "it is not said what to verify")
                .hint("touchmark verify main..HEAD, or touchmark verify --bundle FILE --key KEY"),
        );
    }
    let expected = ExpectedSigners::from(ring(args, context)?);
    let roots = args.roots.load(context)?;
    let options = VerifyOptions::new(context.now()?);
    let mut verified = Vec::new();
    for path in &args.bundle {
        for candidate in bundles(&context.path(path))? {
            let invalid = |code: &str, error: &dyn std::error::Error| {
                CliError::from_error(ExitCode::Invalid, code, error)
                    .because(format_args!("in {}", candidate.source))
            };
            let bundle = Bundle::parse(&candidate.bytes).map_err(|error| invalid(error.code(), &error))?;
            let mut last = CliError::new(ExitCode::Missing, "trust.no_root", "no trusted root is known")
                .hint("name one with --trusted-root FILE");
            let found = roots.iter().find_map(|root: &crate::trust::Root| {
                let root: &TrustedRoot = &root.root;
                verify(&bundle, &expected, root, &options)
                    .map_err(|error| last = invalid(error.code(), &error))
                    .ok()
            });
            verified.push((candidate.source.clone(), found.ok_or(last)?));
        }
    }
    if verified.is_empty() {
        return Err(CliError::new(
            ExitCode::Missing,
            "verify.no_evidence",
            "there is no bundle where --bundle points",
        ));
    }
    show(&verified, context)?;
    Ok(ExitCode::Allowed)
}

fn ring(args: &Args, context: &Context<'_>) -> Result<KeyRing, CliError> {
    let mut ring = KeyRing::new();
    for key in public_keys(&args.key, context)? {
        ring.allow(key.fingerprint());
        ring.add_key(key);
    }
    for text in args.key.iter().filter(|text| text.starts_with("sha256:")) {
        let fingerprint: KeyFingerprint = text.parse().map_err(|_| {
            CliError::usage(
                "key.fingerprint",
                format!("{text} is not sha256: and 64 lowercase hex digits"),
            )
        })?;
        ring.allow(fingerprint);
    }
    if ring.is_empty() {
        return Err(CliError::usage(
            "verify.no_signer",
            "no signer is expected, so that anybody's signature would do",
        )
        .hint("name the expected signer with --key, or judge a change by a policy"));
    }
    Ok(ring)
}

fn show(verified: &[(String, VerifiedStatement)], context: &Context<'_>) -> Result<(), CliError> {
    if context.output.format() == Format::Json {
        let evidence = verified
            .iter()
            .map(|(source, statement)| describe(source, statement))
            .collect();
        return context
            .output
            .document(Schema::new("verified-bundles", 1), &Verified { evidence });
    }
    for (source, statement) in verified {
        context.output.rendered(render::field("verified", source));
        for check in describe(source, statement).checks {
            context.output.rendered(render::field("check", &check));
        }
        context
            .output
            .rendered(render::statement::render(statement.signed()));
    }
    Ok(())
}

fn describe(source: &str, statement: &VerifiedStatement) -> VerifiedBundle {
    VerifiedBundle {
        source: source.to_owned(),
        payload_digest: format!("sha256:{}", statement.payload_digest()),
        signer: statement.signer().to_string(),
        predicate_type: statement.statement().predicate_type.clone(),
        log_origin: statement.log().map(|log| log.origin.clone()),
        log_index: statement.log().map(|log| log.index),
        checks: checks(statement),
    }
}

/// One line a check: its name and `pass` or `skipped: why`.
pub(crate) fn checks(statement: &VerifiedStatement) -> Vec<String> {
    let line = |check: &touchmark_verify::verified::Check| match &check.outcome {
        CheckOutcome::Pass => format!("{} pass", check.name),
        CheckOutcome::Skipped { reason } => format!("{} skipped: {reason}", check.name),
    };
    statement.checks().iter().map(line).collect()
}
