//! The agents: where each keeps its configuration, and what hooks look like there.

use std::path::{Path, PathBuf};

use super::codex;
use super::merge::{Format, Listing};
use crate::environment::Environment;

/// One agent.
#[derive(Debug)]
pub(crate) struct Agent {
    /// Its name on our command line.
    pub(crate) name: &'static str,
    /// Its programs, to find out whether it is there.
    pub(crate) programs: &'static [&'static str],
    /// The variable that moves its folder, with the folder below it.
    variable: Option<(&'static str, &'static str)>,
    /// Its folder in the user's home.
    home: &'static str,
    /// Its folder in a repository.
    pub(crate) project: &'static str,
    /// The file in that folder.
    pub(crate) file: &'static str,
    /// How the file is written.
    pub(crate) writes: Writes,
    /// What the user has to know or do, in the user's own configuration and in a repository's.
    pub(crate) remarks: [&'static str; 2],
}

/// How a configuration file is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Writes {
    /// JSON in which hooks stand beside other settings.
    Json(Format),
    /// A file of our own with a program in it.
    Plugin,
}

/// Every agent with hooks.
pub(crate) const AGENTS: &[Agent] = &[
    Agent {
        name: "claude-code",
        programs: &["claude"],
        variable: Some(("CLAUDE_CONFIG_DIR", "")),
        home: ".claude",
        project: ".claude",
        file: "settings.json",
        writes: Writes::Json(Format {
            hook: "claude-code",
            events: &[
                ("SessionStart", 10),
                ("UserPromptSubmit", 10),
                ("Stop", 20),
                ("SubagentStop", 20),
                ("SessionEnd", 10),
            ],
            listing: Listing::Groups,
            version: None,
            // Without it, all hooks of a session's end together have 1.5 s, whatever time each asks for.
            variable: Some(("CLAUDE_CODE_SESSIONEND_HOOKS_TIMEOUT_MS", "10000")),
        }),
        remarks: [
            "",
            "Claude Code asks everybody who opens this folder whether to trust it",
        ],
    },
    Agent {
        name: "codex",
        programs: &["codex"],
        variable: Some(("CODEX_HOME", "")),
        home: ".codex",
        project: ".codex",
        file: "hooks.json",
        writes: Writes::Json(Format {
            hook: "codex",
            events: codex::EVENTS,
            listing: Listing::Groups,
            version: None,
            variable: None,
        }),
        remarks: [
            "Codex runs a new or changed hook only once you trust it: open `/hooks` in Codex, compare the hash, trust it",
            "Codex reads these in trusted projects only, and runs each once it is trusted in `/hooks`",
        ],
    },
    Agent {
        name: "gemini",
        programs: &["gemini"],
        variable: Some(("GEMINI_CLI_HOME", ".gemini")),
        home: ".gemini",
        project: ".gemini",
        file: "settings.json",
        writes: Writes::Json(Format {
            hook: "gemini",
            // Milliseconds.
            events: &[
                ("SessionStart", 10_000),
                ("AfterAgent", 20_000),
                ("SessionEnd", 5_000),
            ],
            listing: Listing::NamedGroups,
            version: None,
            variable: None,
        }),
        remarks: [
            "",
            "Gemini CLI runs hooks of trusted folders only, and warns of new or changed ones: read what it shows before you go on",
        ],
    },
    Agent {
        name: "copilot",
        programs: &["copilot"],
        variable: Some(("COPILOT_HOME", "")),
        home: ".copilot",
        project: ".github",
        file: "hooks/touchmark.json",
        writes: Writes::Json(Format {
            hook: "copilot",
            events: &[("sessionStart", 10), ("agentStop", 30), ("sessionEnd", 10)],
            listing: Listing::Shells,
            version: Some(1),
            variable: None,
        }),
        remarks: [
            "",
            "Copilot's cloud agent reads these from the default branch only, and needs touchmark in its image",
        ],
    },
    Agent {
        name: "cursor",
        programs: &["cursor", "cursor-agent"],
        variable: None,
        home: ".cursor",
        project: ".cursor",
        file: "hooks.json",
        writes: Writes::Json(Format {
            hook: "cursor",
            events: &[
                ("sessionStart", 0),
                ("beforeSubmitPrompt", 0),
                ("afterFileEdit", 0),
                ("afterShellExecution", 0),
                ("afterMCPExecution", 0),
                ("stop", 0),
                ("sessionEnd", 0),
            ],
            listing: Listing::Commands,
            version: Some(1),
            variable: None,
        }),
        remarks: ["", "Cursor runs hooks of trusted workspaces only"],
    },
    Agent {
        name: "opencode",
        programs: &["opencode"],
        variable: Some(("OPENCODE_CONFIG_DIR", "")),
        home: ".config/opencode",
        project: ".opencode",
        file: "plugins/touchmark.ts",
        writes: Writes::Plugin,
        remarks: ["", ""],
    },
];

impl Agent {
    /// Finds an agent by any of its names.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        let name = touchmark_agents::hook::product_name(name);
        AGENTS.iter().find(|agent| agent.name == name)
    }

    /// The agent's folder in the user's configuration, and the folder that no link may lead out of.
    pub(crate) fn user_folder(&self, environment: &Environment) -> Option<(PathBuf, PathBuf)> {
        if let Some((variable, below)) = self.variable
            && let Some(folder) = environment.path(variable).filter(|path| path.is_absolute())
        {
            let folder = if below.is_empty() {
                folder
            } else {
                folder.join(below)
            };
            return Some((folder.clone(), folder));
        }
        let home = environment.path("HOME").filter(|path| path.is_absolute())?;
        let xdg = environment
            .path("XDG_CONFIG_HOME")
            .filter(|path| path.is_absolute());
        match (self.home.strip_prefix(".config/"), xdg) {
            (Some(below), Some(xdg)) => Some((xdg.join(below), xdg)),
            _ => Some((home.join(self.home), home)),
        }
    }

    /// Whether the agent is on this machine: its folder is there, or one of its programs.
    pub(crate) fn is_here(&self, environment: &Environment, project: Option<&Path>) -> bool {
        // Repositories have this folder for other reasons too.
        let own = project.filter(|_| self.project != ".github");
        own.is_some_and(|root| root.join(self.project).is_dir())
            || self
                .user_folder(environment)
                .is_some_and(|(folder, _)| folder.is_dir())
            || self
                .programs
                .iter()
                .any(|program| find_program(environment, program).is_some())
    }
}

/// Finds a program in the absolute folders of `PATH`.
pub(crate) fn find_program(environment: &Environment, name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let runnable = |path: &PathBuf| {
        std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(environment.raw("PATH")?)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(runnable)
}
