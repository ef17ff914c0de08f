//! One exchange: head, redirects within the same host, body; each step under the deadline.

use std::error::Error as _;
use std::future::Future;
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderValue};
use tokio::time::timeout;

use crate::deadline::Deadline;
use crate::error::HttpError;
use crate::request::Request;
use crate::resolver::LeadsToLinkLocal;
use crate::response::{KEPT, Response};
use crate::retry_after::RetryAfter;
use crate::url::Url;

const MAX_REDIRECTS: usize = 3;
/// The longest value of a header that is kept.
const MAX_HEADER_BYTES: usize = 4096;

/// The limits of one exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) deadline: Deadline,
    pub(crate) connect_timeout: Duration,
    pub(crate) stall_timeout: Duration,
    pub(crate) max_body_bytes: usize,
    pub(crate) max_retry_after: Duration,
}

/// Runs an exchange to its end.
pub(crate) async fn run(
    client: &reqwest::Client,
    request: Request,
    limits: Limits,
) -> Result<Response, HttpError> {
    let mut url = request.url.clone();
    for _ in 0..=MAX_REDIRECTS {
        let answer = head(client, &request, &url, &limits).await?;
        if !answer.status().is_redirection() || answer.status() == 304 {
            return read(answer, url, &limits).await;
        }
        url = target(&request, &url, answer.headers())?;
    }
    Err(HttpError::Redirect { url })
}

async fn head(
    client: &reqwest::Client,
    request: &Request,
    url: &Url,
    limits: &Limits,
) -> Result<reqwest::Response, HttpError> {
    let mut builder = match &request.body {
        None => client.get(url.inner().clone()),
        Some((content_type, body)) => if request.puts {
            client.put(url.inner().clone())
        } else {
            client.post(url.inner().clone())
        }
        .header(header::CONTENT_TYPE, content_type.header())
        .body(body.to_vec()),
    };
    builder = builder
        .header(header::ACCEPT, request.accept.header())
        .header(header::ACCEPT_ENCODING, "identity");
    if let Some(credential) = &request.credential {
        let mut value = HeaderValue::from_str(&credential.header_for(url)?)
            .map_err(|_| HttpError::Unsendable { url: url.clone() })?;
        value.set_sensitive(true);
        builder = builder.header(header::AUTHORIZATION, value);
    }
    let patience = limits.connect_timeout.saturating_add(limits.stall_timeout);
    within(limits, patience, url, builder.send())
        .await?
        .map_err(|error| classify(error, url))
}

/// Where a redirect leads: for a request without a body, to the same host by the same scheme.
fn target(request: &Request, url: &Url, headers: &HeaderMap) -> Result<Url, HttpError> {
    let location = headers
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| HttpError::Redirect { url: url.clone() })?;
    let joined = url
        .inner()
        .join(location)
        .map_err(|_| HttpError::Redirect { url: url.clone() })?;
    if joined.scheme() != url.inner().scheme() {
        return Err(HttpError::RedirectOtherScheme { url: url.clone() });
    }
    if joined.origin() != url.inner().origin() {
        return Err(HttpError::RedirectOtherHost { url: url.clone() });
    }
    if request.body.is_some() {
        return Err(HttpError::Redirect { url: url.clone() });
    }
    url.relative(location)
}

async fn read(mut answer: reqwest::Response, url: Url, limits: &Limits) -> Result<Response, HttpError> {
    let max = limits.max_body_bytes;
    let too_large = || HttpError::TooLarge {
        url: url.clone(),
        max,
    };
    refuse_encodings(answer.headers(), &url)?;
    let announced = answer.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |announced| announced > max) {
        return Err(too_large());
    }
    let headers = kept(answer.headers());
    let mut body = Vec::new();
    while let Some(chunk) = within(limits, limits.stall_timeout, &url, answer.chunk())
        .await?
        .map_err(|error| classify(error, &url))?
    {
        if chunk.len() > max - body.len() {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let text = |name| {
        headers
            .iter()
            .find(|(kept, _)| *kept == name)
            .map(|(_, value)| value.as_str())
    };
    let retry_after =
        text("retry-after").and_then(|value| RetryAfter::parse(value, text("date"), limits.max_retry_after));
    Ok(Response {
        status: answer.status().as_u16(),
        body,
        url,
        headers,
        retry_after,
    })
}

/// Nothing was asked to be compressed, and nothing is decompressed: a bomb stays as small as it came.
fn refuse_encodings(headers: &HeaderMap, url: &Url) -> Result<(), HttpError> {
    let only = |name, allowed: &str| {
        headers.get_all(name).iter().all(|value| {
            value
                .to_str()
                .is_ok_and(|value| value.trim().eq_ignore_ascii_case(allowed))
        })
    };
    if only(header::CONTENT_ENCODING, "identity") && only(header::TRANSFER_ENCODING, "chunked") {
        Ok(())
    } else {
        Err(HttpError::Encoded { url: url.clone() })
    }
}

fn kept(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    let mut kept = Vec::new();
    for name in KEPT {
        for value in headers.get_all(name).iter().take(2) {
            if let Some(value) = value
                .to_str()
                .ok()
                .filter(|value| value.len() <= MAX_HEADER_BYTES)
            {
                kept.push((name, value.to_owned()));
            }
        }
    }
    kept
}

/// Waits for a step: as long as the server may be silent, and not beyond the deadline.
async fn within<T>(
    limits: &Limits,
    patience: Duration,
    url: &Url,
    step: impl Future<Output = T>,
) -> Result<T, HttpError> {
    let remaining = limits.deadline.remaining();
    timeout(patience.min(remaining), step).await.map_err(|_| {
        if remaining <= patience {
            HttpError::Deadline { url: url.clone() }
        } else {
            HttpError::Stalled {
                url: url.clone(),
                after: patience,
            }
        }
    })
}

/// Tells the failures apart by what is at their bottom. The cause's own text would name the whole address.
fn classify(error: reqwest::Error, url: &Url) -> HttpError {
    let error = error.without_url();
    let is_connect = error.is_connect();
    let is_dns = error.is_dns();
    let (mut is_tls, mut is_malformed, mut link_local) = (false, false, None);
    let mut cause = error.source();
    while let Some(found) = cause {
        if let Some(io) = found.downcast_ref::<std::io::Error>() {
            is_tls |= holds_tls_error(io);
        }
        is_tls |= found.is::<rustls::Error>();
        if let Some(hyper) = found.downcast_ref::<hyper::Error>() {
            is_malformed |= hyper.is_parse() || hyper.is_parse_too_large();
        }
        if let Some(LeadsToLinkLocal(address)) = found.downcast_ref::<LeadsToLinkLocal>() {
            link_local = Some(*address);
        }
        cause = found.source();
    }
    let (url, source) = (url.clone(), Box::new(error));
    if let Some(address) = link_local {
        return HttpError::LinkLocal {
            host: address.to_string(),
        };
    }
    match () {
        () if is_tls => HttpError::Tls { url, source },
        () if is_dns => HttpError::Resolve { url, source },
        () if is_connect => HttpError::Connect { url, source },
        () if is_malformed => HttpError::Malformed { url, source },
        () => HttpError::Broken { url, source },
    }
}

/// An I/O error's `source` skips what it holds itself, which may be another I/O error.
fn holds_tls_error(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|held| {
        held.is::<rustls::Error>() || held.downcast_ref::<std::io::Error>().is_some_and(holds_tls_error)
    })
}
