//! What a stream of hooks and a transcript both tell of, so that it counts once.

use std::collections::{HashMap, VecDeque};

use super::transcript::Said;
use super::{read, tools};
use crate::limits::MAX_DISTINCT_NAMES;

/// What one of both told, by what tells it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    Prompt,
    Shell,
    Edit,
    Mcp,
}

/// What was told so far.
#[derive(Default)]
pub(super) struct Shared {
    /// The names of the tools that the transcript has, in its order.
    names: HashMap<(What, String), VecDeque<String>>,
    /// How often the stream told of something that the transcript may tell again.
    told: HashMap<(What, String), u64>,
}

impl Shared {
    /// Reads a transcript for the names of its tools, which the stream does not have.
    pub(super) fn look_ahead(&mut self, transcript: &[u8]) {
        for line in transcript.split(|byte| *byte == b'\n') {
            let said = std::str::from_utf8(line).ok().and_then(read::<Said<'_>>);
            for use_ in said.iter().flat_map(Said::uses) {
                let Some(name) = use_.name.as_deref() else {
                    continue;
                };
                if let Some((what, key)) = tools::told_by_hooks(name, &use_)
                    && self.names.len() < MAX_DISTINCT_NAMES
                {
                    self.names
                        .entry((what, key))
                        .or_default()
                        .push_back(name.to_owned());
                }
            }
        }
    }

    /// Notes that the stream tells of something; returns the name that the transcript has for it.
    pub(super) fn tell(&mut self, what: What, key: &str) -> Option<String> {
        let key = (what, key.to_owned());
        let name = self.names.get_mut(&key).and_then(VecDeque::pop_front);
        if self.told.len() < MAX_DISTINCT_NAMES {
            *self.told.entry(key).or_default() += 1;
        }
        name
    }

    /// Returns whether the stream told of this already; each telling counts for one.
    pub(super) fn was_told(&mut self, what: What, key: &str) -> bool {
        match self.told.get_mut(&(what, key.to_owned())) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }
}
