//! Whose word counts: keys, their windows, roots and logs.

use serde_json::json;
use touchmark_policy::{Candidate, NamedRoot, Policy, PolicyInForce};
use touchmark_tlog::merkle::Hash;
use touchmark_verify::bundle::VerificationMaterial;
use touchmark_verify::trust::TrustedRoot;

use crate::world::{AGENT, BOT, Log, STRANGER, World, expect, fingerprint};

#[test]
fn a_log_run_by_the_signer_is_no_log() {
    for operator in [
        None,
        Some("payments-fixer"),
        Some("team-payments"),
        Some("payments"),
        Some("team:payments"),
        Some("dave"),
    ] {
        let mut world = World::empty();
        world.log = Log::new("log.acme.example/1", 200, operator);
        world.propose_edits(&[("src/lib.rs", Some("fn fixed() {}\n"))], BOT);
        let statement = world.agent_change();
        world.add_agent_change(AGENT, &statement);
        world.edit_policy(
            "require = [\"accounted\", \"tests\"]",
            "require = [\"accounted\"]",
        );
        expect(&world.judge(), 10, &["accounted.residual", "tlog.self_operated"]);
        world.edit_policy(
            "roots = [\"acme\"]",
            "roots = [\"acme\"]\nlog = { self = \"allow\" }",
        );
        expect(&world.judge(), 0, &[]);
    }
}

#[test]
fn roots_count_by_the_name_that_the_policy_gives() {
    let mut world = World::good();
    world.edit_policy("roots = [\"acme\"]", "roots = [\"sigstore-public-good\"]");
    expect(&world.judge(), 2, &["trust.no_named_root"]);
}

#[test]
fn case_245_a_key_that_is_no_longer_in_the_policy_signs_nothing() {
    let mut world = World::good();
    world.edit_policy(
        &fingerprint(AGENT).to_string(),
        &fingerprint(STRANGER).to_string(),
    );
    expect(&world.judge(), 11, &["signer.not_expected", "accounted.residual"]);
}

#[test]
fn case_115_and_245_a_key_with_a_window_needs_a_verified_time() {
    let mut world = World::good();
    let signer = format!("{{ key = \"{}\" }}", fingerprint(AGENT));
    let windowed = format!(
        "{{ key = \"{}\", from = 2026-01-01, until = 2030-01-01 }}",
        fingerprint(AGENT)
    );
    world.edit_policy(&signer, &windowed);
    expect(
        &world.judge(),
        11,
        &["signer.window_needs_time", "accounted.residual"],
    );
}

#[test]
fn several_roots_are_tried_and_one_is_enough() {
    let mut world = World::good();
    let policy = Policy::load(world.policy.replace("roots = [\"acme\"]", "").as_bytes()).unwrap();
    let policies = [PolicyInForce {
        name: "p",
        policy: &policy,
        serial_floor: None,
    }];
    let (own, other) = (
        world.log.root(),
        Log::new("other.example/log", 201, Some("other")).root(),
    );
    let judge = |world: &World, roots: &[(&str, &TrustedRoot)]| {
        let roots: Vec<NamedRoot<'_>> = roots
            .iter()
            .map(|(name, root)| NamedRoot { name, root })
            .collect();
        world.judge_with(&policies, &roots)
    };
    expect(&judge(&world, &[("a", &other), ("b", &own)]), 0, &[]);
    expect(&judge(&world, &[("a", &own), ("b", &other)]), 0, &[]);
    let unknown = ["tlog.log_unknown", "accounted.residual", "tests.missing"];
    expect(&judge(&world, &[("a", &other)]), 11, &unknown);
    expect(&judge(&world, &[]), 10, &["trust.no_root"]);
    // The error shown is of the root that knows the log.
    let (mut bundle, _) = world.bundle(AGENT, &world.agent_change());
    let proof = bundle.tlog_entries[0].inclusion_proof.as_mut().unwrap();
    proof.hashes[0] = Hash::from_slice(&[7; 32]).unwrap();
    world.candidates[0].bytes = bundle.encode();
    for roots in [[("a", &other), ("b", &own)], [("a", &own), ("b", &other)]] {
        expect(
            &judge(&world, &roots),
            11,
            &["tlog.root_mismatch", "accounted.residual"],
        );
    }
}

#[test]
fn case_74_a_certificate_is_never_taken_for_a_key() {
    let mut world = World::good();
    let (mut bundle, _) = world.bundle(AGENT, &world.agent_change());
    bundle.material = VerificationMaterial::Certificate(vec![0x30, 0x03, 0x02, 0x01, 0x01]);
    world.candidates[0].bytes = bundle.encode();
    expect(
        &world.judge(),
        11,
        &["certificate.malformed", "accounted.residual"],
    );
}

#[test]
fn a_copy_in_the_signer_s_own_log_does_not_displace_the_statement() {
    let mut world = World::good();
    let acme = world.log.root();
    let statement = world.agent_change();
    let mut own = Log::new("log.fixer.example/1", 201, Some("payments-fixer"));
    std::mem::swap(&mut world.log, &mut own);
    let (copy, _) = world.bundle(AGENT, &statement);
    let (fixer, policy) = (world.log.root(), world.policy.replace("roots = [\"acme\"]", ""));
    let policy = Policy::load(policy.as_bytes()).unwrap();
    for source in ["a", "z"] {
        let mut candidates = world.candidates.clone();
        candidates.push(Candidate {
            source: source.to_owned(),
            bytes: copy.encode(),
        });
        let before = std::mem::replace(&mut world.candidates, candidates);
        let policies = [PolicyInForce {
            name: "p",
            policy: &policy,
            serial_floor: None,
        }];
        for (one, other) in [("acme", "fixer"), ("z", "fixer")] {
            let roots = [
                NamedRoot {
                    name: one,
                    root: &acme,
                },
                NamedRoot {
                    name: other,
                    root: &fixer,
                },
            ];
            expect(&world.judge_with(&policies, &roots), 0, &[]);
        }
        world.candidates = before;
    }
}

#[test]
fn a_statement_signed_again_by_another_key_of_the_agent_breaks_no_session() {
    let mut world = World::empty();
    let both = format!(
        "signers = [{{ key = \"{}\" }}, {{ key = \"{}\" }}]",
        fingerprint(AGENT),
        fingerprint(STRANGER)
    );
    world.edit_policy(
        &format!("signers = [{{ key = \"{}\" }}]", fingerprint(AGENT)),
        &both,
    );
    world.propose_edits(&[("src/lib.rs", Some("fn fixed() {}\n"))], BOT);
    let first = world.agent_change();
    let shown = world.add_agent_change(AGENT, &first);
    let base = world.change.head_commit.clone();
    world.propose_edits(&[("src/more.rs", Some("fn more() {}\n"))], BOT);
    let commits = [world.change.head_commit.clone()];
    let mut second = world.agent_change_of("payments-fixer", &base, &commits);
    second["predicate"]["run"] = json!({
        "chain": first["predicate"]["run"]["chain"], "sequence": 1, "previous": {"sha256": shown},
    });
    world.add_agent_change(AGENT, &second);
    world.test_result("PASSED");
    expect(&world.judge(), 0, &[]);
    world.add(STRANGER, &first);
    expect(&world.judge(), 0, &[]);
    // Nor where the first one is not at hand otherwise.
    world.candidates.remove(0);
    expect(&world.judge(), 0, &[]);
}
