//! `sign-bundle`: an identity token, a certificate, a signature, its time and its log entries, as one bundle. What was
//! made is verified as a stranger would before it is written.

use std::path::PathBuf;
use std::time::Duration;

use touchmark_http::{Client, Deadline, Options};
use touchmark_rekor::{ApiVersion, LogSubmission, connect};
use touchmark_sign::keyless::signing_config::{SigningConfig, SigningConfigFile};
use touchmark_sign::keyless::token::{DEFAULT_AUDIENCE, Expected, IdentityToken};
use touchmark_sign::keyless::tsa::{self, StampVerifier, TimestampRequest, TsaError};
use touchmark_sign::keyless::{KeylessRequest, KeylessSigner};
use touchmark_statement::statement::{IN_TOTO_PAYLOAD_TYPE, SignedStatement};
use touchmark_statement::timestamp::Timestamp;
use touchmark_trust::built_in;
use touchmark_trust::built_in::SIGSTORE_PUBLIC_GOOD;
use touchmark_verify::bundle::{Bundle, Content, MediaType};
use touchmark_verify::envelope::{Envelope, pae};
use touchmark_verify::issued::CertificateLogs;
use touchmark_verify::message::{ArtifactDigests, DigestAlgorithm, MessageDigest, MessageSignature};
use touchmark_verify::trust::TrustedRoot;
use touchmark_verify::verify::{VerifyOptions, verify, verify_message};
use zeroize::Zeroizing;

use super::Failure;
use super::hand::Hand;
use super::verify::{now, read, root};

/// How long each service may take.
const TIMEOUT: Duration = Duration::from_secs(60);

// No Debug: the token is a secret.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Means the staging instance; its root and signing config have to be given
    #[arg(long)]
    staging: bool,
    /// Takes the artifact for a statement, to be signed in an envelope
    #[arg(long)]
    in_toto: bool,
    /// Who signs
    #[arg(long, required_unless_present = "key", conflicts_with = "key")]
    identity_token: Option<String>,
    /// Signs with this key, which no certificate is asked for; the suite's protocol does not have this
    #[arg(long)]
    key: Option<PathBuf>,
    /// Where the bundle is written
    #[arg(long)]
    bundle: PathBuf,
    /// The trusted root
    #[arg(long)]
    trusted_root: Option<PathBuf>,
    /// The services
    #[arg(long)]
    signing_config: Option<PathBuf>,
    /// What is signed
    artifact: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let config = signing_config(args)?;
    let root = TrustedRoot::parse(&root(args.trusted_root.as_deref(), args.staging)?)?;
    let content = read(&args.artifact)?;
    if args.in_toto {
        SignedStatement::parse(content.clone())?;
    }
    let client = Client::new(Options::default())?;
    let hand = hand(args, &client, &config, &root)?;
    let signed = match args.in_toto {
        true => pae(IN_TOTO_PAYLOAD_TYPE, &content),
        false => content.clone(),
    };
    let signature = hand.signer().sign(&signed)?;
    let timestamps = timestamps(&client, &config, &hand, &signature)?;
    let mut bundle = Bundle {
        media_type: MediaType::V03,
        material: hand.material(),
        tlog_entries: Vec::new(),
        timestamps,
        content: wrap(args.in_toto, content.clone(), signature),
    };
    let submission = submission(&bundle, &hand, &signed)?;
    for service in config.logs(now()?)? {
        let version =
            ApiVersion::from_number(service.major_api_version).ok_or("a log of an unknown version")?;
        let log = connect(&client, &service.url, version, &root);
        bundle
            .tlog_entries
            .push(log.publish(&submission, Deadline::after(TIMEOUT))?);
    }
    prove(&bundle, &hand, content, &root)?;
    std::fs::write(&args.bundle, bundle.encode())?;
    Ok(())
}

