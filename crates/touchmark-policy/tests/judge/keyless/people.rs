//! People and their logins.

use super::*;

#[test]
fn case_74_a_key_is_no_identity_and_an_identity_no_key() {
    // Identities only: the key's bundle is nobody's.
    let mut keyless = Keyless::good();
    let key = format!("{{ key = \"{}\" }}, {{ issuer", fingerprint(AGENT));
    keyless.world.edit_policy(&key, "{ issuer");
    let statement = keyless.agent_change();
    keyless.world.add_agent_change(AGENT, &statement);
    keyless.test();
    expect(
        &keyless.judge(),
        11,
        &["signer.not_expected", "accounted.residual"],
    );
    // Keys only: the certificate's bundle is nobody's.
    let mut keyless = Keyless::good();
    keyless.attest();
    keyless.world.test_result("PASSED");
    keyless.world.policy = crate::world::policy();
    expect(
        &keyless.judge(),
        11,
        &["signer.certificate_not_expected", "accounted.residual"],
    );
}

/// A change of what so many people have to approve, whichever team they are of.
fn guarded(people: u32) -> Keyless {
    let edits = &[("infra/main.tf", Some("size = 2\n"))];
    let mut keyless = Keyless::edits(InstanceOptions::default(), edits);
    let ours = format!("people = {people}");
    keyless
        .world
        .edit_policy("people = 2, teams = { security = 1 }", &ours);
    keyless
}

#[test]
fn case_75_and_201_one_person_through_two_issuers_and_a_key_counts_once() {
    let mut keyless = guarded(2).attested();
    let review = keyless.world.review();
    keyless.add(email("alice", PERSON_ISSUER), &review);
    keyless.add(email("alice", OTHER_ISSUER), &review);
    keyless.world.add(ALICE, &review);
    let verdict = keyless.judge();
    expect(&verdict, 14, &["policy.rule.infra-two-humans"]);
    assert_eq!(verdict.accounted().rules[0].people, ["alice"]);
    keyless.add(email("frank", PERSON_ISSUER), &review);
    expect(&keyless.judge(), 0, &[]);
}

#[test]
fn an_approval_with_a_certificate_counts_only_where_its_issuer_asks_the_person() {
    let mut keyless = guarded(1).attested();
    let review = keyless.world.review();
    keyless.add(email("frank.home", OTHER_ISSUER), &review);
    let verdict = keyless.judge();
    expect(&verdict, 14, &["policy.rule.infra-two-humans"]);
    assert!(crate::world::findings(&verdict).contains(&"approval.file_key".to_owned()));
    keyless.add(email("frank", PERSON_ISSUER), &review);
    expect(&keyless.judge(), 0, &[]);
}

#[test]
fn case_200_a_run_that_a_policy_takes_for_a_person_approves_nothing() {
    let mut keyless = guarded(1).attested();
    let bot = GithubRun {
        workflow_path: ".github/workflows/review.yml".to_owned(),
        ..keyless.run.clone()
    };
    keyless.world.policy.push_str(&format!(
        "\n[[person]]\nid = \"bot\"\nsigners = [{{ issuer = \"{GITHUB_ISSUER}\", san = \"{}\", presence = true }}]\n",
        bot.identity().san.text()
    ));
    let review = keyless.world.review();
    let before = keyless.world.candidates.len();
    let mut of_one_claim = bot.identity();
    // Old certificates name the repository and little else.
    of_one_claim.claims.retain(|(arc, _)| *arc == 5);
    for identity in [bot.identity(), of_one_claim] {
        keyless.world.candidates.truncate(before);
        keyless.add(identity, &review);
        let verdict = keyless.judge();
        expect(&verdict, 14, &["policy.rule.infra-two-humans"]);
        assert!(crate::world::findings(&verdict).contains(&"approval.file_key".to_owned()));
    }
}

#[test]
fn whoever_s_certificate_signed_for_the_agent_does_not_approve() {
    let mut keyless = guarded(1);
    // Erin has a mailbox of her own for the agent, which her approvals are not signed with.
    keyless.world.edit_policy(
        &format!("{{ issuer = \"{GITHUB_ISSUER}\", san = \"{WORKFLOW}\""),
        &format!(
            "{{ issuer = \"{OTHER_ISSUER}\", san-regexp = '^erin@agents\\.example$' }}, {{ issuer = \"{GITHUB_ISSUER}\", san = \"{WORKFLOW}\""
        ),
    );
    keyless.world.policy.push_str(&format!(
        "\n[[person]]\nid = \"erin-example\"\nemails = [\"erin@agents.example\"]\nsigners = [{{ issuer = \"{PERSON_ISSUER}\", \
         san-regexp = '^erin(\\+[a-z]+)?@acme\\.example$', presence = true }}]\n"
    ));
    let mut statement = keyless.world.agent_change();
    statement["predicate"]["trigger"] = json!({"kind": "human"});
    keyless.add(Identity::email("erin@agents.example", OTHER_ISSUER), &statement);
    keyless.test();
    let review = keyless.world.review();
    keyless.add(email("erin", PERSON_ISSUER), &review);
    let verdict = keyless.judge();
    expect(&verdict, 14, &["policy.rule.infra-two-humans"]);
    assert!(crate::world::findings(&verdict).contains(&"approval.author".to_owned()));
    // Somebody else may.
    keyless.add(email("alice", PERSON_ISSUER), &review);
    expect(&keyless.judge(), 0, &[]);
}

#[test]
fn a_reviewer_whose_certificate_has_the_author_s_address_does_not_approve() {
    let mut keyless = Keyless::edits(
        InstanceOptions::default(),
        &[("infra/main.tf", Some("size = 2\n"))],
    );
    keyless
        .world
        .propose_edits(&[], "Somebody <erin+laptop@acme.example>");
    keyless.ci.sha = keyless.world.change.head_commit.to_string();
    keyless
        .world
        .edit_policy("people = 2, teams = { security = 1 }", "people = 1");
    keyless.world.policy.push_str(&format!(
        "\n[[person]]\nid = \"e-example\"\nsigners = [{{ issuer = \"{PERSON_ISSUER}\", san-regexp = \
         '^erin(\\+[a-z]+)?@acme\\.example$', presence = true }}]\n"
    ));
    let mut keyless = keyless.attested();
    let review = keyless.world.review();
    keyless.add(email("erin+laptop", PERSON_ISSUER), &review);
    let verdict = keyless.judge();
    expect(&verdict, 14, &["policy.rule.infra-two-humans"]);
    assert!(crate::world::findings(&verdict).contains(&"approval.author".to_owned()));
}
