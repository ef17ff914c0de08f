//! A person's login: OpenID Connect's code flow with PKCE (RFC 7636), by browser or by a code that is typed in.
//!
//! `state`, `nonce` and the PKCE verifier are fresh for each login, and an answer that does not match all of them is
//! refused. The browser answers to a listener on this machine's loopback (RFC 8252 §7.3), which takes one answer.
//! Nothing is opened or asked here: the caller's [`Person`] does that, if there is one.

mod callback;
mod discovery;
mod error;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use touchmark_http::{Accept, Client, ContentType, Deadline, Request, Url};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::strict_json::{self, Numbers, Rules};
use touchmark_statement::timestamp::Timestamp;
use zeroize::Zeroizing;

pub use discovery::Provider;
pub use error::LoginError;

use self::callback::Listener;
use super::token::{Expected, IdentityToken, MAX_TOKEN_BYTES};

/// What identity providers show a code under, in place of an address that they would go to.
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";
const MAX_ANSWER_BYTES: usize = 2 * MAX_TOKEN_BYTES;
/// The longest code that is taken from a browser or a person.
const MAX_CODE_BYTES: usize = 4096;

/// Whoever logs in.
pub trait Person {
    /// Opens an address in a browser, or shows it.
    fn open(&mut self, address: &str);

    /// Shows an address and returns the code that the page behind it shows; `None` if nobody answers.
    fn ask_code(&mut self, address: &str) -> Option<Zeroizing<String>>;
}

/// How the code comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// A browser on this machine brings it.
    Browser,
    /// The person types it in.
    OutOfBand,
}

/// What a login needs.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// Where to log in.
    pub provider: &'a Provider,
    /// The client's name, which is also the audience of the token.
    pub audience: &'a str,
    /// How the code comes back.
    pub back: Return,
    /// When the login must be over.
    pub deadline: Deadline,
    /// The caller's clock: a login takes a while.
    pub clock: &'a dyn Fn() -> Timestamp,
}

#[derive(Deserialize)]
struct TokenWire {
    id_token: String,
}

/// Random values that bind an answer to this login.
struct Fresh {
    state: String,
    nonce: String,
    verifier: Zeroizing<String>,
}

impl Fresh {
    fn draw() -> Result<Self, LoginError> {
        Ok(Fresh {
            state: random()?,
            nonce: random()?,
            verifier: Zeroizing::new(random()?),
        })
    }

    fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256Digest::of(self.verifier.as_bytes()).as_bytes())
    }
}

fn random() -> Result<String, LoginError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|_| LoginError::NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(*bytes))
}

/// Lets a person log in and returns their token.
pub fn log_in(
    client: &Client,
    login: &Login<'_>,
    person: &mut dyn Person,
) -> Result<IdentityToken, LoginError> {
    let fresh = Fresh::draw()?;
    let (code, redirect) = match login.back {
        Return::Browser => {
            let listener = Listener::open()?;
            let redirect = listener.address();
            person.open(authorization(login, &fresh, &redirect).as_str());
            (listener.wait(&fresh.state, login.deadline)?, redirect)
        }
        Return::OutOfBand => {
            let address = authorization(login, &fresh, OUT_OF_BAND);
            let code = person.ask_code(address.as_str()).ok_or(LoginError::NoCode)?;
            let code = Zeroizing::new(code.trim().to_owned());
            if code.is_empty() || code.len() > MAX_CODE_BYTES {
                return Err(LoginError::NoCode);
            }
            (code, OUT_OF_BAND.to_owned())
        }
    };
    let text = exchange(client, login, &fresh, &code, &redirect)?;
    let expected = Expected {
        audience: login.audience,
        at: (login.clock)(),
    };
    let token = IdentityToken::parse(text, &expected)?;
    // OpenID Connect Core §3.1.3.7: another issuer's token, or one of another login, is not this person's.
    login.provider.refuse_other_issuer(&token)?;
    if token.claims().nonce.as_deref() != Some(&*fresh.nonce) {
        return Err(LoginError::Nonce);
    }
    Ok(token)
}

fn authorization(login: &Login<'_>, fresh: &Fresh, redirect: &str) -> Url {
    let pairs = [
        ("response_type", "code"),
        ("client_id", login.audience),
        ("redirect_uri", redirect),
        ("scope", "openid email"),
        ("state", &fresh.state),
        ("nonce", &fresh.nonce),
        ("code_challenge", &fresh.challenge()),
        ("code_challenge_method", "S256"),
    ];
    let endpoint = login.provider.authorization_endpoint().clone();
    pairs
        .iter()
        .fold(endpoint, |url, (name, value)| url.with_query(name, value))
}

/// Turns the code into the token. No client secret: the PKCE verifier proves that it is us who asked.
fn exchange(
    client: &Client,
    login: &Login<'_>,
    fresh: &Fresh,
    code: &str,
    redirect: &str,
) -> Result<Zeroizing<String>, LoginError> {
    let form: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", redirect)
        .append_pair("client_id", login.audience)
        .append_pair("code_verifier", &fresh.verifier)
        .finish();
    let endpoint = login.provider.token_endpoint();
    let post = Request::post(endpoint, ContentType::Form, form, Accept::Json)
        .by(login.deadline)
        .at_most(MAX_ANSWER_BYTES);
    let answer = client.send(post)?;
    if !answer.is_success() {
        return Err(if answer.is_worth_retrying() {
            answer.into_status_error().into()
        } else {
            LoginError::Refused {
                status: answer.status,
            }
        });
    }
    let body = Zeroizing::new(answer.into_success("application/json")?);
    let rules = Rules {
        max_bytes: MAX_ANSWER_BYTES,
        max_depth: 8,
        numbers: Numbers::Any,
    };
    let wire: TokenWire = strict_json::from_slice(&body, &rules).map_err(|_| LoginError::Answer)?;
    Ok(Zeroizing::new(wire.id_token))
}
