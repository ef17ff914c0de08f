//! One thing wrong with the answer at a time: an exact code, nothing believed, nothing beyond the deadline, and the
//! same submission logged once when all is well again.

use std::time::{Duration, Instant};

use touchmark_http::Deadline;
use touchmark_rekor::{ApiVersion, Publisher as _, RekorV1, RekorV2};
use touchmark_testkit::sigstore::keys::{Key, Scheme};
use touchmark_testkit::sigstore::{Fault, Route, Served};
use touchmark_verify::trust::TrustedLog;

use super::support::{EXCHANGE, client, code, publish, served, submission, url};

const VERSIONS: [(ApiVersion, Route); 2] = [
    (ApiVersion::V1, Route::V1Create),
    (ApiVersion::V2, Route::V2Create),
];

/// Publishes with one faulty answer, then without: the code of the first, and that the second logs it once.
#[track_caller]
fn with_fault(fault: &Fault, expected: &[&str]) {
    for (version, route) in VERSIONS {
        let served = served();
        served.fault_times(route, fault.clone(), 1);
        let submission = submission(Scheme::P256, 1);
        let started = Instant::now();
        let error = publish(&served, version, &submission).expect_err("a spoiled answer was believed");
        assert!(
            expected.contains(&error.code()),
            "{version:?} {fault:?}: {error:?}"
        );
        assert!(error.is_worth_retrying(), "{version:?} {fault:?}");
        assert!(
            started.elapsed() < EXCHANGE + Duration::from_secs(2),
            "{version:?} {fault:?}"
        );
        let size = size(&served, version);
        let entry = publish(&served, version, &submission).expect("logged when all is well");
        // The spoiled answer was about an entry that was taken, or about one that was not: never two.
        assert_eq!(
            (size.max(4), entry.log_id),
            (self::size(&served, version), log_id(&served, version)),
            "{fault:?}"
        );
    }
}

fn size(served: &Served, version: ApiVersion) -> usize {
    match version {
        ApiVersion::V1 => served.instance().rekor_v1().tree.size(),
        ApiVersion::V2 => served.instance().rekor_v2().tree.size(),
    }
}

fn log_id(served: &Served, version: ApiVersion) -> touchmark_tlog::merkle::Hash {
    let origin = match version {
        ApiVersion::V1 => "rekor1.",
        ApiVersion::V2 => "log2.",
    };
    let root = served.instance().trusted_root();
    let log = root
        .logs()
        .iter()
        .find(|log| log.origin.starts_with(origin))
        .expect("one of the two");
    log.log_id
}

#[test]
fn a_reset_or_an_end_at_every_byte_of_the_answer() {
    for (version, route) in VERSIONS {
        let served = served();
        let submission = submission(Scheme::P256, 1);
        let mut whole = 0;
        for end in 0.. {
            let fault = if end % 2 == 0 {
                Fault::ResetAfter(end)
            } else {
                Fault::CloseAfter(end)
            };
            served.fault_times(route, fault, 1);
            match publish(&served, version, &submission) {
                Ok(entry) => {
                    // From the second time on the log says that it has the entry; what was cut then is that answer,
                    // and a body that nobody needs. Two in a row mean that nothing is cut any more.
                    assert_eq!(
                        entry.kind.kind,
                        if version == ApiVersion::V1 {
                            "dsse"
                        } else {
                            "hashedrekord"
                        }
                    );
                    whole += 1;
                    if whole == 2 {
                        assert!(end > 60, "{version:?}: whole after {end} bytes");
                        break;
                    }
                }
                Err(error) => {
                    whole = 0;
                    assert!(
                        ["network.broken", "http.malformed"].contains(&error.code()),
                        "{version:?} {end}: {error:?}"
                    );
                    assert!(error.is_worth_retrying());
                }
            }
        }
        assert_eq!(
            size(&served, version),
            4,
            "one entry beside the three that were there"
        );
    }
}

