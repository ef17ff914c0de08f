//! What the tests of the log share: signed requests, and a client that speaks just enough HTTP.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::pkcs8::EncodePublicKey as _;
use sha2::{Digest as _, Sha256};
use touchmark_log::Log;
use touchmark_tlog::entry::{CreateEntryRequest, EntryVerifier, KeyDetails, LogEntry, VerifierMaterial};
use touchmark_tlog::merkle::{leaf_hash, verify_inclusion};

/// A key that signs entries.
pub struct TestKey(p256::ecdsa::SigningKey);

impl TestKey {
    /// Returns the key made from this seed.
    pub fn new(seed: u8) -> Self {
        Self(p256::ecdsa::SigningKey::from_slice(&[seed; 32]).expect("a scalar"))
    }

    /// Returns the DER of the public key.
    pub fn spki(&self) -> Vec<u8> {
        self.0
            .verifying_key()
            .to_public_key_der()
            .expect("a key")
            .into_vec()
    }

    /// Returns a good request for this message.
    pub fn request(&self, message: &str) -> CreateEntryRequest {
        let digest = Sha256::digest(message);
        let signature: p256::ecdsa::Signature = self.0.sign_prehash(&digest).expect("a digest");
        CreateEntryRequest {
            digest: digest.to_vec(),
            signature: signature.to_der().as_bytes().to_vec(),
            verifier: EntryVerifier {
                key_details: KeyDetails::EcdsaP256Sha256,
                material: VerifierMaterial::PublicKey(self.spki()),
            },
        }
    }
}

/// Creates a log in a fresh directory.
pub fn new_log(dir: &Path) -> Log {
    Log::create(&dir.join("log"), "log.test").expect("a new log")
}

/// Verifies an entry as an outsider would: body, proof and checkpoint.
pub fn verify_entry(log: &Log, entry: &LogEntry, request: &CreateEntryRequest) {
    assert_eq!(
        entry.canonicalized_body,
        request.to_entry().expect("good").canonical_body()
    );
    assert_eq!(entry.log_id, log.verifier_key().log_id());
    let proof = entry.inclusion_proof.as_ref().expect("a proof");
    let note = proof.checkpoint.as_ref().expect("a checkpoint");
    let checkpoint =
        touchmark_tlog::checkpoint::verify_note(note.as_bytes(), log.origin(), log.verifier_key())
            .expect("signed by this log");
    assert_eq!(
        (proof.tree_size, &proof.root_hash),
        (checkpoint.size(), checkpoint.root())
    );
    assert_eq!(proof.log_index, entry.log_index);
    let leaf = leaf_hash(&entry.canonicalized_body);
    verify_inclusion(
        &leaf,
        entry.log_index,
        checkpoint.size(),
        &proof.hashes,
        checkpoint.root(),
    )
    .expect("included");
}

/// Asserts that an audit finds nothing.
pub fn assert_clean(log: &Log, size: u64) {
    let report = log.check().expect("an audit");
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!((report.size, report.entries), (size, size));
}

/// Small numbers that look random, the same in every run.
pub struct Numbers(pub u64);

impl Numbers {
    /// Returns a number below this one.
    pub fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// An HTTP response.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the `code` of an error.
    pub fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).expect("JSON");
        body["code"].as_str().expect("a code").to_owned()
    }
}

/// A connection that is kept open.
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a server");
        stream.set_nodelay(true).expect("an option");
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("an option");
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("sent");
    }

    /// Sends a request and reads the response.
    pub fn call(&mut self, method: &str, path: &str, body: &[u8]) -> Response {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: log.test\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.send(&[head.as_bytes(), body].concat());
        self.receive().expect("a response")
    }

    /// Reads a response; `None` if the server closed the connection.
    pub fn receive(&mut self) -> Option<Response> {
        let mut line = String::new();
        self.stream.read_line(&mut line).ok()?;
        let status = line.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).ok()?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
                None => break,
            }
        }
        let length = headers
            .iter()
            .find(|(name, _)| name == "content-length")
            .map_or("0", |(_, value)| value);
        let mut body = vec![0; length.parse().ok()?];
        self.stream.read_exact(&mut body).ok()?;
        Some(Response {
            status,
            headers,
            body,
        })
    }
}
