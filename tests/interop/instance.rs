//! A running private Sigstore instance, as `tests/sigstore/run` starts one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

/// Where the instance's files are, and where its services listen.
pub(crate) struct Instance {
    folder: PathBuf,
    endpoints: Value,
}

/// The person in whose name these tests sign.
pub(crate) const ALICE: &str = "alice@private.test";
/// Another person.
pub(crate) const MALLORY: &str = "mallory@private.test";

impl Instance {
    /// The instance that the environment names, or `None` after saying why the test is skipped.
    pub(crate) fn running() -> Option<Self> {
        let Some(folder) = std::env::var_os("TOUCHMARK_TEST_SIGSTORE").map(PathBuf::from) else {
            println!(
                "skipped: TOUCHMARK_TEST_SIGSTORE does not name a running instance (tests/sigstore/run)"
            );
            return None;
        };
        Some(Self::at(folder))
    }

    /// The instance whose files are in a folder.
    pub(crate) fn at(folder: PathBuf) -> Self {
        let text = std::fs::read(folder.join("endpoints.json")).unwrap();
        Self {
            folder,
            endpoints: serde_json::from_slice(&text).unwrap(),
        }
    }

    /// One of the instance's files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// One of the instance's files as an argument.
    pub(crate) fn argument(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The text of one of the instance's files.
    pub(crate) fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The address of a service by its name in `endpoints.json`.
    pub(crate) fn endpoint(&self, name: &str) -> &str {
        self.endpoints[name].as_str().unwrap()
    }

    /// The issuer of people's tokens.
    pub(crate) fn issuer(&self) -> &str {
        self.endpoint("oidc")
    }

    /// A fresh identity token for a person.
    pub(crate) fn token(&self, email: &str) -> String {
        let (status, body) = get(&format!("{}/mint?email={email}", self.issuer()), &[]);
        assert_eq!(status, 200);
        String::from_utf8(body).unwrap()
    }
}

/// Fetches a loopback address: status and body.
pub(crate) fn get(url: &str, headers: &[(&str, &str)]) -> (u16, Vec<u8>) {
    let rest = url.strip_prefix("http://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(authority).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut request = format!("GET /{path} HTTP/1.0\r\nHost: {authority}\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{request}\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_off(end + 4))
}
