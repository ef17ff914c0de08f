//! Passwords: held in zeroizing memory, never shown, read from where the caller says.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use thiserror::Error;
use zeroize::Zeroizing;

/// Longest password that is accepted.
pub const MAX_PASSWORD_BYTES: usize = 4096;

/// A password that could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// More bytes than any password has.
    #[error("password is longer than {max} bytes")]
    TooLong {
        /// The cap.
        max: usize,
    },
    /// The descriptor could not be read.
    #[error("password could not be read from file descriptor {fd}")]
    Descriptor {
        /// The descriptor's number.
        fd: u32,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl PasswordError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            PasswordError::TooLong { .. } => "password.too_long",
            PasswordError::Descriptor { .. } => "password.unreadable",
        }
    }
}

/// A password. Its memory is cleared on drop and its `Debug` shows nothing, not even the length.
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// Takes over the bytes of a password.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, PasswordError> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.len() > MAX_PASSWORD_BYTES {
            return Err(PasswordError::TooLong {
                max: MAX_PASSWORD_BYTES,
            });
        }
        Ok(Password(bytes))
    }

    /// Reads a password from an open file descriptor up to its end; one final line end is not part of it.
    pub fn from_descriptor(fd: u32) -> Result<Self, PasswordError> {
        let failed = |source| PasswordError::Descriptor { fd, source };
        let mut file = File::open(format!("/dev/fd/{fd}")).map_err(failed)?;
        // One byte more than allowed tells "too long" from "just fits"; no growing, so no copies are left behind.
        let mut buffer = Zeroizing::new(vec![0; MAX_PASSWORD_BYTES + 3]);
        let mut len = 0;
        while len < buffer.len() {
            match file.read(&mut buffer[len..]) {
                Ok(0) => break,
                Ok(count) => len += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        buffer.truncate(len);
        if buffer.last() == Some(&b'\n') {
            buffer.pop();
            if buffer.last() == Some(&b'\r') {
                buffer.pop();
            }
        }
        if buffer.len() > MAX_PASSWORD_BYTES {
            return Err(PasswordError::TooLong {
                max: MAX_PASSWORD_BYTES,
            });
        }
        Ok(Password(buffer))
    }

    /// Returns whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;

    use super::{MAX_PASSWORD_BYTES, Password, PasswordError};

    fn through_a_pipe(bytes: &[u8]) -> Result<Password, PasswordError> {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(bytes).unwrap();
        drop(writer);
        Password::from_descriptor(u32::try_from(reader.as_raw_fd()).unwrap())
    }

    #[test]
    fn a_descriptor_gives_everything_but_the_last_line_end() {
        for (written, password) in [
            (&b"word"[..], &b"word"[..]),
            (b"word\n", b"word"),
            (b"word\r\n", b"word"),
            (b"two\nlines\n", b"two\nlines"),
            (b" spaces \n\n", b" spaces \n"),
            (b"\xff\x00\n", b"\xff\x00"),
            (b"", b""),
        ] {
            assert_eq!(through_a_pipe(written).unwrap().as_bytes(), password);
        }
    }

    #[test]
    fn passwords_without_end_and_closed_descriptors_are_refused() {
        let longest = vec![b'a'; MAX_PASSWORD_BYTES];
        let with_line_end = [&longest[..], b"\r\n"].concat();
        assert_eq!(through_a_pipe(&with_line_end).unwrap().as_bytes(), longest);
        let longer = [&longest[..], b"a"].concat();
        assert_eq!(through_a_pipe(&longer).unwrap_err().code(), "password.too_long");
        assert_eq!(
            through_a_pipe(&[b'a'; 60_000]).unwrap_err().code(),
            "password.too_long"
        );
        assert_eq!(Password::new(longer).unwrap_err().code(), "password.too_long");
        assert_eq!(
            Password::from_descriptor(4_000_000).unwrap_err().code(),
            "password.unreadable"
        );
    }
}
