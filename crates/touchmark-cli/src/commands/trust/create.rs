//! `touchmark trust create`: trusted roots and signing configs from parts.
#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "the words of flags have brackets that are no links"
)]

use std::path::PathBuf;

use touchmark_trust::create::{
    AuthorityPart, CreateError, LogKey, LogPart, RootVersion, Selector, ServicePart, SigningConfigParts,
    TrustedRootParts,
};

use super::part::Part;
use crate::cli::example;
use crate::context::Context;
use crate::error::{CliError, ExitCode};

const LOG_KEYS: &[&str] = &[
    "url",
    "public-key",
    "start-time",
    "end-time",
    "origin",
    "operator",
];
const AUTHORITY_KEYS: &[&str] = &["url", "certificate-chain", "start-time", "end-time", "operator"];
const SERVICE_KEYS: &[&str] = &["url", "api-version", "start-time", "end-time", "operator"];

/// Flags of `trust create`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Makes a trusted root
    #[command(before_help = example(
        "touchmark trust create root --rekor public-key=log.vkey,start-time=2026-01-01T00:00:00Z --output trusted_root.json",
        "touchmark trust create root --fulcio url=https://ca.example,certificate-chain=ca.pem --tsa url=https://tsa.example/api/v1/timestamp,certificate-chain=tsa.pem --rekor url=https://log.example,public-key=log.pub,origin=log.example,start-time=2026-01-01T00:00:00Z"
    ))]
    Root(RootArgs),
    /// Makes a signing config
    #[command(before_help = example(
        "touchmark trust create signing-config --rekor url=https://log.example,api-version=2,operator=acme,start-time=2026-01-01T00:00:00Z",
        "touchmark trust create signing-config --fulcio url=https://ca.example,api-version=1,operator=acme,start-time=2026-01-01T00:00:00Z --output signing_config.json"
    ))]
    SigningConfig(ServiceArgs),
}

#[derive(Debug, clap::Args)]
struct RootArgs {
    /// A certificate authority: url=URL,certificate-chain=FILE[,start-time=TIME][,end-time=TIME][,operator=NAME]
    #[arg(long, value_name = "PART")]
    fulcio: Vec<String>,
    /// A certificate log: url=URL,public-key=FILE,start-time=TIME[,end-time=TIME][,operator=NAME]
    #[arg(long, value_name = "PART")]
    ctfe: Vec<String>,
    /// A log: url=URL,public-key=FILE,start-time=TIME[,origin=NAME][,end-time=TIME][,operator=NAME]; a Rekor v2 log needs
    /// its origin, which a note key brings along
    #[arg(long, value_name = "PART")]
    rekor: Vec<String>,
    /// A timestamp authority: url=URL,certificate-chain=FILE[,start-time=TIME][,end-time=TIME][,operator=NAME]
    #[arg(long, value_name = "PART")]
    tsa: Vec<String>,
    /// The version of the format; cosign 3.1 does not read 0.2
    #[arg(long, value_name = "0.1|0.2", default_value = "0.1", value_parser = ["0.1", "0.2"])]
    media_version: String,
    /// Writes to this file, in place of what was there
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct ServiceArgs {
    /// A certificate authority: url=URL,api-version=1,start-time=TIME,operator=NAME[,end-time=TIME]
    #[arg(long, value_name = "PART")]
    fulcio: Vec<String>,
    /// An identity provider, with the same keys
    #[arg(long, value_name = "PART")]
    oidc_provider: Vec<String>,
    /// A log, with the same keys; its api-version is 1 or 2
    #[arg(long, value_name = "PART")]
    rekor: Vec<String>,
    /// How many logs are used: ANY, ALL or EXACT:NUMBER
    #[arg(long, value_name = "SELECTOR", default_value = "ANY", value_parser = selector)]
    rekor_config: Selector,
    /// A timestamp authority, with the same keys; its url is the whole path
    #[arg(long, value_name = "PART")]
    tsa: Vec<String>,
    /// How many timestamp authorities are used: ANY, ALL or EXACT:NUMBER
    #[arg(long, value_name = "SELECTOR", default_value = "ANY", value_parser = selector)]
    tsa_config: Selector,
    /// Writes to this file, in place of what was there
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs `trust create`.
pub(super) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let (json, output) = match args.what {
        What::Root(args) => (root(&args, context)?, args.output),
        What::SigningConfig(args) => (signing_config(&args)?, args.output),
    };
    match output {
        None => context.output.raw(&json),
        Some(file) => {
            let path = context.path(&file);
            let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
            else {
                return Err(CliError::usage(
                    "file.not_regular",
                    format!("{} is not the name of a file", path.display()),
                ));
            };
            if !folder.is_dir() {
                return Err(CliError::usage(
                    "file.missing",
                    format!("{} is no folder", folder.display()),
                ));
            }
            replace(folder, name, &json)?;
            context.output.note(format!("wrote {}", path.display()));
        }
    }
    Ok(ExitCode::Allowed)
}

fn replace(folder: &std::path::Path, name: &str, json: &[u8]) -> Result<(), CliError> {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join(name);
    let write = || {
        let mut file = tempfile::Builder::new()
            .permissions(std::fs::Permissions::from_mode(0o644))
            .tempfile_in(folder)?;
        file.write_all(json)?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)
    };
    write()
        .map(drop)
        .map_err(|error: std::io::Error| CliError::io("file.unwritable", &path, &error))
}

