//! Which logs statements go to: flags, else the environment's or the configuration's services, else the embedded log.
//!
//! A service is only ever chosen by the user, never by the repository, and its answers are believed only under the
//! trusted roots that the user chose: an address alone can misdirect a statement, but cannot vouch for it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use touchmark_http::{Certificates, Client, Deadline, Options, Proxy, Url};
use touchmark_log::Log;
use touchmark_rekor::spool::{LogAddress, Target};
use touchmark_rekor::{ApiVersion, PublishError, Publisher, connect};
use touchmark_sign::keyless::signing_config::{
    MAX_SIGNING_CONFIG_BYTES, SigningConfig, SigningConfigError, SigningConfigFile,
};
use touchmark_trust::built_in;
use touchmark_verify::trust::{TrustedLog, TrustedRoot};

use super::embedded::Embedded;
use super::{LOCAL_LOG, LOG_NAME, log_folder};
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;
use crate::trust::RootArgs;

/// Largest file of certificates.
const MAX_CA_BYTES: u64 = 1024 * 1024;
/// Variables that would put somebody between us and a service.
const INTERCEPTING: &[&str] = &[
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "all_proxy",
    "https_proxy",
    "http_proxy",
];
/// Variables that change which certificates the system trusts.
const CERTIFICATES: &[&str] = &["SSL_CERT_DIR", "SSL_CERT_FILE"];

/// The flags that choose where statements are logged.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Log")]
pub(crate) struct LogArgs {
    /// The Rekor log to publish to, in place of the embedded one; its key must be in a trusted root
    #[arg(long, value_name = "URL", conflicts_with = "signing_config")]
    rekor_url: Option<String>,
    /// What --rekor-url speaks [default: 2]
    #[arg(long, value_name = "1|2", requires = "rekor_url", value_parser = clap::value_parser!(u64).range(1..=2))]
    rekor_version: Option<u64>,
    /// A Sigstore signing config that names the services to use: a file, or the name of an instance
    #[arg(long, value_name = "FILE|NAME")]
    signing_config: Option<std::path::PathBuf>,
    #[command(flatten)]
    roots: RootArgs,
    /// How long the logs may take, and the authorities of certificates and of time before them, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    log_timeout: Option<u64>,
    /// Publishes to this log without asking, now and for this repository from now on
    #[arg(long)]
    yes: bool,
}

impl LogArgs {
    /// Whether somebody agreed on the command line.
    pub(crate) fn is_agreed(&self) -> bool {
        self.yes
    }

    /// Whether a flag names logs.
    pub(crate) fn names_logs(&self) -> bool {
        self.rekor_url.is_some() || self.signing_config.is_some()
    }

