//! `touchmark trust fetch`: an instance's trust material, through TUF.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use touchmark_http::{Deadline, Url};
use touchmark_statement::digest::Sha256Digest;
use touchmark_trust::built_in;
use touchmark_trust::tuf::{self, Cache, Fetched, HttpTransport, Staleness, TufRepository};

use super::store::{self, Name};
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;
use crate::output::{Format, Schema};
use crate::pipeline::logs;

const MAX_ROOT_BYTES: u64 = touchmark_trust::limits::MAX_ROOT_BYTES;

/// Flags of `trust fetch`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The instance's name, by which policies and --trusted-root then call it [default: sigstore-public-good]
    #[arg(value_name = "NAME")]
    name: Option<Name>,
    /// The address of the TUF repository
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// The repository's TUF root, from which trust in it begins
    #[arg(long, value_name = "FILE", requires = "mirror")]
    root: Option<PathBuf>,
    /// Uses what was fetched before, verified anew, and no network
    #[arg(long)]
    offline: bool,
    /// With --offline, takes metadata for so long after it expired, such as 12h or 30d
    #[arg(long, value_name = "TIME", requires = "offline", value_parser = seconds)]
    stale_for: Option<u32>,
    /// How long the repository may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FetchedDocument<'a> {
    name: &'a str,
    repository: &'a str,
    offline: bool,
    trusted_root: FileRow,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_config: Option<FileRow>,
    root_version: u64,
    timestamp_version: u64,
    snapshot_version: u64,
    targets_version: u64,
    expires: String,
}

#[derive(Serialize)]
struct FileRow {
    file: String,
    digest: String,
}

/// Runs `trust fetch`.
pub(super) fn run(args: Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    let name = args.name.clone().unwrap_or_else(Name::public_good);
    let repository = repository(&name, &args, context)?;
    let cache = Cache::at(context.home.trust_cache());
    let now = context.now()?;
    let fetched = if args.offline {
        let staleness = args
            .stale_for
            .map_or(Staleness::Refused, |seconds| Staleness::AcceptedFor { seconds });
        if args.stale_for.is_some() {
            context
                .output
                .warn("metadata is taken although it may have expired, because --stale-for says so");
        }
        tuf::load(&repository, &cache, now, staleness)
    } else {
        let deadline = Deadline::after(Duration::from_secs(args.timeout));
        let transport = HttpTransport::new(logs::client(context)?, deadline);
        tuf::fetch(&repository, Arc::new(transport), &cache, now)
    };
    let fetched = fetched.map_err(|error| store::refused(&error))?;
    store::keep(&name, &repository, &fetched, context)?;
    say(&name, &repository, &fetched, args.offline, context)?;
    Ok(ExitCode::Allowed)
}

/// The repository that the flags name, else the one that this name was fetched from before, else the built-in one.
fn repository(name: &Name, args: &Args, context: &Context<'_>) -> Result<TufRepository, CliError> {
    let known = built_in(name.as_str());
    let new = |url: &str, root: Vec<u8>| {
        let url: Url = url.parse()?;
        TufRepository::new(&url, root).map_err(|error| store::refused(&error))
    };
    match (&args.mirror, &args.root, known) {
        (Some(_), Some(_), Some(_)) => Err(CliError::usage(
            "trust.name_built_in",
            format!("{} is built in, root and all", name.as_str()),
        )
        .hint("give the instance another name; a mirror of the built-in one takes no --root")),
        (Some(url), Some(file), None) => new(url, file_argument::read(&context.path(file), MAX_ROOT_BYTES)?),
        (Some(url), None, Some(known)) => new(url, known.tuf_root.to_vec()),
        (Some(_), None, None) => Err(CliError::usage(
            "trust.root_missing",
            format!(
                "nothing says where trust in the mirror of {} begins",
                name.as_str()
            ),
        )
        .hint("give its TUF root with --root FILE, as whoever runs it published it")),
        (None, _, Some(known)) => match store::known_repository(name, context)? {
            // A mirror that was named once stays in use; the root is always the built-in one.
            Some(before) => new(before.url().as_str(), known.tuf_root.to_vec()),
            None => new(known.tuf_url, known.tuf_root.to_vec()),
        },
        (None, _, None) => store::known_repository(name, context)?.ok_or_else(|| {
            CliError::usage(
                "trust.unknown_instance",
                format!("no instance called {} is known", name.as_str()),
            )
            .hint("give --mirror URL and --root FILE the first time")
        }),
    }
}

fn say(
    name: &Name,
    repository: &TufRepository,
    fetched: &Fetched,
    offline: bool,
    context: &Context<'_>,
) -> Result<(), CliError> {
    let row = |file: PathBuf, bytes: &Vec<u8>| FileRow {
        file: file.to_string_lossy().into_owned(),
        digest: format!("sha256:{}", Sha256Digest::of(bytes)),
    };
    let versions = &fetched.versions;
    let document = FetchedDocument {
        name: name.as_str(),
        repository: repository.url().as_str(),
        offline,
        trusted_root: row(name.root_file(context), &fetched.trusted_root),
        signing_config: fetched
            .signing_config
            .as_ref()
            .map(|config| row(name.signing_config_file(context), config)),
        root_version: versions.root,
        timestamp_version: versions.timestamp,
        snapshot_version: versions.snapshot,
        targets_version: versions.targets,
        expires: versions.expires.to_string(),
    };
    let output = context.output;
    match output.format() {
        Format::Json => return output.document(Schema::new("trust-fetch", 1), &document),
        Format::Text => {
            output.line(format!("{} from {}", name.as_str(), repository.url()));
            let files = [
                ("trusted root", Some(&document.trusted_root)),
                ("signing config", document.signing_config.as_ref()),
            ];
            for (what, file) in files {
                if let Some(file) = file {
                    output.line(format!("  {what:<15} {} {}", file.digest, file.file));
                }
            }
            output.line(format!(
                "  {:<15} root {}, timestamp {}, snapshot {}, targets {}; good until {}",
                "metadata",
                versions.root,
                versions.timestamp,
                versions.snapshot,
                versions.targets,
                versions.expires
            ));
            output.line(format!("use it with --trusted-root {}", name.as_str()));
        }
    }
    Ok(())
}

/// A time as people write it: a number and one of s, m, h, d.
fn seconds(text: &str) -> Result<u32, String> {
    let wrong = || "expected a number with s, m, h or d, such as 30d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number = text
        .strip_suffix(unit)
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let number: u32 = number.and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?;
    number.checked_mul(factor).ok_or_else(wrong)
}
