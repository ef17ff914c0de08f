//! What has to be kept so that a statement's commitments can be opened again: the run key and the words themselves.

use touchmark_agents::secrets::Redacted;
use touchmark_agents::session::Session;
use touchmark_sign::vault::{Piece, Record, RecordName, Vault};
use touchmark_statement::agent_change::PromptOrigin;
use touchmark_verify::commitment::{Item, Kind, RunKey, TRANSCRIPT_RAW, TRANSCRIPT_REDACTED, step_bytes};
use zeroize::Zeroizing;

use super::commitments::{origin, prompt_bytes, small, step_record};
use super::instructions::Instruction;
use crate::context::Context;
use crate::error::CliError;

/// The contents of one vault record, as they are gathered.
pub(crate) struct Kept {
    /// The run key.
    pub(crate) key: RunKey,
    pieces: Vec<Piece>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({} pieces)", self.pieces.len())
    }
}

impl Kept {
    /// Nothing but the key yet.
    pub(crate) fn new(key: RunKey) -> Self {
        Self {
            key,
            pieces: Vec::new(),
        }
    }

    /// Adds the instruction files that are named by commitment.
    pub(crate) fn add_instructions(&mut self, found: &[Instruction]) -> Result<(), CliError> {
        for (index, instruction) in found.iter().enumerate() {
            if let Some(bytes) = &instruction.private {
                self.add(Kind::Instruction, small(index)?, None, bytes.clone());
            }
        }
        Ok(())
    }

    /// Adds the prompts, the commands, the steps and the transcript.
    pub(crate) fn add_session(
        &mut self,
        session: &Session,
        raw: Vec<u8>,
        redacted: Option<Redacted>,
    ) -> Result<(), CliError> {
        for (index, prompt) in session.run.prompts.iter().enumerate() {
            self.add(
                Kind::Prompt,
                small(index)?,
                Some(origin(prompt.origin)),
                prompt_bytes(prompt),
            );
        }
        for (index, command) in session.run.commands.iter().enumerate() {
            self.add(
                Kind::Command,
                small(index)?,
                None,
                command.text.clone().into_bytes(),
            );
        }
        for (index, step) in session.run.steps.iter().enumerate() {
            self.add(
                Kind::Step,
                small(index)?,
                None,
                step_bytes(&step_record(session, step)?).to_vec(),
            );
        }
        self.add(Kind::Transcript, TRANSCRIPT_RAW, None, raw);
        if let Some(redacted) = redacted {
            self.add(Kind::Transcript, TRANSCRIPT_REDACTED, None, redacted.bytes);
        }
        Ok(())
    }

    fn add(&mut self, kind: Kind, index: u32, origin: Option<PromptOrigin>, bytes: Vec<u8>) {
        self.pieces.push(Piece {
            item: Item { kind, index, origin },
            bytes: Zeroizing::new(bytes),
        });
    }
}

/// Makes everything durable.
pub(crate) fn keep(name: &RecordName, kept: Kept, context: &Context<'_>) -> Result<(), CliError> {
    let vault = Vault::open(&context.home.vault())?;
    // What a killed run left half written holds prompts and belongs to nothing.
    vault.clean()?;
    Ok(vault.put(name, &Record::new(kept.key, kept.pieces)?)?)
}
