//! Keyless signing on the command line: who signs, with which services, and what of that becomes public.
//!
//! What signs, in this order: `--key`; any flag that names an identity or a certificate authority; the configured
//! `key`; a configured certificate authority (`sigstore.fulcio-url`, or a signing config that has one); the user's
//! default key. Services are chosen by flags, the environment and the user's own configuration, never by the
//! repository, and nobody's identity is sent to one before somebody agreed to it for this repository.

mod person;
mod services;
mod surroundings;

use std::path::Path;
use std::time::Duration;

use touchmark_http::{Client, Deadline, Url};
use touchmark_rekor::ApiVersion;
use touchmark_rekor::spool::{self, LogAddress, Target};
use touchmark_sign::attestation::{Prepared, SignedEnvelope};
use touchmark_sign::keyless::stamp::{self, Stamping};
use touchmark_sign::keyless::token::{
    self, Discovered, Expected, IdentityToken, TokenError, TokenSource, discover,
};
use touchmark_sign::keyless::{KeylessError, KeylessRequest, KeylessSigner, login};
use touchmark_statement::timestamp::Timestamp;
use touchmark_verify::evidence::SignerId;
use touchmark_verify::issued::{CertificateLogs, IssuedCertificate};
use touchmark_verify::trust::TrustedRoot;

use crate::context::Context;
use crate::error::CliError;
use crate::pipeline::logs::{self, LogArgs};
use crate::pipeline::{Signed, agree_identity, agreed_targets};
use services::Services;
use surroundings::View;

/// How long the certificate authority, a CI service or a timestamp authority may take, where nobody says.
const SERVICE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a person may take to log in.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(300);

/// The flags of signing with an identity in place of a key.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Identity")]
pub(crate) struct IdentityArgs {
    /// Signs with this identity token instead of a key: a file, - for standard input, or the token itself
    #[arg(long, value_name = "TOKEN|FILE|-", conflicts_with_all = ["key", "oob"], hide_env_values = true)]
    identity_token: Option<String>,
    /// Who vouches for the identity; a person logs in there
    #[arg(long, value_name = "URL", conflicts_with = "key")]
    oidc_issuer: Option<String>,
    /// The certificate authority that turns the identity into a certificate
    #[arg(long, value_name = "URL", conflicts_with = "key")]
    fulcio_url: Option<String>,
    /// A timestamp authority, path included; give several to be stamped by each
    #[arg(long, value_name = "URL")]
    timestamp_url: Vec<String>,
    /// Logs in with a code that is typed in, where no browser can come back to this machine
    #[arg(long, conflicts_with = "key")]
    oob: bool,
}

impl IdentityArgs {
    /// Whether a flag asks for an identity to sign.
    fn is_asked_for(&self) -> bool {
        self.identity_token.is_some() || self.oidc_issuer.is_some() || self.fulcio_url.is_some() || self.oob
    }

    /// Returns the services if an identity signs, nothing if a key does.
    fn services(
        &self,
        key: Option<&str>,
        log: &LogArgs,
        context: &Context<'_>,
    ) -> Result<Option<Services>, CliError> {
        if key.is_some() || (!self.is_asked_for() && context.config.text("key").is_some()) {
            return Ok(None);
        }
        let services = Services::of(self, log, context)?;
        if !self.is_asked_for() && !services.has_certificate_authority() {
            return Ok(None);
        }
        Ok(Some(services))
    }

    /// Whether an identity signs, as flags and configuration stand.
    pub(crate) fn signs(
        &self,
        key: Option<&str>,
        log: &LogArgs,
        context: &Context<'_>,
    ) -> Result<bool, CliError> {
        Ok(self.services(key, log, context)?.is_some())
    }

