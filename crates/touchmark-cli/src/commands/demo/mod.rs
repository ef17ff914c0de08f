//! `touchmark demo`: the main job from end to end, and the attacks on it, in a scratch folder with no network.
//!
//! Every line is printed as it is run, so that a person can repeat it; the demonstration fails if any line ends
//! otherwise than it has to.

mod export;
mod scenario;
mod shell;
mod tamper;

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::output::{Format, Schema};

use self::scenario::{ATTACKS, ATTEST, GOOD, Line, SET_UP, Story};
use self::shell::Shell;

/// Flags of `demo`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark demo", "touchmark demo --keep /tmp/touchmark-demo"))]
pub(crate) struct Args {
    /// Works in this new folder and leaves it there
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    #[command(subcommand)]
    part: Option<Part>,
}

/// The parts of the demonstration that are no commands of their own.
#[derive(Debug, clap::Subcommand)]
enum Part {
    /// Prints the recorded session as if it had worked in a folder
    #[command(before_help = example("touchmark demo session .", "touchmark demo session repo > session.jsonl"))]
    Session {
        /// The folder
        folder: PathBuf,
    },
    /// Writes the newest agent change and the newest review of a repository to files
    #[command(before_help = example("touchmark demo export change.json review.json", "touchmark -C repo demo export a.json b.json"))]
    Export {
        /// Where the agent change goes
        change: PathBuf,
        /// Where the review goes
        review: PathBuf,
    },
    /// Prints a bundle with one thing broken
    #[command(before_help = example("touchmark demo tamper alter-proof change.json", "touchmark demo tamper splice-entry change.json review.json"))]
    Tamper {
        /// What is broken
        #[command(subcommand)]
        what: tamper::Tamper,
    },
}

#[derive(Serialize)]
struct Report {
    stories: Vec<StoryReport>,
    passed: bool,
}

#[derive(Serialize)]
struct StoryReport {
    folder: &'static str,
    title: &'static str,
    lines: Vec<LineReport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LineReport {
    command: &'static str,
    exit: Option<i32>,
    expected_exit: i32,
    expected_text: &'static str,
    passed: bool,
}

/// Runs `demo`. Ends with 0 only if every line ended as it has to.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    match args.part {
        Some(Part::Session { folder }) => return session(&context.path(&folder), context),
        Some(Part::Export { change, review }) => return export::run(&change, &review, context),
        Some(Part::Tamper { what }) => return tamper::run(&what, context),
        None => {}
    }
    let started = Instant::now();
    let scratch = Scratch::make(args.keep.as_deref().map(|folder| context.path(folder)))?;
    let folder = scratch.path();
    context.output.note(format!("working in {}", folder.display()));
    let shell = Shell::prepare(
        folder,
        context.environment.raw("PATH").map(std::ffi::OsStr::to_owned),
    )?;
    let mut told = Teller {
        shell: &shell,
        folder,
        context,
        stories: Vec::new(),
    };
    for story in [&SET_UP, &ATTEST, &GOOD].into_iter().chain(ATTACKS) {
        told.tell(story)?;
    }
    let stories = told.stories;
    let is_wrong = |story: &&StoryReport| story.lines.iter().any(|line| !line.passed);
    let failed: Vec<&str> = stories
        .iter()
        .filter(is_wrong)
        .map(|story| story.folder)
        .collect();
    let report = Report {
        passed: failed.is_empty(),
        stories,
    };
    if context.output.format() == Format::Json {
        context.output.document(Schema::new("demo", 1), &report)?;
    }
    if !failed.is_empty() {
        // What was told stays told: it says which line went wrong, and how.
        context.output.warn(format!(
            "[demo.unexpected]: not as it has to be: {}",
            failed.join(", ")
        ));
        return Ok(ExitCode::Error);
    }
    if context.output.format() == Format::Text {
        context.output.line(format!(
            "\n{} attacks, each refused with its own reason; the good case is proven ({:.1} s)",
            ATTACKS.len(),
            started.elapsed().as_secs_f64()
        ));
        context.output.line(if scratch.is_kept() {
            format!("repeat any line: cd {}/attested && . ../env.sh", folder.display())
        } else {
            "touchmark demo --keep DIR leaves the folder, to repeat any of it by hand".to_owned()
        });
    }
    Ok(ExitCode::Allowed)
}

