//! The keys that a caller accepts signatures of, and the key material it has at hand.
//!
//! A key is accepted by its fingerprint only. The material may come from anywhere, a log entry included, because it
//! is compared with the fingerprint.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::key::{KeyFingerprint, PublicKey};
use crate::window::Window;

/// The keys that may have signed.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    allowed: BTreeMap<KeyFingerprint, Option<Window>>,
    at_hand: BTreeMap<KeyFingerprint, PublicKey>,
    named: BTreeMap<String, BTreeSet<KeyFingerprint>>,
}

impl KeyRing {
    /// Returns a ring without keys, which accepts nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts a key at any time.
    pub fn allow(&mut self, fingerprint: KeyFingerprint) -> &mut Self {
        self.allowed.insert(fingerprint, None);
        self
    }

    /// Accepts a key inside a window, which takes a verified time to tell.
    pub fn allow_within(&mut self, fingerprint: KeyFingerprint, window: Window) -> &mut Self {
        self.allowed.insert(fingerprint, Some(window));
        self
    }

    /// Adds key material; whether the key is accepted is another matter.
    pub fn add_key(&mut self, key: PublicKey) -> &mut Self {
        self.at_hand.insert(key.fingerprint(), key);
        self
    }

    /// Gives a key a name by which bundles of other tools may hint at it.
    pub fn name(&mut self, hint: &str, fingerprint: KeyFingerprint) -> &mut Self {
        self.named.entry(hint.to_owned()).or_default().insert(fingerprint);
        self
    }

    /// Tells whether no key is accepted.
    pub fn is_empty(&self) -> bool {
        self.allowed.is_empty()
    }

    /// Tells whether the key is accepted, at least at some time.
    pub fn allows(&self, fingerprint: &KeyFingerprint) -> bool {
        self.allowed.contains_key(fingerprint)
    }

    /// Returns the fingerprints that are accepted.
    pub fn fingerprints(&self) -> impl Iterator<Item = &KeyFingerprint> {
        self.allowed.keys()
    }

    /// Returns the fingerprint a hint stands for: `sha256:<hex>`, the same 64 hex digits alone, the base64 of the
    /// digest as cosign writes it, or a name given to exactly one key.
    pub fn resolve(&self, hint: &str) -> Option<KeyFingerprint> {
        hint.parse()
            .or_else(|_| format!("sha256:{hint}").parse())
            .ok()
            .or_else(|| {
                STANDARD
                    .decode(hint)
                    .ok()?
                    .try_into()
                    .ok()
                    .map(KeyFingerprint::from_bytes)
            })
            .or_else(|| {
                let keys = self.named.get(hint)?;
                keys.first().filter(|_| keys.len() == 1).copied()
            })
    }

    pub(crate) fn window(&self, fingerprint: &KeyFingerprint) -> Option<Option<Window>> {
        self.allowed.get(fingerprint).copied()
    }

    pub(crate) fn material(&self, fingerprint: &KeyFingerprint) -> Option<&PublicKey> {
        self.at_hand.get(fingerprint)
    }
}
