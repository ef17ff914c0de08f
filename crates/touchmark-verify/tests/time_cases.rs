//! Catalogue: time. Every case begins with a good keyless bundle and breaks one thing.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::*;
use touchmark_testkit::sigstore::certificate::{Authority, CODE_SIGNING, TIME_STAMPING, Validity};
use touchmark_testkit::sigstore::tsa::{TimestampAuthority, TokenPlan};
use touchmark_testkit::sigstore::{
    Instance, InstanceOptions, Key, LEAF_SECONDS, LogKind, SIGNED_AT, Scheme, Signing, TimeDefect as Broken,
};
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::key::PublicKey;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verified::{CheckOutcome, TimeSource};
use touchmark_verify::verify::{VerifyOptions, verify};
use touchmark_verify::window::Window;

const END: i64 = SIGNED_AT + LEAF_SECONDS;

#[test]
fn case_104_token_over_the_artifact_or_over_another_signature() {
    refused(Broken::TokenOverArtifact, "time.timestamp_imprint");
    refused(Broken::TokenOverOtherSignature, "time.timestamp_imprint");
}

#[test]
fn case_105_token_outside_the_certificates_validity() {
    refused(Broken::TokenAfterCertificate, "certificate.outside_validity");
    refused(Broken::TokenBeforeCertificate, "certificate.outside_validity");
}

#[test]
fn case_105_token_at_the_first_and_at_the_last_second() {
    for at in [SIGNED_AT, END] {
        judge(&instance(), &Signing::keyless(github()).timestamps(&[(0, at)])).expect("accepted");
    }
}

#[test]
fn case_106_token_of_another_signer_than_the_pinned_one() {
    refused(Broken::TokenOfUnpinnedSigner, "time.authority_unknown");
    refused(Broken::TokenWithDecoyCertificate, "time.authority_unknown");
    refused(Broken::TokenSignatureOfOtherKey, "time.timestamp_signature");
    refused(Broken::TokenOfUnknownAuthority, "time.authority_unknown");
}

/// A good bundle whose timestamp is made as planned, judged by a root that names the authority without its signer.
fn by_the_authority_s_root(
    plan: impl FnOnce(&TimestampAuthority, &mut TokenPlan),
) -> Result<(), &'static str> {
    let instance = instance();
    let mut signed = sign(&instance, &Signing::keyless(github()));
    let authority = &instance.timestamp_authorities[0];
    let mut planned = TokenPlan::good(authority, SIGNED_AT + 2);
    plan(authority, &mut planned);
    let token = STANDARD.encode(authority.answer(signed.bundle().signature(), &planned));
    let timestamps = &mut signed.json["verificationMaterial"]["timestampVerificationData"];
    timestamps["rfc3161Timestamps"][0]["signedTimestamp"] = token.into();
    let mut root = instance.trusted_root_value();
    let chain = &mut root["timestampAuthorities"][0]["certChain"]["certificates"];
    chain.as_array_mut().expect("a list").remove(0);
    let root = TrustedRoot::parse(root.to_string().as_bytes()).expect("a good root");
    verify(&signed.bundle(), &rule(&github()).into(), &root, &options())
        .map(drop)
        .map_err(|error| error.code())
}

/// Another signer that the authority's root certified for these usages.
fn signer(authority: &TimestampAuthority, usages: &[&str], critical: bool) -> Authority {
    let validity = Validity {
        from: SIGNED_AT - 86_400,
        to: SIGNED_AT + 86_400,
    };
    authority.signer_for(
        Key::named(Scheme::P256, "another signer"),
        validity,
        (usages, critical),
    )
}

