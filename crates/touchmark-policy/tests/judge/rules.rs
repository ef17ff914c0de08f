//! Rules, exceptions, and the protection of paths under any name.

use touchmark_statement::file_mode::FileMode;

use crate::git::path;
use crate::world::{AGENT, ALICE, BOB, BOT, World, expect, findings};

const RULE: &str = "policy.rule.infra-two-humans";

/// Returns a case in which an agent without scope made some edits.
fn unscoped(edits: &[(&str, Option<&str>)]) -> World {
    let mut world = World::empty();
    world.edit_policy("\"docs/**\"]", "\"docs/**\", \"**\"]");
    world.edit_policy(
        "require = [\"accounted\", \"tests\"]",
        "require = [\"accounted\"]",
    );
    world.propose_edits(edits, BOT);
    let statement = world.agent_change();
    world.add_agent_change(AGENT, &statement);
    world
}

#[test]
fn a_forbidden_path_passes_with_nobody_s_approval() {
    let mut world = unscoped(&[("config/.env", Some("KEY=x\n"))]);
    expect(&world.judge(), 12, &["policy.rule.no-secrets"]);
    world.approve(ALICE);
    world.approve(BOB);
    expect(&world.judge(), 12, &["policy.rule.no-secrets"]);
}

#[test]
fn case_190_a_rule_meets_its_paths_under_any_name() {
    for name in [
        "infra/main.tf",
        "INFRA/new.txt",
        "sub/Dockerfile",
        "sub/dockerfile.",
        "docker-compose.yml",
        "ｉnfra/x",
    ] {
        let world = unscoped(&[(name, Some("x\n"))]);
        expect(&world.judge(), 14, &[RULE]);
    }
    // A rename is a removal and an addition; the removal meets the rule.
    let world = unscoped(&[("infra/main.tf", None), ("moved/main.txt", Some("size = 1\n"))]);
    let verdict = world.judge();
    expect(&verdict, 14, &[RULE]);
    assert_eq!(verdict.reasons()[0].paths, [path("infra/main.tf")]);
    // A symlink or a submodule in place of a folder.
    for mode in [FileMode::Symlink, FileMode::Gitlink] {
        let mut world = unscoped(&[("src/lib.rs", Some("x\n"))]);
        world.candidates.clear();
        world.shown.clear();
        world.edit_policy("classes = [\"infrastructure\"]", "paths = [\"infra/prod/eu/**\"]");
        let tree = world
            .git
            .put(&world.change.result_tree.clone(), "infra/prod", mode, "elsewhere");
        world.propose(&tree, BOT);
        let statement = world.agent_change();
        world.add_agent_change(AGENT, &statement);
        expect(&world.judge(), 14, &[RULE]);
    }
    // The agent's own configuration, and workflows.
    for (class, name) in [
        ("agent-config", "sub/CLAUDE.md"),
        ("agent-config", ".mcp.json"),
        ("ci", ".github/workflows/x.yml"),
    ] {
        let mut world = unscoped(&[(name, Some("x\n"))]);
        world.edit_policy(
            "classes = [\"infrastructure\"]",
            &format!("classes = [\"{class}\"]"),
        );
        expect(&world.judge(), 14, &[RULE]);
    }
}

#[test]
fn case_192_the_order_of_rules_means_nothing() {
    let rules = [
        "[[rule]]\nid = \"a\"\npaths = [\"src/**\"]\ntier = \"free\"\n",
        "[[rule]]\nid = \"b\"\npaths = [\"src/**\"]\ntier = \"gated\"\napprovals = { people = 1 }\n",
        "[[rule]]\nid = \"c\"\nclasses = [\"source\"]\ntier = \"gated\"\napprovals = { people = 2 }\n",
    ];
    let mut answers = Vec::new();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut world = World::good();
        let rules: String = order.iter().map(|i| rules[*i]).collect();
        world.edit_policy("[gate.merge]", &format!("{rules}\n[gate.merge]"));
        world.approve(ALICE);
        let verdict = world.judge();
        expect(&verdict, 14, &["policy.rule.c"]);
        answers.push((verdict.reasons().to_vec(), verdict.accounted().clone()));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn all_reasons_are_collected() {
    let world = unscoped(&[
        ("infra/main.tf", Some("x\n")),
        (".env", Some("x\n")),
        (".touchmark/policy.toml", Some("x\n")),
    ]);
    let verdict = world.judge();
    expect(
        &verdict,
        12,
        &[
            "agent.policy_path",
            "policy.not_alone",
            "policy.rule.no-secrets",
            "policy.admin_approval",
            RULE,
        ],
    );
}

#[test]
fn an_exception_lifts_one_rule_for_some_paths_for_some_time() {
    let exception = |until: &str, paths: &str| {
        format!(
            "\n[[exception]]\nrule = \"infra-two-humans\"\npaths = [\"{paths}\"]\nuntil = {until}\nreason = \"CHG-1\"\nowner = \"alice\"\n"
        )
    };
    let with = |text: String| {
        let mut world = World::gated();
        world.candidates.truncate(2);
        world.policy.push_str(&text);
        world.judge()
    };
    // The question is asked for 2026-09-21.
    let verdict = with(exception("2026-12-31", "infra/**"));
    expect(&verdict, 0, &[]);
    assert_eq!(findings(&verdict), ["exception.applied"]);
    let verdict = with(exception("2026-09-21", "infra/**"));
    expect(&verdict, 0, &[]);
    let verdict = with(exception("2026-09-20", "infra/**"));
    expect(&verdict, 14, &[RULE]);
    assert_eq!(findings(&verdict), ["exception.expired"]);
    expect(&with(exception("2026-12-31", "infra/dev/**")), 14, &[RULE]);
    expect(&with(exception("2026-12-31", "Infra/**")), 14, &[RULE]);
}

#[test]
fn a_change_of_the_policy_needs_an_admin_and_lands_alone() {
    let human = |edits: &[(&str, Option<&str>)]| {
        let mut world = World::empty();
        world.edit_policy(
            "require = [\"accounted\", \"tests\"]",
            "require = [\"accounted\"]",
        );
        world.propose_edits(edits, "Erin <erin@acme.example>");
        world
    };
    let policy = [(".touchmark/policy.toml", Some("version = 1\nserial = 8\n"))];
    let mut world = human(&policy);
    expect(&world.judge(), 14, &["policy.admin_approval"]);
    world.approve(BOB);
    expect(&world.judge(), 14, &["policy.admin_approval"]);
    world.approve(ALICE);
    expect(&world.judge(), 0, &[]);
    world.edit_policy("policy-admin = true", "policy-admin = false");
    expect(&world.judge(), 14, &["policy.admin_approval"]);

    let mut world = human(&[policy[0], ("src/lib.rs", Some("x\n"))]);
    world.edit_policy("residual = \"forbid\"", "residual = \"approval\"");
    world.approve(ALICE);
    world.approve(BOB);
    expect(&world.judge(), 12, &["policy.not_alone"]);
}
