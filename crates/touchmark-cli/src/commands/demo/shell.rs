//! Runs the demonstration's commands, each a line that a person can type.
//!
//! A line goes to `sh -c` exactly as it is printed. The environment is emptied and rebuilt, so that nothing of the
//! user's (keys, configuration, git settings) takes part, and nothing leaves the folder.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::CliError;

/// A folder with commands run in it.
#[derive(Debug)]
pub(super) struct Shell {
    folder: PathBuf,
    path: OsString,
}

/// What a line did.
#[derive(Debug)]
pub(super) struct Done {
    /// Its exit code; `None` when a signal ended it.
    pub(super) status: Option<i32>,
    /// Its standard output and standard error, in this order.
    pub(super) output: String,
}

impl Shell {
    /// Prepares `folder`: `bin/touchmark` leads to this very program, and `env.sh` sets what the lines below need.
    pub(super) fn prepare(folder: &Path, search_path: Option<OsString>) -> Result<Self, CliError> {
        let bin = folder.join("bin");
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error: std::io::Error| CliError::io("demo.folder_unusable", &path, &error)
        };
        std::fs::create_dir_all(&bin).map_err(failed(&bin))?;
        let program = std::env::current_exe().map_err(failed(Path::new("touchmark")))?;
        let link = bin.join("touchmark");
        symlink(&program, &link).map_err(failed(&link))?;
        let mut path = bin.clone().into_os_string();
        path.push(":");
        path.push(search_path.unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin")));
        let script = folder.join("env.sh");
        std::fs::write(&script, ENVIRONMENT).map_err(failed(&script))?;
        Ok(Self {
            folder: folder.to_owned(),
            path,
        })
    }

    /// Runs one line in `below`, a folder of the scratch folder.
    pub(super) fn run(&self, below: &str, line: &str) -> Result<Done, CliError> {
        let world = self.folder.join(below);
        let output = Command::new("/bin/sh")
            .args(["-e", "-c", line])
            .current_dir(&world)
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", &world)
            .env("TOUCHMARK_HOME", world.join("home"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LC_ALL", "C.UTF-8")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| CliError::io("demo.shell_unusable", Path::new("/bin/sh"), &error))?;
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Ok(Done {
            status: output.status.code(),
            output: text,
        })
    }
}

const ENVIRONMENT: &str = "\
# Source this in a case's folder (good/, 01-…/) before repeating its commands.
export PATH=\"$(cd .. && pwd)/bin:$PATH\" HOME=\"$PWD\" TOUCHMARK_HOME=\"$PWD/home\"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 LC_ALL=C.UTF-8
";
