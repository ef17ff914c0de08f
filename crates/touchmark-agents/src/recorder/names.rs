//! What names and texts tell: servers in tools' names, exit codes and commits in the output of commands.

use crate::limits::{MAX_IDENTIFIER_BYTES, MAX_NAME_BYTES};
use crate::run::{CommitHint, McpServer, ToolKind};

/// Splits `mcp__<server>__<tool>`. A plugin's server is `plugin_<plugin>_<server>`; since both names may hold the
/// separator, the plugin is what stands before the first.
pub(crate) fn split_name(name: &str) -> (ToolKind, Option<McpServer>, &str) {
    let Some((server, tool)) = name.strip_prefix("mcp__").and_then(|rest| rest.split_once("__")) else {
        return (ToolKind::Builtin, None, name);
    };
    let plugin = server
        .strip_prefix("plugin_")
        .and_then(|rest| rest.split_once('_'))
        .map(|(plugin, _)| plugin.to_owned());
    (
        ToolKind::Mcp,
        Some(McpServer {
            name: server.to_owned(),
            plugin,
        }),
        tool,
    )
}

/// Finds `[branch abc1234] subject` at the beginning of lines.
pub(crate) fn commit_hints(output: &str, step: usize) -> impl Iterator<Item = CommitHint> + '_ {
    output.lines().filter_map(move |line| {
        let (head, _) = line.strip_prefix('[')?.split_once("] ")?;
        let (branch, id) = head.rsplit_once(' ')?;
        let branch = branch.strip_suffix(" (root-commit)").unwrap_or(branch);
        let fits = !branch.is_empty() && branch.len() <= MAX_NAME_BYTES;
        (is_commit(id) && fits).then(|| CommitHint {
            id_prefix: id.to_owned(),
            branch: branch.to_owned(),
            step,
        })
    })
}

/// Stands for the name of a tool or model that no product gives: too long, or with characters that text has.
pub(crate) const UNREADABLE_NAME: &str = "(unreadable)";

/// Returns a name as it is taken over. Names are the one text of a transcript that goes into a statement as it stands,
/// so nothing that could be a sentence, a secret or a line of its own passes; the use is counted all the same.
pub(crate) fn identifier(name: &str) -> &str {
    let is_name = name.len() <= MAX_IDENTIFIER_BYTES && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_name { name } else { UNREADABLE_NAME }
}

/// Names of providers that stand before a model's name and a slash, as libraries for many providers spell them.
const PREFIXES: [(&str, &str); 17] = [
    ("anthropic", "anthropic"),
    ("azure", "azure.ai.openai"),
    ("bedrock", "aws.bedrock"),
    ("cohere", "cohere"),
    ("deepseek", "deepseek"),
    ("fireworks_ai", "fireworks_ai"),
    ("gemini", "gcp.gemini"),
    ("groq", "groq"),
    ("litellm_proxy", "litellm_proxy"),
    ("mistral", "mistral_ai"),
    ("ollama", "ollama"),
    ("openai", "openai"),
    ("openhands", "openhands"),
    ("openrouter", "openrouter"),
    ("together_ai", "together_ai"),
    ("vertex_ai", "gcp.vertex_ai"),
    ("xai", "x_ai"),
];

/// Splits `provider/model`, where the provider is a known one; other names are models as they stand.
pub(crate) fn split_provider(name: &str) -> (Option<&'static str>, &str) {
    let known = name.split_once('/').and_then(|(prefix, model)| {
        let (_, provider) = PREFIXES.iter().find(|(known, _)| *known == prefix)?;
        (!model.is_empty()).then_some((Some(*provider), model))
    });
    known.unwrap_or((None, name))
}

/// Returns an address without what stands before an `@` in it: user names and passwords.
pub(crate) fn without_user(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        // `user@host:path`: the user's name is always the same and tells nothing.
        return address.rsplit('@').next().unwrap_or(address).to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let path = path.split(['?', '#']).next().unwrap_or(path);
    format!("{scheme}://{host}{path}")
}

/// Returns true for `8-4-4-4-12` hexadecimal digits.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Returns true for the id of a commit or the beginning of one.
pub(crate) fn is_commit(id: &str) -> bool {
    (7..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_217_a_name_that_could_be_text_is_not_taken_over() {
        for name in [
            "Bash",
            "mcp__tracker__create-issue",
            "claude-opus-4-5-20251101",
            "vendor/model:1",
        ] {
            assert_eq!(identifier(name), name);
        }
        let long = "a".repeat(MAX_IDENTIFIER_BYTES + 1);
        for name in ["two words", "a\nb", "\u{1b}[31m", "\u{202e}x", long.as_str()] {
            assert_eq!(identifier(name), UNREADABLE_NAME);
        }
    }

    #[test]
    fn splits_providers_that_are_known() {
        assert_eq!(split_provider("openai/gpt-5"), (Some("openai"), "gpt-5"));
        assert_eq!(
            split_provider("openrouter/anthropic/claude"),
            (Some("openrouter"), "anthropic/claude")
        );
        assert_eq!(split_provider("meta/llama"), (None, "meta/llama"));
        assert_eq!(split_provider("openai/"), (None, "openai/"));
    }

    #[test]
    fn addresses_lose_what_could_be_a_password() {
        for (address, plain) in [
            (
                "https://ada:secret@example.test/a/b.git",
                "https://example.test/a/b.git",
            ),
            ("https://tok@en@example.test/a?key=1", "https://example.test/a"),
            ("git@example.test:a/b.git", "example.test:a/b.git"),
            ("/srv/git/a.git", "/srv/git/a.git"),
        ] {
            assert_eq!(without_user(address), plain);
        }
    }

    #[test]
    fn splits_tool_names() {
        assert_eq!(split_name("Bash"), (ToolKind::Builtin, None, "Bash"));
        let server = |name: &str, plugin: Option<&str>| {
            Some(McpServer {
                name: name.into(),
                plugin: plugin.map(str::to_owned),
            })
        };
        assert_eq!(
            split_name("mcp__linear-server__get_issue"),
            (ToolKind::Mcp, server("linear-server", None), "get_issue")
        );
        assert_eq!(
            split_name("mcp__a_b__c__d"),
            (ToolKind::Mcp, server("a_b", None), "c__d")
        );
        assert_eq!(
            split_name("mcp__plugin_tools_github__open_pr"),
            (
                ToolKind::Mcp,
                server("plugin_tools_github", Some("tools")),
                "open_pr"
            )
        );
        assert_eq!(split_name("mcp__odd"), (ToolKind::Builtin, None, "mcp__odd"));
    }

    #[test]
    fn finds_commits_in_output() {
        let output = "noise\n[main abc1234] subject\n[agent/x (root-commit) 0123456789abcdef] first\n[detached HEAD 7654321] y\n\
                      [fmt] $ gofmt\n[INFO abcdefg] x\n[main ABC1234] x\n a [main abc1234] x\n[x 123456] short";
        let hints: Vec<(String, String)> = commit_hints(output, 3)
            .map(|hint| (hint.branch, hint.id_prefix))
            .collect();
        assert_eq!(
            hints,
            [
                ("main".to_owned(), "abc1234".to_owned()),
                ("agent/x".into(), "0123456789abcdef".into()),
                ("detached HEAD".into(), "7654321".into())
            ]
        );
    }
}
