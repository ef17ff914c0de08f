//! The log over HTTP, through a loopback socket.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::{Client, TestKey, assert_clean, new_log, verify_entry};
use touchmark_log::Log;
use touchmark_log::serve::{Limits, serve};
use touchmark_tlog::entry::LogEntry;
use touchmark_tlog::tile::{TilePath, parse_entries, parse_hashes};

const WRITE: &str = "/api/v2/log/entries";

/// A log that is being served.
struct Served {
    log: Arc<Log>,
    address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
    _dir: tempfile::TempDir,
}

impl Served {
    fn new(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = Arc::new(new_log(dir.path()));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (ready, address) = std::sync::mpsc::channel();
        let served = log.clone();
        let server = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                serve(served, listener, limits, async { drop(stopped.await) })
                    .await
                    .unwrap();
            });
        });
        Self {
            log,
            address: address.recv().unwrap(),
            stop: Some(stop),
            server: Some(server),
            _dir: dir,
        }
    }

    fn client(&self) -> Client {
        Client::connect(self.address)
    }

    fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            server.join().unwrap();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn an_entry_is_created_and_a_second_one_is_a_conflict() {
    let served = Served::new(Limits::default());
    let (mut client, key) = (served.client(), TestKey::new(1));
    let request = key.request("message");
    let response = client.call("POST", WRITE, &request.encode());
    assert_eq!(
        (response.status, response.header("content-type")),
        (201, Some("application/json"))
    );
    verify_entry(&served.log, &LogEntry::parse(&response.body).unwrap(), &request);
    client.call("POST", WRITE, &key.request("other").encode());
    let response = client.call("POST", WRITE, &request.encode());
    assert_eq!(
        (response.status, response.header("x-log-index")),
        (409, Some("0"))
    );
    assert_eq!(response.code(), "log.duplicate");
    assert_clean(&served.log, 2);
}

