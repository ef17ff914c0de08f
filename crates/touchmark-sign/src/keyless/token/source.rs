//! Where tokens come from without a person: an argument, a variable, a file, or the CI service that runs the job.
//!
//! The environment is a view that the caller passes in. Each service is known by its own mark; one that marks the job
//! as its own and then gives no token is an error that says what the job lacks, not a reason to look further.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FileType, Mode, OFlags};
use serde::Deserialize;
use touchmark_http::{Accept, Client, Credential, Request, Secret, Url};
use touchmark_statement::strict_json::{self, Numbers, Rules};
use zeroize::Zeroizing;

use super::program::Program;
use super::{Expected, IdentityToken, MAX_TOKEN_BYTES, TokenError};

/// Where cosign and its neighbours look for a token that was mounted into a container.
pub const TOKEN_FILE: &str = "/var/run/sigstore/cosign/oidc-token";
/// The variable that every Sigstore client takes a token from.
const VARIABLE: &str = "SIGSTORE_ID_TOKEN";

/// Where a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSource {
    /// Named by the caller.
    Argument,
    /// `SIGSTORE_ID_TOKEN`.
    Variable,
    /// A token file.
    File,
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// Buildkite.
    Buildkite,
    /// CircleCI.
    CircleCi,
    /// A person who logged in.
    Person,
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TokenSource::Argument => "--identity-token",
            TokenSource::Variable => VARIABLE,
            TokenSource::File => "token file",
            TokenSource::GitHub => "GitHub Actions",
            TokenSource::GitLab => "GitLab CI",
            TokenSource::Buildkite => "Buildkite",
            TokenSource::CircleCi => "CircleCI",
            TokenSource::Person => "login",
        })
    }
}

/// The environment, as far as token sources see it.
pub trait Surroundings {
    /// Returns a variable that is set, not empty, and text.
    fn variable(&self, name: &str) -> Option<Zeroizing<String>>;

    /// Returns the variables whose names begin so, for the program of a CI service.
    fn variables_beginning(&self, prefix: &str) -> Vec<(OsString, OsString)>;

    /// Returns `PATH`.
    fn program_folders(&self) -> Option<OsString>;

    /// Returns the folders below which no program is run: the repository.
    fn untrusted_folders(&self) -> Vec<PathBuf>;

    /// Returns the files that may hold a token, in order; [`TOKEN_FILE`] is usually the last.
    fn token_files(&self) -> Vec<PathBuf>;

    /// Returns how long the program of a CI service may take.
    fn program_timeout(&self) -> Duration {
        Duration::from_secs(30)
    }
}

/// A token and where it came from.
#[derive(Debug, Clone)]
pub struct Found {
    /// The token.
    pub token: IdentityToken,
    /// Its source.
    pub source: TokenSource,
}

/// What [`discover`] found.
#[derive(Debug, Clone)]
pub enum Discovered {
    /// A token.
    Token(Box<Found>),
    /// No source says that it has one; a person may log in.
    Nothing,
}

/// Looks for a token: `SIGSTORE_ID_TOKEN`, token files, GitHub, GitLab, Buildkite, CircleCI; the first one that is
/// there decides.
pub fn discover(
    surroundings: &dyn Surroundings,
    expected: &Expected<'_>,
    client: &Client,
) -> Result<Discovered, TokenError> {
    let Some((text, source)) = find(surroundings, expected.audience, client)? else {
        return Ok(Discovered::Nothing);
    };
    let token = IdentityToken::parse(text, expected)?;
    Ok(Discovered::Token(Box::new(Found { token, source })))
}

type Text = Zeroizing<String>;

fn find(
    surroundings: &dyn Surroundings,
    audience: &str,
    client: &Client,
) -> Result<Option<(Text, TokenSource)>, TokenError> {
    if let Some(text) = surroundings.variable(VARIABLE) {
        return Ok(Some((text, TokenSource::Variable)));
    }
    for path in surroundings.token_files() {
        if let Some(text) = read_file(&path)? {
            return Ok(Some((text, TokenSource::File)));
        }
    }
    let is_set = |mark: &str| surroundings.variable(mark).is_some_and(|value| *value == "true");
    if is_set("GITHUB_ACTIONS") {
        return Ok(Some((
            github(surroundings, audience, client)?,
            TokenSource::GitHub,
        )));
    }
    if is_set("GITLAB_CI") {
        return Ok(Some((gitlab(surroundings, audience)?, TokenSource::GitLab)));
    }
    if is_set("BUILDKITE") {
        return Ok(Some((buildkite(surroundings, audience)?, TokenSource::Buildkite)));
    }
    if is_set("CIRCLECI") {
        return Ok(Some((circleci(surroundings, audience)?, TokenSource::CircleCi)));
    }
    Ok(None)
}

impl IdentityToken {
    /// Returns whether a text is more likely a token than the name of a file.
    pub fn looks_like_one(text: &str) -> bool {
        // Base64url of `{"`.
        text.starts_with("eyJ") && text.matches('.').count() == 2
    }

    /// Reads a token from a stream, such as the standard input.
    pub fn read_from(stream: &mut dyn Read, expected: &Expected<'_>) -> Result<Self, TokenError> {
        let failed = |source| TokenError::File {
            path: PathBuf::from("-"),
            source,
        };
        let text = read_capped(stream, failed)?.ok_or(TokenError::Empty {
            origin: "the standard input",
        })?;
        IdentityToken::parse(text, expected)
    }

