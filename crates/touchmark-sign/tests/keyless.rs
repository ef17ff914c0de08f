//! Keyless signing against an in-process Sigstore: logins, certificates and signed times, right and wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use touchmark_http::{Client, Deadline, Options, Url};
use touchmark_sign::attestation::{self, SignedEnvelope};
use touchmark_sign::keyless::fulcio::FulcioError;
use touchmark_sign::keyless::login::{self, Login, LoginError, Person, Provider, Return};
use touchmark_sign::keyless::stamp::{self, Stamping};
use touchmark_sign::keyless::token::{DEFAULT_AUDIENCE, Expected, IdentityToken};
use touchmark_sign::keyless::{KeylessRequest, KeylessSigner};
use touchmark_sign::{PrivateKey, Signer as _};
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::predicate::Predicate;
use touchmark_statement::statement::{ResourceDescriptor, Statement};
use touchmark_statement::timestamp::Timestamp;
use touchmark_testkit::sigstore::serve::Served;
use touchmark_testkit::sigstore::{
    Fault, GithubRun, Instance, InstanceOptions, Route, SIGNED_AT, email_claims,
};
use touchmark_verify::evidence::SignerId;
use touchmark_verify::issued::CertificateLogs;
use touchmark_verify::key::KeyAlgorithm;
use zeroize::Zeroizing;

const ALICE: &str = "alice@example.test";

fn served() -> Served {
    Instance::new(7, InstanceOptions::default()).serve()
}

