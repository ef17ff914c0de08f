//! Tokens as libraries for many providers write them.

use serde::Deserialize;

use crate::json::lenient::{Count, Object};
use crate::run::Usage;

/// The tokens of one answer, in the spellings of both of OpenAI's interfaces and with Anthropic's additions.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tokens {
    #[serde(alias = "input_tokens")]
    prompt_tokens: Count,
    #[serde(alias = "output_tokens")]
    completion_tokens: Count,
    #[serde(alias = "input_tokens_details")]
    prompt_tokens_details: Object<Details>,
    cache_creation_input_tokens: Count,
    cache_read_input_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    cached_tokens: Count,
    cache_creation_tokens: Count,
}

impl Tokens {
    /// What is read includes what the cache held or took; it is told apart here.
    pub(crate) fn usage(&self) -> Usage {
        let details = self.prompt_tokens_details.0.as_ref();
        let read = self
            .cache_read_input_tokens
            .0
            .or(details.and_then(|details| details.cached_tokens.0));
        let written = self
            .cache_creation_input_tokens
            .0
            .or(details.and_then(|details| details.cache_creation_tokens.0));
        apart(self.prompt_tokens.0, self.completion_tokens.0, read, written)
    }
}

/// Takes the tokens of the cache out of all that were read. Where they are more than all, they are no part of them.
pub(crate) fn apart(all: Option<u64>, output: Option<u64>, read: Option<u64>, written: Option<u64>) -> Usage {
    let cached = read.unwrap_or(0).saturating_add(written.unwrap_or(0));
    Usage {
        input_tokens: all.map(|all| all.checked_sub(cached).unwrap_or(all)),
        output_tokens: output,
        cache_read_tokens: read,
        cache_write_tokens: written,
        requests: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_told_apart() {
        for (json, expected) in [
            (
                r#"{"prompt_tokens":100,"completion_tokens":20,"prompt_tokens_details":{"cached_tokens":30}}"#,
                (Some(70), Some(20), Some(30), None),
            ),
            (
                r#"{"prompt_tokens":3486,"completion_tokens":1135,"prompt_tokens_details":{"cached_tokens":0},
                    "cache_creation_input_tokens":3482,"cache_read_input_tokens":0}"#,
                (Some(4), Some(1135), Some(0), Some(3482)),
            ),
            (
                r#"{"input_tokens":9,"output_tokens":2,"input_tokens_details":{"cached_tokens":4}}"#,
                (Some(5), Some(2), Some(4), None),
            ),
            (r#"{"prompt_tokens":"9"}"#, (None, None, None, None)),
        ] {
            let usage = serde_json::from_str::<Tokens>(json).unwrap().usage();
            let found = (
                usage.input_tokens,
                usage.output_tokens,
                usage.cache_read_tokens,
                usage.cache_write_tokens,
            );
            assert_eq!(found, expected, "{json}");
        }
    }
}
