//! What a session's header tells: who it is, how it was started, where it began, which session it goes back to.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::record::{Git, Payload};
use crate::json::lenient::{Object, Text};
use crate::recorder::Recorder;
use crate::run::{PromptPart, Relation};

/// How a session was started, where it says more than a word.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Source<'a> {
    #[serde(borrow, alias = "subAgent")]
    subagent: Option<&'a RawValue>,
    #[serde(borrow)]
    exec: Option<&'a RawValue>,
    #[serde(borrow)]
    vscode: Option<&'a RawValue>,
    #[serde(borrow)]
    cli: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Subagent<'a> {
    #[serde(borrow, alias = "threadSpawn")]
    thread_spawn: Object<Spawn<'a>>,
}

/// The session that delegated.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spawn<'a> {
    #[serde(borrow)]
    parent_thread_id: Text<'a>,
    #[serde(borrow)]
    agent_role: Text<'a>,
    #[serde(borrow)]
    agent_type: Text<'a>,
}

/// Returns the session that this one goes back to.
pub(super) fn lineage(payload: &Payload<'_>) -> Option<(String, Relation)> {
    let id = payload.id.as_deref().or(payload.session_id.as_deref());
    let spawned = spawn(payload).and_then(|spawn| spawn.parent_thread_id.0.map(String::from));
    let named = || {
        let parent = payload.parent_thread_id.as_deref()?;
        (payload.thread_source.as_deref() == Some("subagent")).then(|| parent.to_owned())
    };
    let parent = spawned.or_else(named).map(|parent| (parent, Relation::Subagent));
    let fork = || Some((payload.forked_from_id.as_deref()?.to_owned(), Relation::Fork));
    parent
        .or_else(fork)
        .filter(|(parent, _)| !parent.is_empty() && Some(parent.as_str()) != id)
}

/// Returns whether an agent started this session.
pub(super) fn is_subagent(payload: &Payload<'_>) -> bool {
    entrypoint(payload).as_deref() == Some("subagent")
}

fn spawn<'a>(payload: &Payload<'a>) -> Option<Spawn<'a>> {
    let source = serde_json::from_str::<Object<Source<'a>>>(payload.source?.get())
        .ok()?
        .0?;
    let subagent = serde_json::from_str::<Object<Subagent<'a>>>(source.subagent?.get()).ok()?;
    subagent.0?.thread_spawn.0
}

/// Returns how a session was started: `thread_source`, then what `source` says, then who wrote the file.
fn entrypoint(payload: &Payload<'_>) -> Option<String> {
    if payload.thread_source.as_deref() == Some("subagent") {
        return Some("subagent".to_owned());
    }
    if let Some(raw) = payload.source {
        if let Ok(Text(Some(word))) = serde_json::from_str::<Text<'_>>(raw.get()) {
            return Some(word.into_owned());
        }
        if let Ok(Object(Some(source))) = serde_json::from_str::<Object<Source<'_>>>(raw.get()) {
            let named = [
                ("subagent", source.subagent),
                ("exec", source.exec),
                ("vscode", source.vscode),
                ("cli", source.cli),
            ];
            if let Some((name, _)) = named.iter().find(|(_, there)| there.is_some()) {
                return Some((*name).to_owned());
            }
        }
    }
    if payload.thread_source.as_deref() == Some("automation") {
        return Some("automation".to_owned());
    }
    let originator = payload.originator.as_deref()?;
    Some(
        match originator {
            "codex_exec" => "exec",
            "codex-tui" | "codex_cli_rs" => "cli",
            "codex_vscode" => "vscode",
            other => other,
        }
        .to_owned(),
    )
}

/// Notes what the header of the session's own file tells.
pub(super) fn note(
    recorder: &mut Recorder,
    payload: &Payload<'_>,
    id: Option<&str>,
    lineage: Option<(String, Relation)>,
) {
    recorder.session_id(id);
    recorder.entrypoint(entrypoint(payload).as_deref());
    git(recorder, payload.git.0.as_ref());
    if let Some((parent, relation)) = lineage {
        recorder.parent(Some(&parent), relation);
    }
}

