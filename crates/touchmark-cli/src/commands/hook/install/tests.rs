//! Hooks go into files of every shape and come out again, and what was there stays byte for byte.

use super::agents::{AGENTS, Writes};
use super::merge::{Format, Refusal};
use super::quote::HookCommand;
use super::{codex, git, json, plugin};

fn command() -> HookCommand {
    HookCommand::new("/opt/it's here/touchmark")
}

fn formats() -> impl Iterator<Item = Format> {
    AGENTS.iter().filter_map(|agent| match agent.writes {
        Writes::Json(format) => Some(format),
        Writes::Plugin => None,
    })
}

/// Files as people and programs write them. All but those marked `false` come back byte for byte even where nothing is
/// remembered of what was put in.
const FILES: &[(&str, bool)] = &[
    ("", true),
    ("\n", true),
    ("{}", true),
    ("{}\n", true),
    ("{\n}\n", false),
    ("{ }", false),
    ("{\"a\":1}", true),
    ("{\"a\": 1, \"b\": [1, 2]}\n", true),
    ("{\n  \"model\": \"opus\"\n}\n", true),
    (
        "{\n    \"model\": \"opus\",\n    \"x\": {\n        \"y\": [\n            1\n        ]\n    }\n}",
        true,
    ),
    ("{\n\t\"model\": \"opus\"\n}\n", true),
    ("{\r\n  \"model\": \"opus\"\r\n}\r\n", true),
    ("\u{feff}{\n  \"model\": \"opus\"\n}\n", true),
    ("{\n  // how it looks\n  \"theme\": \"dark\" // always\n}\n", true),
    ("{\n  \"theme\": \"dark\", /* always */\n}\n", false),
    (
        "/* mine */ {\n  \"theme\": \"dark\",\n  // the end\n}\n// after\n",
        false,
    ),
    ("{\n  \"z\": 1,\n  \"hooks\": {},\n  \"a\": 2\n}\n", false),
    ("{\n  \"hooks\": {\n    \"Stop\": []\n  }\n}\n", false),
    (
        "{\n  \"env\": {\n    \"A\": \"b\"\n  },\n  \"permissions\": {\"allow\": [\"Bash(ls:*)\"]}\n}\n",
        true,
    ),
    ("{\n  \"env\": {}\n}\n", false),
    (
        "{\n  \"hooks\": {\n    \"Stop\": [\n      {\n        \"hooks\": [\n          {\n            \"type\": \"command\",\n            \"command\": \"say done\"\n          }\n        ]\n      }\n    ],\n    \"PreToolUse\": [{\"matcher\": \"Bash\", \"hooks\": [{\"type\": \"command\", \"command\": \"x\", \"if\": \"unknown key\"}]}]\n  }\n}\n",
        true,
    ),
    (
        "{\"version\":1,\"hooks\":{\"stop\":[{\"command\":\"a\"},{\"command\":\"b\"}],\"sessionEnd\":[{\"command\":\"c\"}]}}",
        true,
    ),
    (
        "{\"version\": 1, \"hooks\": {\"agentStop\": [ {\"type\": \"command\", \"bash\": \"x\"} ]}}",
        true,
    ),
    (
        "{\"name\": \"Zo\\u00eb \\ud83d\\ude00\", \"n\": -1.5e10, \"t\": true, \"f\": null}",
        true,
    ),
];

