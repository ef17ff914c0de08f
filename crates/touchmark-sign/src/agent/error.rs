//! Why an ssh-agent could not be used.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A question to an ssh-agent that brought no usable answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AgentError {
    /// No agent listens on the socket.
    #[error("no ssh-agent answers on {}", socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The agent did not answer in time.
    #[error("ssh-agent on {} did not answer within {seconds} s", socket.display())]
    Timeout {
        /// The socket.
        socket: PathBuf,
        /// The time allowed.
        seconds: u64,
    },
    /// The message is larger than an agent takes.
    #[error("message of {found} bytes is too large for an ssh-agent, at most {max}")]
    MessageTooLarge {
        /// Bytes of the message.
        found: usize,
        /// The cap.
        max: usize,
    },
    /// The answer is not what the protocol says.
    #[error("ssh-agent gave an answer that is not in its protocol")]
    Protocol,
    /// The agent answered that it will not.
    #[error("ssh-agent refused")]
    Refused,
    /// The agent holds no key that can sign for us.
    #[error("ssh-agent holds no usable key among {held}, expected P-256, P-384 or Ed25519")]
    NoUsableKey {
        /// How many keys it holds.
        held: usize,
    },
    /// Several keys match; one must be named.
    #[error("{count} keys of the ssh-agent match, one must be named by its fingerprint")]
    Ambiguous {
        /// How many match.
        count: usize,
        /// Their SSH fingerprints.
        fingerprints: Vec<String>,
    },
    /// No key matches the selector.
    #[error("ssh-agent holds no key `{selector}`")]
    NotFound {
        /// What was asked for.
        selector: String,
    },
    /// The key that matches is a FIDO key.
    #[error("FIDO security keys do not sign the given bytes, so they cannot make attestations")]
    Fido,
    /// The key that matches is of a kind that is not supported.
    #[error("ssh-agent key is of kind `{found}`, expected P-256, P-384 or Ed25519")]
    UnsupportedAlgorithm {
        /// Its SSH name, with unusual characters replaced.
        found: String,
    },
}

impl AgentError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            AgentError::Unreachable { .. } => "agent.unreachable",
            AgentError::Timeout { .. } => "agent.timeout",
            AgentError::MessageTooLarge { .. } => "agent.message_too_large",
            AgentError::Protocol => "agent.protocol",
            AgentError::Refused => "agent.refused",
            AgentError::NoUsableKey { .. } => "agent.no_usable_key",
            AgentError::Ambiguous { .. } => "agent.ambiguous_key",
            AgentError::NotFound { .. } => "agent.key_not_found",
            AgentError::Fido => "key.fido",
            AgentError::UnsupportedAlgorithm { .. } => "key.unsupported_algorithm",
        }
    }
}
