//! Rekor's API, version 2: writing, and the tiles that a static server gives.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use touchmark_tlog::tile::TilePath;

use super::Shared;
use super::http::{Answer, Request};
use super::route::Route;
use crate::sigstore::keys::{Scheme, spki_of_certificate, verify_digest};
use crate::sigstore::rekor_v2::{RekorV2, Submission, Verifier};

pub(super) fn answer(route: Route, request: &Request, shared: &Shared, other: bool) -> Answer {
    let mut log = shared.instance.rekor_v2();
    match route {
        Route::V2Create => create(request, &mut log, shared.now(), other),
        Route::V2Checkpoint => {
            let size = log.tree.size();
            Answer::new(
                200,
                "text/plain; charset=utf-8",
                log.checkpoint(size, shared.now()).into_bytes(),
            )
        }
        _ => {
            let path = request
                .path
                .strip_prefix("/api/v2")
                .unwrap_or(&request.path)
                .trim_start_matches('/');
            let tile = TilePath::parse(path).ok().and_then(|path| log.tile(&path));
            match tile {
                Some(bytes) => Answer::new(200, "application/octet-stream", bytes),
                None => Answer::error(404, "no such tile"),
            }
        }
    }
}

fn create(request: &Request, log: &mut RekorV2, now: i64, other: bool) -> Answer {
    let submission = serde_json::from_slice::<Value>(&request.body)
        .ok()
        .and_then(|body| submission(&body));
    let Some(submission) = submission else {
        return Answer::error(400, "invalid hashedrekord request");
    };
    let body = submission.body();
    if let Some(index) = log.tree.position(&body) {
        return Answer::error(409, "an equivalent entry already exists")
            .header("x-log-index", &index.to_string());
    }
    let mut entry = log.add(body, now);
    if other {
        entry = log.entry(0, log.tree.size(), now);
    }
    // As protobuf JSON writes what is empty.
    entry["integratedTime"] = "0".into();
    entry["inclusionPromise"] = Value::Null;
    Answer::json(201, entry)
}

/// Reads a request, where its signature is right.
fn submission(request: &Value) -> Option<Submission> {
    let bytes = |value: &Value| STANDARD.decode(value.as_str()?).ok();
    let wanted = request.get("hashedRekordRequestV002")?;
    let verifier = &wanted["signature"]["verifier"];
    let scheme = match verifier["keyDetails"].as_str()? {
        "PKIX_ECDSA_P256_SHA_256" => Scheme::P256,
        "PKIX_ECDSA_P384_SHA_384" => Scheme::P384,
        _ => return None,
    };
    let (verifier, spki) = match (verifier.get("x509Certificate"), verifier.get("publicKey")) {
        (Some(certificate), None) => {
            let der = bytes(&certificate["rawBytes"])?;
            let spki = spki_of_certificate(&der)?;
            (Verifier::Certificate(der), spki)
        }
        (None, Some(key)) => {
            let der = bytes(&key["rawBytes"])?;
            (Verifier::PublicKey(der.clone()), der)
        }
        _ => return None,
    };
    let (digest, signature) = (bytes(&wanted["digest"])?, bytes(&wanted["signature"]["content"])?);
    verify_digest(&spki, &digest, &signature).then_some(Submission {
        digest,
        signature,
        scheme,
        verifier,
    })
}
