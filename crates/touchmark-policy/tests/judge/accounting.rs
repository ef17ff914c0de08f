//! Who accounts for the bytes: missing, foreign, forged and late evidence.

use serde_json::json;
use touchmark_policy::Candidate;
use touchmark_policy::judge::MAX_KNOWN_CANDIDATES;
use touchmark_policy::verdict::{Account, StatementStatus};

use crate::git::path;
use crate::world::{
    AGENT, ALICE, BOB, BOT, CAROL, CI, OTHER_AGENT, STRANGER, World, codes, expect, findings, fingerprint,
    public,
};

#[test]
fn a_change_that_is_attested_and_tested_is_allowed() {
    let verdict = World::good().judge();
    expect(&verdict, 0, &[]);
    assert_eq!(verdict.accounted().paths[0].account, Account::Exact);
    assert!(
        verdict
            .statements()
            .iter()
            .all(|statement| statement.status == StatementStatus::ReliedOn)
    );
}

#[test]
fn case_76_no_entry_where_one_is_required() {
    let mut world = World::good();
    let (mut bundle, _) = world.bundle(AGENT, &world.agent_change());
    bundle.tlog_entries.clear();
    world.candidates[0].bytes = bundle.encode();
    // Without a log entry the bundle does not bring its key along either.
    expect(&world.judge(), 10, &["accounted.residual", "signer.key_missing"]);
    world.keys.push(public(AGENT));
    expect(&world.judge(), 10, &["accounted.residual", "tlog.entry_missing"]);
    world.edit_policy(
        "roots = [\"acme\"]",
        "roots = [\"acme\"]\nlog = { inclusion = false }",
    );
    expect(&world.judge(), 0, &[]);
}

#[test]
fn case_141_a_look_alike_of_the_predicate_type_is_another_type() {
    for look_alike in [
        "https://touchmark.dev/agent-change/V1",
        "https://touchmark.dev/agent-change/v1/",
        "https://touchmark.dev/agent-change/v1.0",
        "https://touchmark.dev/аgent-change/v1",
    ] {
        let mut world = World::good();
        let mut statement = world.agent_change();
        statement["predicateType"] = json!(look_alike);
        let (bundle, _) = world.bundle(AGENT, &statement);
        world.candidates[0].bytes = bundle.encode();
        let verdict = world.judge();
        expect(&verdict, 10, &["accounted.residual"]);
        let aside = verdict
            .statements()
            .iter()
            .find(|s| s.status == StatementStatus::SetAside)
            .unwrap();
        assert_eq!(aside.codes, ["evidence.other_type"], "{look_alike}");
    }
}

#[test]
fn case_142_ten_others_do_not_stand_in_for_the_type_that_is_required() {
    let mut world = World::good();
    world.candidates.remove(0);
    for i in 0..10 {
        let mut statement = world.test_statement("PASSED");
        statement["predicate"]["url"] = json!(format!("https://ci.acme.example/{i}"));
        world.add(CI, &statement);
    }
    expect(&world.judge(), 10, &["accounted.residual"]);
}

#[test]
fn case_144_an_unknown_extra_field_changes_nothing() {
    let plain = World::good().judge();
    let mut world = World::good();
    let mut statement = world.agent_change();
    statement["predicate"]["somethingNew"] = json!({"allow": true});
    statement["approvedBy"] = json!("alice");
    let (bundle, _) = world.bundle(AGENT, &statement);
    world.candidates[0].bytes = bundle.encode();
    let verdict = world.judge();
    expect(&verdict, 0, &[]);
    assert_eq!(verdict.reasons(), plain.reasons());
}

#[test]
fn case_145_a_claim_that_is_absent_or_unknown_is_no_claim() {
    let mut world = World::gated();
    world.candidates.truncate(2);
    let mut statement = world.agent_change();
    statement["predicate"]["humanReviewed"] = json!(true);
    statement["predicate"]["approvals"] = json!(["alice", "bob"]);
    let (bundle, _) = world.bundle(AGENT, &statement);
    world.candidates[0].bytes = bundle.encode();
    expect(&world.judge(), 14, &["policy.rule.infra-two-humans"]);

    let mut world = World::good();
    let mut statement = world.agent_change();
    statement["predicate"]
        .as_object_mut()
        .unwrap()
        .remove("transcript");
    let (bundle, _) = world.bundle(AGENT, &statement);
    world.candidates[0].bytes = bundle.encode();
    expect(&world.judge(), 10, &["agent.transcript_missing"]);
}

