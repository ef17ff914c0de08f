//! Why an exchange did not happen or did not end with an answer.

use std::error::Error;
use std::time::Duration;

use thiserror::Error;

use crate::retry_after::RetryAfter;
use crate::url::Url;

/// The cause below, whose text names no address.
type Cause = Box<dyn Error + Send + Sync>;

/// An exchange that failed, or a setting that is refused. No variant holds a credential.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The text is no address of a service.
    #[error("not an address of a service: expected https://HOST/…")]
    Url,
    /// The address carries a user name or password.
    #[error("the address carries a user name or a password")]
    UrlCredentials,
    /// Plain HTTP to another machine.
    #[error("http to {host} is refused: only this machine is reached without https")]
    InsecureUrl {
        /// The host.
        host: String,
    },
    /// The address is link-local or none at all.
    #[error("{host} is a link-local address, where no service of ours is")]
    LinkLocal {
        /// The host or address.
        host: String,
    },
    /// The name has no address.
    #[error("{} has no address", url.host())]
    Resolve {
        /// The address asked.
        url: Url,
        /// What is wrong.
        #[source]
        source: Cause,
    },
    /// There is no connection.
    #[error("no connection to {}", url.origin())]
    Connect {
        /// The address asked.
        url: Url,
        /// What is wrong.
        #[source]
        source: Cause,
    },
    /// The encrypted connection is refused, by us or by the server.
    #[error("no trusted connection to {}", url.origin())]
    Tls {
        /// The address asked.
        url: Url,
        /// What is wrong.
        #[source]
        source: Cause,
    },
    /// The connection ended before the answer did.
    #[error("the connection to {} ended before the answer did", url.origin())]
    Broken {
        /// The address asked.
        url: Url,
        /// What is wrong.
        #[source]
        source: Cause,
    },
    /// The server sent nothing for too long.
    #[error("{} sent nothing for {:?}", url.origin(), after)]
    Stalled {
        /// The address asked.
        url: Url,
        /// How long was waited.
        after: Duration,
    },
    /// The exchange was not over by its deadline.
    #[error("the exchange with {} was not over by its deadline", url.origin())]
    Deadline {
        /// The address asked.
        url: Url,
    },
    /// The answer leads to another host or port.
    #[error("{} answers with a redirect to another host", url.origin())]
    RedirectOtherHost {
        /// The address asked.
        url: Url,
    },
    /// The answer leads from `https` to something else.
    #[error("{} answers with a redirect to another scheme", url.origin())]
    RedirectOtherScheme {
        /// The address asked.
        url: Url,
    },
    /// The answer is a redirect that is not followed: to nowhere, for a request with a body, or one of too many.
    #[error("{} answers with a redirect that is not followed", url.origin())]
    Redirect {
        /// The address asked.
        url: Url,
    },
    /// A credential would go to another host than its own.
    #[error("a credential for {host} is not sent to {}", url.origin())]
    CredentialOtherHost {
        /// The credential's host.
        host: String,
        /// The address asked.
        url: Url,
    },
    /// The bytes are no HTTP.
    #[error("{} does not speak HTTP", url.origin())]
    Malformed {
        /// The address asked.
        url: Url,
        /// What is wrong.
        #[source]
        source: Cause,
    },
    /// The answer is larger than it may be.
    #[error("the answer of {url} is larger than {max} bytes")]
    TooLarge {
        /// The address asked.
        url: Url,
        /// The cap.
        max: usize,
    },
    /// The body is compressed, which nobody asked for.
    #[error("the answer of {url} is compressed, which was not asked for")]
    Encoded {
        /// The address asked.
        url: Url,
    },
    /// The body is of another media type.
    #[error("the answer of {url} should be {expected}, found {found:?}")]
    ContentType {
        /// The address asked.
        url: Url,
        /// The media type expected.
        expected: String,
        /// The media type found.
        found: String,
    },
    /// The status is no success.
    #[error("{url} answers with status {status}")]
    Status {
        /// The address asked.
        url: Url,
        /// The status.
        status: u16,
        /// How long the server asks to be left alone.
        retry_after: Option<RetryAfter>,
    },
    /// The request cannot be sent, such as a token with a line break in it.
    #[error("the request to {} cannot be sent", url.origin())]
    Unsendable {
        /// The address.
        url: Url,
    },
    /// The certificates to trust cannot be read.
    #[error("the certificates to trust for https cannot be used")]
    Certificates {
        /// What is wrong.
        #[source]
        source: Option<Cause>,
    },
    /// The proxy's address is refused.
    #[error("the proxy's address cannot be used: expected http://HOST:PORT or https://HOST:PORT")]
    Proxy,
    /// The machine gives no thread or socket to work with.
    #[error("the HTTP client could not be started")]
    Start {
        /// What is wrong.
        #[source]
        source: Cause,
    },
}

impl HttpError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            HttpError::Url => "http.url",
            HttpError::UrlCredentials => "http.url_credentials",
            HttpError::InsecureUrl { .. } => "network.insecure_url",
            HttpError::LinkLocal { .. } => "network.link_local",
            HttpError::Resolve { .. } => "network.resolve",
            HttpError::Connect { .. } => "network.connect",
            HttpError::Tls { .. } => "network.tls",
            HttpError::Broken { .. } => "network.broken",
            HttpError::Stalled { .. } => "network.stalled",
            HttpError::Deadline { .. } => "network.deadline",
            HttpError::RedirectOtherHost { .. } => "network.redirect_other_host",
            HttpError::RedirectOtherScheme { .. } => "network.redirect_other_scheme",
            HttpError::Redirect { .. } => "network.redirect",
            HttpError::CredentialOtherHost { .. } => "network.credential_other_host",
            HttpError::Malformed { .. } => "http.malformed",
            HttpError::TooLarge { .. } => "http.too_large",
            HttpError::Encoded { .. } => "http.encoded",
            HttpError::ContentType { .. } => "http.content_type",
            HttpError::Status { .. } => "http.status",
            HttpError::Unsendable { .. } => "http.unsendable",
            HttpError::Certificates { .. } => "http.certificates",
            HttpError::Proxy => "http.proxy",
            HttpError::Start { .. } => "http.start",
        }
    }

    /// Returns whether the same request may well succeed later.
    pub fn is_worth_retrying(&self) -> bool {
        match self {
            HttpError::Resolve { .. }
            | HttpError::Connect { .. }
            | HttpError::Tls { .. }
            | HttpError::Broken { .. }
            | HttpError::Stalled { .. }
            | HttpError::Deadline { .. }
            | HttpError::Malformed { .. }
            | HttpError::Encoded { .. }
            | HttpError::ContentType { .. }
            | HttpError::TooLarge { .. }
            // Whoever redirects stands before the service, such as a portal that wants a login.
            | HttpError::RedirectOtherHost { .. }
            | HttpError::RedirectOtherScheme { .. }
            | HttpError::Redirect { .. }
            | HttpError::Start { .. } => true,
            HttpError::Status { status, .. } => {
                matches!(status, 408 | 425 | 429)
                    || ((500..600).contains(status) && !matches!(status, 501 | 505))
            }
            _ => false,
        }
    }

    /// Returns how long the server asks to be left alone, under the client's cap.
    pub fn retry_after(&self) -> Option<RetryAfter> {
        match self {
            HttpError::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
