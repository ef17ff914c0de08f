//! What every command gets: where it runs, what is configured, what time it is and where to write.

use std::path::PathBuf;

use chrono::Utc;
use touchmark_statement::timestamp::Timestamp;

use crate::cli::Global;
use crate::config::Config;
use crate::environment::{self, Environment};
use crate::error::CliError;
use crate::home::Home;
use crate::output::Output;

/// The surroundings of one invocation.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// Both streams.
    pub(crate) output: &'a Output,
    /// The environment as it was at the start.
    pub(crate) environment: Environment,
    /// The user's folders.
    pub(crate) home: Home,
    /// Settings below the flags.
    pub(crate) config: Config,
    /// The folder the command works in: `-C`, else the current one.
    pub(crate) directory: PathBuf,
    at: Option<Timestamp>,
}

impl<'a> Context<'a> {
    /// Gathers everything; fails on configuration that cannot be trusted or understood.
    pub(crate) fn new(
        global: &Global,
        environment: Environment,
        output: &'a Output,
    ) -> Result<Self, CliError> {
        let current = std::env::current_dir().map_err(|e| {
            CliError::failed("cli.no_directory", "the current folder is not usable").because(e)
        })?;
        let directory = match &global.directory {
            Some(directory) => current.join(directory),
            None => current,
        };
        let home = Home::find(&environment)?;
        let config = Config::load(&home, &environment, &directory)?;
        for name in environment.set_among(environment::IGNORED) {
            output.warn(format!(
                "{name} is ignored: the environment cannot choose keys, logs, roots or policies"
            ));
        }
        Ok(Self {
            output,
            environment,
            home,
            config,
            directory,
            at: global.at,
        })
    }

    /// The time: `--at`, else the clock.
    #[allow(clippy::disallowed_methods, reason = "the one place where the clock is read")]
    pub(crate) fn now(&self) -> Result<Timestamp, CliError> {
        match self.at {
            Some(at) => Ok(at),
            None => Ok(Timestamp::from_unix(Utc::now().timestamp())?),
        }
    }

    /// A path given on the command line, below `directory` when it is relative.
    pub(crate) fn path(&self, path: &std::path::Path) -> PathBuf {
        self.directory.join(path)
    }
}
