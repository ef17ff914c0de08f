//! The services to sign with: flags, then the environment, then the user's configuration, over a signing config.

use touchmark_http::Url;
use touchmark_sign::keyless::signing_config::{Service, ServiceKind, SigningConfig};

use super::{IdentityArgs, refused};
use crate::context::Context;
use crate::error::CliError;
use crate::pipeline::logs::LogArgs;

/// Services other than logs, and the variable that chose the certificate authority, if one did.
#[derive(Debug)]
pub(super) struct Services(SigningConfig, Option<&'static str>);

impl Services {
    pub(super) fn of(args: &IdentityArgs, log: &LogArgs, context: &Context<'_>) -> Result<Self, CliError> {
        let mut config = log.signing_config(context)?.unwrap_or_else(SigningConfig::empty);
        let one = |flag: &Option<String>, variables: [&'static str; 2], setting| {
            let chosen = match flag {
                Some(url) => Some((None, url.clone())),
                None => from_environment(variables, context).map(|(name, url)| (Some(name), url)),
            };
            let configured = || Some((None, context.config.text(setting)?.to_owned()));
            chosen.or_else(configured).unzip()
        };
        let (chosen_by, authority) = one(
            &args.fulcio_url,
            ["TOUCHMARK_FULCIO_URL", "SIGSTORE_FULCIO_URL"],
            "sigstore.fulcio-url",
        );
        let (_, issuer) = one(
            &args.oidc_issuer,
            ["TOUCHMARK_OIDC_ISSUER", "SIGSTORE_OIDC_ISSUER"],
            "sigstore.oidc-issuer",
        );
        let stamps = if !args.timestamp_url.is_empty() {
            args.timestamp_url.clone()
        } else if let Some((_, url)) =
            from_environment(["TOUCHMARK_TIMESTAMP_URL", "SIGSTORE_TIMESTAMP_URL"], context)
        {
            vec![url]
        } else {
            context.config.strings("sigstore.timestamp-urls").to_vec()
        };
        for (kind, urls) in [
            (ServiceKind::CertificateAuthority, authority.as_slice()),
            (ServiceKind::IdentityProvider, issuer.as_slice()),
            (ServiceKind::TimestampAuthority, stamps.as_slice()),
        ] {
            if urls.is_empty() {
                continue;
            }
            let named = urls.iter().map(|url| Service::named(kind, url, 1));
            let named = named
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| refused(error.into()))?;
            config.replace(kind, named);
        }
        Ok(Services(config, chosen_by.flatten()))
    }

    /// Returns the variable that chose the certificate authority, where one did.
    pub(super) fn authority_variable(&self) -> Option<&'static str> {
        self.1
    }

    pub(super) fn has_certificate_authority(&self) -> bool {
        !self.0.all(ServiceKind::CertificateAuthority).is_empty()
    }

    pub(super) fn certificate_authority(&self, context: &Context<'_>) -> Result<Url, CliError> {
        if !self.has_certificate_authority() {
            return Err(
                CliError::usage("keyless.no_service", "no certificate authority is named")
                    .hint("name it with --fulcio-url or --signing-config"),
            );
        }
        let found = self.0.certificate_authority(context.now()?);
        found
            .map(|service| service.url.clone())
            .map_err(|error| refused(error.into()))
    }

    pub(super) fn timestamp_authorities(&self, context: &Context<'_>) -> Result<Vec<Url>, CliError> {
        let found = self.0.timestamp_authorities(context.now()?);
        found
            .map(|services| services.iter().map(|service| service.url.clone()).collect())
            .map_err(|error| refused(error.into()))
    }

    /// Returns who people log in with, if anybody is named.
    pub(super) fn issuer(&self, context: &Context<'_>) -> Result<Option<Url>, CliError> {
        if self.0.all(ServiceKind::IdentityProvider).is_empty() {
            return Ok(None);
        }
        let found = self.0.identity_provider(context.now()?);
        found
            .map(|service| Some(service.url.clone()))
            .map_err(|error| refused(error.into()))
    }
}

fn from_environment(names: [&'static str; 2], context: &Context<'_>) -> Option<(&'static str, String)> {
    let (name, value) = names
        .iter()
        .find_map(|name| Some((*name, context.environment.text(name)?)))?;
    context.output.note(format!("a service is chosen by {name}"));
    Some((name, value.to_owned()))
}