    /// Reads a token from a file.
    pub fn read_file(path: &Path, expected: &Expected<'_>) -> Result<Self, TokenError> {
        let text = read_file(path)?.ok_or_else(|| TokenError::File {
            path: path.to_owned(),
            source: io::ErrorKind::NotFound.into(),
        })?;
        IdentityToken::parse(text, expected)
    }
}

/// Reads a file if there is one. Mounted tokens are symbolic links, so links are followed.
fn read_file(path: &Path) -> Result<Option<Text>, TokenError> {
    let failed = |source: io::Error| TokenError::File {
        path: path.to_owned(),
        source,
    };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(None),
        Err(error) => return Err(failed(error.into())),
    };
    let stat = rustix::fs::fstat(&file).map_err(|error| failed(error.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(TokenError::NotRegular {
            path: path.to_owned(),
        });
    }
    match read_capped(&mut file, failed)? {
        Some(text) => Ok(Some(text)),
        None => Err(TokenError::Empty {
            origin: "the token file",
        }),
    }
}

/// Reads at most a token's worth of text; nothing but blanks is nothing.
fn read_capped(
    stream: &mut dyn Read,
    failed: impl Fn(io::Error) -> TokenError,
) -> Result<Option<Text>, TokenError> {
    // As large as it gets from the start: growing would leave copies of the secret behind.
    let mut bytes = Zeroizing::new(vec![0; MAX_TOKEN_BYTES + 1]);
    let mut len = 0;
    while len < bytes.len() {
        match stream.read(&mut bytes[len..]) {
            Ok(0) => break,
            Ok(count) => len += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    if len > MAX_TOKEN_BYTES {
        return Err(TokenError::TooLarge {
            found: len,
            max: MAX_TOKEN_BYTES,
        });
    }
    let text = std::str::from_utf8(&bytes[..len]).map_err(|_| TokenError::Malformed { part: "text" })?;
    let text = Zeroizing::new(text.to_owned());
    Ok((!text.trim().is_empty()).then_some(text))
}

#[derive(Deserialize)]
struct GitHubAnswer {
    value: String,
}

/// <https://docs.github.com/en/actions/reference/security/oidc>
fn github(surroundings: &dyn Surroundings, audience: &str, client: &Client) -> Result<Text, TokenError> {
    const SERVICE: &str = "GitHub Actions";
    const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
    const BEARER: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
    let required = |variable| {
        surroundings.variable(variable).ok_or(TokenError::Permission {
            service: SERVICE,
            variable,
        })
    };
    let url: Url = required(URL)?
        .parse()
        .map_err(|_| TokenError::RequestUrl { variable: URL })?;
    if !is_of_github(&url, surroundings) {
        return Err(TokenError::RequestUrl { variable: URL });
    }
    let bearer = required(BEARER)?;
    let url = url.with_query("audience", audience);
    let request = Request::get(&url, Accept::Json)
        .with_credential(Credential::bearer(Secret::new(bearer.as_str()), &url))
        .at_most(2 * MAX_TOKEN_BYTES);
    let failed = |source| TokenError::Request {
        service: SERVICE,
        source,
    };
    let answer = client.send(request).map_err(failed)?;
    if !answer.is_success() {
        return Err(TokenError::Refused {
            service: SERVICE,
            status: answer.status,
        });
    }
    let body = Zeroizing::new(answer.body);
    let rules = Rules {
        max_bytes: 2 * MAX_TOKEN_BYTES,
        max_depth: 4,
        numbers: Numbers::Any,
    };
    let answer: GitHubAnswer =
        strict_json::from_slice(&body, &rules).map_err(|_| TokenError::Answer { service: SERVICE })?;
    Ok(Zeroizing::new(answer.value))
}

/// Whether the bearer may go there. An earlier step of a job can set the address for later ones, but not the server's
/// name: GitHub's own service, or a server of one's own and what is below its name.
pub(super) fn is_of_github(url: &Url, surroundings: &dyn Surroundings) -> bool {
    let server = surroundings.variable("GITHUB_SERVER_URL");
    let server: Option<Url> = server.and_then(|server| server.parse().ok());
    let is_below = |name: &str| {
        url.host()
            .strip_suffix(name)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    let is_own = |server: &Url| {
        server.host() != "github.com" && (server.host() == url.host() || is_below(server.host()))
    };
    url.is_loopback() || is_below("actions.githubusercontent.com") || server.as_ref().is_some_and(is_own)
}

/// <https://docs.gitlab.com/ci/secrets/id_token_authentication/>
fn gitlab(surroundings: &dyn Surroundings, audience: &str) -> Result<Text, TokenError> {
    // The job names the variable; by convention after the audience.
    let name: String = audience
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    let variable = surroundings.variable(&format!("{name}_ID_TOKEN"));
    variable.ok_or(TokenError::Permission {
        service: "GitLab CI",
        variable: VARIABLE,
    })
}

/// <https://buildkite.com/docs/agent/cli/reference/oidc>
fn buildkite(surroundings: &dyn Surroundings, audience: &str) -> Result<Text, TokenError> {
    let program = Program::find("buildkite-agent", surroundings)?;
    program.run(
        &["oidc", "request-token", "--audience", audience],
        &["BUILDKITE"],
        surroundings,
    )
}

/// <https://circleci.com/docs/guides/permissions-authentication/openid-connect-tokens/>
fn circleci(surroundings: &dyn Surroundings, audience: &str) -> Result<Text, TokenError> {
    let claims = serde_json::json!({ "aud": audience }).to_string();
    let program = Program::find("circleci", surroundings)?;
    program.run(
        &["run", "oidc", "get", "--root-issuer", "--claims", &claims],
        &["CIRCLE", "TASK_AGENT"],
        surroundings,
    )
}
