//! What a commit says of who made it: author, committer and trailers. Claims, all of them, but read by ourselves.

use touchmark_statement::agent_change::{Identity, IdentityRole, Source};
use touchmark_statement::limits::MAX_TEXT_BYTES;
use touchmark_verify::git_view::{GitCommit, GitIdentity};

use super::known::{agent_in_git, bot_login, known_agent};

/// What stands for somebody who is no known agent and no bot.
pub const PERSON: &str = "person";
/// The address under which a forge commits what people do on its pages.
const FORGE: &str = "noreply@github.com";
/// The most lines of a message that are looked at, from its end.
const MAX_LINES: usize = 1_024;

/// Returns what a commit says of who made it. No name and no address of a person is in it.
pub fn identities_of(commit: &GitCommit) -> Vec<Identity> {
    let mut found = Vec::new();
    let people = [
        (IdentityRole::Author, "author", &commit.author),
        (IdentityRole::Committer, "committer", &commit.committer),
    ];
    for (role, name, person) in people {
        found.extend(value_of(person).map(|value| Identity {
            role,
            value,
            source: Source::Observed,
            name: Some(name.to_owned()),
        }));
    }
    let message = String::from_utf8_lossy(&commit.message_end);
    let mut lines: Vec<&str> = message.lines().rev().take(MAX_LINES).collect();
    lines.reverse();
    for line in lines {
        said_by(line, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn value_of(person: &GitIdentity) -> Option<String> {
    let (name, email) = (
        String::from_utf8_lossy(&person.name),
        String::from_utf8_lossy(&person.email),
    );
    if email == FORGE {
        return None;
    }
    let agent = agent_in_git(&name, &email).map(str::to_owned);
    let value = agent
        .or_else(|| bot_login(&name))
        .unwrap_or_else(|| PERSON.to_owned());
    Some(short(&value))
}

/// Reads one line of a message. Trailers count wherever they stand: forges and people move them about.
fn said_by(line: &str, found: &mut Vec<Identity>) {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix("🤖 Generated with [") {
        let agent = rest.split(']').next().and_then(known_agent);
        found.extend(agent.map(|agent| trailer(IdentityRole::Agent, agent, "Generated with")));
        return;
    }
    let Some((key, value)) = line.split_once(':') else {
        return;
    };
    let value = value.trim();
    let say = |agent: Option<&str>, name: &str, found: &mut Vec<Identity>| {
        found.extend(agent.map(|agent| trailer(IdentityRole::Agent, agent, name)));
    };
    match key.to_ascii_lowercase().as_str() {
        "co-authored-by" => say(named(value), "Co-authored-by", found),
        "signed-off-by" => say(named(value), "Signed-off-by", found),
        "assisted-by" => {
            let agent = value.split(':').next().and_then(known_agent);
            say(agent.or_else(|| named(value)), "Assisted-by", found);
        }
        "generated-by" => say(named(value), "Generated-by", found),
        "generated-with" => say(named(value), "Generated-with", found),
        "claude-session" => session("claude-code", value, "Claude-Session", found),
        "amp-thread-id" => session("amp", value, "Amp-Thread-ID", found),
        "agent-logs-url" => session("copilot", value, "Agent-Logs-Url", found),
        _ => {}
    }
}

/// Returns the agent that `Name <address>` or a name alone stands for.
fn named(value: &str) -> Option<&'static str> {
    match value.split_once('<') {
        Some((name, rest)) => agent_in_git(name.trim(), rest.trim_end().trim_end_matches('>')),
        None => agent_in_git(value, ""),
    }
}

/// A trailer that only one agent writes, and which names a session.
fn session(agent: &str, value: &str, name: &str, found: &mut Vec<Identity>) {
    found.push(trailer(IdentityRole::Agent, agent, name));
    let id = value.trim_end_matches('/').rsplit('/').next().unwrap_or(value);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !id.is_empty() && id.chars().all(plain) {
        found.push(trailer(IdentityRole::Session, id, name));
    }
}

fn trailer(role: IdentityRole, value: &str, name: &str) -> Identity {
    Identity {
        role,
        value: short(value),
        source: Source::Trailer,
        name: Some(name.to_owned()),
    }
}

fn short(value: &str) -> String {
    let mut end = value.len().min(MAX_TEXT_BYTES / 4);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value[..end].replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use touchmark_statement::digest::Sha256Digest;

    use super::*;

    fn commit(author: (&str, &str), message: &str) -> GitCommit {
        let person = |(name, email): (&str, &str)| GitIdentity {
            name: name.as_bytes().to_vec(),
            email: email.as_bytes().to_vec(),
            time: 0,
        };
        GitCommit {
            tree: "4b825dc642cb6eb9a060e54bf8d69288fbee4904".parse().unwrap(),
            parents: Vec::new(),
            content_sha256: Sha256Digest::of(b""),
            author: person(author),
            committer: person(("GitHub", FORGE)),
            message_end: message.as_bytes().to_vec(),
        }
    }

    fn said(author: (&str, &str), message: &str) -> Vec<String> {
        let all = identities_of(&commit(author, message));
        all.iter()
            .map(|identity| {
                let role = format!("{:?}", identity.role).to_lowercase();
                format!(
                    "{role} {} {}",
                    identity.value,
                    identity.name.as_deref().unwrap_or("-")
                )
            })
            .collect()
    }

    const ADA: (&str, &str) = ("Ada Lovelace", "ada@example.invalid");

    #[test]
    fn every_trailer_that_agents_write_is_read() {
        for (line, expected) in [
            (
                "Co-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>",
                "agent claude-code Co-authored-by",
            ),
            (
                "Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>",
                "agent copilot Co-authored-by",
            ),
            (
                "co-authored-by:aider (gpt-5) <noreply@aider.chat>",
                "agent aider Co-authored-by",
            ),
            ("Assisted-by: Codex:gpt-5 sparse", "agent codex Assisted-by"),
            ("Generated-by: Gemini CLI", "agent gemini Generated-by"),
            ("Generated-with: Cursor", "agent cursor Generated-with"),
            (
                "🤖 Generated with [Claude Code](https://claude.com/claude-code)",
                "agent claude-code Generated with",
            ),
        ] {
            assert_eq!(
                said(ADA, &format!("fix\n\n{line}\n")),
                [expected, "author person author"],
                "{line}"
            );
        }
    }

    #[test]
    fn a_trailer_with_a_session_names_agent_and_session() {
        assert_eq!(
            said(
                ADA,
                "fix\n\nClaude-Session: https://claude.ai/code/session_01ABC\n"
            ),
            [
                "agent claude-code Claude-Session",
                "session session_01ABC Claude-Session",
                "author person author"
            ]
        );
        assert_eq!(
            said(
                ADA,
                "fix\n\nAmp-Thread-ID: https://ampcode.com/threads/T-1-2\nAgent-Logs-Url: https://github.com/o/r/sessions/9\n"
            ),
            [
                "agent amp Amp-Thread-ID",
                "agent copilot Agent-Logs-Url",
                "session 9 Agent-Logs-Url",
                "session T-1-2 Amp-Thread-ID",
                "author person author"
            ]
        );
    }

    #[test]
    fn people_stay_people_and_forges_are_nobody() {
        let message = "fix\n\nCo-authored-by: Grace Hopper <grace@example.invalid>\nSigned-off-by: Ada <ada@example.invalid>\n";
        assert_eq!(said(ADA, message), ["author person author"]);
        assert_eq!(
            said(("renovate[bot]", "x@example.invalid"), "x"),
            ["author renovate[bot] author"]
        );
        assert_eq!(
            said(
                (
                    "copilot-swe-agent[bot]",
                    "198982749+Copilot@users.noreply.github.com"
                ),
                "x"
            ),
            ["author copilot author"]
        );
        assert_eq!(
            said(("Ada (aider)", "ada@example.invalid"), ""),
            ["author aider author"]
        );
    }

    #[test]
    fn bytes_that_are_no_text_harm_nobody() {
        let mut odd = commit(ADA, "");
        odd.message_end = b"\xff\xfe\nClaude-Session: ../..\x1b[2J\nAssisted-by:\n:\n".to_vec();
        odd.author.name = vec![0xff; 9_000];
        let all = identities_of(&odd);
        assert!(all.iter().all(|identity| identity.value.len() <= MAX_TEXT_BYTES));
        assert_eq!(all.len(), 2);
    }
}
