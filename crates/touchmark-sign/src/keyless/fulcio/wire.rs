//! The JSON of Fulcio's requests and answers.

use serde::{Deserialize, Serialize};
use touchmark_statement::strict_json::{self, Numbers, Rules};
use touchmark_verify::key::pem;

use super::{FulcioError, MAX_ANSWER_BYTES};

/// The most certificates of one chain.
const MAX_CHAIN: usize = 8;
const RULES: Rules = Rules {
    max_bytes: MAX_ANSWER_BYTES,
    max_depth: 12,
    numbers: Numbers::Any,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestWire<'a> {
    pub(super) credentials: CredentialsWire<'a>,
    pub(super) public_key_request: PublicKeyRequestWire,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CredentialsWire<'a> {
    pub(super) oidc_identity_token: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PublicKeyRequestWire {
    pub(super) public_key: PublicKeyWire,
    pub(super) proof_of_possession: String,
}

#[derive(Serialize)]
pub(super) struct PublicKeyWire {
    pub(super) algorithm: &'static str,
    pub(super) content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerWire {
    #[serde(default)]
    signed_certificate_embedded_sct: Option<SignedWire>,
    #[serde(default)]
    signed_certificate_detached_sct: Option<SignedWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignedWire {
    chain: ChainWire,
    #[serde(default)]
    signed_certificate_timestamp: Option<String>,
}

#[derive(Deserialize)]
struct ChainWire {
    certificates: Vec<String>,
}

/// What the authority answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// The leaf, DER.
    pub(super) leaf: Vec<u8>,
    /// Whether a timestamp came beside the certificate and not in it.
    pub(super) has_detached_timestamp: bool,
}

pub(super) fn parse(json: &[u8]) -> Result<Answer, FulcioError> {
    let malformed = |part| FulcioError::Malformed { part };
    let wire: AnswerWire = strict_json::from_slice(json, &RULES).map_err(|_| malformed("JSON"))?;
    let signed = match (
        wire.signed_certificate_embedded_sct,
        wire.signed_certificate_detached_sct,
    ) {
        (Some(signed), None) | (None, Some(signed)) => signed,
        _ => return Err(malformed("certificate")),
    };
    let certificates = &signed.chain.certificates;
    if certificates.is_empty() || certificates.len() > MAX_CHAIN {
        return Err(malformed("chain"));
    }
    let der = |text: &String| certificate_der(text).ok_or(malformed("chain"));
    let chain = certificates.iter().map(der).collect::<Result<Vec<_>, _>>()?;
    // What stands above the leaf is not taken from the answer: the trusted root has its own.
    let leaf = chain.into_iter().next().ok_or(malformed("chain"))?;
    Ok(Answer {
        leaf,
        has_detached_timestamp: signed
            .signed_certificate_timestamp
            .is_some_and(|timestamp| !timestamp.is_empty()),
    })
}

fn certificate_der(text: &str) -> Option<Vec<u8>> {
    let block = pem::decode(text.as_bytes(), &["CERTIFICATE"]).ok()?;
    Some(block.contents.to_vec())
}

#[derive(Deserialize)]
struct RefusalWire {
    message: String,
}

/// Returns the reason for a refusal, if it is a short plain text that holds no token.
pub(super) fn refusal(body: &[u8]) -> Option<String> {
    let wire: RefusalWire = strict_json::from_slice(body, &RULES).ok()?;
    let plain = wire.message.len() <= 400 && wire.message.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    // `eyJ` is how every token begins.
    (plain && !wire.message.is_empty() && !wire.message.contains("eyJ")).then_some(wire.message)
}
