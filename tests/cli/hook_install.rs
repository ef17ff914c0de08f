//! Hooks go into the files of every agent and come out again; what was there stays.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common::schema::assert_valid;
use crate::common::{Outcome, World};

/// A home of its own beside the repository of a world.
struct Place {
    world: World,
}

/// Each agent and the file that it reads, below the user's home and below a repository.
const AGENTS: &[(&str, &str, &str)] = &[
    ("claude-code", ".claude/settings.json", ".claude/settings.json"),
    ("codex", ".codex/hooks.json", ".codex/hooks.json"),
    ("gemini", ".gemini/settings.json", ".gemini/settings.json"),
    (
        "copilot",
        ".copilot/hooks/touchmark.json",
        ".github/hooks/touchmark.json",
    ),
    ("cursor", ".cursor/hooks.json", ".cursor/hooks.json"),
    (
        "opencode",
        ".config/opencode/plugins/touchmark.ts",
        ".opencode/plugins/touchmark.ts",
    ),
];

impl Place {
    fn new() -> Self {
        let this = Self {
            world: World::unattested(),
        };
        fs::create_dir_all(this.home()).unwrap();
        this
    }

    fn home(&self) -> PathBuf {
        self.world.path("hook-home")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.file(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.command(arguments.iter().copied());
        command.env("HOME", self.home());
        for name in ["CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command(arguments).output().unwrap())
    }

    #[track_caller]
    fn report(&self, arguments: &[&str]) -> Value {
        let outcome = self.run(&[arguments, &["--format", "json"]].concat()).ok();
        let report = outcome.json();
        assert_valid(&report);
        report
    }

    /// Every file and folder below a folder, with contents and modes.
    fn everything(&self, below: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
        let mut all = Vec::new();
        let mut waiting = vec![below.to_owned()];
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let found = fs::symlink_metadata(&path).unwrap();
                let content = if found.is_file() {
                    fs::read(&path).unwrap()
                } else {
                    Vec::new()
                };
                if found.is_dir() {
                    waiting.push(path.clone());
                }
                all.push((path, found.permissions().mode(), content));
            }
        }
        all.sort();
        all
    }
}

#[test]
fn every_agent_gets_its_hooks_once_and_loses_them_without_a_trace() {
    let place = Place::new();
    for (agent, file, _) in AGENTS {
        let before = place.everything(&place.home());
        let report = place.report(&["hook", "install", agent]);
        assert_eq!(report["files"][0]["state"], "created", "{report}");
        assert_eq!(report["files"][0]["file"], place.file(file).to_str().unwrap());
        let text = place.read(file);
        assert!(text.contains("hook run"), "{text}");
        assert!(
            report["files"][0]["diff"]
                .as_str()
                .unwrap()
                .starts_with("--- /dev/null\n+++ b/")
        );
        assert_eq!(
            place.report(&["hook", "install", agent])["files"][0]["state"],
            "unchanged"
        );
        assert_eq!(place.read(file), text);
        assert_eq!(
            place.report(&["hook", "uninstall", agent])["files"][0]["state"],
            "removed"
        );
        assert_eq!(
            place.report(&["hook", "uninstall", agent])["files"][0]["state"],
            "unchanged"
        );
        assert_eq!(place.everything(&place.home()), before, "{agent}");
    }
}

#[test]
fn a_repository_gets_hooks_that_others_can_use() {
    let place = Place::new();
    let bin = Path::new(env!("CARGO_BIN_EXE_touchmark")).parent().unwrap();
    for (agent, _, file) in AGENTS {
        let mut command = place.command(&["hook", "install", agent, "--project"]);
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        Outcome::of(command.output().unwrap()).ok();
        let text = fs::read_to_string(place.world.repo().join(file)).unwrap();
        assert!(
            text.contains("\"touchmark hook run") || text.contains("const program = \"touchmark\""),
            "{text}"
        );
        let mode = fs::metadata(place.world.repo().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o644);
        let mut command = place.command(&["hook", "uninstall", agent, "--project"]);
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        Outcome::of(command.output().unwrap()).ok();
    }
    assert_eq!(place.world.git(["status", "--porcelain"]), "");
}

const CLAUDE: &str = "{\n  // Ada's own\n  \"model\": \"opus\",\n  \"hooks\": {\n    \"Stop\": [ { \"hooks\": [ { \"type\": \"command\", \"command\": \"say done\" } ] } ]\n  },\n  \"unknown\": [1, 2],\n}\n";

