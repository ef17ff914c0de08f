//! `Retry-After` (RFC 9110 §10.2.3): how long a server asks to be left alone, under a cap.

use std::time::{Duration, SystemTime};

/// How long a server asks to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter {
    delay: Duration,
    is_capped: bool,
}

impl RetryAfter {
    /// Parses the header; `date` is the answer's own `Date`, since a server's clock is best read by its own.
    ///
    /// What is no number of seconds and no date, such as a negative number, asks for nothing.
    pub fn parse(text: &str, date: Option<&str>, cap: Duration) -> Option<Self> {
        let text = text.trim();
        let asked = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            // More digits than fit are more than any cap.
            Duration::from_secs(text.parse().unwrap_or(u64::MAX))
        } else {
            let until = httpdate::parse_http_date(text).ok()?;
            let now: SystemTime = httpdate::parse_http_date(date?.trim()).ok()?;
            until.duration_since(now).unwrap_or_default()
        };
        Some(RetryAfter {
            delay: asked.min(cap),
            is_capped: asked > cap,
        })
    }

    /// Returns how long to wait, which is never more than the cap.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// Returns whether the server asked for more than the cap.
    pub fn is_capped(&self) -> bool {
        self.is_capped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Duration = Duration::from_secs(60);

    fn delay(text: &str, date: Option<&str>) -> Option<u64> {
        RetryAfter::parse(text, date, CAP).map(|found| found.delay().as_secs())
    }

    #[test]
    fn seconds_and_dates_are_read() {
        let date = Some("Fri, 20 Nov 2026 10:00:00 GMT");
        assert_eq!(delay("7", None), Some(7));
        assert_eq!(delay(" 0 ", None), Some(0));
        assert_eq!(delay("Fri, 20 Nov 2026 10:00:30 GMT", date), Some(30));
        // A date that has passed asks for nothing to wait; one without the server's own date cannot be read.
        assert_eq!(delay("Fri, 20 Nov 2026 09:00:00 GMT", date), Some(0));
        assert_eq!(delay("Fri, 20 Nov 2026 10:00:30 GMT", None), None);
    }

    #[test]
    fn case_230_ten_years_are_capped_and_a_negative_number_asks_for_nothing() {
        let ten_years = RetryAfter::parse("315360000", None, CAP).expect("a number");
        assert_eq!((ten_years.delay(), ten_years.is_capped()), (CAP, true));
        let date = Some("Fri, 20 Nov 2026 10:00:00 GMT");
        assert_eq!(delay("Thu, 20 Nov 2036 10:00:00 GMT", date), Some(60));
        assert_eq!(delay("99999999999999999999999999", None), Some(60));
        for nothing in ["-1", "-315360000", "+5", "1.5", "", "soon", "0x10"] {
            assert_eq!(delay(nothing, date), None, "{nothing}");
        }
    }
}
