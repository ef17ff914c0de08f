//! Step 3: the key is one of those the caller passes, inside its window; or it is in a certificate that chains to a
//! trusted authority at every verified time.
//!
//! Which key is meant comes from the hint; what the key is comes from the caller or from a log entry, and is compared
//! with the fingerprint either way.

use std::sync::Arc;

use thiserror::Error;
use touchmark_statement::timestamp::Timestamp;
use touchmark_tlog::entry::{EntryBody, VerifierMaterial};

use super::certificate::{self, ProvenLeaf};
use super::memory::Memory;
use super::structure::{Named, Shape};
use super::time::VerifiedTimes;
use super::{CertificateError, Verifier};
use crate::expected::ExpectedSigners;
use crate::identity::CertificateIdentity;
use crate::key::{KeyError, KeyFingerprint, PublicKey};
use crate::key_ring::KeyRing;
use crate::signer_key::SignerKey;
use crate::verified::Check;
use crate::window::Window;

/// Why the signer was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The caller passed nobody who may have signed, so that nothing can be proven.
    #[error("nobody was named who may have signed")]
    NoneExpected,
    /// The bundle is signed with a key, and the caller accepts certificates only.
    #[error("the bundle is signed with a key, but only identities in certificates were expected")]
    KeyNotExpected,
    /// The bundle is signed with a certificate, and the caller accepts keys only.
    #[error("the bundle is signed with a certificate, but only keys were expected")]
    CertificateNotExpected,
    /// The certificate proves nothing.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The hint and the envelope's `keyid` name different keys.
    #[error("the bundle hints at key {hint:?}, but the envelope's keyid is {keyid:?}")]
    HintMismatch {
        /// The bundle's hint.
        hint: String,
        /// The envelope's `keyid`.
        keyid: String,
    },
    /// The hint names no key.
    #[error("the hint {hint:?} is neither a fingerprint nor a name given to one key")]
    HintUnknown {
        /// The hint found.
        hint: String,
    },
    /// The key is none that may have signed.
    #[error("key {found} is none of those that may have signed")]
    NotExpected {
        /// The key that the bundle names.
        found: KeyFingerprint,
    },
    /// Only the fingerprint of the key is known.
    #[error("the key {fingerprint} itself is neither at hand nor in a log entry")]
    MaterialMissing {
        /// The fingerprint.
        fingerprint: KeyFingerprint,
    },
    /// The log entry is about another key than the one that the bundle names.
    #[error("the bundle names key {expected}, but its log entry holds key {found}")]
    EntryKey {
        /// The fingerprint that the bundle names.
        expected: KeyFingerprint,
        /// The fingerprint of the key in the entry.
        found: KeyFingerprint,
    },
    /// The key is malformed.
    #[error("the key {fingerprint} in the log entry is unusable")]
    Key {
        /// The fingerprint.
        fingerprint: KeyFingerprint,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// The key may be used in a window only, and no verified time tells whether the signature falls into it.
    #[error("key {fingerprint} is accepted {window} only, and no verified time tells when it signed")]
    WindowNeedsTime {
        /// The key.
        fingerprint: KeyFingerprint,
        /// Its window.
        window: Window,
    },
    /// A verified time falls outside the key's window.
    #[error("key {fingerprint} is accepted {window} only, but signed by {at}")]
    OutsideWindow {
        /// The key.
        fingerprint: KeyFingerprint,
        /// Its window.
        window: Window,
        /// The verified time.
        at: Timestamp,
    },
}

impl SignerError {
    /// Returns the stable code of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoneExpected => "signer.none_expected",
            Self::KeyNotExpected => "signer.key_not_expected",
            Self::CertificateNotExpected => "signer.certificate_not_expected",
            Self::Certificate(error) => error.code(),
            Self::HintMismatch { .. } => "signer.hint_mismatch",
            Self::HintUnknown { .. } => "signer.hint_unknown",
            Self::NotExpected { .. } => "signer.not_expected",
            Self::MaterialMissing { .. } => "signer.key_missing",
            Self::EntryKey { .. } => "signer.entry_key",
            Self::Key { source, .. } => source.code(),
            Self::WindowNeedsTime { .. } => "signer.window_needs_time",
            Self::OutsideWindow { .. } => "signer.outside_window",
        }
    }
}

/// A key that may have signed; whether it did is for the next steps.
#[derive(Debug)]
pub(super) struct AuthenticSigner {
    key: SignerKey,
    leaf: Option<Arc<ProvenLeaf>>,
    checks: Vec<Check>,
}

/// Authenticates whom the bundle names: a key among those expected, or a certificate.
pub(super) fn authenticate(
    shape: &Shape<'_>,
    times: &VerifiedTimes,
    expected: &ExpectedSigners,
    verifier: &Verifier<'_>,
) -> Result<AuthenticSigner, SignerError> {
    if expected.is_empty() {
        return Err(SignerError::NoneExpected);
    }
    match shape.named() {
        Named::Key { .. } if expected.keys.is_empty() => Err(SignerError::KeyNotExpected),
        Named::Key { hint } => authenticate_key(shape, hint, times, &expected.keys, &verifier.memory),
        Named::Certificate { .. } if expected.identities.is_empty() => {
            Err(SignerError::CertificateNotExpected)
        }
        Named::Certificate { leaf, chain } => {
            let (root, options, memory) = (verifier.root, verifier.options, &verifier.memory);
            let leaf = certificate::authenticate(leaf, chain, times, root, options, memory)?;
            Ok(AuthenticSigner {
                key: leaf.key.clone(),
                leaf: Some(leaf),
                checks: certificate::checks(options),
            })
        }
    }
}

