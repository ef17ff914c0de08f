//! The timestamp authorities: RFC 3161 over HTTP.

use super::Shared;
use super::fault::Fault;
use super::http::{Answer, Request};
use super::route::Route;
use crate::sigstore::der::generalized_time;
use crate::sigstore::keys::{Hash, element, pem};
use crate::sigstore::tsa::TokenPlan;

pub(super) fn answer(
    route: Route,
    request: &Request,
    shared: &Shared,
    index: usize,
    fault: Option<&Fault>,
) -> Answer {
    let authority = &shared.instance.timestamp_authorities[index];
    if route == Route::TimestampChain {
        let chain = [&authority.signer, &authority.root].map(|part| pem("CERTIFICATE", &part.certificate));
        return Answer::new(
            200,
            "application/pem-certificate-chain",
            chain.concat().into_bytes(),
        );
    }
    if request.header("content-type") != Some("application/timestamp-query") {
        return Answer::error(415, "not a timestamp query");
    }
    let Some(query) = parse(&request.body) else {
        return Answer::error(400, "not a timestamp query");
    };
    let mut plan = TokenPlan::good(authority, shared.now());
    plan.imprint_hash = query.hash;
    plan.imprint = Some(query.imprint);
    plan.nonce = query.nonce;
    if !query.certificates {
        plan.certificates.clear();
    }
    match fault {
        Some(Fault::OtherEntry) => plan.imprint = Some(query.hash.of(b"something else")),
        Some(Fault::OtherTime(at)) => plan.time = generalized_time(*at),
        Some(Fault::OtherNonce) => plan.nonce = Some(vec![0x2a; 8]),
        _ => {}
    }
    let answer = authority.answer(&request.body, &plan);
    Answer::new(201, "application/timestamp-reply", answer)
}

struct Query {
    hash: Hash,
    imprint: Vec<u8>,
    nonce: Option<Vec<u8>>,
    certificates: bool,
}

/// `TimeStampReq`: version, imprint, policy, nonce, whether certificates are wanted.
fn parse(der: &[u8]) -> Option<Query> {
    let (0x30, request, []) = element(der)? else {
        return None;
    };
    let (0x02, [1], rest) = element(request)? else {
        return None;
    };
    let (0x30, imprint, mut rest) = element(rest)? else {
        return None;
    };
    let (0x30, algorithm, digest) = element(imprint)? else {
        return None;
    };
    let (0x04, digest, []) = element(digest)? else {
        return None;
    };
    // Parameters may be there as NULL.
    let (0x06, algorithm, _) = element(algorithm)? else {
        return None;
    };
    let hash = match algorithm.last()? {
        1 if digest.len() == 32 => Hash::Sha256,
        2 if digest.len() == 48 => Hash::Sha384,
        _ => return None,
    };
    let (mut nonce, mut certificates) = (None, false);
    while let Some((tag, content, tail)) = element(rest) {
        match tag {
            0x02 => nonce = Some(content.to_vec()),
            0x01 => certificates = content == [0xff],
            _ => {}
        }
        rest = tail;
    }
    Some(Query {
        hash,
        imprint: digest.to_vec(),
        nonce,
        certificates,
    })
}
