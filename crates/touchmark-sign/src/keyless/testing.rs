//! A loopback server that gives prepared answers, and tokens, for the tests of this module.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use touchmark_http::{Client, Options, Url};

/// One request as it came.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) target: String,
    pub(super) head: String,
}

/// Status, content type and body of an answer.
pub(super) type Reply = (u16, &'static str, Vec<u8>);

pub(super) struct Server {
    pub(super) url: Url,
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
}

/// Serves until the test process ends.
pub(super) fn serve(answer: impl Fn(&Seen) -> Reply + Send + 'static) -> Server {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap())
        .parse()
        .unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in socket.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            let mut chunk = [0; 4096];
            let (head, wanted) = loop {
                let count = stream.read(&mut chunk).unwrap_or(0);
                bytes.extend_from_slice(&chunk[..count]);
                if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                    let length = head
                        .lines()
                        .find_map(|line| {
                            line.to_ascii_lowercase()
                                .strip_prefix("content-length: ")?
                                .parse()
                                .ok()
                        })
                        .unwrap_or(0);
                    break (head, end + 4 + length);
                }
                if count == 0 {
                    break (String::new(), 0);
                }
            };
            while bytes.len() < wanted {
                let count = stream.read(&mut chunk).unwrap_or(0);
                if count == 0 {
                    break;
                }
                bytes.extend_from_slice(&chunk[..count]);
            }
            let request = Seen {
                target: head.split(' ').nth(1).unwrap_or_default().to_owned(),
                head,
            };
            let (status, kind, body) = answer(&request);
            kept.lock().unwrap().push(request);
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    Server { url, seen }
}

pub(super) fn client() -> Client {
    Client::new(Options::default()).unwrap()
}

/// A token with this header and these claims; nobody's signature.
pub(super) fn token_of(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.{}",
        part(header),
        part(claims),
        URL_SAFE_NO_PAD.encode("signature")
    )
}

/// The signed token of these claims.
pub(super) fn token(claims: &Value) -> String {
    token_of(&serde_json::json!({ "alg": "RS256", "typ": "JWT" }), claims)
}
