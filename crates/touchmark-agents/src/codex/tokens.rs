//! Tokens. The product counts them up over the session, tells the sum again with every change of a rate limit, and
//! starts anew now and then.

use super::record::{TokenCounts, TokenInfo};
use crate::json::lenient::Count;
use crate::limits::MAX_TOKENS;
use crate::recorder::Growth;
use crate::run::Usage;

/// The counter of one file.
#[derive(Default)]
pub(super) struct Counter {
    growth: Growth,
    last: Option<Usage>,
}

impl Counter {
    /// Returns what a reading adds; `None` where it adds nothing. `inherits` is true for a session that goes back to
    /// another: its counter may begin where the other's ended.
    pub(super) fn added(&mut self, info: &TokenInfo, inherits: bool) -> Option<Usage> {
        let last = info.last_token_usage.0.map(usage);
        let Some(total) = info.total_token_usage.0.map(usage) else {
            return last.filter(|last| *last != Usage::default());
        };
        let starts_anew = match self.last {
            Some(before) => has_fallen(before, total),
            None => inherits,
        };
        self.last = Some(total);
        let grown = self.growth.added(total)?;
        Some(last.filter(|_| starts_anew).unwrap_or(grown))
    }

    /// Takes a reading that was copied from another session: it is where this one's counter begins.
    pub(super) fn begin_at(&mut self, info: &TokenInfo) {
        if let Some(total) = info.total_token_usage.0.map(usage) {
            self.last = Some(total);
            let _ = self.growth.added(total);
        }
    }
}

fn has_fallen(before: Usage, now: Usage) -> bool {
    let pairs = [
        (before.input_tokens, now.input_tokens),
        (before.output_tokens, now.output_tokens),
        (before.cache_read_tokens, now.cache_read_tokens),
    ];
    pairs
        .iter()
        .any(|pair| matches!(pair, (Some(before), Some(now)) if now < before))
}

/// Takes what came from and went to the cache out of the input.
pub(super) fn usage(counts: TokenCounts) -> Usage {
    let believed = |count: Count| count.0.filter(|tokens| *tokens <= MAX_TOKENS);
    let (read, write) = (
        believed(counts.cached_input_tokens),
        believed(counts.cache_write_input_tokens),
    );
    let cached = read.unwrap_or(0) + write.unwrap_or(0);
    Usage {
        input_tokens: believed(counts.input_tokens).map(|input| input.saturating_sub(cached)),
        output_tokens: believed(counts.output_tokens),
        cache_read_tokens: read,
        cache_write_tokens: write,
        requests: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(total: Option<[u64; 3]>, last: Option<[u64; 3]>) -> TokenInfo {
        let object = |counts: Option<[u64; 3]>| {
            serde_json::from_value(counts.map_or(serde_json::Value::Null, |[input, cached, output]| {
                serde_json::json!({"input_tokens": input, "cached_input_tokens": cached, "output_tokens": output})
            }))
            .unwrap()
        };
        TokenInfo {
            total_token_usage: object(total),
            last_token_usage: object(last),
        }
    }

    fn added(counter: &mut Counter, info: TokenInfo) -> Option<[u64; 3]> {
        let usage = counter.added(&info, false)?;
        Some([
            usage.input_tokens.unwrap(),
            usage.cache_read_tokens.unwrap(),
            usage.output_tokens.unwrap(),
        ])
    }

    #[test]
    fn sums_are_turned_into_what_each_answer_took() {
        let mut counter = Counter::default();
        let first = || info(Some([1_000, 400, 60]), Some([1_000, 400, 60]));
        assert_eq!(added(&mut counter, first()), Some([600, 400, 60]));
        assert_eq!(added(&mut counter, first()), None, "a repeat");
        let second = info(Some([1_600, 900, 75]), None);
        assert_eq!(added(&mut counter, second), Some([100, 500, 15]));
        // Starting anew with more than one answer behind it: what the last one took is known.
        let anew = info(Some([500, 100, 20]), Some([200, 50, 5]));
        assert_eq!(added(&mut counter, anew), Some([150, 50, 5]));
        assert_eq!(
            added(&mut counter, info(None, Some([10, 0, 1]))),
            Some([10, 0, 1])
        );
        assert_eq!(added(&mut counter, info(None, None)), None);
    }

    #[test]
    fn what_another_session_counted_is_not_counted() {
        let mut counter = Counter::default();
        counter.begin_at(&info(Some([2_000, 1_000, 100]), None));
        let own = || info(Some([2_300, 1_100, 110]), Some([300, 100, 10]));
        assert_eq!(added(&mut counter, own()), Some([200, 100, 10]));
        // A fork whose copy holds no reading goes on from a sum that is not its own.
        let mut counter = Counter::default();
        let usage = counter.added(&own(), true).unwrap();
        assert_eq!(usage.input_tokens, Some(200));
    }

    #[test]
    fn what_went_to_the_cache_is_told_apart_where_it_is_told() {
        let counts: TokenCounts = serde_json::from_str(
            r#"{"input_tokens":100,"cached_input_tokens":40,"cache_write_input_tokens":25,"output_tokens":9}"#,
        )
        .unwrap();
        let usage = usage(counts);
        assert_eq!(
            (
                usage.input_tokens,
                usage.cache_read_tokens,
                usage.cache_write_tokens
            ),
            (Some(35), Some(40), Some(25))
        );
    }

    #[test]
    fn absurd_counts_are_absent() {
        let counts: TokenCounts =
            serde_json::from_str(r#"{"input_tokens":18446744073709551615,"output_tokens":-1}"#).unwrap();
        assert_eq!(usage(counts), Usage::default());
    }
}
