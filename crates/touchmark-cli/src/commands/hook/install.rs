//! `touchmark hook install`: adds hooks to agents' configurations, beside what is there.
//!
//! A file that cannot be read is not changed, and no hook is ever approved in the user's place: where an agent asks for
//! trust, the command says what the user has to do.

pub(crate) mod agents;
mod change;
mod codex;
mod draft;
mod git;
mod json;
mod merge;
mod place;
mod plugin;
mod quote;
mod record;
mod report;

use touchmark_git::Repository;

use self::agents::{AGENTS, Agent, Writes};
pub(crate) use self::change::Installed;
use self::change::{Change, Level};
use self::place::Place;
use self::quote::HookCommand;
use self::record::Records;
use self::report::{Report, Row};
use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// Flags of `hook install` and `hook uninstall`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// claude-code, codex, gemini, copilot, cursor, opencode, or git for the repository's own hooks
    #[arg(value_name = "AGENT", required_unless_present = "all")]
    agent: Option<String>,
    /// Every agent whose folder or program is found
    #[arg(long, conflicts_with = "agent")]
    all: bool,
    /// In your own configuration, for every repository (the default)
    #[arg(long, conflicts_with = "project")]
    user: bool,
    /// In this repository's configuration, for everybody who works in it
    #[arg(long)]
    project: bool,
    /// Shows what would change and changes nothing
    #[arg(long)]
    dry_run: bool,
    /// Prints what is put in, for a configuration that is written by hand
    #[arg(long, conflicts_with = "all")]
    print: bool,
    /// What hooks call: a path, or a name that is looked up in PATH [default: this program]
    #[arg(long, value_name = "PROGRAM")]
    program: Option<String>,
}

/// Runs `hook install`.
pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    run_either(args, Installed::Yes, context)
}

/// Runs `hook install` or `hook uninstall`.
pub(crate) fn run_either(
    args: &Args,
    installed: Installed,
    context: &Context<'_>,
) -> Result<ExitCode, CliError> {
    let command = command(args, context)?;
    if args.print {
        return print(args, &command, context);
    }
    let records = Records::of(context);
    let mut report = Report::new(installed, args.dry_run);
    let mut worst = ExitCode::Allowed;
    for agent in chosen(args, context)? {
        let rows = match agent {
            Some(agent) => one(agent, args, installed, &command, &records, context),
            None => git_hooks(args, installed, &command, &records, context),
        };
        match rows {
            Ok(rows) => report.add(rows),
            // The others of `--all` still get theirs.
            Err(error) if args.all => {
                context.output.complain(&error);
                report.refuse(agent.map_or("git", |agent| agent.name), &error);
                worst = error.exit();
            }
            Err(error) => return Err(error),
        }
    }
    report.write(context)?;
    Ok(worst)
}

