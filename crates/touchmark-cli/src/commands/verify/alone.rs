//! `touchmark verify --bundle FILE`: bundles against an expected signer, without a repository or a policy.
//!
//! Takes any in-toto attestation and any signature over a blob, whoever made it: cosign, GitHub, sigstore-python.

use std::sync::Arc;

use serde::Deserialize;
use touchmark_policy::agreement::{self, RunPlace};
use touchmark_policy::judge::Candidate;
use touchmark_policy::reason::is_about_the_root;
use touchmark_verify::bundle::{Bundle, Content, VerificationMaterial};
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::remembered::RememberedCheckpoints;
use touchmark_verify::verified::VerifiedStatement;
use touchmark_verify::verify::{Verifier, VerifyError, VerifyOptions};

use super::artifact::Artifact;
use super::report::{self, Proven, Verified};
use super::{Args, evidence, expected};
use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::remembered::{self, Remembered};
use crate::trust::Root;

pub(crate) use super::report::checks;

/// Verifies every bundle that was given; one failure is a failure.
pub(super) fn run(args: &Args, context: &Context<'_>) -> Result<ExitCode, CliError> {
    refuse_questions_about_a_change(args)?;
    let expected = expected::signers(args, context)?;
    let artifact = args
        .artifact
        .as_deref()
        .map(|text| Artifact::load(text, context))
        .transpose()?;
    let roots = args.roots.load_for_bundles(context)?;
    let mut options = VerifyOptions::new(context.now()?);
    options.allow_promise_only = args.allow_promise_only;
    options.witnesses = args.roots.witness_policy(context)?;
    let remembered = Remembered::if_asked(args.remember, context)?;
    options.remembered = remembered
        .clone()
        .map(|remembered| remembered as Arc<dyn RememberedCheckpoints>);
    let question = Question {
        args,
        expected: &expected,
        artifact: artifact.as_ref(),
        verifiers: roots
            .iter()
            .map(|root: &Root| Verifier::new(&root.root, &options))
            .collect(),
    };
    let answered = question.answer_all(context);
    // What logs were seen to sign is remembered whatever came of the bundles; an alarm above all.
    remembered::finish(remembered.as_deref(), context)?;
    let (verified, other_types) = answered?;
    if verified.is_empty() {
        return Err(nothing(args, other_types));
    }
    report::show(&verified, args.statement, context)?;
    Ok(ExitCode::Allowed)
}

/// Verifies one bundle by one who is expected; `None` if it is of another predicate type than the one asked for.
pub(super) fn prove(
    args: &Args,
    expected: &ExpectedSigners,
    candidate: Candidate,
    context: &Context<'_>,
) -> Result<Option<Proven>, CliError> {
    let roots = args.roots.load_for_bundles(context)?;
    let mut options = VerifyOptions::new(context.now()?);
    options.allow_promise_only = args.allow_promise_only;
    options.witnesses = args.roots.witness_policy(context)?;
    let question = Question {
        args,
        expected,
        artifact: None,
        verifiers: roots
            .iter()
            .map(|root: &Root| Verifier::new(&root.root, &options))
            .collect(),
    };
    Ok(question.answer(candidate)?.map(|verified| verified.proven))
}

/// Whoever says how a change is judged and names none must not take this answer for that one.
fn refuse_questions_about_a_change(args: &Args) -> Result<(), CliError> {
    let about_a_change = args.target.is_some()
        || (args.repo.is_some() && !args.key.is_empty())
        || args.forge_author.is_some()
        || args.from.is_some()
        || args.min_serial.is_some()
        || !args.policy.is_empty()
        || !args.pull_request.is_empty();
    if about_a_change {
        return Err(
            CliError::usage("verify.nothing_named", "it is not said which change to judge")
                .hint("touchmark verify main..HEAD, or touchmark verify HEAD --target refs/heads/main"),
        );
    }
    if args.bundle.is_empty() {
        return Err(
            CliError::usage("verify.nothing_named", "it is not said what to verify")
                .hint("touchmark verify main..HEAD, or touchmark verify --bundle FILE --key KEY"),
        );
    }
    Ok(())
}

fn nothing(args: &Args, other_types: usize) -> CliError {
    match &args.predicate_type {
        Some(wanted) if other_types > 0 => CliError::new(
            ExitCode::Missing,
            "verify.predicate_type",
            format!("none of {other_types} bundles holds a statement of type {wanted}"),
        )
        .hint("types are compared byte for byte; `touchmark inspect` shows what a bundle holds"),
        _ => CliError::new(
            ExitCode::Missing,
            "verify.no_evidence",
            "there is no bundle where --bundle points",
        ),
    }
}

struct Question<'q> {
    args: &'q Args,
    expected: &'q ExpectedSigners,
    artifact: Option<&'q Artifact>,
    verifiers: Vec<Verifier<'q>>,
}

