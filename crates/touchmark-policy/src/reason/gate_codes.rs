//! Codes of the gate: roles, accounting, approvals, tests, the verdict itself.

use super::registry::{Entry, entry};
use crate::exit::Class::Error;

pub(super) const CODES: &[Entry] = &[entry(
    "verdict.no_reason",
    Error,
    "a refusal without a reason",
    "The program refused to judge without saying why. This is a bug; it is never a yes.",
    "report this as a bug",
)];
