//! What hooks saw, attested: the same road as `touchmark attest`, with everything known beforehand.

use touchmark_agents::session::Session;
use touchmark_git::Repository;
use touchmark_sign::attestation;
use touchmark_sign::vault::RecordName;
use touchmark_statement::agent_change::ParentAgent;
use touchmark_verify::evidence::EvidenceId;

use super::capture::{Captured, Place};
use super::change::Asked;
pub(crate) use super::change::Point;
use super::{ChangeArgs, vault};
use crate::context::Context;
use crate::error::CliError;
use crate::pipeline::{self, Lock, Outcome, chain};

/// What is attested.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The session, read as far as the statement goes.
    pub(crate) session: Session,
    /// Before.
    pub(crate) base: Point,
    /// After.
    pub(crate) proposed: Point,
    /// Whether something lay in the work tree that the statement leaves out.
    pub(crate) dirty: bool,
    /// The session that this one runs inside of, as its surroundings say.
    pub(crate) parent: Option<String>,
    /// The id under which policy knows the agent, where somebody said it.
    pub(crate) agent: Option<String>,
    /// The product and the session that called a hook, where one did.
    pub(crate) hook: Option<(String, Option<String>)>,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Made {
    /// It is logged and filed.
    Logged(EvidenceId),
    /// It is signed and safe in the spool.
    Unlogged(EvidenceId, CliError),
}

/// Returns the last statement of a session about a repository.
pub(crate) fn last_link(
    session: &Session,
    git: &Repository,
    context: &Context<'_>,
) -> Result<Option<chain::Link>, CliError> {
    let uri = super::repository(git, None)?.uri;
    let id = session.run.session_id.as_deref().unwrap_or_default();
    chain::last(&chain::session_name(&session.run.product.name, id, &uri), context)
}

/// Signs what was seen and takes it as far as it goes. From its place in the spool on, nothing of it is lost.
pub(crate) fn attest(seen: Seen, git: &Repository, context: &Context<'_>) -> Result<Made, CliError> {
    let args = ChangeArgs {
        redact: true,
        agent: seen.agent.clone(),
        ..ChangeArgs::default()
    };
    let repository = git.work_tree().unwrap_or(git.git_dir());
    // A slow service holds up nobody else.
    let identity = args.signing.identity(git, context)?;
    let _lock = Lock::acquire(context)?;
    pipeline::drain(context)?;
    chain::mend(context)?;
    let signer = args.signing.open_with(identity, git, context)?;
    let targets = pipeline::agreed_targets(&args.signing.log, repository, context)?;
    signer.refuse_unloggable_in(&targets)?;
    let asked = Asked::Seen {
        base: seen.base,
        proposed: seen.proposed,
    };
    let mut captured = Captured::seen(seen.session, &asked, git, context)?;
    captured.change.dirty = seen.dirty;
    if let Some((product, session)) = &seen.hook {
        captured.sources.add_hook(product, session.as_deref());
    }
    captured.sources.add_signer(&signer);
    let mut place = Place::after(captured.last_link(context)?.as_ref())?;
    place.parent = seen.parent.map(|instance| ParentAgent {
        instance,
        statement: None,
        relation: None,
    });
    place.since = captured.take_off(context)?;
    let (name, sequence) = (place.chain, place.sequence);
    let (statement, kept) = captured.state(&args, git, place, context)?;
    let prepared = attestation::prepare(&statement)?;
    let payload = prepared.payload_digest();
    vault::keep(&RecordName { chain: name, payload }, kept, context)?;
    captured.note(sequence, payload, context)?;
    let signed = signer.sign(prepared, context)?;
    let id = pipeline::queue_for(signed, targets, repository, &captured.change.keys, context)?;
    chain::mend(context)?;
    // From here on it is a matter of time: what cannot be done now is done by the next worker or by `publish`.
    Ok(match pipeline::finish_with(&id, &args.signing.log, context) {
        Ok(Outcome::Logged(_)) => Made::Logged(id),
        Ok(Outcome::Unlogged(error)) | Err(error) => Made::Unlogged(id, error),
    })
}