#[test]
fn case_147_a_statement_about_another_repository_is_not_about_this_one() {
    for uri in [
        "https://github.com/mallory/app",
        "https://github.com/acme/app-fork",
        "https://evil.example/acme/app",
    ] {
        let mut world = World::good();
        let mut statement = world.agent_change();
        statement["predicate"]["change"]["repository"]["uri"] = json!(uri);
        let (bundle, _) = world.bundle(AGENT, &statement);
        world.candidates[0].bytes = bundle.encode();
        expect(
            &world.judge(),
            11,
            &["binding.repository_mismatch", "accounted.residual"],
        );
    }
}

#[test]
fn case_176_one_commit_without_a_statement() {
    let mut world = World::good();
    world.propose_edits(&[("src/more.rs", Some("fn more() {}\n"))], BOT);
    world.candidates.remove(1);
    world.test_result("PASSED");
    let verdict = world.judge();
    expect(&verdict, 10, &["accounted.residual"]);
    assert_eq!(verdict.reasons()[0].paths, [path("src/more.rs")]);
    assert_eq!(verdict.accounted().commits_without_statement.len(), 1);

    // A commit that brings nothing is only listed, unless every commit needs a statement.
    let mut world = World::good();
    world.propose_edits(&[("src/x.rs", Some("x\n"))], BOT);
    world.propose_edits(&[("src/x.rs", None)], BOT);
    let verdict = world.judge();
    expect(&verdict, 0, &[]);
    world.edit_policy(
        "residual = \"forbid\"",
        "residual = \"forbid\"\nevery-commit = true",
    );
    let verdict = world.judge();
    expect(&verdict, 10, &["accounted.missing_commit"]);
}

#[test]
fn case_177_the_base_is_the_one_the_verifier_names() {
    // The statement says that it starts from a tree that already holds the back door.
    let mut world = World::empty();
    world.propose_edits(&[("src/door.rs", Some("fn open() {}\n"))], BOT);
    let chosen = world.change.head_commit.clone();
    let head = world.propose_edits(&[("src/lib.rs", Some("fn fixed() {}\n"))], BOT);
    let statement = world.agent_change_of("payments-fixer", &chosen, &[head]);
    world.add_agent_change(AGENT, &statement);
    world.test_result("PASSED");
    let verdict = world.judge();
    expect(&verdict, 10, &["accounted.residual"]);
    assert_eq!(verdict.reasons()[0].paths, [path("src/door.rs")]);
}

#[test]
fn case_179_a_cherry_pick_onto_another_tree_is_another_change() {
    let mut other = World::empty();
    other.propose_edits(&[("src/lib.rs", Some("fn other() {}\n"))], BOT);
    let mut world = World::empty();
    // The same edit was attested on a line of history that is not this one.
    let elsewhere = world
        .git
        .edit(&world.change.base_tree.clone(), &[("src/a.rs", Some("a\n"))]);
    let base = world.git.commit_tree(&elsewhere, &[], BOT);
    let picked = world
        .git
        .edit(&elsewhere, &[("src/lib.rs", Some("fn fixed() {}\n"))]);
    let commit = world.git.commit_tree(&picked, std::slice::from_ref(&base), BOT);
    let statement = world.agent_change_of("payments-fixer", &base, &[commit]);
    world.propose_edits(&[("src/lib.rs", Some("fn fixed() {}\n"))], BOT);
    world.add_agent_change(AGENT, &statement);
    world.test_result("PASSED");
    expect(
        &world.judge(),
        10,
        &["accounted.residual", "binding.not_in_range"],
    );
}

#[test]
fn case_180_a_statement_that_skips_a_commit_or_its_session_is_set_aside() {
    let mut world = World::good();
    world.propose_edits(&[("src/more.rs", Some("fn more() {}\n"))], BOT);
    let mut statement = world.agent_change();
    let last = statement["predicate"]["change"]["commits"][1].clone();
    statement["predicate"]["change"]["commits"] = json!([last]);
    // Nor does it help to name the base by its tree alone, as if it had been uncommitted work.
    let mut nameless = statement.clone();
    nameless["predicate"]["change"]["base"]
        .as_object_mut()
        .unwrap()
        .remove("gitCommit");
    for statement in [statement, nameless] {
        world.candidates.clear();
        world.add_agent_change(AGENT, &statement);
        world.test_result("PASSED");
        expect(
            &world.judge(),
            11,
            &["binding.commits_mismatch", "accounted.residual"],
        );
    }
}