#[test]
fn what_was_there_stays_and_comes_back() {
    for format in formats() {
        for (file, remembers_itself) in FILES {
            let draft = format.add(file, &command()).unwrap();
            let name = format!("{} in {file:?}:\n{}", format.hook, draft.text);
            let root = json::read(&draft.text).unwrap_or_else(|error| panic!("{error:?} {name}"));
            for (event, _) in format.events {
                let there = root.member("hooks").and_then(|hooks| hooks.member(event));
                assert!(there.is_some(), "{event} {name}");
            }
            assert_eq!(draft.without_ours(), *file, "{name}");
            assert!(format.is_in(&draft.text), "{name}");
            let again = format.add(&draft.text, &command()).unwrap();
            assert_eq!(again.text, draft.text, "not idempotent: {name}");
            let removed = format.remove(&draft.text).unwrap();
            assert!(!format.is_in(&removed), "{name}");
            // A version that we had to add stays where nothing is remembered: who wrote it cannot be told.
            let versioned = format.version.is_some() && !file.contains("version");
            if *remembers_itself && !versioned && !file.trim().is_empty() {
                assert_eq!(removed, *file, "{name}");
            }
        }
    }
}

#[test]
fn strict_readers_still_read_a_strict_file() {
    for format in formats() {
        for (file, _) in FILES {
            let file = file.trim_start_matches('\u{feff}');
            if serde_json::from_str::<serde_json::Value>(file).is_err() {
                continue;
            }
            let draft = format.add(file, &command()).unwrap();
            let value: serde_json::Value =
                serde_json::from_str(&draft.text).unwrap_or_else(|error| panic!("{error} in {}", draft.text));
            let before: serde_json::Value = serde_json::from_str(file).unwrap();
            for (name, kept) in before.as_object().unwrap() {
                if name != "hooks" && name != "env" {
                    assert_eq!(value[name], *kept);
                }
            }
        }
    }
}

#[test]
fn hooks_of_others_around_ours_stay() {
    let format = formats().next().unwrap();
    let ours = format.add("", &command()).unwrap().text;
    let mine = ours.replace(
        "\"Stop\": [",
        "\"Stop\": [\n      {\"hooks\": [{\"type\": \"command\", \"command\": \"mine\"}]},",
    );
    let removed = format.remove(&mine).unwrap();
    let value: serde_json::Value = serde_json::from_str(&removed).unwrap();
    assert_eq!(
        value,
        serde_json::json!({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "mine"}]}]}})
    );
    // A command of somebody else's in a group of ours.
    let shared = r#"{"hooks":{"Stop":[{"matcher":"x","hooks":[{"command":"mine"},{"command":"touchmark hook run claude-code"}]}]}}"#;
    assert_eq!(
        format.remove(shared).unwrap(),
        r#"{"hooks":{"Stop":[{"matcher":"x","hooks":[{"command":"mine"}]}]}}"#
    );
}

#[test]
fn files_that_cannot_be_understood_are_refused() {
    for format in formats() {
        for file in [
            "{",
            "[]",
            "\"hooks\"",
            "null",
            "{\"a\":}",
            "{'a': 1}",
            "{\"a\": 1}}",
            "{\"hooks\": []}",
            "{\"hooks\": {}, \"hooks\": {}}",
            "{\"h\\u006foks\": {}, \"hooks\": {}}",
            "{/* open",
            "hooks:\n  stop: 1\n",
            &"[".repeat(100_000),
        ] {
            assert!(
                format.add(file, &command()).is_err(),
                "{} {file:.40}",
                format.hook
            );
        }
        let event = format.events[0].0;
        let file = format!("{{\"hooks\": {{\"{event}\": {{}}}}}}");
        assert_eq!(format.add(&file, &command()), Err(Refusal::Shape("an event")));
    }
}

#[test]
fn mutated_files_are_changed_soundly_or_not_at_all() {
    for format in formats() {
        for seed in 0..3_000_u64 {
            let (file, _) = FILES[usize::try_from(seed).unwrap() % FILES.len()];
            let bytes = mutate(seed, file.as_bytes());
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            if let Ok(draft) = format.add(&text, &command()) {
                assert_eq!(draft.without_ours(), text);
                assert!(json::read(&draft.text).is_ok(), "{:?} -> {:?}", text, draft.text);
                let removed = format.remove(&draft.text).unwrap();
                assert!(
                    json::read(&removed).is_ok() || removed.trim().is_empty(),
                    "{removed:?}"
                );
            }
        }
    }
}

