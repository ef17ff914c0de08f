//! OpenCode's plugin: a file of our own.

use super::quote::HookCommand;

/// How the file begins, by which it is known as ours.
const MARK: &str =
    "// Written by `touchmark hook install opencode`; `touchmark hook uninstall opencode` removes it.\n";

/// The plugin's text. The program and each value are words of their own: no shell reads them. A sub-agent has a session
/// of its own, which is told of in its parent's.
pub(crate) fn text(command: &HookCommand) -> String {
    let program = serde_json::Value::from(command.program());
    format!(
        r#"{MARK}const program = {program}
const children = new Set()

export const Touchmark = async ({{ $, directory }}) => ({{
  event: async ({{ event }}) => {{
    const info = event.properties?.info
    const session = event.properties?.sessionID ?? info?.id
    if (info?.parentID) children.add(info.id)
    const hooks = {{ "session.created": "session.created", "session.idle": "session.idle", "session.deleted": "session.deleted" }}
    const name = hooks[event.type]
    if (!name || typeof session !== "string" || children.has(session)) return
    await $`${{program}} hook run opencode --event ${{name}} --session ${{session}} --cwd ${{directory}}`.quiet().nothrow()
  }},
}})
"#
    )
}

/// Whether a text is a plugin of ours that nobody has changed, whichever program it calls.
pub(crate) fn is_ours(found: &str) -> bool {
    let program = found
        .strip_prefix(MARK)
        .and_then(|rest| rest.strip_prefix("const program = "))
        .and_then(|rest| rest.lines().next())
        .and_then(|json| serde_json::from_str::<String>(json).ok());
    program.is_some_and(|program| text(&HookCommand::new(program)) == found)
}
