//! The listener that a browser comes back to: this machine only, one answer, bounded in size and time.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use touchmark_http::Deadline;
use zeroize::Zeroizing;

use super::{LoginError, MAX_CODE_BYTES};

const PATH: &str = "/auth/callback";
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How long one connection may take to say what it wants; browsers open some that say nothing.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(20);
const DONE: &str = "You are logged in. You can close this window.\n";
const FAILED: &str = "The login failed. The terminal says why; you can close this window.\n";

/// Waits for a browser.
pub(super) struct Listener {
    socket: TcpListener,
    port: u16,
}

impl Listener {
    pub(super) fn open() -> Result<Self, LoginError> {
        let failed = |source| LoginError::Listener { source };
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let port = socket.local_addr().map_err(failed)?.port();
        Ok(Listener { socket, port })
    }

    /// Returns the address to come back to. Providers know public clients by the name `localhost`.
    pub(super) fn address(&self) -> String {
        format!("http://localhost:{}{PATH}", self.port)
    }

    /// Waits for the answer of the login with this state and returns its code.
    pub(super) fn wait(self, state: &str, deadline: Deadline) -> Result<Zeroizing<String>, LoginError> {
        while !deadline.is_over() {
            match self.socket.accept() {
                Ok((stream, _)) => {
                    // Another request, such as one for an icon, is no answer.
                    if let Some(answer) = serve(stream, state) {
                        return answer;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(POLL),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(LoginError::Listener { source }),
            }
        }
        Err(LoginError::Timeout)
    }
}

fn serve(mut stream: TcpStream, state: &str) -> Option<Result<Zeroizing<String>, LoginError>> {
    stream.set_nonblocking(false).ok()?;
    stream.set_write_timeout(Some(CONNECTION_TIMEOUT)).ok()?;
    let target = read_target(&mut stream)?;
    let answer = answer(&target, state);
    let (status, text) = match &answer {
        None => ("404 Not Found", "Nothing is here.\n"),
        Some(Ok(_)) => ("200 OK", DONE),
        Some(Err(_)) => ("400 Bad Request", FAILED),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    // A browser that went away has brought its answer all the same.
    let _ = stream.write_all(head.as_bytes());
    answer
}

/// Reads the request line's target; anything but a whole GET is nothing.
fn read_target(stream: &mut TcpStream) -> Option<Zeroizing<String>> {
    let deadline = Deadline::after(CONNECTION_TIMEOUT);
    let mut head = Zeroizing::new(Vec::with_capacity(MAX_HEAD_BYTES));
    let mut chunk = Zeroizing::new([0; 1024]);
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let left = deadline.remaining();
        if left.is_zero() || head.len() >= MAX_HEAD_BYTES {
            return None;
        }
        stream.set_read_timeout(Some(left)).ok()?;
        let count = stream.read(&mut *chunk).ok()?;
        if count == 0 {
            return None;
        }
        head.extend_from_slice(&chunk[..count]);
    }
    let head = std::str::from_utf8(&head).ok()?;
    let target = head.strip_prefix("GET ")?.split(' ').next()?;
    Some(Zeroizing::new(target.to_owned()))
}

/// Returns what the provider said, if the target is the one that it was given.
fn answer(target: &str, state: &str) -> Option<Result<Zeroizing<String>, LoginError>> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path != PATH {
        return None;
    }
    let pairs: Vec<(String, Zeroizing<String>)> = url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())))
        .collect();
    let only = |name: &str| {
        let mut found = pairs.iter().filter(|(found, _)| found == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    };
    // First of all: an answer without our state is not to our question, whatever else it says.
    if only("state").is_none_or(|found| found.as_str() != state) {
        return Some(Err(LoginError::State));
    }
    if pairs.iter().any(|(name, _)| name == "error") {
        return Some(Err(LoginError::Denied));
    }
    match only("code") {
        Some(code) if !code.is_empty() && code.len() <= MAX_CODE_BYTES => Some(Ok(code.clone())),
        _ => Some(Err(LoginError::NoCode)),
    }
}
