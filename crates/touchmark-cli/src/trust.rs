//! What the verifier trusts: roots and policies from flags, else from the user's configuration, else the user's own log.
//!
//! Nothing here comes from the checkout that is judged, but the policy at the protected tip, which is read as a blob of
//! the commit that the verifier named.

use std::path::{Path, PathBuf};

use touchmark_log::Log;
use touchmark_statement::digest::Sha256Digest;
use touchmark_tlog::witness_policy::WitnessPolicy;
use touchmark_trust::built_in;
use touchmark_verify::trust::TrustedRoot;

use crate::commands::trust::store;
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;

/// The name of the root that holds the user's own embedded log.
pub(crate) const LOCAL_ROOT: &str = "local";

/// The largest witness policy that is read.
const MAX_WITNESS_POLICY_BYTES: u64 = 1024 * 1024;

/// The flags that choose trusted roots and witness policies.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Trust")]
pub(crate) struct RootArgs {
    /// Trusts what this trusted root holds; give several as NAME=FILE. `sigstore-public-good` is built in
    #[arg(long = "trusted-root", value_name = "[NAME=]FILE")]
    files: Vec<String>,
    /// Witness policy (C2SP tlog-policy) that policies may name; give several as NAME=FILE
    #[arg(long = "witness-policy", value_name = "[NAME=]FILE")]
    witness_policies: Vec<String>,
}

/// A trusted root with the name that policies call it by.
#[derive(Debug)]
pub(crate) struct Root {
    /// The name.
    pub(crate) name: String,
    /// The root.
    pub(crate) root: TrustedRoot,
}

/// A witness policy with the name that policies call it by.
#[derive(Debug)]
pub(crate) struct NamedWitnesses {
    /// The name.
    pub(crate) name: String,
    /// The policy.
    pub(crate) policy: WitnessPolicy,
    /// The sha256 of its file.
    pub(crate) digest: Sha256Digest,
}

impl RootArgs {
    /// Loads the roots. There may be none: then nothing counts as logged.
    pub(crate) fn load(&self, context: &Context<'_>) -> Result<Vec<Root>, CliError> {
        let sigstore = self.sigstore(context);
        match (self.chosen(context), sigstore.is_empty()) {
            ([], true) => local(context),
            (chosen, _) => read_all(&[chosen, &sigstore].concat(), context),
        }
    }

    /// The root of the Sigstore instance that is configured; flags replace it like every other.
    fn sigstore(&self, context: &Context<'_>) -> Vec<String> {
        let configured = context.config.text("sigstore.trusted-root");
        let configured = configured.filter(|_| self.files.is_empty());
        configured
            .map(|file| format!("sigstore={file}"))
            .into_iter()
            .collect()
    }

    /// Loads the roots, and those built in that a policy names and nobody else gave.
    pub(crate) fn load_named<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        context: &Context<'_>,
    ) -> Result<Vec<Root>, CliError> {
        let mut roots = self.load(context)?;
        for name in names {
            if roots.iter().all(|root| root.name != name) {
                roots.extend(read_by_name(name, context)?);
            }
        }
        Ok(roots)
    }

    /// Loads the roots for bundles that no policy judges: where nobody chose, those built in too.
    pub(crate) fn load_for_bundles(&self, context: &Context<'_>) -> Result<Vec<Root>, CliError> {
        let mut roots = self.load(context)?;
        if self.chosen(context).is_empty() && self.sigstore(context).is_empty() {
            for known in touchmark_trust::built_in::all() {
                roots.extend(read_by_name(known.name, context)?);
            }
        }
        Ok(roots)
    }

    fn chosen<'c>(&'c self, context: &'c Context<'_>) -> &'c [String] {
        match self.files.as_slice() {
            [] => context.config.strings("trusted-roots"),
            files => files,
        }
    }

    /// Loads the witness policies: those given, else those configured.
    pub(crate) fn witness_policies(&self, context: &Context<'_>) -> Result<Vec<NamedWitnesses>, CliError> {
        let chosen = match self.witness_policies.as_slice() {
            [] => context.config.strings("witness-policies"),
            files => files,
        };
        let mut policies: Vec<NamedWitnesses> = Vec::new();
        for text in chosen {
            let (name, path) = split(text);
            if policies.iter().any(|known| known.name == name) {
                return Err(CliError::usage(
                    "trust.witness_policy_twice",
                    format!("two witness policies are called {name}"),
                )
                .hint("give each its own name: --witness-policy NAME=FILE"));
            }
            let path = context.path(&path);
            let bytes = file_argument::read(&path, MAX_WITNESS_POLICY_BYTES)?;
            let policy = WitnessPolicy::parse(&bytes).map_err(|error| {
                CliError::from_error(ExitCode::Usage, error.code(), &error)
                    .because(format_args!("in {}", path.display()))
            })?;
            policies.push(NamedWitnesses {
                name,
                policy,
                digest: Sha256Digest::of(&bytes),
            });
        }
        Ok(policies)
    }
}

impl RootArgs {
    /// Loads the one witness policy that counts where nothing names one: the one given. Those that are configured count
    /// where a policy names them.
    pub(crate) fn witness_policy(&self, context: &Context<'_>) -> Result<Option<WitnessPolicy>, CliError> {
        if self.witness_policies.is_empty() {
            return Ok(None);
        }
        let mut policies = self.witness_policies(context)?;
        let policy = policies.pop().map(|named| named.policy);
        if policies.is_empty() {
            return Ok(policy);
        }
        Err(CliError::usage(
            "trust.witness_policy_twice",
            "several witness policies were given, and none says which counts",
        )
        .hint("give one --witness-policy"))
    }
}

fn read_all(chosen: &[String], context: &Context<'_>) -> Result<Vec<Root>, CliError> {
    let mut roots: Vec<Root> = Vec::new();
    for text in chosen {
        let root = match read_by_name(text, context)? {
            Some(root) => root,
            None => {
                let (name, path) = split(text);
                Root {
                    root: load(&context.path(&path))?,
                    name,
                }
            }
        };
        if roots.iter().any(|known| known.name == root.name) {
            return Err(CliError::usage(
                "trust.root_name_twice",
                format!("two trusted roots are called {}", root.name),
            )
            .hint("give each its own name: --trusted-root NAME=FILE"));
        }
        roots.push(root);
    }
    Ok(roots)
}

/// A root that `trust fetch` left under this name, else a built-in one. A file of that name is never looked for: the
/// folder may be a repository under judgement.
fn read_by_name(name: &str, context: &Context<'_>) -> Result<Option<Root>, CliError> {
    let fetched = store::fetched_root(name, context)?;
    let known = fetched.or_else(|| built_in(name).map(|known| known.trusted_root.to_vec()));
    let root = known.map(|bytes| TrustedRoot::parse(&bytes)).transpose()?;
    // A log that nobody runs would count as the signer's own.
    let root = root.map(|root| match built_in(name) {
        Some(known) => root.with_log_operator(known.operator),
        None => root,
    });
    Ok(root.map(|root| Root {
        root,
        name: name.to_owned(),
    }))
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
