//! How a user names a key: a path, `env://NAME`, or `ssh-agent:` with an optional selector.
//!
//! Only parses names. Opening them is the caller's choice, so that nothing read from a repository opens a key.

use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

use crate::agent::Selector;

/// A name that is no key name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyUriError {
    /// Nothing was given.
    #[error("key name is empty")]
    Empty,
    /// The part after `env://` is no variable name.
    #[error("expected an environment variable name after `env://`")]
    Variable,
    /// A scheme that is not known.
    #[error("key scheme `{scheme}` is not supported, expected a path, `env://NAME` or `ssh-agent:`")]
    UnknownScheme {
        /// The scheme.
        scheme: String,
    },
    /// Key text where the name of a key is expected; it is not kept.
    #[error("expected the name of a key, found the key itself")]
    KeyText,
}

impl KeyUriError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            KeyUriError::Empty => "key.name_empty",
            KeyUriError::Variable => "key.name_variable",
            KeyUriError::UnknownScheme { .. } => "key.name_scheme",
            KeyUriError::KeyText => "key.name_is_key",
        }
    }
}

/// The name of a private key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyUri {
    /// A file.
    File(PathBuf),
    /// The value of an environment variable, which the caller reads and passes to [`crate::key_file::parse`].
    Env(String),
    /// A key in a running ssh-agent.
    SshAgent(Selector),
}

impl FromStr for KeyUri {
    type Err = KeyUriError;

    fn from_str(text: &str) -> Result<Self, KeyUriError> {
        if text.is_empty() {
            return Err(KeyUriError::Empty);
        }
        if text.contains("-----BEGIN") || text.contains('\n') {
            return Err(KeyUriError::KeyText);
        }
        if let Some(selector) = text.strip_prefix("ssh-agent:") {
            return Ok(KeyUri::SshAgent(Selector::parse(selector)));
        }
        if let Some(name) = text.strip_prefix("env://") {
            let valid = name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let starts_well = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
            return if valid && starts_well {
                Ok(KeyUri::Env(name.to_owned()))
            } else {
                Err(KeyUriError::Variable)
            };
        }
        if let Some((scheme, _)) = text.split_once("://") {
            let is_scheme = !scheme.is_empty()
                && scheme.len() <= 32
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
            if is_scheme {
                return Err(KeyUriError::UnknownScheme {
                    scheme: scheme.to_owned(),
                });
            }
        }
        Ok(KeyUri::File(PathBuf::from(text)))
    }
}