#[test]
fn what_was_there_comes_back_byte_for_byte_with_its_mode() {
    for (agent, file, text) in [
        ("claude-code", ".claude/settings.json", CLAUDE),
        ("claude-code", ".claude/settings.json", "{}"),
        ("claude-code", ".claude/settings.json", ""),
        (
            "claude-code",
            ".claude/settings.json",
            "{\"hooks\": {}, \"env\": {}}",
        ),
        (
            "codex",
            ".codex/hooks.json",
            "{\r\n\t\"hooks\": {\r\n\t\t\"Stop\": []\r\n\t}\r\n}",
        ),
        (
            "codex",
            ".codex/config.toml",
            "model = 'x' # mine\n\n[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = 'command'\ncommand = 'say'",
        ),
        (
            "gemini",
            ".gemini/settings.json",
            "{ \"theme\": \"x\" /* y */ }\n\n\n",
        ),
        (
            "copilot",
            ".copilot/hooks/touchmark.json",
            "{\"version\":1,\"hooks\":{}}",
        ),
        (
            "cursor",
            ".cursor/hooks.json",
            "{\n    \"version\": 1,\n    \"hooks\": {\"stop\": [{\"command\": \"./a.sh\"}]}\n}\n",
        ),
        ("cursor", ".cursor/hooks.json", "{\n}\n"),
    ] {
        let place = Place::new();
        place.write(file, text);
        fs::set_permissions(place.file(file), fs::Permissions::from_mode(0o640)).unwrap();
        place.run(&["hook", "install", agent]).ok();
        let with = place.read(file);
        assert!(with.contains("hook run"), "{agent}: {with}");
        assert_eq!(
            fs::metadata(place.file(file)).unwrap().permissions().mode() & 0o777,
            0o640
        );
        place.run(&["hook", "uninstall", agent]).ok();
        assert_eq!(place.read(file), text, "{agent}");
        assert_eq!(
            fs::metadata(place.file(file)).unwrap().permissions().mode() & 0o777,
            0o640
        );
    }
}

#[test]
fn what_others_change_meanwhile_stays() {
    let place = Place::new();
    let file = ".claude/settings.json";
    place.write(file, CLAUDE);
    place.run(&["hook", "install", "claude-code"]).ok();
    place.write(file, &place.read(file).replace("\"opus\"", "\"sonnet\""));
    assert_eq!(
        place.report(&["hook", "install", "claude-code"])["files"][0]["state"],
        "unchanged"
    );
    place.run(&["hook", "uninstall", "claude-code"]).ok();
    let rest = place.read(file);
    assert!(
        rest.contains("// Ada's own") && rest.contains("sonnet") && rest.contains("say done"),
        "{rest}"
    );
    assert!(
        !rest.contains("touchmark") && !rest.contains("SESSIONEND"),
        "{rest}"
    );
}

#[test]
fn another_program_takes_the_place_of_the_one_before() {
    let place = Place::new();
    let file = ".codex/hooks.json";
    let install = |program: &str| place.report(&["hook", "install", "codex", "--program", program]);
    let first = install("/opt/one/touchmark");
    assert_eq!(install("/opt/it's two/touchmark")["files"][0]["state"], "changed");
    let text = place.read(file);
    assert!(
        !text.contains("/opt/one") && text.contains(r"'/opt/it'\\''s two/touchmark' hook run codex"),
        "{text}"
    );
    let second = install("touchmark");
    assert_ne!(first["files"][0]["trust"], second["files"][0]["trust"]);
    place.run(&["hook", "uninstall", "codex"]).ok();
    assert!(!place.file(file).exists());
}

#[test]
fn nothing_is_approved_in_the_users_place() {
    let place = Place::new();
    place.write(".codex/config.toml", "[features]\nhooks = false\n");
    let report = place.report(&["hook", "install", "codex"]);
    let trust = report["files"][0]["trust"].as_array().unwrap();
    assert_eq!(trust.len(), 3);
    let remarks = report["files"][0]["remarks"].to_string();
    assert!(
        remarks.contains("/hooks") && remarks.contains("turned off"),
        "{remarks}"
    );
    assert_eq!(place.read(".codex/config.toml"), "[features]\nhooks = false\n");
    assert!(!place.read(".codex/hooks.json").contains("trusted_hash"));
    let said = place.run(&["hook", "install", "gemini", "--project"]).ok().stderr;
    assert!(
        said.contains("gemini: Gemini CLI runs hooks of trusted folders only"),
        "{said}"
    );
}

