//! The moment by which something must have ended, on the clock that never jumps.

use std::time::{Duration, Instant};

/// A moment after which nothing is waited for any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// Far enough for every purpose, near enough never to overflow.
const FARTHEST: Duration = Duration::from_secs(30 * 24 * 3600);

impl Deadline {
    /// Returns the deadline that is this long from now.
    pub fn after(duration: Duration) -> Self {
        Deadline(Instant::now() + duration.min(FARTHEST))
    }

    /// Returns the time that is left; zero when the deadline has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Returns whether the deadline has passed.
    pub fn is_over(self) -> bool {
        self.remaining().is_zero()
    }

    /// Returns the earlier of two deadlines.
    #[must_use]
    pub fn earlier(self, other: Deadline) -> Deadline {
        self.min(other)
    }

    /// Returns the moment.
    pub fn instant(self) -> Instant {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_in_ten_thousand_years_does_not_overflow() {
        let far = Deadline::after(Duration::MAX);
        assert!(far.remaining() <= FARTHEST);
        assert!(Deadline::after(Duration::ZERO).is_over());
        assert_eq!(
            far.earlier(Deadline::after(Duration::ZERO)).remaining(),
            Duration::ZERO
        );
    }
}
