//! `touchmark config`: settings and where each came from.

use serde::Serialize;

use crate::cli::example;
use crate::config::{Config, Value};
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::output::{Format, Schema};

/// Flags of `config`.
#[derive(Debug, clap::Args)]
#[command(before_help = example("touchmark config list --show-origin", "touchmark config get agent"))]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Lists every setting
    #[command(before_help = example("touchmark config list", "touchmark config list --show-origin"))]
    List {
        /// Shows the file and line, variable or default behind each value
        #[arg(long)]
        show_origin: bool,
    },
    /// Prints one setting's value
    #[command(before_help = example("touchmark config get agent", "touchmark config get key"))]
    Get {
        /// The setting's name
        name: String,
    },
    /// Prints where your own configuration file is
    #[command(before_help = example("touchmark config path", "$EDITOR \"$(touchmark config path)\""))]
    Path,
}

#[derive(Serialize)]
struct Setting {
    name: &'static str,
    value: Option<String>,
    origin: Option<String>,
    trust: bool,
}

#[derive(Serialize)]
struct Settings {
    settings: Vec<Setting>,
}

/// Runs `config`.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    match args.action {
        Action::List { show_origin } => list(show_origin, context)?,
        Action::Get { name } => {
            let key = Config::key(&name)?;
            let value = context
                .config
                .list()
                .find(|(known, _)| known.name == key.name)
                .and_then(|(_, value)| value);
            match value {
                Some((value, _)) => context.output.line(value.to_string()),
                None => {
                    return Err(CliError::failed("config.not_set", format!("{name:?} is not set"))
                        .hint("`touchmark config list` shows every setting"));
                }
            }
        }
        Action::Path => context.output.line(context.home.config_file().to_string_lossy()),
    }
    Ok(ExitCode::Allowed)
}

fn list(show_origin: bool, context: &Context<'_>) -> Result<(), CliError> {
    let settings: Vec<Setting> = context
        .config
        .list()
        .map(|(key, value)| Setting {
            name: key.name,
            value: value.map(|(value, _): &(Value, _)| value.to_string()),
            origin: value.map(|(_, origin)| origin.to_string()),
            trust: key.trust,
        })
        .collect();
    if context.output.format() == Format::Json {
        return context
            .output
            .document(Schema::new("config", 1), &Settings { settings });
    }
    for setting in settings {
        let value = setting.value.as_deref().unwrap_or("(not set)");
        match setting.origin.filter(|_| show_origin) {
            Some(origin) => context
                .output
                .line(format!("{:<14} {value}    ({origin})", setting.name)),
            None => context.output.line(format!("{:<14} {value}", setting.name)),
        }
    }
    Ok(())
}
