//! What an agent's hook says, read into one neutral [`HookEvent`].
//!
//! A payload is a claim of the program that calls the hook, and hostile until read: [`parse`] takes any bytes, never
//! fails, never panics, and holds no more than its caps. What cannot be read is absent and told in
//! [`HookReading::problems`]; what stood before a defect is kept, so that a turn is not lost over the end of a payload.
//! Paths are what the payload says: the caller opens none of them without the checks it makes on every path of others.
//! Words (prompts, answers, what tools were given) are kept out of `Debug`.
//!
//! Not kept, whatever a payload holds: `user_email`, environment variables, results of tools, tokens and account data.
//!
//! ```
//! use touchmark_agents::hook::{self, HookKind};
//!
//! let payload = br#"{"session_id":"s1","hook_event_name":"Stop","cwd":"/work","stop_hook_active":false}"#;
//! let reading = hook::parse(Some("claude-code"), payload);
//! assert_eq!(reading.event.kind, HookKind::TurnEnd);
//! assert_eq!(reading.product.as_deref(), Some("claude-code"));
//! assert!(!reading.mismatch);
//! ```

mod event;
mod fields;
mod kind;
mod limits;
mod read;
mod shape;

pub use event::{HookEvent, HookProblem, HookReading, ToolUse};
pub use kind::HookKind;
pub use limits::{MAX_HOOK_PAYLOAD_BYTES, MAX_HOOK_TEXT_BYTES};
pub use read::{parse, parse_arguments};
pub use shape::{PRODUCTS, product_name};

#[cfg(test)]
mod tests;