#[test]
fn a_file_that_cannot_be_understood_is_left_alone() {
    for text in [
        "{",
        "[]",
        "hooks: {}",
        "{\"hooks\": 1}",
        "{\"hooks\": {}, \"hooks\": {}}",
        "\u{0}",
        "{\"hooks\": {\"Stop\": 1}}",
    ] {
        let place = Place::new();
        place.write(".claude/settings.json", text);
        place
            .run(&["hook", "install", "claude-code"])
            .refused(2, "hook.file_unreadable");
        assert_eq!(place.read(".claude/settings.json"), text);
    }
    let place = Place::new();
    place.write(".claude/settings.json", "x");
    fs::write(place.file(".claude/settings.json"), b"\xff\xfe").unwrap();
    place
        .run(&["hook", "install", "claude-code"])
        .refused(2, "hook.file_unreadable");
    fs::remove_file(place.file(".claude/settings.json")).unwrap();
    fs::create_dir(place.file(".claude/settings.json")).unwrap();
    place
        .run(&["hook", "install", "claude-code"])
        .refused(2, "hook.file_unreadable");
    place.write(".config/opencode/plugins/touchmark.ts", "// mine\n");
    place
        .run(&["hook", "install", "opencode"])
        .refused(2, "hook.file_foreign");
    place
        .run(&["hook", "uninstall", "opencode"])
        .refused(2, "hook.file_foreign");
    place.write(
        ".codex/config.toml",
        "[hooks]\nStop = [{ hooks = [{ command = 'x' }] }]\n",
    );
    place
        .run(&["hook", "install", "codex"])
        .refused(2, "hook.file_unreadable");
}

#[test]
fn links_are_followed_only_inside_the_chosen_folder() {
    let place = Place::new();
    let outside = place.world.path("outside.json");
    fs::write(&outside, "{}").unwrap();
    fs::create_dir_all(place.file(".claude")).unwrap();
    symlink(&outside, place.file(".claude/settings.json")).unwrap();
    place
        .run(&["hook", "install", "claude-code"])
        .refused(2, "hook.file_elsewhere");
    assert_eq!(fs::read_to_string(&outside).unwrap(), "{}");

    // The user's own folder of settings, kept elsewhere in the same home.
    fs::remove_file(place.file(".claude/settings.json")).unwrap();
    place.write("dotfiles/claude.json", "{}");
    symlink(
        place.file("dotfiles/claude.json"),
        place.file(".claude/settings.json"),
    )
    .unwrap();
    place.run(&["hook", "install", "claude-code"]).ok();
    assert!(
        fs::symlink_metadata(place.file(".claude/settings.json"))
            .unwrap()
            .is_symlink()
    );
    assert!(
        place
            .read("dotfiles/claude.json")
            .contains("hook run claude-code")
    );

    // A repository that leads its settings into the user's.
    symlink(place.home(), place.world.repo().join(".cursor")).unwrap();
    place
        .run(&["hook", "install", "cursor", "--project"])
        .refused(2, "hook.file_elsewhere");
    symlink(place.world.path("nowhere"), place.file(".gemini")).unwrap();
    place
        .run(&["hook", "install", "gemini"])
        .refused(1, "hook.file_unusable");
}

#[test]
fn a_dry_run_shows_everything_and_changes_nothing() {
    let place = Place::new();
    place.write(".claude/settings.json", CLAUDE);
    let before = place.everything(&place.home());
    let said = place
        .run(&["hook", "install", "claude-code", "--dry-run"])
        .ok()
        .stdout;
    assert!(said.starts_with("claude-code: would be changed "), "{said}");
    assert!(said.contains("\n+    \"SessionStart\": ["), "{said}");
    let report = place.report(&["hook", "install", "cursor", "--dry-run"]);
    assert_eq!(
        (report["dryRun"].as_bool(), report["files"][0]["state"].as_str()),
        (Some(true), Some("created"))
    );
    place.run(&["hook", "install", "codex", "--print"]).ok();
    assert_eq!(place.everything(&place.home()), before);
}