#[test]
fn case_181_that_evidence_came_before_landing_is_not_claimed() {
    let mut world = World::good();
    let before = world.judge();
    world.change.landed = true;
    let landed = world.judge();
    expect(&landed, 0, &[]);
    let late = |verdict: &touchmark_policy::Verdict| {
        verdict
            .not_checked()
            .iter()
            .any(|n| n.code == "unclaimed.evidence_before_landing")
    };
    assert!(late(&landed) && !late(&before));
}

#[test]
fn case_182_evidence_that_is_gone_turns_the_yes_into_a_no_and_the_old_verdict_names_it() {
    let mut world = World::good();
    let before = world.judge();
    world.candidates.remove(0);
    let after = world.judge();
    expect(&after, 10, &["accounted.residual"]);
    let gone: Vec<&String> = before
        .inputs()
        .evidence
        .iter()
        .filter(|id| !after.inputs().evidence.contains(id))
        .collect();
    assert_eq!(gone.len(), 1);
    assert!(gone[0].ends_with(&fingerprint(AGENT).to_hex()));
}

#[test]
fn case_194_another_tree_than_the_verified_one_is_judged_for_itself() {
    let mut world = World::good();
    expect(&world.judge(), 0, &[]);
    // The merge queue lands a tree of its own.
    let tree = world.git.edit(
        &world.change.result_tree.clone(),
        &[("src/lib.rs", Some("fn slipped_in() {}\n"))],
    );
    let merge = world.git.commit_tree(
        &tree,
        &[world.change.base_commit.clone(), world.change.head_commit.clone()],
        BOT,
    );
    world.change.commits.push(merge.clone());
    (
        world.change.head_commit,
        world.change.result_tree,
        world.change.landed,
    ) = (merge, tree, true);
    world.candidates.truncate(1);
    world.test_result("PASSED");
    let verdict = world.judge();
    expect(&verdict, 10, &["accounted.residual"]);
    assert_eq!(verdict.reasons()[0].found.as_deref(), Some("edited"));
}

#[test]
fn evidence_that_is_wrong_is_a_reason_only_where_it_is_needed() {
    // Broken, forged and strange evidence beside the good: nothing changes.
    let mut world = World::good();
    let plain = world.judge();
    world.candidates.push(Candidate {
        source: "junk".to_owned(),
        bytes: b"{".to_vec(),
    });
    let statement = world.agent_change();
    world.add(STRANGER, &statement);
    world.add(CAROL, &statement);
    let (mut forged, _) = world.bundle(AGENT, &statement);
    forged.envelope_mut().unwrap().signature = world
        .bundle(STRANGER, &statement)
        .0
        .envelope_mut()
        .unwrap()
        .signature
        .clone();
    world.push(&forged);
    let verdict = world.judge();
    expect(&verdict, 0, &[]);
    assert_eq!(plain.reasons(), verdict.reasons());
    let aside: Vec<&str> = verdict
        .statements()
        .iter()
        .filter(|statement| statement.status == StatementStatus::SetAside)
        .map(|statement| statement.codes[0].as_str())
        .collect();
    assert_eq!(aside.len(), 4, "{aside:?}");

    // The same without the good one: each is a reason.
    world.candidates.remove(0);
    let verdict = world.judge();
    assert_eq!(verdict.exit_status(), 11);
    let codes = codes(&verdict);
    for code in [
        "json.malformed",
        "signer.not_expected",
        "identity.role",
        "signature.invalid",
        "accounted.residual",
    ] {
        assert!(codes.iter().any(|found| found == code), "{code}: {codes:?}");
    }
}

#[test]
fn a_flood_of_strangers_never_crowds_out_what_counts() {
    let mut world = World::good();
    let (bundle, _) = world.bundle(STRANGER, &world.agent_change());
    let bytes = bundle.encode();
    for i in 0..2_000 {
        world.candidates.push(Candidate {
            source: format!("a {i}"),
            bytes: bytes.clone(),
        });
    }
    expect(&world.judge(), 0, &[]);
}

