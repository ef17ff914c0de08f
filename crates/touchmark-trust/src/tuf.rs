//! The Update Framework: trust material of an instance, kept current from a root that somebody pinned.
//!
//! The client workflow (thresholds, versions, expiry, lengths and digests) is `sigstore-tuf`'s; the time, the bytes and
//! the cache are ours. Before that library sees a file, it is held against what the library does not ask: that the JSON
//! means one thing only, that no role counts one key twice under two names, and that no target is named like a way out
//! of a folder. <https://theupdateframework.github.io/specification/v1.0.33/>

mod cache;
mod error;
mod inspect;
mod session;
mod source;
mod target;
mod transport;

use std::sync::Arc;

use touchmark_http::Url;
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::trust::TrustedRoot;

pub use cache::Cache;
pub use error::TufError;
pub use session::{Session, Versions};
pub use target::TargetPath;
pub use transport::{HttpTransport, Transport};

/// The target that holds the trusted root.
pub const TRUSTED_ROOT_TARGET: &str = "trusted_root.json";
/// The target that holds the signing config.
pub const SIGNING_CONFIG_TARGET: &str = "signing_config.v0.2.json";

/// A repository, and the root from which trust in it begins.
#[derive(Debug, Clone)]
pub struct TufRepository {
    url: Url,
    root: Vec<u8>,
    identity: Sha256Digest,
}

impl TufRepository {
    /// Returns the repository at this address with this root, which must be signed by its own keys.
    pub fn new(url: &Url, root: Vec<u8>) -> Result<Self, TufError> {
        inspect::metadata("root.json", &root)?;
        sigstore_tuf::TrustedMetadataSet::from_root(&root).map_err(TufError::from_library)?;
        // Both belong to it: one root may serve several mirrors, and one address may be given several roots.
        let described = format!(
            "touchmark tuf cache v1\n{}\n{}\n",
            url.as_str().trim_end_matches('/'),
            Sha256Digest::of(&root)
        );
        Ok(Self {
            url: url.clone(),
            identity: Sha256Digest::of(described.as_bytes()),
            root,
        })
    }

    /// Returns its address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the root from which trust in it begins.
    pub fn root(&self) -> &[u8] {
        &self.root
    }

    /// Returns what its cache is named after: address and root.
    pub fn identity(&self) -> Sha256Digest {
        self.identity
    }
}

/// Trust material that a repository vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The trusted root, JSON.
    pub trusted_root: Vec<u8>,
    /// The signing config, JSON, where there is one.
    pub signing_config: Option<Vec<u8>>,
    /// What the repository's metadata says of itself.
    pub versions: Versions,
}

/// How old metadata may be that is read without a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staleness {
    /// Metadata that has expired is refused, as it is on a network.
    Refused,
    /// Metadata is taken for so many seconds after it expired. Somebody decided that explicitly.
    AcceptedFor {
        /// How many.
        seconds: u32,
    },
}

/// Fetches the trust material of a repository as of `at`, and keeps it in the cache.
pub fn fetch(
    repository: &TufRepository,
    transport: Arc<dyn Transport>,
    cache: &Cache,
    at: Timestamp,
) -> Result<Fetched, TufError> {
    material(Session::online(repository, transport, cache, at)?)
}

/// Loads from the cache alone what an earlier [`fetch`] left there, verified anew as of `at`.
pub fn load(
    repository: &TufRepository,
    cache: &Cache,
    at: Timestamp,
    staleness: Staleness,
) -> Result<Fetched, TufError> {
    material(Session::offline(repository, cache, at, staleness)?)
}

fn material(mut session: Session) -> Result<Fetched, TufError> {
    let found = read(&mut session);
    // What was verified before a failure stays known, or the failure could be used to go back.
    match found {
        Ok(found) => session.finish().map(|()| found),
        Err(error) => {
            session.give_up();
            Err(error)
        }
    }
}

fn read(session: &mut Session) -> Result<Fetched, TufError> {
    session.refresh()?;
    let trusted_root = session.target(&TargetPath::known(TRUSTED_ROOT_TARGET))?;
    let parsed = TrustedRoot::parse(&trusted_root)?;
    if parsed.logs().is_empty() && parsed.certificate_authorities().is_empty() {
        return Err(TufError::Empty);
    }
    let signing_config = match session.target(&TargetPath::known(SIGNING_CONFIG_TARGET)) {
        Ok(config) => Some(config),
        Err(TufError::TargetMissing { .. }) => None,
        Err(error) => return Err(error),
    };
    Ok(Fetched {
        trusted_root,
        signing_config,
        versions: session.versions()?,
    })
}
