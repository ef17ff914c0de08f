//! Principals that are identities, and whether two of them can be told apart.

use super::*;

const ACTIONS: &str = "https://token.actions.example";

/// Two signers of two principals, and whether one certificate could be both.
fn two(first: &str, second: &str) -> Result<Policy, PolicyError> {
    let text = format!(
        "version = 1\nserial = 1\n[[service]]\nid = \"a\"\nmay = []\nsigners = [{{ {first} }}]\n\
         [[service]]\nid = \"b\"\nmay = []\nsigners = [{{ {second} }}]\n"
    );
    Policy::load(text.as_bytes())
}

#[test]
fn two_principals_never_share_a_certificate() {
    let exact = |issuer: &str, san: &str| format!("issuer = \"{issuer}\", san = \"{san}\"");
    let regexp = |san: &str| format!("issuer = \"{ACTIONS}\", san-regexp = '{san}'");
    let with = |signer: String, more: &str| format!("{signer}, {more}");
    let wf = "https://github.com/acme/app/.github/workflows/a.yml@refs/heads/main";
    let apart = [
        (exact(ACTIONS, "x"), exact(ACTIONS, "y")),
        (exact(ACTIONS, "x"), exact("https://token.actions.example/", "x")),
        (exact(ACTIONS, wf), regexp(r"^https://github\.com/acme/lib/.*$")),
        (
            regexp(r"^https://github\.com/acme/app/.*$"),
            regexp(r"^https://github\.com/acme/lib/.*$"),
        ),
        (
            with(exact(ACTIONS, wf), "repository-id = \"1\""),
            with(exact(ACTIONS, wf), "repository-id = \"2\""),
        ),
        (
            with(exact(ACTIONS, wf), "environment = \"a\""),
            with(exact(ACTIONS, wf), "environment = \"b\""),
        ),
        (
            with(exact(ACTIONS, wf), "runner = \"self-hosted\", owner-id = \"1\""),
            with(exact(ACTIONS, wf), "owner-id = \"2\""),
        ),
        (
            with(exact(ACTIONS, wf), "refs = [\"refs/heads/*\"]"),
            with(exact(ACTIONS, wf), "refs = [\"refs/tags/**\"]"),
        ),
    ];
    for (first, second) in apart {
        two(&first, &second).unwrap_or_else(|error| panic!("{first} {second}: {error}"));
    }
    let overlapping = [
        (exact(ACTIONS, "x"), exact(ACTIONS, "x")),
        (exact(ACTIONS, wf), regexp("^https://github.com/acme/.*$")),
        (
            regexp("^https://github.com/acme/app/.*$"),
            regexp("^https://.*@refs/heads/main$"),
        ),
        (
            with(exact(ACTIONS, wf), "repository-id = \"1\""),
            exact(ACTIONS, wf),
        ),
        (
            with(exact(ACTIONS, wf), "triggers = [\"push\", \"schedule\"]"),
            with(exact(ACTIONS, wf), "triggers = [\"schedule\"]"),
        ),
        (
            with(exact(ACTIONS, wf), "refs = [\"refs/**\"]"),
            with(exact(ACTIONS, wf), "refs = [\"refs/tags/**\"]"),
        ),
        // Who is good from when tells nothing about whose signature it is.
        (
            with(exact(ACTIONS, wf), "until = 2026-01-01"),
            with(exact(ACTIONS, wf), "from = 2026-01-02"),
        ),
    ];
    for (first, second) in overlapping {
        let error = two(&first, &second).expect_err(&format!("{first} {second}"));
        assert_eq!(error.code(), "policy.ambiguous_signer", "{first} {second}");
        assert!(error.line().is_some());
    }
}

#[test]
fn one_principal_may_have_identities_that_overlap_if_they_count_alike() {
    let alice = |signers: &str| {
        let text = format!("version = 1\nserial = 1\n[[person]]\nid = \"alice\"\nsigners = [{signers}]\n");
        Policy::load(text.as_bytes())
    };
    let signer =
        |more: &str| format!("{{ issuer = \"https://a.example\", san = \"alice@acme.example\"{more} }}");
    alice(&format!(
        "{}, {}",
        signer(", until = 2026-01-01"),
        signer(", from = 2026-06-01")
    ))
    .unwrap();
    let error = alice(&format!("{}, {}", signer(", presence = true"), signer(""))).unwrap_err();
    assert_eq!(error.code(), "policy.ambiguous_signer");
}

