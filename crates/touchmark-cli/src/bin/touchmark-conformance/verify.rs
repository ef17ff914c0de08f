//! `verify-bundle`: one bundle, one artifact, one expected signer.

use std::path::{Path, PathBuf};

use chrono::Utc;
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::timestamp::Timestamp;
use touchmark_trust::built_in;
use touchmark_trust::built_in::SIGSTORE_PUBLIC_GOOD;
use touchmark_verify::bundle::{Bundle, VerificationMaterial};
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::{IdentityRule, TextPattern};
use touchmark_verify::key::PublicKey;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::message::{ArtifactDigests, DigestAlgorithm};
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::{VerifyOptions, verify, verify_message};

use super::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Means the staging instance; its root has to be given
    #[arg(long)]
    staging: bool,
    /// The bundle
    #[arg(long)]
    bundle: PathBuf,
    /// The identity expected in the certificate
    #[arg(long, requires = "certificate_oidc_issuer", required_unless_present = "key")]
    certificate_identity: Option<String>,
    /// Its issuer
    #[arg(long, requires = "certificate_identity")]
    certificate_oidc_issuer: Option<String>,
    /// The public key expected, PEM
    #[arg(long, conflicts_with = "certificate_identity")]
    key: Option<PathBuf>,
    /// The trusted root
    #[arg(long)]
    trusted_root: Option<PathBuf>,
    /// The artifact, or `sha256:` and its digest
    artifact: String,
}

/// What the bundle must be about.
struct Artifact {
    sha256: Sha256Digest,
    message: ArtifactDigests,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let bundle = Bundle::parse(&read(&args.bundle)?)?;
    let root = TrustedRoot::parse(&root(args.trusted_root.as_deref(), args.staging)?)?;
    let artifact = artifact(&args.artifact)?;
    let expected = expected(args, &bundle)?;
    let options = VerifyOptions::new(now()?);
    if bundle.envelope().is_none() {
        verify_message(&bundle, &artifact.message, &expected, &root, &options)?;
        return Ok(());
    }
    let verified = verify(&bundle, &expected, &root, &options)?;
    let wanted = DigestSet::of_sha256(artifact.sha256);
    let mut subjects = verified.statement().subject.iter();
    match subjects.any(|subject| subject.digest.agrees_with(&wanted)) {
        true => Ok(()),
        false => Err(format!("no subject of the statement has sha256 {}", artifact.sha256).into()),
    }
}

/// The trusted root that was given, else the public-good one.
pub(crate) fn root(file: Option<&Path>, staging: bool) -> Result<Vec<u8>, Failure> {
    match (file, staging) {
        (Some(file), _) => read(file),
        (None, false) => Ok(built_in(SIGSTORE_PUBLIC_GOOD)
            .ok_or("the public-good root is not built in")?
            .trusted_root
            .to_vec()),
        (None, true) => Err("the root of the staging instance is not built in: give --trusted-root".into()),
    }
}

fn artifact(text: &str) -> Result<Artifact, Failure> {
    let Some(hex) = text.strip_prefix("sha256:") else {
        let bytes = read(Path::new(text))?;
        return Ok(Artifact {
            sha256: Sha256Digest::of(&bytes),
            message: ArtifactDigests::of(bytes),
        });
    };
    let sha256: Sha256Digest = hex.parse()?;
    let message = ArtifactDigests::from_digest(DigestAlgorithm::Sha256, *sha256.as_bytes());
    Ok(Artifact {
        sha256,
        message: message.ok_or("a digest of another length")?,
    })
}

fn expected(args: &Args, bundle: &Bundle) -> Result<ExpectedSigners, Failure> {
    if let Some(file) = &args.key {
        let key = PublicKey::from_pem(&read(file)?)?;
        let mut ring = KeyRing::new();
        ring.allow(key.fingerprint());
        if let VerificationMaterial::PublicKey { hint } = &bundle.material
            && ring.resolve(hint).is_none()
        {
            // Every tool hints in its own way; one key is expected, and the signature tells whether it is that one.
            ring.name(hint, key.fingerprint());
        }
        ring.add_key(key);
        return Ok(ring.into());
    }
    let (Some(identity), Some(issuer)) = (&args.certificate_identity, &args.certificate_oidc_issuer) else {
        return Err("no signer is expected".into());
    };
    let rule = IdentityRule::new(
        TextPattern::exact(issuer.as_str())?,
        TextPattern::exact(identity.as_str())?,
    );
    Ok(rule.into())
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place where this program reads the clock"
)]
pub(crate) fn now() -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_unix(Utc::now().timestamp())?)
}
