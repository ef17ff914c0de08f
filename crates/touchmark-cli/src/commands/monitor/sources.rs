//! Where logs are read from: an address, or the folder of an embedded log.

use std::error::Error as StdError;
use std::path::PathBuf;

use touchmark_http::{Client, Url};
use touchmark_rekor::monitor::{LogReader, ReadError, TileLog, rekor_v1_trees};
use touchmark_rekor::reader::{ReaderError, RekorV1Reader, TileReader};
use touchmark_verify::trust::TrustedLog;

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::pipeline;
use crate::trust::{LOCAL_ROOT, Root};

/// A log that is followed.
#[derive(Debug)]
pub(super) struct Source {
    /// The log.
    pub(super) log: TrustedLog,
    /// The position of its trusted root.
    pub(super) root: usize,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Directory(PathBuf),
    Address { client: Client, url: Url },
}

/// Finds the place of each log: those named, else every log of the trusted roots under its own name.
pub(super) fn resolve(
    named: &[String],
    roots: &[Root],
    context: &Context<'_>,
) -> Result<Vec<Source>, CliError> {
    let client = pipeline::logs::client(context)?;
    let mut sources = Vec::new();
    for text in named {
        let (origin, place) = match text.split_once('=') {
            Some((origin, place)) if !origin.contains('/') => (Some(origin), place),
            _ => (None, text.as_str()),
        };
        let place = place_of(place, &client, context)?;
        let (root, log) = trusted(origin, &place, roots)?;
        sources.push(Source { log, root, place });
    }
    if named.is_empty() {
        for (index, root) in roots.iter().enumerate() {
            for log in root.root.logs() {
                let place = if root.name == LOCAL_ROOT {
                    Place::Directory(pipeline::log_folder(context))
                } else {
                    address(&format!("https://{}", log.origin), &client)?
                };
                sources.push(Source {
                    log: log.clone(),
                    root: index,
                    place,
                });
            }
        }
    }
    if sources.is_empty() {
        return Err(
            CliError::usage("trust.no_root", "no trusted root names a log to follow")
                .hint("give --trusted-root FILE"),
        );
    }
    Ok(sources)
}

fn place_of(text: &str, client: &Client, context: &Context<'_>) -> Result<Place, CliError> {
    if text.contains("://") {
        return address(text, client);
    }
    Ok(Place::Directory(context.path(&PathBuf::from(text))))
}

fn address(text: &str, client: &Client) -> Result<Place, CliError> {
    let url = text.parse().map_err(|error: touchmark_http::HttpError| {
        CliError::from_error(ExitCode::Usage, error.code(), &error)
    })?;
    Ok(Place::Address {
        client: client.clone(),
        url,
    })
}

/// The log of the trusted roots that is meant: by its origin, by the host of its address, or the only one there is.
fn trusted(origin: Option<&str>, place: &Place, roots: &[Root]) -> Result<(usize, TrustedLog), CliError> {
    let logs: Vec<(usize, &TrustedLog)> = roots
        .iter()
        .enumerate()
        .flat_map(|(index, root)| root.root.logs().iter().map(move |log| (index, log)))
        .collect();
    let by_name = |name: &str| logs.iter().find(|(_, log)| log.origin == name);
    let found = match (origin, place) {
        (Some(origin), _) => by_name(origin),
        (None, Place::Address { url, .. }) => by_name(url.host()).or(match logs.as_slice() {
            [only] => Some(only),
            _ => None,
        }),
        (None, Place::Directory(_)) => match logs.as_slice() {
            [only] => Some(only),
            _ => None,
        },
    };
    let (index, log) = found.ok_or_else(|| {
        let known: Vec<&str> = logs.iter().map(|(_, log)| log.origin.as_str()).collect();
        CliError::usage("monitor.log_unknown", "no trusted root has this log")
            .because(format!("known: {}", known.join(", ")))
            .hint("say which one it is: --log ORIGIN=URL")
    })?;
    Ok((*index, (*log).clone()))
}

impl Source {
    /// The trees to read, of which all but a Rekor v1 log have one. Which interface the log offers is found by asking;
    /// nothing depends on the answer but how it is read.
    pub(super) fn trees(&self) -> Result<Vec<Box<dyn LogReader>>, ReadError> {
        let tiles = |tiles: TileReader| -> Vec<Box<dyn LogReader>> { vec![Box::new(TileLog::new(tiles))] };
        let (client, url) = match &self.place {
            Place::Directory(folder) => return Ok(tiles(TileReader::directory(folder))),
            Place::Address { client, url } => (client, url),
        };
        for reader in [
            TileReader::rekor_v2(client.clone(), url),
            TileReader::at(client.clone(), url.clone()),
        ] {
            match reader.checkpoint() {
                Ok(_) => return Ok(tiles(reader)),
                Err(ReaderError::NotFound { .. }) => {}
                Err(error) => return Err(ReadError::new("its checkpoint", error.code(), error)),
            }
        }
        let trees = rekor_v1_trees(&RekorV1Reader::new(client.clone(), url))?;
        Ok(trees
            .into_iter()
            .map(|tree| Box::new(tree) as Box<dyn LogReader>)
            .collect())
    }
}

/// An error with its causes, in one line.
pub(super) fn words(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    for _ in 0..8 {
        let Some(cause) = source else { break };
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
