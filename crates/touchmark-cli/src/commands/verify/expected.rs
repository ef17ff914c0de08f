//! Whom the flags of `verify --bundle` expect to have signed: keys, and identities by the flags of cosign and
//! `gh attestation`.

use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::{Claim, IdentityRule, IdentityRules, PatternError, TextPattern};
use touchmark_verify::key::KeyFingerprint;
use touchmark_verify::key_ring::KeyRing;

use super::Args;
use super::evidence::public_keys;
use crate::context::Context;
use crate::error::{CliError, ExitCode};

/// The issuer of GitHub's workflows, which `--repo` is about unless another is named.
const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";

/// The flags that name an expected identity.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Expected signer of --bundle alone")]
pub(super) struct IdentityArgs {
    /// The name in the signer's certificate, byte for byte
    #[arg(long, value_name = "NAME")]
    certificate_identity: Option<String>,
    /// An expression for that name, anchored at both ends
    #[arg(long, value_name = "REGEXP", conflicts_with = "certificate_identity")]
    certificate_identity_regexp: Option<String>,
    /// Who vouched for the name, byte for byte
    #[arg(long, value_name = "URL")]
    certificate_oidc_issuer: Option<String>,
    /// An expression for the issuer, anchored at both ends
    #[arg(long, value_name = "REGEXP", conflicts_with = "certificate_oidc_issuer")]
    certificate_oidc_issuer_regexp: Option<String>,
    /// The event that began the workflow; the dangerous ones count only where they are named
    #[arg(long, value_name = "EVENT")]
    certificate_github_workflow_trigger: Option<String>,
    /// The commit that the workflow was at
    #[arg(long, value_name = "SHA")]
    certificate_github_workflow_sha: Option<String>,
    /// The name of the workflow
    #[arg(long, value_name = "NAME")]
    certificate_github_workflow_name: Option<String>,
    /// The repository of the workflow, as OWNER/NAME
    #[arg(long, value_name = "OWNER/NAME")]
    certificate_github_workflow_repository: Option<String>,
    /// The ref that the workflow was at
    #[arg(long, value_name = "REF")]
    certificate_github_workflow_ref: Option<String>,
    /// Accepts only runs on machines of the platform
    #[arg(long)]
    deny_self_hosted_runners: bool,
}

impl IdentityArgs {
    /// Whether any of the flags was given.
    pub(super) fn is_given(&self) -> bool {
        self.certificate_identity.is_some()
            || self.certificate_identity_regexp.is_some()
            || self.certificate_oidc_issuer.is_some()
            || self.certificate_oidc_issuer_regexp.is_some()
            || self.has_claims()
    }

    fn has_claims(&self) -> bool {
        self.certificate_github_workflow_trigger.is_some()
            || self.certificate_github_workflow_sha.is_some()
            || self.certificate_github_workflow_name.is_some()
            || self.certificate_github_workflow_repository.is_some()
            || self.certificate_github_workflow_ref.is_some()
            || self.deny_self_hosted_runners
    }

    /// The rule that the flags spell, together with `--repo`.
    fn rule(&self, repo: Option<&str>) -> Result<Option<IdentityRule>, CliError> {
        let repository = repo.map(repository_uri);
        let identity = match (
            &self.certificate_identity,
            &self.certificate_identity_regexp,
            &repository,
        ) {
            (Some(name), _, _) => exact(name)?,
            (None, Some(expression), _) => regexp(expression, "--certificate-identity-regexp")?,
            (None, None, Some(uri)) => regexp(&format!("^{}/.*$", literal(uri)), "--repo")?,
            (None, None, None) if !self.is_given() => return Ok(None),
            (None, None, None) => {
                return Err(
                    incomplete("the issuer is named, but not whose name it vouches for")
                        .hint("add --certificate-identity NAME, or --certificate-identity-regexp '^…$'"),
                );
            }
        };
        let issuer = match (
            &self.certificate_oidc_issuer,
            &self.certificate_oidc_issuer_regexp,
            &repository,
        ) {
            (Some(issuer), _, _) => exact(issuer)?,
            (None, Some(expression), _) => regexp(expression, "--certificate-oidc-issuer-regexp")?,
            (None, None, Some(uri)) if uri.starts_with("https://github.com/") => exact(GITHUB_ISSUER)?,
            _ => {
                return Err(incomplete("the name is given, but not who vouches for it").hint(
                    "add --certificate-oidc-issuer URL; the same name of another issuer is somebody else",
                ));
            }
        };
        let mut rule = IdentityRule::new(issuer, identity);
        rule.source_repository = repository.as_deref().map(exact).transpose()?;
        self.claims(&mut rule)?;
        Ok(Some(rule))
    }

