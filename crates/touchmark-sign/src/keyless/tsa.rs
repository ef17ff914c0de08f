//! RFC 3161: a signed time for a signature, asked for with a nonce and believed only when it is about what was sent.
//!
//! An answer is held against the question (status, imprint, nonce) and then verified under the trusted root's timestamp
//! authorities, before anybody keeps it. What is kept is the whole answer, as bundles carry it.

mod error;
mod wire;

#[cfg(test)]
mod tests;

use touchmark_http::{Accept, Client, ContentType, Deadline, Request, Url};
use touchmark_verify::key::KeyAlgorithm;
use touchmark_verify::message::DigestAlgorithm;

pub use error::{Stamped, TsaError};

/// The largest answer; real ones with their certificates are below 8 KiB.
const MAX_ANSWER_BYTES: usize = 128 * 1024;
const NONCE_BYTES: usize = 16;

/// Whether an answer is proven by somebody whom the caller trusts.
pub trait StampVerifier {
    /// Verifies a timestamp response over a signature.
    fn verify(&self, response: &[u8], signature: &[u8]) -> Result<(), TsaError>;
}

/// One question to one authority.
#[derive(Debug, Clone, Copy)]
pub struct TimestampRequest<'a> {
    /// The address, path included.
    pub url: &'a Url,
    /// The signature whose time is asked for.
    pub signature: &'a [u8],
    /// The hash that the authority sees.
    pub digest: DigestAlgorithm,
    /// By when there must be an answer.
    pub deadline: Deadline,
}

/// Returns the hash that goes with a key: as strong as the one that the key signs.
pub fn digest_for(algorithm: KeyAlgorithm) -> DigestAlgorithm {
    match algorithm {
        KeyAlgorithm::EcdsaP256Sha256 => DigestAlgorithm::Sha256,
        KeyAlgorithm::EcdsaP384Sha384 => DigestAlgorithm::Sha384,
        KeyAlgorithm::Ed25519 => DigestAlgorithm::Sha512,
    }
}

/// Asks an authority for the time of a signature and returns its answer, DER, once it was found good.
pub fn timestamp(
    client: &Client,
    request: &TimestampRequest<'_>,
    verifier: &dyn StampVerifier,
) -> Result<Vec<u8>, TsaError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|_| TsaError::NoRandomness)?;
    // A positive INTEGER in its shortest form, whatever the bytes are.
    nonce[0] = nonce[0] & 0x7f | 0x40;
    let imprint = request.digest.digest(request.signature);
    let body = wire::encode_request(request.digest, &imprint, &nonce);
    let post = Request::post(
        request.url,
        ContentType::TimestampQuery,
        body,
        Accept::TimestampReply,
    )
    .by(request.deadline)
    .at_most(MAX_ANSWER_BYTES);
    let answer = client.send(post)?;
    if !answer.is_success() {
        return Err(if answer.is_worth_retrying() {
            answer.into_status_error().into()
        } else {
            TsaError::Refused {
                status: answer.status,
            }
        });
    }
    let response = answer.into_success("application/timestamp-reply")?;
    let stamped = wire::parse_response(&response)?;
    let differs = |part| TsaError::OtherAnswer { part };
    if stamped.algorithm != wire::object_identifier(request.digest) || stamped.imprint != imprint {
        return Err(differs(Stamped::Imprint));
    }
    if stamped.nonce != Some(&nonce[..]) {
        return Err(differs(Stamped::Nonce));
    }
    verifier.verify(&response, request.signature)?;
    Ok(response)
}
