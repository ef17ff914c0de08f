//! What a verifier remembers between bundles: keys it has parsed, certificates it has chained, authorities' chains and
//! checkpoints it has verified. Bounded; when full, it remembers nothing new.

use std::collections::HashMap;
use std::hash::Hash as Hashable;
use std::sync::{Arc, Mutex, PoisonError};

use touchmark_statement::digest::Sha256Digest;
use touchmark_tlog::checkpoint::VerifiedCheckpoint;
use touchmark_tlog::merkle::Hash;

use super::certificate::ProvenLeaf;
use crate::key::{KeyFingerprint, PublicKey};
use crate::limits::{
    MAX_REMEMBERED_CERTIFICATES, MAX_REMEMBERED_CHECKPOINTS, MAX_REMEMBERED_ISSUERS, MAX_REMEMBERED_KEYS,
};
use crate::window::Window;
use crate::x509::chain::ProvenIssuer;

/// Equal keys of this table mean equal answers, so that nothing in it depends on the order of bundles.
#[derive(Debug)]
struct Table<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hashable, V: Clone> Table<K, V> {
    fn get(&self, key: &K) -> Option<V> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.get(key).cloned()
    }

    fn keep(&self, key: K, value: V, cap: usize) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() < cap || table.contains_key(&key) {
            table.insert(key, value);
        }
    }
}

/// A checkpoint is known by its log and its exact bytes, signature lines included; a certificate by the digest of its
/// bytes and those of the chain beside it; an authority's certificate by its authority and its bytes.
#[derive(Debug, Default)]
pub(super) struct Memory {
    keys: Table<KeyFingerprint, Arc<PublicKey>>,
    leaves: Table<Sha256Digest, Arc<ProvenLeaf>>,
    issuers: Mutex<Vec<(usize, Arc<ProvenIssuer>)>>,
    authorities: Table<(usize, Sha256Digest), Window>,
    checkpoints: Table<(Hash, Box<str>), VerifiedCheckpoint>,
}

impl Memory {
    pub(super) fn key(&self, fingerprint: &KeyFingerprint) -> Option<Arc<PublicKey>> {
        self.keys.get(fingerprint)
    }

    pub(super) fn keep_key(&self, key: PublicKey) -> Arc<PublicKey> {
        let key = Arc::new(key);
        self.keys
            .keep(key.fingerprint(), Arc::clone(&key), MAX_REMEMBERED_KEYS);
        key
    }

    pub(super) fn leaf(&self, digest: &Sha256Digest) -> Option<Arc<ProvenLeaf>> {
        self.leaves.get(digest)
    }

    pub(super) fn keep_leaf(&self, digest: Sha256Digest, leaf: &Arc<ProvenLeaf>) {
        self.leaves
            .keep(digest, Arc::clone(leaf), MAX_REMEMBERED_CERTIFICATES);
    }

    /// Returns the issuers of this name whose certificates an authority was proven to stand behind.
    pub(super) fn issuers(&self, authority: usize, name: &[u8]) -> Vec<Arc<ProvenIssuer>> {
        let issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |(index, issuer): &&(usize, Arc<ProvenIssuer>)| *index == authority && issuer.is_named(name);
        issuers
            .iter()
            .filter(of)
            .map(|(_, issuer)| Arc::clone(issuer))
            .collect()
    }

    pub(super) fn keep_issuer(&self, authority: usize, issuer: ProvenIssuer) {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = issuers
            .iter()
            .any(|(index, known)| *index == authority && known.is_same(&issuer));
        if !known && issuers.len() < MAX_REMEMBERED_ISSUERS {
            issuers.push((authority, Arc::new(issuer)));
        }
    }

    pub(super) fn authority_window(&self, key: &(usize, Sha256Digest)) -> Option<Window> {
        self.authorities.get(key)
    }

    pub(super) fn keep_authority_window(&self, key: (usize, Sha256Digest), window: Window) {
        self.authorities.keep(key, window, MAX_REMEMBERED_CERTIFICATES);
    }

    pub(super) fn checkpoint(&self, log_id: &Hash, note: &str) -> Option<VerifiedCheckpoint> {
        self.checkpoints.get(&(*log_id, Box::from(note)))
    }

    pub(super) fn keep_checkpoint(&self, log_id: &Hash, note: &str, checkpoint: &VerifiedCheckpoint) {
        let key = (*log_id, Box::from(note));
        self.checkpoints
            .keep(key, checkpoint.clone(), MAX_REMEMBERED_CHECKPOINTS);
    }
}
