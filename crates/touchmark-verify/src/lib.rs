//! From a bundle, a trusted root and a time to a verified statement; from a set of them and a git view to a lineage.
//!
//! Pure functions of their arguments: no network, no clock, no environment, no file. [`Bundle`](bundle::Bundle) is
//! what arrived, [`VerifiedStatement`](verified::VerifiedStatement) is what was proven and can be built here only.
//! Signers are keys ([`key_ring`]) or identities in certificates ([`identity`]), as the caller expects ([`expected`]).
//! Begin reading at [`verify`](mod@verify).
//!
//! ```no_run
//! use touchmark_statement::timestamp::Timestamp;
//! use touchmark_verify::bundle::Bundle;
//! use touchmark_verify::key_ring::KeyRing;
//! use touchmark_verify::trust::TrustedRoot;
//! use touchmark_verify::verify::{VerifyOptions, verify};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bundle = Bundle::parse(&std::fs::read("fix.sigstore.json")?)?;
//! let root = TrustedRoot::parse(&std::fs::read("trusted_root.json")?)?;
//! let at: Timestamp = "2026-11-20T12:00:00Z".parse()?;
//! let mut expected = KeyRing::new();
//! expected.allow("sha256:4cb32c4837c6dda8cfb1681efb3fef5f94ffce5b979e6bdb9139302c857af139".parse()?);
//!
//! let verified = verify(&bundle, &expected.into(), &root, &VerifyOptions::new(at))?;
//! println!("{} by {}", verified.statement().predicate_type, verified.signer());
//! for check in verified.checks() {
//!     println!("{}: {:?}", check.name, check.outcome);
//! }
//! # Ok(())
//! # }
//! ```

pub mod bundle;
pub mod commitment;
pub mod der;
pub mod envelope;
pub mod evidence;
pub mod expected;
pub mod git_view;
pub mod identity;
pub mod issued;
pub mod key;
pub mod key_ring;
pub mod limits;
pub mod lineage;
pub mod message;
pub mod remembered;
mod scheme;
mod signer_key;
pub mod timestamp_token;
pub mod trust;
pub mod verified;
pub mod verify;
pub mod window;
pub mod witness;
pub mod x509;
