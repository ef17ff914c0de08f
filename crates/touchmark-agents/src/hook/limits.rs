//! Caps on what is read from one hook payload.

/// The most bytes of a payload that are looked at. What follows is not read; what stood before is kept.
pub const MAX_HOOK_PAYLOAD_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes of a prompt, an answer or a tool's input; a longer one is dropped and told.
pub const MAX_HOOK_TEXT_BYTES: usize = 8 * 1024 * 1024;
/// The most bytes of a name, an identifier or a path; a longer one counts as absent.
pub(super) const MAX_HOOK_NAME_BYTES: usize = 4_096;
/// The most folders of a workspace.
pub(super) const MAX_WORKSPACE_ROOTS: usize = 64;
/// The most files that one edit names.
pub(super) const MAX_HOOK_FILES: usize = 256;
/// The most problems that are told one by one.
pub(super) const MAX_HOOK_PROBLEMS: usize = 32;
