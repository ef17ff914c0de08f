//! What reaches the terminal, a pipe or a file.
//!
//! Standard output is data and is written once, when the command has succeeded in saying all of it; standard error is
//! talk. Everything that came from evidence or from a repository passes [`escape`].

mod document;
pub(crate) mod escape;

use std::cell::{Cell, RefCell};
use std::io::{IsTerminal, Write};

use serde::Serialize;

pub(crate) use document::Schema;

use crate::environment::Environment;
use crate::error::{CliError, ExitCode};

/// How data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document that carries its schema id and version.
    Json,
}

/// When colour is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless the environment says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The program's two streams.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
    stderr_color: bool,
    data: RefCell<Vec<u8>>,
    must_be_read: Cell<bool>,
    status: Cell<u8>,
}

impl Output {
    /// Decides colour once: flag, `NO_COLOR`, `FORCE_COLOR`/`CLICOLOR_FORCE`, `CLICOLOR`, then the terminal.
    pub(crate) fn new(format: Format, color: Color, quiet: bool, environment: &Environment) -> Self {
        let decide = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if environment.raw("NO_COLOR").is_some() => false,
            Color::Auto if forced(environment) => true,
            Color::Auto => {
                terminal
                    && environment.text("CLICOLOR") != Some("0")
                    && environment.text("TERM") != Some("dumb")
            }
        };
        Self {
            format,
            quiet,
            stderr_color: decide(std::io::stderr().is_terminal()),
            data: RefCell::new(Vec::new()),
            must_be_read: Cell::new(false),
            status: Cell::new(0),
        }
    }

    /// The format that was asked for.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Adds text to standard output, escaped in block mode, and a line feed.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        self.raw(escape::block(text.as_ref()).as_bytes());
        self.raw(b"\n");
    }

    /// Adds text whose untrusted parts the renderer has already escaped (it may hold our own colour sequences), and a
    /// line feed.
    pub(crate) fn rendered(&self, text: impl AsRef<str>) {
        self.raw(text.as_ref().as_bytes());
        self.raw(b"\n");
    }

    /// Adds bytes as they are: keys, notes, bundles, completion scripts.
    pub(crate) fn raw(&self, bytes: &[u8]) {
        self.data.borrow_mut().extend_from_slice(bytes);
    }

    /// Adds one JSON document with its schema id and version.
    pub(crate) fn document<T: Serialize>(&self, schema: Schema, value: &T) -> Result<(), CliError> {
        let bytes = document::encode(schema, value)?;
        self.raw(&bytes);
        Ok(())
    }

    /// Adds one JSON document that carries its schema itself.
    pub(crate) fn json<T: Serialize>(&self, value: &T) -> Result<(), CliError> {
        let bytes = document::encode_value(value)?;
        self.raw(&bytes);
        Ok(())
    }

    /// Says something on standard error, unless `--quiet`.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            self.talk("", "", text.as_ref());
        }
    }

    /// Warns on standard error.
    pub(crate) fn warn(&self, text: impl AsRef<str>) {
        self.talk("warning", "33", text.as_ref());
    }

    /// Reports a failure: as words on standard error, and as a document on standard output when JSON was asked for.
    pub(crate) fn error(&self, error: &CliError) {
        self.complain(error);
        if self.format == Format::Json
            && let Ok(bytes) = document::encode(Schema::ERROR, &document::ErrorDocument::of(error))
        {
            self.raw(&bytes);
        }
    }

    /// Reports on standard error a failure that the command's own document speaks of.
    pub(crate) fn complain(&self, error: &CliError) {
        // Each part may quote what others wrote: a line feed in it must not begin a line of its own.
        let mut text = format!("[{}]: {}", error.code(), escape::inline(error.message()));
        for cause in error.causes() {
            text.push_str(&format!("\n  caused by: {}", escape::inline(cause)));
        }
        if let Some(hint) = error.help() {
            text.push_str(&format!("\n  hint: {}", escape::inline(hint)));
        }
        self.talk("error", "31", &text);
    }

    /// Forgets the data: the command did not finish saying it.
    pub(crate) fn discard(&self) {
        self.data.borrow_mut().clear();
    }

    /// Says that standard output holds a verdict: a success that nobody could read is then an error.
    pub(crate) fn must_be_read(&self) {
        self.must_be_read.set(true);
    }

    /// Ends the process with the status of a command that was run, whatever comes of ours, unless it is 0.
    pub(crate) fn leave_with(&self, status: u8) {
        self.status.set(status);
    }

    /// Returns how the process ends: as the command that was run where that failed, else as we do.
    pub(crate) fn status(&self, exit: ExitCode) -> u8 {
        match self.status.get() {
            0 => exit.number(),
            status => status,
        }
    }

    /// Writes what was added so far, for commands that run on. Tells whether anybody could read it.
    pub(crate) fn pass_on(&self) -> bool {
        let data = std::mem::take(&mut *self.data.borrow_mut());
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&data).and_then(|()| stdout.flush()).is_ok()
    }

    /// Writes standard output. A closed pipe is quiet and keeps the exit code, but for a verdict; any other failure
    /// turns a success into an error, since the reader did not get the answer.
    pub(crate) fn finish(&self, exit: ExitCode) -> ExitCode {
        let data = self.data.borrow();
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(&data).and_then(|()| stdout.flush()) {
            Ok(()) => exit,
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => match exit {
                ExitCode::Allowed if self.must_be_read.get() => ExitCode::Error,
                exit => exit,
            },
            Err(error) => {
                self.talk(
                    "error",
                    "31",
                    &format!("[output.unwritable]: cannot write to standard output: {error}"),
                );
                if exit == ExitCode::Allowed {
                    ExitCode::Error
                } else {
                    exit
                }
            }
        }
    }

    fn talk(&self, label: &str, color: &str, text: &str) {
        let text = escape::block(text);
        let separator = if label.is_empty() || text.starts_with('[') {
            ""
        } else {
            ": "
        };
        let line = if self.stderr_color && !label.is_empty() {
            format!("\u{1b}[1;{color}m{label}\u{1b}[0m{separator}{text}\n")
        } else {
            format!("{label}{separator}{text}\n")
        };
        // Nobody is left to tell when standard error is closed.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

fn forced(environment: &Environment) -> bool {
    ["FORCE_COLOR", "CLICOLOR_FORCE"]
        .iter()
        .any(|name| environment.text(name).is_some_and(|value| value != "0"))
}
