//! Session files of real agents, read into one neutral [`run::Run`].
//!
//! A session file is written by the account that ran the agent: everything in it is a claim, and everything in it is
//! hostile until read. Readers here are bounded in bytes, lines and records, never panic on any input, never follow
//! symbolic links, and count what they could not use. They do not touch git, keys or the network.

pub mod claude_code;
pub mod commands;
mod error;
pub mod limits;
pub mod metadata;
pub mod paths;
pub mod run;
pub mod secrets;

pub use error::ImportError;
