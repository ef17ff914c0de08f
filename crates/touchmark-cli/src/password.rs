//! Where a key's password comes from: a descriptor, the environment, or a question without echo.

use std::io::IsTerminal;

use touchmark_sign::password::Password;

use crate::context::Context;
use crate::error::CliError;
use crate::interrupt;

/// The flag that names a descriptor.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
#[command(next_help_heading = "Password")]
pub(crate) struct PasswordArgs {
    /// Reads the key's password from this file descriptor
    #[arg(long, value_name = "N")]
    pub(crate) password_fd: Option<u32>,
}

impl PasswordArgs {
    /// Returns the password of a key that exists: descriptor, `TOUCHMARK_PASSWORD`, `COSIGN_PASSWORD`, question.
    pub(crate) fn existing(self, context: &Context<'_>, key: &str) -> Result<Password, CliError> {
        match self.given(context)? {
            Some(password) => Ok(password),
            None => ask(&format!("Password for {key}: "), context),
        }
    }

    /// Returns the password for a new key; a question is asked twice.
    pub(crate) fn new_key(self, context: &Context<'_>) -> Result<Password, CliError> {
        if let Some(password) = self.given(context)? {
            return refuse_empty(password);
        }
        let first = read("Password for the new key: ", context)?;
        let second = read("The same password again: ", context)?;
        if first != second {
            return Err(CliError::usage("password.differs", "the two passwords differ"));
        }
        refuse_empty(Password::new(first.as_bytes())?)
    }

    fn given(self, context: &Context<'_>) -> Result<Option<Password>, CliError> {
        if let Some(descriptor) = self.password_fd {
            return Ok(Some(Password::from_descriptor(descriptor)?));
        }
        let variable = ["TOUCHMARK_PASSWORD", "COSIGN_PASSWORD"]
            .iter()
            .find_map(|name| context.environment.raw(name));
        variable
            .map(|value| Ok(Password::new(value.as_encoded_bytes())?))
            .transpose()
    }
}

fn refuse_empty(password: Password) -> Result<Password, CliError> {
    if password.is_empty() {
        return Err(CliError::usage(
            "key.password_empty",
            "an empty password cannot protect a private key",
        )
        .hint("choose a password, or say --plain for a key without one"));
    }
    Ok(password)
}

fn ask(question: &str, context: &Context<'_>) -> Result<Password, CliError> {
    Ok(Password::new(read(question, context)?.as_bytes())?)
}

fn read(question: &str, _context: &Context<'_>) -> Result<zeroize::Zeroizing<String>, CliError> {
    let nobody = || {
        CliError::usage(
            "key.password_required",
            "the key needs a password and there is no terminal to ask on",
        )
        .hint("set TOUCHMARK_PASSWORD or use --password-fd")
    };
    if !std::io::stdin().is_terminal() {
        return Err(nobody());
    }
    interrupt::remember_terminal();
    rpassword::prompt_password(crate::output::escape::inline(question))
        .map(zeroize::Zeroizing::new)
        .map_err(|_| nobody())
}
