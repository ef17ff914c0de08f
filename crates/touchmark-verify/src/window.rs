//! Intervals of time, both ends included.

use std::fmt;

use touchmark_statement::timestamp::Timestamp;

/// A period of validity; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first moment.
    pub start: Timestamp,
    /// The last moment; `None` where there is none yet.
    pub end: Option<Timestamp>,
}

impl Window {
    /// Tells whether the moment is inside.
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.start <= moment && self.end.is_none_or(|end| moment <= end)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end {
            Some(end) => write!(f, "{} to {end}", self.start),
            None => write!(f, "from {}", self.start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_119_both_ends_are_inside_and_one_second_beyond_is_not() {
        let at = |seconds| Timestamp::from_unix(seconds).unwrap();
        let window = Window {
            start: at(100),
            end: Some(at(200)),
        };
        assert!(window.contains(at(100)) && window.contains(at(200)));
        assert!(!window.contains(at(99)) && !window.contains(at(201)));
    }
}
