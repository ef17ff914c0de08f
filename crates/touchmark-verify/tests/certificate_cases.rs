//! Catalogue: certificate and identity. Every case begins with a good keyless bundle and breaks one thing.

mod common;

use common::*;
use touchmark_testkit::sigstore::{
    BundleVersion, CertificateDefect as Broken, GithubRun, Identity, Instance, InstanceOptions, LogKind,
    PERSON_ISSUER, San, Scheme, Signing,
};
use touchmark_verify::evidence::SignerId;
use touchmark_verify::identity::{
    CertificateIdentity, Claim, DANGEROUS_TRIGGERS, IdentityRule, SubjectAlternativeName, TextPattern,
};
use touchmark_verify::key::PublicKey;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::verified::SignerIdentity;
use touchmark_verify::verify::SctRequirement;

#[test]
fn good_bundles_are_accepted_in_every_version_and_from_every_log() {
    for log in [LogKind::V2, LogKind::V1Dsse, LogKind::V1Intoto] {
        for version in [BundleVersion::V01, BundleVersion::V02, BundleVersion::V03] {
            if (log, version) != (LogKind::V2, BundleVersion::V01) {
                let signing = Signing::keyless(github()).log(log).version(version);
                judge(&instance(), &signing).unwrap_or_else(|code| panic!("{log:?} {version:?}: {code}"));
            }
        }
    }
}

#[test]
fn good_bundles_of_every_kind_of_instance_are_accepted() {
    let default = InstanceOptions::default;
    #[rustfmt::skip]
    let instances = [
        InstanceOptions { certificate_authority: Scheme::P384, ..default() },
        InstanceOptions { timestamp_authority: Scheme::P384, ..default() },
        InstanceOptions { rekor_v2: Scheme::P256, ..default() },
        InstanceOptions { leaf: Scheme::P384, ..default() },
        InstanceOptions { witnesses: 3, ..default() },
        InstanceOptions { timestamp_authorities: 2, certificate_logs: 2, ..default() },
    ];
    for options in instances {
        let what = format!("{options:?}");
        let instance = Instance::new(1, options);
        judge(&instance, &Signing::keyless(github())).unwrap_or_else(|code| panic!("{what}: {code}"));
    }
}

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
fn case_46_chain_to_an_unknown_root() {
    refused(Broken::UnknownRoot, "certificate.chain");
}

#[test]
fn case_46_bundle_of_another_instance() {
    let other = Instance::new(2, InstanceOptions::default());
    for (log, code) in [
        (LogKind::V2, "time.authority_unknown"),
        (LogKind::V1Dsse, "tlog.log_unknown"),
    ] {
        let signing = match log {
            LogKind::V2 => Signing::keyless(github()),
            // Without a timestamp, the promise is the first that is looked at.
            _ => Signing::keyless(github()).log(log).timestamps(&[]),
        };
        let bundle = sign(&other, &signing).bytes();
        judge_with(&other, &bundle, &rule(&github()).into(), &options()).expect("accepted at home");
        let found = judge_with(&instance(), &bundle, &rule(&github()).into(), &options());
        assert_eq!(found.err(), Some(code));
    }
}

#[test]
fn case_47_bundle_with_a_root_of_its_own() {
    let signing = Signing::keyless(github()).version(BundleVersion::V02);
    refused_as(Broken::RootInBundle, &signing, "certificate.root_in_bundle");
}

#[test]
fn case_47_self_signed_leaf() {
    refused(Broken::SelfSignedLeaf, "certificate.chain");
}

#[test]
fn a_leaf_that_its_issuer_did_not_sign() {
    refused(Broken::SignatureOfOtherKey, "certificate.chain");
}

#[test]
fn a_leaf_over_another_key_than_the_signers() {
    refused(Broken::KeyNotTheSigners, "signature.invalid");
}

#[test]
fn bytes_after_a_certificate() {
    refused(Broken::TrailingBytes, "certificate.malformed");
}

#[test]
fn case_49_intermediate_or_root_expired_while_the_leaf_was_valid() {
    refused(Broken::IntermediateExpired, "certificate.outside_validity");
    refused(Broken::RootExpired, "certificate.outside_validity");
}

#[test]
fn case_50_leaf_not_for_signing_code() {
    refused(Broken::UsageMissing, "certificate.not_for_code_signing");
    refused(Broken::UsageServer, "certificate.not_for_code_signing");
    refused(Broken::UsageAny, "certificate.any_usage");
    refused(Broken::LeafIsAuthority, "certificate.authority");
}

