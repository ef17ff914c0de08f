//! What the user tells about a run, beside what is read: a statement that lacks it does not stand for it.

use touchmark_statement::agent_change::{AgentChange, SbomClaim};
use touchmark_statement::statement::SignedStatement;
use touchmark_verify::bundle::Bundle;

use super::{ChangeArgs, sbom};
use crate::context::Context;
use crate::error::CliError;

/// Flags and settings that end up in the statement. Absent means that nothing was told, not that it must be absent.
#[derive(Debug)]
pub(super) struct Told {
    agent: Option<String>,
    owner: Option<String>,
    task: Option<String>,
    sbom: Option<SbomClaim>,
    plain_prompt_digest: bool,
}

impl Told {
    /// Reads them.
    pub(super) fn read(args: &ChangeArgs, context: &Context<'_>) -> Result<Self, CliError> {
        let setting = |flag: &Option<String>, name| {
            flag.clone()
                .or_else(|| context.config.text(name).map(str::to_owned))
        };
        let sbom = args.sbom.as_deref().map(|file| sbom::read(&context.path(file)));
        Ok(Self {
            agent: setting(&args.agent, "agent"),
            owner: setting(&args.owner, "owner"),
            task: args.task.clone(),
            sbom: sbom.transpose()?,
            plain_prompt_digest: args.plain_prompt_digest,
        })
    }

    /// Returns whether the statement of this bundle says all of it. A bundle that cannot be read says nothing.
    pub(super) fn stands_in(&self, bundle: &[u8]) -> bool {
        let Ok(bundle) = Bundle::parse(bundle) else {
            return false;
        };
        let payload = bundle.envelope().map(|envelope| envelope.payload.clone());
        SignedStatement::parse(payload.unwrap_or_default()).is_ok_and(|signed| {
            let claim = signed.statement().predicate.as_agent_change();
            claim.is_some_and(|claim| self.is_said_by(claim))
        })
    }

    fn is_said_by(&self, claim: &AgentChange) -> bool {
        let task = claim.task.as_ref().and_then(|task| task.uri.as_ref());
        let prompt = claim.prompt.as_ref();
        let plain = prompt.is_some_and(|prompt| prompt.plain_digest.is_some());
        self.agent.as_ref().is_none_or(|agent| *agent == claim.agent.id)
            && (self.owner.is_none() || self.owner == claim.agent.owner)
            && (self.task.is_none() || self.task.as_ref() == task)
            && (self.sbom.is_none() || self.sbom == claim.sbom)
            && (plain || prompt.is_none() || !self.plain_prompt_digest)
    }
}
