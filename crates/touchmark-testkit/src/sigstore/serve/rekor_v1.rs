//! Rekor's API, version 1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Shared;
use super::http::{Answer, Request};
use super::route::Route;
use crate::sigstore::keys::{Scheme, spki_of_pem, verify, verify_digest};
use crate::sigstore::rekor_v1::{RekorV1, dsse_body, hashedrekord_body, hex};
use crate::sigstore::rekor_v2::Verifier;
use crate::sigstore::sign::pae;

pub(super) fn answer(route: Route, request: &Request, shared: &Shared, other: bool) -> Answer {
    let mut log = shared.instance.rekor_v1();
    match route {
        Route::V1Create => create(request, &mut log, shared.now(), other),
        Route::V1ByUuid => {
            let uuid = request.path.rsplit('/').next().unwrap_or_default();
            // The tree's number may be left out.
            entry(
                &log,
                (0..log.tree.size()).find(|index| log.uuid(*index).ends_with(uuid) && uuid.len() >= 64),
                other,
            )
        }
        Route::V1ByIndex => {
            let index = request
                .parameter("logIndex")
                .and_then(|text| text.parse::<u64>().ok());
            entry(&log, index.and_then(|index| local(&log, index)), other)
        }
        Route::V1Retrieve => retrieve(request, &log),
        Route::V1Log => {
            let size = log.tree.size();
            Answer::json(
                200,
                json!({
                    "inactiveShards": [],
                    "rootHash": hex(log.tree.root(size).as_bytes()),
                    "signedTreeHead": log.checkpoint(size),
                    "treeID": log.tree_id.to_string(),
                    "treeSize": size,
                }),
            )
        }
        Route::V1Proof => proof(request, &log),
        _ => Answer::new(200, "application/x-pem-file", log.key.public_pem().into_bytes()),
    }
}

fn local(log: &RekorV1, global: u64) -> Option<usize> {
    let index = usize::try_from(global.checked_sub(log.offset)?).ok()?;
    (index < log.tree.size()).then_some(index)
}

fn entry(log: &RekorV1, index: Option<usize>, other: bool) -> Answer {
    match index {
        Some(index) => Answer::json(
            200,
            log.api_entry(if other {
                (index + 1) % log.tree.size()
            } else {
                index
            }),
        ),
        None => Answer::error(404, "no such entry"),
    }
}

fn retrieve(request: &Request, log: &RekorV1) -> Answer {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let indexes = body["logIndexes"].as_array().cloned().unwrap_or_default();
    if indexes.len() > 10 {
        return Answer::error(422, "at most ten entries");
    }
    let entries: Vec<Value> = indexes
        .iter()
        .filter_map(|index| local(log, index.as_u64()?))
        .map(|index| log.api_entry(index))
        .collect();
    Answer::json(200, Value::Array(entries))
}

fn proof(request: &Request, log: &RekorV1) -> Answer {
    let number = |name: &str| {
        request
            .parameter(name)
            .and_then(|text| text.parse::<usize>().ok())
    };
    let first = number("firstSize").unwrap_or(1);
    let Some(last) = number("lastSize") else {
        return Answer::error(400, "lastSize is needed");
    };
    if first == 0 || first > last || last > log.tree.size() {
        return Answer::error(400, "no such sizes");
    }
    let hashes: Vec<String> = log
        .tree
        .consistency(first, last)
        .iter()
        .map(|hash| hex(hash.as_bytes()))
        .collect();
    Answer::json(
        200,
        json!({"hashes": hashes, "rootHash": hex(log.tree.root(last).as_bytes())}),
    )
}

fn create(request: &Request, log: &mut RekorV1, now: i64, other: bool) -> Answer {
    let body = serde_json::from_slice::<Value>(&request.body)
        .ok()
        .and_then(|request| body_of(&request));
    let Some(body) = body else {
        return Answer::error(400, "error processing entry: the signature could not be verified");
    };
    if let Some(index) = log.tree.position(&body) {
        let place = format!("/api/v1/log/entries/{}", log.uuid(index));
        let message = format!(
            "an equivalent entry already exists in the transparency log with UUID {}",
            log.uuid(index)
        );
        return Answer::error(409, &message).header("location", &place);
    }
    let index = log.push(body, now);
    let shown = if other { 0 } else { index };
    Answer::json(201, log.api_entry(shown))
        .header("location", &format!("/api/v1/log/entries/{}", log.uuid(shown)))
}

/// Returns the body that the log keeps for a proposal, where its signature is right.
fn body_of(request: &Value) -> Option<Vec<u8>> {
    match (request["kind"].as_str()?, request["apiVersion"].as_str()?) {
        ("hashedrekord", "0.0.1") => hashedrekord(&request["spec"]),
        ("dsse", "0.0.1") => dsse(&request["spec"]["proposedContent"]),
        _ => None,
    }
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(value.as_str()?).ok()
}

fn verifier(value: &Value) -> Option<(Verifier, Vec<u8>)> {
    let (certificate, der, spki) = spki_of_pem(std::str::from_utf8(&bytes(value)?).ok()?)?;
    let verifier = if certificate {
        Verifier::Certificate(der)
    } else {
        Verifier::PublicKey(der)
    };
    Some((verifier, spki))
}

fn hashedrekord(spec: &Value) -> Option<Vec<u8>> {
    let hash = &spec["data"]["hash"];
    let scheme = match hash["algorithm"].as_str()? {
        "sha256" => Scheme::P256,
        "sha384" => Scheme::P384,
        _ => return None,
    };
    let digest = unhex(hash["value"].as_str()?)?;
    let signature = bytes(&spec["signature"]["content"])?;
    let (verifier, spki) = verifier(&spec["signature"]["publicKey"]["content"])?;
    verify_digest(&spki, &digest, &signature)
        .then(|| hashedrekord_body(scheme, &digest, &signature, &verifier))
}

fn dsse(proposed: &Value) -> Option<Vec<u8>> {
    let submitted = proposed["envelope"].as_str()?;
    let [single] = proposed["verifiers"].as_array()?.as_slice() else {
        return None;
    };
    let (verifier, spki) = verifier(single)?;
    let envelope: Value = serde_json::from_str(submitted).ok()?;
    let payload = bytes(&envelope["payload"])?;
    let [signature] = envelope["signatures"].as_array()?.as_slice() else {
        return None;
    };
    let signature = bytes(&signature["sig"])?;
    let signed = pae(envelope["payloadType"].as_str()?, &payload);
    verify(&spki, &signed, &signature).then(|| dsse_body(submitted, &payload, &signature, &verifier))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(byte).collect()
}
