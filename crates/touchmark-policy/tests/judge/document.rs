//! The verdict as a document: its schema, its stability, its exit codes.

use serde_json::Value;
use touchmark_policy::verdict::Inputs;
use touchmark_policy::{Class, Decision, Reason, Verdict};

use crate::world::{AGENT, STRANGER, World, expect};

fn inputs() -> Inputs {
    World::good().judge().inputs().clone()
}

#[test]
fn the_same_inputs_give_the_same_bytes_in_any_order() {
    let mut world = World::gated();
    let statement = world.agent_change();
    world.add(STRANGER, &statement);
    world.add(AGENT, &statement);
    let first = world.judge().encode();
    assert_eq!(world.judge().encode(), first);
    world.candidates.reverse();
    assert_eq!(world.judge().encode(), first);
    world.candidates.rotate_left(2);
    assert_eq!(world.judge().encode(), first);
}

#[test]
fn verdicts_fit_their_schema() {
    let schema: Value = serde_json::from_str(touchmark_policy::verdict::VERDICT_SCHEMA_JSON).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut refused = World::gated();
    refused.candidates.pop();
    let mut landed = World::good();
    landed.change.landed = true;
    let verdicts = [
        World::good().judge(),
        refused.judge(),
        landed.judge(),
        World::good().judge_by(&[]),
        World::good().judge().not_enforced(),
        World::empty().judge(),
        Verdict::refused(vec![Reason::new("git.shallow").found("x")], inputs()),
    ];
    for verdict in verdicts {
        let document: Value = serde_json::from_slice(&verdict.encode()).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|e| format!("{} {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
        assert_eq!(
            document["schema"],
            "https://touchmark.dev/schemas/verdict-v1.json"
        );
        assert_eq!(document["version"], 1);
    }
    let mut document: Value = serde_json::from_slice(&World::good().judge().encode()).unwrap();
    document["surprise"] = Value::Null;
    assert!(!validator.is_valid(&document));
}

#[test]
fn case_195_the_exit_code_is_the_first_that_applies() {
    let classes = [
        (Class::Usage, 2),
        (Class::Inconsistent, 13),
        (Class::Error, 1),
        (Class::Unavailable, 20),
        (Class::Invalid, 11),
        (Class::Missing, 10),
        (Class::Denied, 12),
        (Class::Approval, 14),
    ];
    for (i, (strict, exit)) in classes.iter().enumerate() {
        for (weak, _) in &classes[i..] {
            let reasons = vec![Reason::new("x.y").class(*weak), Reason::new("x.y").class(*strict)];
            assert_eq!(
                Verdict::refused(reasons, inputs()).exit_status(),
                *exit,
                "{strict:?} {weak:?}"
            );
        }
    }
}

#[test]
fn case_195_no_reason_is_no_yes() {
    for reasons in [vec![], vec![Reason::new("tests.warned")]] {
        let verdict = Verdict::refused(reasons, inputs());
        assert_eq!((verdict.decision(), verdict.exit_status()), (Decision::Error, 1));
        assert!(
            verdict
                .reasons()
                .iter()
                .any(|reason| reason.code == "verdict.no_reason")
        );
    }
    // A code that nobody documented decides nothing in favour of a yes.
    assert_eq!(Reason::new("no.such_code").class, Class::Error);
}

#[test]
fn exit_zero_changes_the_status_and_says_so() {
    let mut world = World::gated();
    world.candidates.pop();
    let verdict = world.judge().not_enforced();
    assert_eq!((verdict.exit_status(), verdict.exit_code().number()), (0, 14));
    assert_eq!(verdict.decision(), Decision::Approval);
    let document: Value = serde_json::from_slice(&verdict.encode()).unwrap();
    assert_eq!(document["enforced"], false);
    assert_eq!(document["exitCode"], 14);
}

#[test]
fn every_verdict_says_what_a_yes_never_claims() {
    for verdict in [
        World::good().judge(),
        World::good().judge_by(&[]),
        Verdict::refused(vec![], inputs()),
    ] {
        for code in [
            "unclaimed.no_unattested_agent",
            "unclaimed.model_identity",
            "unclaimed.reviewed_code_is_good",
        ] {
            assert!(
                verdict.not_checked().iter().any(|entry| entry.code == code),
                "{code}"
            );
        }
    }
}

#[test]
fn a_verdict_reads_like_this() {
    let mut world = World::gated();
    world.candidates.pop();
    let verdict = world.judge();
    expect(&verdict, 14, &["policy.rule.infra-two-humans"]);
    insta::assert_snapshot!("approval_lacking", String::from_utf8(verdict.encode()).unwrap());
    insta::assert_snapshot!(
        "allowed",
        String::from_utf8(World::good().judge().encode()).unwrap()
    );
}
