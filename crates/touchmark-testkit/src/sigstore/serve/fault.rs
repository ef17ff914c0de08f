//! What can go wrong on the wire, by route.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::http::{self, Answer};
use super::route::Route;

/// What goes wrong with the answers of a route.
///
/// The first four answer in the service's place, which does nothing; the others spoil the answer after it did its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An error with this status.
    Status(u16),
    /// An error with this status and this `Retry-After`.
    RetryAfter(u16, String),
    /// A redirect to this address.
    Redirect(u16, String),
    /// No answer: the connection is taken and nothing comes.
    Stall,
    /// The first bytes of the answer, then nothing more.
    StallAfter(usize),
    /// One byte of the answer at a time, this far apart.
    Drip(Duration),
    /// The first bytes of the answer, then a reset of the connection.
    ResetAfter(usize),
    /// The first bytes of the answer, then an end in order.
    CloseAfter(usize),
    /// The first half of the body, as if it were whole.
    Truncated,
    /// Another content type.
    ContentType(String),
    /// A body that says it is compressed and grows to this many bytes.
    GzipBomb(usize),
    /// A body of this many spaces, after which the real one follows.
    Padded(usize),
    /// Another body.
    Body(Vec<u8>),
    /// Rekor: another entry than the one that was sent or asked for, right in itself. Fulcio: a certificate for another
    /// key. Timestamp authorities: a timestamp over something else.
    OtherEntry,
    /// Fulcio: a certificate for another identity.
    OtherIdentity,
    /// Fulcio: a certificate that was issued at another time. Timestamp authorities: a timestamp of another time.
    OtherTime(i64),
    /// Timestamp authorities: the nonce of another request.
    OtherNonce,
}

/// The faults in force.
#[derive(Debug, Default)]
pub(super) struct Faults {
    by_route: HashMap<Route, (Fault, usize)>,
}

impl Faults {
    pub(super) fn set(&mut self, route: Route, fault: Fault, times: usize) {
        self.by_route.insert(route, (fault, times));
    }

    pub(super) fn clear(&mut self) {
        self.by_route.clear();
    }

    /// Returns the fault for one request, and counts it.
    pub(super) fn take(&mut self, route: Route) -> Option<Fault> {
        let (fault, times) = self.by_route.get_mut(&route)?;
        let fault = fault.clone();
        *times -= 1;
        if *times == 0 {
            self.by_route.remove(&route);
        }
        Some(fault)
    }
}

impl Fault {
    /// Returns what is answered in the service's place.
    pub(super) fn instead(&self) -> Option<Answer> {
        match self {
            Self::Status(status) => Some(Answer::error(*status, "out of order")),
            Self::RetryAfter(status, after) => {
                Some(Answer::error(*status, "come back later").header("retry-after", after))
            }
            Self::Redirect(status, to) => Some(Answer::error(*status, "elsewhere").header("location", to)),
            _ => None,
        }
    }

    /// Spoils an answer's content.
    fn spoil(&self, mut answer: Answer) -> Answer {
        match self {
            Self::Truncated => answer.body.truncate(answer.body.len() / 2),
            Self::ContentType(other) => answer = answer.header("content-type", other),
            Self::GzipBomb(bytes) => {
                answer.body = gzip_of_zeros(*bytes);
                answer = answer.header("content-encoding", "gzip");
            }
            Self::Padded(bytes) => {
                let mut body = vec![b' '; *bytes];
                body.append(&mut answer.body);
                answer.body = body;
            }
            Self::Body(body) => answer.body.clone_from(body),
            _ => {}
        }
        answer
    }

    /// Writes an answer with the fault; `stop` ends what would last for ever.
    pub(super) fn write(&self, stream: &mut TcpStream, answer: Answer, stop: &AtomicBool) {
        let bytes = self.spoil(answer).encode();
        let first = |count: usize| &bytes[..count.min(bytes.len())];
        match self {
            Self::Stall => hold(stream, stop),
            Self::StallAfter(count) => {
                let _ = stream.write_all(first(*count));
                hold(stream, stop);
            }
            Self::Drip(pause) => drip(stream, &bytes, *pause, stop),
            Self::ResetAfter(count) => {
                let _ = stream.write_all(first(*count));
                let _ = stream.flush();
                // Let the bytes arrive first: a reset may overtake what the client has not read.
                std::thread::sleep(Duration::from_millis(5));
                let _ = rustix::net::sockopt::set_socket_linger(&*stream, Some(Duration::ZERO));
            }
            Self::CloseAfter(count) => http::write(stream, first(*count)),
            _ => http::write(stream, &bytes),
        }
    }
}

fn drip(stream: &mut TcpStream, bytes: &[u8], pause: Duration, stop: &AtomicBool) {
    for byte in bytes {
        if stop.load(Ordering::Relaxed) || stream.write_all(&[*byte]).is_err() {
            return;
        }
        std::thread::sleep(pause);
    }
    http::write(stream, &[]);
}

/// Keeps a connection until its client gives up or the services stop.
fn hold(stream: &mut TcpStream, stop: &AtomicBool) {
    use std::io::{ErrorKind, Read as _};
    let _ = stream.set_read_timeout(Some(Duration::from_millis(50)));
    let mut rest = [0; 256];
    while !stop.load(Ordering::Relaxed) {
        match stream.read(&mut rest) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}

/// Returns a gzip stream (RFC 1952) of zeros: one block with fixed codes (RFC 1951 §3.2.6), 258 bytes in 13 bits.
fn gzip_of_zeros(bytes: usize) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let (mut bits, mut count) = (0_u32, 0_u32);
    let mut push = |value: u32, width: u32, out: &mut Vec<u8>| {
        bits |= value << count;
        count += width;
        while count >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            count -= 8;
        }
    };
    push(0b011, 3, &mut out); // the last block, fixed codes
    push(0b0000_1100, 8, &mut out); // the literal 0: 00110000, first bit first
    for _ in 0..bytes / 258 {
        push(0b1010_0011, 8, &mut out); // length 258: 11000101
        push(0, 5, &mut out); // distance 1
    }
    push(0, 7, &mut out); // end of block
    push(0, 7, &mut out);
    out.extend_from_slice(&[0; 8]);
    out
}