/// Tells stories: prints lines, runs them, holds their ends against what has to be.
struct Teller<'a, 'c> {
    shell: &'a Shell,
    folder: &'a Path,
    context: &'a Context<'c>,
    stories: Vec<StoryReport>,
}

impl Teller<'_, '_> {
    fn tell(&mut self, story: &Story) -> Result<(), CliError> {
        self.say(&format!("\n# {}", story.title));
        match story.from {
            None => make_folder(&self.folder.join(story.folder))?,
            Some(original) => {
                self.say(&format!("$ cp -R {original} {0} && cd {0}", story.folder));
                let line = format!("cp -R ../{original}/. .");
                make_folder(&self.folder.join(story.folder))?;
                let done = self.shell.run(story.folder, &line)?;
                if done.status != Some(0) {
                    return Err(
                        CliError::failed("demo.folder_unusable", "the good case cannot be copied")
                            .because(done.output),
                    );
                }
            }
        }
        let mut lines = Vec::new();
        for line in story.lines {
            lines.push(self.run(story.folder, line)?);
        }
        self.stories.push(StoryReport {
            folder: story.folder,
            title: story.title,
            lines,
        });
        Ok(())
    }

    fn run(&self, folder: &str, line: &Line) -> Result<LineReport, CliError> {
        self.say(&format!("$ {}", line.text));
        let done = self.shell.run(folder, line.text)?;
        let passed = done.status == Some(line.exit) && done.output.contains(line.says);
        if !passed {
            let ended = done
                .status
                .map_or_else(|| "by a signal".to_owned(), |status| status.to_string());
            self.say(&done.output);
            self.say(&format!(
                "FAIL: ended with {ended}, has to end with {} and say {:?}",
                line.exit, line.says
            ));
        } else if line.exit != 0 || !line.says.is_empty() {
            let outcome = if line.exit == 0 {
                "as it has to be"
            } else {
                "refused, as it has to be"
            };
            let says = if line.says.is_empty() {
                String::new()
            } else {
                format!(", {}", line.says)
            };
            self.say(&format!("  exit {}{says}: {outcome}", line.exit));
        }
        Ok(LineReport {
            command: line.text,
            exit: done.status,
            expected_exit: line.exit,
            expected_text: line.says,
            passed,
        })
    }

    /// The story is talk under JSON, and data otherwise.
    fn say(&self, text: &str) {
        match self.context.output.format() {
            Format::Json => self.context.output.note(text),
            Format::Text => self.context.output.line(text),
        }
    }
}

fn make_folder(path: &Path) -> Result<(), CliError> {
    std::fs::create_dir(path).map_err(|error| CliError::io("demo.folder_unusable", path, &error))
}

/// The folder: a temporary one that goes away, or one that the user named.
enum Scratch {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

impl Scratch {
    fn make(keep: Option<PathBuf>) -> Result<Self, CliError> {
        match keep {
            Some(folder) => {
                make_folder(&folder).map_err(|error| error.hint("name a folder that does not exist yet"))?;
                Ok(Self::Kept(folder))
            }
            None => tempfile::Builder::new()
                .prefix("touchmark-demo-")
                .tempdir()
                .map(Self::Temporary)
                .map_err(|error| CliError::io("demo.folder_unusable", &std::env::temp_dir(), &error)),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }

    fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

/// Prints the recorded session with `folder` in place of the one it was recorded in.
fn session(folder: &Path, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let folder = folder
        .canonicalize()
        .map_err(|error| CliError::io("demo.folder_unusable", folder, &error))?;
    let text = folder
        .to_str()
        .filter(|text| !text.contains(['"', '\\']) && !text.chars().any(char::is_control));
    let text = text.ok_or_else(|| {
        CliError::usage(
            "demo.folder_unusable",
            "the folder's name does not fit into a session",
        )
    })?;
    context.output.raw(
        scenario::SESSION
            .replace(scenario::RECORDED_FOLDER, text)
            .as_bytes(),
    );
    Ok(ExitCode::Allowed)
}
