//! Catalogue: identity. Every case begins with a good keyless bundle, or a rule that describes its signer, and changes
//! one thing.

mod common;

use common::*;
use touchmark_testkit::sigstore::{
    CertificateDefect as Broken, GithubRun, Identity, PERSON_ISSUER, San, Scheme, Signing,
};
use touchmark_verify::evidence::SignerId;
use touchmark_verify::identity::{
    CertificateIdentity, Claim, DANGEROUS_TRIGGERS, IdentityRule, SubjectAlternativeName, TextPattern,
};
use touchmark_verify::key::PublicKey;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::verified::SignerIdentity;

#[test]
fn every_claim_arrives_as_it_was_certified() {
    let run = GithubRun {
        environment: Some("production".to_owned()),
        ..GithubRun::default()
    };
    let identity = run.identity();
    let verified = judge_identity(&identity, rule(&identity)).expect("accepted");
    let found = verified.signer().certificate().expect("a certificate");
    assert_eq!(
        found.san,
        SubjectAlternativeName::Uri(identity.san.text().to_owned())
    );
    assert_eq!(found.issuer, identity.issuer);
    for (arc, text) in &identity.claims {
        let claim = Claim::from_arc(*arc).expect("a claim that is known");
        assert_eq!(found.claims.get(claim), Some(text.as_str()), "{claim}");
    }
    // All of them, and both spellings of the issuer.
    assert_eq!(found.claims.iter().count(), identity.claims.len() + 2);
}

#[test]
fn user_names_and_addresses_are_names_too() {
    for san in [
        San::UserName("alice!acme".to_owned()),
        San::Email("alice@example.test".to_owned()),
    ] {
        let identity = Identity::email("-", PERSON_ISSUER).with_san(san);
        judge_identity(&identity, rule(&identity)).expect("accepted");
    }
}

#[test]
fn case_52_two_names_of_which_one_is_expected() {
    refused(Broken::TwoNames, "certificate.san_count");
    refused(Broken::TwoNamesExpectedLast, "certificate.san_count");
    refused(Broken::NameMissing, "certificate.san_count");
    refused(Broken::NameOfOtherKind, "certificate.san_kind");
}

#[test]
fn case_54_controls_in_a_name() {
    for defect in [
        Broken::NameWithNul,
        Broken::NameWithLineFeed,
        Broken::NameWithDel,
        Broken::NameWithBidi,
    ] {
        refused(defect, "certificate.text");
    }
    refused(Broken::ClaimWithNul, "certificate.claim");
    // The same in an address.
    for (defect, spelled) in [
        (Broken::NameWithNul, "ali\0ce@example.test"),
        (Broken::NameWithBidi, "ali\u{202e}ce@example.test"),
    ] {
        let instance = instance().with(defect);
        let signed = sign(
            &instance,
            &Signing::keyless(Identity::email("alice@example.test", PERSON_ISSUER)),
        );
        let rule = IdentityRule::new(exact(PERSON_ISSUER), exact(spelled));
        let found = judge_with(&instance, &signed.bytes(), &rule.into(), &options());
        assert_eq!(found.err(), Some("certificate.text"), "{defect:?}");
    }
}

/// Names that a reader could take for the expected one, and why they are refused.
const LOOK_ALIKES: &[(&str, &str)] = &[
    // 55: punycode, and letters of other scripts.
    (
        "https://xn--gthub-n4a.com/acme/greeter/.github/workflows/agent.yml@refs/heads/main",
        "certificate.text",
    ),
    (
        "https://g\u{456}thub.com/acme/greeter/.github/workflows/agent.yml@refs/heads/main",
        "certificate.text",
    ),
    (
        "https://g1thub.com/acme/greeter/.github/workflows/agent.yml@refs/heads/main",
        "identity.san",
    ),
    // 56: spellings that some readers of URIs take for the same.
    (
        "https://GitHub.com/acme/greeter/.github/workflows/agent.yml@refs/heads/main",
        "identity.san",
    ),
    (
        "https://github.com/Acme/greeter/.github/workflows/agent.yml@refs/heads/main",
        "identity.san",
    ),
    (
        "https://github.com/acme/greeter/.github/workflows/agent.yml@refs/heads/main/",
        "identity.san",
    ),
    (
        "https://github.com/acme/greeter/%2egithub/workflows/agent.yml@refs/heads/main",
        "identity.san",
    ),
    (
        "https://github.com/acme/other/../greeter/.github/workflows/agent.yml@refs/heads/main",
        "identity.san",
    ),
    (
        "https://mallory@github.com/acme/greeter/.github/workflows/agent.yml@refs/heads/main",
        "identity.san",
    ),
    (
        "https://github.com:443/acme/greeter/.github/workflows/agent.yml@refs/heads/main",
        "identity.san",
    ),
    (
        "http://github.com/acme/greeter/.github/workflows/agent.yml@refs/heads/main",
        "identity.san",
    ),
];