/// Finds the one key that the bundle names among those expected.
fn authenticate_key(
    shape: &Shape<'_>,
    hint: &str,
    times: &VerifiedTimes,
    expected: &KeyRing,
    memory: &Memory,
) -> Result<AuthenticSigner, SignerError> {
    let envelope = shape.bundle().envelope();
    let keyid = envelope.map_or("", |envelope| envelope.keyid.as_str());
    // The format demands that both are equal; DSSE lets the envelope leave its own out.
    if !keyid.is_empty() && keyid != hint {
        return Err(SignerError::HintMismatch {
            hint: hint.to_owned(),
            keyid: keyid.to_owned(),
        });
    }
    let named = expected.resolve(hint).ok_or_else(|| SignerError::HintUnknown {
        hint: hint.to_owned(),
    })?;
    let window = expected
        .window(&named)
        .ok_or(SignerError::NotExpected { found: named })?;
    let key = material(shape, &named, expected, memory)?;
    if let Some(window) = window {
        require_inside(named, window, times)?;
    }
    let keyid = match keyid.is_empty() {
        false => Check::pass("signer.keyid"),
        true => Check::skipped(
            "signer.keyid",
            "the envelope has no keyid to compare with the hint",
        ),
    };
    let window = match window.is_some() {
        true => Check::pass("signer.window"),
        false => Check::skipped("signer.window", "the key is accepted at any time"),
    };
    Ok(AuthenticSigner {
        key: SignerKey::Managed(key),
        leaf: None,
        checks: vec![Check::pass("signer.expected"), keyid, window],
    })
}

fn material(
    shape: &Shape<'_>,
    named: &KeyFingerprint,
    expected: &KeyRing,
    memory: &Memory,
) -> Result<Arc<PublicKey>, SignerError> {
    // Where the key comes from is settled before memory is asked: the answer to one bundle must not depend on others.
    if let Some(key) = expected.material(named) {
        return Ok(memory.key(named).unwrap_or_else(|| memory.keep_key(key.clone())));
    }
    let mut spki = None;
    for verifier in shape.bodies().iter().flat_map(EntryBody::verifiers) {
        let VerifierMaterial::PublicKey(key) = verifier else {
            continue;
        };
        let found = KeyFingerprint::of_spki(key);
        // An entry of another key is an entry of another bundle; the log step says so of keys at hand.
        if found != *named {
            return Err(SignerError::EntryKey {
                expected: *named,
                found,
            });
        }
        spki = Some(key);
    }
    let spki = spki.ok_or(SignerError::MaterialMissing { fingerprint: *named })?;
    if let Some(key) = memory.key(named) {
        return Ok(key);
    }
    match PublicKey::from_spki_der(spki) {
        Ok(key) => Ok(memory.keep_key(key)),
        Err(source) => Err(SignerError::Key {
            fingerprint: *named,
            source,
        }),
    }
}

/// Every verified time must fall into the window, and there must be one.
fn require_inside(
    fingerprint: KeyFingerprint,
    window: Window,
    times: &VerifiedTimes,
) -> Result<(), SignerError> {
    if times.as_slice().is_empty() {
        return Err(SignerError::WindowNeedsTime { fingerprint, window });
    }
    match times
        .as_slice()
        .iter()
        .map(|time| time.not_after)
        .find(|time| !window.contains(*time))
    {
        Some(at) => Err(SignerError::OutsideWindow {
            fingerprint,
            window,
            at,
        }),
        None => Ok(()),
    }
}

impl AuthenticSigner {
    pub(super) fn key(&self) -> &SignerKey {
        &self.key
    }

    /// Returns the identity in the certificate; `None` for a key that stands for itself.
    pub(super) fn certificate_identity(&self) -> Option<&CertificateIdentity> {
        self.leaf.as_ref().map(|leaf| &leaf.identity)
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        self.checks.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verified::{TimeSource, VerifiedTime};

    fn times(seconds: &[i64]) -> VerifiedTimes {
        let source = TimeSource::TimestampAuthority { uri: String::new() };
        let time = |at: &i64| VerifiedTime {
            not_after: Timestamp::from_unix(*at).unwrap(),
            source: source.clone(),
        };
        VerifiedTimes::for_test(seconds.iter().map(time).collect())
    }

    #[test]
    fn case_115_every_verified_time_must_fall_into_the_key_s_window() {
        let fingerprint = KeyFingerprint::from_bytes([7; 32]);
        let at = |seconds| Timestamp::from_unix(seconds).unwrap();
        let window = Window {
            start: at(100),
            end: Some(at(200)),
        };
        assert!(require_inside(fingerprint, window, &times(&[100, 200])).is_ok());
        let refusals: [(&[i64], &str); 4] = [
            (&[], "signer.window_needs_time"),
            (&[99], "signer.outside_window"),
            (&[201], "signer.outside_window"),
            (&[150, 201], "signer.outside_window"),
        ];
        for (moments, code) in refusals {
            assert_eq!(
                require_inside(fingerprint, window, &times(moments))
                    .unwrap_err()
                    .code(),
                code,
                "{moments:?}"
            );
        }
    }
}
