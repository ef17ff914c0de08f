//! A bounded memory of commits and trees that were re-hashed and parsed before.

use std::collections::HashMap;
use std::sync::Arc;

use gix_hash::ObjectId;
use gix_object::Kind;

/// An object's kind and exact content.
pub(crate) type Stored = (Kind, Arc<[u8]>);

/// Keeps the most recently used objects in two generations: when the young one is full, it becomes the old one and the
/// old one is forgotten, so that at most `limit` bytes are held and nothing has to be ordered.
#[derive(Debug)]
pub(crate) struct Cache {
    young: HashMap<ObjectId, Stored>,
    old: HashMap<ObjectId, Stored>,
    young_bytes: usize,
    limit: usize,
}

/// What an entry costs beside its content.
const ENTRY_BYTES: usize = 128;

impl Cache {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            young_bytes: 0,
            limit,
        }
    }

    pub(crate) fn find(&mut self, id: &ObjectId) -> Option<Stored> {
        if let Some(found) = self.young.get(id) {
            return Some(found.clone());
        }
        let found = self.old.remove(id)?;
        self.insert(*id, found.clone());
        Some(found)
    }

    pub(crate) fn insert(&mut self, id: ObjectId, object: Stored) {
        let size = object.1.len() + ENTRY_BYTES;
        if size > self.limit / 4 {
            return;
        }
        if self.young_bytes + size > self.limit / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += size;
        self.young.insert(id, object);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_no_more_than_its_limit_and_keeps_what_is_used() {
        let mut cache = Cache::new(100_000);
        let id = |number: u32| {
            let mut bytes = [0; 20];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            ObjectId::from(bytes)
        };
        cache.insert(id(0), (Kind::Tree, vec![0; 1000].into()));
        for number in 1..1000 {
            cache.insert(id(number), (Kind::Tree, vec![0; 1000].into()));
            assert!(cache.find(&id(0)).is_some());
            let held: usize = cache
                .young
                .values()
                .chain(cache.old.values())
                .map(|o| o.1.len() + ENTRY_BYTES)
                .sum();
            assert!(held <= 100_000, "{held}");
        }
        assert!(cache.find(&id(1)).is_none());
        cache.insert(id(5000), (Kind::Tree, vec![0; 90_000].into()));
        assert!(cache.find(&id(5000)).is_none());
    }
}
