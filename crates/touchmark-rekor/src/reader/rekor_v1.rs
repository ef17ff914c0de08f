//! Rekor v1: entries and proofs through its API, since it has no tiles.

use touchmark_http::{Accept, Client, Deadline, Request, Url};
use touchmark_tlog::entry::MAX_ENTRY_JSON_BYTES;
use touchmark_tlog::entry::rekor_v1::{ApiConsistencyProof, ApiEntry, EntryUuid, LogInfo, parse_answer};

use super::ReaderError;

/// Reads one Rekor v1 service.
#[derive(Debug, Clone)]
pub struct RekorV1Reader {
    client: Client,
    service: Url,
    deadline: Option<Deadline>,
}

impl RekorV1Reader {
    /// Reads the service at this address.
    pub fn new(client: Client, service: &Url) -> Self {
        RekorV1Reader {
            client,
            service: service.clone(),
            deadline: None,
        }
    }

    /// Ends every read by this moment.
    #[must_use]
    pub fn by(mut self, deadline: Deadline) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Returns what the log says of its shards, unverified.
    pub fn log_info(&self) -> Result<LogInfo, ReaderError> {
        Ok(LogInfo::parse(&self.get(&self.api(["log"]), "log")?)?)
    }

    /// Returns the entry at a global index, unverified.
    pub fn entry_at(&self, index: u64) -> Result<ApiEntry, ReaderError> {
        let url = self
            .api(["log", "entries"])
            .with_query("logIndex", &index.to_string());
        Ok(parse_answer(&self.get(&url, "entry")?)?)
    }

    /// Returns the entry of a name, unverified but for its name.
    pub fn entry(&self, uuid: &EntryUuid) -> Result<ApiEntry, ReaderError> {
        let uuid = uuid.to_string();
        let url = self.api(["log", "entries", &uuid]);
        Ok(parse_answer(&self.get(&url, "entry")?)?)
    }

    /// Returns the proof that the tree of `new` leaves extends the one of `old`, unverified.
    pub fn consistency(&self, old: u64, new: u64, tree_id: u64) -> Result<ApiConsistencyProof, ReaderError> {
        let url = self
            .api(["log", "proof"])
            .with_query("firstSize", &old.to_string())
            .with_query("lastSize", &new.to_string())
            .with_query("treeID", &tree_id.to_string());
        Ok(ApiConsistencyProof::parse(&self.get(&url, "consistency proof")?)?)
    }

    fn api<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        self.service.join(["api", "v1"].into_iter().chain(segments))
    }

    fn get(&self, url: &Url, what: &str) -> Result<Vec<u8>, ReaderError> {
        let mut request = Request::get(url, Accept::Json).at_most(MAX_ENTRY_JSON_BYTES);
        if let Some(deadline) = self.deadline {
            request = request.by(deadline);
        }
        let response = self.client.send(request)?;
        match response.status {
            404 | 410 => Err(ReaderError::NotFound {
                what: what.to_owned(),
            }),
            _ => Ok(response.into_success("application/json")?),
        }
    }
}
