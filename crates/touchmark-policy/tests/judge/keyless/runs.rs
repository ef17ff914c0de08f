//! Whose run it was, and what a certificate says of it.

use super::*;

#[test]
fn a_run_s_certificate_stands_for_the_agent() {
    let keyless = Keyless::good().attested();
    let verdict = keyless.judge();
    expect(&verdict, 0, &[]);
    assert!(not_checked(&verdict).contains(&"unclaimed.run_not_misused"));
    let agent = relied_on(&verdict, "agent-change");
    assert_eq!(agent.principal.as_deref(), Some("payments-fixer"));
    assert_eq!(
        agent.signer.as_deref(),
        Some(&*format!("{WORKFLOW} (issuer {GITHUB_ISSUER})"))
    );
    let vantage = |pointer: &str| {
        agent
            .claims
            .iter()
            .find(|claim| claim.pointer == pointer)
            .unwrap()
            .vantage
    };
    assert_eq!(vantage("/environment/run"), Vantage::Platform);
    // What the certificate does not say stays what it was.
    assert_eq!(vantage("/models/0"), Vantage::Hook);
    assert_eq!(verdict.encode(), keyless.judge().encode());
}

#[test]
fn keys_and_identities_stand_side_by_side() {
    let mut keyless = Keyless::good();
    let statement = keyless.agent_change();
    keyless.world.add_agent_change(AGENT, &statement);
    keyless.test();
    expect(&keyless.judge(), 0, &[]);
}

#[test]
fn case_61_another_issuer_is_somebody_else() {
    for issuer in [
        "https://token.actions.githubusercontent.com/",
        "https://token.actions.githubusercontent.com:443",
        "https://token.actions.githubusercontent.com/acme",
        "http://token.actions.githubusercontent.com",
        "https://TOKEN.actions.githubusercontent.com",
    ] {
        refused_with("signer.not_expected", |keyless| {
            let mut identity = keyless.run.identity();
            issuer.clone_into(&mut identity.issuer);
            (identity, keyless.agent_change())
        });
    }
}

#[test]
fn case_62_events_that_run_on_a_strangers_input_must_be_named() {
    for event in ["pull_request_target", "issue_comment", "workflow_run"] {
        let run = |keyless: &mut Keyless| {
            event.clone_into(&mut keyless.run.event);
            (keyless.run.identity(), keyless.agent_change())
        };
        refused_with("identity.trigger", run);
        let mut keyless = Keyless::good();
        let (identity, statement) = run(&mut keyless);
        keyless.world.edit_policy(
            "runner = \"hosted\"",
            &format!("runner = \"hosted\", triggers = [\"{event}\"]"),
        );
        keyless.add(identity, &statement);
        keyless.test();
        expect(&keyless.judge(), 0, &[]);
    }
}

#[test]
fn case_62_a_list_of_triggers_takes_no_other() {
    let mut keyless = Keyless::good().attested();
    keyless.world.edit_policy(
        "runner = \"hosted\"",
        "runner = \"hosted\", triggers = [\"schedule\"]",
    );
    expect(&keyless.judge(), 11, &["identity.trigger", "accounted.residual"]);
}

#[test]
fn case_64_a_name_that_somebody_took_over_has_another_id() {
    refused_with("identity.repository_id", |keyless| {
        "124".clone_into(&mut keyless.run.repository_id);
        (keyless.run.identity(), keyless.agent_change())
    });
    // The scope of the agent names it too.
    let mut keyless = Keyless::good();
    keyless
        .world
        .edit_policy("repository-id = \"123\", runner", "owner-id = \"7890\", runner");
    let scope = format!("repositories = [\"{URI}\"]");
    keyless.world.edit_policy(
        &scope,
        &format!("repositories = [{{ uri = \"{URI}\", id = \"123\" }}]"),
    );
    let mut keyless = keyless.attested();
    expect(&keyless.judge(), 0, &[]);
    keyless
        .world
        .edit_policy("id = \"123\" }], refs", "id = \"124\" }], refs");
    expect(&keyless.judge(), 12, &["agent.repository_id"]);
}

