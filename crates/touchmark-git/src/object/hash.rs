//! The one place where object ids are computed: with collision detection for SHA-1.

use gix_hash::ObjectId;
use gix_object::Kind;
use touchmark_statement::git_id::ObjectFormat;

/// The bytes carry the pattern of a SHA-1 collision attack.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Collision;

/// Computes the id of an object.
pub(crate) fn object_id(format: gix_hash::Kind, kind: Kind, content: &[u8]) -> Result<ObjectId, Collision> {
    let mut header = [0_u8; 32];
    let header = {
        use std::io::Write as _;
        let mut cursor = std::io::Cursor::new(&mut header[..]);
        write!(cursor, "{kind} {}\0", content.len()).expect("a kind and 20 digits fit in 32 bytes");
        let length = cursor.position() as usize;
        &header[..length]
    };
    digest(format, &[header, content])
}

/// Hashes bytes the way git does.
pub(crate) fn digest(format: gix_hash::Kind, parts: &[&[u8]]) -> Result<ObjectId, Collision> {
    let mut hasher = gix_hash::hasher(format);
    parts.iter().for_each(|part| hasher.update(part));
    // The only failure of this call is a detected collision.
    hasher.try_finalize().map_err(|_| Collision)
}

/// Returns the hash function under its name in the object store.
pub(crate) fn kind_of(format: ObjectFormat) -> gix_hash::Kind {
    match format {
        ObjectFormat::Sha1 => gix_hash::Kind::Sha1,
        ObjectFormat::Sha256 => gix_hash::Kind::Sha256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both messages of the chosen-prefix collision "SHA-1 is a Shambles" (Leurent and Peyrin, 2020), taken from the
    /// test data of the `sha1dc` crate 0.1.5 (MIT or Apache-2.0).
    const SHAMBLES: [&[u8]; 2] = [
        include_bytes!("../../tests/data/sha-mbles-1.bin"),
        include_bytes!("../../tests/data/sha-mbles-2.bin"),
    ];

    #[test]
    fn case_157_the_pattern_of_a_sha1_collision_is_detected() {
        for message in SHAMBLES {
            assert_eq!(digest(gix_hash::Kind::Sha1, &[message]), Err(Collision));
            let (head, tail) = message.split_at(100);
            assert_eq!(digest(gix_hash::Kind::Sha1, &[head, tail]), Err(Collision));
        }
        assert_ne!(SHAMBLES[0], SHAMBLES[1]);
        let mut harmless = SHAMBLES[0].to_vec();
        harmless[0] ^= 1;
        assert!(digest(gix_hash::Kind::Sha1, &[&harmless]).is_ok());
        assert!(digest(gix_hash::Kind::Sha256, &[SHAMBLES[0]]).is_ok());
    }

    #[test]
    fn names_the_empty_blob_and_tree_as_git_does() {
        let id = |format, kind| object_id(format, kind, b"").unwrap().to_string();
        assert_eq!(
            id(gix_hash::Kind::Sha1, Kind::Blob),
            "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
        );
        assert_eq!(
            id(gix_hash::Kind::Sha1, Kind::Tree),
            "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
        );
        assert_eq!(
            id(gix_hash::Kind::Sha256, Kind::Tree),
            "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
        );
    }
}