    /// Gets a certificate for whoever signs; nothing if a key signs.
    pub(crate) fn open(
        &self,
        key: Option<&str>,
        log: &LogArgs,
        repository: &Path,
        context: &Context<'_>,
    ) -> Result<Option<Keyless>, CliError> {
        let Some(services) = self.services(key, log, context)? else {
            return Ok(None);
        };
        let stamps = services.timestamp_authorities(context)?;
        refuse_timeless(&log.targets(context)?, &stamps)?;
        let authority = services.certificate_authority(context)?;
        let root = signing_root(log, context)?;
        let client = logs::client(context)?;
        let (found, source) = self.token(&services, &client, Login::Allowed, context)?;
        context.output.note(format!(
            "signing as {} (issuer {}, from {source})",
            found.claims().identity(),
            found.claims().issuer
        ));
        agreed_targets(log, repository, context)?;
        agree_identity(
            &authority,
            services.authority_variable(),
            log,
            repository,
            context,
        )?;
        let clock = clock(context)?;
        let request = KeylessRequest {
            certificate_authority: &authority,
            token: &found,
            root: &root,
            certificate_logs: certificate_logs(context),
            clock: &clock,
            deadline: log.deadline(SERVICE_TIMEOUT),
        };
        let signer = KeylessSigner::request(&client, &request).map_err(|error| refused(error.into()))?;
        Ok(Some(Keyless {
            signer,
            stamps: Stamps {
                client,
                root,
                authorities: stamps,
                timeout: log.timeout(SERVICE_TIMEOUT),
            },
        }))
    }

    /// Returns who stamps what a key signs; nobody where nobody is named or the log is the user's own.
    pub(crate) fn stamps(&self, log: &LogArgs, context: &Context<'_>) -> Result<Option<Stamps>, CliError> {
        let is_own = |target: &Target| matches!(target.log, LogAddress::Embedded(_));
        if log.targets(context)?.iter().any(is_own) {
            return Ok(None);
        }
        let authorities = Services::of(self, log, context)?.timestamp_authorities(context)?;
        if authorities.is_empty() {
            return Ok(None);
        }
        let roots = log.roots().load(context)?;
        let with_authority = roots
            .into_iter()
            .find(|root| !root.root.timestamp_authorities().is_empty());
        let root = with_authority.ok_or_else(|| {
            CliError::usage(
                "keyless.no_authority",
                "no trusted root has a timestamp authority",
            )
            .hint("give the instance's trusted root with --trusted-root")
        })?;
        Ok(Some(Stamps {
            client: logs::client(context)?,
            root: root.root,
            authorities,
            timeout: log.timeout(SERVICE_TIMEOUT),
        }))
    }

    /// Says what would become public if an identity signed; opens no browser and sends no token to anybody.
    pub(crate) fn preview(
        &self,
        key: Option<&str>,
        log: &LogArgs,
        context: &Context<'_>,
    ) -> Result<Option<Publication>, CliError> {
        let Some(services) = self.services(key, log, context)? else {
            return Ok(None);
        };
        let targets = log.targets(context)?;
        let client = logs::client(context)?;
        let found = match self.token(&services, &client, Login::Refused, context) {
            Ok((token, _)) => Some(token),
            Err(error) if error.code() == "token.not_found" => None,
            Err(error) => return Err(error),
        };
        let addresses = |urls: Vec<Url>| urls.iter().map(ToString::to_string).collect();
        Ok(Some(Publication {
            identity: found.as_ref().map(|token| token.claims().identity().to_owned()),
            issuer: match &found {
                Some(token) => Some(token.claims().issuer.clone()),
                None => services.issuer(context)?.map(|url| url.to_string()),
            },
            certificate_authority: services.certificate_authority(context)?.to_string(),
            timestamp_authorities: addresses(services.timestamp_authorities(context)?),
            logs: targets.iter().map(|target| target.log.to_string()).collect(),
        }))
    }

    fn token(
        &self,
        services: &Services,
        client: &Client,
        login: Login,
        context: &Context<'_>,
    ) -> Result<(IdentityToken, TokenSource), CliError> {
        let audience = context
            .config
            .text("sigstore.audience")
            .unwrap_or(token::DEFAULT_AUDIENCE);
        let expected = Expected {
            audience,
            at: context.now()?,
        };
        let refused = |error: TokenError| refused(error.into());
        if let Some(text) = &self.identity_token {
            let token = argument(text, &expected, context).map_err(refused)?;
            return Ok((token, TokenSource::Argument));
        }
        if !self.oob {
            let view = View::of(context);
            if let Discovered::Token(found) = discover(&view, &expected, client).map_err(refused)? {
                self.refuse_other_issuer(&found.token).map_err(refused)?;
                return Ok((found.token, found.source));
            }
        }
        if login == Login::Refused || !person::is_there() {
            return Err(refused(TokenError::NotFound));
        }
        let token = self.log_in(services, client, audience, context)?;
        Ok((token, TokenSource::Person))
    }