#[test]
fn case_65_a_new_style_subject_is_not_partly_an_old_style_one() {
    let mut keyless = Keyless::good().attested();
    let claim = |subject: &str| format!("runner = \"hosted\", claims = {{ subject = \"{subject}\" }}");
    let old = "repo:acme/app:ref:refs/heads/main";
    keyless.world.edit_policy("runner = \"hosted\"", &claim(old));
    expect(&keyless.judge(), 0, &[]);
    keyless.world.candidates.clear();
    let new = "repo:acme@7890/app@123:ref:refs/heads/main";
    keyless.run.subject = Some(new.to_owned());
    let mut keyless = keyless.attested();
    let verdict = keyless.judge();
    expect(&verdict, 11, &["identity.claim", "accounted.residual"]);
    let found = verdict.reasons()[0].found.clone().unwrap();
    assert!(found.contains(old) && found.contains(new), "{found}");
    keyless.world.edit_policy(&claim(old), &claim(new));
    expect(&keyless.judge(), 0, &[]);
}

#[test]
fn case_66_a_self_hosted_runner_where_a_hosted_one_is_required() {
    let self_hosted = |keyless: &mut Keyless| {
        "self-hosted".clone_into(&mut keyless.run.runner);
        (keyless.run.identity(), keyless.agent_change())
    };
    refused_with("identity.runner_environment", self_hosted);
    let mut keyless = Keyless::good();
    let (identity, statement) = self_hosted(&mut keyless);
    keyless
        .world
        .edit_policy("runner = \"hosted\"", "runner = \"self-hosted\"");
    keyless.add(identity, &statement);
    keyless.test();
    expect(&keyless.judge(), 0, &[]);
}

#[test]
fn case_67_the_run_was_at_another_commit_than_the_one_attested() {
    refused_with("agreement.commit", |keyless| {
        keyless.run.sha = "f".repeat(40);
        (keyless.run.identity(), keyless.agent_change())
    });
    // A run that began after the work was committed is at its commit, and on its ref.
    let mut keyless = Keyless::good();
    keyless.run.sha = keyless.world.change.head_commit.to_string();
    let statement = keyless.agent_change();
    let on = |git_ref: &str, keyless: &Keyless| {
        keyless
            .run
            .identity()
            .with_claim(14, git_ref)
            .with_claim(6, git_ref)
    };
    keyless.add(on("refs/heads/agent/fix", &keyless), &statement);
    keyless.test();
    expect(&keyless.judge(), 0, &[]);
    let mut keyless = Keyless::good();
    keyless.run.sha = keyless.world.change.head_commit.to_string();
    let statement = keyless.agent_change();
    keyless.add(on("refs/heads/main", &keyless), &statement);
    keyless.test();
    expect(&keyless.judge(), 11, &["agreement.ref", "accounted.residual"]);
}

#[test]
fn case_67_a_test_result_names_the_commit_that_its_run_was_at() {
    for (sha, exit, codes) in [
        (None, 0, &[][..]),
        (
            Some("f".repeat(40)),
            11,
            &["agreement.commit", "tests.missing"][..],
        ),
    ] {
        let mut keyless = Keyless::good();
        keyless.attest();
        let mut statement = keyless.world.test_statement("PASSED");
        let head = keyless.world.change.head_commit.to_string();
        let subjects = statement["subject"].as_array_mut().unwrap();
        subjects.push(json!({"name": "commit", "digest": {"gitCommit": head}}));
        keyless.ci.sha = sha.unwrap_or(head);
        keyless.add(keyless.ci.identity(), &statement);
        expect(&keyless.judge(), exit, codes);
    }
}

#[test]
fn case_146_what_the_statement_says_of_its_run_must_be_what_the_certificate_says() {
    let change = |path: &[&str], value: Value| {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        move |keyless: &mut Keyless| {
            let mut statement = keyless.agent_change();
            let mut place = &mut statement["predicate"];
            for part in &path {
                place = &mut place[part.as_str()];
            }
            *place = value;
            (keyless.run.identity(), statement)
        }
    };
    let other = "https://github.com/acme/app/actions/runs/4712/attempts/1";
    refused_with("agreement.run", change(&["environment", "run"], json!(other)));
    refused_with(
        "agreement.repository_id",
        change(&["change", "repository", "id"], json!("124")),
    );
    refused_with(
        "agreement.trigger",
        change(&["trigger", "kind"], json!("schedule")),
    );
    refused_with("agreement.repository", |keyless| {
        let mut statement = keyless.agent_change();
        statement["predicate"]["change"]["repository"]["uri"] = json!("https://github.com/acme/other");
        (keyless.run.identity(), statement)
    });
}

