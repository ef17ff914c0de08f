//! What the verifier trusts: roots and policies from flags, else from the user's configuration, else the user's own log.
//!
//! Nothing here comes from the checkout that is judged, but the policy at the protected tip, which is read as a blob of
//! the commit that the verifier named.

use std::path::{Path, PathBuf};

use touchmark_log::Log;
use touchmark_verify::trust::TrustedRoot;

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;

/// The name of the root that holds the user's own embedded log.
pub(crate) const LOCAL_ROOT: &str = "local";

/// The flags that choose trusted roots.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Trust")]
pub(crate) struct RootArgs {
    /// Trusts the logs of this trusted root; give several as NAME=FILE
    #[arg(long = "trusted-root", value_name = "[NAME=]FILE")]
    files: Vec<String>,
}

/// A trusted root with the name that policies call it by.
#[derive(Debug)]
pub(crate) struct Root {
    /// The name.
    pub(crate) name: String,
    /// The root.
    pub(crate) root: TrustedRoot,
}

impl RootArgs {
    /// Loads the roots. There may be none: then nothing counts as logged.
    pub(crate) fn load(&self, context: &Context<'_>) -> Result<Vec<Root>, CliError> {
        let configured = context.config.strings("trusted-roots");
        let named = if self.files.is_empty() {
            configured
        } else {
            self.files.as_slice()
        };
        if named.is_empty() {
            return local(context);
        }
        let mut roots: Vec<Root> = Vec::new();
        for text in named {
            let (name, path) = split(text);
            if roots.iter().any(|root| root.name == name) {
                return Err(CliError::usage(
                    "trust.root_name_twice",
                    format!("two trusted roots are called {name}"),
                )
                .hint("give each its own name: --trusted-root NAME=FILE"));
            }
            roots.push(Root {
                root: load(&context.path(&path))?,
                name,
            });
        }
        Ok(roots)
    }
}

/// `NAME=FILE`, or `FILE`, whose name is then the file's without its ending.
fn split(text: &str) -> (String, PathBuf) {
    if let Some((name, path)) = text.split_once('=')
        && !name.is_empty()
        && !name.contains('/')
    {
        return (name.to_owned(), PathBuf::from(path));
    }
    let path = PathBuf::from(text);
    let name = path
        .file_stem()
        .map_or_else(|| text.to_owned(), |stem| stem.to_string_lossy().into_owned());
    (name, path)
}

fn load(path: &Path) -> Result<TrustedRoot, CliError> {
    let bytes = file_argument::read(path, touchmark_verify::limits::MAX_TRUSTED_ROOT_BYTES as u64)?;
    TrustedRoot::parse(&bytes).map_err(|error| {
        CliError::from_error(ExitCode::Usage, error.code(), &error)
            .because(format_args!("in {}", path.display()))
            .hint("a trusted root is a file that you chose; `touchmark log root` prints that of an embedded log")
    })
}

/// The user's own embedded log. It has no operator, so that a policy has to allow it by name.
fn local(context: &Context<'_>) -> Result<Vec<Root>, CliError> {
    let folder = crate::pipeline::log_folder(context);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let log =
        Log::open(&folder).map_err(|error| CliError::from_error(ExitCode::Error, error.code(), &error))?;
    let root = TrustedRoot::from_logs(vec![log.trusted_log()])
        .map_err(|error| CliError::from_error(ExitCode::Usage, error.code(), &error))?;
    Ok(vec![Root {
        name: LOCAL_ROOT.to_owned(),
        root,
    }])
}
