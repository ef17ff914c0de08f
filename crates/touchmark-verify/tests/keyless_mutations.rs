//! Every byte of what makes a keyless bundle good: one bit of it changed, and nothing is accepted that was not signed.
//!
//! Bundles here have no log entry, which would refuse another certificate or signature before anything else is asked.

mod common;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::*;
use serde_json::Value;
use touchmark_testkit::sigstore::{Instance, LogKind, Signing};
use touchmark_verify::bundle::Bundle;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::{LogRequirement, VerifyOptions, verify};

const LEAF: &str = "/verificationMaterial/certificate/rawBytes";
const TOKEN: &str = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";
const SIGNATURE: &str = "/dsseEnvelope/signatures/0/sig";
const PROMISE: &str = "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp";
const BODY: &str = "/verificationMaterial/tlogEntries/0/canonicalizedBody";

fn unlogged() -> VerifyOptions {
    VerifyOptions {
        log: LogRequirement::DangerouslyUnlogged {
            reason: "the bytes below the log are what is changed".to_owned(),
        },
        ..options()
    }
}

fn bytes_at(bundle: &Value, pointer: &str) -> Vec<u8> {
    let text = bundle.pointer(pointer).and_then(Value::as_str).expect("base64");
    STANDARD.decode(text).expect("base64")
}

/// Changes each byte in turn, and returns which changes were accepted, and how often each reason was given.
fn changed(
    instance: &Instance,
    bundle: &Value,
    pointer: &str,
    options: &VerifyOptions,
) -> (Vec<usize>, BTreeMap<&'static str, usize>) {
    let root: TrustedRoot = instance.trusted_root();
    let good = bytes_at(bundle, pointer);
    let expected = rule(&github()).into();
    let (mut accepted, mut reasons) = (Vec::new(), BTreeMap::new());
    for position in 0..good.len() {
        let mut bytes = good.clone();
        bytes[position] ^= 1 << (position % 8);
        let mut bundle = bundle.clone();
        *bundle.pointer_mut(pointer).expect("it is there") = STANDARD.encode(bytes).into();
        let judged = Bundle::parse(bundle.to_string().as_bytes())
            .map_err(|error| error.code())
            .and_then(|bundle| verify(&bundle, &expected, &root, options).map_err(|error| error.code()));
        match judged {
            Ok(_) => accepted.push(position),
            Err(code) => *reasons.entry(code).or_default() += 1,
        }
    }
    (accepted, reasons)
}

#[test]
fn no_byte_of_a_certificate_can_be_changed() {
    let instance = instance();
    let bundle = sign(&instance, &Signing::keyless(github()).log(LogKind::Unlogged)).json;
    let (accepted, reasons) = changed(&instance, &bundle, LEAF, &unlogged());
    assert_eq!(accepted, Vec::<usize>::new());
    // Most changes are well formed and fail for the signature alone.
    assert!(reasons["certificate.chain"] > 200, "{reasons:?}");
}

#[test]
fn no_byte_of_a_signature_can_be_changed() {
    let instance = instance();
    let bundle = sign(&instance, &Signing::keyless(github()).log(LogKind::Unlogged)).json;
    let (accepted, reasons) = changed(&instance, &bundle, SIGNATURE, &unlogged());
    assert_eq!(accepted, Vec::<usize>::new());
    // The timestamp is over the signature and asked first.
    assert_eq!(reasons.keys().collect::<Vec<_>>(), [&"time.timestamp_imprint"]);
}

#[test]
fn no_byte_of_a_timestamp_can_be_changed_but_those_of_certificates_that_nobody_reads() {
    let instance = instance();
    let bundle = sign(&instance, &Signing::keyless(github()).log(LogKind::Unlogged)).json;
    let token = bytes_at(&bundle, TOKEN);
    let carried = &instance.timestamp_authorities[0].signer.certificate;
    let begin = token
        .windows(carried.len())
        .position(|window| window == carried)
        .expect("it is carried");
    let (accepted, reasons) = changed(&instance, &bundle, TOKEN, &unlogged());
    let end = begin + carried.len();
    // The carried certificate, which the trusted root's stands for; and what CMS says twice or to nobody: whether the
    // answer was granted "with modifications", two versions, the list of hashes that the signer's own entry repeats.
    let nobody_reads = |position: &usize| {
        (begin..end).contains(position) || [8, 34, end + 10].contains(position) || (37..50).contains(position)
    };
    let relied_on: Vec<usize> = accepted
        .into_iter()
        .filter(|position| !nobody_reads(position))
        .collect();
    assert_eq!(relied_on, Vec::<usize>::new());
    assert!(reasons["time.timestamp_signature"] > 50, "{reasons:?}");
}

#[test]
fn no_byte_of_a_promise_or_of_what_it_promises_can_be_changed() {
    let instance = instance();
    for log in [LogKind::V1Dsse, LogKind::V1Intoto] {
        let bundle = sign(&instance, &Signing::keyless(github()).log(log).timestamps(&[])).json;
        for pointer in [PROMISE, BODY] {
            let (accepted, reasons) = changed(&instance, &bundle, pointer, &options());
            assert_eq!(accepted, Vec::<usize>::new(), "{log:?} {pointer}");
            assert!(!reasons.is_empty());
        }
    }
}
