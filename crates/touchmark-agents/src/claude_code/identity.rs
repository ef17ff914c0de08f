//! Which session a run belongs to, and where each of its values came from.

use crate::run::{Finding, Importer, Run, Source};

/// Chooses the session's identifier: the hook's, else the file name's, else that of the last record that has one.
/// A resumed or forked session holds records of other sessions; their identifiers are kept beside it.
pub(super) fn settle(run: &mut Run, hook: Option<&str>, stem: Option<&str>, found: Vec<String>) {
    let stem = stem.filter(|stem| is_uuid(stem));
    let used = hook.or(stem).map(str::to_owned).or_else(|| found.last().cloned());
    if let Some(used) = &used {
        if let Some(stem) = stem.filter(|stem| stem != used) {
            run.findings.push(Finding::SessionIdDiffers {
                used: used.clone(),
                other: stem.to_owned(),
            });
        }
        if let Some(other) = found.last().filter(|_| !found.contains(used)) {
            run.findings.push(Finding::SessionIdDiffers {
                used: used.clone(),
                other: other.clone(),
            });
        }
    }
    run.other_session_ids = super::builder::others(found, used.as_deref());
    run.session_id = used;
    run.product.name = "claude-code".to_owned();
    run.product.vendor = Some("anthropic".to_owned());
    run.importer = Importer {
        name: "touchmark-agents/claude-code".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
}

/// Names the source of each value that is there.
pub(super) fn name_sources(run: &mut Run, from_hook: bool, stem: Option<&str>) {
    let instance = match (from_hook, stem.is_some_and(is_uuid)) {
        (true, _) => Source::Hook,
        (false, true) => Source::Environment,
        (false, false) => Source::Transcript,
    };
    let present: [(&'static str, bool, Source); 11] = [
        ("/agent/instance", run.session_id.is_some(), instance),
        ("/agent/product", true, Source::Transcript),
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

/// Returns true for `8-4-4-4-12` hexadecimal digits.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
