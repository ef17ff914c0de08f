//! Fulcio's API, version 2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Shared;
use super::fault::Fault;
use super::http::{Answer, Request};
use super::route::Route;
use crate::sigstore::identity::Identity;
use crate::sigstore::keys::{Scheme, pem, spki_of_pem, verify};

pub(super) fn answer(route: Route, request: &Request, shared: &Shared, fault: Option<&Fault>) -> Answer {
    match route {
        Route::TrustBundle => {
            let chain: Vec<String> = chain(shared);
            Answer::json(200, json!({"chains": [{"certificates": chain}]}))
        }
        _ => match signing_certificate(request, shared, fault) {
            Ok(answer) => answer,
            Err((status, message)) => Answer::error(status, message),
        },
    }
}

fn chain(shared: &Shared) -> Vec<String> {
    let authority = &shared.instance.certificate_authority;
    let certificates = [&authority.intermediate.certificate, &authority.root.certificate];
    certificates
        .map(|certificate| pem("CERTIFICATE", certificate))
        .to_vec()
}

fn signing_certificate(
    request: &Request,
    shared: &Shared,
    fault: Option<&Fault>,
) -> Result<Answer, (u16, &'static str)> {
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| (400, "not JSON"))?;
    let bearer = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "));
    let token = body["credentials"]["oidcIdentityToken"]
        .as_str()
        .or(bearer)
        .ok_or((401, "no token"))?;
    let now = shared.now();
    let instance = &shared.instance;
    let named = instance
        .read_token(token, &shared.issuers(), now)
        .map_err(|reason| (401, reason))?;
    let wanted = &body["publicKeyRequest"];
    let key = wanted["publicKey"]["content"]
        .as_str()
        .ok_or((400, "no public key"))?;
    let (certificate, _, spki) = spki_of_pem(key).ok_or((400, "no public key"))?;
    let proof = wanted["proofOfPossession"]
        .as_str()
        .ok_or((400, "no proof of possession"))?;
    let proof = STANDARD
        .decode(proof)
        .map_err(|_| (400, "no proof of possession"))?;
    if certificate || !verify(&spki, named.challenge.as_bytes(), &proof) {
        return Err((400, "the signature supplied in the request could not be verified"));
    }
    let leaf = match fault {
        Some(Fault::OtherEntry) => {
            let other = instance.key(Scheme::P256, "somebody else's");
            instance.issue(&named.identity, &other.spki(), now)
        }
        Some(Fault::OtherIdentity) => {
            let other = Identity::email("mallory@example.test", &named.identity.issuer);
            instance.issue(&other, &spki, now)
        }
        Some(Fault::OtherTime(at)) => instance.issue(&named.identity, &spki, *at),
        _ => instance.issue(&named.identity, &spki, now),
    };
    let mut certificates = vec![pem("CERTIFICATE", &leaf)];
    certificates.extend(chain(shared));
    Ok(Answer::json(
        200,
        json!({"signedCertificateEmbeddedSct": {"chain": {"certificates": certificates}}}),
    ))
}