/// The agents that were asked for; `None` stands for git.
fn chosen(args: &Args, context: &Context<'_>) -> Result<Vec<Option<&'static Agent>>, CliError> {
    if let Some(name) = &args.agent {
        if name == "git" {
            return Ok(vec![None]);
        }
        let agent = Agent::named(name).ok_or_else(|| {
            let names: Vec<&str> = AGENTS.iter().map(|agent| agent.name).collect();
            CliError::usage("hook.agent_unknown", format!("no hooks are known for {name:?}"))
                .hint(format!("one of {}, git", names.join(", ")))
        })?;
        return Ok(vec![Some(agent)]);
    }
    let repository = Repository::discover(&context.directory).ok();
    let project = repository
        .as_ref()
        .and_then(Repository::work_tree)
        .filter(|_| args.project);
    let here: Vec<_> = AGENTS
        .iter()
        .filter(|agent| agent.is_here(&context.environment, project))
        .map(Some)
        .collect();
    if here.is_empty() {
        return Err(
            CliError::usage("hook.none_found", "none of the agents is found on this machine")
                .hint("name one: `touchmark hook install claude-code`"),
        );
    }
    Ok(here)
}

fn one(
    agent: &'static Agent,
    args: &Args,
    installed: Installed,
    command: &HookCommand,
    records: &Records,
    context: &Context<'_>,
) -> Result<Vec<Row>, CliError> {
    let level = level(agent, args, context)?;
    let changes = match installed {
        Installed::Yes => vec![change::installing(agent, &level, command, records)?],
        Installed::No => change::uninstalling(agent, &level, records)?,
    };
    let mut rows = Vec::new();
    for change in changes {
        finish(&change, installed, args, records)?;
        let mut row = Row::of(agent.name, &change);
        if installed == Installed::Yes {
            row.remark(agent.remarks[usize::from(level.project)]);
            if agent.name == "codex" {
                row.trust = trust(agent, command);
                let settings = std::fs::read_to_string(level.folder.join("config.toml"));
                if settings.is_ok_and(|text| codex::are_off(&text)) {
                    row.remark("hooks are turned off in Codex's config.toml, under [features]");
                }
            }
            if level.project && command.program().starts_with('/') {
                row.remark("the program's path is this machine's: put touchmark into PATH and install again, for others' sake");
            }
        }
        rows.push(row);
    }
    // Of two files of which neither has hooks, one is worth a line.
    if rows.len() > 1 && rows.iter().any(|row| !row.is_unchanged()) {
        rows.retain(|row| !row.is_unchanged());
    } else {
        rows.truncate(1);
    }
    Ok(rows)
}

fn git_hooks(
    args: &Args,
    installed: Installed,
    command: &HookCommand,
    records: &Records,
    context: &Context<'_>,
) -> Result<Vec<Row>, CliError> {
    let (folder, base) = git::folder(context)?;
    let wanted = (installed == Installed::Yes).then_some(command);
    let mut changes = Vec::new();
    for hook in git::HOOKS {
        let place = Place::find(&base, &folder.join(hook.0))?;
        changes.push(change::of_git(place, *hook, wanted, records)?);
    }
    let mut rows = Vec::new();
    for change in changes {
        finish(&change, installed, args, records)?;
        rows.push(Row::of("git", &change));
    }
    Ok(rows)
}

fn finish(change: &Change, installed: Installed, args: &Args, records: &Records) -> Result<(), CliError> {
    if args.dry_run {
        return Ok(());
    }
    change.make(installed, records)
}

fn level(agent: &Agent, args: &Args, context: &Context<'_>) -> Result<Level, CliError> {
    if args.project {
        let repository = Repository::discover(&context.directory)?;
        let root = repository
            .work_tree()
            .ok_or(touchmark_git::GitError::NoWorkTree)?;
        return Ok(Level {
            folder: root.join(agent.project),
            base: root.to_owned(),
            project: true,
        });
    }
    let (folder, base) = agent
        .user_folder(&context.environment)
        .ok_or_else(CliError::no_home)?;
    Ok(Level {
        folder,
        base,
        project: false,
    })
}

/// What hooks call: what was asked for, else this program by its name in `PATH`, else by its path.
fn command(args: &Args, context: &Context<'_>) -> Result<HookCommand, CliError> {
    let unusable = |why: &str| {
        CliError::usage(
            "hook.program_unusable",
            format!("hooks cannot call this program: {why}"),
        )
        .hint("name one with --program")
    };
    let program = match &args.program {
        Some(program) => program.clone(),
        None => own_program(args.project, context).ok_or_else(|| unusable("its path is not known"))?,
    };
    let name = std::path::Path::new(&program)
        .file_name()
        .and_then(|name| name.to_str());
    if !matches!(name, Some("touchmark" | "touchmark.exe")) {
        return Err(unusable(
            "it is not called touchmark, so that its hooks could not be found again",
        ));
    }
    if program.chars().any(char::is_control) || (program.contains('/') && !program.starts_with('/')) {
        return Err(unusable("its path is not absolute, or holds control characters"));
    }
    Ok(HookCommand::new(program))
}

fn own_program(project: bool, context: &Context<'_>) -> Option<String> {
    let own = std::env::current_exe().ok()?;
    let same =
        |path: &std::path::PathBuf| std::fs::canonicalize(path).ok() == std::fs::canonicalize(&own).ok();
    let in_path = agents::find_program(&context.environment, "touchmark").filter(same);
    match in_path {
        // Others have it elsewhere.
        Some(_) if project => Some("touchmark".to_owned()),
        Some(path) => path.to_str().map(str::to_owned),
        None => own.to_str().map(str::to_owned),
    }
}

fn trust(agent: &Agent, command: &HookCommand) -> Vec<report::Trust> {
    let Writes::Json(format) = agent.writes else {
        return Vec::new();
    };
    let command = command.sh(format.hook);
    let hash = |(event, timeout): &(&'static str, u32)| report::Trust {
        event,
        hash: codex::trust_hash(event, &command, *timeout),
    };
    format.events.iter().map(hash).collect()
}

fn print(args: &Args, command: &HookCommand, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let agent = chosen(args, context)?;
    let mut text = String::new();
    match agent.first().copied().flatten() {
        Some(agent) => match agent.writes {
            Writes::Json(format) => {
                let draft = format.add("", command);
                text.push_str(&draft.map(|draft| draft.text).unwrap_or_default());
            }
            Writes::Plugin => text = plugin::text(command),
        },
        None => {
            for (hook, reads) in git::HOOKS {
                text.push_str(&format!("# {hook}\n{}", git::script(hook, *reads, command)));
            }
        }
    }
    context.output.raw(text.as_bytes());
    Ok(ExitCode::Allowed)
}

#[cfg(test)]
mod tests;