    /// A job's own token is not the token of the issuer that somebody named.
    fn refuse_other_issuer(&self, token: &IdentityToken) -> Result<(), TokenError> {
        let found = token.claims().issuer.as_str();
        match self.oidc_issuer.as_deref() {
            Some(named) if named.trim_end_matches('/') != found.trim_end_matches('/') => {
                Err(TokenError::OtherIssuer {
                    expected: named.to_owned(),
                    found: found.to_owned(),
                })
            }
            _ => Ok(()),
        }
    }

    fn log_in(
        &self,
        services: &Services,
        client: &Client,
        audience: &str,
        context: &Context<'_>,
    ) -> Result<IdentityToken, CliError> {
        let refused = |error: login::LoginError| refused(error.into());
        let issuer = services.issuer(context)?.ok_or_else(|| {
            CliError::usage("keyless.no_issuer", "nobody is known to log in with")
                .hint("name the issuer with --oidc-issuer, or a signing config that has one")
        })?;
        let provider =
            login::Provider::discover(client, &issuer, Deadline::after(SERVICE_TIMEOUT)).map_err(refused)?;
        let clock = clock(context)?;
        let login = login::Login {
            provider: &provider,
            audience,
            back: if self.oob {
                login::Return::OutOfBand
            } else {
                login::Return::Browser
            },
            deadline: Deadline::after(LOGIN_TIMEOUT),
            clock: &clock,
        };
        login::log_in(client, &login, &mut person::AtTerminal::new(context)).map_err(refused)
    }
}

/// Whether a person may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Login {
    Allowed,
    Refused,
}

/// What an identity's signature makes public, for ever.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Publication {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
    pub(crate) certificate_authority: String,
    pub(crate) timestamp_authorities: Vec<String>,
    pub(crate) logs: Vec<String>,
}

impl Publication {
    /// Says it to a person.
    pub(crate) fn in_words(&self) -> String {
        let unknown = "whoever logs in".to_owned();
        let issuer = self.issuer.as_ref().map(|issuer| format!(" (issuer {issuer})"));
        let mut text = format!(
            "signing would make public, for ever:\n  the identity {}{}, in a certificate of {}",
            self.identity.as_ref().unwrap_or(&unknown),
            issuer.unwrap_or_default(),
            self.certificate_authority,
        );
        for log in &self.logs {
            text.push_str(&format!(
                "\n  the digest that is signed, the signature and the certificate, in {log}"
            ));
        }
        for authority in &self.timestamp_authorities {
            text.push_str(&format!("\n  a digest of the signature is sent to {authority}"));
        }
        text
    }
}

/// A certificate for this run, and the services that it needs.
#[derive(Debug)]
pub(crate) struct Keyless {
    signer: KeylessSigner,
    stamps: Stamps,
}

/// Timestamp authorities, and what their answers must lead to.
#[derive(Debug)]
pub(crate) struct Stamps {
    client: Client,
    root: TrustedRoot,
    authorities: Vec<Url>,
    /// How long each may take.
    timeout: Duration,
}

impl Stamps {
    /// Has a signature stamped by each authority.
    pub(crate) fn of(
        &self,
        signed: &SignedEnvelope,
        certificate: Option<&IssuedCertificate>,
        context: &Context<'_>,
    ) -> Result<Vec<Vec<u8>>, CliError> {
        let authorities: Vec<&Url> = self.authorities.iter().collect();
        let clock = clock(context)?;
        let stamping = Stamping {
            signed,
            certificate,
            certificate_logs: certificate_logs(context),
            authorities: &authorities,
            root: &self.root,
            clock: &clock,
            deadline: Deadline::after(self.timeout),
        };
        stamp::timestamps(&self.client, &stamping).map_err(|error| refused(error.into()))
    }
}

