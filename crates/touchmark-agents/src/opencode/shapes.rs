//! The fields of OpenCode's records that are read, and what they come to.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::tools;
use crate::json::lenient::{Count, Flag, Object, Text};
use crate::limits::MAX_NAME_BYTES;
use crate::recorder::{Recorder, times};
use crate::run::Usage;

/// The fields of a session.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Session<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, alias = "parentID")]
    pub(super) parent_id: Text<'a>,
    #[serde(borrow)]
    pub(super) directory: Text<'a>,
    #[serde(borrow)]
    pub(super) version: Text<'a>,
    #[serde(borrow)]
    pub(super) agent: Text<'a>,
    #[serde(borrow)]
    pub(super) cost: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) revert: Option<&'a RawValue>,
    pub(super) tokens: Object<Tokens>,
    pub(super) time: Object<Time>,
    pub(super) time_created: Count,
    pub(super) time_updated: Count,
    pub(super) tokens_input: Count,
    pub(super) tokens_output: Count,
    pub(super) tokens_reasoning: Count,
    pub(super) tokens_cache_read: Count,
    pub(super) tokens_cache_write: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tokens {
    pub(super) input: Count,
    pub(super) output: Count,
    pub(super) reasoning: Count,
    pub(super) cache: Object<Cache>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Cache {
    pub(super) read: Count,
    pub(super) write: Count,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Time {
    pub(super) created: Count,
    pub(super) completed: Count,
    pub(super) updated: Count,
    pub(super) start: Count,
    pub(super) end: Count,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) role: Text<'a>,
    #[serde(borrow, rename = "modelID")]
    pub(super) model: Text<'a>,
    #[serde(borrow, rename = "providerID")]
    pub(super) provider: Text<'a>,
    #[serde(borrow)]
    pub(super) path: Object<Folders<'a>>,
    #[serde(borrow)]
    pub(super) cost: Option<&'a RawValue>,
    pub(super) tokens: Object<Tokens>,
    pub(super) time: Object<Time>,
    pub(super) summary: Flag,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Folders<'a> {
    #[serde(borrow)]
    pub(super) cwd: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) text: Text<'a>,
    pub(super) synthetic: Flag,
    #[serde(borrow)]
    pub(super) url: Text<'a>,
    #[serde(borrow)]
    pub(super) tool: Text<'a>,
    #[serde(borrow, rename = "callID")]
    pub(super) call_id: Text<'a>,
    #[serde(borrow)]
    pub(super) state: Object<State<'a>>,
    pub(super) tokens: Object<Tokens>,
    pub(super) time: Object<Time>,
    #[serde(borrow)]
    pub(super) files: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct State<'a> {
    #[serde(borrow)]
    pub(super) status: Text<'a>,
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) output: Text<'a>,
    #[serde(borrow)]
    pub(super) metadata: Object<tools::Metadata<'a>>,
    pub(super) time: Object<Time>,
}

/// Reads an object; another value has none of the fields.
pub(super) fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    serde_json::from_str::<Object<T>>(json).ok()?.0
}

/// Notes when something began: records follow one another in this order.
pub(super) fn began(recorder: &mut Recorder, millis: Count) {
    recorder.time(millis.0.and_then(times::millis));
}

/// Notes when something ended: others may have begun before.
pub(super) fn ended(recorder: &mut Recorder, millis: Count) {
    if let Some(stamp) = millis.0.and_then(times::millis) {
        let run = &mut recorder.run;
        run.ended_at = Some(run.ended_at.map_or(stamp.time, |latest| latest.max(stamp.time)));
    }
}

/// Output counts with what was thought, as it is billed.
pub(super) fn usage(tokens: Tokens) -> Usage {
    let cache = tokens.cache.0.unwrap_or_default();
    let output = match (tokens.output.0, tokens.reasoning.0) {
        (Some(output), Some(reasoning)) => output.checked_add(reasoning),
        (output, reasoning) => output.or(reasoning),
    };
    Usage {
        input_tokens: tokens.input.0,
        output_tokens: output,
        cache_read_tokens: cache.read.0,
        cache_write_tokens: cache.write.0,
        requests: None,
    }
}

pub(super) fn all(usage: Usage) -> Option<u64> {
    let kinds = [
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
    ];
    kinds.iter().flatten().copied().reduce(u64::saturating_add)
}

pub(super) fn amount(json: &str) -> Option<f64> {
    json.parse::<f64>().ok().filter(|cost| (0.0..1e12).contains(cost))
}

/// Reads the message from which on everything was taken back: an object, or the same as text.
pub(super) fn reverted(json: &str) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Revert<'a> {
        #[serde(borrow, rename = "messageID")]
        message: Text<'a>,
    }
    let inner = serde_json::from_str::<Text<'_>>(json).ok()?.0;
    let json = inner.as_deref().unwrap_or(json);
    let message = read::<Revert<'_>>(json)?.message.0?;
    (!message.is_empty() && message.len() <= MAX_NAME_BYTES).then(|| message.into_owned())
}

/// Reads a list of paths.
pub(super) fn paths(json: &RawValue) -> Vec<String> {
    let list: Vec<Text<'_>> = serde_json::from_str(json.get()).unwrap_or_default();
    list.into_iter()
        .filter_map(|path| path.0.map(std::borrow::Cow::into_owned))
        .collect()
}
