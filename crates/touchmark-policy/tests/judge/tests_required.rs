//! Test results: a service's, for exactly the result tree.

use serde_json::json;

use crate::world::{AGENT, ALICE, CI, World, expect, findings};

#[test]
fn a_test_result_is_needed_for_exactly_the_result_tree() {
    let mut world = World::good();
    world.candidates.truncate(1);
    expect(&world.judge(), 10, &["tests.missing"]);
    world.edit_policy(
        "require = [\"accounted\", \"tests\"]",
        "require = [\"accounted\"]",
    );
    expect(&world.judge(), 0, &[]);

    for (key, value) in [
        ("gitTree", "1".repeat(40)),
        ("sha256", "1".repeat(64)),
        ("gitCommit", "1".repeat(40)),
    ] {
        let mut world = World::good();
        world.candidates.truncate(1);
        let mut statement = world.test_statement("PASSED");
        statement["subject"][0]["digest"][key] = json!(value);
        world.add(CI, &statement);
        let verdict = world.judge();
        expect(&verdict, 10, &["tests.missing"]);
        assert_eq!(findings(&verdict), ["tests.other_subject"], "{key}");
    }
}

#[test]
fn a_failed_test_denies() {
    let mut world = World::good();
    world.candidates.truncate(1);
    world.test_result("FAILED");
    expect(&world.judge(), 12, &["tests.failed"]);
    // One that passed beside it does not undo it.
    world.test_result("PASSED");
    expect(&world.judge(), 12, &["tests.failed"]);

    let mut world = World::good();
    let mut statement = world.test_statement("PASSED");
    statement["predicate"]["failedTests"] = json!(["it_works"]);
    world.add(CI, &statement);
    let verdict = world.judge();
    expect(&verdict, 12, &["tests.failed"]);
    assert_eq!(verdict.reasons()[0].found.as_deref(), Some("failed: it_works"));
    world.edit_policy(
        "require = [\"accounted\", \"tests\"]",
        "require = [\"accounted\"]",
    );
    let verdict = world.judge();
    expect(&verdict, 0, &[]);
    assert_eq!(findings(&verdict), ["tests.failed"]);
}

#[test]
fn tests_that_pass_with_warnings_are_a_finding() {
    let mut world = World::good();
    world.candidates.truncate(1);
    world.test_result("WARNED");
    let verdict = world.judge();
    expect(&verdict, 0, &[]);
    assert_eq!(findings(&verdict), ["tests.warned"]);
}

#[test]
fn test_results_of_anybody_else_count_nothing() {
    for seed in [AGENT, ALICE] {
        let mut world = World::good();
        world.candidates.truncate(1);
        let statement = world.test_statement("PASSED");
        world.add(seed, &statement);
        expect(&world.judge(), 11, &["identity.role", "tests.missing"]);
    }
    let mut world = World::good();
    world.edit_policy("may = [\"test-result\"]", "may = [\"build\"]");
    expect(&world.judge(), 11, &["identity.role", "tests.missing"]);
}
