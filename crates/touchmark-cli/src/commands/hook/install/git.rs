//! A repository's own hooks: scripts that call us, or a few lines at the top of scripts that are there.

use std::path::{Path, PathBuf};
use std::process::Command;

use touchmark_git::{GitError, GitProgram, Repository};

use super::draft::Draft;
use super::place::Place;
use super::quote::HookCommand;
use crate::context::Context;
use crate::error::CliError;

/// The hooks, and whether git gives each something to read.
pub(crate) const HOOKS: &[(&str, bool)] =
    &[("post-commit", false), ("post-rewrite", true), ("pre-push", true)];

const BEGIN: &str =
    "# >>> touchmark: keeps evidence with commits; `touchmark hook uninstall git` removes these lines\n";
const END: &str = "# <<< touchmark\n";

/// Returns the folder in which git looks for the repository's hooks, and the folder that it must lie in.
pub(crate) fn folder(context: &Context<'_>) -> Result<(PathBuf, PathBuf), CliError> {
    let repository = Repository::discover(&context.directory)?;
    let root = repository.work_tree().unwrap_or_else(|| repository.git_dir());
    let path = context.environment.raw("PATH").ok_or(GitError::ProgramMissing)?;
    let git = GitProgram::find(path)?;
    // What git itself would do decides, the user's own settings included. Asking runs nothing.
    let mut ask = Command::new(git.path());
    ask.env_clear().env("PATH", path).env("GIT_OPTIONAL_LOCKS", "0");
    for name in ["HOME", "XDG_CONFIG_HOME"] {
        ask.envs(context.environment.raw(name).map(|value| (name, value)));
    }
    let answer = ask
        .current_dir(root)
        .args([
            "rev-parse",
            "--path-format=absolute",
            "--git-common-dir",
            "--git-path",
            "hooks",
        ])
        .output()
        .map_err(|error| CliError::io("hook.file_unusable", root, &error))?;
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    let mut lines = text
        .lines()
        .filter(|line| line.starts_with('/'))
        .map(PathBuf::from);
    let (Some(common), Some(hooks), true) = (lines.next(), lines.next(), answer.status.success()) else {
        return Err(CliError::failed(
            "hook.git_unclear",
            "git does not say where the repository's hooks are",
        ));
    };
    let inside = [common, root.to_owned()]
        .into_iter()
        .find(|base| lies_in(&hooks, base));
    match inside {
        Some(base) => Ok((hooks, base)),
        None => {
            let text = format!(
                "the hooks of this repository are in {}, outside of it",
                hooks.display()
            );
            Err(CliError::usage("hook.git_hooks_elsewhere", text)
                .hint("other repositories may use them too: add what `--print` shows yourself, or unset core.hooksPath"))
        }
    }
}

fn lies_in(path: &Path, base: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real(path).starts_with(real(base))
}

/// The lines that call us.
fn block(hook: &str, reads: bool, chained: bool, command: &HookCommand) -> String {
    let call = command.sh(&format!("git-{hook}"));
    if !(reads && chained) {
        return format!("{BEGIN}{call} \"$@\" || :\n{END}");
    }
    // What git gives can be read once; the script below gets it again.
    format!(
        "{BEGIN}touchmark_given=$(cat)\n\
         printf '%s\\n' \"$touchmark_given\" | {call} \"$@\" || :\n\
         if [ -n \"$touchmark_given\" ]; then exec <<TOUCHMARK_GIVEN\n\
         $touchmark_given\n\
         TOUCHMARK_GIVEN\n\
         else exec </dev/null; fi\n{END}"
    )
}

/// A whole script.
pub(crate) fn script(hook: &str, reads: bool, command: &HookCommand) -> String {
    format!("#!/bin/sh\n{}", block(hook, reads, false, command))
}

/// Puts the lines into a hook, in place of older ones of ours.
pub(crate) fn add(place: &Place, hook: &str, reads: bool, command: &HookCommand) -> Result<Draft, CliError> {
    let Some(text) = &place.text else {
        return Ok(Draft::new_file(script(hook, reads, command)));
    };
    let base = remove(text);
    let Some(first) = base
        .split_inclusive('\n')
        .next()
        .filter(|_| base != "#!/bin/sh\n")
    else {
        return Ok(Draft::new_file(script(hook, reads, command)));
    };
    let shell = first
        .strip_prefix("#!")
        .and_then(|line| {
            line.split_whitespace()
                .map(|word| word.rsplit('/').next().unwrap_or(word))
                .find(|word| *word != "env")
        })
        .is_some_and(|name| matches!(name, "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh"));
    if !shell || !first.ends_with('\n') || !place.is_executable() {
        let text = format!("{} is a hook that nothing can be added to", place.path.display());
        return Err(CliError::usage("hook.git_hook_foreign", text).hint(format!(
            "call `{} \"$@\" || :` from it yourself",
            command.sh(&format!("git-{hook}"))
        )));
    }
    let mut draft = Draft::of(base.clone());
    draft.insert(vec![(first.len(), block(hook, reads, true, command))]);
    Ok(draft)
}

/// Takes the lines out.
pub(crate) fn remove(text: &str) -> String {
    let (Some(start), Some(end)) = (text.find("# >>> touchmark"), text.find(END)) else {
        return text.to_owned();
    };
    let begins_line = start == 0 || text[..start].ends_with('\n');
    if !begins_line || end < start {
        return text.to_owned();
    }
    format!("{}{}", &text[..start], &text[end + END.len()..])
}

/// Whether nothing is left of a script but its first line.
pub(crate) fn is_bare(text: &str) -> bool {
    text == "#!/bin/sh\n"
}
