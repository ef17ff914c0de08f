//! TUF repositories, right or with one thing wrong, and a server that answers as a script says.

mod repository;
mod server;

pub use repository::{DAY, NOW, Repository, at, key, key_id, log, signed, trusted_root};
pub use server::{Reply, Server, serving};
