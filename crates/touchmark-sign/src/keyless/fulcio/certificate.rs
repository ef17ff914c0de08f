//! The certificate that came, held against the key and the token that were sent.

use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::identity::{CertificateIdentity, SubjectAlternativeName};
use touchmark_verify::issued::IssuedCertificate;
use touchmark_verify::window::Window;

use super::challenge::Challenge;
use super::wire::Answer;
use super::{Asked, CertificateRequest, FulcioError};
use crate::Signer as _;
use crate::keyless::token::Claims;

/// How far an authority's clock may be ahead of ours: certificates begin at the moment of their issue.
const MAX_SKEW_SECONDS: i64 = 60;

pub(super) fn verify(
    answer: &Answer,
    request: &CertificateRequest<'_>,
    challenge: &Challenge,
) -> Result<IssuedCertificate, FulcioError> {
    if answer.has_detached_timestamp {
        return Err(FulcioError::DetachedTimestamp);
    }
    let certificate = IssuedCertificate::parse(answer.leaf.clone()).map_err(FulcioError::Certificate)?;
    let other = |part, expected: String, found: String| FulcioError::Other {
        part,
        expected,
        found,
    };
    let (asked, found) = (request.key.public_key(), certificate.public_key());
    if asked.spki_der() != found.spki_der() {
        let fingerprints = (asked.fingerprint().to_string(), found.fingerprint().to_string());
        return Err(other(Asked::Key, fingerprints.0, fingerprints.1));
    }
    let (claims, identity) = (request.token.claims(), certificate.identity());
    if identity.issuer != claims.issuer {
        return Err(other(
            Asked::Issuer,
            claims.issuer.clone(),
            identity.issuer.clone(),
        ));
    }
    if !names(identity, claims, challenge) {
        let expected = challenge.text().to_owned();
        return Err(other(Asked::Identity, expected, identity.san.to_string()));
    }
    let at = (request.clock)();
    if !holds(certificate.window(), at) {
        return Err(FulcioError::Window {
            window: certificate.window(),
            at,
        });
    }
    // As of the moment at which it begins, should our clock be a little behind.
    let at = at.max(certificate.window().start);
    certificate
        .verify(request.root, at, request.certificate_logs)
        .map_err(FulcioError::Unproven)?;
    Ok(certificate)
}

fn holds(window: Window, at: Timestamp) -> bool {
    let begun = window.start.unix() <= at.unix().saturating_add(MAX_SKEW_SECONDS);
    begun && window.end.is_none_or(|end| at <= end)
}

/// Tells whether a certificate names the bearer of a token.
///
/// For e-mail that is the address itself. CI services are named by a part of the token that Fulcio puts into an
/// address; which part depends on the service, and every one that the token has must be the certificate's.
fn names(identity: &CertificateIdentity, claims: &Claims, challenge: &Challenge) -> bool {
    if identity
        .claims
        .token_subject
        .as_ref()
        .is_some_and(|subject| *subject != claims.subject)
    {
        return false;
    }
    match (challenge, &identity.san) {
        (Challenge::Email(email), SubjectAlternativeName::Email(found)) => email == found,
        (Challenge::Subject(subject), SubjectAlternativeName::OtherName(found)) => {
            // `<subject>!<domain>`
            found
                .strip_prefix(subject.as_str())
                .is_some_and(|rest| rest.starts_with('!'))
        }
        (Challenge::Subject(subject), SubjectAlternativeName::Uri(found)) => {
            found == subject || is_workload(found, claims)
        }
        (Challenge::Subject(subject), SubjectAlternativeName::Email(found)) => found == subject,
        _ => false,
    }
}

/// Tells whether an address is made of the parts of a token that name a job.
fn is_workload(uri: &str, claims: &Claims) -> bool {
    let ends_with = |name: &str| {
        claims.text(name).map(|part| {
            uri.strip_suffix(part)
                .is_some_and(|host| host.ends_with('/') && host.contains("://"))
        })
    };
    let path = |names: [&str; 2]| {
        let [first, second] = names.map(|name| claims.text(name));
        let path = format!("/{}/{}", first?, second?);
        Some(uri.ends_with(&path))
    };
    let known = [
        ends_with("job_workflow_ref"),
        ends_with("ci_config_ref_uri"),
        path(["organization_slug", "pipeline_slug"]),
        claims
            .text("oidc.circleci.com/pipeline-definition-id")
            .map(|id| uri.ends_with(&format!("/{id}"))),
        kubernetes(&claims.subject).map(|path| uri.ends_with(&path)),
    ];
    // A token that names a job in a way that is known must be named that way.
    known.into_iter().flatten().next().unwrap_or(false)
}

/// `system:serviceaccount:<namespace>:<name>` is `https://kubernetes.io/namespaces/<namespace>/serviceaccounts/<name>`.
fn kubernetes(subject: &str) -> Option<String> {
    let (namespace, name) = subject.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    Some(format!("/namespaces/{namespace}/serviceaccounts/{name}"))
}