#[test]
fn case_106_and_107_the_certificate_that_signed_is_the_one_that_is_judged() {
    // Without a pinned signer, the one that the token carries and names counts, wherever it stands in the bag.
    assert_eq!(by_the_authority_s_root(|_, _| {}), Ok(()));
    let with_decoy = |authority: &TimestampAuthority, plan: &mut TokenPlan| {
        plan.certificates
            .insert(0, signer(authority, &[TIME_STAMPING], true).certificate);
    };
    assert_eq!(by_the_authority_s_root(with_decoy), Ok(()));
    // A signer that may not, behind a certificate that may.
    for (usages, critical) in [
        (&[TIME_STAMPING][..], false),
        (&[CODE_SIGNING][..], true),
        (&[][..], false),
    ] {
        let judged = by_the_authority_s_root(|authority, plan| {
            let other = signer(authority, usages, critical);
            plan.certificates.push(other.certificate.clone());
            plan.named_signer = Some(other);
        });
        assert_eq!(judged, Err("time.timestamp_usage"), "{usages:?} {critical}");
    }
    // Nobody's certificate, or that of somebody whom another root certified.
    let judged = by_the_authority_s_root(|_, plan| plan.certificates.clear());
    assert_eq!(judged, Err("time.authority_unknown"));
    let judged = by_the_authority_s_root(|authority, plan| {
        let stranger = Authority::root(
            &authority.operator,
            "timestamp root",
            Key::named(Scheme::P256, "a stranger's root"),
            Validity {
                from: SIGNED_AT - 86_400,
                to: SIGNED_AT + 86_400,
            },
        );
        let stranger = TimestampAuthority {
            root: stranger,
            ..authority.clone()
        };
        let other = signer(&stranger, &[TIME_STAMPING], true);
        plan.certificates = vec![other.certificate.clone()];
        plan.named_signer = Some(other);
    });
    assert_eq!(judged, Err("time.timestamp_chain"));
}

#[test]
fn case_107_signer_without_a_critical_time_stamping_usage() {
    for defect in [
        Broken::SignerUsageNotCritical,
        Broken::SignerUsageMissing,
        Broken::SignerUsageNotAlone,
        Broken::SignerUsageOther,
    ] {
        refused(defect, "time.timestamp_usage");
    }
}

#[test]
fn windows_of_authorities_and_of_their_certificates_hold() {
    refused(Broken::AuthorityRetired, "time.outside_authority_window");
    refused(Broken::SignerOfOtherRoot, "time.timestamp_chain");
    refused(Broken::SignerExpired, "time.outside_certificate_validity");
}

#[test]
fn case_109_two_tokens_of_one_authority_count_once() {
    let asked = |timestamps| VerifyOptions {
        timestamps,
        ..options()
    };
    let judge = |instance: &Instance, signing: &Signing, count| {
        let bundle = sign(instance, signing).bytes();
        judge_with(instance, &bundle, &rule(&github()).into(), &asked(count)).map(drop)
    };
    let signing = Signing::keyless(github());
    let twice = instance().with(Broken::TwoTokensOfOneAuthority);
    assert_eq!(judge(&twice, &signing, 1), Ok(()));
    assert_eq!(judge(&twice, &signing, 2), Err("time.too_few_operators"));
    let two = Instance::new(
        1,
        InstanceOptions {
            timestamp_authorities: 2,
            ..InstanceOptions::default()
        },
    );
    let both = signing.timestamps(&[(0, SIGNED_AT + 2), (1, SIGNED_AT + 3)]);
    assert_eq!(judge(&two, &both, 2), Ok(()));
    assert_eq!(judge(&two, &both, 3), Err("time.too_few_operators"));
}

#[test]
fn case_109_an_integrated_time_is_no_timestamp() {
    let signing = Signing::keyless(github()).log(LogKind::V1Dsse).timestamps(&[]);
    let instance = instance();
    let bundle = sign(&instance, &signing).bytes();
    let judge = |timestamps| {
        let options = VerifyOptions {
            timestamps,
            ..options()
        };
        judge_with(&instance, &bundle, &rule(&github()).into(), &options).map(drop)
    };
    assert_eq!(judge(0), Ok(()));
    assert_eq!(judge(1), Err("time.too_few_operators"));
}

#[test]
fn case_110_two_verified_times_of_which_one_is_outside() {
    refused(Broken::SecondTokenOutside, "certificate.outside_validity");
    let signing = Signing::keyless(github()).log(LogKind::V1Dsse);
    refused_as(
        Broken::IntegratedTimeOutside,
        &signing,
        "certificate.outside_validity",
    );
}

#[test]
fn case_111_weak_imprints_and_answers_that_grant_nothing() {
    refused(Broken::ImprintSha1, "time.timestamp_hash");
    refused(Broken::StatusRejected, "time.timestamp_not_granted");
    refused(Broken::StatusNotGrantedWithToken, "time.timestamp_not_granted");
    refused(Broken::TrailingBytes, "time.timestamp_malformed");
}

