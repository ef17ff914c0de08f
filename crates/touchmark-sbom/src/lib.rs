//! Lockfiles, read as data, as a CycloneDX 1.6 bill of materials, and what differs between two of them.
//!
//! What this crate promises: no package manager is run and nothing is fetched; every lockfile that has a known name is
//! either read or named as unread; the same bytes give the same document. It knows neither git nor files: the bytes come
//! through [`Tree`], which the caller implements.
//!
//! Lockfiles are known by the name of the file alone. Those below a folder named `node_modules` or `vendor` belong to
//! copies of other people's packages and are not part of it ([`is_left_out`]).
//!
//! ```
//! use touchmark_sbom::{Inventory, Tool, Tree, TreeError};
//! use touchmark_statement::repo_path::RepoPath;
//!
//! struct OneFile;
//! impl Tree for OneFile {
//!     fn read(&self, path: &RepoPath, _max: u64) -> Result<Option<Vec<u8>>, TreeError> {
//!         let lock = "version = 4\n[[package]]\nname = \"once\"\nversion = \"1.0.0\"\n\
//!                     source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
//!         Ok((path.as_bytes() == b"Cargo.lock").then(|| lock.as_bytes().to_vec()))
//!     }
//! }
//!
//! let path: RepoPath = "Cargo.lock".parse().unwrap();
//! let inventory = Inventory::of(&OneFile, &[path], &[]);
//! let tool = Tool { name: "example".to_owned(), version: "1".to_owned() };
//! let document = String::from_utf8(inventory.cyclonedx(&tool)).unwrap();
//! assert!(document.contains("pkg:cargo/once@1.0.0"));
//! ```

mod cyclonedx;
mod difference;
mod error;
mod format;
mod integrity;
mod inventory;
mod lockfile;
mod package;
mod purl;
mod reading;
mod tree;
mod value;

pub mod limits;

pub use self::cyclonedx::Tool;
pub use self::difference::{Difference, Row, Unread};
pub use self::error::LockfileError;
pub use self::inventory::{Inventory, Lockfile};
pub use self::lockfile::{Kind, is_left_out};
pub use self::package::{Algorithm, Artifact, Hash, Origin, Package, Scope};
pub use self::reading::Resolution;
pub use self::tree::{Tree, TreeError};
