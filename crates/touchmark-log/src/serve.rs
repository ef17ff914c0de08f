//! The log over HTTP: the write call of Rekor v2, and the files that C2SP tlog-tiles clients read.
//!
//! A request reaches the file system only as a parsed tile path, so no request can name a file of the private part.
//! What a checkpoint does not cover is not served. Everything is bounded: connections, requests at work, the size of
//! a request, the time that each of its parts may take, and the time that a client may leave an answer untaken.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};
use touchmark_tlog::entry::CreateEntryRequest;
use touchmark_tlog::tile::TilePath;

use crate::error::{AddError, LogError};
use crate::log::Log;

const REKOR_PREFIX: &str = "/api/v2";
const LOG_INDEX: HeaderName = HeaderName::from_static("x-log-index");
/// What a tile holds never changes, so everybody may keep it.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const RETRY_AFTER_SECONDS: &str = "1";

/// How much of everything the server takes.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The most connections at a time; more wait to be accepted.
    pub connections: usize,
    /// The most entries being added at a time; more are told to come back.
    pub writes: usize,
    /// The most files being read at a time; more are told to come back.
    pub reads: usize,
    /// The largest request body in bytes.
    pub body_bytes: usize,
    /// How long a client may take for the head of a request, also on a connection that is idle.
    pub head_time: Duration,
    /// How long a request may take from its head to its answer, and how long a client may then take none of it.
    pub request_time: Duration,
    /// How long requests at work may take to end after a shutdown was asked for.
    pub shutdown_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            writes: 256,
            reads: 128,
            body_bytes: 4 * 1024 * 1024,
            head_time: Duration::from_secs(10),
            request_time: Duration::from_secs(60),
            shutdown_time: Duration::from_secs(10),
        }
    }
}

/// What the handlers share.
#[derive(Clone)]
struct Server {
    log: Arc<Log>,
    writes: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    body_bytes: usize,
}