#[test]
fn case_112_an_integrated_time_that_nobody_signed_is_no_time() {
    refused(Broken::OnlyIntegratedTimeOfV2, "certificate.no_verified_time");
    let v1 = Signing::keyless(github()).log(LogKind::V1Dsse);
    refused_as(
        Broken::OnlyIntegratedTimeWithoutPromise,
        &v1,
        "certificate.no_verified_time",
    );
    refused(Broken::NoTime, "certificate.no_verified_time");
    refused_as(Broken::NoTime, &v1, "certificate.no_verified_time");
}

#[test]
fn case_112_an_integrated_time_in_a_v2_entry_is_ignored() {
    let instance = instance();
    let mut signed = sign(&instance, &Signing::keyless(github()));
    // Far outside of everything: if it counted, the certificate would not be valid.
    signed.entry()["integratedTime"] = "1".into();
    let verified = judge_with(&instance, &signed.bytes(), &rule(&github()).into(), &options());
    let verified = verified.expect("accepted");
    let [time] = verified.verified_times() else {
        panic!("one time")
    };
    assert!(matches!(time.source, TimeSource::TimestampAuthority { .. }));
    let ignored = verified
        .checks()
        .iter()
        .find(|check| check.name == "time.integrated");
    assert!(matches!(
        ignored.map(|check| &check.outcome),
        Some(CheckOutcome::Skipped { .. })
    ));
}

#[test]
fn case_114_times_that_are_not_written_as_they_must_be() {
    for defect in [
        Broken::TimeWithoutZ,
        Broken::TimeWithOffset,
        Broken::TimeWithLeapSecond,
        Broken::TimeWithoutSeconds,
        Broken::TimeWithTrailingZero,
        Broken::TimeNoSuchDay,
    ] {
        refused(defect, "time.timestamp_malformed");
    }
    refused(Broken::TimeYear9999, "time.outside_certificate_validity");
}

/// A managed key that is accepted in a window, and the bundle that it signed with a timestamp at `at`.
fn windowed(instance: &Instance, window: Window, timestamps: &[(usize, i64)]) -> (Vec<u8>, ExpectedSigners) {
    let key = instance.key(Scheme::P256, "managed");
    let public = PublicKey::from_spki_der(&key.spki()).expect("a key");
    let mut ring = KeyRing::new();
    ring.allow_within(public.fingerprint(), window);
    ring.name(&touchmark_testkit::sigstore::hint(&key), public.fingerprint());
    ring.add_key(public);
    let signing = Signing::with_key(key).timestamps(timestamps);
    (sign(instance, &signing).bytes(), ring.into())
}

#[test]
fn case_115_a_key_outside_its_declared_window() {
    let window = Window {
        start: at(SIGNED_AT - 100),
        end: Some(at(SIGNED_AT + 100)),
    };
    let instance = instance();
    let judge = |timestamps: &[(usize, i64)]| {
        let (bundle, expected) = windowed(&instance, window, timestamps);
        judge_with(&instance, &bundle, &expected, &options()).map(drop)
    };
    for inside in [-100, 0, 100] {
        assert_eq!(judge(&[(0, SIGNED_AT + inside)]), Ok(()));
    }
    for outside in [-101, 101] {
        assert_eq!(judge(&[(0, SIGNED_AT + outside)]), Err("signer.outside_window"));
    }
    assert_eq!(
        judge(&[(0, SIGNED_AT), (0, SIGNED_AT + 101)]),
        Err("signer.outside_window")
    );
    assert_eq!(judge(&[]), Err("signer.window_needs_time"));
}

#[test]
fn case_117_a_clock_one_year_ahead_changes_nothing() {
    const YEAR: i64 = 365 * 86_400;
    let instance = instance();
    for signing in [
        Signing::keyless(github()),
        Signing::keyless(github()).log(LogKind::V1Dsse),
    ] {
        let bundle = sign(&instance, &signing).bytes();
        let judge = |moment| {
            let options = VerifyOptions {
                at: at(moment),
                ..options()
            };
            judge_with(&instance, &bundle, &rule(&github()).into(), &options)
        };
        let now = judge(SIGNED_AT + 86_400).expect("accepted");
        let ahead = judge(SIGNED_AT + 86_400 + YEAR).expect("accepted a year later");
        assert_eq!(now.verified_times(), ahead.verified_times());
        assert_eq!(format!("{:?}", now.checks()), format!("{:?}", ahead.checks()));
        // A year behind: the good bundle is the same, as no clock says when it was signed.
        let behind = judge(SIGNED_AT + 86_400 - YEAR).map(drop);
        assert!(
            behind.is_ok() || behind == Err("tlog.outside_log_window"),
            "{behind:?}"
        );
    }
}
