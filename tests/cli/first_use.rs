//! What a person meets who has never used the program: the first mistakes, and the way out of each.

use serde_json::json;

use crate::common::World;
use crate::common::world::RULE;

const ID: &str = "greeter-agent";

#[test]
fn an_agent_that_was_named_wrongly_is_named_rightly_by_attesting_again() {
    let world = World::unattested();
    let first = world.attest_with(&["--agent", "claude-code"]);
    world.judged(&[], 11, &["agent.id_mismatch", "accounted.residual", RULE]);

    let second = world.attest_with(&["--agent", ID]);
    assert_eq!(second["outcome"], "logged");
    assert_ne!(second["payload"], first["payload"]);
    // The statement that was set aside leaves a gap in the session's chain: worth a look, and no reason to refuse.
    world.judged(&[], 14, &[RULE, "session.gap"]);
    world.approve_as("alice", &[]);
    world.judged(&[], 0, &["session.gap"]);
}

#[test]
fn what_the_user_tells_anew_is_stated_and_what_was_told_is_not_repeated() {
    let world = World::attested();
    let told = [
        ["--owner", "team-greeter"],
        ["--task", "https://tracker.example/7"],
    ];
    for flags in told {
        assert_eq!(world.attest_with(&flags)["outcome"], "logged", "{flags:?}");
        assert_eq!(world.attest_with(&flags)["outcome"], "folded", "{flags:?}");
    }
    let last = world.attest_with(&["--task", "https://tracker.example/7"]);
    assert_eq!(last["outcome"], json!("folded"));
}
