//! What the policy asks of agents and of their statements.

use serde_json::{Value, json};
use touchmark_policy::verdict::Vantage;

use crate::git::path;
use crate::world::{AGENT, ALICE, BOB, BOT, OTHER_AGENT, World, expect, findings, fingerprint};
use touchmark_policy::exit::Class;

type Edit = fn(&mut Value);

/// Returns the good case with the agent's statement edited.
fn with_statement(edit: impl Fn(&mut Value)) -> World {
    let mut world = World::good();
    let mut statement = world.agent_change();
    edit(&mut statement["predicate"]);
    let (bundle, _) = world.bundle(AGENT, &statement);
    world.candidates[0].bytes = bundle.encode();
    world
}

#[test]
fn case_146_the_agent_named_must_be_the_one_that_signed() {
    for id in ["other-agent", "Payments-fixer", "payments-fixer ", "alice"] {
        let world = with_statement(|predicate| predicate["agent"]["id"] = json!(id));
        expect(&world.judge(), 11, &["agent.id_mismatch", "accounted.residual"]);
    }
}

/// The good case with an SBOM in the statement, and what the policy asks of it.
fn with_sbom(asked: &str, edit: impl Fn(&mut Value)) -> World {
    let mut world = with_statement(|predicate| {
        let digest = json!({"sha256": "ab".repeat(32)});
        predicate["sbom"] =
            json!({"format": "cyclonedx-1.6", "digest": digest, "base": digest, "dependencies": []});
        edit(&mut predicate["sbom"]);
    });
    world.edit_policy("sbom = false", &format!("sbom = {asked}"));
    world
}

#[test]
fn an_sbom_that_leaves_something_out_is_told_or_refused_as_the_policy_says() {
    let unread =
        |manifest: &str| json!({"manifest": manifest, "tree": "proposed", "reason": "lockfile.unsupported"});
    let table: [(Edit, &str); 3] = [
        (|sbom| sbom["omitted"] = json!(3), "3 that are not listed"),
        (|sbom| sbom["unread"] = json!([]), ""),
        (
            |sbom| _ = sbom.as_object_mut().unwrap().remove("base"),
            "a document of the proposed tree alone",
        ),
    ];
    for (edit, found) in table {
        let whole = with_sbom("\"whole\"", edit).judge();
        match found {
            "" => expect(&whole, 0, &[]),
            found => {
                expect(&whole, 10, &["agent.sbom_incomplete"]);
                assert_eq!(whole.reasons()[0].found.as_deref(), Some(found));
            }
        }
    }
    let two = |sbom: &mut Value| sbom["unread"] = json!([unread("bun.lock"), unread("web/bun.lock")]);
    let whole = with_sbom("\"whole\"", two).judge();
    expect(&whole, 10, &["agent.sbom_incomplete"]);
    assert_eq!(whole.reasons()[0].paths, [path("bun.lock"), path("web/bun.lock")]);
    // Where one is required and no more, it is told and changes nothing.
    let named = with_sbom("true", two).judge();
    expect(&named, 0, &[]);
    assert_eq!(findings(&named), ["agent.sbom_incomplete"]);
    let mut told = named.reasons().iter();
    let told = told
        .find(|reason| reason.code == "agent.sbom_incomplete")
        .unwrap();
    assert_eq!(told.class, Class::Finding);
    assert_eq!(told.paths, [path("bun.lock"), path("web/bun.lock")]);
    let elsewhere = |sbom: &mut Value| _ = sbom.as_object_mut().unwrap().remove("base");
    for silent in [with_sbom("true", elsewhere), with_sbom("false", two)] {
        let verdict = silent.judge();
        expect(&verdict, 0, &[]);
        assert_eq!(findings(&verdict), [""; 0]);
    }
    let mut none = World::good();
    none.edit_policy("sbom = false", "sbom = \"whole\"");
    expect(&none.judge(), 10, &["agent.sbom_missing"]);
}

#[test]
fn a_suspended_agent_accounts_for_nothing() {
    let mut world = World::good();
    world.edit_policy("owner = \"team-payments\"", "status = \"suspended\"");
    expect(&world.judge(), 12, &["agent.suspended"]);
}

