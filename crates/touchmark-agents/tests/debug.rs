//! No text of a session is in the `Debug` of anything that holds it.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

use std::fs;
use std::path::{Path, PathBuf};

use touchmark_agents::importer;
use touchmark_agents::run::PromptPart;
use touchmark_agents::secrets::Scanner;
use touchmark_agents::session::ImportOptions;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions");

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn nothing_shows_a_prompt_a_command_or_a_transcript() {
    let mut paths = Vec::new();
    files(Path::new(FIXTURES), &mut paths);
    let mut texts = 0;
    for path in paths {
        let Ok(session) = importer::load(&path, &ImportOptions::default()) else {
            continue;
        };
        let shown = format!("{session:?} {session:#?}");
        let prompts = session.run.prompts.iter().flat_map(|prompt| &prompt.parts);
        let prompts = prompts.filter_map(|part| match part {
            PromptPart::Text(text) => Some(text.as_str()),
            PromptPart::Other { .. } => None,
        });
        let commands = session.run.commands.iter().map(|command| command.text.as_str());
        // Short ones are words that stand for something else as well.
        for text in prompts.chain(commands).filter(|text| text.len() >= 12) {
            assert!(!shown.contains(text), "{}: {text}", path.display());
            let numbers: Vec<String> = text.bytes().take(12).map(|byte| byte.to_string()).collect();
            assert!(
                !shown.contains(&numbers.join(", ")),
                "{}: {text} as numbers",
                path.display()
            );
            texts += 1;
        }
        for file in &session.files {
            let redacted = format!("{:?}", Scanner::built_in().redact_json(&file.bytes));
            assert!(redacted.len() < 1_000, "{}", path.display());
        }
    }
    assert!(texts > 50, "only {texts} texts");
}
