//! Trusted roots and signing configs made from parts: keys, certificates, addresses and windows.
//!
//! The same parts give the same bytes. What is made is read again by the strict reader before it is returned, and a
//! part that this program could not use is refused, not written.

mod error;
mod key;
mod root;
mod services;

pub use error::CreateError;
pub use key::LogKey;
pub use root::{AuthorityPart, LogPart, RootVersion, TrustedRootParts};
pub use services::{Selector, ServicePart, SigningConfigParts};
