//! Fulcio's API, version 2: a certificate for an identity token and an ephemeral key.
//!
//! The answer is believed only where it is about what was asked: the same key, the token's identity and issuer, a
//! window that holds now, a chain to the trusted root, and a signed certificate timestamp of a log that root knows.
//! <https://github.com/sigstore/fulcio/blob/v1.8.8/fulcio.proto>

mod certificate;
mod challenge;
mod error;
mod wire;

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use touchmark_http::{Accept, Client, ContentType, Deadline, Request, Url};
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::issued::{CertificateLogs, IssuedCertificate};
use touchmark_verify::trust::TrustedRoot;

pub use challenge::Challenge;
pub use error::{Asked, FulcioError};

use super::token::IdentityToken;
use crate::{PrivateKey, Signer as _, key_file};

/// The largest answer; chains of real instances are below 8 KiB.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// What is asked of a certificate authority, and what its answer is held against.
#[derive(Clone, Copy)]
pub struct CertificateRequest<'a> {
    /// The base address of the authority.
    pub url: &'a Url,
    /// Who asks.
    pub token: &'a IdentityToken,
    /// The key that is to be certified.
    pub key: &'a PrivateKey,
    /// What the answer must lead to.
    pub root: &'a TrustedRoot,
    /// Whether the instance logs its certificates.
    pub certificate_logs: CertificateLogs,
    /// The caller's clock; an answer takes a while.
    pub clock: &'a dyn Fn() -> Timestamp,
    /// By when there must be an answer.
    pub deadline: Deadline,
}

/// Asks for a certificate and returns the leaf, once it was found to be what was asked for.
pub fn request_certificate(
    client: &Client,
    request: &CertificateRequest<'_>,
) -> Result<IssuedCertificate, FulcioError> {
    let challenge = challenge::of(client, request)?;
    let body = encode(request, &challenge)?;
    let url = request.url.join(["api", "v2", "signingCert"]);
    let post = Request::post(&url, ContentType::Json, body, Accept::Json)
        .by(request.deadline)
        .at_most(MAX_ANSWER_BYTES);
    let answer = client.send(post)?;
    if !answer.is_success() {
        // A refusal is Fulcio's word about the token; an outage is nobody's.
        return Err(if answer.is_worth_retrying() {
            answer.into_status_error().into()
        } else {
            FulcioError::Refused {
                status: answer.status,
                reason: wire::refusal(&answer.body),
            }
        });
    }
    let body = answer.into_success("application/json")?;
    let answer = wire::parse(&body)?;
    certificate::verify(&answer, request, &challenge)
}

fn encode(request: &CertificateRequest<'_>, challenge: &Challenge) -> Result<Vec<u8>, FulcioError> {
    let proof = request.key.sign(challenge.text().as_bytes())?;
    let wire = wire::RequestWire {
        credentials: wire::CredentialsWire {
            oidc_identity_token: request.token.secret(),
        },
        public_key_request: wire::PublicKeyRequestWire {
            public_key: wire::PublicKeyWire {
                // Fulcio reads the algorithm from the key; v1.8 knows ECDSA by this name.
                algorithm: "ECDSA",
                content: key_file::export_public(request.key),
            },
            proof_of_possession: STANDARD.encode(proof),
        },
    };
    // The client wipes the body of a request when it is sent; this copy moves into it.
    Ok(serde_json::to_vec(&wire).expect("a request consists of text"))
}