    /// Returns the variable that chooses the log, where no flag does.
    pub(crate) fn variable(&self, context: &Context<'_>) -> Option<&'static str> {
        let names = ["TOUCHMARK_REKOR_URL", "SIGSTORE_REKOR_URL"];
        let is_set = |name: &&str| context.environment.text(name).is_some();
        names.into_iter().find(is_set).filter(|_| !self.names_logs())
    }

    /// Returns the flags that choose trusted roots.
    pub(crate) fn roots(&self) -> &RootArgs {
        &self.roots
    }

    /// Returns the signing config that a flag or the configuration names.
    pub(crate) fn signing_config(&self, context: &Context<'_>) -> Result<Option<SigningConfig>, CliError> {
        let configured = || context.config.text("sigstore.signing-config").map(Into::into);
        let file: Option<std::path::PathBuf> = self.signing_config.clone().or_else(configured);
        file.map(|file| read_signing_config(&file, context)).transpose()
    }

    /// Returns when waiting for the logs ends.
    pub(crate) fn deadline(&self, built_in: Duration) -> Deadline {
        Deadline::after(self.timeout(built_in))
    }

    /// Returns how long one service may take.
    pub(crate) fn timeout(&self, built_in: Duration) -> Duration {
        self.log_timeout.map_or(built_in, Duration::from_secs)
    }

    /// Returns the logs that a statement signed now is meant for.
    pub(crate) fn targets(&self, context: &Context<'_>) -> Result<Vec<Target>, CliError> {
        let version = self.rekor_version;
        if let Some(url) = &self.rekor_url {
            return Ok(vec![service(url, version.unwrap_or(2))?]);
        }
        if let Some(file) = &self.signing_config {
            return from_signing_config(file, context);
        }
        if let Some(name) = self.variable(context)
            && let Some(url) = context.environment.text(name)
        {
            context.output.note(format!("the log is chosen by {name}"));
            return Ok(vec![service(url, configured_version(context)?)?]);
        }
        if let Some(url) = context.config.text("sigstore.rekor-url") {
            return Ok(vec![service(url, configured_version(context)?)?]);
        }
        if let Some(file) = context.config.text("sigstore.signing-config") {
            return from_signing_config(Path::new(file), context);
        }
        Ok(vec![Target::new(LogAddress::Embedded(LOCAL_LOG.to_owned()))])
    }
}

fn configured_version(context: &Context<'_>) -> Result<u64, CliError> {
    match context.config.text("sigstore.rekor-version") {
        None | Some("2") => Ok(2),
        Some("1") => Ok(1),
        Some(other) => Err(CliError::usage(
            "rekor.api_version",
            format!("there is no Rekor of version {other:?}"),
        )
        .hint("set sigstore.rekor-version to \"1\" or \"2\"")),
    }
}

fn service(url: &str, version: u64) -> Result<Target, CliError> {
    let url: Url = url.parse()?;
    let version = ApiVersion::from_number(version).ok_or_else(|| {
        CliError::usage(
            "rekor.api_version",
            format!("there is no Rekor of version {version}"),
        )
    })?;
    Ok(Target::new(LogAddress::Service { url, version }))
}

fn from_signing_config(path: &Path, context: &Context<'_>) -> Result<Vec<Target>, CliError> {
    let config = read_signing_config(path, context)?;
    let logs = config
        .logs(context.now()?)
        .map_err(|error| refused_config(&error, path))?;
    logs.into_iter()
        .map(|log| service(log.url.as_str(), log.major_api_version))
        .collect()
}

/// Reads what was fetched or built in under this name, or a file. A name alone never means a file of that name: the
/// folder at hand may be a repository, which chooses no services.
fn read_signing_config(given: &Path, context: &Context<'_>) -> Result<SigningConfig, CliError> {
    let name = given
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let path = &context.path(given);
    let fetched = context.home.trust().join(format!("{name}.signing_config.json"));
    let is_name = given.as_os_str() == name && (fetched.exists() || built_in(name).is_some());
    let bytes = if path.exists() && !is_name {
        file_argument::read(path, MAX_SIGNING_CONFIG_BYTES as u64)?
    } else if fetched.exists() {
        file_argument::read(&fetched, MAX_SIGNING_CONFIG_BYTES as u64)?
    } else if let Some(known) = built_in(name) {
        known.signing_config.to_vec()
    } else {
        file_argument::read(path, MAX_SIGNING_CONFIG_BYTES as u64)?
    };
    let file = SigningConfigFile::parse(&bytes).map_err(|error| refused_config(&error, path))?;
    Ok(file.signing_config)
}

fn refused_config(error: &SigningConfigError, path: &Path) -> CliError {
    CliError::from_error(ExitCode::Usage, error.code(), error)
        .because(format_args!("in {}", path.display()))
        .hint("a signing config names the services to use, and is given by whoever runs them")
}

/// Why a log cannot be published to in this run.
#[derive(Debug, Clone)]
struct Closed {
    code: &'static str,
    message: String,
    is_worth_retrying: bool,
}

/// The publishers of the logs that are needed, each made once.
pub(crate) struct Logs {
    publishers: HashMap<LogAddress, Result<Arc<dyn Publisher>, Closed>>,
    /// The roots whose logs are believed, for verifying what was logged.
    pub(super) roots: Vec<TrustedRoot>,
}

impl Logs {
    /// Makes the publishers of these logs.
    pub(crate) fn open(
        addresses: impl IntoIterator<Item = LogAddress>,
        args: &LogArgs,
        context: &Context<'_>,
    ) -> Result<Self, CliError> {
        let mut logs = Logs {
            publishers: HashMap::new(),
            roots: Vec::new(),
        };
        let mut services: Option<(Client, TrustedRoot)> = None;
        for address in addresses {
            if logs.publishers.contains_key(&address) {
                continue;
            }
            let publisher: Result<Arc<dyn Publisher>, Closed> = match &address {
                LogAddress::Embedded(name) if name == LOCAL_LOG => logs.embedded(context)?,
                LogAddress::Embedded(name) => Err(Closed {
                    code: "spool.destination",
                    message: format!("there is no log called {name}"),
                    is_worth_retrying: false,
                }),
                LogAddress::Service { url, version } => {
                    let (client, root) = match services {
                        Some(ref services) => services,
                        None => services.insert(logs.services(args, context)?),
                    };
                    Ok(connect(client, url, *version, root))
                }
            };
            logs.publishers.insert(address, publisher);
        }
        Ok(logs)
    }

