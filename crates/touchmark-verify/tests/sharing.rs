//! What a verifier remembers never changes an answer: every defect is refused with the same code by a verifier that has
//! just accepted good bundles of the same parties, in any order, as by one that remembers nothing.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and say what it saw"
)]

mod common;

use common::{github, instance, options, rule, sign};
use touchmark_testkit::sigstore::{
    CertificateDefect, Defect, Instance, LogDefect, LogKind, SIGNED_AT, Signing, TimeDefect, TrustRootDefect,
};
use touchmark_verify::bundle::Bundle;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::{Verifier, verify};

fn defects() -> Vec<Defect> {
    let certificates = CertificateDefect::ALL.iter().map(|defect| (*defect).into());
    let times = TimeDefect::ALL.iter().map(|defect| (*defect).into());
    let logs = LogDefect::ALL.iter().map(|defect| (*defect).into());
    let roots = TrustRootDefect::ALL.iter().map(|defect| (*defect).into());
    certificates.chain(times).chain(logs).chain(roots).collect()
}

/// Signs with a defect; `None` where the defect is about the other kind of log, or leaves nothing that can be read.
fn broken_bundle(broken: &Instance, defect: Defect, signing: &Signing) -> Option<Bundle> {
    let of_promises = [
        LogDefect::PromiseOverOtherTime,
        LogDefect::PromiseOverOtherIndex,
        LogDefect::PromiseOverOtherBody,
        LogDefect::PromiseOverOtherLog,
    ];
    if signing.log == LogKind::V2 && of_promises.iter().any(|promise| defect == (*promise).into()) {
        return None;
    }
    Bundle::parse(&sign(broken, signing).bytes()).ok()
}

fn signings() -> Vec<Signing> {
    vec![
        Signing::keyless(github()),
        Signing::keyless(github()).at(SIGNED_AT + 3_600),
        Signing::keyless(github()).log(LogKind::V1Dsse),
    ]
}

fn code(verifier: &Verifier<'_>, bundle: &Bundle, expected: &ExpectedSigners) -> &'static str {
    let outcome = verifier.verify(bundle, expected);
    outcome.map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn a_verifier_that_remembers_good_bundles_refuses_every_defect_for_its_own_reason() {
    let expected: ExpectedSigners = rule(&github()).into();
    let options = options();
    let good: Vec<Bundle> = signings()
        .iter()
        .map(|signing| sign(&instance(), signing).bundle())
        .collect();
    let mut compared = 0;
    for defect in defects() {
        let broken = instance().with(defect);
        let Ok(root) = TrustedRoot::parse(broken.trusted_root_json().as_bytes()) else {
            continue;
        };
        let verifier = Verifier::new(&root, &options);
        let alone = |bundle: &Bundle| {
            let outcome = verify(bundle, &expected, &root, &options);
            outcome.map_or_else(|error| error.code(), |_| "ok")
        };
        for signing in signings() {
            let Some(bad) = broken_bundle(&broken, defect, &signing) else {
                continue;
            };
            let fresh = alone(&bad);
            for known in &good {
                assert_eq!(code(&verifier, known, &expected), alone(known), "{defect:?}");
                assert_eq!(code(&verifier, &bad, &expected), fresh, "{defect:?}");
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared}");
}

#[test]
fn one_verifier_answers_for_all_defects_in_both_orders() {
    let expected: ExpectedSigners = rule(&github()).into();
    let options = options();
    let good = instance();
    let json = good.trusted_root_json();
    let root = TrustedRoot::parse(json.as_bytes()).unwrap();
    let mut bundles: Vec<Bundle> = signings()
        .iter()
        .map(|signing| sign(&good, signing).bundle())
        .collect();
    for defect in defects() {
        let broken = instance().with(defect);
        if broken.trusted_root_json() != json {
            continue;
        }
        for signing in signings() {
            bundles.extend(broken_bundle(&broken, defect, &signing));
        }
    }
    let fresh = |bundle: &Bundle| {
        let outcome = verify(bundle, &expected, &root, &options);
        outcome.map_or_else(|error| error.code(), |_| "ok")
    };
    let verifier = Verifier::new(&root, &options);
    for bundle in bundles.iter().chain(bundles.iter().rev()) {
        assert_eq!(code(&verifier, bundle, &expected), fresh(bundle));
    }
    let accepted = bundles.iter().filter(|bundle| fresh(bundle) == "ok").count();
    assert!(accepted >= 3 && accepted < bundles.len());
}
