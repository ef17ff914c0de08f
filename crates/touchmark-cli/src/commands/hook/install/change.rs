//! What would become of one file, and doing it.

use std::path::{Path, PathBuf};

use super::agents::{Agent, Writes};
use super::codex;
use super::draft::Draft;
use super::git;
use super::json::Unreadable;
use super::merge::Refusal;
use super::place::Place;
use super::plugin;
use super::quote::HookCommand;
use super::record::{Record, Records};
use crate::error::CliError;

/// What is to become of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing: it is as it should be.
    Same,
    /// It gets this text.
    Text(Draft),
    /// It goes.
    Gone,
}

/// One file and what is to become of it.
#[derive(Debug)]
pub(crate) struct Change {
    /// The file as it is.
    pub(crate) place: Place,
    /// What is to become of it.
    pub(crate) then: Then,
    record: Option<Record>,
    /// The mode of the file, if it is made.
    mode: u32,
}

/// The files of one agent at one level.
#[derive(Debug)]
pub(crate) struct Level {
    /// The agent's folder.
    pub(crate) folder: PathBuf,
    /// The folder that no link may lead out of.
    pub(crate) base: PathBuf,
    /// Whether the file is the repository's.
    pub(crate) project: bool,
}

impl Level {
    fn mode(&self) -> u32 {
        if self.project { 0o644 } else { 0o600 }
    }
}

/// Works out how an agent gets its hooks.
pub(crate) fn installing(
    agent: &Agent,
    level: &Level,
    command: &HookCommand,
    records: &Records,
) -> Result<Change, CliError> {
    let mut place = Place::find(&level.base, &level.folder.join(agent.file))?;
    if agent.name == "codex" {
        let settings = Place::find(&level.base, &level.folder.join("config.toml"))?;
        let has = settings.text.as_deref().is_some_and(codex::has_hooks);
        // Codex warns of hooks in two places.
        if has && !is_in(agent, &place) {
            place = settings;
        }
    }
    let record = records.find(&place.path);
    let draft = added(agent, &place, command, record.as_ref())?;
    let same = place.text.as_deref() == Some(draft.text.as_str());
    Ok(Change {
        then: if same { Then::Same } else { Then::Text(draft) },
        place,
        record,
        mode: level.mode(),
    })
}

/// Works out how an agent loses its hooks; several files where hooks are in several.
pub(crate) fn uninstalling(agent: &Agent, level: &Level, records: &Records) -> Result<Vec<Change>, CliError> {
    let mut files = vec![agent.file];
    if agent.name == "codex" {
        files.push("config.toml");
    }
    let mut changes = Vec::new();
    for file in files {
        let place = Place::find(&level.base, &level.folder.join(file))?;
        let record = records.find(&place.path);
        let then = removed(agent, &place, record.as_ref())?;
        changes.push(Change {
            place,
            then,
            record,
            mode: level.mode(),
        });
    }
    Ok(changes)
}

