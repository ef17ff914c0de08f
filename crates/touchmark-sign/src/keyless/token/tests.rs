//! What is refused before a token is used, and where tokens come from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use touchmark_statement::timestamp::Timestamp;
use zeroize::Zeroizing;

use super::*;
use crate::keyless::testing::{client, serve, token, token_of};

const NOW: i64 = 1_772_022_400;

fn expected() -> Expected<'static> {
    Expected {
        audience: DEFAULT_AUDIENCE,
        at: Timestamp::from_unix(NOW).unwrap(),
    }
}

fn good() -> Value {
    json!({
        "iss": "https://oauth.example", "sub": "someone", "aud": "sigstore", "exp": NOW + 600, "iat": NOW,
        "email": "someone@example.org", "email_verified": true,
    })
}

fn parse(text: &str) -> Result<IdentityToken, TokenError> {
    IdentityToken::parse(Zeroizing::new(text.to_owned()), &expected())
}

fn code_with(change: impl FnOnce(&mut Value)) -> &'static str {
    let mut claims = good();
    change(&mut claims);
    parse(&token(&claims)).map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn a_good_token_is_read_and_never_shown() {
    let text = token(&good());
    let read = parse(&format!("  {text}\r\n")).unwrap();
    assert_eq!(read.secret(), text);
    assert_eq!(read.claims().identity(), "someone@example.org");
    assert_eq!(
        format!("{read:?}"),
        "IdentityToken(redacted, of https://oauth.example)"
    );
    let found = Found {
        token: read,
        source: TokenSource::File,
    };
    assert!(!format!("{found:?}").contains("eyJ"));
}

#[test]
fn case_235_another_audience_is_refused() {
    assert_eq!(
        code_with(|c| c["aud"] = json!("https://elsewhere.example")),
        "token.audience"
    );
    assert_eq!(
        code_with(|c| c["aud"] = json!(["sigstore", "elsewhere"])),
        "token.audience"
    );
    assert_eq!(code_with(|c| c["aud"] = json!([])), "token.audience");
    assert_eq!(code_with(|c| c["aud"] = json!(["sigstore"])), "ok");
    assert_eq!(code_with(|c| c["aud"] = json!(7)), "token.claim");
    assert_eq!(code_with(|c| c["aud"] = Value::Null), "token.claim");
}

#[test]
fn case_235_an_expired_token_is_refused() {
    assert_eq!(code_with(|c| c["exp"] = json!(NOW)), "token.expired");
    assert_eq!(code_with(|c| c["exp"] = json!(NOW - 1)), "token.expired");
    assert_eq!(code_with(|c| c["exp"] = json!(NOW + 1)), "ok");
    assert_eq!(code_with(|c| c["exp"] = json!(NOW as f64 + 0.5)), "token.expired");
    assert_eq!(code_with(|c| c["nbf"] = json!(NOW + 61)), "token.not_yet_valid");
    assert_eq!(code_with(|c| c["nbf"] = json!(NOW + 60)), "ok");
    for exp in [
        Value::Null,
        json!("tomorrow"),
        json!(1e300),
        json!(i64::MAX),
        json!(-1.5),
    ] {
        assert_eq!(code_with(|c| c["exp"] = exp.clone()), "token.claim", "{exp}");
    }
}

#[test]
fn case_235_a_token_that_nobody_signed_is_refused() {
    for algorithm in ["none", "None", "NONE", "nOnE"] {
        let text = token_of(&json!({ "alg": algorithm }), &good());
        assert_eq!(parse(&text).unwrap_err().code(), "token.unsigned", "{algorithm}");
    }
    let signed = token(&good());
    let unsigned = format!("{}.", signed.rsplit_once('.').unwrap().0);
    assert_eq!(parse(&unsigned).unwrap_err().code(), "token.unsigned");
    let without = token_of(&json!({ "typ": "JWT" }), &good());
    assert_eq!(parse(&without).unwrap_err().code(), "token.malformed");
}

#[test]
fn case_235_control_characters_in_names_are_refused() {
    for name in ["sub", "email", "iss"] {
        for bad in ["a\nb", "\u{0}", "a\u{7f}", "x\u{85}y", "\u{1b}[2J"] {
            assert_eq!(
                code_with(|c| c[name] = json!(bad)),
                "token.control_characters",
                "{name} {bad:?}"
            );
        }
    }
    assert_eq!(
        code_with(|c| c["aud"] = json!("sigstore\n")),
        "token.control_characters"
    );
}