/// Serves the log until `shutdown` is ready, then lets requests at work end.
pub async fn serve(
    log: Arc<Log>,
    listener: TcpListener,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Result<(), io::Error> {
    let router = router(log, &limits);
    let connections = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    tokio::pin!(shutdown);
    loop {
        let accept = async {
            let permit = connections
                .clone()
                .acquire_owned()
                .await
                .map_err(io::Error::other)?;
            Ok::<_, io::Error>((permit, listener.accept().await?.0))
        };
        tokio::select! {
            () = &mut shutdown => break,
            accepted = accept => match accepted {
                Ok((permit, stream)) => spawn_connection(stream, permit, &router, &limits, &graceful),
                Err(error) => {
                    // Such as too many open files: passing, and no reason to stop.
                    tracing::warn!(%error, "could not accept a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    let _ = timeout(limits.shutdown_time, graceful.shutdown()).await;
    Ok(())
}

fn spawn_connection(
    stream: TcpStream,
    permit: OwnedSemaphorePermit,
    router: &Router,
    limits: &Limits,
    graceful: &GracefulShutdown,
) {
    let _ = stream.set_nodelay(true);
    let (router, request_time) = (router.clone(), limits.request_time);
    let stream = Impatient {
        stream,
        patience: request_time,
        waiting: None,
    };
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(answer(router, request.map(Body::new), request_time).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
        drop(permit);
    });
}

/// A connection that fails when its client takes nothing of what it is sent.
struct Impatient {
    stream: TcpStream,
    patience: Duration,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Impatient {
    fn unless_it_waits<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Impatient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.unless_it_waits(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.unless_it_waits(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

async fn answer(router: Router, request: Request, request_time: Duration) -> Response {
    use hyper::service::Service as _;
    let service = hyper_util::service::TowerToHyperService::new(router);
    match timeout(request_time, service.call(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => failure(
            StatusCode::REQUEST_TIMEOUT,
            "log.timeout",
            "the request took too long",
        ),
    }
}

/// Returns the handlers alone, for a server of the caller's own; the time limits are then the caller's matter.
pub fn router(log: Arc<Log>, limits: &Limits) -> Router {
    let server = Server {
        log,
        writes: Arc::new(Semaphore::new(limits.writes)),
        reads: Arc::new(Semaphore::new(limits.reads)),
        body_bytes: limits.body_bytes,
    };
    Router::new()
        .route("/checkpoint", get(checkpoint))
        .route("/tile/{*path}", get(tile))
        .route("/api/v2/checkpoint", get(checkpoint))
        .route("/api/v2/tile/{*path}", get(tile))
        .route("/api/v2/log/entries", post(create_entry))
        .route("/healthz", get(health))
        .fallback(async || failure(StatusCode::NOT_FOUND, "log.not_found", "there is nothing here"))
        .layer(DefaultBodyLimit::max(limits.body_bytes))
        .with_state(server)
}

async fn create_entry(State(server): State<Server>, request: Request) -> Response {
    // Refused by what it announces, before any of it is read.
    if request.body().size_hint().lower() > server.body_bytes as u64 {
        return failure(
            StatusCode::PAYLOAD_TOO_LARGE,
            "log.body",
            "the request body was refused",
        );
    }
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(rejection) => return failure(rejection.status(), "log.body", "the request body was refused"),
    };
    let Ok(permit) = server.writes.clone().try_acquire_owned() else {
        return busy();
    };
    let added = blocking(permit, move || {
        let request = CreateEntryRequest::parse(&body).map_err(crate::accept::RejectError::from)?;
        server.log.add(&request)
    });
    match added.await {
        Some(Ok(entry)) => (
            StatusCode::CREATED,
            [(header::CONTENT_TYPE, "application/json")],
            entry.encode(),
        )
            .into_response(),
        Some(Err(error)) => refusal(&error),
        None => failure(
            StatusCode::INTERNAL_SERVER_ERROR,
            "log.interrupted",
            "the request was interrupted",
        ),
    }
}

async fn checkpoint(State(server): State<Server>) -> Response {
    read(
        server,
        |log| {
            log.checkpoint()
                .map(|checkpoint| Some(checkpoint.note().encode().into_bytes()))
        },
        |response| {
            response.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/plain; charset=utf-8"),
            );
            response.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        },
    )
    .await
}

async fn tile(State(server): State<Server>, uri: Uri) -> Response {
    let Some(path) = tile_path(&uri) else {
        return failure(StatusCode::NOT_FOUND, "log.not_found", "there is no such tile");
    };
    read(
        server,
        move |log| log.tile(&path),
        |response| {
            response.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/octet-stream"),
            );
            response.insert(header::CACHE_CONTROL, HeaderValue::from_static(IMMUTABLE));
        },
    )
    .await
}

async fn health(State(server): State<Server>) -> Response {
    read(
        server,
        |log| log.checkpoint().map(|_| Some(b"ok\n".to_vec())),
        |response| {
            response.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/plain; charset=utf-8"),
            );
            response.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        },
    )
    .await
}

/// The path as it was sent, without decoding: a tile path has one spelling.
fn tile_path(uri: &Uri) -> Option<TilePath> {
    let path = uri.path();
    let path = path.strip_prefix(REKOR_PREFIX).unwrap_or(path);
    TilePath::parse(path.strip_prefix('/')?).ok()
}

async fn read(
    server: Server,
    work: impl FnOnce(&Log) -> Result<Option<Vec<u8>>, LogError> + Send + 'static,
    headers: impl FnOnce(&mut axum::http::HeaderMap),
) -> Response {
    let Ok(permit) = server.reads.clone().try_acquire_owned() else {
        return busy();
    };
    match blocking(permit, move || work(&server.log)).await {
        Some(Ok(Some(content))) => {
            let mut response = Response::new(Body::from(content));
            headers(response.headers_mut());
            response
        }
        Some(Ok(None)) => failure(
            StatusCode::NOT_FOUND,
            "log.not_found",
            "the checkpoint does not cover this tile",
        ),
        Some(Err(error)) => {
            tracing::error!(code = error.code(), %error, "could not read the log");
            failure(
                StatusCode::INTERNAL_SERVER_ERROR,
                error.code(),
                "the log could not be read",
            )
        }
        None => failure(
            StatusCode::INTERNAL_SERVER_ERROR,
            "log.interrupted",
            "the request was interrupted",
        ),
    }
}

/// Runs work that waits for the disk; `None` if it panicked.
async fn blocking<T: Send + 'static>(
    permit: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let work = move || {
        let _permit = permit;
        work()
    };
    tokio::task::spawn_blocking(work).await.ok()
}

fn refusal(error: &AddError) -> Response {
    match error {
        AddError::Rejected(_) => failure(StatusCode::BAD_REQUEST, error.code(), &error.to_string()),
        AddError::Duplicate { index } => {
            let mut response = failure(StatusCode::CONFLICT, error.code(), &error.to_string());
            response
                .headers_mut()
                .insert(LOG_INDEX, HeaderValue::from(*index));
            response
        }
        AddError::Failed(cause) => {
            // The message may name files of this machine: it is for the operator, not for the client.
            tracing::error!(code = cause.code(), error = %cause, "could not append");
            let mut response = failure(
                StatusCode::SERVICE_UNAVAILABLE,
                cause.code(),
                "the log could not be written",
            );
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
            response
        }
    }
}

fn busy() -> Response {
    let mut response = failure(
        StatusCode::SERVICE_UNAVAILABLE,
        "log.busy",
        "too many requests at work",
    );
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    response
}

fn failure(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({ "code": code, "message": message }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
