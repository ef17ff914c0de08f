//! Which session a run belongs to, and where each of its values came from.

use std::collections::BTreeSet;

use crate::run::{Finding, Run, Source};

/// What names the session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Naming<'a> {
    /// The identifier that a hook gave (or that chose the session among many): it wins.
    pub(crate) hook: Option<&'a str>,
    /// The identifier in the file's name, where the product puts it there.
    pub(crate) file: Option<&'a str>,
    /// Which identifier among those of the records is the session's own.
    pub(crate) own: Own,
}

/// Which identifier among those of the records is the session's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Own {
    /// The last: what was copied from other sessions stands before it.
    #[default]
    Last,
    /// The first: the product repeats other sessions' headers after its own.
    First,
}

/// Chooses the session's identifier: the hook's, else the file name's, else the records'. A resumed or forked session
/// holds records of other sessions; their identifiers are kept beside it.
pub(super) fn settle(run: &mut Run, naming: Naming<'_>, found: Vec<String>) {
    let own = match naming.own {
        Own::Last => found.last(),
        Own::First => found.first(),
    };
    let used = naming
        .hook
        .or(naming.file)
        .map(str::to_owned)
        .or_else(|| own.cloned());
    if let Some(used) = &used {
        if let Some(file) = naming.file.filter(|file| file != used) {
            run.findings.push(Finding::SessionIdDiffers {
                used: used.clone(),
                other: file.to_owned(),
            });
        }
        if let Some(other) = own.filter(|_| !found.contains(used)) {
            run.findings.push(Finding::SessionIdDiffers {
                used: used.clone(),
                other: other.clone(),
            });
        }
    }
    run.other_session_ids = found
        .into_iter()
        .filter(|id| Some(id) != used.as_ref())
        .collect::<BTreeSet<_>>();
    run.session_id = used;
    name_sources(run, naming);
}

/// Names the source of each value that is there.
fn name_sources(run: &mut Run, naming: Naming<'_>) {
    let instance = match (naming.hook, naming.file) {
        (Some(_), _) => Source::Hook,
        (None, Some(_)) => Source::Environment,
        (None, None) => Source::Transcript,
    };
    let present: [(&'static str, bool, Source); 13] = [
        ("/agent/instance", run.session_id.is_some(), instance),
        ("/agent/parent", run.parent.is_some(), Source::Transcript),
        ("/agent/product", true, Source::Transcript),
        ("/change/base", !run.base_commits.is_empty(), Source::Transcript),
        ("/models", !run.models.is_empty(), Source::Transcript),
        ("/prompt", !run.prompts.is_empty(), Source::Transcript),
        ("/tools", !run.tools.is_empty(), Source::Transcript),
        ("/commands", !run.commands.is_empty(), Source::Transcript),
        ("/transcript", true, Source::Transcript),
        ("/usage", run.usage.requests.is_some(), Source::Transcript),
        ("/usage/cost", run.cost.is_some(), Source::Transcript),
        ("/run/startedAt", run.started_at.is_some(), Source::Transcript),
        ("/run/endedAt", run.ended_at.is_some(), Source::Transcript),
    ];
    run.field_sources = present
        .into_iter()
        .filter(|(_, there, _)| *there)
        .map(|(field, _, source)| (field, source))
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(hook: Option<&str>, file: Option<&str>, own: Own, found: &[&str]) -> Run {
        let mut run = Run::default();
        let found = found.iter().map(|id| (*id).to_owned()).collect();
        settle(&mut run, Naming { hook, file, own }, found);
        run
    }

    #[test]
    fn the_strongest_source_wins_and_the_others_are_kept() {
        let run = settled(Some("h"), Some("f"), Own::Last, &["a", "b"]);
        assert_eq!(run.session_id.as_deref(), Some("h"));
        assert_eq!(run.other_session_ids.len(), 2);
        assert_eq!(run.findings.len(), 2);
        assert_eq!(run.field_sources["/agent/instance"], Source::Hook);
        let run = settled(None, Some("a"), Own::Last, &["a", "b"]);
        assert_eq!((run.session_id.as_deref(), run.findings.len()), (Some("a"), 0));
        let run = settled(None, None, Own::First, &["a", "b"]);
        assert_eq!(run.session_id.as_deref(), Some("a"));
        let run = settled(None, None, Own::Last, &["a", "b"]);
        assert_eq!(run.session_id.as_deref(), Some("b"));
        assert_eq!(settled(None, None, Own::Last, &[]).session_id, None);
    }
}
