//! RFC 6962 hashing and proofs: published vectors, two other implementations, and every single defect.

use std::convert::Infallible;

use proptest::prelude::*;
use touchmark_tlog::merkle::{
    Hash, MerkleError, empty_root, inclusion_path, leaf_hash, node_hash, root_of, verify_consistency,
    verify_inclusion,
};
use touchmark_tlog::prove::{self, ProveError, TileSource};

/// The leaves of the Certificate Transparency test vectors.
const CT_LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

/// The roots of the trees of the first 0 to 8 of them.
const CT_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

/// A whole tree in memory, level by level.
struct Tree(Vec<Hash>);

impl TileSource for Tree {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Infallible> {
        let mut nodes = self.0.clone();
        for _ in 0..u32::from(level) * 8 {
            nodes = nodes
                .chunks_exact(2)
                .map(|pair| node_hash(&pair[0], &pair[1]))
                .collect();
        }
        Ok(nodes
            .into_iter()
            .skip(index as usize * 256)
            .take(usize::from(width))
            .collect())
    }
}

#[test]
fn roots_equal_the_published_vectors() {
    let leaves: Vec<Hash> = CT_LEAVES.iter().map(|leaf| leaf_hash(leaf)).collect();
    for (size, root) in CT_ROOTS.iter().enumerate() {
        assert_eq!(root_of(&leaves[..size]).to_string(), *root, "{size} leaves");
        assert_eq!(
            prove::root(&Tree(leaves.clone()), size as u64)
                .expect("a root")
                .to_string(),
            *root
        );
    }
}

#[test]
fn proofs_equal_the_published_vectors() {
    let leaves: Vec<Hash> = CT_LEAVES.iter().map(|leaf| leaf_hash(leaf)).collect();
    let path: Vec<String> = inclusion_path(&leaves, 5)
        .expect("in range")
        .iter()
        .map(Hash::to_string)
        .collect();
    let expected = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(path, expected);
    let proof = prove::consistency(&Tree(leaves), 6, 8).expect("in range");
    let proof: Vec<String> = proof.iter().map(Hash::to_string).collect();
    let expected = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(proof, expected);
}

#[test]
fn every_leaf_of_every_small_tree_is_proven() {
    let all = leaves(70);
    for size in 1..=70_u64 {
        let tree = Tree(all[..size as usize].to_vec());
        let root = root_of(&tree.0);
        for index in 0..size {
            let path = inclusion_path(&tree.0, index as usize).expect("in range");
            assert_eq!(prove::inclusion(&tree, index, size).expect("in range"), path);
            verify_inclusion(&all[index as usize], index, size, &path, &root).expect("a good proof");
        }
    }
}

#[test]
fn every_pair_of_small_trees_is_proven_consistent() {
    let all = leaves(66);
    for new in 0..=66_u64 {
        let tree = Tree(all[..new as usize].to_vec());
        for old in 0..=new {
            let proof = prove::consistency(&tree, old, new).expect("in range");
            let (old_root, new_root) = (root_of(&all[..old as usize]), root_of(&tree.0));
            verify_consistency(old, new, &proof, &old_root, &new_root).expect("a good proof");
            if old > 0 {
                let oracle = |hash: &Hash| sigstore_types::Sha256Hash::new(*hash.as_bytes());
                let hashes: Vec<_> = proof.iter().map(oracle).collect();
                sigstore_merkle::verify_consistency_proof(
                    old,
                    new,
                    &hashes,
                    &oracle(&old_root),
                    &oracle(&new_root),
                )
                .expect("accepted by sigstore-merkle");
            }
        }
    }
}

#[test]
fn case_82_each_defect_of_a_proof_has_its_code() {
    let tree = Tree(leaves(13));
    let root = root_of(&tree.0);
    for index in 0..13_u64 {
        let leaf = tree.0[index as usize];
        let good = inclusion_path(&tree.0, index as usize).expect("in range");
        let code = |proof: &[Hash]| {
            verify_inclusion(&leaf, index, 13, proof, &root)
                .expect_err("broken")
                .code()
        };
        for at in 0..good.len() {
            let mut flipped = good.clone();
            flipped[at] = flip(&flipped[at]);
            assert_eq!(code(&flipped), "tlog.root_mismatch");
            let mut missing = good.clone();
            missing.remove(at);
            assert_eq!(code(&missing), "tlog.proof_length");
            let mut extra = good.clone();
            extra.insert(at, root);
            assert_eq!(code(&extra), "tlog.proof_length");
            let mut reordered = good.clone();
            reordered.rotate_left(1);
            assert_eq!(code(&reordered), "tlog.root_mismatch");
        }
        assert_eq!(code(&[]), "tlog.proof_length");
        assert_eq!(code(&vec![root; 5000]), "tlog.proof_length");
    }
}

