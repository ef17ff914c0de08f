use super::*;

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const SAN: &str = "https://github.com/acme/app/.github/workflows/agent.yml@refs/heads/main";

fn exact(text: &str) -> TextPattern {
    TextPattern::exact(text).unwrap()
}

fn rule() -> IdentityRule {
    IdentityRule::new(exact(ISSUER), exact(SAN))
}

fn run() -> CertificateIdentity {
    let mut identity = CertificateIdentity::new(SubjectAlternativeName::Uri(SAN.to_owned()), ISSUER);
    let claims = &mut identity.claims;
    for (claim, value) in [
        (Claim::BuildTrigger, "workflow_dispatch"),
        (Claim::GithubTrigger, "workflow_dispatch"),
        (Claim::RunnerEnvironment, "github-hosted"),
        (Claim::SourceRepositoryUri, "https://github.com/acme/app"),
        (Claim::SourceRepositoryId, "123"),
        (Claim::SourceRepositoryRef, "refs/heads/main"),
        (
            Claim::SourceRepositoryDigest,
            "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
        ),
        (Claim::BuildConfigUri, SAN),
        (Claim::DeploymentEnvironment, "production"),
        (Claim::TokenSubject, "repo:acme/app:ref:refs/heads/main"),
    ] {
        *claims.slot(claim) = Some(value.to_owned());
    }
    identity
}

fn code(rule: &IdentityRule, identity: &CertificateIdentity) -> &'static str {
    rule.matches(identity)
        .map_or_else(|mismatch| mismatch.code(), |()| "ok")
}

fn changed(claim: Claim, value: Option<&str>) -> CertificateIdentity {
    let mut identity = run();
    *identity.claims.slot(claim) = value.map(str::to_owned);
    identity
}

#[test]
fn every_claim_can_be_asked_for_and_none_matches_by_being_absent() {
    let mut rule = rule();
    assert_eq!(code(&rule, &run()), "ok");
    rule.repository_id = Some("123".to_owned());
    rule.source_repository = Some(exact("https://github.com/acme/app"));
    rule.refs = vec![exact("refs/heads/main"), exact("refs/heads/next")];
    rule.source_digest = Some("a94a8fe5ccb19ba61c4c0873d391e987982fbbd3".to_owned());
    rule.triggers = vec!["workflow_dispatch".to_owned()];
    rule.hosted = true;
    rule.workflow = Some(exact(SAN));
    rule.environment = Some(exact("production"));
    rule.claims = vec![(Claim::TokenSubject, exact("repo:acme/app:ref:refs/heads/main"))];
    assert_eq!(code(&rule, &run()), "ok");
    for claim in [
        Claim::RunnerEnvironment,
        Claim::SourceRepositoryUri,
        Claim::SourceRepositoryId,
        Claim::SourceRepositoryRef,
        Claim::SourceRepositoryDigest,
        Claim::BuildConfigUri,
        Claim::DeploymentEnvironment,
        Claim::TokenSubject,
    ] {
        let mismatch = rule.matches(&changed(claim, None)).unwrap_err();
        assert_eq!(
            (mismatch.claim, mismatch.found.as_str()),
            (claim.name(), ""),
            "{claim}"
        );
        let mismatch = rule.matches(&changed(claim, Some("else"))).unwrap_err();
        assert_eq!(
            (mismatch.claim, mismatch.found.as_str()),
            (claim.name(), "else"),
            "{claim}"
        );
    }
    // The two spellings of a trigger must both fit.
    let other = changed(Claim::GithubTrigger, Some("push"));
    assert_eq!(code(&rule, &other), "identity.trigger");
    let mut neither = changed(Claim::GithubTrigger, None);
    neither.claims.build_trigger = None;
    assert_eq!(code(&rule, &neither), "identity.trigger");
}

#[test]
fn case_56_names_are_compared_byte_for_byte() {
    for san in [
        "https://github.com/Acme/app/.github/workflows/agent.yml@refs/heads/main",
        "https://github.com/acme/app/.github/workflows/agent.yml@refs/heads/main/",
        "https://github.com/acme/app/%2egithub/workflows/agent.yml@refs/heads/main",
        "https://github.com/acme/other/../app/.github/workflows/agent.yml@refs/heads/main",
        "https://user@github.com/acme/app/.github/workflows/agent.yml@refs/heads/main",
        "https://github.com./acme/app/.github/workflows/agent.yml@refs/heads/main",
        "http://github.com/acme/app/.github/workflows/agent.yml@refs/heads/main",
        "https://github.com/acme/app/.github/workflows/agent.yml@refs/heads/main2",
    ] {
        let mut identity = run();
        identity.san = SubjectAlternativeName::Uri(san.to_owned());
        assert_eq!(code(&rule(), &identity), "identity.san", "{san}");
    }
}