#[test]
fn codex_settings_keep_their_format() {
    for file in [
        "",
        "model = \"gpt-5.5\" # the best\n",
        "model = 'x'",
        "# only a remark\n",
        "model = 'x'\r\n\r\n[features]\r\nhooks = true\r\n",
        "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = \"command\"\ncommand = \"say done\"\n",
        "[hooks.state.\"/x/hooks.json:stop:0:0\"]\ntrusted_hash = \"sha256:00\"\n\n[profiles.a]\nmodel = 'y'\n",
        "text = '''\n[[hooks.Stop]]\n'''\n",
    ] {
        let line = command().sh("codex");
        let draft = codex::add(file, &line).unwrap();
        assert!(draft.text.starts_with(file));
        assert!(codex::is_in(&draft.text));
        assert_eq!(draft.without_ours(), file);
        assert_eq!(codex::add(&draft.text, &line).unwrap().text, draft.text);
        let removed = codex::remove(&draft.text).unwrap();
        let with_end = if file.is_empty() || file.ends_with('\n') {
            file.to_owned()
        } else {
            format!("{file}\n")
        };
        assert_eq!(removed, with_end, "{:?}", draft.text);
    }
    assert!(codex::has_hooks(
        "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ncommand = 'x'\n"
    ));
    assert!(!codex::has_hooks("[hooks.state.'x']\ntrusted_hash = 'y'\n"));
    assert!(codex::are_off("[features]\nhooks = false\n"));
}

#[test]
fn codex_settings_that_cannot_be_understood_are_refused() {
    for file in [
        "model = ",
        "hooks = 1\n",
        "[hooks]\nStop = [{ hooks = [{ command = 'x' }] }]\n",
        "a = 1\na = 2\n",
    ] {
        assert!(codex::add(file, "touchmark hook run codex").is_err(), "{file}");
    }
    // Ours, but inside a table that somebody has gone on writing.
    let text = codex::add("", "touchmark hook run codex").unwrap().text;
    let text = text.replacen("timeout = 10\n", "timeout = 10\nstatusMessage = 'x'\n", 1);
    assert!(codex::remove(&text).is_err());
    // What looks like ours inside a text is not cut out.
    let text = format!(
        "note = '''{}'''\n",
        codex::add("", "touchmark hook run codex").unwrap().text
    );
    assert!(codex::remove(&text).is_err());
}

#[test]
fn a_plugin_is_known_as_ours_until_somebody_changes_it() {
    for program in ["touchmark", "/a b/\"quoted\"\\/touchmark", "/`${x}`/touchmark"] {
        let text = plugin::text(&HookCommand::new(program));
        assert!(plugin::is_ours(&text), "{text}");
        assert!(!plugin::is_ours(&format!("{text}// more\n")));
        assert!(!plugin::is_ours(&text[1..]));
    }
}

#[test]
fn git_scripts_get_our_lines_first_and_lose_them_again() {
    let alone = git::script("pre-push", true, &command());
    assert!(alone.starts_with("#!/bin/sh\n") && alone.contains("hook run git-pre-push \"$@\" || :"));
    assert!(git::is_bare(&git::remove(&alone)));
    assert_eq!(git::remove("#!/bin/sh\necho\n"), "#!/bin/sh\necho\n");
}

/// A few bytes changed, taken out or doubled, by a fixed sequence.
fn mutate(seed: u64, bytes: &[u8]) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % (below as u64 + 1)).unwrap()
    };
    let mut bytes = bytes.to_vec();
    for _ in 0..=next(3) {
        if bytes.is_empty() {
            break;
        }
        let at = next(bytes.len() - 1);
        match next(3) {
            0 => bytes[at] = b"{}[]\",:/* \n\\a1"[next(13)],
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, bytes[at]),
            _ => bytes.truncate(at),
        }
    }
    bytes
}