#[test]
fn case_75_one_mailbox_is_not_two_people() {
    let people = |second: &str| {
        let text = format!(
            "version = 1\nserial = 1\n[[person]]\nid = \"alice\"\nsigners = [{{ issuer = \"https://a.example\", san = \
             \"alice@acme.example\" }}]\n[[person]]\nid = \"alice-too\"\nsigners = [{{ issuer = \"https://b.example\", \
             {second} }}]\n"
        );
        Policy::load(text.as_bytes())
    };
    people("san = \"bob@acme.example\"").unwrap();
    people(r"san-regexp = '^b.*@acme\.example$'").unwrap();
    for second in [
        "san = \"alice@acme.example\"",
        "san = \"Alice@ACME.example\"",
        // An expression that takes the address takes the person.
        r"san-regexp = '^a.*@acme\.example$'",
    ] {
        assert_eq!(
            people(second).unwrap_err().code(),
            "policy.ambiguous_signer",
            "{second}"
        );
    }
}

#[test]
fn case_57_a_pattern_that_matches_more_than_it_shows_is_refused_when_the_policy_is_loaded() {
    let table = [
        ("https://github.com/acme/.*", "identity.pattern_unanchored"),
        ("^https://github.com/acme/", "identity.pattern_unanchored"),
        ("^a$|^b$", "identity.pattern_unanchored"),
        ("^a|b$", "identity.pattern_unanchored"),
        ("(?i)^https://github.com/acme/$", "identity.pattern_unanchored"),
        ("^(?i:acme)$", "identity.pattern_unanchored"),
        ("^[a$", "identity.pattern_malformed"),
    ];
    for (pattern, code) in table {
        let text = format!(
            "version = 1\nserial = 1\n[[service]]\nid = \"a\"\nmay = []\nsigners = [{{ issuer = \"x\", san-regexp = \
             '{pattern}' }}]\n"
        );
        let error = refused(&text);
        assert_eq!((error.code(), error.line()), (code, Some(6)), "{pattern}");
    }
}

#[test]
fn an_identity_of_a_run_is_read_whole() {
    let text = format!(
        "version = 1\nserial = 1\n[[agent]]\nid = \"fixer\"\nsigners = [{{ issuer = \"{ACTIONS}\", san = \"https://x/wf@r\", \
         repository = \"https://x/acme/app\", repository-id = \"1\", owner-id = \"2\", refs = [\"refs/heads/**\"], triggers = \
         [\"push\"], runner = \"hosted\", workflow = \"w\", environment = \"e\", isolated = true }}]\n"
    );
    let policy = Policy::load(text.as_bytes()).unwrap();
    let signer = &policy.agents[0].signers[0];
    let rule = signer.identity().unwrap();
    assert!(signer.isolated && signer.key().is_none() && rule.hosted);
    assert_eq!(rule.repository_id.as_deref(), Some("1"));
    assert_eq!(rule.triggers, ["push"]);
    let seen = |pattern: &Option<touchmark_verify::identity::TextPattern>| {
        pattern.as_ref().unwrap().as_str().to_owned()
    };
    assert_eq!(
        [
            seen(&rule.source_repository),
            seen(&rule.workflow),
            seen(&rule.environment)
        ],
        ["https://x/acme/app", "w", "e"]
    );
    assert!(rule.refs[0].matches("refs/heads/a/b") && !rule.refs[0].matches("refs/tags/a"));
    assert_eq!(rule.claims.len(), 1);
}

#[test]
fn a_policy_has_only_so_many_expressions() {
    let policy = |count: usize| {
        let signers: Vec<String> = (0..count)
            .map(|number| format!("{{ issuer = \"https://{number}.example\", san-regexp = '^a+$' }}"))
            .collect();
        let text = format!(
            "version = 1\nserial = 1\n[[service]]\nid = \"a\"\nmay = []\nsigners = [{}]\n",
            signers.join(", ")
        );
        Policy::load(text.as_bytes())
    };
    policy(256).unwrap();
    assert_eq!(policy(257).unwrap_err().code(), "policy.value");
}
