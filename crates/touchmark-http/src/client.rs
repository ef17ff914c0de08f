//! The client: two connection pools, one for `https` and one for this machine, and the thread that they run on.

use std::sync::{Arc, OnceLock};

use tokio::runtime::{Handle, Runtime};

use crate::deadline::Deadline;
use crate::error::HttpError;
use crate::exchange::{self, Limits};
use crate::options::{Certificates, Conditions, Options};
use crate::request::{Accept, ContentType, Request};
use crate::resolver::Resolver;
use crate::response::Response;
use crate::url::Url;

/// A client. Clones share connections; any thread may use it.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: Options,
    conditions: Conditions,
    /// For this machine: knows neither proxy nor certificates.
    plain: reqwest::Client,
    /// For everything else; made when first needed, since reading the system's certificates takes a while.
    encrypted: OnceLock<reqwest::Client>,
    runtime: Option<Runtime>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropping it would wait for a name server that does not answer.
            runtime.shutdown_background();
        }
    }
}

impl Client {
    /// Makes a client.
    pub fn new(options: Options) -> Result<Self, HttpError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(8)
            .thread_name("touchmark-http")
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| HttpError::Start {
                source: Box::new(error),
            })?;
        let plain = base(&options)
            .no_proxy()
            .tls_certs_only([])
            .build()
            .map_err(|error| HttpError::Start {
                source: Box::new(error.without_url()),
            })?;
        Ok(Client {
            inner: Arc::new(Inner {
                conditions: Conditions::of(&options),
                plain,
                encrypted: OnceLock::new(),
                runtime: Some(runtime),
                options,
            }),
        })
    }

    /// Asks for what is at an address.
    pub fn get(&self, url: &Url, accept: Accept) -> Result<Response, HttpError> {
        self.send(Request::get(url, accept))
    }

    /// Posts a body to an address.
    pub fn post(
        &self,
        url: &Url,
        content_type: ContentType,
        body: impl Into<Vec<u8>>,
        accept: Accept,
    ) -> Result<Response, HttpError> {
        self.send(Request::post(url, content_type, body, accept))
    }

    /// Sends a request and reads the answer to its end, or fails by the deadline. Waits on the calling thread.
    pub fn send(&self, request: Request) -> Result<Response, HttpError> {
        let options = &self.inner.options;
        let own = Deadline::after(options.exchange_timeout);
        let limits = Limits {
            deadline: request.deadline.map_or(own, |deadline| deadline.earlier(own)),
            connect_timeout: options.connect_timeout,
            stall_timeout: options.stall_timeout,
            max_body_bytes: request
                .max_body_bytes
                .map_or(options.max_body_bytes, |bytes| bytes.min(options.max_body_bytes)),
            max_retry_after: options.max_retry_after,
        };
        if limits.deadline.is_over() {
            return Err(HttpError::Deadline { url: request.url });
        }
        let client = self.pool(&request.url)?;
        let runtime = self.inner.runtime.as_ref().expect("taken on drop only");
        let exchange = exchange::run(client, request, limits);
        if Handle::try_current().is_ok() {
            // A thread that runs tasks of its own must not wait: another one does.
            std::thread::scope(|scope| {
                scope
                    .spawn(|| runtime.block_on(exchange))
                    .join()
                    .expect("an exchange does not panic")
            })
        } else {
            runtime.block_on(exchange)
        }
    }

    /// Returns what stands between this machine and the services.
    pub fn conditions(&self) -> &Conditions {
        &self.inner.conditions
    }

    /// Returns the limits and settings.
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    fn pool(&self, url: &Url) -> Result<&reqwest::Client, HttpError> {
        let inner = &self.inner;
        if url.is_plain() {
            return Ok(&inner.plain);
        }
        if let Some(client) = inner.encrypted.get() {
            return Ok(client);
        }
        let client = encrypted(&inner.options)?;
        Ok(inner.encrypted.get_or_init(|| client))
    }
}

fn encrypted(options: &Options) -> Result<reqwest::Client, HttpError> {
    let mut builder = base(options)
        .https_only(true)
        .tls_version_min(reqwest::tls::Version::TLS_1_2);
    builder = match &options.certificates {
        Certificates::System => builder,
        Certificates::Only(file) => builder.tls_certs_only(file.certificates.clone()),
        Certificates::SystemAnd(file) => builder.tls_certs_merge(file.certificates.clone()),
    };
    builder = match &options.proxy {
        Some(proxy) => {
            let this_machine = reqwest::NoProxy::from_string("localhost,127.0.0.0/8,::1");
            builder.proxy(proxy.rule()?.no_proxy(this_machine))
        }
        // Without this, the environment would choose one.
        None => builder.no_proxy(),
    };
    builder.build().map_err(|error| HttpError::Certificates {
        source: Some(Box::new(error.without_url())),
    })
}

fn base(options: &Options) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .http1_only()
        .connect_timeout(options.connect_timeout)
        .pool_max_idle_per_host(8)
        .dns_resolver(Resolver)
        .user_agent(&options.user_agent)
}
