//! Where this user's data and configuration live.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::CliError;

/// The two folders of one user.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    data: PathBuf,
    config: PathBuf,
}

impl Home {
    /// Finds the folders: `TOUCHMARK_HOME`, else the XDG base directories, else their defaults below `HOME`.
    pub(crate) fn find(environment: &Environment) -> Result<Self, CliError> {
        if let Some(home) = environment.path("TOUCHMARK_HOME") {
            let home = std::path::absolute(&home).map_err(|e| CliError::io("home.unusable", &home, &e))?;
            return Ok(Self {
                data: home.join("data"),
                config: home.join("config"),
            });
        }
        let below_home = |folder: &str| {
            environment
                .path("HOME")
                .filter(|home| home.is_absolute())
                .map(|home| home.join(folder))
        };
        // XDG Base Directory 0.8: a relative path in these variables must be ignored.
        let base = |variable: &str, folder: &str| {
            environment
                .path(variable)
                .filter(|path| path.is_absolute())
                .or_else(|| below_home(folder))
                .map(|path| path.join("touchmark"))
                .ok_or_else(CliError::no_home)
        };
        Ok(Self {
            data: base("XDG_DATA_HOME", ".local/share")?,
            config: base("XDG_CONFIG_HOME", ".config")?,
        })
    }

    /// The data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The embedded log, unless the configuration names another folder.
    pub(crate) fn log(&self) -> PathBuf {
        self.data.join("log")
    }

    /// Run keys, prompts and steps.
    pub(crate) fn vault(&self) -> PathBuf {
        self.data.join("vault")
    }

    /// Signed statements that are not yet published.
    pub(crate) fn spool(&self) -> PathBuf {
        self.data.join("spool")
    }

    /// What agents' hooks left behind, and what is known of sessions.
    pub(crate) fn capture(&self) -> PathBuf {
        self.data.join("capture")
    }

    /// The user's configuration file.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// Fetched trusted roots and signing configs, by name.
    pub(crate) fn trust(&self) -> PathBuf {
        self.config.join("trust")
    }

    /// What trust repositories said before.
    pub(crate) fn trust_cache(&self) -> PathBuf {
        self.data.join("trust")
    }

    /// The folder of the user's keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.config.join("keys")
    }

    /// The key that `attest` makes on first use when none is configured.
    pub(crate) fn default_key(&self) -> PathBuf {
        self.keys().join("default.pem")
    }
}