#[test]
fn all_means_the_agents_that_are_found() {
    let place = Place::new();
    place
        .run(&["hook", "install", "--all"])
        .refused(2, "hook.none_found");
    fs::create_dir(place.file(".claude")).unwrap();
    place.write(".cursor/hooks.json", "{");
    let bin = place.file("bin");
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("gemini"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(bin.join("gemini"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = place.command(&["hook", "install", "--all", "--format", "json"]);
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    let outcome = Outcome::of(command.output().unwrap());
    // One that cannot be changed keeps the others from nothing, and is told.
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("error[hook.file_unreadable]"),
        "{}",
        outcome.stderr
    );
    let report = outcome.json();
    assert_valid(&report);
    let states: Vec<_> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["agent"].as_str().unwrap(), file["state"].as_str().unwrap()))
        .collect();
    assert_eq!(
        states,
        [
            ("claude-code", "created"),
            ("gemini", "created"),
            ("cursor", "refused")
        ]
    );
}

#[test]
fn programs_that_could_not_be_found_again_are_refused() {
    let place = Place::new();
    for program in [
        "/opt/other",
        "bin/touchmark",
        "/a\nb/touchmark",
        "",
        "./touchmark",
    ] {
        place
            .run(&["hook", "install", "codex", "--program", program])
            .refused(2, "hook.program_unusable");
    }
    place
        .run(&["hook", "install", "emacs"])
        .refused(2, "hook.agent_unknown");
    assert_eq!(place.run(&["hook", "install"]).code, Some(2));
    assert_eq!(place.run(&["hook", "install", "--all", "codex"]).code, Some(2));
}

#[test]
fn git_gets_hooks_beside_those_that_are_there() {
    let place = Place::new();
    let hooks = place.world.repo().join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for sample in fs::read_dir(&hooks).unwrap() {
        fs::remove_file(sample.unwrap().path()).unwrap();
    }
    let mine =
        "#!/usr/bin/env bash\nset -e\nwhile read -r line; do echo \"$1 $line\" >> \"$HOME/pushed\"; done\n";
    fs::write(hooks.join("pre-push"), mine).unwrap();
    fs::set_permissions(hooks.join("pre-push"), fs::Permissions::from_mode(0o755)).unwrap();
    let shim = place.home().join("touchmark");
    fs::write(&shim, "#!/bin/sh\necho \"$@\" >> \"$HOME/called\"\n[ \"$3\" = git-post-commit ] || cat >> \"$HOME/called\"\n").unwrap();
    fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();

    let shim = shim.to_str().unwrap();
    let report = place.report(&["hook", "install", "git", "--program", shim]);
    assert_eq!(report["files"].as_array().unwrap().len(), 3);
    assert_eq!(
        place.report(&["hook", "install", "git", "--program", shim])["files"][2]["state"],
        "unchanged"
    );

    let run = |hook: &str, arguments: &[&str], input: &str| {
        use std::io::Write as _;
        let mut child = Command::new(hooks.join(hook))
            .args(arguments)
            .env("HOME", place.home())
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    };
    run("post-commit", &[], "");
    run("post-rewrite", &["amend"], "old new\n");
    run("pre-push", &["origin", "url"], "a b c d\ne f $(id) h\n");
    assert_eq!(place.read("pushed"), "origin a b c d\norigin e f $(id) h\n");
    assert_eq!(
        place.read("called"),
        "hook run git-post-commit\nhook run git-post-rewrite amend\nold new\nhook run git-pre-push origin url\na b c d\ne f $(id) h\n"
    );
    // Nothing to push, and a program that is gone: git goes on.
    run("pre-push", &["origin", "url"], "");
    fs::remove_file(place.home().join("touchmark")).unwrap();
    run("post-commit", &[], "");
    run("pre-push", &["origin", "url"], "x\n");

    place.run(&["hook", "uninstall", "git"]).ok();
    assert_eq!(fs::read_to_string(hooks.join("pre-push")).unwrap(), mine);
    assert_eq!(fs::read_dir(&hooks).unwrap().count(), 1);

    fs::write(hooks.join("post-commit"), "#!/usr/bin/env python3\nprint(1)\n").unwrap();
    place
        .run(&["hook", "install", "git"])
        .refused(2, "hook.git_hook_foreign");
    assert_eq!(
        fs::read_dir(&hooks).unwrap().count(),
        2,
        "one of three is not installed alone"
    );
    fs::remove_file(hooks.join("post-commit")).unwrap();
    let shared = place.file("shared");
    fs::create_dir(&shared).unwrap();
    place
        .world
        .git(["config", "core.hooksPath", shared.to_str().unwrap()]);
    place
        .run(&["hook", "install", "git"])
        .refused(2, "hook.git_hooks_elsewhere");
    place.world.git(["config", "core.hooksPath", ".husky"]);
    place.run(&["hook", "install", "git"]).ok();
    assert!(place.world.repo().join(".husky/post-commit").exists());
}