#[test]
fn each_limit_of_an_agent_has_its_own_code() {
    let table: [(&str, u8, Edit); 8] = [
        ("agent.product", 12, |p| {
            p["agent"]["product"]["version"] = json!("2.0.9")
        }),
        ("agent.product", 12, |p| {
            p["agent"]["product"]["name"] = json!("codex")
        }),
        ("agent.product", 12, |p| {
            _ = p["agent"].as_object_mut().unwrap().remove("product")
        }),
        ("agent.model", 12, |p| p["models"][0]["id"] = json!("gpt-x")),
        ("agent.ref", 12, |p| p["change"]["ref"] = json!("refs/heads/main")),
        ("agent.ref", 12, |p| {
            _ = p["change"].as_object_mut().unwrap().remove("ref")
        }),
        ("agent.transcript_missing", 10, |p| {
            p["transcript"]["complete"] = json!("prefix")
        }),
        ("agent.prompt_missing", 10, |p| {
            _ = p.as_object_mut().unwrap().remove("prompt")
        }),
    ];
    for (code, exit, edit) in table {
        expect(&with_statement(edit).judge(), exit, &[code]);
    }
    let mut world = World::good();
    world.edit_policy(
        "repositories = [\"https://github.com/acme/app\"]",
        "repositories = [\"https://github.com/acme/b\"]",
    );
    expect(&world.judge(), 12, &["agent.repository"]);
    let mut world = World::good();
    world.edit_policy("sbom = false", "sbom = true");
    expect(&world.judge(), 10, &["agent.sbom_missing"]);
    let verdict = World::with_edits(&[("README.md", Some("x\n"))]).judge();
    expect(&verdict, 12, &["agent.path"]);
    assert_eq!(verdict.reasons()[0].paths, [path("README.md")]);
    let six = ["src/1", "src/2", "src/3", "src/4", "src/5", "src/6"].map(|name| (name, Some("x\n")));
    expect(&World::with_edits(&six).judge(), 12, &["agent.too_many_paths"]);
    expect(
        &World::with_edits(&[("src/long.rs", Some("x\n".repeat(11).as_str()))]).judge(),
        12,
        &["agent.too_many_lines"],
    );
    expect(
        &World::with_edits(&[("src/long.rs", Some("x\n".repeat(10).as_str()))]).judge(),
        0,
        &[],
    );
}

#[test]
fn case_150_a_transcript_that_the_policy_needs_and_the_statement_lacks() {
    for (edit, found) in [
        (json!(null), "none"),
        (json!("prefix"), "a prefix of it"),
        (json!("tailMissing"), "its tail is missing"),
    ] {
        let world = with_statement(|predicate| match edit.is_null() {
            true => _ = predicate.as_object_mut().unwrap().remove("transcript"),
            false => predicate["transcript"]["complete"] = edit.clone(),
        });
        let verdict = world.judge();
        expect(&verdict, 10, &["agent.transcript_missing"]);
        assert_eq!(verdict.reasons()[0].found.as_deref(), Some(found));
    }
    let mut world = with_statement(|p| p["transcript"]["complete"] = json!("prefix"));
    world.edit_policy("transcript = \"whole\"", "transcript = \"committed\"");
    expect(&world.judge(), 0, &[]);
}

#[test]
fn case_151_a_prompt_digest_without_salt_is_refused_where_salt_is_required() {
    let mut world = with_statement(|p| p["prompt"] = json!({"plainDigest": {"sha256": "a".repeat(64)}}));
    expect(&world.judge(), 11, &["agent.prompt_unsalted"]);
    world.edit_policy("prompt = true", "prompt = false");
    expect(&world.judge(), 0, &[]);
}

