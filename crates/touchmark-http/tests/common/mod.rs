//! A server that does what a script says, connection by connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use touchmark_http::Url;

/// One thing that a server does after it has read a request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Send(Vec<u8>),
    Pause(Duration),
    /// Sends the bytes one by one, with a pause before each.
    Trickle(Vec<u8>, Duration),
    /// Ends the connection with a reset instead of properly.
    Reset,
    /// Sends the same bytes again and again until the client has gone.
    Flood(Vec<u8>),
}

/// A server on this machine.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers the first connection with the first script and so on, all later ones with the last.
    pub(crate) fn start(scripts: Vec<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { continue };
                let script = scripts
                    .get(number)
                    .or(scripts.last())
                    .cloned()
                    .unwrap_or_default();
                let seen = seen.clone();
                thread::spawn(move || play(stream, &script, &seen));
            }
        });
        Server { address, requests }
    }

    /// Answers every connection with one text.
    pub(crate) fn answering(text: &str) -> Self {
        Self::start(vec![vec![Act::Send(text.replace('\n', "\r\n").into_bytes())]])
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address)
            .parse()
            .expect("an address")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The heads and bodies of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panics here").clone()
    }
}

fn play(mut stream: TcpStream, script: &[Act], seen: &Mutex<Vec<String>>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let request = read_request(&mut stream);
    seen.lock()
        .expect("no test panics here")
        .push(String::from_utf8_lossy(&request).into_owned());
    for act in script {
        let done = match act {
            Act::Send(bytes) => stream.write_all(bytes),
            Act::Pause(time) => {
                thread::sleep(*time);
                Ok(())
            }
            Act::Trickle(bytes, pause) => bytes.iter().try_for_each(|byte| {
                thread::sleep(*pause);
                stream.write_all(&[*byte])
            }),
            Act::Reset => {
                let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                return;
            }
            Act::Flood(bytes) => loop {
                if let Err(error) = stream.write_all(bytes) {
                    break Err(error);
                }
            },
        };
        if done.is_err() {
            return;
        }
    }
}

fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        if let Some(head) = text.find("\r\n\r\n") {
            let length = text[..head]
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if request.len() >= head + 4 + length {
                return request;
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return request,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
}