#[test]
fn a_cut_through_the_first_answer_at_any_place_is_found_again() {
    for (version, route) in VERSIONS {
        let served = served();
        let places: Vec<usize> = (0..300).chain((300..2500).step_by(41)).collect();
        for (number, end) in places.iter().copied().enumerate() {
            let submission = submission(Scheme::P256, number as u32);
            served.fault_times(route, Fault::ResetAfter(end), 1);
            if let Err(error) = publish(&served, version, &submission) {
                assert!(
                    ["network.broken", "http.malformed"].contains(&error.code()),
                    "{version:?} {end}: {error:?}"
                );
            }
            publish(&served, version, &submission).expect("found again");
        }
        assert_eq!(size(&served, version), 3 + places.len());
    }
}

#[test]
fn silence_and_single_bytes_end_by_the_deadline() {
    with_fault(&Fault::Stall, &["network.stalled"]);
    with_fault(&Fault::StallAfter(400), &["network.stalled"]);
    // Slowly enough, and not even the head is there in time.
    with_fault(
        &Fault::Drip(Duration::from_millis(50)),
        &["network.stalled", "network.deadline"],
    );
    with_fault(&Fault::Drip(Duration::from_millis(3)), &["network.deadline"]);
}

#[test]
fn storms_of_429_and_502_are_worth_another_try() {
    for status in [408, 429, 500, 502, 503, 504] {
        with_fault(&Fault::Status(status), &["http.status"]);
    }
    for (version, route) in VERSIONS {
        let served = served();
        served.fault_times(route, Fault::RetryAfter(429, "315360000".to_owned()), 1);
        let error = publish(&served, version, &submission(Scheme::P256, 1)).expect_err("busy");
        assert_eq!(
            error.retry_after(),
            Some(Duration::from_secs(120)),
            "ten years are capped"
        );
    }
}

#[test]
fn a_refusal_is_final_and_a_frozen_log_says_so() {
    for (version, route) in VERSIONS {
        for (status, expected) in [
            (400, "rekor.refused"),
            (422, "rekor.refused"),
            (405, "rekor.frozen"),
        ] {
            let served = served();
            served.fault(route, Fault::Status(status));
            let error = publish(&served, version, &submission(Scheme::P256, 1)).expect_err("refused");
            assert_eq!(error.code(), expected);
            assert!(!error.is_worth_retrying());
        }
    }
}

#[test]
fn case_229_html_and_truncated_json_are_no_answers() {
    with_fault(
        &Fault::ContentType("text/html".to_owned()),
        &["http.content_type"],
    );
    with_fault(&Fault::Truncated, &["rekor.answer_malformed"]);
    with_fault(
        &Fault::Body(b"<html>all is well</html>".to_vec()),
        &["rekor.answer_malformed"],
    );
    with_fault(&Fault::Body(b"{}".to_vec()), &["rekor.answer_malformed"]);
}

#[test]
fn case_229_a_conflict_whose_entry_is_not_shown_leaves_it_waiting() {
    let served = served();
    let submission = submission(Scheme::P256, 1);
    publish(&served, ApiVersion::V1, &submission).expect("logged");
    served.fault(Route::V1ByUuid, Fault::Status(404));
    let error = publish(&served, ApiVersion::V1, &submission).expect_err("409, then 404");
    assert_eq!(error.code(), "rekor.duplicate_lost");
    assert!(error.is_worth_retrying());
    served.clear_faults();
    publish(&served, ApiVersion::V1, &submission).expect("found again");

    publish(&served, ApiVersion::V2, &submission).expect("logged");
    for route in [Route::V2Tile, Route::V2Checkpoint] {
        served.fault(route, Fault::Status(404));
        assert_eq!(
            code(publish(&served, ApiVersion::V2, &submission)),
            "rekor.duplicate_lost"
        );
        served.clear_faults();
    }
    served.fault(Route::V2Tile, Fault::Body(vec![0; 31]));
    let error = publish(&served, ApiVersion::V2, &submission).expect_err("no tile");
    assert!(
        ["tlog.entry_bundle", "tlog.tile_length", "rekor.index_range"].contains(&error.code()),
        "{error:?}"
    );
    served.clear_faults();
    served.fault(Route::V2Checkpoint, Fault::Body(b"log\n1\n".to_vec()));
    assert_eq!(
        code(publish(&served, ApiVersion::V2, &submission)),
        "rekor.answer_checkpoint"
    );
}