#[test]
fn bad_requests_are_refused_with_their_code() {
    let served = Served::new(Limits::default());
    let (mut client, key) = (served.client(), TestKey::new(1));
    let good = String::from_utf8(key.request("message").encode()).unwrap();
    let mut refused = |body: &str| {
        let response = client.call("POST", WRITE, body.as_bytes());
        (response.status, response.code())
    };
    let bad = |code: &str| (400, code.to_owned());
    assert_eq!(refused(""), bad("json.malformed"));
    assert_eq!(refused("[]"), bad("json.array_for_object"));
    assert_eq!(
        refused(&good.replacen('{', r#"{"more":1,"#, 1)),
        bad("json.shape")
    );
    assert_eq!(
        refused(&good.replacen(r#""digest""#, r#""digest":"","digest""#, 1)),
        bad("json.duplicate_key")
    );
    assert_eq!(
        refused(&good.replace("P256_SHA_256", "P384_SHA_384")),
        bad("tlog.entry_digest")
    );
    assert_eq!(
        refused(&good.replace("PKIX_ECDSA_P256_SHA_256", "PKIX_ED25519")),
        bad("log.ed25519_unsupported")
    );
    assert_eq!(refused(&format!("{good}{good}")), bad("json.trailing_data"));
    assert_eq!(refused(&"[".repeat(100_000)), bad("json.too_deep"));
    let other = String::from_utf8(key.request("other").encode()).unwrap();
    let (digest, others) = (&good[..90], &other[..90]);
    assert_eq!(
        refused(&good.replacen(digest, others, 1)),
        bad("signature.invalid")
    );
    assert_eq!(served.log.checkpoint().unwrap().size(), 0);
}

#[test]
fn case_16_a_body_beyond_the_limit_is_refused() {
    let served = Served::new(Limits::default());
    let head = format!("POST {WRITE} HTTP/1.1\r\nhost: x\r\n");
    let mut announced = served.client();
    announced.send(format!("{head}content-length: 4194305\r\n\r\n").as_bytes());
    assert_eq!(announced.receive().map(|response| response.status), Some(413));
    let mut chunked = served.client();
    chunked.send(format!("{head}transfer-encoding: chunked\r\n\r\n400001\r\n").as_bytes());
    chunked.send(&vec![b' '; 0x40_0001]);
    assert_eq!(chunked.receive().map(|response| response.status), Some(413));
    let response = served.client().call("POST", WRITE, &vec![b' '; 4_194_304]);
    assert_eq!(
        (response.status, response.code()),
        (400, "json.malformed".to_owned())
    );
}

#[test]
fn tiles_and_checkpoint_are_served_under_both_prefixes() {
    let served = Served::new(Limits::default());
    let (mut client, key) = (served.client(), TestKey::new(1));
    for number in 0..260 {
        served
            .log
            .add(&key.request(&format!("message {number}")))
            .unwrap();
    }
    for prefix in ["", "/api/v2"] {
        let mut get = |path: &str| client.call("GET", &format!("{prefix}{path}"), b"");
        let checkpoint = get("/checkpoint");
        assert_eq!(
            checkpoint.body,
            served.log.checkpoint().unwrap().note().encode().into_bytes()
        );
        assert_eq!(checkpoint.header("cache-control"), Some("no-cache"));
        assert_eq!(
            checkpoint.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        for (path, width) in [
            ("tile/0/000", 256),
            ("tile/0/001.p/4", 4),
            ("tile/0/000.p/9", 9),
            ("tile/1/000.p/1", 1),
        ] {
            let tile = get(&format!("/{path}"));
            assert_eq!(
                (tile.status, parse_hashes(&tile.body, width).is_ok()),
                (200, true),
                "{path}"
            );
            assert_eq!(
                tile.header("cache-control"),
                Some("public, max-age=31536000, immutable")
            );
            assert_eq!(tile.header("content-type"), Some("application/octet-stream"));
            let same = served.log.tile(&TilePath::parse(path).unwrap()).unwrap();
            assert_eq!(Some(tile.body), same);
        }
        let bundle = get("/tile/entries/001.p/4");
        assert_eq!(parse_entries(&bundle.body, 4).unwrap().len(), 4);
    }
    let health = client.call("GET", "/healthz", b"");
    assert_eq!((health.status, health.body.as_slice()), (200, b"ok\n".as_slice()));
}

#[test]
fn what_is_not_a_tile_of_the_log_is_not_served() {
    let served = Served::new(Limits::default());
    let (mut client, key) = (served.client(), TestKey::new(1));
    served.log.add(&key.request("message")).unwrap();
    for path in [
        "/",
        "/.private/key.pem",
        "/tile/../.private/key.pem",
        "/tile/%2e%2e/.private/key.pem",
        "/tile/..%2f.private%2fkey.pem",
        "/tile/entries/../../.private/key.pem",
        "/api/v2/tile/../../../.private/key.pem",
        "/api/v2/api/v2/checkpoint",
        "/tile//etc/passwd",
        "/tile/0/000.p/2",
        "/tile/0/000",
        "/tile/0/0",
        "/tile/00/000.p/1",
        "/tile/0/000.p/1/",
        "/tile/0/%30%30%30.p/1",
        "/tile/0/x000/000.p/1",
        "/checkpoint/",
        "/api/v2/log/entries/0",
        "/api/v1/log/entries",
    ] {
        let response = client.call("GET", path, b"");
        assert_eq!(
            (response.status, response.code().as_str()),
            (404, "log.not_found"),
            "{path}"
        );
    }
    assert_eq!(client.call("GET", WRITE, b"").status, 405);
    assert_eq!(client.call("DELETE", "/checkpoint", b"").status, 405);
    assert_eq!(client.call("GET", "/tile/0/000.p/1", b"").status, 200);
}

#[test]
fn many_clients_share_batches() {
    let served = Served::new(Limits::default());
    let threads: Vec<_> = (0..16_u64)
        .map(|name| {
            let (mut client, log) = (served.client(), served.log.clone());
            thread::spawn(move || {
                let key = TestKey::new(1);
                for number in 0..10 {
                    let request = key.request(&format!("{name}/{number}"));
                    let response = client.call("POST", WRITE, &request.encode());
                    assert_eq!(response.status, 201);
                    verify_entry(&log, &LogEntry::parse(&response.body).unwrap(), &request);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_clean(&served.log, 160);
}

#[test]
fn slow_clients_are_let_go() {
    let limits = Limits {
        head_time: Duration::from_millis(200),
        request_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let served = Served::new(limits);
    let start = Instant::now();
    // A head that never ends, a body that never comes, and a connection that says nothing.
    let mut head = served.client();
    head.send(b"GET /checkpoint HTTP/1.1\r\nhost:");
    let mut body = served.client();
    body.send(format!("POST {WRITE} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{").as_bytes());
    let mut silent = served.client();
    assert!(head.receive().is_none_or(|response| response.status == 408));
    assert_eq!(body.receive().map(|response| response.status), Some(408));
    assert!(silent.receive().is_none());
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(served.client().call("GET", "/healthz", b"").status, 200);
}

#[test]
fn a_client_that_takes_no_answers_is_let_go() {
    use std::io::Write as _;
    let served = Served::new(Limits {
        connections: 1,
        request_time: Duration::from_millis(300),
        ..Limits::default()
    });
    let mut greedy = std::net::TcpStream::connect(served.address).unwrap();
    greedy
        .set_write_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    // Requests without end, and none of their answers is read: soon the server can send no more.
    let requests = b"GET /checkpoint HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000);
    while greedy.write_all(&requests).is_ok() {}
    assert_eq!(served.client().call("GET", "/healthz", b"").status, 200);
}

#[test]
fn too_many_requests_are_told_to_come_back() {
    let served = Served::new(Limits {
        writes: 0,
        reads: 0,
        ..Limits::default()
    });
    let mut client = served.client();
    for (method, path) in [("POST", WRITE), ("GET", "/checkpoint")] {
        let response = client.call(method, path, b"{}");
        assert_eq!(
            (response.status, response.header("retry-after")),
            (503, Some("1"))
        );
        assert_eq!(response.code(), "log.busy");
    }
}

#[test]
fn connections_beyond_the_limit_wait_their_turn() {
    let served = Served::new(Limits {
        connections: 1,
        ..Limits::default()
    });
    let mut first = served.client();
    assert_eq!(first.call("GET", "/healthz", b"").status, 200);
    let mut second = served.client();
    second.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
    thread::sleep(Duration::from_millis(100));
    drop(first);
    assert_eq!(second.receive().map(|response| response.status), Some(200));
}

#[test]
fn a_write_that_fails_says_nothing_of_files() {
    let served = Served::new(Limits::default());
    let (mut client, key) = (served.client(), TestKey::new(1));
    client.call("POST", WRITE, &key.request("one").encode());
    let full = served.log.dir().join(".private/tmp/0");
    std::os::unix::fs::symlink("/dev/full", full).unwrap();
    let request = key.request("two");
    let response = client.call("POST", WRITE, &request.encode());
    assert_eq!(
        (response.status, response.code().as_str()),
        (503, "log.storage_full")
    );
    assert!(!String::from_utf8_lossy(&response.body).contains('/'));
    assert_eq!(client.call("POST", WRITE, &request.encode()).status, 201);
}

#[test]
fn a_shutdown_lets_requests_at_work_end() {
    let mut served = Served::new(Limits {
        shutdown_time: Duration::from_secs(20),
        ..Limits::default()
    });
    let request = TestKey::new(1).request("message").encode();
    let mut client = served.client();
    let head = format!(
        "POST {WRITE} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        request.len()
    );
    client.send(head.as_bytes());
    thread::sleep(Duration::from_millis(100));
    drop(served.stop.take());
    thread::sleep(Duration::from_millis(100));
    client.send(&request);
    assert_eq!(client.receive().map(|response| response.status), Some(201));
    served.stop();
    assert!(std::net::TcpStream::connect(served.address).is_err());
    assert_clean(&served.log, 1);
}
