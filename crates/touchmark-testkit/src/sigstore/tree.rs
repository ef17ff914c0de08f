//! A log's Merkle tree and the notes over it, kept whole in memory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use touchmark_tlog::merkle::{Hash, empty_root, inclusion_path, leaf_hash, node_hash, root_of};

use super::keys::{Hash as HashFunction, Key};

/// The entries of a log and their leaf hashes.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    entries: Vec<Vec<u8>>,
    leaves: Vec<Hash>,
}

impl Tree {
    /// Appends an entry and returns its index.
    pub fn append(&mut self, entry: Vec<u8>) -> usize {
        self.leaves.push(leaf_hash(&entry));
        self.entries.push(entry);
        self.leaves.len() - 1
    }

    /// Returns the number of entries.
    pub fn size(&self) -> usize {
        self.leaves.len()
    }

    /// Returns an entry.
    pub fn entry(&self, index: usize) -> Option<&[u8]> {
        self.entries.get(index).map(Vec::as_slice)
    }

    /// Returns the index of an entry with these bytes.
    pub fn position(&self, entry: &[u8]) -> Option<usize> {
        self.entries.iter().position(|found| found == entry)
    }

    /// Returns the leaf hashes.
    pub fn leaves(&self) -> &[Hash] {
        &self.leaves
    }

    /// Returns the root of the tree as it was with `size` entries.
    pub fn root(&self, size: usize) -> Hash {
        if size == 0 {
            empty_root()
        } else {
            root_of(&self.leaves[..size])
        }
    }

    /// Returns the inclusion proof of an entry in the tree of `size` entries.
    pub fn inclusion(&self, index: usize, size: usize) -> Vec<Hash> {
        inclusion_path(&self.leaves[..size], index).expect("the entry is in the tree")
    }

    /// Returns the consistency proof between two sizes (RFC 6962 §2.1.2).
    pub fn consistency(&self, old: usize, new: usize) -> Vec<Hash> {
        if old == 0 || old >= new {
            return Vec::new();
        }
        subproof(old, &self.leaves[..new], true)
    }
}

fn subproof(old: usize, leaves: &[Hash], complete: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if complete {
            Vec::new()
        } else {
            vec![root_of(leaves)]
        };
    }
    let split = leaves.len().next_power_of_two() / 2;
    if old <= split {
        let mut proof = subproof(old, &leaves[..split], complete);
        proof.push(root_of(&leaves[split..]));
        proof
    } else {
        let mut proof = subproof(old - split, &leaves[split..], false);
        proof.push(root_of(&leaves[..split]));
        proof
    }
}

/// Returns the hash of two nodes' parent, for those who pass inner nodes for leaves.
pub fn parent(left: &Hash, right: &Hash) -> Hash {
    node_hash(left, right)
}

/// Returns the three lines of a checkpoint.
pub fn checkpoint_text(origin: &str, size: usize, root: &Hash) -> String {
    format!("{origin}\n{size}\n{}\n", root.to_base64())
}

/// Returns a signature line of a note.
pub fn signature_line(name: &str, hint: [u8; 4], signature: &[u8]) -> String {
    format!(
        "\u{2014} {name} {}\n",
        STANDARD.encode([&hint[..], signature].concat())
    )
}

/// Returns the id of an Ed25519 key in notes: of a log (type 1) or of a witness (type 4).
pub fn note_key_id(name: &str, kind: u8, raw: &[u8; 32]) -> [u8; 32] {
    let id = HashFunction::Sha256.of(&[name.as_bytes(), &[b'\n', kind], raw].concat());
    id.try_into().expect("32 bytes")
}

/// A witness: it cosigns checkpoints (c2sp.org/tlog-cosignature).
#[derive(Clone, Debug)]
pub struct Witness {
    /// Its name.
    pub name: String,
    /// Its key, Ed25519.
    pub key: Key,
}

impl Witness {
    /// Returns the line by which the witness cosigns a checkpoint at a time.
    pub fn cosign(&self, checkpoint: &str, at: i64) -> String {
        let signed = format!("cosignature/v1\ntime {at}\n{checkpoint}");
        let signature = self.key.sign(signed.as_bytes());
        let blob = [&at.to_be_bytes()[..], &signature].concat();
        signature_line(&self.name, self.hint(), &blob)
    }

    /// Returns the witness's key as policies write it.
    pub fn verifier_key(&self) -> String {
        let hint = self.hint().map(|byte| format!("{byte:02x}")).concat();
        let key = [&[4][..], &self.raw()].concat();
        format!("{}+{hint}+{}", self.name, STANDARD.encode(key))
    }

    fn raw(&self) -> [u8; 32] {
        self.key.raw_ed25519().expect("witnesses sign with Ed25519")
    }

    fn hint(&self) -> [u8; 4] {
        let id = note_key_id(&self.name, 4, &self.raw());
        [id[0], id[1], id[2], id[3]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_tlog::merkle::verify_consistency;

    #[test]
    fn trees_grow_consistently() {
        let mut tree = Tree::default();
        for index in 0..20_u8 {
            tree.append(vec![index]);
        }
        for old in 1..20 {
            for new in old + 1..=20 {
                let proof = tree.consistency(old, new);
                let (old_root, new_root) = (tree.root(old), tree.root(new));
                verify_consistency(old as u64, new as u64, &proof, &old_root, &new_root).expect("consistent");
            }
        }
    }
}
