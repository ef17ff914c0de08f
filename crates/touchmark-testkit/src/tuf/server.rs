//! A loopback server that answers as a script says, hostile answers included.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::repository::Repository;

/// An answer.
#[derive(Debug)]
pub enum Reply {
    /// This file.
    File(Vec<u8>),
    /// This status, with nothing.
    Status(u16),
    /// So many bytes, announced or not.
    Endless {
        /// Whether the length is announced.
        announced: bool,
        /// How many.
        bytes: u64,
    },
    /// One byte, and nothing more for longer than anybody waits.
    Drip,
}

type Script = Box<dyn Fn(&str) -> Reply + Send + Sync>;

/// A server; ends with the test.
pub struct Server {
    /// Its address.
    pub url: String,
    /// Every path that was asked for.
    pub asked: Arc<Mutex<Vec<String>>>,
    /// How many bytes of endless answers were taken.
    pub sent: Arc<AtomicU64>,
    script: Arc<Mutex<Script>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Answers as the script says.
    pub fn new(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("nobody panicked");
        let url = format!("http://{}/tuf", listener.local_addr().expect("an address"));
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let (asked, sent) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU64::new(0)));
        let server = Self {
            url,
            asked: asked.clone(),
            sent: sent.clone(),
            script: script.clone(),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, asked, sent) = (script.clone(), asked.clone(), sent.clone());
                std::thread::spawn(move || answer(stream, &script, &asked, &sent));
            }
        });
        server
    }

    /// Serves a repository as it stands.
    pub fn of(repository: &Repository) -> Self {
        Self::new(serving(repository))
    }

    /// Serves something else from now on, at the same address.
    pub fn now_serves(&self, script: impl Fn(&str) -> Reply + Send + Sync + 'static) {
        *self.script.lock().expect("nobody panicked") = Box::new(script);
    }
}

/// The script that serves a repository.
pub fn serving(repository: &Repository) -> impl Fn(&str) -> Reply + Send + Sync + 'static {
    let files = repository.files.clone();
    move |path| {
        files
            .get(path)
            .map_or(Reply::Status(404), |file| Reply::File(file.clone()))
    }
}

fn answer(mut stream: TcpStream, script: &Mutex<Script>, asked: &Mutex<Vec<String>>, sent: &AtomicU64) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let path = path.strip_prefix("/tuf/").unwrap_or("outside");
    asked.lock().expect("nobody panicked").push(path.to_owned());
    let reply = script.lock().expect("nobody panicked")(path);
    // A client that hangs up early is what some of the tests are about.
    let _ = send(&mut stream, reply, sent);
}

fn send(stream: &mut TcpStream, reply: Reply, sent: &AtomicU64) -> std::io::Result<()> {
    match reply {
        Reply::File(bytes) => {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                bytes.len()
            )?;
            stream.write_all(&bytes)
        }
        Reply::Status(status) => {
            write!(
                stream,
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            )
        }
        Reply::Endless { announced, bytes } => {
            let length = if announced {
                format!("content-length: {bytes}\r\n")
            } else {
                String::new()
            };
            write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n{length}\r\n")?;
            let chunk = vec![b' '; 64 * 1024];
            let mut left = bytes;
            while left > 0 {
                let now = left.min(chunk.len() as u64);
                stream.write_all(&chunk[..usize::try_from(now).expect("nobody panicked")])?;
                sent.fetch_add(now, Ordering::Relaxed);
                left -= now;
            }
            Ok(())
        }
        Reply::Drip => {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1000\r\n\r\n{{"
            )?;
            stream.flush()?;
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }
    }
}
