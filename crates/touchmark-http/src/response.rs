//! What came back. A status is a fact, not an error: what it means is the caller's to say.

use std::fmt;

use crate::error::HttpError;
use crate::retry_after::RetryAfter;
use crate::url::Url;

/// The headers that are kept.
pub(crate) const KEPT: [&str; 7] = [
    "content-type",
    "date",
    "etag",
    "last-modified",
    "location",
    "retry-after",
    "x-log-index",
];

/// An answer, read to its end.
#[derive(Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The body, whole.
    pub body: Vec<u8>,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) retry_after: Option<RetryAfter>,
}

impl Response {
    /// Returns a header: `content-type`, `date`, `etag`, `last-modified`, `location`, `retry-after` or `x-log-index`.
    ///
    /// One that came twice, or that is not text, counts as absent.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(kept, _)| *kept == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// Returns the media type of the body, in lower case and without its parameters.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        let kind = value.split(';').next()?.trim();
        (!kind.is_empty()).then(|| kind.to_ascii_lowercase())
    }

    /// Returns how long the server asks to be left alone, under the client's cap.
    pub fn retry_after(&self) -> Option<RetryAfter> {
        self.retry_after
    }

    /// Returns whether the status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns whether the same request may well be answered later: 408, 425, 429 and every 5xx but 501 and 505.
    pub fn is_worth_retrying(&self) -> bool {
        matches!(self.status, 408 | 425 | 429)
            || ((500..600).contains(&self.status) && !matches!(self.status, 501 | 505))
    }

    /// Returns the address that was answered, without its query.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the body if the status is a success and the media type is the one that is expected.
    pub fn into_success(self, media_type: &str) -> Result<Vec<u8>, HttpError> {
        if !self.is_success() {
            return Err(self.into_status_error());
        }
        self.expect_media_type(media_type)?;
        Ok(self.body)
    }

    /// Refuses another media type than this one.
    pub fn expect_media_type(&self, media_type: &str) -> Result<(), HttpError> {
        let found = self.media_type();
        if found.as_deref() == Some(media_type) {
            return Ok(());
        }
        Err(HttpError::ContentType {
            url: self.url.clone(),
            expected: media_type.to_owned(),
            found: shorten(found.as_deref().unwrap_or("none")),
        })
    }

    /// Turns an answer that is no success into an error.
    pub fn into_status_error(self) -> HttpError {
        HttpError::Status {
            status: self.status,
            retry_after: self.retry_after,
            url: self.url,
        }
    }
}

/// Enough of a foreign text to know it by.
fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("url", &self.url)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
