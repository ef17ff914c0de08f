//! Logs, times and witnesses.

use super::*;

#[test]
fn case_97_a_promise_alone_counts_only_where_the_policy_names_it() {
    let judged = |trust: &str| {
        let mut keyless = Keyless::good();
        let statement = keyless.agent_change();
        let payload = serde_json::to_vec(&statement).unwrap();
        let signing = Signing::keyless(keyless.run.identity())
            .log(LogKind::V1Dsse)
            .version(BundleVersion::V01);
        let mut signed = keyless.instance.sign_statement(&signing, &payload);
        signed.entry().as_object_mut().unwrap().remove("inclusionProof");
        let (source, bytes) = ("promised".to_owned(), signed.bytes());
        keyless.world.candidates.push(Candidate { source, bytes });
        keyless.test();
        keyless
            .world
            .edit_policy("roots = [\"acme\", \"sigstore\"]", trust);
        keyless.judge()
    };
    let roots = "roots = [\"acme\", \"sigstore\"]";
    for trust in [
        roots.to_owned(),
        format!("{roots}\nlog = {{ promise-only = \"deny\" }}"),
    ] {
        expect(&judged(&trust), 11, &["tlog.proof_missing", "accounted.residual"]);
    }
    let allowed = judged(&format!("{roots}\nlog = {{ promise-only = \"allow\" }}"));
    expect(&allowed, 0, &[]);
    let checks = &relied_on(&allowed, "agent-change").checks;
    assert!(
        checks
            .iter()
            .any(|check| check.name == "tlog.inclusion" && check.outcome != "pass")
    );
}

#[test]
fn case_102_a_log_counts_for_the_operator_that_the_root_lists() {
    // One operator runs both logs of the instance.
    let keyless = Keyless::good().attested();
    let asked = |operators: &str, edit: &dyn Fn(&mut Keyless)| {
        let mut keyless = Keyless::good().attested();
        keyless.world.edit_policy(
            "roots = [\"acme\", \"sigstore\"]",
            &format!("roots = [\"acme\", \"sigstore\"]\nlog = {{ operators = {operators} }}"),
        );
        edit(&mut keyless);
        keyless.judge()
    };
    expect(&keyless.judge(), 0, &[]);
    expect(
        &asked("2", &|_| {}),
        10,
        &["accounted.residual", "tests.missing", "tlog.too_few_operators"],
    );
    // A log that the agent's owner runs is the signer's own.
    let own = |keyless: &mut Keyless| {
        keyless
            .world
            .edit_policy("owner = \"team-payments\"", "owner = \"guild.example.test\"")
    };
    expect(
        &asked("1", &own),
        10,
        &["accounted.residual", "tlog.self_operated"],
    );
}

#[test]
fn a_log_whose_operator_nobody_names_is_the_signer_s_own() {
    let mut keyless = Keyless::good().attested();
    let judged = |keyless: &Keyless, operator: Option<&str>| {
        let mut root = keyless.instance.trusted_root_value();
        for log in root["tlogs"].as_array_mut().unwrap() {
            log.as_object_mut().unwrap().remove("operator");
        }
        let root = TrustedRoot::parse(root.to_string().as_bytes()).unwrap();
        let root = match operator {
            Some(operator) => root.with_log_operator(operator),
            None => root,
        };
        keyless.judge_trusting(&[], &root)
    };
    let unsaid = ["accounted.residual", "tests.missing", "tlog.self_operated"];
    expect(&judged(&keyless, None), 10, &unsaid);
    expect(&judged(&keyless, Some("guild.example.test")), 0, &[]);
    let roots = "roots = [\"acme\", \"sigstore\"]";
    keyless
        .world
        .edit_policy(roots, &format!("{roots}\nlog = {{ self = \"allow\" }}"));
    expect(&judged(&keyless, None), 0, &[]);
}

