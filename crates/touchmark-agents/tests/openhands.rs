//! OpenHands, both generations: made-up sessions that each show a trait, and real recordings, which are read in place.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::path::Path;

use touchmark_agents::importer::{Importer, Places};
use touchmark_agents::openhands::OpenHands;
use touchmark_agents::run::{CommandKind, Completeness, PromptOrigin, Role, ToolKind};
use touchmark_agents::session::ImportOptions;

use support::{load, origins, recordings, tokens, tools};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/sessions/openhands");
const V1: &str = "5e551000000040008000000000000401";

#[test]
fn a_document_of_the_first_generation() {
    let run = load(&Path::new(FIXTURES).join("v0.json")).run;
    assert_eq!(run.product.versions, ["0.59.0"]);
    assert_eq!(
        origins(&run),
        [
            PromptOrigin::Injected,
            PromptOrigin::Human,
            PromptOrigin::Compaction
        ]
    );
    assert_eq!(
        tools(&run),
        [("execute_bash", [2, 1, 0]), ("str_replace_editor", [2, 1, 0])]
    );
    let commands: Vec<(CommandKind, Option<i32>, Option<bool>)> = run
        .commands
        .iter()
        .map(|command| (command.kind, command.exit_code, command.failed))
        .collect();
    // -1 is no exit code: the command had not ended.
    assert_eq!(
        commands,
        [
            (CommandKind::Test, Some(1), Some(true)),
            (CommandKind::Other, None, None)
        ]
    );
    // Three responses; the first stands on two actions and on their observations. Each reads 1,000 tokens, 600 of them
    // from a cache and 300 for it. The sum that the product reported is older than the third, so it does not count.
    assert_eq!(
        tokens(&run.usage),
        [Some(300), Some(150), Some(1_800), Some(900), Some(3)]
    );
    let model = &run.models[&("claude-opus-4-5".to_owned(), Role::Primary)];
    assert_eq!(
        (model.provider.as_deref(), model.answers, model.steps),
        (Some("anthropic"), 3, 4)
    );
    assert_eq!(run.cost.as_ref().unwrap().amount, "0.02");
    assert_eq!(run.written.keys().collect::<Vec<_>>(), ["/workspace/greet.py"]);
    assert_eq!((run.structure.zoneless_times, run.structure.compactions), (13, 1));
    assert_eq!((run.counters.unknown, run.completeness), (1, Completeness::Whole));
    assert_eq!(run.session_id, None);
}

#[test]
fn a_folder_of_the_first_generation() {
    let folder = Path::new(FIXTURES).join("v0-folder");
    let run = load(&folder).run;
    assert_eq!(run.session_id.as_deref(), Some("v0-folder"));
    // A sum that came with the last answer counts: 2,500 tokens read, 1,200 from and 300 for a cache, make 1,000.
    assert_eq!(tokens(&run.usage)[2], Some(1_200));
    assert_eq!(run.completeness, Completeness::Whole);
    for path in [folder.join("events"), folder.join("events/4.json")] {
        assert_eq!(load(&path).run.session_id, run.session_id);
    }
}

#[test]
fn a_conversation_of_the_second_generation() {
    let folder = Path::new(FIXTURES).join("v1").join(V1);
    let session = load(&folder);
    let run = &session.run;
    assert_eq!(
        run.session_id.as_deref(),
        Some("5e551000-0000-4000-8000-000000000401")
    );
    assert!(run.other_session_ids.is_empty());
    assert_eq!(run.working_directories, ["/home/ada/greeter"]);
    assert_eq!(
        origins(run),
        [
            PromptOrigin::Injected,
            PromptOrigin::Human,
            PromptOrigin::Compaction
        ]
    );
    assert_eq!(
        tools(run),
        [
            ("file_editor", [1, 0, 0]),
            ("mcp__tracker__create_issue", [1, 1, 0]),
            ("terminal", [1, 1, 0])
        ]
    );
    assert_eq!(run.tools["mcp__tracker__create_issue"].kind, ToolKind::Mcp);
    assert_eq!(run.commands[0].exit_code, Some(1));
    // 3,000 - 2,000 - 400 of the agent and 500 of the condenser, whose requests no event shows.
    assert_eq!(
        tokens(&run.usage),
        [Some(1_100), Some(150), Some(2_000), Some(400), Some(4)]
    );
    assert_eq!(run.models.len(), 2);
    assert_eq!(run.cost.as_ref().unwrap().amount, "0.013");
    assert_eq!(run.completeness, Completeness::Whole);
    // However it is named, it is the same session with the same bytes.
    for name in ["base_state.json", "events", "events/event-00003-e-3.json"] {
        let again = load(&folder.join(name));
        assert!(again.files[0].bytes == session.files[0].bytes, "{name}");
    }
    // Masked keys, addresses with passwords and registries of secrets stay where they are.
    let bytes = String::from_utf8(session.files[0].bytes.clone()).unwrap();
    for private in [
        "api_key",
        "secret_registry",
        "not-for-others",
        "a-token",
        "ada:secret",
    ] {
        assert!(!bytes.contains(private), "{private}");
    }
}

fn copy(folder: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    std::fs::create_dir(to.path().join("events")).unwrap();
    std::fs::copy(folder.join("base_state.json"), to.path().join("base_state.json")).unwrap();
    for entry in std::fs::read_dir(folder.join("events")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.path().join("events").join(path.file_name().unwrap())).unwrap();
    }
    to
}

