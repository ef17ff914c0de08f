//! Cosignatures, and policies over those who make them.

use super::*;

/// Returns a policy over witnesses of an instance.
pub(super) fn policy(instance: &Instance, quorum: &str) -> WitnessPolicy {
    let log = instance.rekor_v2();
    let mut text = String::new();
    for (at, witness) in log.witnesses.iter().enumerate() {
        text.push_str(&format!("witness w{at} {}\n", witness.verifier_key()));
    }
    WitnessPolicy::parse(format!("{text}{quorum}\n").as_bytes()).unwrap()
}

#[test]
fn a_quorum_of_witnesses_can_be_asked_for() {
    let instance = instance_with(
        None,
        InstanceOptions {
            witnesses: 3,
            ..InstanceOptions::default()
        },
    );
    let mut signed = instance.sign_statement(&signing(&instance, By::Key, LogKind::V2), &statement());
    let asked = |quorum: &str| VerifyOptions {
        witnesses: Some(policy(&instance, quorum)),
        ..options()
    };
    let quorum = "group all3 all w0 w1 w2\nquorum all3";
    let found = verified(&instance, &signed, &asked(quorum)).unwrap();
    let names: Vec<_> = found
        .log()
        .unwrap()
        .cosigned
        .iter()
        .map(|by| by.name.as_str())
        .collect();
    assert_eq!(names, ["w0", "w1", "w2"]);
    assert_eq!(outcome(&found, "tlog.witnesses"), &CheckOutcome::Pass);
    // The witnesses' own time is shown, and is no verified time.
    assert!(found.log().unwrap().cosigned[0].claimed_at.is_some());
    assert!(found.verified_times().is_empty());
    // Nobody is asked for.
    let found = verified(&instance, &signed, &asked("quorum none")).unwrap();
    assert!(matches!(
        outcome(&found, "tlog.witnesses"),
        CheckOutcome::Skipped { .. }
    ));

    // Without one witness's line.
    let envelope = &mut signed.entry()["inclusionProof"]["checkpoint"]["envelope"];
    let note = envelope.as_str().unwrap().to_owned();
    let lines: Vec<&str> = note.lines().collect();
    let kept = |keep: &[&str]| format!("{}\n", keep.join("\n"));
    *envelope = kept(&lines[..lines.len() - 1]).into();
    assert_eq!(code_of(&instance, &signed, &asked(quorum)), "tlog.witness_quorum");
    assert_eq!(
        code_of(&instance, &signed, &asked("group g 2 w0 w1 w2\nquorum g")),
        "ok"
    );
    assert_eq!(code_of(&instance, &signed, &options()), "ok");
    // A witness that the verifier does not know says nothing.
    let strangers = Instance::new(99, instance.options().clone());
    let others = VerifyOptions {
        witnesses: Some(policy(&strangers, "group g any w0 w1 w2\nquorum g")),
        ..options()
    };
    assert_eq!(code_of(&instance, &signed, &others), "tlog.witness_quorum");
    // A wrong line of one that it knows is no missing line.
    let broken = note.replacen("witness", "wItness", 0);
    let (head, last) = broken.trim_end().rsplit_once('\n').unwrap();
    let (name, blob) = last.rsplit_once(' ').unwrap();
    let mut blob = STANDARD.decode(blob).unwrap();
    *blob.last_mut().unwrap() ^= 1;
    let wrong = format!("{head}\n{name} {}\n", STANDARD.encode(blob));
    signed.entry()["inclusionProof"]["checkpoint"]["envelope"] = wrong.into();
    assert_eq!(
        code_of(&instance, &signed, &asked("quorum w0")),
        "tlog.cosignature"
    );
    assert_eq!(code_of(&instance, &signed, &options()), "ok");
}

#[test]
fn a_witness_policy_counts_only_the_logs_that_it_knows() {
    let options = InstanceOptions {
        witnesses: 1,
        ..InstanceOptions::default()
    };
    let instance = instance_with(None, options.clone());
    let signed = instance.sign_statement(&signing(&instance, By::Key, LogKind::V2), &statement());
    let other = Instance::new(98, options);
    let named = |from: &Instance| {
        let root = from.trusted_root();
        let v2 = root
            .logs()
            .iter()
            .find(|log| log.key.key_details() == "PKIX_ED25519")
            .unwrap();
        let text = format!("log {}\n{}", v2.key, policy(&instance, "quorum w0"));
        VerifyOptions {
            witnesses: Some(WitnessPolicy::parse(text.as_bytes()).unwrap()),
            ..self::options()
        }
    };
    assert_eq!(code_of(&instance, &signed, &named(&instance)), "ok");
    assert_eq!(code_of(&instance, &signed, &named(&other)), "tlog.witness_quorum");
}