#[test]
fn case_84_size_and_root_are_those_of_the_checkpoint() {
    let tree = Tree(leaves(13));
    let root = root_of(&tree.0);
    let path = inclusion_path(&tree.0, 4).expect("in range");
    let verify =
        |size, root: Hash| verify_inclusion(&tree.0[4], 4, size, &path, &root).map_err(|error| error.code());
    assert_eq!(verify(13, root), Ok(()));
    assert_eq!(verify(13, flip(&root)), Err("tlog.root_mismatch"));
    assert_eq!(verify(33, root), Err("tlog.proof_length"));
    assert_eq!(verify(4, root), Err("tlog.index_range"));
    assert_eq!(verify(0, root), Err("tlog.index_range"));
    // Four hashes also suit other sizes; the index then has the same shape, and only the root decides. That is why
    // the size is always taken from the checkpoint that signs the root.
    assert_eq!(verify(12, root), Ok(()));
}

#[test]
fn case_85_an_inner_node_is_not_a_leaf() {
    let tree = Tree(leaves(8));
    let root = root_of(&tree.0);
    let node = node_hash(&tree.0[2], &tree.0[3]);
    // The inner node, with the rest of the path above it, in a tree of half the size: the arithmetic closes.
    let path = inclusion_path(&tree.0, 2).expect("in range");
    verify_inclusion(&node, 1, 4, &path[1..], &root).expect("as hashes they cannot be told apart");
    // But no content hashes to that leaf: leaves are hashed under another prefix.
    let content = [tree.0[2].as_bytes().as_slice(), tree.0[3].as_bytes()].concat();
    assert_ne!(leaf_hash(&content), node);
    let error = verify_inclusion(&leaf_hash(&content), 1, 4, &path[1..], &root).expect_err("not a leaf");
    assert_eq!(error.code(), "tlog.root_mismatch");
    // And with the checkpoint's size it has the wrong length.
    let error = verify_inclusion(&node, 1, 8, &path[1..], &root).expect_err("too short");
    assert_eq!(error.code(), "tlog.proof_length");
}

#[test]
fn the_largest_sizes_do_not_overflow() {
    let hash = leaf_hash(b"leaf");
    let length = |index, size| match verify_inclusion(&hash, index, size, &[], &hash) {
        Err(MerkleError::ProofLength { expected, .. }) => expected,
        other => panic!("{other:?}"),
    };
    assert_eq!(length(0, u64::MAX), 64);
    assert_eq!(length(u64::MAX - 1, u64::MAX), 63);
    assert_eq!(length(u64::MAX / 2, u64::MAX), 64);
    assert_eq!(length(1 << 63, (1 << 63) + 1), 1);
    let error = verify_inclusion(&hash, u64::MAX, u64::MAX, &[], &hash).expect_err("out of range");
    assert_eq!(
        error,
        MerkleError::IndexRange {
            index: u64::MAX,
            size: u64::MAX
        }
    );
    for (old, new) in [
        (1, u64::MAX),
        (u64::MAX - 1, u64::MAX),
        (1 << 63, u64::MAX),
        ((1 << 63) + 1, u64::MAX),
    ] {
        for proof in [vec![], vec![hash; 64], vec![hash; 65]] {
            assert!(verify_consistency(old, new, &proof, &hash, &flip(&hash)).is_err());
        }
    }
    verify_consistency(u64::MAX, u64::MAX, &[], &hash, &hash).expect("equal trees");
}

