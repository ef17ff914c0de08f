//! What the proof of possession is made over: the e-mail address, or the subject.
//!
//! Fulcio decides that by the kind of the issuer, and a CI service's token may carry an e-mail address too, so the
//! token alone does not say. The instance does, under `/api/v2/configuration`; it is asked only where the token leaves
//! a choice.

use serde::Deserialize;
use touchmark_http::{Accept, Client, Request};
use touchmark_statement::strict_json::{self, Numbers, Rules};

use super::{CertificateRequest, FulcioError, MAX_ANSWER_BYTES};
use crate::keyless::token::Claims;

/// Claims that tokens of CI services and workloads carry and tokens of people do not.
const WORKLOAD_CLAIMS: &[&str] = &[
    "job_workflow_ref",
    "ci_config_ref_uri",
    "pipeline_slug",
    "oidc.circleci.com/project-id",
    "runner_environment",
];

/// What the proof of possession is made over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// The verified e-mail address, which is then the name in the certificate.
    Email(String),
    /// The subject.
    Subject(String),
}

impl Challenge {
    /// Returns the bytes that are signed.
    pub fn text(&self) -> &str {
        match self {
            Challenge::Email(text) | Challenge::Subject(text) => text,
        }
    }
}

#[derive(Deserialize)]
struct ConfigurationWire {
    issuers: Vec<IssuerWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IssuerWire {
    #[serde(default)]
    issuer_url: Option<String>,
    #[serde(default)]
    challenge_claim: Option<String>,
}

/// Decides the challenge for a token.
pub(super) fn of(client: &Client, request: &CertificateRequest<'_>) -> Result<Challenge, FulcioError> {
    let claims = request.token.claims();
    let subject = || Challenge::Subject(claims.subject.clone());
    if claims.email.is_none() {
        return Ok(subject());
    }
    match asked_for(client, request)?.as_deref() {
        Some("email") => email(claims),
        Some("sub") => Ok(subject()),
        Some(_) => Err(FulcioError::Challenge),
        None if WORKLOAD_CLAIMS.iter().any(|claim| claims.text(claim).is_some()) => Ok(subject()),
        None => email(claims),
    }
}

fn email(claims: &Claims) -> Result<Challenge, FulcioError> {
    let email = claims.verified_email()?.ok_or(FulcioError::Challenge)?;
    Ok(Challenge::Email(email.to_owned()))
}

/// Returns the claim that the instance wants for this issuer; `None` where it does not say.
fn asked_for(client: &Client, request: &CertificateRequest<'_>) -> Result<Option<String>, FulcioError> {
    let url = request.url.join(["api", "v2", "configuration"]);
    let get = Request::get(&url, Accept::Json)
        .by(request.deadline)
        .at_most(MAX_ANSWER_BYTES);
    let answer = client.send(get)?;
    if answer.is_worth_retrying() {
        return Err(answer.into_status_error().into());
    }
    if !answer.is_success() {
        return Ok(None);
    }
    let rules = Rules {
        max_bytes: MAX_ANSWER_BYTES,
        max_depth: 8,
        numbers: Numbers::Any,
    };
    let body = answer.into_success("application/json")?;
    let wire: ConfigurationWire =
        strict_json::from_slice(&body, &rules).map_err(|_| FulcioError::Malformed {
            part: "configuration",
        })?;
    let issuer = request.token.claims().issuer.as_str();
    let named = wire
        .issuers
        .into_iter()
        .find(|found| found.issuer_url.as_deref() == Some(issuer));
    Ok(named
        .and_then(|issuer| issuer.challenge_claim)
        .filter(|claim| !claim.is_empty()))
}
