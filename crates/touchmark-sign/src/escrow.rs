//! Escrow: records of the vault, encrypted for the keys of an organisation, so that they outlive the machine.
//!
//! Whoever holds one of the private keys can open the record; this machine, once it has written one, cannot. A record is
//! a file named `<chain>-<payload digest>.escrow`. Format, all numbers big-endian:
//!
//! ```text
//! "touchmark-escrow v1\n"   20 bytes
//! chain                     16 bytes
//! payload digest            32 bytes
//! version of the record      1 byte   (see `vault`)
//! count of recipients        1 byte   (1 to 16)
//! for each recipient         fingerprint 32 bytes, encapsulated key 32 bytes, wrapped file key 48 bytes
//! chunks                     65,536 bytes and a tag of 16 each; the last one may be shorter
//! ```
//!
//! The file key is 32 random bytes, wrapped by HPKE (RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! ChaCha20-Poly1305) with info = "touchmark/escrow/v1/key" ‖ chain ‖ payload digest ‖ version ‖ fingerprint. The chunks are
//! encrypted with ChaCha20-Poly1305 under HKDF-SHA256(file key, salt = SHA-256 of the header, info =
//! "touchmark/escrow/v1/chunks"), nonce = u88 number of the chunk ‖ 1 for the last chunk, else 0, associated data = chain ‖
//! payload digest ‖ version. So no chunk can be moved, left out or cut off, and no header exchanged.
//!
//! Nothing here says who wrote a record: anybody who knows the public key can write one. What it opens counts by the
//! commitments of the signed statement alone.

mod error;
mod key;
mod outbox;
mod sealed;
mod store;

#[cfg(test)]
mod tests;

pub use error::EscrowError;
pub use key::{EscrowKey, EscrowPublicKey, Fingerprint};
pub use outbox::{Outbox, Shipment};
pub use sealed::{Header, MAX_RECIPIENTS, decrypt, open, read_header, seal};
pub use store::{FolderStore, ServiceStore, Store};

/// How files of escrowed records end.
pub const SUFFIX: &str = ".escrow";