fn root(args: &RootArgs, context: &Context<'_>) -> Result<Vec<u8>, CliError> {
    let parts = TrustedRootParts {
        logs: each("rekor", &args.rekor, |text| log("rekor", text, context))?,
        certificate_authorities: each("fulcio", &args.fulcio, |text| authority("fulcio", text, context))?,
        certificate_logs: each("ctfe", &args.ctfe, |text| log("ctfe", text, context))?,
        timestamp_authorities: each("tsa", &args.tsa, |text| authority("tsa", text, context))?,
    };
    let version = match args.media_version.as_str() {
        "0.2" => RootVersion::V02,
        _ => RootVersion::V01,
    };
    parts.encode(version).map_err(|error| refused(&error))
}

fn each<T>(
    flag: &'static str,
    texts: &[String],
    make: impl Fn(&str) -> Result<T, CliError>,
) -> Result<Vec<T>, CliError> {
    let made = texts.iter().map(|text| make(text));
    made.collect::<Result<_, _>>()
        .map_err(|error| error.because(format_args!("in --{flag}")))
}

fn log(flag: &'static str, text: &str, context: &Context<'_>) -> Result<LogPart, CliError> {
    let part = Part::parse(flag, text, LOG_KEYS)?;
    let key = LogKey::parse(&part.file("public-key", context)?).map_err(|error| refused(&error))?;
    let window = part.window()?;
    // A note key is that of a log whose checkpoints it names.
    let named = key.name().map(str::to_owned).filter(|_| flag == "rekor");
    let made = match part.optional("origin").map(str::to_owned).or(named) {
        Some(origin) => LogPart::with_origin(part.optional("url"), &origin, key, window),
        None => LogPart::new(part.text("url")?, key, window),
    };
    let made = made.map_err(|error| refused(&error))?;
    Ok(made.run_by(part.optional("operator").map(str::to_owned)))
}

fn authority(flag: &'static str, text: &str, context: &Context<'_>) -> Result<AuthorityPart, CliError> {
    let part = Part::parse(flag, text, AUTHORITY_KEYS)?;
    let chain = part.file("certificate-chain", context)?;
    let made = AuthorityPart::new(
        part.text("url")?,
        &chain,
        part.time("start-time")?,
        part.time("end-time")?,
    );
    let made = made.map_err(|error| refused(&error))?;
    Ok(made.run_by(part.optional("operator").map(str::to_owned)))
}

fn signing_config(args: &ServiceArgs) -> Result<Vec<u8>, CliError> {
    let services = |flag, texts: &[String]| each(flag, texts, |text| service(flag, text));
    let parts = SigningConfigParts {
        certificate_authorities: services("fulcio", &args.fulcio)?,
        identity_providers: services("oidc-provider", &args.oidc_provider)?,
        logs: services("rekor", &args.rekor)?,
        log_selector: args.rekor_config,
        timestamp_authorities: services("tsa", &args.tsa)?,
        timestamp_selector: args.tsa_config,
    };
    let json = parts.encode().map_err(|error| refused(&error))?;
    // What signing would refuse is not written.
    touchmark_sign::keyless::signing_config::SigningConfig::parse(&json)
        .map_err(|error| CliError::from_error(ExitCode::Usage, error.code(), &error))?;
    Ok(json)
}

fn service(flag: &'static str, text: &str) -> Result<ServicePart, CliError> {
    let part = Part::parse(flag, text, SERVICE_KEYS)?;
    let made = ServicePart::new(
        part.text("url")?,
        part.number("api-version")?,
        part.window()?,
        part.text("operator")?,
    );
    made.map_err(|error| refused(&error))
}

fn selector(text: &str) -> Result<Selector, String> {
    match text.split_once(':') {
        None if text == "ANY" => Ok(Selector::Any),
        None if text == "ALL" => Ok(Selector::All),
        Some(("EXACT", count)) => count
            .parse()
            .map(Selector::Exact)
            .map_err(|_| "EXACT:NUMBER takes a number".to_owned()),
        _ => Err("expected ANY, ALL or EXACT:NUMBER".to_owned()),
    }
}

fn refused(error: &CreateError) -> CliError {
    let made = CliError::from_error(ExitCode::Usage, error.code(), error);
    match error {
        CreateError::Origin { origin, .. } => made.hint(format!(
            "give url=https://{origin}, or leave url out: it is a name here and is not asked"
        )),
        CreateError::PrivateKey => made.hint("give the file of the public key; trust material is public"),
        _ => made,
    }
}