    fn claims(&self, rule: &mut IdentityRule) -> Result<(), CliError> {
        rule.triggers
            .extend(self.certificate_github_workflow_trigger.clone());
        rule.source_digest = self.certificate_github_workflow_sha.clone();
        rule.hosted = self.deny_self_hosted_runners;
        if let Some(name) = &self.certificate_github_workflow_ref {
            rule.refs.push(exact(name)?);
        }
        let claims = [
            (Claim::GithubName, &self.certificate_github_workflow_name),
            (
                Claim::GithubRepository,
                &self.certificate_github_workflow_repository,
            ),
        ];
        for (claim, value) in claims {
            if let Some(value) = value {
                rule.claims.push((claim, exact(value)?));
            }
        }
        Ok(())
    }
}

/// Everybody whom the flags expect. Nobody at all is refused: then anybody's signature would do.
pub(super) fn signers(args: &Args, context: &Context<'_>) -> Result<ExpectedSigners, CliError> {
    let keys = keys(args, context)?;
    let rule = args.identity.rule(args.repo.as_deref())?;
    let identities = rule.map_or(IdentityRules::None, |rule| IdentityRules::Any(vec![rule]));
    let expected = ExpectedSigners { keys, identities };
    if expected.is_empty() {
        return Err(CliError::usage(
            "verify.no_signer",
            "no signer is expected, so that anybody's signature would do",
        )
        .hint(
            "name the expected signer with --key, or with --certificate-identity and --certificate-oidc-issuer; or \
             judge a change by a policy",
        ));
    }
    Ok(expected)
}

fn keys(args: &Args, context: &Context<'_>) -> Result<KeyRing, CliError> {
    let mut ring = KeyRing::new();
    for key in public_keys(&args.key, context)? {
        ring.allow(key.fingerprint());
        ring.add_key(key);
    }
    for text in args.key.iter().filter(|text| text.starts_with("sha256:")) {
        let fingerprint: KeyFingerprint = text.parse().map_err(|_| {
            CliError::usage(
                "key.fingerprint",
                format!("{text} is not sha256: and 64 lowercase hex digits"),
            )
        })?;
        ring.allow(fingerprint);
    }
    Ok(ring)
}

/// `OWNER/NAME` at GitHub, or the address of a repository elsewhere.
fn repository_uri(repo: &str) -> String {
    let plain = |part: &str| !part.is_empty() && !part.contains(':') && part != "." && part != "..";
    match repo.split_once('/') {
        Some((owner, name)) if plain(owner) && plain(name) && !name.contains('/') => {
            format!("https://github.com/{repo}")
        }
        _ => repo.trim_end_matches('/').trim_end_matches(".git").to_owned(),
    }
}

/// An expression that matches the text alone.
fn literal(text: &str) -> String {
    let mut expression = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() && !"/_<>".contains(c) {
            expression.push('\\');
        }
        expression.push(c);
    }
    expression
}

fn incomplete(message: &str) -> CliError {
    CliError::usage("verify.identity_incomplete", message)
}

fn exact(text: &str) -> Result<TextPattern, CliError> {
    TextPattern::exact(text).map_err(|error| pattern(&error, "an expected name"))
}

fn regexp(text: &str, flag: &str) -> Result<TextPattern, CliError> {
    TextPattern::regexp(text).map_err(|error| pattern(&error, flag))
}

fn pattern(error: &PatternError, place: &str) -> CliError {
    let refused =
        CliError::from_error(ExitCode::Usage, error.code(), error).because(format_args!("in {place}"));
    match error {
        PatternError::Unanchored { .. } => {
            refused.hint(r"say where the name begins and ends: '^https://github\.com/acme/app/.*$'; alternatives go into a group")
        }
        _ => refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_named_as_github_does_or_by_its_address() {
        for (repo, expected) in [
            ("acme/app", "https://github.com/acme/app"),
            ("https://git.example/acme/app.git", "https://git.example/acme/app"),
            ("https://git.example/acme/app/", "https://git.example/acme/app"),
        ] {
            assert_eq!(repository_uri(repo), expected);
        }
    }

    #[test]
    fn a_literal_matches_nothing_else() {
        let uri = "https://github.com/acme-x/a+b.c_d";
        let pattern = TextPattern::regexp(&format!("^{}/.*$", literal(uri))).unwrap();
        assert!(pattern.matches(&format!("{uri}/x")));
        assert!(!pattern.matches("https://githubXcom/acme-x/a+b.c_d/x"));
        assert!(!pattern.matches("https://github.com/acme-x/a+b.c_dd/x"));
    }
}
