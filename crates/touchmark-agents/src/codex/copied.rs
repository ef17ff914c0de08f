//! What a session copied from another. A fork, and a sub-agent that was given its caller's history, begin with their own
//! header; then come the records of the session that they go back to, headers included, with the time of the copy.

use chrono::{DateTime, TimeDelta, Utc};

/// Copied records are written one after the other: a longer pause means that the copy is done.
const MAX_PAUSE: TimeDelta = TimeDelta::milliseconds(250);

/// Tells the records of one file that were copied from its own.
#[derive(Debug, Default)]
pub(super) struct Copying {
    began: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    /// When the session's own identifier was made, where it tells.
    born_ms: Option<u64>,
    is_copying: bool,
}

impl Copying {
    /// Notes the session's own header; `inherits` says that it goes back to another session.
    pub(super) fn own_header(&mut self, id: Option<&str>, time: Option<DateTime<Utc>>, inherits: bool) {
        self.began = time;
        self.last = time;
        self.born_ms = id.and_then(made_at);
        self.is_copying = inherits && time.is_some();
    }

    /// Notes the header of another session: what follows is copied.
    pub(super) fn other_header(&mut self, time: Option<DateTime<Utc>>) {
        self.is_copying = true;
        self.last = time;
        self.began = self.began.or(time);
    }

    /// Returns whether this record was copied. `turn` is the turn that it names.
    pub(super) fn is_copy(&mut self, time: Option<DateTime<Utc>>, turn: Option<&str>) -> bool {
        if !self.is_copying {
            return false;
        }
        let is_own_turn = matches!(
            (self.born_ms, turn.and_then(made_at)),
            (Some(born), Some(made)) if made >= born
        );
        let in_time = match (self.began, self.last, time) {
            (Some(began), Some(last), Some(time)) => {
                began.timestamp() == time.timestamp() || (time - last).abs() <= MAX_PAUSE
            }
            _ => false,
        };
        self.is_copying = in_time && !is_own_turn;
        self.last = time.or(self.last);
        self.is_copying
    }
}

/// Returns the milliseconds since 1970 at which an identifier was made: a UUID of version 7 holds them.
fn made_at(id: &str) -> Option<u64> {
    let is_v7 = crate::recorder::names::is_uuid(id) && id.as_bytes()[14] == b'7';
    if !is_v7 {
        return None;
    }
    u64::from_str_radix(&[&id[..8], &id[9..13]].concat(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "019b0000-9000-7000-8000-000000000002";
    const EARLIER_TURN: &str = "019b0000-2000-7000-8000-0000000000f1";
    const OWN_TURN: &str = "019b0000-9001-7000-8000-0000000000f2";

    fn at(millis: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(1_772_359_300_000 + millis)
    }

    fn fork() -> Copying {
        let mut copying = Copying::default();
        copying.own_header(Some(OWN), at(0), true);
        copying
    }

    #[test]
    fn the_same_second_is_a_copy_until_the_sessions_own_turn() {
        let mut copying = fork();
        copying.other_header(at(10));
        assert!(copying.is_copy(at(900), Some(EARLIER_TURN)));
        assert!(copying.is_copy(at(999), None));
        assert!(!copying.is_copy(at(999), Some(OWN_TURN)));
        assert!(!copying.is_copy(at(999), None), "own from here on");
    }

    #[test]
    fn a_long_copy_runs_into_the_next_second_and_ends_with_a_pause() {
        let mut copying = fork();
        for millis in (0..3_000).step_by(200) {
            assert!(copying.is_copy(at(millis), None), "{millis}");
        }
        assert!(!copying.is_copy(at(4_500), None));
    }

    #[test]
    fn a_session_of_its_own_copies_nothing() {
        let mut copying = Copying::default();
        copying.own_header(Some(OWN), at(0), false);
        assert!(!copying.is_copy(at(1), None));
        copying.other_header(at(2));
        assert!(copying.is_copy(at(3), None));
        assert!(!copying.is_copy(None, None), "without a time there is no telling");
    }

    #[test]
    fn identifiers_tell_when_they_were_made() {
        assert_eq!(made_at(OWN), Some(0x019b_0000_9000));
        assert_eq!(made_at("5e551000-0000-4000-8000-000000000001"), None);
        assert_eq!(made_at("turn-1"), None);
    }
}