#[test]
fn a_conversation_with_a_hole_or_a_cut_is_not_whole() {
    let folder = Path::new(FIXTURES).join("v1").join(V1);
    type Change = fn(&Path);
    let changes: [(&str, Change); 6] = [
        ("an event is gone", |folder| {
            std::fs::remove_file(folder.join("events/event-00004-e-4.json")).unwrap();
        }),
        ("an event is cut", |folder| {
            std::fs::write(folder.join("events/event-00009-e-9.json"), "{\"id\":").unwrap();
        }),
        ("an event is empty", |folder| {
            std::fs::write(folder.join("events/event-00009-e-9.json"), "").unwrap();
        }),
        ("the product counted more", |folder| {
            std::fs::write(folder.join("events/.eventlog-len-11.marker"), "").unwrap();
        }),
        ("the state is gone", |folder| {
            std::fs::remove_file(folder.join("base_state.json")).unwrap();
        }),
        ("the state is cut", |folder| {
            std::fs::write(folder.join("base_state.json"), "{\"id\":").unwrap();
        }),
    ];
    let whole = copy(&folder);
    std::fs::write(whole.path().join("events/.eventlog-len-10.marker"), "").unwrap();
    assert_eq!(load(whole.path()).run.completeness, Completeness::Whole);
    for (what, change) in changes {
        let folder = copy(&folder);
        change(folder.path());
        assert_eq!(
            load(folder.path()).run.completeness,
            Completeness::TailMissing,
            "{what}"
        );
    }
    let session = load(&folder);
    for len in 0..session.files[0].bytes.len() {
        let mut files = session.files.clone();
        files[0].bytes.truncate(len);
        if let Ok(run) = OpenHands.import(&files, &ImportOptions::default()) {
            assert_ne!(run.completeness, Completeness::Whole, "{len}");
        }
    }
}

#[test]
fn events_that_are_links_are_not_followed() {
    let folder = copy(&Path::new(FIXTURES).join("v1").join(V1));
    let event = folder.path().join("events/event-00009-e-9.json");
    std::fs::remove_file(&event).unwrap();
    std::os::unix::fs::symlink(folder.path().join("events/event-00001-e-1.json"), &event).unwrap();
    let run = load(folder.path()).run;
    assert_eq!(run.human_prompts().count(), 1);
    std::fs::write(folder.path().join("events/.eventlog-len-10.marker"), "").unwrap();
    assert_eq!(load(folder.path()).run.completeness, Completeness::TailMissing);
}

#[test]
fn conversations_are_found_by_their_working_directory() {
    let home = tempfile::tempdir().unwrap();
    let conversations = home.path().join(".openhands/conversations");
    std::fs::create_dir_all(&conversations).unwrap();
    let copied = copy(&Path::new(FIXTURES).join("v1").join(V1));
    std::fs::rename(copied.path(), conversations.join(V1)).unwrap();
    let places = Places {
        home: Some(home.path().to_owned()),
        ..Places::default()
    };
    let found = OpenHands
        .discover(&places, Path::new("/home/ada/greeter"))
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].session_id, "5e551000-0000-4000-8000-000000000401");
    assert!(
        OpenHands
            .discover(&places, Path::new("/home/ada/other"))
            .unwrap()
            .is_empty()
    );
}

/// What was counted without this importer: Python's `json` over the list, `{e['tool_call_metadata']['model_response']['id']:
/// usage}` for the tokens, `prompt_tokens - cached_tokens - cache_creation_input_tokens` for the input; the calls also by
/// Harbor 0.25.0 (`OpenHands._convert_events_to_trajectory`: `['str_replace_editor', 'finish']` and `['finish']`).
#[test]
fn the_recordings_hold_what_was_counted_in_python_and_by_harbor() {
    let Some(folder) = recordings("openhands") else {
        return;
    };
    let path = |name: &str| folder.join(name);
    let run = load(&path("v0-basic.json")).run;
    assert_eq!(run.steps.len(), 4);
    assert_eq!(origins(&run), [PromptOrigin::Human]);
    assert_eq!(
        tools(&run),
        [("finish", [1, 0, 1]), ("str_replace_editor", [1, 0, 0])]
    );
    // 3486 - 0 - 3482 and 4646 - 3482 - 1158; 1135 + 177; 0 + 3482; 3482 + 1158.
    assert_eq!(
        tokens(&run.usage),
        [Some(10), Some(1_312), Some(3_482), Some(4_640), Some(2)]
    );
    assert!(
        run.models
            .contains_key(&("claude-3-5-sonnet-20241022".to_owned(), Role::Primary))
    );
    assert_eq!(
        run.written.keys().collect::<Vec<_>>(),
        ["/workspace/game_2048.py"]
    );
    assert_eq!((run.session_id, run.cost, run.commands.len()), (None, None, 0));
    assert_eq!(run.completeness, Completeness::Whole);

    let run = load(&path("v0-basic-interactions.json")).run;
    assert_eq!(run.steps.len(), 6);
    assert_eq!(origins(&run), [PromptOrigin::Human; 3]);
    assert_eq!(tools(&run), [("finish", [1, 0, 1])]);
    // One of three answers has its response beside it: 2473 - 2304, 10, 2304.
    assert_eq!(
        tokens(&run.usage),
        [Some(169), Some(10), Some(2_304), None, Some(3)]
    );
    assert!(
        run.models
            .contains_key(&("gpt-4o-2024-08-06".to_owned(), Role::Primary))
    );
}
