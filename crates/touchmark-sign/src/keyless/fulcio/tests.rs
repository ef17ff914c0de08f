//! Certificates that are right in themselves, held against what was asked for.

use serde_json::{Value, json};
use touchmark_testkit::sigstore::{
    CertificateDefect, GithubRun, Identity, Instance, InstanceOptions, SIGNED_AT, San, email_claims,
    github_claims,
};
use zeroize::Zeroizing;

use super::*;
use crate::keyless::testing::{client, serve};
use crate::keyless::token::Expected;
use touchmark_verify::key::KeyAlgorithm;

const ISSUER: &str = "https://accounts.example.test";
const ALICE: &str = "alice@example.test";

fn clock() -> Timestamp {
    Timestamp::from_unix(SIGNED_AT).unwrap()
}

fn token(claims: &Value) -> IdentityToken {
    let text = crate::keyless::testing::token(claims);
    let expected = Expected {
        audience: "sigstore",
        at: clock(),
    };
    IdentityToken::parse(Zeroizing::new(text), &expected).unwrap()
}

/// Holds a certificate for this identity against a token of these claims.
fn code_of(
    instance: &Instance,
    (claims, challenge): (&Value, Challenge),
    identity: &Identity,
    logs: CertificateLogs,
) -> &'static str {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256Sha256).unwrap();
    let request = CertificateRequest {
        url: &"http://127.0.0.1:9".parse().unwrap(),
        token: &token(claims),
        key: &key,
        root: &instance.trusted_root(),
        certificate_logs: logs,
        clock: &clock,
        deadline: Deadline::after(std::time::Duration::from_secs(5)),
    };
    let answer = wire::Answer {
        leaf: instance.issue(identity, key.public_key().spki_der(), SIGNED_AT),
        has_detached_timestamp: false,
    };
    certificate::verify(&answer, &request, &challenge).map_or_else(|error| error.code(), |_| "ok")
}

fn instance() -> Instance {
    Instance::new(3, InstanceOptions::default())
}

fn by_email() -> Challenge {
    Challenge::Email(ALICE.to_owned())
}

#[test]
fn case_234_a_person_s_certificate_names_address_issuer_and_subject() {
    let instance = instance();
    let claims = email_claims(ISSUER, ALICE, SIGNED_AT);
    let code = |identity: &Identity| {
        code_of(
            &instance,
            (&claims, by_email()),
            identity,
            CertificateLogs::Required,
        )
    };
    let good = Identity::email(ALICE, ISSUER);
    assert_eq!(code(&good), "ok");
    assert_eq!(
        code(&Identity::email("Alice@example.test", ISSUER)),
        "fulcio.other_identity"
    );
    assert_eq!(
        code(&Identity::email(ALICE, "https://elsewhere.example")),
        "fulcio.other_issuer"
    );
    assert_eq!(
        code(&good.clone().with_claim(24, "somebody else")),
        "fulcio.other_identity"
    );
    let as_uri = good.with_san(San::Uri(format!("mailto:{ALICE}")));
    assert_eq!(code(&as_uri), "fulcio.other_identity");
}

#[test]
fn case_234_a_job_s_certificate_names_its_workflow() {
    let instance = instance();
    let run = GithubRun::default();
    let claims = github_claims(ISSUER, &run, SIGNED_AT);
    let challenge = || Challenge::Subject(run.subject());
    let code = |run: &GithubRun, san: Option<&str>| {
        let mut identity = run.identity();
        ISSUER.clone_into(&mut identity.issuer);
        if let Some(san) = san {
            identity = identity.with_san(San::Uri(san.to_owned()));
        }
        code_of(
            &instance,
            (&claims, challenge()),
            &identity,
            CertificateLogs::Required,
        )
    };
    assert_eq!(code(&run, None), "ok");
    let other = GithubRun {
        workflow_path: ".github/workflows/release.yml".to_owned(),
        subject: Some(run.subject()),
        ..run.clone()
    };
    assert_eq!(code(&other, None), "fulcio.other_identity");
    let glued = format!("https://github.com/evil{}", run.workflow_ref());
    assert_eq!(code(&run, Some(&glued)), "fulcio.other_identity");
    // Without its host it is no URI at all.
    assert_eq!(code(&run, Some(&run.workflow_ref())), "certificate.text");
}

#[test]
fn an_instance_without_certificate_log_is_believed_only_where_it_is_known_to_have_none() {
    let bare = instance().with(CertificateDefect::SctMissing);
    let claims = email_claims(ISSUER, ALICE, SIGNED_AT);
    let identity = Identity::email(ALICE, ISSUER);
    let code = |logs| code_of(&bare, (&claims, by_email()), &identity, logs);
    assert_eq!(code(CertificateLogs::Required), "sct.missing");
    assert_eq!(code(CertificateLogs::None), "ok");
    let stranger = instance().with(CertificateDefect::UnknownRoot);
    let code = code_of(&stranger, (&claims, by_email()), &identity, CertificateLogs::None);
    assert_eq!(code, "certificate.chain");
}

