//! A served instance, clients that lose patience soon, and signatures of every kind.

use std::sync::Arc;
use std::time::Duration;

use touchmark_http::{Client, Deadline, Options, Url};
use touchmark_rekor::{ApiVersion, LogSubmission, PublishError, Publisher, Signatory, connect};
use touchmark_statement::digest::Sha256Digest;
use touchmark_testkit::sigstore::keys::{Key, Scheme};
use touchmark_testkit::sigstore::{Instance, InstanceOptions, Served};
use touchmark_tlog::entry::LogEntry;
use touchmark_verify::envelope::Envelope;
use touchmark_verify::key::PublicKey;

pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Long enough for a loaded machine, short enough to wait for.
pub(crate) const STALL: Duration = Duration::from_millis(700);
pub(crate) const EXCHANGE: Duration = Duration::from_millis(2500);

pub(crate) fn served() -> Served {
    Instance::new(7, InstanceOptions::default()).serve()
}

pub(crate) fn client() -> Client {
    Client::new(Options {
        connect_timeout: Duration::from_millis(300),
        stall_timeout: STALL,
        exchange_timeout: EXCHANGE,
        max_body_bytes: 8 * 1024 * 1024,
        ..Options::default()
    })
    .expect("a client")
}

pub(crate) fn url(served: &Served, version: ApiVersion) -> Url {
    match version {
        ApiVersion::V1 => served.urls().rekor_v1.parse(),
        ApiVersion::V2 => served.urls().rekor_v2.parse(),
    }
    .expect("an address")
}

pub(crate) fn publisher(served: &Served, version: ApiVersion) -> Arc<dyn Publisher> {
    let root = served.instance().trusted_root();
    connect(&client(), &url(served, version), version, &root)
}

pub(crate) fn public_key(key: &Key) -> PublicKey {
    PublicKey::from_spki_der(&key.spki()).expect("a key")
}

pub(crate) fn key(scheme: Scheme) -> Key {
    Key::named(scheme, "signer")
}

/// An envelope about `number`, signed by a key or under a certificate.
pub(crate) fn envelope(key: &Key, number: u32) -> Envelope {
    let payload = format!("{{\"number\":{number}}}").into_bytes();
    let mut envelope = Envelope {
        payload_type: PAYLOAD_TYPE.to_owned(),
        payload,
        keyid: String::new(),
        signature: Vec::new(),
    };
    envelope.signature = key.sign(&envelope.pae());
    envelope
}

pub(crate) fn submission(scheme: Scheme, number: u32) -> LogSubmission {
    let key = key(scheme);
    LogSubmission::of_envelope(&envelope(&key, number), Signatory::key(public_key(&key))).expect("signed")
}

pub(crate) fn message(number: u32) -> LogSubmission {
    let key = key(Scheme::P256);
    let digest = Sha256Digest::of(format!("message {number}").as_bytes());
    let digest = digest.as_bytes().to_vec();
    let signature = key.sign_digest(&digest);
    LogSubmission::of_digest(digest, signature, Signatory::key(public_key(&key))).expect("signed")
}

pub(crate) fn publish(
    served: &Served,
    version: ApiVersion,
    submission: &LogSubmission,
) -> Result<LogEntry, PublishError> {
    publisher(served, version).publish(submission, Deadline::after(Duration::from_secs(20)))
}

#[track_caller]
pub(crate) fn code(result: Result<LogEntry, PublishError>) -> &'static str {
    match result {
        Ok(entry) => panic!("published: {entry:?}"),
        Err(error) => error.code(),
    }
}
