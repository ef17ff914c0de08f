//! Finding and redacting secrets in transcripts.

use std::fmt;
use std::ops::Range;

/// A secret that was found. Its text is not part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it, for example `aws-access-token`.
    pub rule: &'static str,
    /// Where the secret stands in the bytes that were searched.
    pub range: Range<usize>,
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finding")
            .field("rule", &self.rule)
            .field("offset", &self.range.start)
            .finish_non_exhaustive()
    }
}

/// Bytes with every secret replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    /// The bytes, with `[REDACTED:<rule>]` for each secret.
    pub bytes: Vec<u8>,
    /// The rules that found something, each once, in order of their names.
    pub rules: Vec<&'static str>,
    /// How many secrets were replaced.
    pub count: usize,
}

/// Finds the secrets in `bytes`, in order of their place, without overlaps.
pub fn find(bytes: &[u8]) -> Vec<Finding> {
    let _ = bytes;
    Vec::new()
}

/// Replaces every secret in `bytes` by the name of the rule that found it.
pub fn redact(bytes: &[u8]) -> Redacted {
    Redacted {
        bytes: bytes.to_vec(),
        rules: Vec::new(),
        count: 0,
    }
}
