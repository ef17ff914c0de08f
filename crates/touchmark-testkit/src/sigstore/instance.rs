//! The parties of an instance and how they come about from a seed.

use std::sync::{Mutex, MutexGuard};

use super::certificate::{Authority, TIME_STAMPING, Validity};
use super::ct_log::CtLog;
use super::defect::{CertificateDefect, Defect, LogDefect, TimeDefect};
use super::keys::{Key, Scheme};
use super::rekor_v1::RekorV1;
use super::rekor_v2::RekorV2;
use super::tree::{Tree, Witness};
use super::tsa::TimestampAuthority;

/// The time at which the parties' certificates and windows begin: 2026-01-01T00:00:00Z.
pub const VALID_FROM: i64 = 1_767_225_600;
/// The time at which things are signed unless a test says otherwise: 2026-02-25T12:26:40Z.
pub const SIGNED_AT: i64 = 1_772_022_400;
/// How long leaf certificates live.
pub const LEAF_SECONDS: i64 = 600;
const YEAR: i64 = 365 * 86_400;

/// How an instance is made up.
#[derive(Clone, Debug)]
pub struct InstanceOptions {
    /// The domain of its services.
    pub domain: String,
    /// Who runs it.
    pub operator: String,
    /// The scheme of the certificate authority's keys.
    pub certificate_authority: Scheme,
    /// The scheme of the timestamp authorities' keys.
    pub timestamp_authority: Scheme,
    /// The scheme of the Rekor v2 log's key: Ed25519 or P-256.
    pub rekor_v2: Scheme,
    /// The scheme of signers' keys.
    pub leaf: Scheme,
    /// Whether signed certificate timestamps carry an extension.
    pub sct_extensions: bool,
    /// How many certificate logs there are; each certificate carries a timestamp of each.
    pub certificate_logs: usize,
    /// How many timestamp authorities there are, of different operators.
    pub timestamp_authorities: usize,
    /// How many witnesses cosign the Rekor v2 log's checkpoints.
    pub witnesses: usize,
    /// Whether the trusted root holds a second authority whose names are the same and whose keys are not.
    pub namesake_authority: bool,
    /// Ends of windows in the trusted root; windows are open otherwise.
    pub windows: Vec<(Part, i64)>,
}

/// A part of the trusted root that has a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The certificate authority.
    CertificateAuthority,
    /// The certificate logs.
    CertificateLog,
    /// The timestamp authorities.
    TimestampAuthority,
    /// The Rekor v1 log.
    RekorV1,
    /// The Rekor v2 log.
    RekorV2,
}

impl Default for InstanceOptions {
    fn default() -> Self {
        Self {
            domain: "sigstore.example.test".to_owned(),
            operator: "guild.example.test".to_owned(),
            certificate_authority: Scheme::P256,
            timestamp_authority: Scheme::P256,
            rekor_v2: Scheme::Ed25519,
            leaf: Scheme::P256,
            sct_extensions: false,
            certificate_logs: 1,
            timestamp_authorities: 1,
            witnesses: 0,
            namesake_authority: false,
            windows: Vec::new(),
        }
    }
}

/// A certificate authority: a root, and the intermediate that issues.
#[derive(Clone, Debug)]
pub struct CertificateAuthority {
    /// The trust anchor.
    pub root: Authority,
    /// The issuer of leaf certificates.
    pub intermediate: Authority,
}

/// A whole Sigstore in one process.
#[derive(Debug)]
pub struct Instance {
    pub(super) seed: u64,
    pub(super) options: InstanceOptions,
    pub(super) defect: Option<Defect>,
    /// The certificate authority.
    pub certificate_authority: CertificateAuthority,
    /// An authority of the same names that the trusted root lists only where the options say so.
    pub namesake: CertificateAuthority,
    /// The certificate logs.
    pub certificate_logs: Vec<CtLog>,
    /// The timestamp authorities.
    pub timestamp_authorities: Vec<TimestampAuthority>,
    /// The key of the token issuer.
    pub issuer_key: Key,
    rekor_v1: Mutex<RekorV1>,
    rekor_v2: Mutex<RekorV2>,
}

impl Instance {
    /// Returns the instance of this seed: the same keys and certificates in every run.
    pub fn new(seed: u64, options: InstanceOptions) -> Self {
        Self::build(seed, options, None)
    }

    /// Returns the same instance, which makes one thing wrong from now on. Its logs are empty again.
    pub fn with(self, defect: impl Into<Defect>) -> Self {
        Self::build(self.seed, self.options, Some(defect.into()))
    }

    /// Returns how the instance is made up.
    pub fn options(&self) -> &InstanceOptions {
        &self.options
    }