#[test]
fn case_55_and_56_names_that_look_like_the_expected_one() {
    judge_identity(&github(), rule(&github())).expect("the expected name itself");
    for (name, code) in LOOK_ALIKES {
        let identity = github().with_san(San::Uri((*name).to_owned()));
        assert_eq!(
            judge_identity(&identity, rule(&github())).err(),
            Some(*code),
            "{name}"
        );
    }
}

#[test]
fn case_55_names_of_another_kind_with_the_same_text() {
    // A name's kind is no part of a rule; where two kinds meet, the ids of the signers differ.
    let text = "alice@example.test";
    let ids: Vec<SignerId> = [
        SubjectAlternativeName::Email(text.to_owned()),
        SubjectAlternativeName::Uri(text.to_owned()),
        SubjectAlternativeName::OtherName(text.to_owned()),
    ]
    .into_iter()
    .map(|san| SignerId::of_identity(&CertificateIdentity::new(san, PERSON_ISSUER)))
    .collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
}

#[test]
fn case_57_patterns_that_match_more_than_they_show() {
    let good = r"^https://github\.com/acme/greeter/.*@refs/heads/main$";
    let rule = |pattern: &str| {
        let san = TextPattern::regexp(pattern).map_err(|error| error.code())?;
        judge_identity(&github(), IdentityRule::new(exact(&github().issuer), san))
    };
    rule(good).expect("an anchored pattern");
    for (pattern, code) in [
        (
            good.trim_start_matches('^').to_owned(),
            "identity.pattern_unanchored",
        ),
        (
            good.trim_end_matches('$').to_owned(),
            "identity.pattern_unanchored",
        ),
        (
            format!("{good}|^https://evil\\.example/$"),
            "identity.pattern_unanchored",
        ),
        (format!("(?i){good}"), "identity.pattern_unanchored"),
        (format!("^(?i:{})$", "https://.*"), "identity.pattern_unanchored"),
        (r"^https://github\.com/acme/other/.*$".to_owned(), "identity.san"),
    ] {
        assert_eq!(rule(&pattern).err(), Some(code), "{pattern}");
    }
}

#[test]
fn case_61_issuers_that_are_almost_the_expected_one() {
    for issuer in [
        "https://token.actions.githubusercontent.com/",
        "https://token.actions.githubusercontent.com:443",
        "https://token.actions.githubusercontent.com/acme",
        "http://token.actions.githubusercontent.com",
        "https://Token.actions.githubusercontent.com",
    ] {
        let mut identity = github();
        issuer.clone_into(&mut identity.issuer);
        assert_eq!(
            judge_identity(&identity, rule(&github())).err(),
            Some("identity.issuer"),
            "{issuer}"
        );
    }
}

#[test]
fn case_62_triggers_that_run_on_a_strangers_input() {
    for trigger in DANGEROUS_TRIGGERS {
        let identity = GithubRun {
            event: trigger.to_owned(),
            ..GithubRun::default()
        }
        .identity();
        assert_eq!(
            judge_identity(&identity, rule(&identity)).err(),
            Some("identity.trigger"),
            "{trigger}"
        );
        // In the old claim alone, too.
        let hidden = github().with_claim(2, trigger);
        assert_eq!(
            judge_identity(&hidden, rule(&hidden)).err(),
            Some("identity.trigger"),
            "{trigger}"
        );
        let named = IdentityRule {
            triggers: vec![trigger.to_owned()],
            ..rule(&identity)
        };
        judge_identity(&identity, named).expect("a rule may name it");
    }
}

#[test]
fn case_64_same_repository_name_but_another_id() {
    let rule = IdentityRule {
        repository_id: Some("123456".to_owned()),
        ..rule(&github())
    };
    judge_identity(&github(), rule.clone()).expect("the right id");
    let other = github().with_claim(15, "123457");
    assert_eq!(
        judge_identity(&other, rule.clone()).err(),
        Some("identity.repository_id")
    );
    let mut absent = github();
    absent.claims.retain(|(arc, _)| *arc != 15);
    assert_eq!(
        judge_identity(&absent, rule).err(),
        Some("identity.repository_id")
    );
}