#[test]
fn names_and_issuers_are_sane() {
    assert_eq!(code_with(|c| c["sub"] = json!("")), "token.claim");
    assert_eq!(code_with(|c| c["sub"] = json!(7)), "token.claim");
    assert_eq!(code_with(|c| c["sub"] = json!("s".repeat(5000))), "token.claim");
    assert_eq!(code_with(|c| c["email_verified"] = json!("maybe")), "token.claim");
    for issuer in [
        "oauth.example",
        "ftp://oauth.example",
        "https://u:p@oauth.example",
        "https://oauth.example/?a=b",
        "https://oauth.example/#x",
        "https://oauth example/",
        "javascript:alert(1)",
    ] {
        assert_eq!(
            code_with(|c| c["iss"] = json!(issuer)),
            "token.issuer",
            "{issuer}"
        );
    }
}

#[test]
fn only_a_verified_address_is_an_identity() {
    for verified in [json!(false), json!("false"), Value::Null] {
        let mut claims = good();
        claims["email_verified"] = verified;
        let read = parse(&token(&claims)).unwrap();
        assert_eq!(
            read.claims().verified_email().unwrap_err().code(),
            "token.email_not_verified"
        );
        assert_eq!(read.claims().identity(), "someone");
    }
}

#[test]
fn what_is_no_token_is_refused_without_being_quoted() {
    let good_text = token(&good());
    let parts: Vec<&str> = good_text.split('.').collect();
    for text in [
        String::new(),
        "word".to_owned(),
        parts[..2].join("."),
        format!("{good_text}.more"),
        format!("!.{}.{}", parts[1], parts[2]),
        format!("{}.!.{}", parts[0], parts[2]),
        format!("{}.{}.=", parts[0], parts[1]),
        token_of(&json!([]), &good()),
        token_of(&json!({ "alg": "RS256" }), &json!([])),
    ] {
        let error = parse(&text).unwrap_err();
        assert_eq!(error.code(), "token.malformed", "{text}");
        assert!(!format!("{error} {error:?}").contains(parts[1]));
    }
    assert_eq!(
        parse(&"e".repeat(MAX_TOKEN_BYTES + 1)).unwrap_err().code(),
        "token.too_large"
    );
    // A claim that is there twice has two meanings.
    let doubled = good().to_string().replacen('{', "{\"sub\":\"other\",", 1);
    use base64::Engine as _;
    let body = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(doubled);
    let text = format!("{}.{body}.{}", parts[0], parts[2]);
    assert_eq!(parse(&text).unwrap_err().code(), "token.malformed");
}

#[derive(Default)]
struct View {
    variables: BTreeMap<String, String>,
    folders: Option<OsString>,
    untrusted: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl View {
    fn with(pairs: &[(&str, &str)]) -> Self {
        View {
            variables: pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            ..View::default()
        }
    }
}

impl Surroundings for View {
    fn variable(&self, name: &str) -> Option<Zeroizing<String>> {
        self.variables.get(name).cloned().map(Zeroizing::new)
    }

    fn variables_beginning(&self, prefix: &str) -> Vec<(OsString, OsString)> {
        let named = self.variables.iter().filter(|(name, _)| name.starts_with(prefix));
        named.map(|(name, value)| (name.into(), value.into())).collect()
    }

    fn program_folders(&self) -> Option<OsString> {
        self.folders.clone()
    }

    fn untrusted_folders(&self) -> Vec<PathBuf> {
        self.untrusted.clone()
    }

    fn token_files(&self) -> Vec<PathBuf> {
        self.files.clone()
    }

