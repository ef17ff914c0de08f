//! Keyless signing: an identity token, an ephemeral key, a certificate for both, and signed times.
//!
//! Asks the services that a [`signing_config`] names, through `touchmark-http`, and believes no answer that is not
//! about what was asked and proven under the trusted root. The key lives in memory, signs while its certificate holds,
//! and is never written anywhere. Time, environment and network come from the caller.

mod error;
pub mod fulcio;
pub mod login;
mod signer;
pub mod signing_config;
pub mod stamp;
#[cfg(test)]
mod testing;
pub mod token;
pub mod tsa;

pub use error::KeylessError;
pub use signer::{KeylessRequest, KeylessSigner};