#[test]
fn case_51_unknown_critical_and_duplicate_extensions() {
    refused(Broken::UnknownCriticalExtension, "certificate.critical_extension");
    refused(Broken::DuplicateName, "certificate.duplicate_extension");
    refused(Broken::DuplicateClaim, "certificate.duplicate_extension");
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
fn case_59_the_two_issuers_disagree() {
    refused(Broken::IssuersDisagree, "certificate.issuers_disagree");
    refused(Broken::IssuerMissing, "certificate.issuer_missing");
    refused(Broken::IssuerEmpty, "certificate.issuer_missing");
}

#[test]
fn case_60_claims_in_another_encoding() {
    for defect in [
        Broken::RawTextInDerClaim,
        Broken::DerInRawClaim,
        Broken::ClaimOfOtherStringType,
        Broken::ClaimWithTrailingBytes,
    ] {
        refused(defect, "certificate.claim");
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
fn signed_certificate_timestamps_must_be_there_and_right() {
    refused(Broken::SctMissing, "sct.missing");
    refused(Broken::SctOfUnknownLog, "sct.log_unknown");
    refused(Broken::SctOfOtherCertificate, "sct.signature");
    refused(Broken::SctOfOtherIssuer, "sct.signature");
    refused(Broken::SctLogRetired, "sct.outside_window");
}

#[test]
fn certificates_without_timestamps_can_be_asked_for_explicitly() {
    let instance = instance().with(Broken::SctMissing);
    let mut options = options();
    options.sct = SctRequirement::DangerouslySkipped {
        reason: "a private authority without certificate log".to_owned(),
    };
    let bundle = sign(&instance, &Signing::keyless(github())).bytes();
    let verified = judge_with(&instance, &bundle, &rule(&github()).into(), &options).expect("accepted");
    assert!(
        verified
            .checks()
            .iter()
            .any(|check| format!("{check:?}").contains("without certificate log"))
    );
}

#[test]
fn case_69_two_timestamps_of_one_certificate_log() {
    let signing = Signing::keyless(github());
    let two = Instance::new(
        1,
        InstanceOptions {
            certificate_logs: 2,
            ..InstanceOptions::default()
        },
    );
    let judge = |instance: &Instance| {
        judge_with(
            instance,
            &sign(instance, &signing).bytes(),
            &rule(&github()).into(),
            &scts(2),
        )
        .map(drop)
    };
    assert_eq!(judge(&two), Ok(()));
    assert_eq!(
        judge(&instance().with(Broken::SctTwice)),
        Err("sct.too_few_operators")
    );
    // One timestamp, although two authorities of one name could have issued the certificate.
    let namesake = InstanceOptions {
        namesake_authority: true,
        ..InstanceOptions::default()
    };
    assert_eq!(judge(&Instance::new(1, namesake)), Err("sct.too_few_operators"));
}

#[test]
fn case_69_two_certificate_logs_of_one_operator() {
    let two = Instance::new(
        1,
        InstanceOptions {
            certificate_logs: 2,
            ..InstanceOptions::default()
        },
    );
    let bundle = sign(&two, &Signing::keyless(github())).bundle();
    let mut root = two.trusted_root_value();
    root["ctlogs"][1]["operator"] = root["ctlogs"][0]["operator"].clone();
    let root = touchmark_verify::trust::TrustedRoot::parse(root.to_string().as_bytes()).expect("a good root");
    let error = touchmark_verify::verify::verify(&bundle, &rule(&github()).into(), &root, &scts(2));
    assert_eq!(error.expect_err("one operator").code(), "sct.too_few_operators");
}

#[test]
fn case_70_timestamps_with_extensions() {
    let options = InstanceOptions {
        sct_extensions: true,
        ..InstanceOptions::default()
    };
    judge(&Instance::new(1, options), &Signing::keyless(github())).expect("accepted");
}

#[test]
fn case_71_two_intermediates_of_one_name() {
    let options = InstanceOptions {
        namesake_authority: true,
        ..InstanceOptions::default()
    };
    for version in [BundleVersion::V02, BundleVersion::V03] {
        let signing = Signing::keyless(github()).version(version);
        judge(&Instance::new(1, options.clone()), &signing).expect("accepted by the one that signed");
    }
}

#[test]
fn case_72_a_hundred_cross_signed_authorities() {
    let signing = Signing::keyless(github()).version(BundleVersion::V02);
    refused_as(Broken::HundredIntermediates, &signing, "bundle.certificate_count");
    // As many as a bundle may carry, each of which could have issued every other: the search ends, without a path.
    let signed = sign(&instance().with(Broken::HundredIntermediates), &signing);
    let stranger = sign(&instance().with(Broken::UnknownRoot), &signing);
    let mut bundle = signed.json.clone();
    let chain = &mut bundle["verificationMaterial"]["x509CertificateChain"]["certificates"];
    chain[0] = stranger.json["verificationMaterial"]["x509CertificateChain"]["certificates"][0].clone();
    chain.as_array_mut().expect("a list").truncate(16);
    for part in [
        "dsseEnvelope",
        "/verificationMaterial/tlogEntries",
        "/verificationMaterial/timestampVerificationData",
    ] {
        let pointer = format!("/{}", part.trim_start_matches('/'));
        let good = stranger.json.pointer(&pointer).expect("it is there").clone();
        *bundle.pointer_mut(&pointer).expect("it is there") = good;
    }
    let found = judge_with(
        &instance(),
        bundle.to_string().as_bytes(),
        &rule(&github()).into(),
        &options(),
    );
    assert_eq!(found.err(), Some("certificate.chain"));
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
