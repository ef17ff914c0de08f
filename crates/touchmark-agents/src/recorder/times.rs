//! Times as products write them.

use chrono::{DateTime, Datelike as _, NaiveDateTime, Utc};

/// The years that a session's times may lie in.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;

/// A time, and whether its source names the zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) time: DateTime<Utc>,
    pub(crate) has_zone: bool,
}

/// Reads RFC 3339, or the same without a zone (`2026-01-02T03:04:05.678`, also with a blank), which is read as UTC.
pub(crate) fn text(text: &str) -> Option<Stamp> {
    if text.len() > 64 {
        return None;
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return plausible(time.with_timezone(&Utc), true);
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .and_then(|time| plausible(time.and_utc(), false))
}

/// Reads milliseconds since 1970.
pub(crate) fn millis(millis: u64) -> Option<Stamp> {
    plausible(
        DateTime::from_timestamp_millis(i64::try_from(millis).ok()?)?,
        true,
    )
}

/// Reads seconds since 1970.
pub(crate) fn seconds(seconds: f64) -> Option<Stamp> {
    if !(0.0..1e12).contains(&seconds) {
        return None;
    }
    plausible(
        DateTime::from_timestamp(seconds.trunc() as i64, (seconds.fract() * 1e9) as u32)?,
        true,
    )
}

/// Reads nanoseconds since 1970.
pub(crate) fn nanos(nanos: u64) -> Option<Stamp> {
    plausible(
        DateTime::from_timestamp((nanos / 1_000_000_000) as i64, (nanos % 1_000_000_000) as u32)?,
        true,
    )
}

fn plausible(time: DateTime<Utc>, has_zone: bool) -> Option<Stamp> {
    YEARS.contains(&time.year()).then_some(Stamp { time, has_zone })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_spelling_of_the_same_instant() {
        let expected = DateTime::parse_from_rfc3339("2026-01-02T03:04:05.500Z").unwrap();
        for (stamp, has_zone) in [
            (text("2026-01-02T03:04:05.500Z"), true),
            (text("2026-01-02T04:04:05.500+01:00"), true),
            (text("2026-01-02T03:04:05.500"), false),
            (text("2026-01-02 03:04:05.5"), false),
            (millis(1_767_323_045_500), true),
            (seconds(1_767_323_045.5), true),
            (nanos(1_767_323_045_500_000_000), true),
        ] {
            let stamp = stamp.unwrap();
            assert_eq!(
                (stamp.time, stamp.has_zone),
                (expected.with_timezone(&Utc), has_zone)
            );
        }
    }

    #[test]
    fn what_is_no_time_is_absent() {
        for odd in ["", "now", "2026-13-01T00:00:00Z", "+262142-01-01T00:00:00Z"] {
            assert_eq!(text(odd), None, "{odd}");
        }
        assert_eq!(millis(u64::MAX), None);
        for odd in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(seconds(odd), None);
        }
        assert!(nanos(u64::MAX).is_some());
    }
}