#[test]
fn case_115_an_identity_has_its_window() {
    let window = |from: &str, until: &str| {
        let mut keyless = Keyless::good().attested();
        let times = format!("runner = \"hosted\", from = {from}, until = {until}");
        keyless.world.edit_policy("runner = \"hosted\"", &times);
        keyless.judge()
    };
    expect(&window("2026-02-25", "2026-02-25"), 0, &[]);
    for (from, until) in [("2026-02-26", "2026-12-31"), ("2026-01-01", "2026-02-24")] {
        expect(
            &window(from, until),
            11,
            &["signer.outside_window", "accounted.residual"],
        );
    }
}

#[test]
fn case_116_work_does_not_begin_after_it_was_signed() {
    let begin = |seconds: i64| Timestamp::from_unix(SIGNED_AT + seconds).unwrap();
    let mut keyless = Keyless::good();
    let mut statement = keyless.agent_change();
    statement["predicate"]["run"]["startedAt"] = json!(begin(-60));
    keyless.add(keyless.run.identity(), &statement);
    keyless.test();
    expect(&keyless.judge(), 0, &[]);
    refused_with("agreement.time", |keyless| {
        let mut statement = keyless.agent_change();
        statement["predicate"]["run"]["startedAt"] = json!(begin(60));
        (keyless.run.identity(), statement)
    });
}

#[test]
fn case_116_an_approval_from_before_the_change_was_shown_nothing() {
    let mut keyless = Keyless::edits(
        InstanceOptions::default(),
        &[("infra/main.tf", Some("size = 2\n"))],
    );
    keyless
        .world
        .edit_policy("people = 2, teams = { security = 1 }", "people = 1");
    let early = keyless.world.review();
    let mut keyless = keyless.attested();
    keyless.add(email("alice", PERSON_ISSUER), &early);
    expect(
        &keyless.judge(),
        11,
        &["approval.evidence_incomplete", "policy.rule.infra-two-humans"],
    );
}

#[test]
fn case_117_a_verifier_whose_clock_is_a_year_off_says_the_same_of_old_bundles() {
    let mut keyless = Keyless::good().attested();
    keyless
        .world
        .edit_policy("expires = 2027-06-30", "expires = 2099-06-30");
    let expected = keyless.judge();
    expect(&expected, 0, &[]);
    for days in [-200, 365, 20 * 365] {
        keyless.world.at = crate::world::at(days * 86_400);
        let verdict = keyless.judge();
        assert_eq!(verdict.decision(), expected.decision(), "{days}");
        assert_eq!(verdict.statements(), expected.statements(), "{days}");
    }
}

#[test]
fn signed_times_count_by_operator() {
    let asked = |operators: u8, authorities: &[(usize, i64)]| {
        let options = InstanceOptions {
            timestamp_authorities: 2,
            ..InstanceOptions::default()
        };
        let mut keyless = Keyless::with(options);
        let statement = keyless.agent_change();
        let signing = Signing::keyless(keyless.run.identity()).timestamps(authorities);
        keyless.add_signed(&signing, &statement);
        keyless.world.test_result("PASSED");
        keyless.world.edit_policy("\"tests\"]", "\"accounted\"]");
        let trust = format!("roots = [\"acme\", \"sigstore\"]\ntimestamps = {{ operators = {operators} }}");
        keyless
            .world
            .edit_policy("roots = [\"acme\", \"sigstore\"]", &trust);
        keyless.judge()
    };
    let (first, second) = ((0, SIGNED_AT + 2), (1, SIGNED_AT + 3));
    expect(&asked(1, &[first]), 0, &[]);
    expect(&asked(2, &[first, second]), 0, &[]);
    for authorities in [&[first][..], &[first, (0, SIGNED_AT + 4)]] {
        expect(
            &asked(2, authorities),
            11,
            &["time.too_few_operators", "accounted.residual"],
        );
    }
}

