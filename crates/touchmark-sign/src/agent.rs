//! A client for ssh-agent (draft-ietf-sshm-ssh-agent): lists keys, asks for one signature, believes nothing.
//!
//! Uses messages 11 and 13 only. Answers are bounded in size and time, and every signature is verified before it is
//! returned. The socket path comes from the caller.

mod connection;
mod error;
mod identity;
mod wire;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use touchmark_verify::key::{KeyAlgorithm, PublicKey};

pub use error::AgentError;
pub use identity::{Identity, Selector};

use crate::error::SignError;
use crate::signer::Signer;
use wire::{Fields, put_string};

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
const MAX_IDENTITIES: u32 = 1024;

/// Lists the keys an agent offers, usable or not.
pub fn list(socket: &Path, timeout: Duration) -> Result<Vec<Identity>, AgentError> {
    let answer = connection::ask(socket, timeout, REQUEST_IDENTITIES, &[], IDENTITIES_ANSWER)?;
    let mut fields = Fields::new(&answer);
    let count = fields.u32()?;
    if count > MAX_IDENTITIES {
        return Err(AgentError::Protocol);
    }
    let identities: Result<Vec<_>, AgentError> = (0..count)
        .map(|_| Ok(Identity::parse(fields.string()?, fields.string()?)))
        .collect();
    fields.end()?;
    identities
}

/// One key in a running agent.
#[derive(Debug)]
pub struct AgentSigner {
    socket: PathBuf,
    timeout: Duration,
    blob: Vec<u8>,
    public: PublicKey,
}

impl AgentSigner {
    /// Selects one key of the agent behind `socket`; each question must be answered within `timeout`.
    pub fn select(socket: &Path, selector: &Selector, timeout: Duration) -> Result<Self, AgentError> {
        let identities = list(socket, timeout)?;
        let (blob, public) = selector.choose(identities)?;
        Ok(AgentSigner {
            socket: socket.to_owned(),
            timeout,
            blob,
            public,
        })
    }

    fn request(&self, message: &[u8]) -> Result<Vec<u8>, AgentError> {
        let mut request = Vec::with_capacity(message.len() + self.blob.len() + 12);
        put_string(&mut request, &self.blob)?;
        put_string(&mut request, message)?;
        request.extend_from_slice(&0_u32.to_be_bytes()); // no flags: they are for RSA hashes
        let answer = connection::ask(&self.socket, self.timeout, SIGN_REQUEST, &request, SIGN_RESPONSE)?;
        let mut outer = Fields::new(&answer);
        let signature = outer.string()?;
        outer.end()?;
        identity::signature(self.public.algorithm(), signature)
    }
}

impl Signer for AgentSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signature = self.request(message)?;
        self.public
            .verify(message, &signature)
            .map_err(SignError::SelfCheck)?;
        Ok(signature)
    }
}

/// Returns the SSH name of an algorithm.
fn ssh_name(algorithm: KeyAlgorithm) -> &'static str {
    match algorithm {
        KeyAlgorithm::EcdsaP256Sha256 => "ecdsa-sha2-nistp256",
        KeyAlgorithm::EcdsaP384Sha384 => "ecdsa-sha2-nistp384",
        KeyAlgorithm::Ed25519 => "ssh-ed25519",
    }
}
