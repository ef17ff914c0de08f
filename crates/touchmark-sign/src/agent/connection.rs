//! One question and one answer over the agent's socket, bounded in size and time.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::AgentError;

/// OpenSSH's agent refuses messages above 256 KiB (`AGENT_MAX_LEN`).
const MAX_MESSAGE_BYTES: usize = 256 * 1024;
const FAILURE: u8 = 5;

/// Asks the agent one question and returns the contents of its answer, which must be of the `expected` kind.
pub(super) fn ask(
    socket: &Path,
    timeout: Duration,
    kind: u8,
    contents: &[u8],
    expected: u8,
) -> Result<Vec<u8>, AgentError> {
    let len = 1 + contents.len();
    if len > MAX_MESSAGE_BYTES {
        return Err(AgentError::MessageTooLarge {
            found: len,
            max: MAX_MESSAGE_BYTES,
        });
    }
    Connection::open(socket, timeout)?.exchange(kind, contents, expected)
}

struct Connection {
    stream: UnixStream,
    socket: PathBuf,
    timeout: Duration,
    deadline: Instant,
}

impl Connection {
    fn open(socket: &Path, timeout: Duration) -> Result<Self, AgentError> {
        let stream = UnixStream::connect(socket).map_err(|source| AgentError::Unreachable {
            socket: socket.to_owned(),
            source,
        })?;
        let deadline = Instant::now() + timeout;
        Ok(Connection {
            stream,
            socket: socket.to_owned(),
            timeout,
            deadline,
        })
    }

    fn exchange(mut self, kind: u8, contents: &[u8], expected: u8) -> Result<Vec<u8>, AgentError> {
        let len = 1 + contents.len();
        let prefix = u32::try_from(len)
            .map_err(|_| AgentError::Protocol)?
            .to_be_bytes();
        self.write(&[&prefix[..], &[kind], contents].concat())?;

        let mut prefix = [0; 4];
        self.read(&mut prefix)?;
        let len = usize::try_from(u32::from_be_bytes(prefix)).map_err(|_| AgentError::Protocol)?;
        if len == 0 || len > MAX_MESSAGE_BYTES {
            return Err(AgentError::Protocol);
        }
        let mut answer = vec![0; len];
        self.read(&mut answer)?;
        match answer[0] {
            found if found == expected => Ok(answer.split_off(1)),
            FAILURE => Err(AgentError::Refused),
            _ => Err(AgentError::Protocol),
        }
    }

    // A slow agent must not win time byte by byte: one deadline holds for the whole question.
    fn remaining(&self) -> Result<Duration, AgentError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(self.timed_out())
        } else {
            Ok(left)
        }
    }

    fn write(&mut self, mut message: &[u8]) -> Result<(), AgentError> {
        while !message.is_empty() {
            let left = self.remaining()?;
            self.stream
                .set_write_timeout(Some(left))
                .map_err(|error| self.failed(error))?;
            match self.stream.write(message) {
                Ok(0) => return Err(AgentError::Protocol),
                Ok(count) => message = &message[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        Ok(())
    }

    fn read(&mut self, mut buffer: &mut [u8]) -> Result<(), AgentError> {
        while !buffer.is_empty() {
            let left = self.remaining()?;
            self.stream
                .set_read_timeout(Some(left))
                .map_err(|error| self.failed(error))?;
            match self.stream.read(buffer) {
                Ok(0) => return Err(AgentError::Protocol),
                Ok(count) => buffer = &mut buffer[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        Ok(())
    }

    fn failed(&self, source: io::Error) -> AgentError {
        match source.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.timed_out(),
            _ => AgentError::Unreachable {
                socket: self.socket.clone(),
                source,
            },
        }
    }

    fn timed_out(&self) -> AgentError {
        AgentError::Timeout {
            socket: self.socket.clone(),
            seconds: self.timeout.as_secs(),
        }
    }
}