#[test]
fn case_61_an_issuer_with_another_slash_port_or_slug_is_another_issuer() {
    for issuer in [
        "https://token.actions.githubusercontent.com/",
        "https://token.actions.githubusercontent.com:443",
        "https://token.actions.githubusercontent.com/acme",
        "https://token.actions.githubusercontent.com.evil.example",
    ] {
        let mut identity = run();
        identity.issuer = issuer.to_owned();
        assert_eq!(code(&rule(), &identity), "identity.issuer", "{issuer}");
    }
}

#[test]
fn case_62_triggers_that_run_on_a_stranger_s_input_must_be_named() {
    for trigger in DANGEROUS_TRIGGERS {
        for claim in [Claim::BuildTrigger, Claim::GithubTrigger] {
            assert_eq!(code(&rule(), &changed(claim, Some(trigger))), "identity.trigger");
        }
        let mut named = rule();
        named.triggers = vec![trigger.to_owned()];
        let mut identity = changed(Claim::BuildTrigger, Some(trigger));
        identity.claims.github_workflow_trigger = Some(trigger.to_owned());
        assert_eq!(code(&named, &identity), "ok");
        assert_eq!(code(&named, &run()), "identity.trigger");
    }
}

#[test]
fn case_64_and_case_65_names_do_not_stand_in_for_ids_nor_subjects_for_parts_of_them() {
    let mut by_id = rule();
    by_id.repository_id = Some("123".to_owned());
    assert_eq!(
        code(&by_id, &changed(Claim::SourceRepositoryId, Some("124"))),
        "identity.repository_id"
    );
    let mut by_subject = rule();
    by_subject.claims = vec![(Claim::TokenSubject, exact("repo:acme/app:ref:refs/heads/main"))];
    let renamed = changed(
        Claim::TokenSubject,
        Some("repo:acme@1/app@123:ref:refs/heads/main"),
    );
    assert_eq!(code(&by_subject, &renamed), "identity.claim");
    by_subject.claims = vec![(
        Claim::TokenSubject,
        TextPattern::regexp("^repo:acme/app:.*$").unwrap(),
    )];
    assert_eq!(code(&by_subject, &renamed), "identity.claim");
}

#[test]
fn case_66_and_case_67_a_self_hosted_runner_and_another_commit_are_told_apart() {
    let mut hosted = rule();
    hosted.hosted = true;
    for found in [Some("self-hosted"), Some("GitHub-hosted"), None] {
        let identity = changed(Claim::RunnerEnvironment, found);
        assert_eq!(code(&hosted, &identity), "identity.runner_environment");
    }
    let mut commit = rule();
    commit.source_digest = Some("a94a8fe5ccb19ba61c4c0873d391e987982fbbd3".to_owned());
    let mut other = run();
    other.claims.github_workflow_sha = Some("0".repeat(40));
    assert_eq!(code(&commit, &other), "identity.source_digest");
}

#[test]
fn claims_have_distinct_names_and_numbers() {
    for claim in Claim::ALL {
        assert_eq!(Claim::from_name(claim.name()), Some(*claim));
        assert_eq!(Claim::from_arc(claim.arc()), Some(*claim));
        assert_eq!(claim.is_raw(), claim.arc() < 8);
    }
    assert_eq!(Claim::ALL.len(), 23);
    assert_eq!(Claim::from_arc(7), None);
    assert_eq!(run().claims.iter().count(), 11);
}

#[test]
fn a_signer_s_id_tells_kind_name_and_issuer_apart() {
    use crate::evidence::SignerId;
    let id = |san, issuer: &str| SignerId::of_identity(&CertificateIdentity::new(san, issuer));
    let uri = |name: &str| SubjectAlternativeName::Uri(name.to_owned());
    let email = |name: &str| SubjectAlternativeName::Email(name.to_owned());
    let ids = [
        id(uri("ab"), "c"),
        id(uri("a"), "bc"),
        id(email("ab"), "c"),
        id(uri("ab"), "d"),
    ];
    for (index, one) in ids.iter().enumerate() {
        assert!(ids[index + 1..].iter().all(|other| other != one));
    }
    // Other claims do not make another signer.
    let mut identity = run();
    let before = SignerId::of_identity(&identity);
    identity.claims.run_invocation_uri = Some("https://github.com/acme/app/actions/runs/1".to_owned());
    assert_eq!(SignerId::of_identity(&identity), before);
}