#[test]
fn a_quorum_of_witnesses_is_named_by_the_policy_and_known_to_the_verifier() {
    let mut keyless = Keyless::good().attested();
    keyless.world.edit_policy(
        "roots = [\"acme\", \"sigstore\"]",
        "roots = [\"acme\", \"sigstore\"]\nlog = { witnesses = \"quorum\" }",
    );
    expect(&keyless.judge(), 2, &["trust.no_witness_policy"]);
    let none = WitnessPolicy::parse(b"quorum none\n").unwrap();
    let other = [NamedWitnessPolicy {
        name: "other",
        policy: &none,
        digest: touchmark_statement::digest::Sha256Digest::of(b""),
    }];
    expect(&keyless.judge_with(&other), 2, &["trust.no_witness_policy"]);
    let named = [NamedWitnessPolicy {
        name: "quorum",
        policy: &none,
        digest: touchmark_statement::digest::Sha256Digest::of(b""),
    }];
    expect(&keyless.judge_with(&named), 0, &[]);
}

#[test]
fn the_log_that_witnesses_saw_is_the_one_that_must_not_be_the_signer_s_own() {
    let mut keyless = Keyless::with(InstanceOptions {
        witnesses: 1,
        ..InstanceOptions::default()
    })
    .attested();
    keyless.world.edit_policy(
        "roots = [\"acme\", \"sigstore\"]",
        "roots = [\"acme\", \"sigstore\"]\nlog = { witnesses = \"quorum\" }",
    );
    // The agent change is in both logs, and witnesses saw only one of them.
    let bundle = &mut keyless.world.candidates[0];
    let mut json: Value = serde_json::from_slice(&bundle.bytes).unwrap();
    let parsed = Bundle::parse(&bundle.bytes).unwrap();
    let (envelope, VerificationMaterial::Certificate(leaf)) = (parsed.envelope().unwrap(), &parsed.material)
    else {
        panic!("a certificate signed");
    };
    let submitted = json["dsseEnvelope"].to_string();
    let verifier = Verifier::Certificate(leaf.clone());
    let body = dsse_body(&submitted, &envelope.payload, &envelope.signature, &verifier);
    let entry = keyless.instance.rekor_v1().add(body, SIGNED_AT);
    json["verificationMaterial"]["tlogEntries"]
        .as_array_mut()
        .unwrap()
        .push(entry);
    bundle.bytes = json.to_string().into_bytes();
    let witness = keyless.instance.rekor_v2().witnesses[0].verifier_key();
    let quorum = WitnessPolicy::parse(format!("witness w {witness}\nquorum w\n").as_bytes()).unwrap();
    let named = [NamedWitnessPolicy {
        name: "quorum",
        policy: &quorum,
        digest: touchmark_statement::digest::Sha256Digest::of(b""),
    }];
    let operated_by = |first: &str, second: &str| {
        let mut root = keyless.instance.trusted_root_value();
        root["tlogs"][0]["operator"] = json!(first);
        root["tlogs"][1]["operator"] = json!(second);
        let root = TrustedRoot::parse(root.to_string().as_bytes()).unwrap();
        keyless.judge_trusting(&named, &root)
    };
    expect(&operated_by("guild.example.test", "guild.example.test"), 0, &[]);
    expect(&operated_by("team-payments", "guild.example.test"), 0, &[]);
    expect(
        &operated_by("guild.example.test", "team-payments"),
        10,
        &["accounted.residual", "tlog.self_operated"],
    );
}

#[test]
fn strangers_certificates_neither_help_nor_harm() {
    let mut keyless = Keyless::good().attested();
    for stranger in [
        GithubRun::default().identity(),
        email("mallory", PERSON_ISSUER),
        keyless.run.identity().with_san(San::Uri(format!("{WORKFLOW}x"))),
    ] {
        let statement = keyless.agent_change();
        keyless.add(stranger, &statement);
    }
    let verdict = keyless.judge();
    expect(&verdict, 0, &[]);
    let codes = verdict.statements().iter().flat_map(|statement| &statement.codes);
    assert_eq!(codes.filter(|code| *code == "signer.not_expected").count(), 3);
}