    /// Returns the publisher of a log.
    pub(super) fn publisher(&self, address: &LogAddress) -> Result<Arc<dyn Publisher>, PublishError> {
        let closed = match self.publishers.get(address) {
            Some(Ok(publisher)) => return Ok(publisher.clone()),
            Some(Err(closed)) => closed.clone(),
            // The entry was given another log since this run began.
            None => Closed {
                code: "spool.busy",
                message: format!("{address} is not open in this run"),
                is_worth_retrying: true,
            },
        };
        Err(PublishError::Other {
            code: closed.code,
            is_worth_retrying: closed.is_worth_retrying,
            source: closed.message.into(),
        })
    }

    /// The user's own log. One that cannot be used now holds up what is meant for it, and nothing else.
    fn embedded(&mut self, context: &Context<'_>) -> Result<Result<Arc<dyn Publisher>, Closed>, CliError> {
        match Log::open_or_create(&log_folder(context), LOG_NAME) {
            Ok(log) => {
                self.roots.push(TrustedRoot::from_logs(vec![log.trusted_log()])?);
                Ok(Ok(Arc::new(Embedded(log))))
            }
            Err(error) => Ok(Err(Closed {
                code: error.code(),
                message: error.to_string(),
                is_worth_retrying: true,
            })),
        }
    }

    /// The client for services and the logs whose answers are believed.
    fn services(&mut self, args: &LogArgs, context: &Context<'_>) -> Result<(Client, TrustedRoot), CliError> {
        let mut logs: Vec<TrustedLog> = Vec::new();
        for root in args.roots.load(context)? {
            for log in root.root.logs() {
                if logs.iter().all(|known| known.log_id != log.log_id) {
                    logs.push(log.clone());
                }
            }
            self.roots.push(root.root);
        }
        Ok((client(context)?, TrustedRoot::from_logs(logs)?))
    }
}

/// Makes the client: no proxy and no certificates but those of the user's own configuration.
pub(crate) fn client(context: &Context<'_>) -> Result<Client, CliError> {
    let mut options = Options::default();
    if let Some(proxy) = context.config.text("network.proxy") {
        options.proxy = Some(Proxy::parse(proxy)?);
    } else if let Some(name) = context.environment.set_among(INTERCEPTING).first() {
        context.output.warn(format!(
            "{name} is ignored: set network.proxy in your own configuration to go through a proxy"
        ));
    }
    if let Some(file) = context.config.text("network.ca-file") {
        let pem = file_argument::read(&context.path(Path::new(file)), MAX_CA_BYTES)?;
        options.certificates = Certificates::system_and(&pem, file)?;
    }
    for name in context.environment.set_among(CERTIFICATES) {
        context
            .output
            .warn(format!("{name} decides which certificates https trusts here"));
    }
    let client = Client::new(options)?;
    if let Some(proxy) = &client.conditions().proxy {
        context
            .output
            .note(format!("services are reached through the proxy {proxy}"));
    }
    Ok(client)
}
