//! Evidence of the repository, each piece verified once, for the commands that look back.
//!
//! No policy decides here: whoever signed is named, and what cannot be verified is listed with its code.

use std::collections::BTreeMap;

use serde::Serialize;
use touchmark_git::{EvidenceKey, Repository};
use touchmark_statement::digest::Sha256Digest;
use touchmark_verify::bundle::{Bundle, VerificationMaterial};
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::IdentityRules;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::verified::VerifiedStatement;
use touchmark_verify::verify::{Verifier, VerifyOptions};

use crate::context::Context;
use crate::error::CliError;
use crate::trust::Root;

/// One piece of evidence.
#[derive(Debug)]
pub(crate) struct Found {
    /// Refs it lies under.
    pub(crate) refs: Vec<String>,
    /// Its file name.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// What was proven, or the code and words of what failed.
    pub(crate) outcome: Result<Box<VerifiedStatement>, Failure>,
}

/// Why a piece of evidence proves nothing.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    /// The stable code.
    pub(crate) code: String,
    /// The words.
    pub(crate) message: String,
}

/// What was looked at, so that an empty answer can be told from an empty search.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Coverage {
    /// Evidence refs read.
    pub(crate) refs: usize,
    /// Pieces of evidence, each counted once.
    pub(crate) evidence: usize,
    /// Those that failed verification.
    pub(crate) unverified: usize,
    /// Refs or entries that could not be read, with the reason.
    pub(crate) unreadable: Vec<String>,
}

/// Reads and verifies the evidence under `keys`, or under every evidence ref.
pub(crate) fn collect(
    repository: &Repository,
    keys: Option<Vec<EvidenceKey>>,
    roots: &[Root],
    context: &Context<'_>,
) -> Result<(Vec<Found>, Coverage), CliError> {
    let (pieces, mut coverage) = read(repository, keys)?;
    let options = VerifyOptions::new(context.now()?);
    let verifiers: Vec<Verifier<'_>> = roots
        .iter()
        .map(|root| Verifier::new(&root.root, &options))
        .collect();
    let found: Vec<Found> = pieces
        .into_iter()
        .map(|((name, _), (refs, bytes))| Found {
            refs,
            name,
            outcome: verify(&bytes, &verifiers),
            bytes,
        })
        .collect();
    coverage.evidence = found.len();
    coverage.unverified = found.iter().filter(|found| found.outcome.is_err()).count();
    Ok((found, coverage))
}

/// Pieces of evidence by file name and digest: the refs they lie under, and their bytes.
type Pieces = BTreeMap<(String, Sha256Digest), (Vec<String>, Vec<u8>)>;

/// Reads the evidence under `keys`, or under every evidence ref, each piece once. Nothing is verified.
pub(crate) fn read(
    repository: &Repository,
    keys: Option<Vec<EvidenceKey>>,
) -> Result<(Pieces, Coverage), CliError> {
    let keys = match keys {
        Some(keys) => keys,
        None => repository
            .list_evidence()?
            .into_iter()
            .map(|found| found.key)
            .collect(),
    };
    let mut coverage = Coverage {
        refs: keys.len(),
        ..Coverage::default()
    };
    let mut pieces = Pieces::new();
    for key in keys {
        let set = match repository.read_evidence(&key) {
            Ok(set) => set,
            Err(error) => {
                coverage
                    .unreadable
                    .push(format!("{} [{}]: {error}", key.ref_name(), error.code()));
                continue;
            }
        };
        coverage.unreadable.extend(
            set.ignored
                .iter()
                .map(|entry| format!("{} holds {}", entry.ref_name, entry.name)),
        );
        for file in set.files {
            let identity = (file.name.as_str().to_owned(), Sha256Digest::of(&file.bytes));
            pieces
                .entry(identity)
                .or_insert_with(|| (Vec::new(), file.bytes))
                .0
                .push(file.ref_name);
        }
    }
    Ok((pieces, coverage))
}

/// Verifies one bundle under the first root that knows its log. The signer is whoever the bundle names: the answer says
/// who that is, and a policy is what decides whether that is anybody.
pub(crate) fn verify(bytes: &[u8], verifiers: &[Verifier<'_>]) -> Result<Box<VerifiedStatement>, Failure> {
    let bundle = Bundle::parse(bytes).map_err(|error| failure(error.code(), &error))?;
    let expected = whoever_signed(&bundle);
    let mut last = Failure {
        code: "trust.no_root".to_owned(),
        message: "no trusted root is known, so no log can prove that this was logged".to_owned(),
    };
    for verifier in verifiers {
        match verifier.verify(&bundle, &expected) {
            Ok(verified) => return Ok(Box::new(verified)),
            Err(error) => last = failure(error.code(), &error),
        }
    }
    Err(last)
}

/// Expects the signer that the bundle names.
fn whoever_signed(bundle: &Bundle) -> ExpectedSigners {
    let mut ring = KeyRing::new();
    match &bundle.material {
        VerificationMaterial::PublicKey { hint } => {
            if let Some(fingerprint) = ring.resolve(hint) {
                ring.allow(fingerprint);
            }
            ring.into()
        }
        VerificationMaterial::Certificate(_) | VerificationMaterial::CertificateChain(_) => {
            let reason = "whoever signed is named".to_owned();
            IdentityRules::DangerouslyAny { reason }.into()
        }
    }
}

fn failure(code: &str, error: &dyn std::error::Error) -> Failure {
    Failure {
        code: code.to_owned(),
        message: error.to_string(),
    }
}