#[test]
fn case_146_another_actor_than_the_one_certified() {
    let mut keyless = Keyless::good();
    keyless.world.edit_policy(
        &format!("{{ issuer = \"{GITHUB_ISSUER}\", san = \"{WORKFLOW}\""),
        &format!(
            "{{ issuer = \"{PERSON_ISSUER}\", san = \"fixer@acme.example\" }}, {{ issuer = \"{GITHUB_ISSUER}\", san = \"{WORKFLOW}\""
        ),
    );
    for (actor, exit, codes) in [
        ("fixer@acme.example", 0, &[][..]),
        (
            "mallory@acme.example",
            11,
            &["agreement.actor", "accounted.residual"][..],
        ),
    ] {
        keyless.world.candidates.clear();
        let mut statement = keyless.world.agent_change();
        statement["predicate"]["trigger"] = json!({"kind": "human", "principal": actor});
        keyless.add(email("fixer", PERSON_ISSUER), &statement);
        keyless.test();
        expect(&keyless.judge(), exit, codes);
    }
}

#[test]
fn case_147_a_run_in_a_fork_counts_only_where_the_scope_says_so() {
    let fork = |keyless: &mut Keyless| {
        let own = keyless.run.clone();
        "mallory/app".clone_into(&mut keyless.run.repository);
        "666".clone_into(&mut keyless.run.repository_id);
        // The shared workflow is the same: its name says nothing of where it ran.
        let identity = keyless.run.identity().with_san(San::Uri(WORKFLOW.to_owned()));
        let mut statement = keyless.agent_change();
        statement["predicate"]["change"]["repository"]["id"] = json!(own.repository_id);
        (identity, statement)
    };
    refused_with("identity.repository_id", fork);
    let without_id = |keyless: &mut Keyless| {
        let (from, to) = ("repository-id = \"123\", runner", "runner");
        keyless.world.edit_policy(from, to);
        fork(keyless)
    };
    refused_with("identity.other_repository", without_id);
    // Old certificates have other claims, which say the same.
    refused_with("identity.other_repository", |keyless| {
        let (mut identity, statement) = without_id(keyless);
        keyless.world.edit_policy(", runner = \"hosted\"", "");
        identity.claims.retain(|(arc, _)| *arc <= 6);
        (identity, statement)
    });
    let mut keyless = Keyless::good();
    let (identity, statement) = without_id(&mut keyless);
    keyless.world.edit_policy(
        &format!("repositories = [\"{URI}\"]"),
        &format!("repositories = [{{ uri = \"{URI}\", forks = true }}]"),
    );
    keyless.add(identity, &statement);
    keyless.test();
    let verdict = keyless.judge();
    expect(&verdict, 0, &[]);
    assert!(not_checked(&verdict).contains(&"unchecked.run_repository"));
}

#[test]
fn case_147_a_statement_about_another_repository_with_the_same_commit() {
    let mut keyless = Keyless::good();
    "acme/other".clone_into(&mut keyless.run.repository);
    let mut statement = keyless.agent_change();
    statement["predicate"]["change"]["repository"]["uri"] = json!("https://github.com/acme/other");
    // The policy names the other repository, so the run may have been there; the change is still another one.
    let identity = keyless.run.identity().with_san(San::Uri(WORKFLOW.to_owned()));
    keyless.add(identity, &statement);
    keyless.test();
    expect(
        &keyless.judge(),
        11,
        &["binding.repository_mismatch", "accounted.residual"],
    );
}

#[test]
fn case_189_refs_of_a_signer_are_patterns_of_the_one_dialect() {
    let refs = |pattern: &str| {
        let mut keyless = Keyless::good().attested();
        let refs = format!("runner = \"hosted\", refs = [\"{pattern}\"]");
        keyless.world.edit_policy("runner = \"hosted\"", &refs);
        keyless.judge()
    };
    for pattern in ["refs/heads/main", "refs/heads/*", "refs/**", "**/ma?n"] {
        expect(&refs(pattern), 0, &[]);
    }
    for pattern in ["refs/heads/mai", "refs/*", "refs/tags/**", "refs/heads/main/*"] {
        expect(&refs(pattern), 11, &["identity.claim", "accounted.residual"]);
    }
}
