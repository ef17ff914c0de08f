//! What the models of a session took: told once at its end, and in newer versions of each answer as well.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::record::{Data, ModelMetrics, Tokens, UsageRecord};
use crate::json::lenient::{Count, Object};
use crate::limits::{MAX_NAME_BYTES, MAX_TOKENS};
use crate::recorder::{Place, Recorder, add_usage};
use crate::run::Usage;

/// The name that stands for a model that the product chooses itself.
pub(super) const AUTO: &str = "auto";
/// The most models, and the most sessions whose answers are told apart.
const MAX_NAMES: usize = 256;
/// Answers and the session's ends speak of the same tokens, so that the later one stands.
const SCOPE: &str = "answers";

/// What was taken so far, in versions that tell of each answer.
#[derive(Default)]
pub(super) struct Taken {
    by_model: BTreeMap<String, Usage>,
    /// The last answer of each session that was counted. A fork holds those of its parent.
    counted: BTreeMap<String, u64>,
}

impl Taken {
    /// Adds what one answer took, unless it was counted before.
    pub(super) fn record(&mut self, recorder: &mut Recorder, data: &Data<'_>, place: Place<'_>) {
        let Some(raw) = data.usage else { return };
        let Ok(record) = serde_json::from_str::<UsageRecord<'_>>(raw.get()) else {
            return;
        };
        let tokens = serde_json::from_str::<Tokens>(raw.get()).unwrap_or_default();
        let model = record.model.as_deref().unwrap_or(AUTO);
        if model.len() > MAX_NAME_BYTES || !self.is_new(&record) {
            return;
        }
        if self.by_model.len() >= MAX_NAMES && !self.by_model.contains_key(model) {
            return;
        }
        let taken = self.by_model.entry(model.to_owned()).or_default();
        let more = Usage {
            requests: Some(1),
            ..usage(tokens)
        };
        add_usage(taken, more);
        recorder.total(SCOPE, named(model), *taken, place);
    }

    /// Returns whether anything was told of single answers.
    pub(super) fn is_known(&self) -> bool {
        !self.by_model.is_empty()
    }

    fn is_new(&mut self, record: &UsageRecord<'_>) -> bool {
        let Some(accounting) = &record.accounting.0 else {
            return true;
        };
        let source = accounting.source_session_id.as_deref().unwrap_or_default();
        let Some(sequence) = accounting.sequence.0 else {
            return true;
        };
        if source.len() > MAX_NAME_BYTES
            || (self.counted.len() >= MAX_NAMES && !self.counted.contains_key(source))
        {
            return false;
        }
        let last = self.counted.entry(source.to_owned()).or_default();
        let is_new = sequence > *last;
        *last = sequence.max(*last);
        is_new
    }

    /// Takes over what the session's end says of all of it.
    pub(super) fn report(&mut self, recorder: &mut Recorder, metrics: &RawValue, place: Place<'_>) {
        for (model, usage) in by_model(metrics) {
            recorder.total(SCOPE, named(&model), usage, place);
            if self.by_model.len() < MAX_NAMES || self.by_model.contains_key(&model) {
                self.by_model.insert(model, usage);
            }
        }
    }
}

/// Reads what each model took.
pub(super) fn by_model(metrics: &RawValue) -> impl Iterator<Item = (String, Usage)> + use<> {
    let metrics = serde_json::from_str::<BTreeMap<String, Object<ModelMetrics>>>(metrics.get());
    let known = metrics.unwrap_or_default().into_iter().take(MAX_NAMES);
    known.filter_map(|(model, metrics)| {
        let metrics = metrics.0?;
        let usage = Usage {
            requests: metrics.requests.0.and_then(|requests| believed(requests.count)),
            ..metrics.usage.0.map(usage).unwrap_or_default()
        };
        Some((model, usage))
    })
}

/// A model by its name, with nobody who is said to offer it; nothing where the product chose one itself.
pub(super) fn named(model: &str) -> Option<(&str, Option<&str>)> {
    Some((model, None)).filter(|(model, _)| *model != AUTO)
}

/// A number of tokens that can be.
pub(super) fn believed(count: Count) -> Option<u64> {
    count.0.filter(|tokens| *tokens <= MAX_TOKENS)
}

/// Takes what came from and went to the cache out of the input. Input that is less than both does not hold them.
fn usage(tokens: Tokens) -> Usage {
    let (read, write) = (
        believed(tokens.cache_read_tokens),
        believed(tokens.cache_write_tokens),
    );
    let cached = read.unwrap_or(0) + write.unwrap_or(0);
    Usage {
        input_tokens: believed(tokens.input_tokens).map(|input| input.checked_sub(cached).unwrap_or(input)),
        output_tokens: believed(tokens.output_tokens),
        cache_read_tokens: read,
        cache_write_tokens: write,
        requests: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_is_told_apart_from_the_cache() {
        let read = |json: &str| usage(serde_json::from_str::<Tokens>(json).unwrap());
        let all = read(
            r#"{"inputTokens":11538077,"outputTokens":72829,"cacheReadTokens":11027120,"cacheWriteTokens":0}"#,
        );
        assert_eq!(
            (all.input_tokens, all.cache_read_tokens, all.output_tokens),
            (Some(510_957), Some(11_027_120), Some(72_829))
        );
        assert_eq!(
            read(r#"{"inputTokens":5,"cacheReadTokens":9}"#).input_tokens,
            Some(5)
        );
        assert_eq!(read(r#"{"inputTokens":-1,"outputTokens":"x"}"#), Usage::default());
    }
}
