//! What token sources see of the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use touchmark_sign::keyless::token::{Surroundings, TOKEN_FILE};
use zeroize::Zeroizing;

use crate::context::Context;

/// The environment of one run.
pub(super) struct View<'a> {
    context: &'a Context<'a>,
}

impl<'a> View<'a> {
    pub(super) fn of(context: &'a Context<'a>) -> Self {
        View { context }
    }
}

impl Surroundings for View<'_> {
    fn variable(&self, name: &str) -> Option<Zeroizing<String>> {
        let value = self.context.environment.text(name)?;
        Some(Zeroizing::new(value.to_owned()))
    }

    fn variables_beginning(&self, prefix: &str) -> Vec<(OsString, OsString)> {
        self.context.environment.beginning(prefix)
    }

    fn program_folders(&self) -> Option<OsString> {
        self.context.environment.raw("PATH").map(OsString::from)
    }

    /// The folder at hand, and every repository above it.
    fn untrusted_folders(&self) -> Vec<PathBuf> {
        let directory = self.context.directory.as_path();
        let above = directory
            .ancestors()
            .filter(|folder| folder.join(".git").symlink_metadata().is_ok());
        above.chain([directory]).map(Path::to_owned).collect()
    }

    fn token_files(&self) -> Vec<PathBuf> {
        let configured = self.context.config.text("sigstore.identity-token-file");
        let configured = configured.map(|file| self.context.path(Path::new(file)));
        configured
            .into_iter()
            .chain([PathBuf::from(TOKEN_FILE)])
            .collect()
    }
}
