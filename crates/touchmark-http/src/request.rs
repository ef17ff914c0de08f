//! What is asked: method, address, body, and a credential that goes to one host only.

use std::fmt;

use zeroize::Zeroizing;

use crate::deadline::Deadline;
use crate::error::HttpError;
use crate::url::Url;

/// The kind of answer that is asked for. Servers may answer with another; the caller looks at what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// `application/json`.
    Json,
    /// `text/plain`.
    Text,
    /// `application/octet-stream`.
    Bytes,
    /// `application/timestamp-reply` (RFC 3161 §3.4).
    TimestampReply,
    /// `application/pem-certificate-chain`.
    PemChain,
    /// Anything.
    Any,
}

impl Accept {
    pub(crate) fn header(self) -> &'static str {
        match self {
            Accept::Json => "application/json",
            Accept::Text => "text/plain",
            Accept::Bytes => "application/octet-stream",
            Accept::TimestampReply => "application/timestamp-reply",
            Accept::PemChain => "application/pem-certificate-chain",
            Accept::Any => "*/*",
        }
    }
}

/// The kind of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// `application/json`.
    Json,
    /// `application/timestamp-query` (RFC 3161 §3.4).
    TimestampQuery,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `text/plain; charset=utf-8`.
    Text,
    /// `application/octet-stream`.
    Bytes,
}

impl ContentType {
    pub(crate) fn header(self) -> &'static str {
        match self {
            ContentType::Json => "application/json",
            ContentType::TimestampQuery => "application/timestamp-query",
            ContentType::Form => "application/x-www-form-urlencoded",
            ContentType::Text => "text/plain; charset=utf-8",
            ContentType::Bytes => "application/octet-stream",
        }
    }
}

/// Text that is never shown and is wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps text secret.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(Zeroizing::new(text.into()))
    }

    /// Returns the text. For the wire only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// A bearer token together with the host that it was made for.
#[derive(Debug, Clone)]
pub struct Credential {
    token: Secret,
    host: Url,
}

impl Credential {
    /// Binds a bearer token to scheme, host and port of an address.
    pub fn bearer(token: Secret, host: &Url) -> Self {
        Credential {
            token,
            host: host.clone(),
        }
    }

    /// Returns the header's value for a request to `url`; another host than the token's gets none and is an error.
    pub(crate) fn header_for(&self, url: &Url) -> Result<Zeroizing<String>, HttpError> {
        if self.host.has_origin_of(url) {
            Ok(Zeroizing::new(format!("Bearer {}", self.token.reveal())))
        } else {
            Err(HttpError::CredentialOtherHost {
                host: self.host.origin(),
                url: url.clone(),
            })
        }
    }
}

/// One request. `Debug` shows the length of a body, not the body: tokens travel in bodies too.
#[derive(Clone)]
pub struct Request {
    pub(crate) url: Url,
    pub(crate) accept: Accept,
    pub(crate) body: Option<(ContentType, Zeroizing<Vec<u8>>)>,
    /// A body is put at the address, in place of being posted to it.
    pub(crate) puts: bool,
    pub(crate) credential: Option<Credential>,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) max_body_bytes: Option<usize>,
}

impl Request {
    /// Asks for what is at an address.
    pub fn get(url: &Url, accept: Accept) -> Self {
        Request {
            url: url.clone(),
            accept,
            body: None,
            puts: false,
            credential: None,
            deadline: None,
            max_body_bytes: None,
        }
    }

    /// Posts a body to an address.
    pub fn post(url: &Url, content_type: ContentType, body: impl Into<Vec<u8>>, accept: Accept) -> Self {
        Request {
            body: Some((content_type, Zeroizing::new(body.into()))),
            ..Request::get(url, accept)
        }
    }

    /// Puts a body at an address.
    pub fn put(url: &Url, content_type: ContentType, body: impl Into<Vec<u8>>, accept: Accept) -> Self {
        Request {
            puts: true,
            ..Request::post(url, content_type, body, accept)
        }
    }

    /// Adds a bearer token; it is sent to its own host only.
    #[must_use]
    pub fn with_credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Ends the exchange by this moment, if the client's own limit does not end it before.
    #[must_use]
    pub fn by(mut self, deadline: Deadline) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Takes an answer of at most so many bytes; the client's own cap holds as well.
    #[must_use]
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.max_body_bytes = Some(bytes);
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("url", &self.url)
            .field("accept", &self.accept)
            .field("body_bytes", &self.body.as_ref().map(|(_, body)| body.len()))
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}