#[test]
fn case_149_models_and_products_are_claims_and_say_how_strong() {
    let world = World::good();
    let claim = |world: &World, pointer: &str| {
        let verdict = world.judge();
        let claims: Vec<_> = verdict
            .statements()
            .iter()
            .flat_map(|s| s.claims.clone())
            .collect();
        claims.into_iter().find(|claim| claim.pointer == pointer).unwrap()
    };
    // The statement says `platform`; behind a key there is no platform.
    assert_eq!(claim(&world, "/models/0").vantage, Vantage::Hook);
    assert_eq!(claim(&world, "/models/0").value, "anthropic/claude-x");
    assert_eq!(claim(&world, "/agent/product/name").vantage, Vantage::Transcript);
    assert_eq!(claim(&world, "/agent/id").vantage, Vantage::SelfReported);
    let mut isolated = World::good();
    let signer = format!("{{ key = \"{}\" }}", fingerprint(AGENT));
    isolated.edit_policy(&signer, &signer.replace(" }", ", isolated = true }"));
    assert_eq!(claim(&isolated, "/models/0").vantage, Vantage::Observed);
    let text = String::from_utf8(world.judge().encode()).unwrap();
    assert!(text.contains("unclaimed.model_identity"));
}

#[test]
fn no_agent_reaches_the_policy() {
    for name in [
        ".touchmark/policy.toml",
        ".touchmark/rego/x.rego",
        ".Touchmark/policy.toml",
        ".touchmark",
    ] {
        let mut world = World::empty();
        world.edit_policy("\"docs/**\"]", "\"docs/**\", \"**\"]");
        world.edit_policy(
            "require = [\"accounted\", \"tests\"]",
            "require = [\"accounted\"]",
        );
        if name == ".touchmark" {
            world.propose_edits(&[(".touchmark/policy.toml", None), (name, Some("x"))], BOT);
        } else {
            world.propose_edits(&[(name, Some("version = 1\nserial = 9\n"))], BOT);
        }
        let statement = world.agent_change();
        world.add_agent_change(AGENT, &statement);
        let verdict = world.judge();
        expect(&verdict, 12, &["agent.policy_path", "policy.admin_approval"]);
        // People can make the change; the agent's statement then stands in nobody's way.
        world.approve(ALICE);
        world.approve(BOB);
        expect(&world.judge(), 0, &[]);
    }
}

#[test]
fn a_statement_that_breaks_a_rule_does_not_stand_in_the_way_of_people() {
    let mut world = World::with_edits(&[("README.md", Some("x\n"))]);
    world.edit_policy("residual = \"forbid\"", "residual = \"approval\"");
    expect(&world.judge(), 12, &["agent.path"]);
    world.shown.clear();
    world.approve(ALICE);
    world.approve(BOB);
    let verdict = world.judge();
    expect(&verdict, 0, &[]);
    assert!(findings(&verdict).is_empty());
}

#[test]
fn a_statement_that_breaks_a_rule_is_no_reason_where_another_accounts_for_the_change() {
    // Two agents attest the same change; the one with fewer rights is not needed.
    let mut world = World::with_edits(&[("infra/main.tf", Some("size = 2\n"))]);
    world.edit_policy(
        "id = \"other-agent\"",
        "id = \"other-agent\"\nstatus = \"suspended\"",
    );
    let statement = world.agent_change_of("other-agent", &world.change.base_commit, &world.change.commits);
    world.add(OTHER_AGENT, &statement);
    expect(&world.judge(), 14, &["policy.rule.infra-two-humans"]);
    world.approve(ALICE);
    world.approve(BOB);
    expect(&world.judge(), 0, &[]);
}

#[test]
fn a_broken_rule_of_a_statement_that_would_account_for_nothing_is_no_reason() {
    let mut world = World::good();
    world.edit_policy(
        "id = \"other-agent\"",
        "id = \"other-agent\"\nstatus = \"suspended\"",
    );
    // The suspended agent attested what was thrown away again; a person then changed something by hand.
    let before = world.change.head_commit.clone();
    let tree = world
        .git
        .edit(&world.change.result_tree.clone(), &[("src/gone.rs", Some("x\n"))]);
    let thrown_away = world.git.commit_tree(&tree, std::slice::from_ref(&before), BOT);
    let statement = world.agent_change_of("other-agent", &before, &[thrown_away]);
    world.add(OTHER_AGENT, &statement);
    world.propose_edits(&[("src/hand.rs", Some("x\n"))], "Erin <erin@acme.example>");
    world.test_result("PASSED");
    expect(&world.judge(), 10, &["accounted.residual"]);
}
