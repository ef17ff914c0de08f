//! The agents that are known by name, by login or by the address they commit under, and what each is called here.

/// What an agent is called here, and what else it goes by: products, names, logins and addresses, in lower case.
const KNOWN: &[(&str, &[&str])] = &[
    ("aider", &["aider", "noreply@aider.chat"]),
    ("amp", &["amp", "amp@ampcode.com"]),
    ("antigravity", &["antigravity"]),
    ("augment", &["augment", "augment-agent", "auggie"]),
    (
        "claude-code",
        &[
            "claude",
            "claude code",
            "claude-code",
            "claude[bot]",
            "noreply@anthropic.com",
        ],
    ),
    ("cline", &["cline"]),
    (
        "codex",
        &[
            "codex",
            "codex cli",
            "codex-cli",
            "openai codex",
            "chatgpt-codex-connector[bot]",
            "codex@openai.com",
            "noreply@openai.com",
        ],
    ),
    (
        "copilot",
        &[
            "copilot",
            "copilot cli",
            "copilot-cli",
            "github copilot",
            "github-copilot",
            "copilot@github.com",
            "copilot-swe-agent",
            "copilot-swe-agent[bot]",
            "198982749+copilot@users.noreply.github.com",
            "223556219+copilot@users.noreply.github.com",
        ],
    ),
    (
        "cursor",
        &[
            "cursor",
            "cursor agent",
            "cursor-agent",
            "cursor-cli",
            "cursor[bot]",
            "cursoragent@cursor.com",
        ],
    ),
    (
        "devin",
        &["devin", "devin ai", "devin-ai", "devin-ai-integration[bot]"],
    ),
    (
        "droid",
        &["droid", "factory-droid", "factory droid", "factory-droid[bot]"],
    ),
    (
        "gemini",
        &[
            "gemini",
            "gemini cli",
            "gemini-cli",
            "gemini code assist",
            "gemini-code-assist[bot]",
        ],
    ),
    ("goose", &["goose"]),
    ("jules", &["jules", "google-labs-jules", "google-labs-jules[bot]"]),
    ("mini-swe-agent", &["mini-swe-agent"]),
    (
        "opencode",
        &[
            "opencode",
            "open-code",
            "opencode-agent[bot]",
            "noreply@opencode.ai",
        ],
    ),
    ("openhands", &["openhands", "openhands@all-hands.dev"]),
    ("swe-agent", &["swe-agent"]),
    ("windsurf", &["windsurf"]),
];

/// The variables by which agents name their session to the processes that they start, and whose each is.
pub const SESSION_VARIABLES: &[(&str, &str)] = &[
    ("CLAUDE_CODE_SESSION_ID", "claude-code"),
    ("CODEX_THREAD_ID", "codex"),
    ("COPILOT_AGENT_SESSION_ID", "copilot"),
    ("GEMINI_SESSION_ID", "gemini"),
];

/// Returns what the agent is called here that goes by this name, login or address; letter case does not count.
pub fn known_agent(text: &str) -> Option<&'static str> {
    let plain = text.trim().to_lowercase();
    KNOWN
        .iter()
        .find(|(_, names)| names.contains(&plain.as_str()))
        .map(|(agent, _)| *agent)
}

/// Returns the agent that somebody in git is, by name and address: `Claude Opus 4 <noreply@anthropic.com>`,
/// `Ada (aider)`.
pub(super) fn agent_in_git(name: &str, email: &str) -> Option<&'static str> {
    if name.trim_end().to_lowercase().ends_with("(aider)") {
        return Some("aider");
    }
    // The address decides: names are written freely, such as with the model behind the agent's.
    known_agent(email).or_else(|| known_agent(name)).or_else(|| {
        let (local, domain) = email.split_once('@')?;
        let login = local.split_once('+').map_or(local, |(_, login)| login);
        (domain == "users.noreply.github.com").then(|| known_agent(login))?
    })
}

/// Returns the login of an account that says of itself that it is no person.
pub(super) fn bot_login(name: &str) -> Option<String> {
    let plain = name.trim().to_lowercase();
    plain.ends_with("[bot]").then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_known_by_name_login_and_address() {
        for (name, email, agent) in [
            ("Claude", "noreply@anthropic.com", Some("claude-code")),
            (
                "Claude Opus 4.6 (1M context)",
                "noreply@anthropic.com",
                Some("claude-code"),
            ),
            (
                "copilot-swe-agent[bot]",
                "198982749+Copilot@users.noreply.github.com",
                Some("copilot"),
            ),
            (
                "Copilot",
                "175728472+Copilot@users.noreply.github.com",
                Some("copilot"),
            ),
            ("Codex", "noreply@openai.com", Some("codex")),
            ("Ada Lovelace (aider)", "ada@example.invalid", Some("aider")),
            ("Cursor Agent", "cursoragent@cursor.com", Some("cursor")),
            ("Ada Lovelace", "ada@example.invalid", None),
            (
                "renovate[bot]",
                "29139614+renovate[bot]@users.noreply.github.com",
                None,
            ),
            ("Claudette", "claudette@example.invalid", None),
            ("", "", None),
        ] {
            assert_eq!(agent_in_git(name, email), agent, "{name} <{email}>");
        }
        assert_eq!(bot_login("Renovate[bot] ").as_deref(), Some("renovate[bot]"));
        assert_eq!(bot_login("Robot"), None);
    }

    #[test]
    fn no_name_stands_for_two_agents() {
        let mut seen = std::collections::BTreeSet::new();
        for (agent, names) in KNOWN {
            assert_eq!(known_agent(agent), Some(*agent));
            for name in *names {
                assert!(seen.insert(name), "{name}");
                assert_eq!(*name, name.to_lowercase());
            }
        }
    }
}
