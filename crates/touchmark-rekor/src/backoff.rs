//! How long to wait before a log is asked again.

use std::time::Duration;

/// Exponential waiting, from the first pause to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure.
    pub first: Duration,
    /// The longest pause, unless the log asks for more.
    pub longest: Duration,
    /// How often one log is asked for one entry.
    pub attempts: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(20),
            attempts: 4,
        }
    }
}

impl Backoff {
    /// Returns the pause after the failure of this number, counted from 0.
    ///
    /// `jitter`, from 0 to 1, takes away up to half of it, so that many clients do not come back at once. What the log
    /// asks for is never undercut.
    pub fn pause(&self, failure: u32, jitter: f64, asked: Option<Duration>) -> Duration {
        let factor = 1_u32.checked_shl(failure).unwrap_or(u32::MAX);
        let full = self.first.saturating_mul(factor).min(self.longest);
        let jitter = if jitter.is_finite() {
            jitter.clamp(0.0, 1.0)
        } else {
            0.0
        };
        full.mul_f64(1.0 - jitter / 2.0).max(asked.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_never_undercut_what_was_asked() {
        let backoff = Backoff::default();
        let pauses: Vec<u128> = (0..8).map(|n| backoff.pause(n, 0.0, None).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]);
        assert_eq!(backoff.pause(0, 1.0, None).as_millis(), 250);
        assert_eq!(backoff.pause(0, f64::NAN, None).as_millis(), 500);
        assert_eq!(backoff.pause(u32::MAX, 0.0, None), backoff.longest);
        let minute = Duration::from_secs(60);
        assert_eq!(backoff.pause(0, 1.0, Some(minute)), minute);
    }
}
