//! The header and the claims of a token, read strictly, and the reasons not to use it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use touchmark_statement::strict_json::{self, Numbers, Rules};
use touchmark_statement::timestamp::Timestamp;
use url::Url;
use zeroize::Zeroizing;

use super::{Expected, MAX_TOKEN_BYTES, TokenError};

/// The longest claim that is kept; certificates do not name longer ones.
const MAX_CLAIM_BYTES: usize = 4096;
/// How far an issuer's clock may be ahead of ours.
const MAX_SKEW_SECONDS: i64 = 60;
const RULES: Rules = Rules {
    max_bytes: MAX_TOKEN_BYTES,
    max_depth: 16,
    numbers: Numbers::Any,
};

/// What a token says about its bearer; claims, until a certificate authority has verified them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Who issued it.
    pub issuer: String,
    /// The subject, as the issuer names it.
    pub subject: String,
    /// Whom it is meant for.
    pub audience: Vec<String>,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// From when it holds, if that is said.
    pub not_before: Option<Timestamp>,
    /// The e-mail address, if there is one.
    pub email: Option<String>,
    /// Whether the issuer verified that address.
    pub email_verified: Option<bool>,
    /// The nonce that the login asked for, if it did.
    pub nonce: Option<String>,
    texts: BTreeMap<String, String>,
}

impl Claims {
    /// Returns another claim that is a plain text, such as `job_workflow_ref`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// Returns the verified e-mail address.
    pub fn verified_email(&self) -> Result<Option<&str>, TokenError> {
        match (&self.email, self.email_verified) {
            (None, _) => Ok(None),
            (Some(email), Some(true)) => Ok(Some(email)),
            (Some(_), _) => Err(TokenError::EmailNotVerified),
        }
    }

    /// Returns the name by which a person would know the bearer: the verified e-mail address, else the subject.
    pub fn identity(&self) -> &str {
        self.verified_email().ok().flatten().unwrap_or(&self.subject)
    }

    pub(super) fn refuse_unfit(&self, expected: &Expected<'_>) -> Result<(), TokenError> {
        // Exactly one audience: a token for several is one that several could use against each other.
        if self.audience != [expected.audience] {
            return Err(TokenError::Audience {
                expected: expected.audience.to_owned(),
                found: self.audience.clone(),
            });
        }
        if expected.at >= self.expires_at {
            return Err(TokenError::Expired {
                expired_at: self.expires_at,
                at: expected.at,
            });
        }
        match self.not_before {
            // Issuers begin at the moment of issue, and their clock may be ahead of ours.
            Some(not_before) if expected.at.unix() < not_before.unix() - MAX_SKEW_SECONDS => {
                Err(TokenError::NotYet {
                    not_before,
                    at: expected.at,
                })
            }
            _ => Ok(()),
        }
    }
}

/// Reads the claims of a compact token.
pub(super) fn read(token: &str) -> Result<Claims, TokenError> {
    let malformed = |part| TokenError::Malformed { part };
    let parts: Vec<&str> = token.splitn(4, '.').collect();
    let [header, payload, signature] = parts[..] else {
        return Err(malformed("form"));
    };
    let header = object(header).ok_or(malformed("header"))?;
    match header.get("alg").and_then(Value::as_str) {
        None => return Err(malformed("header")),
        Some(algorithm) if algorithm.eq_ignore_ascii_case("none") => return Err(TokenError::Unsigned),
        Some(_) => {}
    }
    if signature.is_empty() {
        return Err(TokenError::Unsigned);
    }
    URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| malformed("signature"))?;
    let claims = object(payload).ok_or(malformed("claims"))?;
    typed(&claims)
}

fn object(part: &str) -> Option<serde_json::Map<String, Value>> {
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(part).ok()?);
    match strict_json::from_slice(&bytes, &RULES).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

fn typed(claims: &serde_json::Map<String, Value>) -> Result<Claims, TokenError> {
    let required = |claim| text(claims, claim)?.ok_or(TokenError::Claim { claim });
    let issuer = required("iss")?;
    refuse_odd_issuer(&issuer)?;
    let email_verified = match claims.get("email_verified") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(verified)) => Some(*verified),
        // Some issuers write it as a text.
        Some(Value::String(verified)) if verified == "true" => Some(true),
        Some(Value::String(verified)) if verified == "false" => Some(false),
        Some(_) => {
            return Err(TokenError::Claim {
                claim: "email_verified",
            });
        }
    };
    Ok(Claims {
        issuer,
        subject: required("sub")?,
        audience: audience(claims.get("aud"))?,
        expires_at: moment(claims, "exp")?.ok_or(TokenError::Claim { claim: "exp" })?,
        not_before: moment(claims, "nbf")?,
        email: text(claims, "email")?,
        email_verified,
        nonce: text(claims, "nonce")?,
        texts: claims.iter().filter_map(plain).collect(),
    })
}

/// Returns a claim that must be a plain text when it is there.
fn text(claims: &serde_json::Map<String, Value>, claim: &'static str) -> Result<Option<String>, TokenError> {
    match claims.get(claim) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().any(char::is_control) => {
            Err(TokenError::ControlCharacters { claim })
        }
        Some(Value::String(text)) if !text.is_empty() && text.len() <= MAX_CLAIM_BYTES => {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(TokenError::Claim { claim }),
    }
}

fn plain((name, value): (&String, &Value)) -> Option<(String, String)> {
    let text = value.as_str()?;
    let fits = text.len() <= MAX_CLAIM_BYTES && !text.chars().any(char::is_control);
    fits.then(|| (name.clone(), text.to_owned()))
}

fn audience(claim: Option<&Value>) -> Result<Vec<String>, TokenError> {
    let bad = || TokenError::Claim { claim: "aud" };
    let one = |value: &Value| {
        let text = value.as_str().filter(|text| text.len() <= MAX_CLAIM_BYTES);
        match text {
            Some(text) if text.chars().any(char::is_control) => {
                Err(TokenError::ControlCharacters { claim: "aud" })
            }
            Some(text) => Ok(text.to_owned()),
            None => Err(bad()),
        }
    };
    match claim {
        Some(Value::Array(items)) if items.len() <= 16 => items.iter().map(one).collect(),
        Some(value) => Ok(vec![one(value)?]),
        None => Err(bad()),
    }
}

/// Reads a `NumericDate`, seconds since the epoch with or without a fraction.
fn moment(
    claims: &serde_json::Map<String, Value>,
    claim: &'static str,
) -> Result<Option<Timestamp>, TokenError> {
    let bad = TokenError::Claim { claim };
    let seconds = match claims.get(claim) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(seconds), _) => seconds,
            // Rounded down: a token never holds longer than it says.
            #[expect(
                clippy::cast_possible_truncation,
                reason = "within the range that was just asked for"
            )]
            (None, Some(seconds)) if (0.0..=253_402_300_799.0).contains(&seconds) => seconds.floor() as i64,
            _ => return Err(bad),
        },
        Some(_) => return Err(bad),
    };
    Timestamp::from_unix(seconds).map(Some).map_err(|_| bad)
}

fn refuse_odd_issuer(issuer: &str) -> Result<(), TokenError> {
    let url = Url::parse(issuer).map_err(|_| TokenError::Issuer)?;
    // OpenID Connect Core §2: an address with scheme and host, without query and fragment.
    let sane = matches!(url.scheme(), "https" | "http")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && !issuer.chars().any(char::is_whitespace);
    if sane { Ok(()) } else { Err(TokenError::Issuer) }
}