impl Keyless {
    /// Returns the id under which evidence of this identity is filed.
    pub(crate) fn signer_id(&self) -> SignerId {
        self.signer.signer_id()
    }

    /// Returns the certificate.
    pub(crate) fn certificate(&self) -> &IssuedCertificate {
        self.signer.certificate()
    }

    /// Signs, and has the signature stamped while the certificate holds.
    pub(crate) fn sign(&self, prepared: Prepared, context: &Context<'_>) -> Result<Signed, CliError> {
        let envelope = prepared.sign(&self.signer)?;
        let certificate = self.signer.certificate();
        let timestamps = self.stamps.of(&envelope, Some(certificate), context)?;
        let keyless = spool::Keyless {
            certificate: certificate.der().to_vec(),
            signer: self.signer.signer_id(),
            timestamps,
            expires_at: certificate.window().end.unwrap_or(certificate.window().start),
        };
        Ok(Signed {
            envelope,
            keyless: Some(keyless),
        })
    }
}

fn clock(context: &Context<'_>) -> Result<impl Fn() -> Timestamp, CliError> {
    let begun = context.now()?;
    // A clock that stops is as good as the one that ran when we began.
    Ok(move || context.now().unwrap_or(begun))
}

fn certificate_logs(context: &Context<'_>) -> CertificateLogs {
    if context.config.flag("sigstore.no-certificate-log") {
        CertificateLogs::None
    } else {
        CertificateLogs::Required
    }
}

/// The root that certificates and times must lead to: the first of those chosen that has a certificate authority.
fn signing_root(log: &LogArgs, context: &Context<'_>) -> Result<TrustedRoot, CliError> {
    let roots = log.roots().load(context)?;
    let with_authority = roots
        .into_iter()
        .find(|root| !root.root.certificate_authorities().is_empty());
    with_authority.map(|root| root.root).ok_or_else(|| {
        CliError::usage(
            "keyless.no_authority",
            "no trusted root has a certificate authority",
        )
        .hint("give the instance's trusted root with --trusted-root")
    })
}

/// A certificate holds for minutes, so that somebody has to sign when it was used: a timestamp authority, or Rekor v1.
fn refuse_timeless(targets: &[Target], stamps: &[Url]) -> Result<(), CliError> {
    if targets
        .iter()
        .any(|target| matches!(target.log, LogAddress::Embedded(_)))
    {
        return Err(CliError::usage(
            "keyless.embedded_log",
            "the embedded log takes what keys sign, and no certificates",
        )
        .hint("name a Rekor log with --rekor-url or --signing-config"));
    }
    let gives_time = |target: &Target| {
        matches!(
            target.log,
            LogAddress::Service {
                version: ApiVersion::V1,
                ..
            }
        )
    };
    if stamps.is_empty() && !targets.iter().all(gives_time) {
        return Err(CliError::usage(
            "keyless.no_time",
            "nobody would sign the time, and a certificate holds for minutes",
        )
        .hint("name a timestamp authority with --timestamp-url, or a signing config that has one"));
    }
    Ok(())
}

/// `--identity-token`: a file, `-`, or the token itself.
fn argument(text: &str, expected: &Expected<'_>, context: &Context<'_>) -> Result<IdentityToken, TokenError> {
    if text == "-" {
        return IdentityToken::read_from(&mut std::io::stdin().lock(), expected);
    }
    if IdentityToken::looks_like_one(text) {
        context
            .output
            .warn("a token on the command line can be seen by others on this machine: give it in a file or on standard input");
        return IdentityToken::parse(zeroize::Zeroizing::new(text.to_owned()), expected);
    }
    IdentityToken::read_file(&context.path(Path::new(text)), expected)
}

/// What a service's wrong answer, or none, means to the user.
pub(super) fn refused(error: KeylessError) -> CliError {
    use touchmark_policy::ExitCode;
    let exit = if error.is_outage() {
        ExitCode::Unavailable
    } else {
        crate::error::exit_of(error.code())
    };
    let hint = touchmark_policy::reason::registry::explain(error.code()).map(|entry| entry.help);
    let error = CliError::from_error(exit, error.code(), &error);
    match hint {
        Some(hint) => error.hint(format!("{hint}; nothing was signed")),
        None => error,
    }
}