#[test]
fn case_65_a_subject_of_the_new_style_under_a_rule_of_the_old() {
    let run = GithubRun {
        subject: Some("repo:acme@7890/greeter@123456:ref:refs/heads/main".to_owned()),
        ..GithubRun::default()
    };
    for old in [
        exact("repo:acme/greeter:ref:refs/heads/main"),
        TextPattern::regexp("^repo:acme/greeter:.*$").expect("anchored"),
    ] {
        let rule = IdentityRule {
            claims: vec![(Claim::TokenSubject, old.clone())],
            ..rule(&run.identity())
        };
        judge_identity(&github(), rule.clone()).expect("the old style");
        let instance = instance();
        let signed = sign(&instance, &Signing::keyless(run.identity()));
        let root = instance.trusted_root();
        let error =
            touchmark_verify::verify::verify(&signed.bundle(), &rule.clone().into(), &root, &options());
        let error = error.expect_err("another subject");
        assert_eq!(error.code(), "identity.claim");
        // The reason names the claim, what was expected and what was found.
        let told = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source())
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ");
        for part in ["subject", "acme@7890/greeter@123456", old.as_str()] {
            assert!(told.contains(part), "{told}");
        }
    }
}

#[test]
fn case_66_self_hosted_where_hosted_is_required() {
    let rule = IdentityRule {
        hosted: true,
        ..rule(&github())
    };
    judge_identity(&github(), rule.clone()).expect("hosted");
    for found in ["self-hosted", "", "github-hosted-not", "GITHUB-HOSTED"] {
        let identity = github().with_claim(11, found);
        let code = judge_identity(&identity, rule.clone()).err();
        assert_eq!(code, Some("identity.runner_environment"), "{found:?}");
    }
    let mut absent = github();
    absent.claims.retain(|(arc, _)| *arc != 11);
    assert_eq!(
        judge_identity(&absent, rule).err(),
        Some("identity.runner_environment")
    );
}

#[test]
fn case_67_source_digest_of_another_commit() {
    let commit = GithubRun::default().sha;
    let rule = IdentityRule {
        source_digest: Some(commit),
        ..rule(&github())
    };
    judge_identity(&github(), rule.clone()).expect("the commit");
    let other = "f".repeat(40);
    for arc in [13, 3] {
        // Either spelling counts: neither hides the other.
        let identity = github().with_claim(arc, &other);
        let code = judge_identity(&identity, rule.clone()).err();
        assert_eq!(code, Some("identity.source_digest"), "claim {arc}");
    }
}

#[test]
fn case_74_keys_and_identities_do_not_stand_in_for_each_other() {
    let instance = instance();
    let key = instance.key(Scheme::P256, "managed");
    let public = PublicKey::from_spki_der(&key.spki()).expect("a key");
    let mut ring = KeyRing::new();
    ring.allow(public.fingerprint())
        .name(&touchmark_testkit::sigstore::hint(&key), public.fingerprint());
    ring.add_key(public);
    let by_key = sign(&instance, &Signing::with_key(key)).bytes();
    let by_identity = sign(&instance, &Signing::keyless(github())).bytes();
    let (keys, identities) = (ring.into(), rule(&github()).into());
    let judge = |bundle: &[u8], expected| judge_with(&instance, bundle, expected, &options()).map(drop);
    assert_eq!(judge(&by_key, &keys), Ok(()));
    assert_eq!(judge(&by_identity, &identities), Ok(()));
    assert_eq!(judge(&by_key, &identities), Err("signer.key_not_expected"));
    assert_eq!(judge(&by_identity, &keys), Err("signer.certificate_not_expected"));
}

#[test]
fn case_74_the_key_in_a_certificate_is_not_a_managed_key() {
    let instance = instance();
    let signed = sign(&instance, &Signing::keyless(github()));
    let public = PublicKey::from_spki_der(&signed.key.spki()).expect("a key");
    let mut ring = KeyRing::new();
    ring.allow(public.fingerprint()).add_key(public);
    let found = judge_with(&instance, &signed.bytes(), &ring.into(), &options());
    assert_eq!(found.err(), Some("signer.certificate_not_expected"));
}

#[test]
fn case_75_one_name_of_two_issuers_is_two_signers_of_which_a_rule_means_one() {
    let (one, other) = (
        Identity::email("alice@example.test", PERSON_ISSUER),
        Identity::email("alice@example.test", "https://login.example.test"),
    );
    let id = |identity: &Identity| {
        let verified = judge_identity(identity, rule(identity)).expect("accepted");
        match verified.signer() {
            SignerIdentity::Certificate(found) => SignerId::of_identity(found),
            _ => panic!("signed with a certificate"),
        }
    };
    assert_ne!(id(&one), id(&other));
    assert_eq!(judge_identity(&one, rule(&other)).err(), Some("identity.issuer"));
}