/// Notes what the header of a sub-agent's file tells.
pub(super) fn note_subagent(recorder: &mut Recorder, payload: &Payload<'_>, id: Option<&str>) {
    let agent = recorder.source_agent().or(id).map(str::to_owned);
    let spawn = spawn(payload).unwrap_or_default();
    let role = [
        &spawn.agent_role,
        &spawn.agent_type,
        &payload.agent_role,
        &payload.agent_type,
    ]
    .into_iter()
    .find_map(|role| role.as_deref().filter(|role| !role.is_empty()));
    if let Some(known) = agent.and_then(|agent| recorder.subagent(&agent))
        && known.agent_type.is_none()
    {
        known.agent_type = role.map(str::to_owned);
    }
}

/// Notes where the session began.
pub(super) fn git(recorder: &mut Recorder, git: Option<&Git<'_>>) {
    if let Some(git) = git {
        recorder.branch(git.branch.as_deref());
        recorder.base_commit(
            git.commit_hash.as_deref(),
            git.branch.as_deref(),
            git.repository_url.as_deref(),
        );
    }
}

/// Notes a commit below one that the product made, where the header does not name it.
pub(super) fn began_at(recorder: &mut Recorder, commit: Option<&str>) {
    let is_known = recorder
        .run
        .base_commits
        .iter()
        .any(|base| Some(base.id.as_str()) == commit);
    if !is_known {
        recorder.base_commit(commit, None, None);
    }
}

/// Notes the directory that the product tells the model: the form of 2025 has it nowhere else.
pub(super) fn environment(recorder: &mut Recorder, given: &[PromptPart]) {
    if !recorder.run.working_directories.is_empty() {
        return;
    }
    for part in given {
        if let PromptPart::Text(text) = part
            && text.starts_with("<environment_context>")
            && let Some((_, rest)) = text.split_once("<cwd>")
            && let Some((directory, _)) = rest.split_once("</cwd>")
        {
            recorder.working_directory(Some(directory));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(json: &str) -> Payload<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn who_started_a_session_in_order_of_strength() {
        for (json, expected) in [
            (r#"{"thread_source":"subagent","source":"cli"}"#, Some("subagent")),
            (r#"{"source":"exec","originator":"codex-tui"}"#, Some("exec")),
            (r#"{"source":{"subagent":{"other":"review"}}}"#, Some("subagent")),
            (r#"{"source":{"vscode":{}}}"#, Some("vscode")),
            (
                r#"{"thread_source":"automation","originator":"x"}"#,
                Some("automation"),
            ),
            (r#"{"originator":"codex_exec"}"#, Some("exec")),
            (r#"{"originator":"codex_cli_rs"}"#, Some("cli")),
            (r#"{"originator":"Codex Desktop"}"#, Some("Codex Desktop")),
            (r#"{}"#, None),
        ] {
            assert_eq!(entrypoint(&payload(json)).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn what_a_session_goes_back_to() {
        for (json, expected) in [
            (
                r#"{"id":"c","source":{"subagent":{"thread_spawn":{"parent_thread_id":"p"}}},"forked_from_id":"f"}"#,
                Some(("p", Relation::Subagent)),
            ),
            (
                r#"{"id":"c","thread_source":"subagent","parent_thread_id":"p"}"#,
                Some(("p", Relation::Subagent)),
            ),
            (r#"{"id":"c","parent_thread_id":"p"}"#, None),
            (r#"{"id":"c","forked_from_id":"f"}"#, Some(("f", Relation::Fork))),
            (r#"{"id":"c","forked_from_id":"c"}"#, None),
            (r#"{"id":"c"}"#, None),
        ] {
            let expected = expected.map(|(id, relation)| (id.to_owned(), relation));
            assert_eq!(lineage(&payload(json)), expected, "{json}");
        }
    }
}
