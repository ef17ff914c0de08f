//! The token issuer: discovery, keys, a GitHub-shaped endpoint, and the authorization code flow with PKCE (RFC 7636).

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::Shared;
use super::http::{Answer, Request, parameter};
use super::route::Route;
use crate::sigstore::identity::GithubRun;
use crate::sigstore::keys::Hash;
use crate::sigstore::rekor_v1::hex;
use crate::sigstore::token_issuer::{email_claims, github_claims};

/// What a job must show to be given a token.
pub(super) const REQUEST_TOKEN: &str = "the-jobs-own-request-token";

/// Who logs in, and which codes were given out.
#[derive(Debug)]
pub(super) struct Logins {
    pub(super) run: GithubRun,
    pub(super) person: String,
    codes: HashMap<String, Code>,
}

impl Default for Logins {
    fn default() -> Self {
        Self {
            run: GithubRun::default(),
            person: "alice@example.test".to_owned(),
            codes: HashMap::new(),
        }
    }
}

#[derive(Debug)]
struct Code {
    challenge: String,
    nonce: Option<String>,
    redirect: String,
}

pub(super) fn answer(route: Route, request: &Request, shared: &Shared) -> Answer {
    let issuer = &shared.urls.issuer;
    match route {
        Route::Discovery => Answer::json(
            200,
            json!({
                "issuer": issuer,
                "jwks_uri": format!("{issuer}/keys"),
                "authorization_endpoint": format!("{issuer}/auth"),
                "token_endpoint": format!("{issuer}/token"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"],
            }),
        ),
        Route::Keys => Answer::json(200, shared.instance.issuer_keys_json()),
        Route::GithubToken => github_token(request, shared),
        Route::Authorize => authorize(request, shared),
        _ => token(request, shared),
    }
}

fn github_token(request: &Request, shared: &Shared) -> Answer {
    let shown = request.header("authorization").map(str::to_ascii_lowercase);
    if shown != Some(format!("bearer {REQUEST_TOKEN}")) {
        return Answer::error(401, "not a job's request token");
    }
    let audience = request
        .parameter("audience")
        .unwrap_or_else(|| "https://github.com/acme".to_owned());
    let run = shared.logins.lock().expect("no holder panicked").run.clone();
    let mut claims = github_claims(&shared.urls.issuer, &run, shared.now());
    claims["aud"] = audience.into();
    Answer::json(200, json!({"value": shared.instance.token(&claims)}))
}

fn authorize(request: &Request, shared: &Shared) -> Answer {
    let wanted = |name| request.parameter(name);
    let (Some(redirect), Some(challenge), Some(state)) =
        (wanted("redirect_uri"), wanted("code_challenge"), wanted("state"))
    else {
        return Answer::error(400, "an address, a challenge and a state are needed");
    };
    if wanted("code_challenge_method").as_deref() != Some("S256") {
        return Answer::error(400, "a challenge by SHA-256 is needed");
    }
    let mut logins = shared.logins.lock().expect("no holder panicked");
    let code = hex(&Hash::Sha256.of(format!("{challenge} {}", logins.codes.len()).as_bytes())[..8]);
    let given = Code {
        challenge,
        nonce: wanted("nonce"),
        redirect: redirect.clone(),
    };
    logins.codes.insert(code.clone(), given);
    if redirect.starts_with("urn:") {
        return Answer::new(200, "text/plain", code.into_bytes());
    }
    let joint = if redirect.contains('?') { '&' } else { '?' };
    Answer::new(303, "text/plain", Vec::new())
        .header("location", &format!("{redirect}{joint}code={code}&state={state}"))
}

fn token(request: &Request, shared: &Shared) -> Answer {
    let form = String::from_utf8_lossy(&request.body).into_owned();
    let field = |name| parameter(&form, name).unwrap_or_default();
    let mut logins = shared.logins.lock().expect("no holder panicked");
    // A code is good once.
    let Some(code) = logins.codes.remove(&field("code")) else {
        return Answer::json(400, json!({"error": "invalid_grant"}));
    };
    let challenge = URL_SAFE_NO_PAD.encode(Hash::Sha256.of(field("code_verifier").as_bytes()));
    let good = field("grant_type") == "authorization_code"
        && challenge == code.challenge
        && field("redirect_uri") == code.redirect;
    if !good {
        return Answer::json(400, json!({"error": "invalid_grant"}));
    }
    let mut claims = email_claims(&shared.urls.issuer, &logins.person, shared.now());
    if let Some(nonce) = code.nonce {
        claims["nonce"] = nonce.into();
    }
    let token = shared.instance.token(&claims);
    Answer::json(
        200,
        json!({"id_token": token, "access_token": "unused", "token_type": "Bearer"}),
    )
}
