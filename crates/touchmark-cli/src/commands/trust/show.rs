//! `touchmark trust show`: every part of a trusted root or signing config, when it counts, and what cannot be used.

use std::path::Path;

use serde::Serialize;
use touchmark_sign::keyless::signing_config::{
    MAX_SIGNING_CONFIG_BYTES, ServiceKind, SigningConfig, SigningConfigFile,
};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;
use touchmark_trust::certificate::CertificateSummary;
use touchmark_verify::trust::{TrustedAuthority, TrustedRoot};
use touchmark_verify::window::Window;

use super::store;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;
use crate::output::{Format, Output, Schema};
use crate::trust::RootArgs;

/// Flags of `trust show`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A trusted root, a signing config, or the name of an instance [default: every root that verification would use]
    #[arg(value_name = "FILE|NAME")]
    what: Option<String>,
}

#[derive(Serialize)]
struct RootsDocument {
    roots: Vec<RootRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RootRow {
    name: String,
    digest: String,
    logs: Vec<LogRow>,
    certificate_authorities: Vec<AuthorityRow>,
    certificate_logs: Vec<LogRow>,
    timestamp_authorities: Vec<AuthorityRow>,
    unusable: Vec<UnusableRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    log_id: String,
    algorithm: String,
    #[serde(flatten)]
    standing: Standing,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthorityRow {
    uri: String,
    certificates: Vec<CertificateRow>,
    #[serde(flatten)]
    standing: Standing,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CertificateRow {
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    common_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<String>,
}

/// When a part counts, and who runs it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    valid_from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<String>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
}

#[derive(Serialize)]
struct UnusableRow {
    part: String,
    reason: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigDocument {
    name: String,
    digest: String,
    certificate_authorities: Vec<ServiceRow>,
    identity_providers: Vec<ServiceRow>,
    logs: Vec<ServiceRow>,
    timestamp_authorities: Vec<ServiceRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceRow {
    url: String,
    major_api_version: u64,
    #[serde(flatten)]
    standing: Standing,
}

/// Runs `trust show`.
pub(super) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let now = context.now()?;
    let rows = match &args.what {
        None => {
            let roots = RootArgs::default().load_for_bundles(context)?;
            roots
                .iter()
                .map(|root| describe(&root.name, &root.root, now))
                .collect()
        }
        Some(what) => {
            let (name, bytes) = find(what, context)?;
            if is_signing_config(&bytes) {
                return show_config(&name, &bytes, now, context);
            }
            let root = TrustedRoot::parse(&bytes).map_err(|error| {
                CliError::from_error(ExitCode::Usage, error.code(), &error).because(format_args!("in {name}"))
            })?;
            vec![describe(&name, &root, now)]
        }
    };
    match context.output.format() {
        Format::Json => context
            .output
            .document(Schema::new("trusted-roots", 1), &RootsDocument { roots: rows })?,
        Format::Text => rows.iter().for_each(|row| say(row, context.output)),
    }
    Ok(ExitCode::Allowed)
}

/// The name and bytes of what is to be shown: what was fetched or is built in under this name, else a file.
fn find(what: &str, context: &Context<'_>) -> Result<(String, Vec<u8>), CliError> {
    if let Some(bytes) = store::fetched_root(what, context)? {
        return Ok((what.to_owned(), bytes));
    }
    if let Some(known) = touchmark_trust::built_in(what) {
        return Ok((what.to_owned(), known.trusted_root.to_vec()));
    }
    let bytes = file_argument::read(&context.path(Path::new(what)), MAX_SIGNING_CONFIG_BYTES as u64)?;
    Ok((what.to_owned(), bytes))
}

fn is_signing_config(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Kind {
        #[serde(rename = "mediaType")]
        media_type: String,
    }
    // Which reader is asked; that reader then judges all of it.
    serde_json::from_slice::<Kind>(bytes).is_ok_and(|kind| {
        kind.media_type.contains("signingconfig") || kind.media_type.contains("clienttrustconfig")
    })
}

fn describe(name: &str, root: &TrustedRoot, now: Timestamp) -> RootRow {
    let authorities = |all: &[TrustedAuthority]| {
        all.iter()
            .map(|authority| authority_row(authority, now))
            .collect()
    };
    RootRow {
        name: name.to_owned(),
        digest: format!("sha256:{}", root.digest()),
        logs: root
            .logs()
            .iter()
            .map(|log| LogRow {
                origin: Some(log.origin.clone()),
                log_id: log.log_id.to_string(),
                algorithm: log.key.key_details().to_owned(),
                standing: standing(&log.valid_for, log.operator.as_ref(), now),
            })
            .collect(),
        certificate_authorities: authorities(root.certificate_authorities()),
        certificate_logs: root
            .certificate_logs()
            .iter()
            .map(|log| LogRow {
                origin: None,
                log_id: log.log_id.to_string(),
                algorithm: log.key_details.clone(),
                standing: standing(&log.valid_for, log.operator.as_ref(), now),
            })
            .collect(),
        timestamp_authorities: authorities(root.timestamp_authorities()),
        unusable: root
            .unusable()
            .iter()
            .map(|unusable| UnusableRow {
                part: unusable.part.to_string(),
                reason: unusable.unsupported.clone(),
            })
            .collect(),
    }
}

fn authority_row(authority: &TrustedAuthority, now: Timestamp) -> AuthorityRow {
    let certificate = |der: &Vec<u8>| {
        let summary = CertificateSummary::parse(der);
        CertificateRow {
            digest: format!("sha256:{}", Sha256Digest::of(der)),
            not_before: summary.as_ref().map(|summary| summary.not_before.to_string()),
            not_after: summary.as_ref().map(|summary| summary.not_after.to_string()),
            organization: summary.as_ref().and_then(|summary| summary.organization.clone()),
            common_name: summary.and_then(|summary| summary.common_name),
        }
    };
    AuthorityRow {
        uri: authority.uri.clone(),
        certificates: authority.certificates.iter().map(certificate).collect(),
        standing: standing(&authority.valid_for, authority.operator.as_ref(), now),
    }
}

fn standing(window: &Window, operator: Option<&String>, now: Timestamp) -> Standing {
    let state = match window.end {
        _ if now < window.start => "not yet",
        Some(end) if end < now => "ended",
        _ => "in use",
    };
    Standing {
        valid_from: window.start.to_string(),
        valid_until: window.end.map(|end| end.to_string()),
        state,
        operator: operator.cloned(),
    }
}

fn show_config(
    name: &str,
    bytes: &[u8],
    now: Timestamp,
    context: &Context<'_>,
) -> Result<ExitCode, CliError> {
    let file = SigningConfigFile::parse(bytes).map_err(|error| {
        CliError::from_error(ExitCode::Usage, error.code(), &error).because(format_args!("in {name}"))
    })?;
    let rows = |kind| services(&file.signing_config, kind, now);
    let document = ConfigDocument {
        name: name.to_owned(),
        digest: format!("sha256:{}", Sha256Digest::of(bytes)),
        certificate_authorities: rows(ServiceKind::CertificateAuthority),
        identity_providers: rows(ServiceKind::IdentityProvider),
        logs: rows(ServiceKind::Log),
        timestamp_authorities: rows(ServiceKind::TimestampAuthority),
    };
    let output = context.output;
    match output.format() {
        Format::Json => output.document(Schema::new("signing-config", 1), &document)?,
        Format::Text => {
            output.line(format!("{} {}", document.name, document.digest));
            for (what, services) in [
                ("certificate authority", &document.certificate_authorities),
                ("identity provider", &document.identity_providers),
                ("log", &document.logs),
                ("timestamp authority", &document.timestamp_authorities),
            ] {
                for service in services {
                    output.line(format!(
                        "  {what} {} version {}",
                        service.url, service.major_api_version
                    ));
                    say_standing(&service.standing, output);
                }
            }
        }
    }
    Ok(ExitCode::Allowed)
}

fn services(config: &SigningConfig, kind: ServiceKind, now: Timestamp) -> Vec<ServiceRow> {
    let row = |service: &touchmark_sign::keyless::signing_config::Service| ServiceRow {
        url: service.url.as_str().to_owned(),
        major_api_version: service.major_api_version,
        standing: standing(
            &service.valid_for,
            Some(&service.operator).filter(|operator| !operator.is_empty()),
            now,
        ),
    };
    config.all(kind).iter().map(row).collect()
}

fn say(root: &RootRow, output: &Output) {
    output.line(format!("{} {}", root.name, root.digest));
    for log in &root.logs {
        let origin = log.origin.as_deref().unwrap_or_default();
        output.line(format!("  log {origin} {} id {}", log.algorithm, log.log_id));
        say_standing(&log.standing, output);
    }
    say_authorities("certificate authority", &root.certificate_authorities, output);
    for log in &root.certificate_logs {
        output.line(format!("  certificate log {} id {}", log.algorithm, log.log_id));
        say_standing(&log.standing, output);
    }
    say_authorities("timestamp authority", &root.timestamp_authorities, output);
    for unusable in &root.unusable {
        output.line(format!("  not usable: {} ({})", unusable.part, unusable.reason));
    }
}

fn say_authorities(what: &str, authorities: &[AuthorityRow], output: &Output) {
    for authority in authorities {
        output.line(format!("  {what} {}", authority.uri));
        say_standing(&authority.standing, output);
        for certificate in &authority.certificates {
            let names = [&certificate.organization, &certificate.common_name];
            let names: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
            output.line(format!("      {} {}", certificate.digest, names.join(", ")));
        }
    }
}

fn say_standing(standing: &Standing, output: &Output) {
    let until = standing
        .valid_until
        .as_deref()
        .map_or_else(String::new, |until| format!(" until {until}"));
    let operator = match &standing.operator {
        Some(operator) => format!("run by {operator}"),
        None => "no operator".to_owned(),
    };
    output.line(format!(
        "      {}: from {}{until}; {operator}",
        standing.state, standing.valid_from
    ));
}