impl Question<'_> {
    /// Verifies every bundle, and counts those of other predicate types.
    fn answer_all(&self, context: &Context<'_>) -> Result<(Vec<Verified>, usize), CliError> {
        let (mut verified, mut other_types) = (Vec::new(), 0);
        for path in &self.args.bundle {
            for candidate in evidence::given(path, context)? {
                match self.answer(candidate)? {
                    Some(proven) => verified.push(proven),
                    None => other_types += 1,
                }
            }
        }
        Ok((verified, other_types))
    }

    /// Verifies one bundle; `None` if it is of another predicate type than the one asked for.
    fn answer(&self, candidate: Candidate) -> Result<Option<Verified>, CliError> {
        let invalid = |code: &str, error: &dyn std::error::Error| {
            CliError::from_error(ExitCode::Invalid, code, error)
                .because(format_args!("in {}", candidate.source))
        };
        let bundle = Bundle::parse(&candidate.bytes).map_err(|error| invalid(error.code(), &error))?;
        if let Some(wanted) = &self.args.predicate_type
            && claimed_type(&bundle).as_ref() != Some(wanted)
        {
            return Ok(None);
        }
        let expected = self.with_hint(&bundle);
        let proven = match (&bundle.content, self.artifact) {
            (Content::Envelope(_), artifact) => {
                let statement = self
                    .first(|verifier| verifier.verify(&bundle, &expected))
                    .map_err(|error| self.refusal(&bundle, &error, &candidate))?;
                self.statement(statement, artifact, &candidate)?
            }
            (Content::Message(_), None) => {
                return Err(CliError::usage(
                    "verify.artifact_needed",
                    format!("{} signs an artifact, and none was named", candidate.source),
                )
                .hint("name it with --artifact FILE, or --artifact sha256:DIGEST"));
            }
            (Content::Message(_), Some(_)) if self.args.statement => {
                return Err(CliError::usage(
                    "verify.no_statement",
                    format!("{} signs an artifact and holds no statement", candidate.source),
                ));
            }
            (Content::Message(_), Some(artifact)) => {
                let message = self
                    .first(|verifier| verifier.verify_message(&bundle, &artifact.message, &expected))
                    .map_err(|error| self.refusal(&bundle, &error, &candidate))?;
                Proven::Message(Box::new(message), artifact.name.clone())
            }
        };
        Ok(Some(Verified {
            source: candidate.source,
            proven,
        }))
    }

    /// Tries each root; the error is that of the root that came furthest.
    fn first<T>(&self, verify: impl Fn(&Verifier<'_>) -> Result<T, VerifyError>) -> Result<T, VerifyError> {
        let mut best: Option<VerifyError> = None;
        for verifier in &self.verifiers {
            match verify(verifier) {
                Ok(proven) => return Ok(proven),
                Err(error) if best.as_ref().is_none_or(|best| is_about_the_root(best.code())) => {
                    best = Some(error)
                }
                Err(_) => {}
            }
        }
        Err(best.expect("there is a root at least, the one built in, and it refused"))
    }

    /// What a statement says must agree with the certificate of its signer and be about the artifact.
    fn statement(
        &self,
        statement: VerifiedStatement,
        artifact: Option<&Artifact>,
        candidate: &Candidate,
    ) -> Result<Proven, CliError> {
        let contradiction = |found: &agreement::Disagreement| {
            CliError::new(ExitCode::Invalid, found.code, found.to_string())
                .because(format_args!("in {}", candidate.source))
        };
        let times: Vec<_> = statement
            .verified_times()
            .iter()
            .map(|time| time.not_after)
            .collect();
        if let Some(found) = agreement::began_after_signing(statement.statement(), &times) {
            return Err(contradiction(&found));
        }
        let mut confirmed = Vec::new();
        if let Some(identity) = statement.signer().certificate() {
            let found = agreement::compare(statement.statement(), identity, RunPlace::SameRepository);
            if let Some(first) = found.disagreements.first() {
                return Err(contradiction(first));
            }
            confirmed = found.confirmed;
        }
        let subject = artifact
            .map(|artifact| {
                let number = artifact.subject_of(statement.statement());
                number.map(|number| (artifact.name.clone(), number))
            })
            .transpose()
            .map_err(|error| error.because(format_args!("in {}", candidate.source)))?;
        Ok(Proven::Statement {
            statement: Box::new(statement),
            subject,
            confirmed,
        })
    }

    /// Other tools hint at keys in their own ways. Where one key is expected, whatever hint there is means that one: the
    /// signature tells whether it is.
    fn with_hint(&self, bundle: &Bundle) -> ExpectedSigners {
        let mut expected = self.expected.clone();
        let mut keys = self.expected.keys.fingerprints();
        if let (VerificationMaterial::PublicKey { hint }, Some(only), None) =
            (&bundle.material, keys.next().copied(), keys.next())
            && self.expected.keys.resolve(hint).is_none()
        {
            expected.keys.name(hint, only);
        }
        expected
    }

    /// A key is no identity and an identity no key, whichever of them was expected.
    fn refusal(&self, bundle: &Bundle, error: &VerifyError, candidate: &Candidate) -> CliError {
        let refused = CliError::from_error(remembered::exit_of(error.code()), error.code(), error)
            .because(format_args!("in {}", candidate.source));
        let keyless = !matches!(bundle.material, VerificationMaterial::PublicKey { .. });
        match (keyless, self.expected.keys.is_empty(), self.expected.identities.is_empty()) {
            (true, _, true) => refused.hint(
                "the bundle is signed with a certificate: expect --certificate-identity and --certificate-oidc-issuer",
            ),
            (false, true, _) => refused.hint("the bundle is signed with a key: expect it with --key"),
            _ => refused,
        }
    }
}

/// Reads what an unverified payload says it is, only to leave it out.
fn claimed_type(bundle: &Bundle) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Peek {
        predicate_type: String,
    }
    let peek: Peek = serde_json::from_slice(&bundle.envelope()?.payload).ok()?;
    Some(peek.predicate_type)
}
