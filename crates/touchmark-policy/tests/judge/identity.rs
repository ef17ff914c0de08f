//! What git and other sources say of who made a change, against what the statement says: each contradiction alone.

use serde_json::{Value, json};
use touchmark_verify::git_view::GitView as _;

use crate::world::{AGENT, BOT, CI, STRANGER, World, expect, findings};

const PERSON: &str = "Ada <ada@acme.example>";
const CLAUDE: &str = "fix\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n";
const COPILOT: &str = "fix\n\nCo-authored-by: Copilot <copilot@github.com>\n";

/// One commit by this author with this message, and tests; the statement is changed before it is signed.
fn world(author: &str, message: &str, edit: impl FnOnce(&mut Value)) -> World {
    let mut world = World::empty();
    let tree = world.git.edit(
        &world.change.base_tree.clone(),
        &[("src/lib.rs", Some("fn fixed() {}\n"))],
    );
    let parent = [world.change.head_commit.clone()];
    let commit = world.git.commit_saying(&tree, &parent, author, message);
    world.change.head_commit = commit.clone();
    world.change.result_tree = tree;
    world.change.commits.push(commit);
    let mut statement = world.agent_change();
    let predicate = &mut statement["predicate"];
    predicate["agent"]["instance"] = json!("session-1");
    predicate["run"]["startedAt"] = json!("2023-11-14T22:00:00Z");
    predicate["identities"] =
        json!([{"role": "author", "value": "person", "source": "observed", "name": "author"}]);
    predicate["findings"] = json!([]);
    edit(predicate);
    world.add_agent_change(AGENT, &statement);
    world.test_result("PASSED");
    world
}

fn good() -> World {
    world(PERSON, "fix\n", |_| {})
}

fn denying(mut world: World) -> World {
    world.policy.push_str("\n[identity]\ncontradictions = \"deny\"\n");
    world
}

fn list(predicate: &mut Value, identity: Value) {
    predicate["identities"].as_array_mut().unwrap().push(identity);
}

#[test]
fn sources_that_agree_change_nothing() {
    expect(&good().judge(), 0, &[]);
    assert_eq!(findings(&good().judge()), [""; 0]);
    expect(&denying(good()).judge(), 0, &[]);
    let named = world(PERSON, CLAUDE, |predicate| {
        list(
            predicate,
            json!({"role": "agent", "value": "claude-code", "source": "trailer", "name": "Co-authored-by"}),
        );
    });
    expect(&denying(named).judge(), 0, &[]);
}

#[test]
fn each_contradiction_is_told_and_denies_where_the_policy_says_so() {
    let trailer = json!({"role": "agent", "value": "copilot", "source": "trailer", "name": "Co-authored-by"});
    let author = json!({"role": "author", "value": "cursor", "source": "observed", "name": "author"});
    type Made = Box<dyn Fn() -> World>;
    let cases: Vec<(&str, Made)> = vec![
        (
            "identity.trailer_differs",
            Box::new(move || world(PERSON, COPILOT, |predicate| list(predicate, trailer.clone()))),
        ),
        (
            "identity.author_differs",
            Box::new(move || {
                world("Cursor Agent <cursoragent@cursor.com>", "fix\n", |predicate| {
                    list(predicate, author.clone());
                })
            }),
        ),
        (
            "identity.author_is_bot",
            Box::new(|| world("renovate[bot] <r@acme.example>", "fix\n", |_| {})),
        ),
        (
            "identity.environment_differs",
            Box::new(|| {
                world(PERSON, "fix\n", |predicate| {
                    list(
                        predicate,
                        json!({"role": "agent", "value": "codex", "source": "environment", "name": "CODEX_CI"}),
                    );
                })
            }),
        ),
        (
            "identity.hook_differs",
            Box::new(|| {
                world(PERSON, "fix\n", |predicate| {
                    list(
                        predicate,
                        json!({"role": "agent", "value": "gemini", "source": "hook", "name": "hook"}),
                    );
                })
            }),
        ),
        (
            "identity.session_differs",
            Box::new(|| {
                world(PERSON, "fix\n", |predicate| {
                    list(
                        predicate,
                        json!({"role": "session", "value": "session-2", "source": "hook", "name": "hook"}),
                    );
                })
            }),
        ),
        (
            "identity.commit_before_session",
            Box::new(|| {
                world(PERSON, "fix\n", |predicate| {
                    predicate["run"]["startedAt"] = json!("2023-11-14T22:13:21Z")
                })
            }),
        ),
        (
            // What git shows counts although the statement lists nobody, as statements without the field do.
            "identity.trailer_differs",
            Box::new(|| {
                world(PERSON, COPILOT, |predicate| {
                    let object = predicate.as_object_mut().unwrap();
                    object.remove("identities");
                    object.remove("findings");
                })
            }),
        ),
        (
            "identity.repository_differs",
            Box::new(|| {
                world(PERSON, "fix\n", |predicate| {
                    predicate["findings"] = json!([{"code": "identity.repository_differs", "values": [
                        {"value": "https://github.com/other/app", "source": "platform", "name": "certificate"},
                    ]}]);
                })
            }),
        ),
    ];
    for (code, make) in cases {
        let verdict = make().judge();
        expect(&verdict, 0, &[]);
        // Author and committer are one here, and told of each.
        let mut told = findings(&verdict);
        told.dedup();
        assert_eq!(told, [code]);
        let verdict = denying(make()).judge();
        expect(&verdict, 12, &[code]);
    }
}

