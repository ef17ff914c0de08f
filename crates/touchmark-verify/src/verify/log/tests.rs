use touchmark_tlog::note::VerifierKey;

use super::*;
use crate::verified::{TimeSource, VerifiedTime};
use crate::window::Window;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).unwrap()
}

fn times(seconds: &[i64]) -> VerifiedTimes {
    let source = TimeSource::TimestampAuthority { uri: String::new() };
    VerifiedTimes::for_test(
        seconds
            .iter()
            .map(|seconds| VerifiedTime {
                not_after: at(*seconds),
                source: source.clone(),
            })
            .collect(),
    )
}

#[test]
fn case_99_and_case_119_every_verified_time_must_fall_into_the_log_s_window() {
    let seed = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
    let key = VerifierKey::ed25519("log.example", seed.verifying_key().as_bytes()).unwrap();
    let log = TrustedLog {
        origin: "log.example".to_owned(),
        log_id: key.log_id(),
        key,
        valid_for: Window {
            start: at(100),
            end: Some(at(200)),
        },
        operator: None,
    };
    let outcome = |moments: &[i64], now| {
        require_in_use(0, &log, &times(moments), at(now)).map_err(|error| error.code())
    };
    // Retired since, in use then: both ends belong to the window.
    assert_eq!(outcome(&[100, 200], 1000), Ok(Check::pass("tlog.window")));
    assert_eq!(outcome(&[201], 1000), Err("tlog.outside_log_window"));
    assert_eq!(outcome(&[99], 1000), Err("tlog.outside_log_window"));
    assert_eq!(outcome(&[150, 201], 1000), Err("tlog.outside_log_window"));
    assert_eq!(outcome(&[], 200), Ok(Check::pass("tlog.window")));
    assert_eq!(outcome(&[], 99), Err("tlog.outside_log_window"));
    assert!(matches!(
        outcome(&[], 201),
        Ok(Check {
            outcome: crate::verified::CheckOutcome::Skipped { .. },
            ..
        })
    ));
}
