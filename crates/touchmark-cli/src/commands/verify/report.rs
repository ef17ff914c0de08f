//! What `verify --bundle` prints: what was proven, how, and what was not looked at.

use std::collections::BTreeMap;

use serde::Serialize;
use touchmark_verify::verified::{
    Check, CheckOutcome, LogFinding, SignerIdentity, TimeSource, VerifiedMessage, VerifiedStatement,
    VerifiedTime,
};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Format, Schema};
use crate::render;

/// A bundle and what it proved.
pub(super) struct Verified {
    /// Where it came from.
    pub(super) source: String,
    /// What it proved.
    pub(super) proven: Proven,
}

/// What a bundle proved.
pub(super) enum Proven {
    /// A statement.
    Statement {
        /// The statement.
        statement: Box<VerifiedStatement>,
        /// The artifact that was named, and the number of the subject that is it.
        subject: Option<(String, usize)>,
        /// What the certificate says too.
        confirmed: Vec<String>,
    },
    /// A signature over an artifact, by its name.
    Message(Box<VerifiedMessage>, String),
}

#[derive(Serialize)]
struct Document {
    evidence: Vec<VerifiedBundle>,
    #[serde(rename = "notClaimed")]
    not_claimed: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifiedBundle {
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_digest: Option<String>,
    signer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<ArtifactProven>,
    log_origin: Option<String>,
    log_index: Option<u64>,
    times: Vec<Time>,
    checks: Vec<String>,
    confirmed: Vec<String>,
}

/// The identity in a certificate.
#[derive(Serialize)]
struct Identity {
    san: String,
    kind: &'static str,
    issuer: String,
    claims: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct ArtifactProven {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Time {
    signed_by: String,
    source: String,
}

/// What no verified signature ever says.
const NOT_CLAIMED: [&str; 2] = [
    "that what the statement says is true",
    "that the signer's run, key or account was not misused",
];

/// Prints all of it, or the statements' own bytes.
pub(super) fn show(verified: &[Verified], statements: bool, context: &Context<'_>) -> Result<(), CliError> {
    if statements {
        for bundle in verified {
            if let Proven::Statement { statement, .. } = &bundle.proven {
                context.output.raw(statement.signed().raw());
                if verified.len() > 1 {
                    context.output.raw(b"\n");
                }
            }
        }
        return Ok(());
    }
    if context.output.format() == Format::Json {
        let document = Document {
            evidence: verified.iter().map(describe).collect(),
            not_claimed: NOT_CLAIMED.to_vec(),
        };
        return context
            .output
            .document(Schema::new("verified-bundles", 1), &document);
    }
    for bundle in verified {
        text(bundle, context);
    }
    for line in NOT_CLAIMED {
        context.output.rendered(render::field("not claimed", line));
    }
    Ok(())
}

fn text(bundle: &Verified, context: &Context<'_>) {
    let described = describe(bundle);
    let line = |label: &str, value: &str| context.output.rendered(render::field(label, value));
    line("verified", &described.source);
    line("signer", &described.signer);
    if let Some(identity) = &described.identity {
        for (claim, value) in &identity.claims {
            line("claim", &format!("{claim} = {value}"));
        }
    }
    if let Some(artifact) = &described.artifact {
        let place = artifact
            .subject
            .map_or_else(String::new, |subject| format!(" (subject {subject})"));
        line("artifact", &format!("{}{place}", artifact.name));
    }
    for time in &described.times {
        line("signed by", &format!("{} ({})", time.signed_by, time.source));
    }
    for check in &described.checks {
        line("check", check);
    }
    for pointer in &described.confirmed {
        line("confirmed", pointer);
    }
    if let Proven::Statement { statement, .. } = &bundle.proven {
        context
            .output
            .rendered(render::statement::render(statement.signed()));
    }
}

fn describe(bundle: &Verified) -> VerifiedBundle {
    match &bundle.proven {
        Proven::Statement {
            statement,
            subject,
            confirmed,
        } => {
            let mut checks = checks(statement);
            match subject {
                Some(_) => checks.push("subject.artifact pass".to_owned()),
                None => checks.push("subject.artifact skipped: no artifact was named".to_owned()),
            }
            VerifiedBundle {
                payload_digest: Some(format!("sha256:{}", statement.payload_digest())),
                predicate_type: Some(statement.statement().predicate_type.clone()),
                artifact: subject.clone().map(|(name, subject)| ArtifactProven {
                    name,
                    subject: Some(subject),
                }),
                checks,
                confirmed: confirmed.clone(),
                ..basis(
                    bundle,
                    statement.signer(),
                    statement.logs(),
                    statement.verified_times(),
                )
            }
        }
        Proven::Message(message, artifact) => VerifiedBundle {
            artifact: Some(ArtifactProven {
                name: artifact.clone(),
                subject: None,
            }),
            checks: message.checks().iter().map(check).collect(),
            ..basis(bundle, message.signer(), message.logs(), message.verified_times())
        },
    }
}

fn basis(
    bundle: &Verified,
    signer: &SignerIdentity,
    logs: &[LogFinding],
    times: &[VerifiedTime],
) -> VerifiedBundle {
    VerifiedBundle {
        source: bundle.source.clone(),
        payload_digest: None,
        signer: signer.to_string(),
        identity: signer.certificate().map(|identity| Identity {
            san: identity.san.to_string(),
            kind: identity.san.kind(),
            issuer: identity.issuer.clone(),
            claims: identity
                .claims
                .iter()
                .map(|(claim, value)| (claim.name(), value.to_owned()))
                .collect(),
        }),
        predicate_type: None,
        artifact: None,
        log_origin: logs.first().map(|log| log.origin.clone()),
        log_index: logs.first().map(|log| log.index),
        times: times.iter().map(time).collect(),
        checks: Vec::new(),
        confirmed: Vec::new(),
    }
}

fn time(time: &VerifiedTime) -> Time {
    let source = match &time.source {
        TimeSource::TimestampAuthority { uri, .. } => format!("timestamp authority {uri}"),
        TimeSource::InclusionPromise { log_id, .. } => format!("promise of log {log_id}"),
        _ => "an authority of the trusted root".to_owned(),
    };
    Time {
        signed_by: time.not_after.to_string(),
        source,
    }
}

/// One line a check: its name and `pass` or `skipped: why`.
pub(crate) fn checks(statement: &VerifiedStatement) -> Vec<String> {
    statement.checks().iter().map(check).collect()
}

fn check(check: &Check) -> String {
    match &check.outcome {
        CheckOutcome::Pass => format!("{} pass", check.name),
        CheckOutcome::Skipped { reason } => format!("{} skipped: {reason}", check.name),
    }
}
