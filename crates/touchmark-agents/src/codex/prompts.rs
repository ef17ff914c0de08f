//! Prompts. A prompt is written up to three times: as an item for the model, as an event for the screen, and, by newer
//! versions, as something that is done. It counts once, whichever comes first.

use std::collections::HashMap;

use touchmark_statement::digest::Sha256Digest;

use crate::run::{Prompt, PromptOrigin, PromptPart};

/// How texts begin that the product itself gives in the place of the person.
const INJECTED: [&str; 22] = [
    "<environment_context",
    "<environments_context",
    "<user_instructions>",
    "# AGENTS.md",
    "<INSTRUCTIONS>",
    "<permissions instructions>",
    "<collaboration_mode>",
    "<skills_instructions>",
    "<plugins_instructions>",
    "<apps_instructions>",
    "<personality_spec>",
    "<model_switch>",
    "<skill>",
    "<turn_aborted>",
    "<user_shell_command>",
    "<user_action>",
    "<subagent_notification>",
    "<hook_prompt",
    "<realtime_conversation>",
    "<task_reminder>",
    "<context_window",
    "<goal_context>",
];

/// Where a prompt is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// For the model, among what the product itself gives to it.
    Item = 0,
    /// For the screen: only what a person gave.
    Event = 1,
    /// As something that is done: only what a person gave.
    Done = 2,
}

/// Tells a prompt from its repetitions.
#[derive(Default)]
pub(super) struct Prompts {
    counts: HashMap<Sha256Digest, [u32; 3]>,
    /// Prompts that were first seen among items, by their index in the run.
    from_items: Vec<(Sha256Digest, usize)>,
    is_told: bool,
    /// The first steps of the turns that a person began and did not take back.
    turns: Vec<usize>,
    /// The step with which a turn began whose prompt is still to come, or to be confirmed.
    begun: Option<usize>,
    unconfirmed: Option<usize>,
}

impl Prompts {
    /// Returns whether this is the first writing of a prompt.
    pub(super) fn is_first(&mut self, written: Written, parts: &[PromptPart]) -> bool {
        self.is_told |= written != Written::Item;
        let counts = self.counts.entry(key(parts)).or_default();
        let elsewhere = counts
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != written as usize)
            .map(|(_, count)| *count)
            .max()
            .unwrap_or(0);
        counts[written as usize] += 1;
        counts[written as usize] > elsewhere
    }

    /// Notes that a turn begins at this step.
    pub(super) fn turn_begins(&mut self, step: usize) {
        self.begun = Some(step);
    }

    /// Notes a prompt that a person gave at this step, first written or repeated. `index` is that of the prompt in the
    /// run, where it is written for the first time among items.
    pub(super) fn given(
        &mut self,
        written: Written,
        parts: &[PromptPart],
        step: usize,
        index: Option<usize>,
    ) {
        if written != Written::Item {
            let start = self.unconfirmed.take().or(self.begun.take()).unwrap_or(step);
            if self.turns.last() != Some(&start) {
                self.turns.push(start);
            }
            return;
        }
        if let Some(index) = index {
            self.from_items.push((key(parts), index));
        }
        if !self.is_told {
            self.turns.extend(self.unconfirmed.take());
        }
        self.unconfirmed = Some(self.begun.take().unwrap_or(step));
    }

    /// Takes back this many turns; returns the step from which on they are taken back.
    pub(super) fn take_back(&mut self, turns: u64) -> Option<usize> {
        self.turns.extend(self.unconfirmed.take());
        let keep = self
            .turns
            .len()
            .saturating_sub(usize::try_from(turns).unwrap_or(usize::MAX));
        self.turns.drain(keep..).next()
    }

    /// Tells the person's prompts from texts that only the model was given, which no list of beginnings knows: where
    /// the product says what the person gave, everything else is its own.
    pub(super) fn settle(self, prompts: &mut [Prompt]) {
        if !self.is_told {
            return;
        }
        let mut told: HashMap<Sha256Digest, u32> = HashMap::new();
        for (key, index) in self.from_items {
            let [_, event, done] = self.counts.get(&key).copied().unwrap_or_default();
            let seen = told.entry(key).or_default();
            *seen += 1;
            if *seen > event.max(done)
                && let Some(prompt) = prompts.get_mut(index)
            {
                prompt.origin = PromptOrigin::Injected;
            }
        }
    }
}

/// Returns whether the product gave this itself.
pub(super) fn is_injected(parts: &[PromptPart]) -> bool {
    parts
        .iter()
        .find_map(text)
        .is_some_and(|text| INJECTED.iter().any(|beginning| text.starts_with(beginning)))
}

fn text(part: &PromptPart) -> Option<&str> {
    match part {
        PromptPart::Text(text) => Some(text),
        PromptPart::Other { .. } => None,
    }
}

/// The digest of the words, without what stands around them.
fn key(parts: &[PromptPart]) -> Sha256Digest {
    let words: Vec<&str> = parts.iter().filter_map(text).collect();
    Sha256Digest::of(words.concat().trim().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<PromptPart> {
        vec![PromptPart::Text(text.to_owned())]
    }

    fn first(order: &[(Written, &str)]) -> Vec<bool> {
        let mut prompts = Prompts::default();
        order
            .iter()
            .map(|(written, text)| prompts.is_first(*written, &words(text)))
            .collect()
    }

    #[test]
    fn a_prompt_counts_once_however_often_it_is_written() {
        use Written::{Done, Event, Item};
        assert_eq!(
            first(&[(Item, "a"), (Event, "a"), (Done, "a")]),
            [true, false, false]
        );
        assert_eq!(first(&[(Event, "a"), (Item, "a\n")]), [true, false]);
        assert_eq!(
            first(&[(Item, "a"), (Event, "a"), (Item, "a"), (Event, "a")]),
            [true, false, true, false]
        );
        assert_eq!(
            first(&[(Item, "a"), (Item, "a"), (Event, "a"), (Event, "a")]),
            [true, true, false, false]
        );
        assert_eq!(first(&[(Item, "a"), (Event, "b")]), [true, true]);
    }

    #[test]
    fn beginnings_tell_what_the_product_gave() {
        for (text, expected) in [
            ("<environment_context>\n<cwd>/x</cwd>", true),
            ("# AGENTS.md instructions for /x", true),
            ("<turn_aborted>", true),
            ("Read <environment_context>", false),
            ("", false),
        ] {
            assert_eq!(is_injected(&words(text)), expected, "{text}");
        }
        assert!(!is_injected(&[]));
    }

    #[test]
    fn turns_are_taken_back_from_the_end() {
        let mut prompts = Prompts::default();
        for (start, step) in [(1, 3), (10, 12), (20, 22)] {
            prompts.turn_begins(start);
            prompts.is_first(Written::Item, &words("x"));
            prompts.given(Written::Item, &words("x"), step, Some(0));
            prompts.is_first(Written::Event, &words("x"));
            prompts.given(Written::Event, &words("x"), step + 1, None);
        }
        assert_eq!(prompts.take_back(2), Some(10));
        assert_eq!(prompts.take_back(9), Some(1));
        assert_eq!(prompts.take_back(1), None);
    }
}