fn client() -> Client {
    Client::new(Options::default()).unwrap()
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

fn clock() -> Timestamp {
    Timestamp::from_unix(SIGNED_AT).unwrap()
}

fn token(text: &str) -> IdentityToken {
    let expected = Expected {
        audience: DEFAULT_AUDIENCE,
        at: clock(),
    };
    IdentityToken::parse(Zeroizing::new(text.to_owned()), &expected).unwrap()
}

fn signer(served: &Served, token: &IdentityToken) -> Result<KeylessSigner, FulcioError> {
    let request = KeylessRequest {
        certificate_authority: &served.urls().fulcio.parse().unwrap(),
        token,
        root: &served.instance().trusted_root(),
        certificate_logs: CertificateLogs::Required,
        clock: &clock,
        deadline: soon(),
    };
    KeylessSigner::request(&client(), &request)
}

fn statement(text: &str) -> Statement {
    let digest = DigestSet::of_sha256(Sha256Digest::of(text.as_bytes()));
    let predicate = Predicate::Other {
        predicate_type: "https://example.org/said/v1".to_owned(),
        value: json!({ "said": text }),
    };
    Statement::new(vec![ResourceDescriptor::new("a thing", digest)], predicate)
}

fn stamped(
    served: &Served,
    signed: &SignedEnvelope,
    signer: Option<&KeylessSigner>,
) -> Result<Vec<Vec<u8>>, touchmark_sign::keyless::tsa::TsaError> {
    let urls: Vec<Url> = served
        .urls()
        .timestamps
        .iter()
        .map(|url| url.parse().unwrap())
        .collect();
    let authorities: Vec<&Url> = urls.iter().collect();
    let stamping = Stamping {
        signed,
        certificate: signer.map(KeylessSigner::certificate),
        certificate_logs: CertificateLogs::Required,
        authorities: &authorities,
        root: &served.instance().trusted_root(),
        clock: &clock,
        deadline: soon(),
    };
    stamp::timestamps(&client(), &stamping)
}

#[test]
fn one_certificate_signs_several_statements_while_its_window_holds() {
    let served = served();
    let signer = signer(&served, &token(&served.email_token(ALICE))).unwrap();
    assert_eq!(
        signer.signer_id(),
        SignerId::of_identity(signer.certificate().identity())
    );
    for text in ["one", "two", "three"] {
        let signed = attestation::sign(&statement(text), &signer).unwrap();
        assert_eq!(stamped(&served, &signed, Some(&signer)).unwrap().len(), 1);
    }
    assert_eq!(served.requests(Route::SigningCert).len(), 1);
    let at = |seconds| Timestamp::from_unix(SIGNED_AT + seconds).unwrap();
    assert!(signer.holds_at(at(0)) && signer.holds_at(at(540)));
    assert!(!signer.holds_at(at(541)) && !signer.holds_at(at(6000)));
    // The proof of possession is over the address, and the key is nowhere but in memory.
    let sent: Value = serde_json::from_slice(&served.requests(Route::SigningCert)[0].body).unwrap();
    assert!(
        sent["publicKeyRequest"]["publicKey"]["content"]
            .as_str()
            .unwrap()
            .starts_with("-----BEGIN PUBLIC KEY")
    );
    assert!(!format!("{signer:?}").contains("PRIVATE"));
}

#[test]
fn managed_keys_of_every_kind_are_stamped_too() {
    let served = served();
    for algorithm in [KeyAlgorithm::EcdsaP256Sha256, KeyAlgorithm::EcdsaP384Sha384] {
        let key = PrivateKey::generate(algorithm).unwrap();
        let signed = attestation::sign(&statement("by a key"), &key).unwrap();
        let stamps = stamped(&served, &signed, None).unwrap();
        assert_eq!(stamps.len(), 1, "{algorithm}");
    }
}

#[test]
fn case_111_each_wrong_stamp_is_refused_by_its_code() {
    let served = served();
    let signer = signer(&served, &token(&served.email_token(ALICE))).unwrap();
    let signed = attestation::sign(&statement("late"), &signer).unwrap();
    for (fault, code) in [
        (Fault::OtherEntry, "tsa.other_imprint"),
        (Fault::OtherNonce, "tsa.other_nonce"),
        (Fault::OtherTime(SIGNED_AT + 601), "certificate.outside_validity"),
        (Fault::Status(404), "tsa.refused"),
        (Fault::Truncated, "tsa.malformed"),
        (Fault::Body(Vec::new()), "tsa.malformed"),
        (Fault::Status(502), "http.status"),
    ] {
        served.fault(Route::Timestamp, fault.clone());
        let error = stamped(&served, &signed, Some(&signer)).unwrap_err();
        assert_eq!(error.code(), code, "{fault:?}");
        assert_eq!(error.is_outage(), code == "http.status", "{fault:?}");
    }
}

#[test]
fn case_234_each_wrong_certificate_is_refused_by_its_code() {
    let served = served();
    let alice = token(&served.email_token(ALICE));
    for (fault, code) in [
        (Fault::OtherEntry, "fulcio.other_key"),
        (Fault::OtherIdentity, "fulcio.other_identity"),
        (Fault::OtherTime(SIGNED_AT - 601), "fulcio.window"),
        (Fault::OtherTime(SIGNED_AT + 61), "fulcio.window"),
        (Fault::Status(400), "fulcio.refused"),
        (Fault::Body(b"[]".to_vec()), "fulcio.malformed"),
        (
            Fault::Body(b"{\"signedCertificateEmbeddedSct\":{\"chain\":{\"certificates\":[]}}}".to_vec()),
            "fulcio.malformed",
        ),
        (Fault::Status(429), "http.status"),
    ] {
        served.fault(Route::SigningCert, fault.clone());
        let error = signer(&served, &alice).unwrap_err();
        assert_eq!(error.code(), code, "{fault:?}");
        assert_eq!(error.is_outage(), code == "http.status", "{fault:?}");
        assert!(!format!("{error:?}").contains(alice.secret()), "{fault:?}");
    }
    served.clear_faults();
    // The authority's clock may be a minute ahead of ours.
    served.fault(Route::SigningCert, Fault::OtherTime(SIGNED_AT + 60));
    signer(&served, &alice).unwrap();
}

#[test]
fn a_job_s_token_with_an_e_mail_address_is_proven_by_its_subject() {
    let served = served();
    let run = GithubRun::default();
    let mut claims: Value = {
        let text = served.github_token(&run);
        let body = text.split('.').nth(1).unwrap().to_owned();
        use base64::Engine as _;
        serde_json::from_slice(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD
                .decode(body)
                .unwrap(),
        )
        .unwrap()
    };
    claims["email"] = json!(ALICE);
    claims["email_verified"] = json!(true);
    let job = token(&served.instance().token(&claims));
    let signer = signer(&served, &job).unwrap();
    let name = format!("https://github.com/{}", run.workflow_ref());
    assert_eq!(signer.certificate().identity().san.as_str(), name);
}

#[test]
fn an_address_that_nobody_verified_gets_no_certificate() {
    let served = served();
    let mut claims = email_claims(&served.urls().issuer, ALICE, SIGNED_AT);
    claims["email_verified"] = json!(false);
    let error = signer(&served, &token(&served.instance().token(&claims))).unwrap_err();
    assert_eq!(error.code(), "token.email_not_verified");
    assert!(served.requests(Route::SigningCert).is_empty());
}

/// Asks an address without following where it leads; returns the head and the body.
fn ask(address: &str) -> (String, String) {
    let rest = address.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host.replace("localhost", "127.0.0.1")).unwrap();
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// A person with a browser, who may be led astray.
struct Browser {
    change: fn(String) -> String,
}

impl Person for Browser {
    fn open(&mut self, address: &str) {
        let (head, _) = ask(address);
        let location = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .starts_with("location: ")
                    .then(|| line[10..].to_owned())
            })
            .unwrap();
        let location = (self.change)(location);
        std::thread::spawn(move || {
            // Browsers ask for an icon, too.
            let root = location.split("/auth/").next().unwrap();
            assert!(ask(&format!("{root}/favicon.ico")).0.starts_with("HTTP/1.1 404"));
            ask(&location);
        });
    }

    fn ask_code(&mut self, address: &str) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(ask(address).1 + "\n"))
    }
}