/// Works out how a repository's hook gets our lines, or loses them.
pub(crate) fn of_git(
    place: Place,
    (hook, reads): (&str, bool),
    command: Option<&HookCommand>,
    records: &Records,
) -> Result<Change, CliError> {
    let record = records.find(&place.path);
    let then = match (command, &place.text) {
        (Some(command), text) => {
            let draft = git::add(&place, hook, reads, command)?;
            if text.as_ref() == Some(&draft.text) {
                Then::Same
            } else {
                Then::Text(draft)
            }
        }
        (None, None) => Then::Same,
        (None, Some(text)) => {
            let before = git::remove(text);
            if before == *text {
                Then::Same
            } else if git::is_bare(&before) {
                Then::Gone
            } else {
                Then::Text(Draft::of(before))
            }
        }
    };
    Ok(Change {
        place,
        then,
        record,
        mode: 0o755,
    })
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

fn is_in(agent: &Agent, place: &Place) -> bool {
    let Some(text) = &place.text else {
        return false;
    };
    match agent.writes {
        _ if is_toml(&place.path) => codex::is_in(text),
        Writes::Json(format) => format.is_in(text),
        Writes::Plugin => plugin::is_ours(text),
    }
}

fn added(
    agent: &Agent,
    place: &Place,
    command: &HookCommand,
    record: Option<&Record>,
) -> Result<Draft, CliError> {
    let text = place.text.as_deref().unwrap_or_default();
    let format = match agent.writes {
        Writes::Json(format) => format,
        Writes::Plugin => {
            if place.text.is_some() && !plugin::is_ours(text) {
                return Err(foreign(place));
            }
            return Ok(Draft::new_file(plugin::text(command)));
        }
    };
    let add = |text: &str| {
        let added = if is_toml(&place.path) {
            codex::add(text, &command.sh(format.hook))
        } else {
            format.add(text, command)
        };
        added.map_err(|refusal| refused(place, &refusal))
    };
    let draft = add(text)?;
    if draft.text == text || !is_in(agent, place) {
        return Ok(draft);
    }
    // Hooks of ours that call another program, or that lack an event, are written anew.
    let base = match record.and_then(|record| record.before(text)) {
        Some(before) => before,
        None => without(agent, place, text)?,
    };
    add(&base)
}

fn without(agent: &Agent, place: &Place, text: &str) -> Result<String, CliError> {
    let removed = match agent.writes {
        _ if is_toml(&place.path) => codex::remove(text),
        Writes::Json(format) => format.remove(text),
        Writes::Plugin => Ok(String::new()),
    };
    removed.map_err(|refusal| refused(place, &refusal))
}

fn removed(agent: &Agent, place: &Place, record: Option<&Record>) -> Result<Then, CliError> {
    let Some(text) = place.text.as_deref() else {
        return Ok(Then::Same);
    };
    let made = record.is_some_and(|record| record.made);
    if let Some(before) = record.and_then(|record| record.before(text)) {
        let gone = made && before.trim().is_empty();
        return Ok(if gone {
            Then::Gone
        } else {
            Then::Text(Draft::of(before))
        });
    }
    if !is_in(agent, place) {
        // What cannot be read may still call us.
        return match agent.writes {
            Writes::Plugin => Err(foreign(place)),
            Writes::Json(_) if text.contains("touchmark hook run") => {
                without(agent, place, text).map(|_| Then::Same)
            }
            Writes::Json(_) => Ok(Then::Same),
        };
    }
    let rest = without(agent, place, text)?;
    let gone = match agent.writes {
        Writes::Plugin => true,
        // The name of this file is ours.
        Writes::Json(format) => format.is_bare(&rest) && (made || agent.file.ends_with("touchmark.json")),
    };
    Ok(if gone {
        Then::Gone
    } else {
        Then::Text(Draft::of(rest))
    })
}

fn foreign(place: &Place) -> CliError {
    let text = format!("{} is not as install writes it", place.path.display());
    CliError::usage("hook.file_foreign", text)
        .hint("move it away, or change it yourself with what `--print` shows")
}

fn refused(place: &Place, refusal: &Refusal) -> CliError {
    let path = place.path.display();
    let text = match refusal {
        Refusal::Unreadable(Unreadable::Syntax(at)) => {
            let before = place.text.as_deref().unwrap_or_default();
            let line = before.bytes().take(*at).filter(|byte| *byte == b'\n').count() + 1;
            format!("{path} cannot be read from line {line} on")
        }
        Refusal::Unreadable(Unreadable::Depth) => format!("{path} is nested too deeply"),
        Refusal::Unreadable(Unreadable::Repeated(name)) => {
            format!("{path} has the name {name:?} twice in one object")
        }
        Refusal::Shape(what) => format!("{what} in {path} have another form than expected"),
    };
    CliError::usage("hook.file_unreadable", text)
        .hint("nothing was changed; mend the file, or change it yourself with what `--print` shows")
}

impl Change {
    /// The text that the file will have.
    pub(crate) fn after(&self) -> Option<&str> {
        match &self.then {
            Then::Same => self.place.text.as_deref(),
            Then::Text(draft) => Some(&draft.text),
            Then::Gone => None,
        }
    }

    /// Does it. `installed`: whether the text is one with our hooks.
    pub(crate) fn make(&self, installed: Installed, records: &Records) -> Result<(), CliError> {
        match (&self.then, installed) {
            (Then::Same, _) => {}
            (Then::Text(draft), Installed::Yes) => {
                let old = self.record.as_ref();
                let made = self.place.text.is_none() || old.is_some_and(|record| record.made);
                let folders = old.map(|record| record.folders.clone()).unwrap_or_default();
                // The record comes first: it says nothing of any file but the one that is about to be.
                records.keep(&self.place.path, &Record::of(draft, made, folders.clone()))?;
                let new = self.place.write(&draft.text, self.mode)?;
                if !new.is_empty() {
                    records.keep(
                        &self.place.path,
                        &Record::of(draft, made, [folders, new].concat()),
                    )?;
                }
            }
            (Then::Text(draft), Installed::No) => {
                self.place.write(&draft.text, self.mode)?;
                records.forget(&self.place.path);
            }
            (Then::Gone, _) => {
                self.place.remove()?;
                records.forget(&self.place.path);
                for folder in self.record.iter().flat_map(|record| record.folders.iter().rev()) {
                    // One that something else was put into stays.
                    let _ = std::fs::remove_dir(folder);
                }
            }
        }
        Ok(())
    }
}

/// Whether a change ends with our hooks in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Installed {
    /// It does.
    Yes,
    /// It does not.
    No,
}