#[test]
fn a_bomb_is_not_grown_and_a_padded_answer_is_not_read_to_its_end() {
    with_fault(&Fault::GzipBomb(64 * 1024 * 1024), &["http.encoded"]);
    for (version, route) in VERSIONS {
        let served = served();
        served.fault(route, Fault::Padded(6 * 1024 * 1024));
        assert_eq!(
            code(publish(&served, version, &submission(Scheme::P256, 1))),
            "http.too_large"
        );
    }
}

#[test]
fn case_226_a_redirect_is_not_followed_with_what_was_signed() {
    for (version, route) in VERSIONS {
        let (served, other) = (served(), served());
        for (to, expected) in [
            (
                url(&other, version).as_str().to_owned(),
                "network.redirect_other_host",
            ),
            ("https://example.org/".to_owned(), "network.redirect_other_scheme"),
            ("/somewhere".to_owned(), "network.redirect"),
        ] {
            served.fault(route, Fault::Redirect(307, to));
            assert_eq!(
                code(publish(&served, version, &submission(Scheme::P256, 1))),
                expected
            );
        }
        assert!(other.requests(route).is_empty());
    }
}

#[test]
fn case_232_an_answer_for_another_entry_is_not_ours() {
    with_fault(&Fault::OtherEntry, &["rekor.answer_for_another_entry"]);
    // The entry that a conflict leads to is compared as well.
    let served = served();
    let submission = submission(Scheme::P256, 1);
    publish(&served, ApiVersion::V1, &submission).expect("logged");
    served.fault(Route::V1ByUuid, Fault::OtherEntry);
    assert_eq!(
        code(publish(&served, ApiVersion::V1, &submission)),
        "rekor.answer_for_another_entry"
    );
}

#[test]
fn an_answer_of_a_log_that_is_not_trusted_is_not_believed() {
    let served = served();
    let submission = submission(Scheme::P256, 1);
    let deadline = Deadline::after(Duration::from_secs(20));
    let none = RekorV2::new(client(), &url(&served, ApiVersion::V2), Vec::new());
    assert_eq!(
        code(none.publish(&submission, deadline)),
        "rekor.answer_unknown_log"
    );
    // And not when it is found again.
    assert_eq!(
        code(none.publish(&submission, deadline)),
        "rekor.answer_unknown_log"
    );
    let none = RekorV1::new(client(), &url(&served, ApiVersion::V1), Vec::new());
    assert_eq!(
        code(none.publish(&submission, deadline)),
        "rekor.answer_unknown_log"
    );

    // A log of the same id with another key: the id is a copy, the signature is not.
    let forged: Vec<TrustedLog> = served
        .instance()
        .trusted_root()
        .logs()
        .iter()
        .map(|log| TrustedLog {
            key: touchmark_tlog::note::VerifierKey::ed25519(
                log.key.name(),
                &Key::named(Scheme::Ed25519, "somebody")
                    .raw_ed25519()
                    .expect("Ed25519"),
            )
            .expect("a key"),
            ..log.clone()
        })
        .collect();
    let forged_v2 = RekorV2::new(client(), &url(&served, ApiVersion::V2), forged.clone());
    let other = super::support::submission(Scheme::P256, 2);
    assert_eq!(
        code(forged_v2.publish(&other, deadline)),
        "rekor.answer_checkpoint"
    );
    let forged_v1 = RekorV1::new(client(), &url(&served, ApiVersion::V1), forged);
    assert_eq!(code(forged_v1.publish(&other, deadline)), "rekor.answer_promise");
}