    fn program_timeout(&self) -> Duration {
        Duration::from_millis(1500)
    }
}

fn found(view: &View) -> Result<(TokenSource, String), TokenError> {
    match discover(view, &expected(), &client())? {
        Discovered::Token(found) => Ok((found.source, found.token.claims().subject.clone())),
        Discovered::Nothing => Err(TokenError::NotFound),
    }
}

fn token_for(subject: &str) -> String {
    let mut claims = good();
    claims["sub"] = json!(subject);
    token(&claims)
}

#[test]
fn sources_are_asked_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let (first, link) = (folder.path().join("first"), folder.path().join("link"));
    std::fs::write(&first, token_for("file") + "\n").unwrap();
    symlink(&first, &link).unwrap();
    let (variable, gitlab) = (token_for("variable"), token_for("gitlab"));
    let mut view = View::with(&[("SIGSTORE_ID_TOKEN", &variable), ("GITLAB_CI", "true")]);
    view.files = vec![folder.path().join("missing"), link];
    assert_eq!(
        found(&view).unwrap(),
        (TokenSource::Variable, "variable".to_owned())
    );
    view.variables.remove("SIGSTORE_ID_TOKEN");
    assert_eq!(found(&view).unwrap(), (TokenSource::File, "file".to_owned()));
    view.files.clear();
    assert_eq!(found(&view).unwrap_err().code(), "token.no_permission");
    // GitLab's variable is named after the audience.
    view.variables
        .insert("STORE_EXAMPLE_ID_TOKEN".to_owned(), gitlab.clone());
    let elsewhere = Expected {
        audience: "store.example",
        ..expected()
    };
    let refused = discover(&view, &elsewhere, &client()).unwrap_err();
    assert_eq!(refused.code(), "token.audience");
    assert_eq!(found(&View::default()).unwrap_err().code(), "token.not_found");
}

#[test]
fn a_token_file_is_a_regular_file_of_bounded_size() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("empty"), " \n").unwrap();
    std::fs::write(place("large"), vec![b'a'; MAX_TOKEN_BYTES + 1]).unwrap();
    std::fs::write(place("binary"), [0xff, 0xfe]).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, place("fifo"), rustix::fs::Mode::RWXU).unwrap();
    let code = |name: &str| {
        IdentityToken::read_file(&place(name), &expected())
            .unwrap_err()
            .code()
    };
    assert_eq!(code("empty"), "token.empty");
    assert_eq!(code("large"), "token.too_large");
    assert_eq!(code("binary"), "token.malformed");
    assert_eq!(code("fifo"), "token.file_not_regular");
    assert_eq!(code("."), "token.file_not_regular");
    assert_eq!(code("missing"), "token.file_unreadable");
    let mut stream = std::io::Cursor::new(token_for("stream"));
    let read = IdentityToken::read_from(&mut stream, &expected()).unwrap();
    assert_eq!(read.claims().subject, "stream");
    assert!(IdentityToken::looks_like_one(read.secret()));
    assert!(!IdentityToken::looks_like_one("token.jwt"));
}

#[test]
fn github_is_asked_with_its_bearer_for_our_audience() {
    let server = serve(|_| {
        (
            200,
            "application/json",
            json!({ "count": 1, "value": token_for("github") })
                .to_string()
                .into(),
        )
    });
    let url = format!("{}token?api-version=2", server.url.as_str());
    let mut view = View::with(&[
        ("GITHUB_ACTIONS", "true"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", &url),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer-secret"),
    ]);
    assert_eq!(found(&view).unwrap(), (TokenSource::GitHub, "github".to_owned()));
    let seen = server.seen.lock().unwrap()[0].clone();
    assert_eq!(seen.target, "/token?api-version=2&audience=sigstore");
    assert!(
        seen.head
            .to_ascii_lowercase()
            .contains("authorization: bearer bearer-secret"),
        "{}",
        seen.head
    );
    view.variables.insert(
        "ACTIONS_ID_TOKEN_REQUEST_URL".to_owned(),
        "http://example.org/".to_owned(),
    );
    assert_eq!(found(&view).unwrap_err().code(), "token.request_url");
    view.variables.remove("ACTIONS_ID_TOKEN_REQUEST_URL");
    assert_eq!(found(&view).unwrap_err().code(), "token.no_permission");
}

#[test]
fn case_227_the_bearer_of_a_job_goes_to_its_own_service_only() {
    let asks = |url: &str, server: &str| {
        let view = View::with(&[("GITHUB_SERVER_URL", server)]);
        source::is_of_github(&url.parse().unwrap(), &view)
    };
    let github = "https://github.com";
    assert!(asks("https://run-1.actions.githubusercontent.com/x?y=1", github));
    assert!(asks(
        "https://ghes.example/_services/token",
        "https://ghes.example"
    ));
    assert!(asks("https://t.actions.acme.ghe.com/x", "https://acme.ghe.com"));
    assert!(asks("http://127.0.0.1:8080/token", github));
    for elsewhere in [
        "https://evil.example/actions.githubusercontent.com",
        "https://actions.githubusercontent.com.evil.example/",
        "https://evilactions.githubusercontent.com/",
        "https://gist.github.com/",
    ] {
        assert!(!asks(elsewhere, github), "{elsewhere}");
    }
    let view = View::with(&[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", github),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://evil.example/token?x=1"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer-secret"),
    ]);
    assert_eq!(found(&view).unwrap_err().code(), "token.request_url");
}

