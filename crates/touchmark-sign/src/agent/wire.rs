//! The two SSH wire types the agent protocol needs (RFC 4251 §5): `uint32` and `string`.

use super::AgentError;

/// Reads fields from the front of a message.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Fields(message)
    }

    pub(super) fn u32(&mut self) -> Result<u32, AgentError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(AgentError::Protocol)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*number))
    }

    pub(super) fn string(&mut self) -> Result<&'a [u8], AgentError> {
        let len = usize::try_from(self.u32()?).map_err(|_| AgentError::Protocol)?;
        let (string, rest) = self.0.split_at_checked(len).ok_or(AgentError::Protocol)?;
        self.0 = rest;
        Ok(string)
    }

    pub(super) fn end(&self) -> Result<(), AgentError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(AgentError::Protocol)
        }
    }
}

/// Appends a `string`.
pub(super) fn put_string(message: &mut Vec<u8>, string: &[u8]) -> Result<(), AgentError> {
    let len = u32::try_from(string.len()).map_err(|_| AgentError::Protocol)?;
    message.extend_from_slice(&len.to_be_bytes());
    message.extend_from_slice(string);
    Ok(())
}
