//! Durable appends by 64 clients, in this process and over HTTP. The requests are signed before the clock starts.
//!
//! `cargo bench -p touchmark-log [ENTRIES_PER_CLIENT]`; the goal is 2,000 entries a second. Run under
//! `tests/sigstore/run -- cargo bench -p touchmark-log`, the same clients then add to the instance's Rekor v2
//! (rekor-tiles on POSIX files), with one HTTP client library for both logs. Its checkpoint interval, for which every
//! answer waits, is the instance's: half a second.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use common::{Client, TestKey, new_log};
use touchmark_log::Log;
use touchmark_log::serve::{Limits, serve};
use touchmark_tlog::entry::CreateEntryRequest;

const CLIENTS: usize = 64;

fn main() {
    let each = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(200);
    let (first, second) = (signed("first", each), signed("second", each));
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let log = Arc::new(new_log(dir.path()));

    let adds = in_threads(first, |requests| {
        let log = log.clone();
        move || {
            requests
                .iter()
                .map(|request| timed(|| drop(log.add(request).expect("added"))))
                .collect()
        }
    });
    figures("in process", adds);

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .expect("a socket");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(serve(
        log.clone(),
        listener,
        Limits::default(),
        std::future::pending(),
    ));
    let posts = in_threads(second, |requests| {
        let bodies: Vec<Vec<u8>> = requests.iter().map(CreateEntryRequest::encode).collect();
        let mut client = Client::connect(address);
        move || {
            let mut post =
                |body: &Vec<u8>| assert_eq!(client.call("POST", "/api/v2/log/entries", body).status, 201);
            bodies.iter().map(|body| timed(|| post(body))).collect()
        }
    });
    figures("over HTTP", posts);
    if let Some(peer) = peer() {
        let ours = format!("http://{address}");
        let rate = |what: &str, service: &str, each: usize| {
            figures(what, through_one_library(service, signed(what, each)))
        };
        let ours = rate("this log, peer's client", &ours, each);
        let theirs = rate("rekor-tiles, the same client", &peer, (each / 20).max(2));
        println!("ratio: {:.1}", ours / theirs);
    }
    runtime.shutdown_background();

    let size = log.checkpoint().expect("a checkpoint").size();
    let (opened, time) = measured(|| Log::open(log.dir()).expect("a log"));
    println!("open at {size} entries: {time:?}");
    let request = &signed("last", 1)[0][0];
    println!(
        "first append after opening: {:?}",
        timed(|| drop(opened.add(request).expect("added")))
    );
    println!(
        "one more append, alone: {:?}",
        timed(|| drop(opened.add(&signed("more", 1)[0][0]).expect("added")))
    );
    println!(
        "entry with fresh proof: {:?}",
        timed(|| drop(opened.get(size / 2).expect("an entry")))
    );
}

/// The address of the Rekor v2 log of the instance that this runs under, if it runs under one.
#[allow(
    clippy::disallowed_methods,
    reason = "a benchmark is told of its peer by the environment"
)]
fn peer() -> Option<String> {
    let folder = std::env::var_os("TOUCHMARK_TEST_SIGSTORE")?;
    let endpoints = std::fs::read(std::path::Path::new(&folder).join("endpoints.json")).expect("an instance");
    let endpoints: serde_json::Value = serde_json::from_slice(&endpoints).expect("JSON");
    Some(endpoints["rekor2"].as_str().expect("an address").to_owned())
}

/// Adds the entries to the log at an address, each client with connections of its own.
fn through_one_library(service: &str, requests: Vec<Vec<CreateEntryRequest>>) -> (Duration, Vec<Duration>) {
    use touchmark_http::{Accept, Client, ContentType, Options, Url};
    let service: Url = service.parse().expect("an address");
    in_threads(requests, |requests| {
        let bodies: Vec<Vec<u8>> = requests.iter().map(CreateEntryRequest::encode).collect();
        let client = Client::new(Options::default()).expect("a client");
        let url = service.join(["api", "v2", "log", "entries"]);
        move || {
            let post = |body: &Vec<u8>| {
                let response = client.post(&url, ContentType::Json, body.clone(), Accept::Json);
                assert_eq!(response.expect("an answer").status, 201);
            };
            bodies.iter().map(|body| timed(|| post(body))).collect()
        }
    })
}

/// Signs what each client will add.
fn signed(name: &str, each: usize) -> Vec<Vec<CreateEntryRequest>> {
    let key = TestKey::new(1);
    let of_client = |client| {
        (0..each)
            .map(|number| key.request(&format!("{name}/{client}/{number}")))
            .collect()
    };
    (0..CLIENTS).map(of_client).collect()
}

/// Runs one thread a client; returns how long it took in all, and how long each entry took.
fn in_threads<W>(
    requests: Vec<Vec<CreateEntryRequest>>,
    work: impl Fn(Vec<CreateEntryRequest>) -> W,
) -> (Duration, Vec<Duration>)
where
    W: FnOnce() -> Vec<Duration> + Send + 'static,
{
    let work: Vec<W> = requests.into_iter().map(work).collect();
    let (times, total) = measured(|| {
        let threads: Vec<_> = work.into_iter().map(thread::spawn).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    (total, times)
}

/// Prints what was measured; returns the entries a second.
fn figures(what: &str, (total, mut times): (Duration, Vec<Duration>)) -> f64 {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!(
        "{what}: {} entries by {CLIENTS} clients in {total:.2?}: {:.0}/s; each took {:?} (median), {:?} (99 %)",
        times.len(),
        times.len() as f64 / total.as_secs_f64(),
        at(50),
        at(99),
    );
    times.len() as f64 / total.as_secs_f64()
}

fn measured<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

fn timed(work: impl FnOnce()) -> Duration {
    measured(work).1
}
