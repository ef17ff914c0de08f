//! Where the bytes of a repository come from.

use touchmark_http::{Accept, Client, Deadline, HttpError, Request, Url};

/// A source of files, by address. Waits on the calling thread.
pub trait Transport: Send + Sync {
    /// Returns the file at an address, or `None` where there is none; never more than `max_bytes`.
    fn get(&self, url: &Url, max_bytes: u64) -> Result<Option<Vec<u8>>, HttpError>;
}

/// Files over HTTP, all of them by one deadline.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: Client,
    deadline: Deadline,
}

impl HttpTransport {
    /// Returns a transport whose exchanges are over by the deadline, however many there are.
    pub fn new(client: Client, deadline: Deadline) -> Self {
        Self { client, deadline }
    }
}

impl Transport for HttpTransport {
    fn get(&self, url: &Url, max_bytes: u64) -> Result<Option<Vec<u8>>, HttpError> {
        let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        let request = Request::get(url, Accept::Any)
            .by(self.deadline)
            .at_most(max_bytes);
        let response = self.client.send(request)?;
        match response.status {
            200 => Ok(Some(response.body)),
            // Object stores answer 403 for what is not there; a client that stopped at it could not find the last root.
            403 | 404 => Ok(None),
            _ => Err(response.into_status_error()),
        }
    }
}
