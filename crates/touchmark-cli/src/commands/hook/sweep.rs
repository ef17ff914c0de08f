//! Sessions whose process died without a word are finished: what they did since their last turn ended is attested, as
//! far as their record goes.

use std::path::Path;

use super::record;
use super::worker::{self, Done};
use crate::capture::guard::Guard;
use crate::capture::session::{Known, Sessions};
use crate::capture::snapshot::Snapshot;
use crate::capture::spool::{Kind, Turn};
use crate::capture::trouble;
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Color, Format, Output};

/// Finishes what it can. A session that cannot be finished is tried again with the next worker.
pub(super) fn run(guard: Option<&Guard>, done: &mut Done, context: &Context<'_>) {
    let Ok(sessions) = Sessions::open(&context.home.capture()) else {
        return;
    };
    let is_dead = |known: &Known| known.owner.as_ref().is_some_and(|owner| !owner.is_alive());
    for known in sessions
        .open_ones()
        .unwrap_or_default()
        .into_iter()
        .filter(is_dead)
    {
        let name = known.file_name();
        if guard.is_some() && worker::is_weary(&name, context) {
            continue;
        }
        match worker::guarded(guard, &name, || finish(&sessions, &known, context)) {
            Ok(made) => {
                trouble::forget(&context.home.capture(), &name);
                done.made.extend(made);
            }
            Err(error) => done.failed.push((known.session.clone(), error)),
        }
    }
}

fn finish(
    sessions: &Sessions,
    known: &Known,
    context: &Context<'_>,
) -> Result<Vec<crate::commands::attest::seen::Made>, CliError> {
    let turn = last_turn(known, context)?;
    let output = Output::new(Format::Text, Color::Never, true, &context.environment);
    let surroundings = worker::of_turn(&turn, context, &output)?;
    let has_more = match &known.transcript {
        Some(mark) => record::length(Path::new(&mark.path)) > known.seen,
        // No hook named its record.
        None => record::find(&turn, known, None, &surroundings)?.is_some(),
    };
    let mut made = Vec::new();
    // Without a record there is nothing to tell, now or later.
    if has_more {
        made = worker::attest((&turn, None), None, &surroundings)?;
    }
    let mut ended = sessions.read(&known.product, &known.session)?;
    ended.ended = true;
    sessions.write(&ended)?;
    Ok(made)
}

/// The turn that no hook was called for.
fn last_turn(known: &Known, context: &Context<'_>) -> Result<Turn, CliError> {
    Ok(Turn {
        version: 1,
        kind: Kind::SessionEnd,
        called: "sweep".to_owned(),
        product: Some(known.product.clone()),
        mismatch: false,
        event: None,
        session: Some(known.session.clone()),
        turn: None,
        directory: known.directory.clone(),
        transcript: None,
        snapshot: None::<Snapshot>,
        last_message: None,
        at: context.now()?,
        dedupe: None,
        owner: known.owner.clone(),
        parent: known.parent.clone(),
        environment: known.environment.clone(),
        commits: Vec::new(),
        problems: Vec::new(),
    })
}