#[test]
fn consistency_defects_have_their_codes() {
    let all = leaves(21);
    let root = |size: usize| root_of(&all[..size]);
    let code = |old, new, proof: &[Hash], old_root: &Hash, new_root: &Hash| {
        verify_consistency(old, new, proof, old_root, new_root)
            .expect_err("broken")
            .code()
    };
    let proof = prove::consistency(&Tree(all.clone()), 13, 21).expect("in range");
    verify_consistency(13, 21, &proof, &root(13), &root(21)).expect("good");
    assert_eq!(
        code(13, 21, &proof, &flip(&root(13)), &root(21)),
        "tlog.inconsistent"
    );
    assert_eq!(
        code(13, 21, &proof, &root(13), &flip(&root(21))),
        "tlog.inconsistent"
    );
    assert_eq!(code(21, 13, &proof, &root(21), &root(13)), "tlog.size_order");
    assert_eq!(
        code(13, 21, &proof[1..], &root(13), &root(21)),
        "tlog.proof_length"
    );
    assert_eq!(code(13, 13, &[], &root(13), &root(12)), "tlog.inconsistent");
    assert_eq!(code(13, 13, &proof, &root(13), &root(13)), "tlog.proof_length");
    assert_eq!(code(0, 21, &[], &root(13), &root(21)), "tlog.inconsistent");
    assert_eq!(code(0, 21, &proof, &empty_root(), &root(21)), "tlog.proof_length");
    for at in 0..proof.len() {
        let mut flipped = proof.clone();
        flipped[at] = flip(&flipped[at]);
        assert_eq!(code(13, 21, &flipped, &root(13), &root(21)), "tlog.inconsistent");
    }
}

#[test]
fn proofs_outside_the_tree_are_refused() {
    let tree = Tree(leaves(5));
    assert_eq!(
        prove::inclusion(&tree, 5, 5),
        Err(ProveError::Range { position: 5, size: 5 })
    );
    assert_eq!(
        prove::consistency(&tree, 6, 5),
        Err(ProveError::Range { position: 6, size: 5 })
    );
    // A source that has fewer hashes than the tree's size says.
    let error = prove::inclusion(&tree, 5, 9).expect_err("short");
    assert_eq!(
        error,
        ProveError::ShortTile {
            level: 0,
            index: 0,
            expected: 9,
            found: 5
        }
    );
}

/// Answers every tile with the same hashes: a tree of any size.
struct Endless(Vec<Hash>);

impl TileSource for Endless {
    type Error = Infallible;

    fn tile(&self, _: u8, _: u64, width: u16) -> Result<Vec<Hash>, Infallible> {
        Ok(self.0[..usize::from(width)].to_vec())
    }
}

#[test]
fn proofs_are_built_up_to_the_largest_size() {
    let source = Endless(vec![leaf_hash(b"x"); 256]);
    for index in [0, 1, u64::MAX / 2, u64::MAX - 1] {
        let path = prove::inclusion(&source, index, u64::MAX).expect("in range");
        let length = match verify_inclusion(&leaf_hash(b"x"), index, u64::MAX, &[], &empty_root()) {
            Err(MerkleError::ProofLength { expected, .. }) => expected,
            other => panic!("{other:?}"),
        };
        assert_eq!(path.len(), length);
    }
    prove::consistency(&source, (1 << 63) + 1, u64::MAX).expect("in range");
}

fn flip(hash: &Hash) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[7] ^= 1;
    Hash::from_bytes(bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_trees_prove_what_other_implementations_accept(size in 1..3000_u64, seed in any::<u64>()) {
        let index = seed % size;
        let tree = Tree((0..size).map(|leaf| leaf_hash(&(leaf ^ seed).to_be_bytes())).collect());
        let root = root_of(&tree.0);
        prop_assert_eq!(prove::root(&tree, size).expect("a root"), root);
        let path = prove::inclusion(&tree, index, size).expect("in range");
        let whole = inclusion_path(&tree.0, index as usize);
        prop_assert_eq!(Some(&path), whole.as_ref());
        let oracle = |hash: &Hash| sigstore_types::Sha256Hash::new(*hash.as_bytes());
        let hashes: Vec<_> = path.iter().map(oracle).collect();
        let leaf = &tree.0[index as usize];
        prop_assert!(
            sigstore_merkle::verify_inclusion_proof(&oracle(leaf), index, size, &hashes, &oracle(&root)).is_ok()
        );
        let old = 1 + (seed / 7) % size;
        let proof = prove::consistency(&tree, old, size).expect("in range");
        prop_assert!(verify_consistency(old, size, &proof, &root_of(&tree.0[..old as usize]), &root).is_ok());
    }

    #[test]
    fn hostile_positions_never_panic(index in any::<u64>(), size in any::<u64>(), length in 0..70_usize) {
        let hash = leaf_hash(b"leaf");
        let proof = vec![hash; length];
        let _ = verify_inclusion(&hash, index, size, &proof, &hash);
        let _ = verify_consistency(index, size, &proof, &hash, &hash);
    }
}
