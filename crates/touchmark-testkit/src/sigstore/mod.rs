//! A complete Sigstore in one process: certificate authority, certificate log, timestamp authorities, Rekor v1 and v2,
//! witnesses, token issuer. The same in every run of one seed, and the time is the caller's.
//!
//! [`Instance::with`] makes exactly one thing wrong. A broken bundle is to be verified against the trusted root of the
//! instance that made it, since some defects show in the root.
//!
//! ```
//! use touchmark_testkit::sigstore::{GithubRun, Instance, InstanceOptions, Signing};
//!
//! let instance = Instance::new(1, InstanceOptions::default());
//! let signing = Signing::keyless(GithubRun::default().identity());
//! let signed = instance.sign_message(&signing, b"a message");
//! assert_eq!(signed.bundle().tlog_entries.len(), 1);
//! ```

pub mod certificate;
pub mod ct_log;
mod defect;
pub mod der;
mod identity;
mod instance;
mod issue;
pub mod keys;
mod logged;
pub mod rekor_v1;
pub mod rekor_v2;
pub mod serve;
mod sign;
mod token;
mod token_issuer;
pub mod tree;
mod trusted_root;
pub mod tsa;

pub use defect::{CertificateDefect, Defect, LogDefect, TimeDefect, TrustRootDefect};
pub use identity::{FULCIO_ARC, GITHUB_ISSUER, GithubRun, Identity, PERSON_ISSUER, San};
pub use instance::{
    CertificateAuthority, Instance, InstanceOptions, LEAF_SECONDS, Part, SIGNED_AT, VALID_FROM,
};
pub use keys::{Key, Scheme};
pub use serve::{Fault, FaultProxy, Route, Served};
pub use sign::{BundleVersion, IN_TOTO, LogKind, Signatory, Signed, Signing, envelope, hint, pae};
pub use token_issuer::{email_claims, github_claims};
pub use trusted_root::{ConfiguredLogs, ServiceUrls, rfc3339};

/// Encodes JSON canonically (RFC 8785).
fn canonical(value: &serde_json::Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).expect("JSON has a canonical form")
}