fn log_in(served: &Served, back: Return, change: fn(String) -> String) -> Result<IdentityToken, LoginError> {
    let issuer: Url = served.urls().issuer.parse().unwrap();
    let client = client();
    let provider = Provider::discover(&client, &issuer, soon())?;
    let login = Login {
        provider: &provider,
        audience: DEFAULT_AUDIENCE,
        back,
        deadline: soon(),
        clock: &clock,
    };
    login::log_in(&client, &login, &mut Browser { change })
}

#[test]
fn a_person_logs_in_by_browser_and_by_code() {
    let served = served();
    served.set_person(ALICE);
    for back in [Return::Browser, Return::OutOfBand] {
        let found = log_in(&served, back, |location| location).unwrap();
        assert_eq!(found.claims().identity(), ALICE, "{back:?}");
        signer(&served, &found).unwrap();
    }
    let asked = &served.requests(Route::Authorize)[0];
    assert_eq!(asked.parameter("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(asked.parameter("client_id").as_deref(), Some("sigstore"));
    let fresh: Vec<_> = served
        .requests(Route::Authorize)
        .iter()
        .map(|seen| seen.parameter("nonce"))
        .collect();
    assert_ne!(fresh[0], fresh[1]);
}

#[test]
fn an_answer_to_another_login_is_refused() {
    let served = served();
    let strip = |location: String| location.split("&state=").next().unwrap().to_owned();
    assert_eq!(
        log_in(&served, Return::Browser, strip).unwrap_err().code(),
        "login.state"
    );
    let other = |location: String| location.replace("&state=", "&state=x");
    assert_eq!(
        log_in(&served, Return::Browser, other).unwrap_err().code(),
        "login.state"
    );
    let twice = |location: String| format!("{location}&state=x");
    assert_eq!(
        log_in(&served, Return::Browser, twice).unwrap_err().code(),
        "login.state"
    );
    let denied = |location: String| location.replace("code=", "error=access_denied&was=");
    assert_eq!(
        log_in(&served, Return::Browser, denied).unwrap_err().code(),
        "login.denied"
    );
    let none = |location: String| location.replace("code=", "was=");
    assert_eq!(
        log_in(&served, Return::Browser, none).unwrap_err().code(),
        "login.no_code"
    );
    // Nobody's code reached the provider.
    assert!(served.requests(Route::Token).is_empty());
    let foreign = |location: String| location.replace("code=", "code=f");
    assert_eq!(
        log_in(&served, Return::Browser, foreign).unwrap_err().code(),
        "login.refused"
    );
}

#[test]
fn a_provider_that_answers_wrongly_is_refused() {
    let served = served();
    let issuer = served.urls().issuer.clone();
    let description = |change: fn(&mut Value)| {
        let mut wire = json!({
            "issuer": issuer, "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"), "code_challenge_methods_supported": ["S256"],
        });
        change(&mut wire);
        Fault::Body(wire.to_string().into_bytes())
    };
    for (fault, code) in [
        (
            description(|wire| wire["issuer"] = json!("https://elsewhere.example")),
            "login.other_issuer",
        ),
        (
            description(|wire| wire["code_challenge_methods_supported"] = json!(["plain"])),
            "login.no_pkce",
        ),
        (
            description(|wire| wire["token_endpoint"] = json!("http://elsewhere.example/")),
            "network.insecure_url",
        ),
        (Fault::Body(b"{}".to_vec()), "login.description"),
        (Fault::Status(500), "http.status"),
    ] {
        served.fault(Route::Discovery, fault.clone());
        assert_eq!(
            log_in(&served, Return::OutOfBand, |x| x).unwrap_err().code(),
            code,
            "{fault:?}"
        );
    }
    served.clear_faults();
    let stale = served.email_token(ALICE);
    served.fault(
        Route::Token,
        Fault::Body(json!({ "id_token": stale }).to_string().into_bytes()),
    );
    assert_eq!(
        log_in(&served, Return::OutOfBand, |x| x).unwrap_err().code(),
        "login.nonce"
    );
    let mut claims = email_claims(&issuer, ALICE, SIGNED_AT);
    claims["iss"] = json!("https://elsewhere.example");
    let foreign = served.instance().token(&claims);
    served.fault(
        Route::Token,
        Fault::Body(json!({ "id_token": foreign }).to_string().into_bytes()),
    );
    assert_eq!(
        log_in(&served, Return::OutOfBand, |x| x).unwrap_err().code(),
        "token.other_issuer"
    );
    served.fault(Route::Token, Fault::Body(b"{}".to_vec()));
    assert_eq!(
        log_in(&served, Return::OutOfBand, |x| x).unwrap_err().code(),
        "login.answer"
    );
}

#[test]
fn a_key_is_known_by_what_it_signed() {
    let served = served();
    let signer = signer(&served, &token(&served.email_token(ALICE))).unwrap();
    let signature = signer.sign(b"message").unwrap();
    signer
        .certificate()
        .public_key()
        .verify(b"message", &signature)
        .unwrap();
}