    /// Returns the Rekor v1 log.
    pub fn rekor_v1(&self) -> MutexGuard<'_, RekorV1> {
        self.rekor_v1.lock().expect("no holder panicked")
    }

    /// Returns the Rekor v2 log.
    pub fn rekor_v2(&self) -> MutexGuard<'_, RekorV2> {
        self.rekor_v2.lock().expect("no holder panicked")
    }

    /// Returns a key of this instance by its name.
    pub fn key(&self, scheme: Scheme, name: &str) -> Key {
        Key::named(scheme, &format!("{}/{name}", self.seed))
    }

    pub(super) fn is(&self, defect: impl Into<Defect>) -> bool {
        self.defect == Some(defect.into())
    }

    fn build(seed: u64, options: InstanceOptions, defect: Option<Defect>) -> Self {
        let key = |scheme: Scheme, name: &str| Key::named(scheme, &format!("{seed}/{name}"));
        let domain = options.domain.clone();
        let mut instance = Self {
            seed,
            defect,
            certificate_authority: certificate_authority(&options, defect, &key, "fulcio"),
            namesake: certificate_authority(&options, None, &key, "namesake"),
            certificate_logs: (0..options.certificate_logs)
                .map(|index| CtLog {
                    key: key(Scheme::P256, &format!("ct log {index}")),
                    with_extensions: options.sct_extensions,
                })
                .collect(),
            timestamp_authorities: (0..options
                .timestamp_authorities
                .max(usize::from(needs_two(defect)) * 2))
                .map(|index| timestamp_authority(&options, defect, &key, index))
                .collect(),
            issuer_key: key(Scheme::P256, "token issuer"),
            rekor_v1: Mutex::new(RekorV1 {
                host: format!("rekor1.{domain}"),
                tree_id: 1_193_050_959_916_656_506 + seed % 1000,
                key: key(Scheme::P256, "rekor v1"),
                offset: 4_000,
                tree: Tree::default(),
                times: Vec::new(),
            }),
            rekor_v2: Mutex::new(RekorV2 {
                origin: format!("log2.{domain}"),
                key: key(options.rekor_v2, "rekor v2"),
                witnesses: witnesses(&options, defect, &key),
                tree: Tree::default(),
            }),
            options,
        };
        instance.fill_logs();
        instance
    }

    /// Gives both logs entries of somebody else, so that proofs are no empty lists.
    fn fill_logs(&mut self) {
        for number in 0..3_u8 {
            let stranger = self.key(Scheme::P256, "somebody else");
            let message = format!("entry {number} of somebody else");
            let digest = Scheme::P256.hash().of(message.as_bytes());
            let submission = super::rekor_v2::Submission {
                signature: stranger.sign_digest(&digest),
                digest,
                scheme: Scheme::P256,
                verifier: super::rekor_v2::Verifier::PublicKey(stranger.spki()),
            };
            let body = super::rekor_v1::hashedrekord_body(
                Scheme::P256,
                &submission.digest,
                &submission.signature,
                &submission.verifier,
            );
            self.rekor_v1().push(body, SIGNED_AT - 100);
            self.rekor_v2().tree.append(submission.body());
        }
    }
}

/// Whether a defect is about two timestamp authorities.
fn needs_two(defect: Option<Defect>) -> bool {
    defect == Some(TimeDefect::SecondTokenOutside.into())
}

fn long(options_end: Option<i64>) -> Validity {
    Validity {
        from: VALID_FROM - 86_400,
        to: options_end.unwrap_or(VALID_FROM + 10 * YEAR),
    }
}

fn certificate_authority(
    options: &InstanceOptions,
    defect: Option<Defect>,
    key: &dyn Fn(Scheme, &str) -> Key,
    name: &str,
) -> CertificateAuthority {
    let scheme = options.certificate_authority;
    let expired = |which: CertificateDefect| long((defect == Some(which.into())).then_some(SIGNED_AT - 60));
    let root = Authority::root(
        &options.operator,
        "sigstore root",
        key(scheme, &format!("{name} root")),
        expired(CertificateDefect::RootExpired),
    );
    let intermediate = root.intermediate(
        &options.operator,
        "sigstore intermediate",
        key(scheme, &format!("{name} intermediate")),
        expired(CertificateDefect::IntermediateExpired),
    );
    CertificateAuthority { root, intermediate }
}

fn timestamp_authority(
    options: &InstanceOptions,
    defect: Option<Defect>,
    key: &dyn Fn(Scheme, &str) -> Key,
    index: usize,
) -> TimestampAuthority {
    use super::certificate::CODE_SIGNING;
    let scheme = options.timestamp_authority;
    let is = |which: TimeDefect| defect == Some(which.into());
    let usage: (&[&str], bool) = if is(TimeDefect::SignerUsageMissing) {
        (&[], false)
    } else if is(TimeDefect::SignerUsageNotCritical) {
        (&[TIME_STAMPING], false)
    } else if is(TimeDefect::SignerUsageNotAlone) {
        (&[CODE_SIGNING, TIME_STAMPING], true)
    } else if is(TimeDefect::SignerUsageOther) {
        (&[CODE_SIGNING], true)
    } else {
        (&[TIME_STAMPING], true)
    };
    let operator = match index {
        0 => options.operator.clone(),
        other => format!("timekeeper{other}.example.test"),
    };
    TimestampAuthority::new(
        &format!("tsa{index}.{}", options.domain),
        &operator,
        (
            key(scheme, &format!("tsa root {index}")),
            key(scheme, &format!("tsa signer {index}")),
        ),
        long(None),
        long(is(TimeDefect::SignerExpired).then_some(SIGNED_AT - 60)),
        usage,
    )
}

fn witnesses(
    options: &InstanceOptions,
    defect: Option<Defect>,
    key: &dyn Fn(Scheme, &str) -> Key,
) -> Vec<Witness> {
    let least = usize::from(defect == Some(LogDefect::OnlyCosignatures.into()));
    (0..options.witnesses.max(least))
        .map(|index| Witness {
            name: format!("witness{index}.example.test"),
            key: key(Scheme::Ed25519, &format!("witness {index}")),
        })
        .collect()
}
