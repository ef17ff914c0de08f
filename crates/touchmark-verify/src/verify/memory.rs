//! What a verifier remembers between bundles: keys it has parsed, checkpoints it has verified. Bounded; when full, it
//! remembers nothing new.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use touchmark_tlog::checkpoint::VerifiedCheckpoint;
use touchmark_tlog::merkle::Hash;

use crate::key::{KeyFingerprint, PublicKey};
use crate::limits::{MAX_REMEMBERED_CHECKPOINTS, MAX_REMEMBERED_KEYS};

/// A checkpoint is known by its log and its exact bytes, signature lines included.
type Checkpoints = HashMap<(Hash, Box<str>), VerifiedCheckpoint>;

#[derive(Debug, Default)]
pub(super) struct Memory {
    keys: Mutex<HashMap<KeyFingerprint, Arc<PublicKey>>>,
    checkpoints: Mutex<Checkpoints>,
}

impl Memory {
    pub(super) fn key(&self, fingerprint: &KeyFingerprint) -> Option<Arc<PublicKey>> {
        self.keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(fingerprint)
            .cloned()
    }

    pub(super) fn keep_key(&self, key: PublicKey) -> Arc<PublicKey> {
        let key = Arc::new(key);
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() < MAX_REMEMBERED_KEYS {
            keys.insert(key.fingerprint(), Arc::clone(&key));
        }
        key
    }

    pub(super) fn checkpoint(&self, log_id: &Hash, note: &str) -> Option<VerifiedCheckpoint> {
        let checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        checkpoints.get(&(*log_id, Box::from(note))).cloned()
    }

    pub(super) fn keep_checkpoint(&self, log_id: &Hash, note: &str, checkpoint: &VerifiedCheckpoint) {
        let mut checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        if checkpoints.len() < MAX_REMEMBERED_CHECKPOINTS {
            checkpoints.insert((*log_id, Box::from(note)), checkpoint.clone());
        }
    }
}