fn signing_config(args: &Args) -> Result<SigningConfig, Failure> {
    let bytes = match (&args.signing_config, args.staging) {
        (Some(file), _) => read(file)?,
        (None, false) => built_in(SIGSTORE_PUBLIC_GOOD)
            .ok_or("the public-good signing config is not built in")?
            .signing_config
            .to_vec(),
        (None, true) => {
            return Err(
                "the signing config of the staging instance is not built in: give --signing-config".into(),
            );
        }
    };
    Ok(SigningConfigFile::parse(&bytes)?.signing_config)
}

fn hand(args: &Args, client: &Client, config: &SigningConfig, root: &TrustedRoot) -> Result<Hand, Failure> {
    let text = match (&args.identity_token, &args.key) {
        (Some(text), _) => text.clone(),
        (None, Some(file)) => return Hand::from_file(file),
        (None, None) => return Err("give --identity-token or --key".into()),
    };
    let at = now()?;
    let expected = Expected {
        audience: DEFAULT_AUDIENCE,
        at,
    };
    let token = IdentityToken::parse(Zeroizing::new(text), &expected)?;
    let clock = move || now().unwrap_or(at);
    let request = KeylessRequest {
        certificate_authority: &config.certificate_authority(at)?.url,
        token: &token,
        root,
        certificate_logs: CertificateLogs::Required,
        clock: &clock,
        deadline: Deadline::after(TIMEOUT),
    };
    let signer = KeylessSigner::request(client, &request)?;
    Ok(Hand::Certified(Box::new(signer)))
}

/// What the times are good for is seen when the whole bundle is verified.
struct Later;

impl StampVerifier for Later {
    fn verify(&self, _response: &[u8], _signature: &[u8]) -> Result<(), TsaError> {
        Ok(())
    }
}

fn timestamps(
    client: &Client,
    config: &SigningConfig,
    hand: &Hand,
    signature: &[u8],
) -> Result<Vec<Vec<u8>>, Failure> {
    let mut timestamps = Vec::new();
    for service in config.timestamp_authorities(now()?)? {
        let request = TimestampRequest {
            url: &service.url,
            signature,
            digest: tsa::digest_for(hand.signer().public_key().algorithm()),
            deadline: Deadline::after(TIMEOUT),
        };
        timestamps.push(tsa::timestamp(client, &request, &Later)?);
    }
    Ok(timestamps)
}

fn wrap(in_toto: bool, content: Vec<u8>, signature: Vec<u8>) -> Content {
    if in_toto {
        return Content::Envelope(Envelope {
            payload_type: IN_TOTO_PAYLOAD_TYPE.to_owned(),
            payload: content,
            keyid: String::new(),
            signature,
        });
    }
    Content::Message(MessageSignature {
        digest: Some(MessageDigest {
            algorithm: DigestAlgorithm::Sha256,
            value: DigestAlgorithm::Sha256.digest(&content),
        }),
        signature,
    })
}

fn submission(bundle: &Bundle, hand: &Hand, signed: &[u8]) -> Result<LogSubmission, Failure> {
    let signatory = hand.signatory();
    Ok(match &bundle.content {
        Content::Envelope(envelope) => LogSubmission::of_envelope(envelope, signatory)?,
        Content::Message(message) => {
            let digest = DigestAlgorithm::Sha256.digest(signed);
            LogSubmission::of_digest(digest, message.signature.clone(), signatory)?
        }
    })
}

fn prove(bundle: &Bundle, hand: &Hand, content: Vec<u8>, root: &TrustedRoot) -> Result<(), Failure> {
    let expected = hand.expected()?;
    // Services keep their own clocks.
    let at = Timestamp::from_unix(now()?.unix().saturating_add(60))?;
    let options = VerifyOptions::new(at);
    match &bundle.content {
        Content::Envelope(_) => _ = verify(bundle, &expected, root, &options)?,
        Content::Message(_) => {
            verify_message(bundle, &ArtifactDigests::of(content), &expected, root, &options)?;
        }
    }
    Ok(())
}
