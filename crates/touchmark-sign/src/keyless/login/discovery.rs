//! OpenID Connect Discovery 1.0: where a provider wants people and codes to be sent.

use serde::Deserialize;
use touchmark_http::{Accept, Client, Deadline, HttpError, Request, Url};
use touchmark_statement::strict_json::{self, Numbers, Rules};

use super::LoginError;
use crate::keyless::token::{IdentityToken, TokenError};

const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
const RULES: Rules = Rules {
    max_bytes: MAX_DOCUMENT_BYTES,
    max_depth: 16,
    numbers: Numbers::Any,
};

/// An identity provider, as it describes itself.
#[derive(Debug, Clone)]
pub struct Provider {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
}

#[derive(Deserialize)]
struct DocumentWire {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
}

impl Provider {
    /// Asks a provider for its description, at the well-known place below its own address.
    pub fn discover(client: &Client, issuer: &Url, deadline: Deadline) -> Result<Self, LoginError> {
        let url = issuer.join([".well-known", "openid-configuration"]);
        let get = Request::get(&url, Accept::Json)
            .by(deadline)
            .at_most(MAX_DOCUMENT_BYTES);
        let body = client.send(get)?.into_success("application/json")?;
        Self::read(&body, issuer)
    }

    fn read(document: &[u8], issuer: &Url) -> Result<Self, LoginError> {
        let wire: DocumentWire =
            strict_json::from_slice(document, &RULES).map_err(|_| LoginError::Description)?;
        // Discovery §4.3: the document of another issuer would send the code elsewhere.
        if !is_same(&wire.issuer, issuer.as_str()) {
            return Err(LoginError::OtherIssuer {
                expected: issuer.to_string(),
            });
        }
        if let Some(methods) = &wire.code_challenge_methods_supported
            && !methods.iter().any(|method| method == "S256")
        {
            return Err(LoginError::NoPkce);
        }
        let endpoint = |text: &str| {
            let url: Url = text.parse()?;
            // Whoever is reached over TLS does not send us to this machine without it.
            if url.is_plain() && !issuer.is_plain() {
                let host = url.host().to_owned();
                return Err(HttpError::InsecureUrl { host });
            }
            Ok::<Url, HttpError>(url)
        };
        Ok(Provider {
            authorization_endpoint: endpoint(&wire.authorization_endpoint)?,
            token_endpoint: endpoint(&wire.token_endpoint)?,
            issuer: wire.issuer,
        })
    }

    /// Returns where a person logs in.
    pub fn authorization_endpoint(&self) -> &Url {
        &self.authorization_endpoint
    }

    /// Returns where a code becomes a token.
    pub fn token_endpoint(&self) -> &Url {
        &self.token_endpoint
    }

    pub(super) fn refuse_other_issuer(&self, token: &IdentityToken) -> Result<(), TokenError> {
        let found = &token.claims().issuer;
        if is_same(found, &self.issuer) {
            return Ok(());
        }
        Err(TokenError::OtherIssuer {
            expected: self.issuer.clone(),
            found: found.clone(),
        })
    }
}

/// Compares issuers; an address without a path is written with and without its slash.
fn is_same(left: &str, right: &str) -> bool {
    let bare = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
    bare(left) == bare(right)
}
