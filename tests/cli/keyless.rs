//! Signing with an identity: every source of tokens, every wrong answer of a service, and what others verify.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use touchmark_testkit::sigstore::serve::Served;
use touchmark_testkit::sigstore::{
    CertificateDefect, ConfiguredLogs, Defect, Fault, GithubRun, Instance, InstanceOptions, Route,
    email_claims,
};

use crate::common::schema::assert_valid;
use crate::common::{AT, Outcome, Sandbox, contains, is_spool_entry};

/// The instance's time, [`crate::common::AT`] in seconds.
const NOW: i64 = 1_772_366_400;
const ALICE: &str = "alice@example.test";

/// A sandbox and an instance beside it, with the files that lead to it.
struct Place {
    sandbox: Sandbox,
    served: Served,
}

impl Place {
    fn new() -> Self {
        Self::of(Instance::new(1, InstanceOptions::default()))
    }

    fn with(defect: impl Into<Defect>) -> Self {
        Self::of(Instance::new(1, InstanceOptions::default()).with(defect))
    }

    fn of(instance: Instance) -> Self {
        let place = Self {
            sandbox: Sandbox::with_change(),
            served: instance.serve(),
        };
        place.served.set_time(NOW);
        place.configure(ConfiguredLogs::V2);
        place
    }

    fn configure(&self, logs: ConfiguredLogs) {
        fs::write(self.file("root.json"), self.served.instance().trusted_root_json()).unwrap();
        fs::write(self.file("signing.json"), self.served.signing_config_json(logs)).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.sandbox.path(name)
    }

    fn token_file(&self, token: &str) -> String {
        let file = self.file("token.jwt");
        fs::write(&file, token).unwrap();
        file.to_string_lossy().into_owned()
    }

    fn alice(&self) -> String {
        self.served.email_token(ALICE)
    }

    /// Runs `attest` against the instance with more flags and variables.
    fn attest(&self, flags: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let (root, signing) = (self.file("root.json"), self.file("signing.json"));
        let mut command = self
            .sandbox
            .command(["attest", "--base", "main", "--at", AT, "--yes"]);
        command
            .arg("--trusted-root")
            .arg(root)
            .arg("--signing-config")
            .arg(signing);
        command.args(flags).envs(variables.iter().copied());
        Outcome::of(command.output().unwrap())
    }

    fn bundle(&self) -> Value {
        let reference = &self.sandbox.evidence_refs()[0];
        serde_json::from_slice(&self.sandbox.evidence(reference)[0].1).unwrap()
    }

    /// Verifies what was filed as somebody would who expects this signer.
    fn verify(&self, identity: &str, issuer: &str) -> Outcome {
        let bundle = self.file("bundle.json");
        fs::write(&bundle, self.bundle().to_string()).unwrap();
        let mut command = self.sandbox.command(["verify", "--at", AT]);
        command
            .arg("--bundle")
            .arg(bundle)
            .arg("--trusted-root")
            .arg(self.file("root.json"));
        command.args([
            "--certificate-identity",
            identity,
            "--certificate-oidc-issuer",
            issuer,
        ]);
        Outcome::of(command.output().unwrap())
    }

    fn nothing_is_left(&self) {
        let spooled = self.sandbox.files("touchmark/data/spool");
        assert!(!spooled.iter().any(|(path, _)| is_spool_entry(path)));
        assert!(self.sandbox.evidence_refs().is_empty());
    }
}

