//! Session files of real agents, read into one neutral [`run::Run`].
//!
//! A session file is written by the account that ran the agent: everything in it is a claim, and everything in it is
//! hostile until read. Readers here are bounded in bytes, lines and records, never panic on any input, never follow
//! symbolic links, and count what they could not use. They do not touch git, keys or the network.
//!
//! ```
//! use touchmark_agents::claude_code;
//! use touchmark_agents::run::Completeness;
//! use touchmark_agents::session::ImportOptions;
//!
//! let session = br#"{"type":"user","message":{"role":"user","content":"fix it"}}
//! {"type":"assistant","message":{"id":"m1","model":"claude-opus-4-5","content":[],"usage":{"output_tokens":7}}}
//! "#;
//! let run = claude_code::import_reader("session.jsonl", session.as_slice(), &ImportOptions::default())?;
//! assert_eq!(run.human_prompts().count(), 1);
//! assert_eq!((run.usage.output_tokens, run.usage.input_tokens), (Some(7), None));
//! assert_eq!(run.completeness, Completeness::Whole);
//! # Ok::<(), touchmark_agents::ImportError>(())
//! ```

pub mod amp;
pub mod atif;
pub mod claude_code;
pub mod codex;
pub mod commands;
pub mod copilot;
pub mod cursor;
mod discovery;
pub mod droid;
mod error;
mod files;
pub mod gemini;
pub mod hook;
pub mod importer;
mod json;
pub mod limits;
pub mod metadata;
pub mod mini_swe_agent;
mod neutral;
pub mod opencode;
pub mod openhands;
pub mod otlp;
pub mod packed;
pub mod paths;
mod recorder;
pub mod run;
pub mod secrets;
pub mod session;
pub mod swe_agent;
pub mod windsurf;

pub use error::ImportError;
