//! Step 3 for certificates: profile, chain at every verified time, and the timestamps of certificate logs.
//!
//! A certificate lives for minutes, so that without a verified time nothing tells whether it was valid when it signed.

use std::sync::Arc;

use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;

use super::memory::Memory;
use super::options::{SctRequirement, VerifyOptions};
use super::time::VerifiedTimes;
use crate::identity::CertificateIdentity;
use crate::signer_key::SignerKey;
use crate::trust::{TrustedRoot, Usable};
use crate::verified::Check;
use crate::window::Window;
use crate::x509::chain::{self, Authority, Purpose};
use crate::x509::{Certificate, CertificateError, fulcio, profile, sct};

/// A certificate that was proven for a while.
#[derive(Debug, Clone)]
pub(super) struct ProvenLeaf {
    pub(super) identity: CertificateIdentity,
    pub(super) key: SignerKey,
    /// For which times its chain was proven, and its certificate logs beside it.
    windows: Vec<Window>,
}

impl ProvenLeaf {
    fn covers(&self, at: Timestamp) -> bool {
        self.windows.iter().any(|window| window.contains(at))
    }
}

/// Authenticates the certificate that a bundle was signed with.
pub(super) fn authenticate(
    leaf: &[u8],
    chain: &[Vec<u8>],
    times: &VerifiedTimes,
    root: &TrustedRoot,
    options: &VerifyOptions,
    memory: &Memory,
) -> Result<Arc<ProvenLeaf>, CertificateError> {
    let digest = digest(leaf, chain);
    let known = memory.leaf(&digest);
    let moments = || times.as_slice().iter().map(|time| time.not_after);
    if let Some(known) = &known
        && !times.as_slice().is_empty()
        && moments().all(|at| known.covers(at))
    {
        return Ok(Arc::clone(known));
    }
    let certificate = Certificate::parse(leaf)?;
    let mut proven = match known {
        Some(known) => ProvenLeaf::clone(&known),
        None => read(&certificate, chain)?,
    };
    if times.as_slice().is_empty() {
        return Err(CertificateError::NoVerifiedTime);
    }
    for at in moments() {
        if proven.covers(at) {
            continue;
        }
        let presented = Presented {
            leaf,
            chain,
            certificate: &certificate,
            memory,
        };
        proven
            .windows
            .push(presented.prove(root.usable(), &options.sct, at)?);
    }
    let proven = Arc::new(proven);
    memory.keep_leaf(digest, &proven);
    Ok(proven)
}

/// Reads the certificate and holds it against the profile.
fn read(certificate: &Certificate<'_>, chain: &[Vec<u8>]) -> Result<ProvenLeaf, CertificateError> {
    for (index, der) in chain.iter().enumerate() {
        let issuer = Certificate::parse(der)?;
        if issuer.issuer == issuer.subject {
            return Err(CertificateError::RootInBundle { index: index + 1 });
        }
    }
    profile::require_signer(certificate)?;
    let identity = fulcio::read_identity(certificate)?;
    let key =
        SignerKey::from_certificate(certificate.spki).map_err(|source| CertificateError::Key { source })?;
    Ok(ProvenLeaf {
        identity,
        key,
        windows: Vec::new(),
    })
}

/// A certificate as its bundle presents it.
struct Presented<'a> {
    leaf: &'a [u8],
    chain: &'a [Vec<u8>],
    certificate: &'a Certificate<'a>,
    memory: &'a Memory,
}

impl Presented<'_> {
    /// Returns for how long it is proven, around one time: by the path to one authority whose window holds then, and
    /// by the certificate logs that saw it on this very path.
    fn prove(
        &self,
        usable: &Usable,
        scts: &SctRequirement,
        at: Timestamp,
    ) -> Result<Window, CertificateError> {
        let mut refusal = CertificateError::NoAuthority;
        for (index, authority) in usable.certificate_authorities.iter().enumerate() {
            let attempt = self.build(index, authority, at).and_then(|path| {
                require_scts(self.certificate, &path.issuer_spki, usable, scts)?;
                Ok(path.window)
            });
            match attempt {
                Ok(window) => return Ok(window),
                Err(error) if rank(&error) > rank(&refusal) => refusal = error,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    fn build(
        &self,
        index: usize,
        authority: &Authority,
        at: Timestamp,
    ) -> Result<chain::Path, CertificateError> {
        let window = authority.valid_for;
        if window.contains(at) {
            let issuers = self.memory.issuers(index, self.certificate.issuer);
            let known = |issuer: &Arc<chain::ProvenIssuer>| issuer.path(self.leaf, self.certificate, at);
            if let Some(path) = issuers.iter().find_map(known) {
                return Ok(path);
            }
            let mut path = chain::build(self.leaf, self.chain, authority, Purpose::CodeSigning, at)?;
            // An issuer that a bundle brought is not remembered for others, which might bring none.
            if let Some(issuer) = path.issuer.take().filter(|_| self.chain.is_empty()) {
                self.memory.keep_issuer(index, issuer);
            }
            return Ok(path);
        }
        if authority.has_subject(self.certificate.issuer) {
            return Err(CertificateError::OutsideAuthority { at, window });
        }
        Err(CertificateError::Chain {
            at,
            reason: "the authority was not in use".to_owned(),
        })
    }
}

/// How far the search for a path came.
fn rank(error: &CertificateError) -> u8 {
    match error {
        CertificateError::NoAuthority => 0,
        CertificateError::Chain { .. } => 1,
        CertificateError::OutsideAuthority { .. } => 2,
        CertificateError::OutsideValidity { .. } => 3,
        _ => 4,
    }
}

fn require_scts(
    certificate: &Certificate<'_>,
    issuer_spki: &[u8],
    usable: &Usable,
    requirement: &SctRequirement,
) -> Result<(), CertificateError> {
    let SctRequirement::Embedded { operators } = requirement else {
        return Ok(());
    };
    let required = usize::from(operators.get());
    let found = sct::verify(certificate, issuer_spki, &usable.certificate_logs)?.len();
    if found < required {
        return Err(CertificateError::SctTooFewOperators { required, found });
    }
    Ok(())
}

/// Returns the digest of the certificate and of the chain that the bundle brings.
fn digest(leaf: &[u8], chain: &[Vec<u8>]) -> Sha256Digest {
    if chain.is_empty() {
        return Sha256Digest::of(leaf);
    }
    let mut all = Vec::new();
    for der in std::iter::once(leaf).chain(chain.iter().map(Vec::as_slice)) {
        all.extend((der.len() as u64).to_be_bytes());
        all.extend(der);
    }
    Sha256Digest::of(&all)
}

/// Returns what was checked of a certificate.
pub(super) fn checks(options: &VerifyOptions) -> Vec<Check> {
    let sct = match &options.sct {
        SctRequirement::Embedded { .. } => Check::pass("certificate.sct"),
        SctRequirement::DangerouslySkipped { reason } => {
            Check::skipped("certificate.sct", format!("not asked for: {reason}"))
        }
    };
    vec![
        Check::pass("certificate.profile"),
        Check::pass("certificate.chain"),
        sct,
    ]
}
