//! Keeping the words of a session, where the caller asks for them.

use chrono::{DateTime, Utc};

use super::Recorder;
use super::answers::NewAnswer;
use super::calls::{NewCall, NewResult, Place};
use super::times::Stamp;
use crate::error::ImportError;
use crate::limits::MAX_WORD_BYTES;
use crate::run::{Role, Word, WordEntry, Words};

/// Collects words under their cap.
#[derive(Default)]
pub(super) struct Keeper {
    words: Words,
    bytes: usize,
    /// The first step of the record that is being read, and the time that it carries.
    record: usize,
    time: Option<DateTime<Utc>>,
}

impl Recorder {
    /// Keeps the words of what follows; the drivers of lines call this. [`Run::words`](crate::run::Run::words) is
    /// `None` otherwise.
    pub(crate) fn keep_words(&mut self, keep: bool) {
        if keep && self.keeper.is_none() {
            self.keeper = Some(Box::default());
        }
    }

    /// Returns whether words are kept: then output is worth decoding.
    pub(crate) fn keeps_words(&self) -> bool {
        self.keeper.is_some()
    }

    /// Gives a text of an answer.
    pub(crate) fn says(&mut self, text: &str, place: Place<'_>) -> Result<(), ImportError> {
        self.word(place, text.len(), || Word::Text(text.to_owned()))
    }

    /// Gives reasoning that a record shows.
    pub(crate) fn reasons(&mut self, text: &str, place: Place<'_>) -> Result<(), ImportError> {
        self.word(place, text.len(), || Word::Reasoning(text.to_owned()))
    }

    /// Says that the next record begins. The drivers call this.
    pub(crate) fn begin_record(&mut self) {
        let steps = self.run.steps.len();
        if let Some(keeper) = &mut self.keeper {
            keeper.flush_time(steps);
        }
    }

    /// Gives a step its time, in a format whose records are told in another order than they are read.
    pub(crate) fn step_time(&mut self, step: usize, stamp: Stamp) {
        if let Some(keeper) = &mut self.keeper {
            keeper.words.times.push((step, stamp.time));
        }
    }

    pub(super) fn keep_time(&mut self, time: DateTime<Utc>) {
        if let Some(keeper) = &mut self.keeper {
            keeper.time = Some(time);
        }
    }

    pub(super) fn keep_prompt(&mut self, index: usize, place: Place<'_>) -> Result<(), ImportError> {
        self.word(place, 0, || Word::Prompt(index))
    }

    pub(super) fn keep_answer(
        &mut self,
        answer: &NewAnswer<'_>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        self.word(place, 0, || Word::Answer {
            id: answer
                .id
                .map(|id| format!("{id}\u{0}{}", answer.request.unwrap_or_default())),
            model: answer.model.map(str::to_owned),
            usage: answer.usage,
        })
    }

    pub(super) fn keep_call(&mut self, call: &NewCall<'_>, place: Place<'_>) -> Result<(), ImportError> {
        let more: usize = call
            .writes
            .iter()
            .chain(&call.command)
            .map(|text| text.len())
            .sum();
        let len = call.arguments.map_or(0, str::len).saturating_add(more);
        self.word(place, len, || Word::Call {
            id: call.id.map(str::to_owned),
            name: call.name.to_owned(),
            arguments: call.arguments.map(str::to_owned),
            command: call.command.map(str::to_owned),
            writes: call.writes.iter().map(|path| (*path).to_owned()).collect(),
        })
    }

    pub(super) fn keep_result(
        &mut self,
        result: &NewResult<'_>,
        place: Place<'_>,
    ) -> Result<(), ImportError> {
        let len = result.output.map_or(0, str::len);
        self.word(place, len, || Word::Result {
            id: result.id.to_owned(),
            output: result.output.map(str::to_owned),
            failed: result.failed,
            exit_code: result.exit_code,
        })
    }

    /// Adds a word. One that is beyond the cap is not kept, which [`Self::take_words`] tells where this caller does not.
    fn word(&mut self, place: Place<'_>, len: usize, word: impl FnOnce() -> Word) -> Result<(), ImportError> {
        let subagent = self.subagent_of(place);
        let Some(keeper) = &mut self.keeper else {
            return Ok(());
        };
        keeper.bytes = keeper.bytes.saturating_add(len.saturating_add(64));
        keeper.check()?;
        keeper.words.entries.push(WordEntry {
            step: place.step,
            role: place.role,
            subagent,
            word: word(),
        });
        Ok(())
    }

    /// The sub-agent that a record belongs to: the file's, or the one that the importer named for it.
    fn subagent_of(&self, place: Place<'_>) -> Option<String> {
        if self.keeper.is_none() || place.role == Role::Primary {
            return None;
        }
        self.speaker.clone().or_else(|| self.source.agent.clone())
    }

    /// Names the sub-agent of the records that follow, in a file that holds those of several; `None` is the file's own.
    pub(crate) fn speaker(&mut self, agent: Option<&str>) {
        if self.keeper.is_some() {
            self.speaker = agent.map(str::to_owned);
        }
    }

    /// Gives what was kept, if that is all of it.
    pub(super) fn take_words(&mut self) -> Result<Option<Words>, ImportError> {
        let steps = self.run.steps.len();
        let Some(mut keeper) = self.keeper.take() else {
            return Ok(None);
        };
        keeper.check()?;
        keeper.flush_time(steps);
        Ok(Some(keeper.words))
    }
}

impl Keeper {
    /// Refuses more words than the cap.
    fn check(&self) -> Result<(), ImportError> {
        if self.bytes > MAX_WORD_BYTES {
            return Err(ImportError::TooLarge {
                what: "bytes of words",
                limit: MAX_WORD_BYTES as u64,
            });
        }
        Ok(())
    }

    /// Gives the steps of the record before their time.
    fn flush_time(&mut self, steps: usize) {
        if let Some(time) = self.time.take() {
            self.words
                .times
                .extend((self.record..steps).map(|step| (step, time)));
        }
        self.record = steps;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::{Naming, Spot};
    use crate::run::StepKind;

    #[test]
    fn a_last_word_beyond_the_cap_is_not_left_out_in_silence() {
        let finished = |room: usize| {
            let mut recorder = Recorder::new("example", None);
            recorder.keep_words(true);
            let spot = Spot {
                json: "{}",
                offset: 0,
            };
            let place = recorder.add_step(StepKind::ToolResult, spot).unwrap();
            recorder.keeper.as_mut().unwrap().bytes = MAX_WORD_BYTES - room;
            let result = NewResult {
                id: "c",
                ..NewResult::default()
            };
            recorder.result(&result, place);
            recorder.finish(Naming::default())
        };
        assert_eq!(finished(64).unwrap().words.unwrap().entries.len(), 1);
        assert_eq!(finished(63).unwrap_err().code(), "session.too_large");
    }
}