#[test]
fn a_token_file_signs_and_anybody_verifies_it_by_name() {
    let place = Place::new();
    let token = place.token_file(&place.alice());
    let attested = place.attest(&["--identity-token", &token], &[]).ok();
    assert!(attested.stdout.starts_with("attested "), "{}", attested.stdout);
    let bundle = place.bundle();
    assert_eq!(
        bundle["mediaType"],
        "application/vnd.dev.sigstore.bundle.v0.3+json"
    );
    let material = &bundle["verificationMaterial"];
    assert!(material["certificate"]["rawBytes"].is_string() && material["publicKey"].is_null());
    assert_eq!(
        material["timestampVerificationData"]["rfc3161Timestamps"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let issuer = place.served.urls().issuer.clone();
    place.verify(ALICE, &issuer).ok();
    assert_ne!(place.verify("bob@example.test", &issuer).code, Some(0));
    assert_ne!(place.verify(ALICE, "https://elsewhere.example").code, Some(0));
    // The same again says nothing new: the identity is the same, whatever the key.
    let again = place.attest(&["--identity-token", &token], &[]).ok();
    assert!(again.stdout.starts_with("nothing new since "), "{}", again.stdout);
}

#[test]
fn neither_token_nor_key_is_written_or_shown_anywhere() {
    let place = Place::new();
    let token = place.alice();
    let done = place.attest(&["--identity-token", &token], &[]).ok();
    assert!(done.stderr.contains("can be seen by others"), "{}", done.stderr);
    let secret = token.rsplit('.').next().unwrap();
    assert!(!done.stdout.contains(secret) && !done.stderr.contains(secret));
    for folder in ["touchmark", "repo/.git"] {
        for (path, bytes) in place.sandbox.files(folder) {
            assert!(!contains(&bytes, secret.as_bytes()), "{}", path.display());
        }
    }
    // No key of the user's was made either.
    assert!(place.sandbox.files("touchmark/config/keys").is_empty());
}

#[test]
fn standard_input_a_variable_and_a_configured_file_give_tokens() {
    let place = Place::new();
    let token = place.alice();
    let issuer = place.served.urls().issuer.clone();
    place.attest(&[], &[("SIGSTORE_ID_TOKEN", &token)]).ok();
    place.verify(ALICE, &issuer).ok();

    let place = Place::new();
    let file = place.token_file(&place.alice());
    let home = place.file("touchmark/config");
    fs::create_dir_all(&home).unwrap();
    fs::write(
        home.join("config.toml"),
        format!("[sigstore]\nidentity-token-file = \"{file}\"\n"),
    )
    .unwrap();
    place.attest(&[], &[]).ok();
    let issuer = place.served.urls().issuer.clone();
    place.verify(ALICE, &issuer).ok();

    let place = Place::new();
    let file = place.token_file(&place.alice());
    let mut command = place.sandbox.command([
        "attest",
        "--base",
        "main",
        "--at",
        AT,
        "--yes",
        "--identity-token",
        "-",
    ]);
    command.arg("--trusted-root").arg(place.file("root.json"));
    command.arg("--signing-config").arg(place.file("signing.json"));
    command.stdin(fs::File::open(file).unwrap());
    Outcome::of(command.output().unwrap()).ok();
    let issuer = place.served.urls().issuer.clone();
    place.verify(ALICE, &issuer).ok();
}

#[test]
fn a_github_job_signs_with_its_workflow_s_identity() {
    let place = Place::new();
    let head = place.sandbox.git(["rev-parse", "HEAD"]);
    place
        .sandbox
        .git(["remote", "add", "origin", "https://github.com/acme/greeter.git"]);
    let run = GithubRun {
        sha: head,
        git_ref: "refs/heads/agent/fix".to_owned(),
        ..GithubRun::default()
    };
    place.served.set_github_run(run.clone());
    let environment = place.served.github_environment();
    let variables: Vec<(&str, &str)> = environment.iter().map(|(k, v)| (*k, v.as_str())).collect();
    place.attest(&[], &variables).ok();
    let asked = place.served.requests(Route::GithubToken);
    assert_eq!(asked[0].parameter("audience").as_deref(), Some("sigstore"));
    assert_eq!(asked[0].parameter("api-version").as_deref(), Some("2.0"));
    assert!(asked[0].header("authorization").unwrap().starts_with("Bearer "));
    // The request token went to the issuer and to nobody else.
    for route in [Route::SigningCert, Route::Timestamp, Route::V2Create] {
        assert!(
            place
                .served
                .requests(route)
                .iter()
                .all(|seen| seen.header("authorization").is_none())
        );
    }
    let name = format!("https://github.com/{}", run.workflow_ref());
    let issuer = place.served.urls().issuer.clone();
    place.verify(&name, &issuer).ok();
}

#[test]
fn a_github_job_without_permission_is_told_what_it_lacks() {
    let place = Place::new();
    let refused = place
        .attest(&[], &[("GITHUB_ACTIONS", "true")])
        .refused(2, "token.no_permission");
    assert!(refused.stderr.contains("id-token: write"), "{}", refused.stderr);
    place.nothing_is_left();
}

#[test]
fn gitlab_buildkite_and_circleci_give_tokens() {
    let place = Place::new();
    let token = place.alice();
    let programs = place.file("programs");
    fs::create_dir(&programs).unwrap();
    for name in ["buildkite-agent", "circleci"] {
        let file = programs.join(name);
        fs::write(&file, format!("#!/bin/sh\necho '{token}'\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", programs.display());
    let issuer = place.served.urls().issuer.clone();
    for mark in ["BUILDKITE", "CIRCLECI"] {
        let place = Place::new();
        // Another instance of the same seed has the same keys, and knows its own issuer only.
        let claims = email_claims(&place.served.urls().issuer, ALICE, NOW);
        let token = place.served.instance().token(&claims);
        for name in ["buildkite-agent", "circleci"] {
            fs::write(programs.join(name), format!("#!/bin/sh\necho '{token}'\n")).unwrap();
        }
        place.attest(&[], &[(mark, "true"), ("PATH", &path)]).ok();
        let issuer = place.served.urls().issuer.clone();
        place.verify(ALICE, &issuer).ok();
    }
    place
        .attest(&[], &[("GITLAB_CI", "true"), ("SIGSTORE_ID_TOKEN", &token)])
        .ok();
    place.verify(ALICE, &issuer).ok();
    // A program that the repository brings is not run.
    let place = Place::new();
    place.sandbox.write("bin/circleci", "#!/bin/sh\ntouch ran\n");
    let bin = place.sandbox.repo().join("bin");
    fs::set_permissions(bin.join("circleci"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    place
        .attest(&[], &[("CIRCLECI", "true"), ("PATH", &path)])
        .refused(2, "token.program_missing");
    assert!(!place.sandbox.repo().join("ran").exists());
}

#[test]
fn case_235_a_token_that_cannot_serve_is_sent_to_nobody() {
    let place = Place::new();
    let good = email_claims(&place.served.urls().issuer, ALICE, NOW);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        place.served.instance().token(&claims)
    };
    let unsigned = {
        use base64::Engine as _;
        let encode =
            |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", encode(&json!({"alg": "none"})), encode(&good))
    };
    for (token, code) in [
        (with("aud", json!("https://elsewhere.example")), "token.audience"),
        (with("exp", json!(NOW)), "token.expired"),
        (unsigned, "token.unsigned"),
        (with("sub", json!("alice\nroot")), "token.control_characters"),
    ] {
        let file = place.token_file(&token);
        let refused = place.attest(&["--identity-token", &file], &[]).refused(2, code);
        assert!(!refused.stderr.contains(&token[..40]), "{}", refused.stderr);
    }
    assert!(place.served.requests(Route::SigningCert).is_empty());
    place.nothing_is_left();
}

#[test]
fn nobody_at_a_terminal_and_no_token_is_an_error_and_opens_nothing() {
    let place = Place::new();
    place.attest(&[], &[]).refused(2, "token.not_found");
    place.attest(&["--oob"], &[]).refused(2, "token.not_found");
    assert!(place.served.requests(Route::Discovery).is_empty());
}

#[test]
fn case_234_wrong_certificates_are_refused_and_nothing_is_signed() {
    for (defect, code) in [
        (CertificateDefect::UnknownRoot, "certificate.chain"),
        (CertificateDefect::SignatureOfOtherKey, "certificate.chain"),
        (CertificateDefect::SctMissing, "sct.missing"),
        (CertificateDefect::SctOfUnknownLog, "sct.log_unknown"),
        (CertificateDefect::SctOfOtherCertificate, "sct.signature"),
        (CertificateDefect::UsageServer, "certificate.not_for_code_signing"),
        (CertificateDefect::LeafIsAuthority, "certificate.authority"),
        (CertificateDefect::TwoNames, "certificate.san_count"),
        (CertificateDefect::IssuersDisagree, "certificate.issuers_disagree"),
    ] {
        let place = Place::with(defect);
        let token = place.token_file(&place.alice());
        let refused = place.attest(&["--identity-token", &token], &[]);
        assert_ne!(refused.code, Some(0), "{defect:?}");
        assert!(
            refused.stderr.contains(&format!("error[{code}]: ")),
            "{defect:?}: {}",
            refused.stderr
        );
        assert!(place.served.requests(Route::Timestamp).is_empty(), "{defect:?}");
        place.nothing_is_left();
    }
}

#[test]
fn case_234_a_certificate_for_something_else_is_refused() {
    let place = Place::new();
    let token = place.token_file(&place.alice());
    for (fault, code) in [
        (Fault::OtherEntry, "fulcio.other_key"),
        (Fault::OtherIdentity, "fulcio.other_identity"),
        (Fault::OtherTime(NOW - 3600), "fulcio.window"),
        (Fault::OtherTime(NOW + 3600), "fulcio.window"),
    ] {
        place.served.fault(Route::SigningCert, fault.clone());
        let refused = place.attest(&["--identity-token", &token], &[]).refused(1, code);
        assert!(
            refused.stderr.contains("nothing was signed"),
            "{fault:?}: {}",
            refused.stderr
        );
        assert!(place.served.requests(Route::Timestamp).is_empty(), "{fault:?}");
        place.nothing_is_left();
    }
}

#[test]
fn what_a_certificate_authority_answers_wrongly_is_refused() {
    let place = Place::new();
    let token = place.token_file(&place.alice());
    for (fault, status, code) in [
        (Fault::Status(403), 1, "fulcio.refused"),
        (Fault::Body(b"{}".to_vec()), 1, "fulcio.malformed"),
        (Fault::Truncated, 1, "fulcio.malformed"),
        (Fault::Status(503), 20, "http.status"),
        (Fault::ResetAfter(10), 20, "network.broken"),
        (
            Fault::ContentType("text/html".to_owned()),
            20,
            "http.content_type",
        ),
        (
            Fault::Redirect(307, "https://elsewhere.example/".to_owned()),
            20,
            "network.redirect_other_scheme",
        ),
        (
            Fault::Redirect(307, "http://127.0.0.2:9/".to_owned()),
            20,
            "network.redirect_other_host",
        ),
    ] {
        place.served.clear_faults();
        place.served.fault(Route::SigningCert, fault.clone());
        let refused = place.attest(&["--identity-token", &token], &[]);
        assert!(
            refused.stderr.contains(&format!("error[{code}]: ")),
            "{fault:?}: {}",
            refused.stderr
        );
        assert_eq!(refused.code, Some(status), "{fault:?}: {}", refused.stderr);
        place.nothing_is_left();
    }
    place.served.clear_faults();
    place.attest(&["--identity-token", &token], &[]).ok();
}

#[test]
fn case_111_what_a_timestamp_authority_answers_wrongly_is_refused() {
    let place = Place::new();
    let token = place.token_file(&place.alice());
    for (fault, status, code) in [
        (Fault::OtherEntry, 1, "tsa.other_imprint"),
        (Fault::OtherNonce, 1, "tsa.other_nonce"),
        (Fault::OtherTime(NOW - 1), 11, "certificate.outside_validity"),
        (Fault::OtherTime(NOW + 3600), 11, "certificate.outside_validity"),
        (Fault::Body(b"0".to_vec()), 1, "tsa.malformed"),
        (
            Fault::Body(vec![0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02]),
            1,
            "tsa.not_granted",
        ),
        (Fault::Status(400), 1, "tsa.refused"),
        (Fault::Truncated, 1, "tsa.malformed"),
        (Fault::Status(500), 20, "http.status"),
    ] {
        place.served.clear_faults();
        place.served.fault(Route::Timestamp, fault.clone());
        let refused = place.attest(&["--identity-token", &token], &[]);
        assert!(
            refused.stderr.contains(&format!("error[{code}]: ")),
            "{fault:?}: {}",
            refused.stderr
        );
        assert_eq!(refused.code, Some(status), "{fault:?}: {}", refused.stderr);
        assert!(place.served.requests(Route::V2Create).is_empty(), "{fault:?}");
        place.nothing_is_left();
    }
}

#[test]
fn an_authority_that_says_nothing_is_waited_for_as_long_as_was_said() {
    let place = Place::new();
    let token = place.token_file(&place.alice());
    for route in [Route::SigningCert, Route::Timestamp] {
        place.served.clear_faults();
        place.served.fault(route, Fault::Stall);
        let begun = std::time::Instant::now();
        let ended = place.attest(&["--identity-token", &token, "--log-timeout", "2"], &[]);
        assert_eq!(ended.code, Some(20), "{route:?}: {}", ended.stderr);
        // A client of its own accord gives up on silence after half a minute.
        let took = begun.elapsed();
        assert!(took.as_secs() < 25, "{route:?} took {took:?}");
        place.nothing_is_left();
    }
}

#[test]
fn an_outage_of_the_log_leaves_the_signature_in_the_spool_and_publish_finishes_it() {
    let place = Place::new();
    let token = place.token_file(&place.alice());
    place.served.fault(Route::V2Create, Fault::Status(503));
    let unlogged = place.attest(&["--identity-token", &token, "--log-timeout", "5"], &[]);
    assert_eq!(unlogged.code, Some(20), "{}", unlogged.stderr);
    assert!(
        unlogged.stdout.starts_with("signed but unlogged "),
        "{}",
        unlogged.stdout
    );
    let spooled = place.sandbox.files("touchmark/data/spool");
    assert_eq!(spooled.iter().filter(|(path, _)| is_spool_entry(path)).count(), 1);
    place.served.clear_faults();
    let mut publish = place.sandbox.command(["publish", "--at", AT]);
    publish.arg("--trusted-root").arg(place.file("root.json"));
    Outcome::of(publish.output().unwrap()).ok();
    let issuer = place.served.urls().issuer.clone();
    place.verify(ALICE, &issuer).ok();
}

#[test]
fn rekor_v1_and_several_timestamp_authorities() {
    let options = InstanceOptions {
        timestamp_authorities: 2,
        ..InstanceOptions::default()
    };
    let place = Place::of(Instance::new(2, options));
    place.configure(ConfiguredLogs::V1);
    let token = place.token_file(&place.alice());
    let stamps = place.served.urls().timestamps.clone();
    let flags = [
        "--identity-token",
        &token,
        "--timestamp-url",
        &stamps[0],
        "--timestamp-url",
        &stamps[1],
    ];
    place.attest(&flags, &[]).ok();
    let bundle = place.bundle();
    let found = &bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
    assert_eq!(found.as_array().unwrap().len(), 2);
    assert_eq!(
        bundle["verificationMaterial"]["tlogEntries"][0]["kindVersion"]["kind"],
        "dsse"
    );
    let issuer = place.served.urls().issuer.clone();
    place.verify(ALICE, &issuer).ok();
}

#[test]
fn a_dry_run_says_what_would_become_public_and_asks_no_authority() {
    let place = Place::new();
    let token = place.token_file(&place.alice());
    let shown = place
        .attest(
            &["--identity-token", &token, "--dry-run", "--format", "json"],
            &[],
        )
        .ok();
    let urls = place.served.urls().clone();
    let shown_document = shown.json();
    assert_valid(&shown_document);
    let publication = &shown_document["publication"];
    assert_eq!(publication["identity"], ALICE);
    assert_eq!(publication["issuer"], urls.issuer);
    assert!(
        publication["certificateAuthority"]
            .as_str()
            .unwrap()
            .starts_with(&urls.fulcio)
    );
    assert!(
        shown.stderr.contains(ALICE) && shown.stderr.contains(&urls.rekor_v2),
        "{}",
        shown.stderr
    );
    assert!(place.served.requests(Route::SigningCert).is_empty());
    // Nobody has agreed yet, and no terminal is there to ask on: the identity stays here.
    let mut command =
        place
            .sandbox
            .command(["attest", "--base", "main", "--at", AT, "--identity-token", &token]);
    command.arg("--trusted-root").arg(place.file("root.json"));
    command.arg("--signing-config").arg(place.file("signing.json"));
    Outcome::of(command.output().unwrap()).refused(2, "publish.not_agreed");
    assert!(place.served.requests(Route::SigningCert).is_empty());
}

#[test]
fn a_key_that_is_named_signs_even_where_an_identity_could() {
    let place = Place::new();
    let token = place.alice();
    place
        .sandbox
        .touchmark(["key", "generate", "--plain", "mine"])
        .ok();
    let key = place.file("touchmark/config/keys/mine.pem");
    let key = key.to_string_lossy();
    place
        .attest(&["--key", &key], &[("SIGSTORE_ID_TOKEN", &token)])
        .ok();
    assert!(place.bundle()["verificationMaterial"]["publicKey"].is_object());
    assert!(place.served.requests(Route::SigningCert).is_empty());
    let both = place.attest(&["--key", &key, "--oidc-issuer", "https://x.example"], &[]);
    assert_eq!(both.code, Some(2));
}

#[test]
fn a_repository_chooses_neither_identity_nor_services() {
    let place = Place::new();
    for setting in [
        "fulcio-url = \"https://evil.example\"",
        "oidc-issuer = \"https://evil.example\"",
        "timestamp-urls = [\"https://evil.example\"]",
        "identity-token-file = \"/etc/passwd\"",
        "audience = \"evil\"",
        "no-certificate-log = true",
    ] {
        place
            .sandbox
            .write(".touchmark/config.toml", format!("[sigstore]\n{setting}\n"));
        let token = place.token_file(&place.alice());
        place
            .attest(&["--identity-token", &token], &[])
            .refused(2, "config.trust_in_project");
    }
}

#[test]
fn case_227_no_token_goes_where_a_variable_says_unless_somebody_agreed() {
    let place = Place::new();
    let token = place.token_file(&place.alice());
    let other = Instance::new(2, InstanceOptions::default()).serve();
    let variable = [("SIGSTORE_FULCIO_URL", other.urls().fulcio.as_str())];
    let refused = place
        .attest(&["--identity-token", &token], &variable)
        .refused(2, "publish.not_agreed");
    assert!(
        refused.stderr.contains("SIGSTORE_FULCIO_URL"),
        "{}",
        refused.stderr
    );
    assert!(other.requests(Route::SigningCert).is_empty());
    place.nothing_is_left();
    // A flag is somebody's word, and what was agreed to once is agreed to.
    let fulcio = place.served.urls().fulcio.clone();
    place
        .attest(&["--identity-token", &token, "--fulcio-url", &fulcio], &variable)
        .ok();
    place
        .attest(&["--identity-token", &token], &[("SIGSTORE_FULCIO_URL", &fulcio)])
        .ok();
    assert!(other.requests(Route::SigningCert).is_empty());
}

#[test]
fn case_131_nothing_is_published_where_a_variable_says_unless_somebody_agreed() {
    let place = Place::new();
    let rekor = place.served.urls().rekor_v2.clone();
    let run = |flags: &[&str]| {
        let mut command = place
            .sandbox
            .command(["attest", "--base", "main", "--at", AT, "--yes"]);
        command.arg("--trusted-root").arg(place.file("root.json"));
        command.args(flags).env("SIGSTORE_REKOR_URL", &rekor);
        Outcome::of(command.output().unwrap())
    };
    let refused = run(&[]).refused(2, "publish.not_agreed");
    assert!(
        refused.stderr.contains("SIGSTORE_REKOR_URL"),
        "{}",
        refused.stderr
    );
    place.nothing_is_left();
    run(&["--rekor-url", &rekor]).ok();
}

#[test]
fn case_130_a_file_of_the_checkout_is_no_signing_config_that_was_meant_by_name() {
    let place = Place::new();
    place.sandbox.write(
        "sigstore-public-good",
        place.served.signing_config_json(ConfiguredLogs::V2),
    );
    let token = place.token_file(&place.alice());
    let mut command = place.sandbox.command(["attest", "--base", "main", "--at", AT]);
    command.args(["--identity-token", &token, "--dry-run", "--format", "json"]);
    command.args(["--signing-config", "sigstore-public-good"]);
    let shown = Outcome::of(command.output().unwrap()).ok().json();
    assert_eq!(
        shown["publication"]["certificateAuthority"],
        "https://fulcio.sigstore.dev/"
    );
}

#[test]
fn a_person_approves_with_an_identity() {
    let place = Place::new();
    let token = place.token_file(&place.alice());
    place.attest(&["--identity-token", &token], &[]).ok();
    let flags = [
        "approve",
        "HEAD",
        "--target",
        "refs/heads/main",
        "--format",
        "json",
        "--at",
        AT,
        "--yes",
    ];
    let mut command = place.sandbox.command(flags);
    command.arg("--trusted-root").arg(place.file("root.json"));
    command.arg("--signing-config").arg(place.file("signing.json"));
    command.args(["--identity-token", &token]);
    let approved = Outcome::of(command.output().unwrap()).ok().json();
    assert_eq!(approved["outcome"], "logged");
    assert_eq!(approved["agentChanges"].as_array().unwrap().len(), 1);
}

#[test]
fn the_public_good_instance_is_known_by_name_and_nothing_goes_there_without_a_word() {
    let place = Place::new();
    let token = place.token_file(&place.alice());
    let run = |more: &[&str]| {
        let mut command =
            place
                .sandbox
                .command(["attest", "--base", "main", "--at", AT, "--identity-token", &token]);
        command.args([
            "--trusted-root",
            "sigstore-public-good",
            "--signing-config",
            "sigstore-public-good",
        ]);
        Outcome::of(command.args(more).output().unwrap())
    };
    let shown = run(&["--dry-run", "--format", "json"]).ok().json();
    let publication = &shown["publication"];
    assert_eq!(
        publication["certificateAuthority"],
        "https://fulcio.sigstore.dev/"
    );
    assert_eq!(publication["logs"], json!(["https://rekor.sigstore.dev/"]));
    assert_eq!(
        publication["timestampAuthorities"],
        json!(["https://timestamp.sigstore.dev/api/v1/timestamp"])
    );
    run(&[]).refused(2, "publish.not_agreed");
}

#[test]
fn what_a_key_signs_is_stamped_where_a_timestamp_authority_is_named() {
    let place = Place::new();
    place
        .sandbox
        .touchmark(["key", "generate", "--plain", "mine"])
        .ok();
    let key = place.file("touchmark/config/keys/mine.pem");
    let key = key.to_string_lossy();
    // The stamp outlives an outage of the log in the spool.
    place.served.fault(Route::V2Create, Fault::Status(503));
    let unlogged = place.attest(&["--key", &key, "--log-timeout", "5"], &[]);
    assert_eq!(unlogged.code, Some(20), "{}", unlogged.stderr);
    place.served.clear_faults();
    let mut publish = place.sandbox.command(["publish", "--at", AT]);
    publish.arg("--trusted-root").arg(place.file("root.json"));
    Outcome::of(publish.output().unwrap()).ok();
    let material = place.bundle()["verificationMaterial"].clone();
    let stamps = &material["timestampVerificationData"]["rfc3161Timestamps"];
    assert!(material["publicKey"].is_object() && stamps.as_array().unwrap().len() == 1);
    assert_eq!(place.served.requests(Route::Timestamp).len(), 1);
    let bundle = place.file("bundle.json");
    fs::write(&bundle, place.bundle().to_string()).unwrap();
    let public = place
        .sandbox
        .touchmark(["key", "public", "--key", &key])
        .ok()
        .stdout;
    fs::write(place.file("mine.pub"), public).unwrap();
    let mut verify = place.sandbox.command(["verify", "--at", AT]);
    verify
        .arg("--bundle")
        .arg(bundle)
        .arg("--trusted-root")
        .arg(place.file("root.json"));
    verify.arg("--key").arg(place.file("mine.pub"));
    Outcome::of(verify.output().unwrap()).ok();
}

/// Runs the example in a folder of its own, with more variables.
fn example(variables: &[(&str, String)]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_touchmark"))
        .parent()
        .unwrap();
    let mut command = std::process::Command::new("bash");
    command.arg(root.join("examples/06-keyless-in-ci/run.sh"));
    command
        .current_dir(folder.path())
        .env_clear()
        .stdin(std::process::Stdio::null());
    command.env(
        "PATH",
        format!("{}:/usr/local/bin:/usr/bin:/bin", binary.display()),
    );
    command.env("HOME", folder.path()).env("TMPDIR", folder.path());
    Outcome::of(command.envs(variables.iter().cloned()).output().unwrap())
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "the example runs by the system's clock, and so must the instance"
)]
fn example_06_signs_in_a_job_and_nowhere_else() {
    let dates =
        ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"].map(|name| (name, "2026-03-01T11:30:00Z".to_owned()));
    let alone = example(&dates).ok();
    let is_commit = |line: &&str| line.len() == 40 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    let base = alone.stdout.lines().find(is_commit).unwrap().to_owned();
    assert!(
        alone.stderr.contains("https://fulcio.sigstore.dev/"),
        "{}",
        alone.stderr
    );
    assert!(
        alone.stderr.contains("error[token.not_found]"),
        "{}",
        alone.stderr
    );

    let place = Place::new();
    place.served.follow(|| {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs() as i64
    });
    fs::write(
        place.file("signing_config.json"),
        place.served.signing_config_json(ConfiguredLogs::V2),
    )
    .unwrap();
    fs::write(
        place.file("trusted_root.json"),
        place.served.instance().trusted_root_json(),
    )
    .unwrap();
    let run = GithubRun {
        sha: base,
        ..GithubRun::default()
    };
    place.served.set_github_run(run.clone());
    let mut variables = place.served.github_environment();
    variables.extend(dates);
    variables.push(("SIGSTORE_INSTANCE", place.file("").to_string_lossy().into_owned()));
    variables.push((
        "WORKFLOW_IDENTITY",
        format!("https://github.com/{}", run.workflow_ref()),
    ));
    variables.push(("WORKFLOW_ISSUER", place.served.urls().issuer.clone()));
    let signed = example(&variables).ok();
    assert!(
        signed.stderr.contains("error[publish.not_agreed]"),
        "{}",
        signed.stderr
    );
    assert!(signed.stdout.contains("attested "), "{}", signed.stdout);
}