#[test]
fn a_statement_that_hides_what_git_shows_is_found_out() {
    let verdict = world(PERSON, COPILOT, |_| {}).judge();
    expect(&verdict, 0, &[]);
    assert_eq!(
        findings(&verdict),
        ["identity.concealed", "identity.trailer_differs"]
    );
    // Also where the agent is the statement's own.
    let verdict = world(PERSON, CLAUDE, |_| {}).judge();
    assert_eq!(findings(&verdict), ["identity.concealed"]);
    expect(
        &denying(world(PERSON, CLAUDE, |_| {})).judge(),
        12,
        &["identity.concealed"],
    );
    // Saying that the environment told so is not saying that git does.
    let verdict = world(PERSON, CLAUDE, |predicate| {
        list(
            predicate,
            json!({"role": "agent", "value": "claude-code", "source": "environment", "name": "CLAUDECODE"}),
        );
    });
    assert_eq!(findings(&verdict.judge()), ["identity.concealed"]);
}

#[test]
fn findings_of_a_statement_count_by_codes_that_are_known() {
    let verdict = world(PERSON, "fix\n", |predicate| {
        predicate["findings"] = json!([
            {"code": "accounted.residual", "values": [{"value": "x", "source": "transcript"}]},
            {"code": "identity.no_such_code", "values": [{"value": "x", "source": "transcript"}]},
            {"code": "session.usage_differs", "values": [
                {"value": "1", "source": "transcript"}, {"value": "2", "source": "transcript"}]},
        ]);
    })
    .judge();
    expect(&verdict, 0, &[]);
    assert_eq!(findings(&verdict), ["session.usage_differs"]);
}

#[test]
fn a_stranger_and_a_statement_that_is_not_relied_on_turn_no_yes_into_a_no() {
    let mut world = denying(good());
    let mut other = world.agent_change();
    other["predicate"]["findings"] = json!([{"code": "identity.author_is_bot", "values": [
        {"value": "x[bot]", "source": "observed"}]}]);
    world.add_agent_change(STRANGER, &other);
    expect(&world.judge(), 0, &[]);
    // The same agent says it of the same change a second time: the statement without a contradiction accounts for it.
    world.add_agent_change(AGENT, &other);
    expect(&world.judge(), 0, &[]);
}

#[test]
fn a_commit_beside_the_statement_that_names_another_agent_is_told() {
    let mut world = good();
    let squash = world.git.commit_saying(
        &world.change.result_tree.clone(),
        &[world.change.head_commit.clone()],
        BOT,
        "land\n\nGenerated-by: Gemini CLI\n",
    );
    world.change.head_commit = squash.clone();
    world.change.commits.push(squash);
    let verdict = world.judge();
    expect(&verdict, 0, &[]);
    assert_eq!(findings(&verdict), ["identity.unattested_agent"]);
    expect(&denying(world).judge(), 12, &["identity.unattested_agent"]);
}

#[test]
fn a_base_that_is_no_ancestor_ends_at_the_change() {
    // The commits that are read again are those of the change, whatever the statement says of its base.
    let mut world = good();
    let tree = world.change.base_tree.clone();
    let foreign = world.git.commit_tree(&tree, &[], BOT);
    assert!(world.git.commit(&foreign).is_ok());
    let mut statement = world.agent_change();
    statement["predicate"]["change"]["base"]["gitCommit"] = json!(foreign);
    world.add_agent_change(AGENT, &statement);
    expect(&world.judge(), 0, &[]);
}

#[test]
fn tests_that_an_agent_ran_are_shown_and_do_not_count() {
    for annotations in [
        json!({"runBy": "agent", "source": "environment"}),
        json!({"runBy": "verifier", "source": "selfReported", "agentMarks": ["CLAUDECODE"]}),
        json!({"runBy": "somebody"}),
    ] {
        let mut world = good();
        world.candidates.truncate(1);
        let mut statement = world.test_statement("PASSED");
        statement["predicate"]["configuration"] =
            json!([{"name": "run", "uri": "https://touchmark.dev/test-run/v1", "annotations": annotations}]);
        world.add(CI, &statement);
        let verdict = world.judge();
        expect(&verdict, 10, &["tests.missing"]);
        assert_eq!(findings(&verdict), ["tests.run_by_agent"]);
    }
    for run_by in ["verifier", "ci"] {
        let mut world = good();
        world.candidates.truncate(1);
        let mut statement = world.test_statement("PASSED");
        statement["predicate"]["configuration"] = json!([{"name": "run", "uri": "https://touchmark.dev/test-run/v1",
            "annotations": {"runBy": run_by, "source": "selfReported"}}]);
        world.add(CI, &statement);
        expect(&world.judge(), 0, &[]);
    }
}