#[test]
fn residual_paths_are_forbidden_approved_or_allowed_as_the_policy_says() {
    let human = |edits: &[(&str, Option<&str>)]| {
        let mut world = World::empty();
        world.edit_policy(
            "require = [\"accounted\", \"tests\"]",
            "require = [\"accounted\"]",
        );
        world.propose_edits(edits, "Erin Example <erin@acme.example>");
        world
    };
    let edits = [("src/lib.rs", Some("fn by_hand() {}\n"))];
    let mut world = human(&edits);
    world.approve(ALICE);
    world.approve(BOB);
    expect(&world.judge(), 10, &["accounted.residual"]);

    world.edit_policy("residual = \"forbid\"", "residual = \"approval\"");
    let verdict = world.judge();
    expect(&verdict, 0, &[]);
    assert_eq!(verdict.accounted().paths[0].account, Account::Approved);
    assert_eq!(verdict.accounted().paths[0].people, ["alice", "bob"]);

    // Whoever approves alone could be whoever wrote it, unless the forge says who did.
    world.candidates.pop();
    expect(&world.judge(), 14, &["accounted.residual"]);
    world.forge_author = Some("erin".to_owned());
    expect(&world.judge(), 0, &[]);
    world.forge_author = Some("Alice@acme.example".to_owned());
    expect(&world.judge(), 14, &["accounted.residual"]);

    let mut world = human(&edits);
    world.edit_policy("residual = \"forbid\"", "residual = \"allow\"");
    let verdict = world.judge();
    expect(&verdict, 0, &[]);
    assert!(findings(&verdict).contains(&"accounted.residual".to_owned()));
    assert_eq!(verdict.accounted().paths[0].account, Account::Residual);
}

#[test]
fn undeclared_paths_are_a_finding_or_residual() {
    let mut world = World::good();
    let mut statement = world.agent_change();
    statement["predicate"]["change"]["undeclared"] = json!(["src/lib.rs"]);
    let (bundle, _) = world.bundle(AGENT, &statement);
    world.candidates[0].bytes = bundle.encode();
    let verdict = world.judge();
    expect(&verdict, 0, &[]);
    assert_eq!(findings(&verdict), ["lineage.undeclared"]);
    assert!(verdict.accounted().paths[0].undeclared);
    world.edit_policy(
        "residual = \"forbid\"",
        "residual = \"forbid\"\nundeclared = \"residual\"",
    );
    let verdict = world.judge();
    expect(&verdict, 10, &["accounted.residual"]);
    assert_eq!(
        verdict.accounted().paths[0].residual.as_deref(),
        Some("undeclared")
    );
}

#[test]
fn contradictory_statements_deny_only_the_paths_they_disagree_on() {
    let edits = [("src/a.rs", Some("a\n")), ("src/b.rs", Some("b\n"))];
    let mut world = World::with_edits(&edits);
    let mut statement =
        world.agent_change_of("other-agent", &world.change.base_commit, &world.change.commits);
    statement["predicate"]["change"]["paths"][1]["attribution"] = json!("human");
    world.add(OTHER_AGENT, &statement);
    let verdict = world.judge();
    expect(&verdict, 12, &["accounted.contradiction"]);
    let reason = verdict
        .reasons()
        .iter()
        .find(|reason| reason.code == "accounted.contradiction")
        .unwrap();
    assert_eq!(reason.paths, [path("src/b.rs")]);
}

#[test]
fn more_evidence_of_known_signers_than_the_cap_leaves_the_question_undecided() {
    let mut world = World::good();
    let bytes = world.candidates[0].bytes.clone();
    for i in 0..=MAX_KNOWN_CANDIDATES {
        world.candidates.push(Candidate {
            source: format!("a {i}"),
            bytes: bytes.clone(),
        });
    }
    expect(&world.judge(), 1, &["candidates.too_many"]);
}

#[test]
fn a_commit_listed_under_one_that_is_gone_has_no_statement() {
    let mut world = World::good();
    world.edit_policy("[gate.merge]", "[gate.merge]\nevery-commit = true");
    world.candidates.clear();
    world.propose_edits(
        &[("src/lib.rs", Some("fn evil() {}\n"))],
        "Mallory <m@example.org>",
    );
    world.propose_edits(
        &[("src/lib.rs", Some("fn fixed() {}\n"))],
        "Mallory <m@example.org>",
    );
    world.propose_edits(&[("src/more.rs", Some("fn more() {}\n"))], BOT);
    world.test_result("PASSED");
    let mut statement = world.agent_change();
    world.add_agent_change(AGENT, &statement);
    expect(&world.judge(), 0, &[]);
    world.candidates.pop();
    statement["predicate"]["change"]["proposed"]["gitCommit"] = json!("9".repeat(40));
    statement["subject"][0]["digest"] = json!({"gitCommit": "9".repeat(40)});
    world.add_agent_change(AGENT, &statement);
    expect(&world.judge(), 10, &["accounted.missing_commit"]);
}
