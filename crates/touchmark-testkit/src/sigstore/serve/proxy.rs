//! The same faults between a client and a real service.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::fault::Fault;
use super::http::{self, Answer, Request};

/// How long the real service may take.
const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(30);

/// A proxy in front of one service, which spoils its answers. Dropping it ends it.
pub struct FaultProxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultProxy")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

struct Shared {
    upstream: String,
    stop: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    fault: Option<Fault>,
    posts_only: bool,
    replay: bool,
    exchanges: Vec<(Request, Answer)>,
    requests: usize,
}

impl FaultProxy {
    /// Stands before the service at `http://host:port`, on a free port of loopback. It spoils nothing yet.
    pub fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
        let address = listener.local_addr().expect("it is bound");
        let upstream = upstream.strip_prefix("http://").expect("loopback has no TLS");
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            stop: AtomicBool::new(false),
            state: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        let thread = Some(std::thread::spawn(move || accept(&listener, &serving)));
        Self {
            shared,
            address,
            thread,
        }
    }

    /// Returns where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Spoils every answer from now on, or none.
    pub fn set(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// Leaves requests that only read alone.
    pub fn posts_only(&self) {
        self.state().posts_only = true;
    }

    /// From now on a request that the service has answered before is answered the same, without asking it again.
    pub fn replay(&self) {
        self.state().replay = true;
    }

    /// Returns how many requests came.
    pub fn requests(&self) -> usize {
        self.state().requests
    }

    /// Returns what was asked and what the service itself answered, in order.
    pub fn exchanges(&self) -> Vec<(Request, Answer)> {
        self.state().exchanges.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().expect("no holder panicked")
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it is to stop.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        std::thread::spawn(move || converse(stream, &shared));
    }
}

fn converse(mut stream: TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let Some(request) = http::read(&mut stream) else {
        return;
    };
    let (fault, known) = {
        let mut state = shared.state.lock().expect("no holder panicked");
        state.requests += 1;
        let mut before = state.exchanges.iter();
        let known = before.find(|(known, _)| state.replay && same(known, &request));
        let spared = state.posts_only && request.method != "POST";
        let fault = state.fault.clone().filter(|_| !spared);
        (fault, known.map(|(_, answer)| answer.clone()))
    };
    if let Some(answer) = fault.as_ref().and_then(Fault::instead) {
        return http::write(&mut stream, &answer.encode());
    }
    if fault == Some(Fault::Stall) {
        return Fault::Stall.write(&mut stream, Answer::error(500, ""), &shared.stop);
    }
    let answer = known.unwrap_or_else(|| {
        let answer = forward(&shared.upstream, &request)
            .unwrap_or_else(|| Answer::error(504, "the service does not answer the proxy"));
        let mut state = shared.state.lock().expect("no holder panicked");
        state.exchanges.push((request, answer.clone()));
        answer
    });
    match fault {
        Some(fault) => fault.write(&mut stream, answer, &shared.stop),
        None => http::write(&mut stream, &answer.encode()),
    }
}

fn same(one: &Request, other: &Request) -> bool {
    (&one.method, &one.path, &one.query, &one.body) == (&other.method, &other.path, &other.query, &other.body)
}

/// Asks the service. As a client of HTTP/1.0, so that its answer is one piece that ends with the connection.
fn forward(upstream: &str, request: &Request) -> Option<Answer> {
    let mut stream = TcpStream::connect(upstream).ok()?;
    stream.set_read_timeout(Some(UPSTREAM_TIMEOUT)).ok()?;
    let query = if request.query.is_empty() {
        String::new()
    } else {
        format!("?{}", request.query)
    };
    let mut head = format!(
        "{} {}{query} HTTP/1.0\r\nhost: {upstream}\r\n",
        request.method, request.path
    );
    for (name, value) in &request.headers {
        if !matches!(name.as_str(), "host" | "connection" | "content-length") {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&request.body).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .filter(|(name, _)| !matches!(name.as_str(), "content-length" | "connection"))
        .collect();
    Some(Answer {
        status,
        headers,
        body: bytes.split_off(end + 4),
    })
}
