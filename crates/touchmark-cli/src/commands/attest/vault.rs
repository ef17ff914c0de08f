//! What has to be kept so that a statement's commitments can be opened again: the run key and the words themselves.

use std::borrow::Cow;

use touchmark_agents::secrets::{Redacted, Scanner};
use touchmark_agents::session::{Layout, Session};
use touchmark_sign::vault::{Content, Draft, DraftPiece, RecordName, offsets};
use touchmark_statement::agent_change::PromptOrigin;
use touchmark_verify::commitment::{Item, Kind, RunKey, TRANSCRIPT_RAW, TRANSCRIPT_REDACTED, step_bytes};
use zeroize::Zeroizing;

use super::commitments::{origin, prompt_bytes, small, step_record};
use super::instructions::Instruction;
use crate::context::Context;
use crate::error::CliError;
use crate::escrow;

/// The contents of one vault record, as they are gathered.
pub(crate) struct Kept<'a> {
    /// The run key.
    pub(crate) key: RunKey,
    pieces: Vec<DraftPiece<'a>>,
}

impl std::fmt::Debug for Kept<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({} pieces)", self.pieces.len())
    }
}

impl<'a> Kept<'a> {
    /// Nothing but the key yet.
    pub(crate) fn new(key: RunKey) -> Self {
        Self {
            key,
            pieces: Vec::new(),
        }
    }

    /// Adds the instruction files that are named by commitment, but for those with a secret in them: settings of agents
    /// often hold one, and nobody asked for those to be kept.
    pub(crate) fn add_instructions(
        &mut self,
        found: &[Instruction],
        scanner: &Scanner,
    ) -> Result<(), CliError> {
        for (index, instruction) in found.iter().enumerate() {
            let private = instruction.private.as_ref();
            if let Some(bytes) = private.filter(|bytes| scanner.find_in_json(bytes).is_empty()) {
                self.add(Kind::Instruction, small(index)?, None, owned(bytes.clone()));
            }
        }
        Ok(())
    }

    /// Adds the prompts, the commands, the steps and the transcript.
    pub(crate) fn add_session(
        &mut self,
        session: &'a Session,
        raw: Cow<'a, [u8]>,
        redacted: Option<Redacted>,
    ) -> Result<(), CliError> {
        for (index, prompt) in session.run.prompts.iter().enumerate() {
            let origin = Some(origin(prompt.origin));
            self.add(Kind::Prompt, small(index)?, origin, owned(prompt_bytes(prompt)));
        }
        for (index, command) in session.run.commands.iter().enumerate() {
            let text = Content::Borrowed(command.text.as_bytes());
            self.add(Kind::Command, small(index)?, None, text);
        }
        self.add_steps(session)?;
        let raw = match raw {
            Cow::Borrowed(bytes) => Content::Borrowed(bytes),
            Cow::Owned(bytes) => owned(bytes),
        };
        self.add(Kind::Transcript, TRANSCRIPT_RAW, None, raw);
        if let Some(redacted) = redacted {
            self.add(Kind::Transcript, TRANSCRIPT_REDACTED, None, owned(redacted.bytes));
        }
        Ok(())
    }

    /// Adds the steps: slices of the transcript, but for a record of a document, which is committed to in another form
    /// than it stands there.
    fn add_steps(&mut self, session: &Session) -> Result<(), CliError> {
        let starts = offsets(session.files.iter().map(|file| file.bytes.as_slice()));
        for (index, step) in session.run.steps.iter().enumerate() {
            let record = step_record(session, step)?;
            let bytes = step_bytes(&record);
            let start = usize::try_from(step.source)
                .ok()
                .and_then(|file| starts.get(&file));
            let content = match start {
                Some(start) if session.layout == Layout::Lines => Content::OfTranscript {
                    offset: start.saturating_add(step.offset),
                    len: bytes.len() as u64,
                },
                _ => owned(bytes.to_vec()),
            };
            self.add(Kind::Step, small(index)?, None, content);
        }
        Ok(())
    }

    /// Adds a command line that was run and watched.
    pub(crate) fn add_command(&mut self, index: u32, bytes: Vec<u8>) {
        self.add(Kind::Command, index, None, owned(bytes));
    }

    fn add(&mut self, kind: Kind, index: u32, origin: Option<PromptOrigin>, content: Content<'a>) {
        self.pieces.push(DraftPiece {
            item: Item { kind, index, origin },
            content,
        });
    }
}

fn owned<'a>(bytes: Vec<u8>) -> Content<'a> {
    Content::Owned(Zeroizing::new(bytes))
}

/// Makes everything durable: here, and encrypted in the queue for the store where an escrow key is configured.
pub(crate) fn keep(name: &RecordName, kept: Kept<'_>, context: &Context<'_>) -> Result<(), CliError> {
    escrow::keep(name, &Draft::new(&kept.key, kept.pieces)?, context)
}