#[test]
fn what_github_answers_wrongly_is_refused() {
    let code = |status, body: &'static str| {
        let server = serve(move |_| (status, "application/json", body.into()));
        let view = View::with(&[
            ("GITHUB_ACTIONS", "true"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", server.url.as_str()),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer-secret"),
        ]);
        let error = found(&view).unwrap_err();
        assert!(!format!("{error:?}").contains("bearer-secret"));
        (error.code(), error.is_outage())
    };
    assert_eq!(code(403, "{}"), ("token.refused", false));
    assert_eq!(code(503, "{}"), ("token.refused", true));
    assert_eq!(code(200, "{}"), ("token.answer", false));
    assert_eq!(code(200, "<html>"), ("token.answer", false));
    assert_eq!(code(200, "{\"value\":\"x\"}"), ("token.malformed", false));
}

fn program(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn programs_of_ci_services_are_asked_with_their_own_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = [token_for("buildkite"), token_for("circleci")];
    // Each prints its token only when asked just so, and sees its own variables and nothing else of ours.
    program(
        folder.path(),
        "buildkite-agent",
        &format!(
            "[ \"$*\" = 'oidc request-token --audience sigstore' ] && [ -z \"$SECRET\" ] && [ \"$BUILDKITE_JOB_ID\" = 7 ] \
             && [ \"$PWD\" = / ] && printf '%s' '{}'",
            tokens[0]
        ),
    );
    program(
        folder.path(),
        "circleci",
        &format!(
            "[ \"$*\" = 'run oidc get --root-issuer --claims {{\"aud\":\"sigstore\"}}' ] && echo '{}'",
            tokens[1]
        ),
    );
    let mut view = View::with(&[("BUILDKITE", "true"), ("BUILDKITE_JOB_ID", "7"), ("SECRET", "x")]);
    view.folders = Some(folder.path().as_os_str().to_owned());
    assert_eq!(
        found(&view).unwrap(),
        (TokenSource::Buildkite, "buildkite".to_owned())
    );
    let mut view = View::with(&[("CIRCLECI", "true")]);
    view.folders = Some(folder.path().as_os_str().to_owned());
    assert_eq!(
        found(&view).unwrap(),
        (TokenSource::CircleCi, "circleci".to_owned())
    );
}

#[test]
fn a_program_in_the_repository_is_never_run() {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repository");
    let mark = folder.path().join("ran");
    program(
        &repository.join("bin"),
        "buildkite-agent",
        &format!("touch '{}'", mark.display()),
    );
    let outside = folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    symlink(
        repository.join("bin/buildkite-agent"),
        outside.join("buildkite-agent"),
    )
    .unwrap();
    // In the repository, a link to a program of the machine that would run another one from there.
    let linked = repository.join("linked");
    std::fs::create_dir(&linked).unwrap();
    symlink("/usr/bin/env", linked.join("buildkite-agent")).unwrap();
    program(&linked, "oidc", &format!("touch '{}'", mark.display()));
    for folders in [
        repository.join("bin"),
        linked,
        outside,
        PathBuf::from("bin"),
        PathBuf::from(""),
    ] {
        let mut view = View::with(&[("BUILDKITE", "true")]);
        view.folders = Some(folders.into_os_string());
        view.untrusted = vec![repository.clone()];
        assert_eq!(found(&view).unwrap_err().code(), "token.program_missing");
    }
    assert!(!mark.exists());
}

#[test]
fn a_program_that_fails_hangs_or_floods_is_ended_and_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    for (name, script, code) in [
        ("fails", "echo eyJsecret; exit 3", "token.program_failed"),
        ("hangs", "sleep 60", "token.program_timeout"),
        ("leaves", "sleep 60 & exit 0", "token.program_timeout"),
        ("floods", "yes", "token.program_failed"),
        ("silent", "true", "token.malformed"),
    ] {
        let place = folder.path().join(name);
        program(&place, "buildkite-agent", script);
        let mut view = View::with(&[("BUILDKITE", "true")]);
        view.folders = Some(std::env::join_paths([place, "/usr/bin".into(), "/bin".into()]).unwrap());
        let begun = Instant::now();
        let error = found(&view).unwrap_err();
        assert_eq!(error.code(), code, "{name}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{name}");
        assert!(!format!("{error} {error:?}").contains("eyJ"), "{name}");
    }
}
