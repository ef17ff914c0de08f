//! Identity tokens (RFC 7519, ES256), minted and read back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::identity::{GithubRun, Identity};
use super::instance::Instance;
use super::keys::verify_fixed_p256;
use super::rekor_v1::hex;

/// How long a token is good.
const TOKEN_SECONDS: i64 = 600;

impl Instance {
    /// Returns the id of the token issuer's key.
    pub fn issuer_key_id(&self) -> String {
        hex(&self.issuer_key.spki_digest()[..8])
    }

    /// Returns the issuer's keys as a JSON Web Key Set.
    pub fn issuer_keys_json(&self) -> String {
        // The last 64 bytes of the DER form are the point.
        let spki = self.issuer_key.spki();
        let point = &spki[spki.len() - 64..];
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig",
            "kid": self.issuer_key_id(),
            "x": URL_SAFE_NO_PAD.encode(&point[..32]),
            "y": URL_SAFE_NO_PAD.encode(&point[32..]),
        }]})
        .to_string()
    }

    /// Returns a token that says these claims, whatever they are.
    pub fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": self.issuer_key_id(), "typ": "JWT"});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = self.issuer_key.sign_fixed(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Returns a person's token, issued at a time.
    pub fn email_token(&self, issuer: &str, address: &str, at: i64) -> String {
        self.token(&email_claims(issuer, address, at))
    }

    /// Returns the token of a GitHub run, issued at a time.
    pub fn github_token(&self, issuer: &str, run: &GithubRun, at: i64) -> String {
        self.token(&github_claims(issuer, run, at))
    }

    /// Reads a token as Fulcio does: whom it names, and over what the proof of possession is.
    pub(super) fn read_token(&self, token: &str, issuers: &[String], at: i64) -> Result<Named, &'static str> {
        let (signed, signature) = token.rsplit_once('.').ok_or("a token has three parts")?;
        let (_, payload) = signed.split_once('.').ok_or("a token has three parts")?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| "not base64url");
        if !verify_fixed_p256(&self.issuer_key.spki(), signed.as_bytes(), &decode(signature)?) {
            return Err("the token's signature is not the issuer's");
        }
        let claims: Value = serde_json::from_slice(&decode(payload)?).map_err(|_| "not JSON")?;
        let issuer = claims["iss"].as_str().ok_or("no issuer")?;
        if !issuers.iter().any(|known| known == issuer) {
            return Err("an issuer that is not known");
        }
        if claims["aud"] != "sigstore" {
            return Err("a token for somebody else");
        }
        if claims["exp"].as_i64().is_none_or(|end| end <= at) {
            return Err("an expired token");
        }
        named(&claims, issuer)
    }
}

/// Whom a token names.
pub(super) struct Named {
    pub(super) identity: Identity,
    pub(super) challenge: String,
}

fn named(claims: &Value, issuer: &str) -> Result<Named, &'static str> {
    let text = |name: &str| claims[name].as_str().map(str::to_owned);
    let subject = text("sub").ok_or("no subject")?;
    // The kind of the issuer decides, and a job's token may carry an address too.
    let address = text("email").filter(|_| claims["job_workflow_ref"].is_null());
    if let Some(address) = address {
        if claims["email_verified"] != true {
            return Err("the address is not verified");
        }
        let identity = Identity::email(&address, issuer).with_claim(24, &subject);
        return Ok(Named {
            identity,
            challenge: address,
        });
    }
    let run = GithubRun {
        server: "https://github.com".to_owned(),
        repository: text("repository").ok_or("neither a person nor a run")?,
        repository_id: text("repository_id").ok_or("no repository id")?,
        owner_id: text("repository_owner_id").ok_or("no owner id")?,
        visibility: text("repository_visibility").ok_or("no visibility")?,
        workflow_path: workflow_path(claims).ok_or("no workflow")?,
        workflow: text("workflow").ok_or("no workflow")?,
        git_ref: text("ref").ok_or("no ref")?,
        sha: text("sha").ok_or("no commit")?,
        event: text("event_name").ok_or("no event")?,
        runner: text("runner_environment").ok_or("no runner")?,
        run_id: text("run_id").ok_or("no run")?,
        environment: text("environment"),
        subject: Some(subject.clone()),
    };
    let mut identity = run.identity();
    issuer.clone_into(&mut identity.issuer);
    Ok(Named {
        identity,
        challenge: subject,
    })
}

/// `owner/name/PATH@ref`.
fn workflow_path(claims: &Value) -> Option<String> {
    let (repository, workflow) = (
        claims["repository"].as_str()?,
        claims["job_workflow_ref"].as_str()?,
    );
    let rest = workflow.strip_prefix(repository)?.strip_prefix('/')?;
    Some(rest.split_once('@')?.0.to_owned())
}

/// Returns the claims of a person's token.
pub fn email_claims(issuer: &str, address: &str, at: i64) -> Value {
    json!({
        "iss": issuer,
        "sub": format!("subject of {address}"),
        "aud": "sigstore",
        "iat": at,
        "nbf": at,
        "exp": at + TOKEN_SECONDS,
        "email": address,
        "email_verified": true,
    })
}

/// Returns the claims of a GitHub run's token.
pub fn github_claims(issuer: &str, run: &GithubRun, at: i64) -> Value {
    let mut claims = json!({
        "iss": issuer,
        "sub": run.subject(),
        "aud": "sigstore",
        "iat": at,
        "nbf": at,
        "exp": at + TOKEN_SECONDS,
        "repository": run.repository,
        "repository_id": run.repository_id,
        "repository_owner": run.repository.split('/').next(),
        "repository_owner_id": run.owner_id,
        "repository_visibility": run.visibility,
        "workflow": run.workflow,
        "workflow_ref": run.workflow_ref(),
        "workflow_sha": run.sha,
        "job_workflow_ref": run.workflow_ref(),
        "job_workflow_sha": run.sha,
        "ref": run.git_ref,
        "sha": run.sha,
        "event_name": run.event,
        "runner_environment": run.runner,
        "run_id": run.run_id,
        "run_attempt": "1",
    });
    if let Some(environment) = &run.environment {
        claims["environment"] = environment.clone().into();
    }
    claims
}