#[test]
fn workloads_are_named_by_their_own_parts() {
    let instance = instance();
    let base = json!({ "iss": ISSUER, "aud": "sigstore", "exp": SIGNED_AT + 60 });
    for (subject, claims, name, fits) in [
        (
            "s",
            json!({ "ci_config_ref_uri": "gitlab.com/a/b//.gitlab-ci.yml@refs/heads/main" }),
            "https://gitlab.com/a/b//.gitlab-ci.yml@refs/heads/main",
            true,
        ),
        (
            "s",
            json!({ "organization_slug": "acme", "pipeline_slug": "app" }),
            "https://buildkite.com/acme/app",
            true,
        ),
        (
            "s",
            json!({ "organization_slug": "acme", "pipeline_slug": "app" }),
            "https://buildkite.com/acme/other",
            false,
        ),
        (
            "system:serviceaccount:ns:bot",
            json!({}),
            "https://kubernetes.io/namespaces/ns/serviceaccounts/bot",
            true,
        ),
        (
            "system:serviceaccount:ns:bot",
            json!({}),
            "https://kubernetes.io/namespaces/ns/serviceaccounts/root",
            false,
        ),
        (
            "spiffe://example.org/agent",
            json!({}),
            "spiffe://example.org/agent",
            true,
        ),
        (
            "spiffe://example.org/agent",
            json!({}),
            "spiffe://example.org/other",
            false,
        ),
        ("whoever", json!({}), "https://anything.example/", false),
    ] {
        let mut all = base.clone();
        all["sub"] = json!(subject);
        for (key, value) in claims.as_object().unwrap() {
            all[key] = value.clone();
        }
        let identity = Identity::email("x", ISSUER).with_san(San::Uri(name.to_owned()));
        let challenge = Challenge::Subject(subject.to_owned());
        let code = code_of(&instance, (&all, challenge), &identity, CertificateLogs::Required);
        assert_eq!(code == "ok", fits, "{subject} {name}: {code}");
    }
}

#[test]
fn the_instance_says_which_claim_it_wants_proven_where_the_token_leaves_a_choice() {
    let configuration = |claim: &'static str| {
        serve(move |seen| {
            assert_eq!(seen.target, "/api/v2/configuration");
            let body = json!({ "issuers": [
                { "issuerUrl": "https://other.example", "challengeClaim": "other" },
                { "issuerUrl": ISSUER, "audience": "sigstore", "challengeClaim": claim },
            ]});
            (200, "application/json", body.to_string().into_bytes())
        })
    };
    let asked = |url: &Url, claims: &Value| {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256Sha256).unwrap();
        let request = CertificateRequest {
            url,
            token: &token(claims),
            key: &key,
            root: &instance().trusted_root(),
            certificate_logs: CertificateLogs::Required,
            clock: &clock,
            deadline: Deadline::after(std::time::Duration::from_secs(5)),
        };
        challenge::of(&client(), &request)
    };
    let claims = email_claims(ISSUER, ALICE, SIGNED_AT);
    let subject = claims["sub"].as_str().unwrap().to_owned();
    assert_eq!(asked(&configuration("email").url, &claims).unwrap(), by_email());
    assert_eq!(
        asked(&configuration("sub").url, &claims).unwrap(),
        Challenge::Subject(subject)
    );
    assert_eq!(
        asked(&configuration("phone").url, &claims).unwrap_err().code(),
        "fulcio.challenge"
    );
    assert_eq!(asked(&configuration("").url, &claims).unwrap(), by_email());
    let broken = serve(|_| (200, "application/json", b"[]".to_vec()));
    assert_eq!(
        asked(&broken.url, &claims).unwrap_err().code(),
        "fulcio.malformed"
    );
    let down = serve(|_| (503, "text/plain", Vec::new()));
    assert!(asked(&down.url, &claims).unwrap_err().is_outage());
    // Without an address there is nothing to ask.
    let nobody: Url = "http://127.0.0.1:9".parse().unwrap();
    let mut job = claims.clone();
    job["email"] = Value::Null;
    assert!(matches!(asked(&nobody, &job).unwrap(), Challenge::Subject(_)));
}

#[test]
fn a_timestamp_beside_the_certificate_and_an_answer_of_two_minds_are_refused() {
    let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let chain = json!({ "chain": { "certificates": [pem] } });
    let parse = |value: Value| wire::parse(value.to_string().as_bytes());
    let embedded = parse(json!({ "signedCertificateEmbeddedSct": chain })).unwrap();
    assert!(!embedded.has_detached_timestamp);
    let mut detached = chain.clone();
    detached["signedCertificateTimestamp"] = json!("AAAA");
    assert!(
        parse(json!({ "signedCertificateDetachedSct": detached }))
            .unwrap()
            .has_detached_timestamp
    );
    // An instance without certificate log answers like this.
    detached["signedCertificateTimestamp"] = json!("");
    assert!(
        !parse(json!({ "signedCertificateDetachedSct": detached }))
            .unwrap()
            .has_detached_timestamp
    );
    let both = json!({ "signedCertificateEmbeddedSct": chain, "signedCertificateDetachedSct": chain });
    for bad in [
        both,
        json!({}),
        json!({ "signedCertificateEmbeddedSct": { "chain": { "certificates": ["x"] } } }),
    ] {
        assert_eq!(
            parse(bad.clone()).unwrap_err().code(),
            "fulcio.malformed",
            "{bad}"
        );
    }
}

#[test]
fn a_refusal_s_reason_is_shown_if_it_is_plain_and_holds_no_token() {
    let reason = |text: &str| wire::refusal(json!({ "code": 3, "message": text }).to_string().as_bytes());
    assert_eq!(
        reason("There was an error").as_deref(),
        Some("There was an error")
    );
    for hidden in ["bad token eyJhbGciOi", "a\nb", "\u{1b}[2J", "", &"x".repeat(401)] {
        assert_eq!(reason(hidden), None, "{hidden:?}");
    }
}
