//! Certificates: logged in time, logged late with a timestamp, and never late without one.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use touchmark_http::Deadline;
use touchmark_rekor::spool::{Destination, Entry, Keyless, LogAddress, Spool, Target};
use touchmark_rekor::{ApiVersion, Backoff, Drain, Settled, connect};
use touchmark_sign::attestation::SignedEnvelope;
use touchmark_statement::timestamp::Timestamp;
use touchmark_testkit::sigstore::{Identity, Instance, LogKind, SIGNED_AT, Served, Signing};
use touchmark_verify::envelope::Envelope;
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::IdentityRules;
use touchmark_verify::issued::IssuedCertificate;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::verify::{VerifyOptions, verify};

use super::support::{client, served, url};

const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"}}],"predicateType":"https://example.com/anything/v1","predicate":{}}"#;

/// What a keyless signer leaves in the spool: signed at [`SIGNED_AT`], with a timestamp or without.
fn entry(instance: &Instance, stamped: bool, target: Target) -> Entry {
    let identity = Identity::email("agent@example.test", "https://accounts.example.test");
    let mut signing = Signing::keyless(identity).log(LogKind::Unlogged);
    if !stamped {
        signing = signing.timestamps(&[]);
    }
    let signed = instance.sign_statement(&signing, STATEMENT.as_bytes());
    let bundle = signed.bundle();
    let certificate =
        IssuedCertificate::parse(signed.certificate.clone().expect("keyless")).expect("a certificate");
    let envelope = Envelope {
        keyid: certificate.public_key().fingerprint().to_string(),
        ..bundle.envelope().expect("an envelope").clone()
    };
    let key = certificate.public_key().clone();
    Entry {
        signed: SignedEnvelope::from_parts(envelope, key).expect("it verifies"),
        keyless: Keyless::new(&certificate, bundle.timestamps.clone()),
        targets: vec![target],
        destinations: vec![Destination::File {
            path: PathBuf::from("/tmp/bundle.json"),
        }],
        bundle: None,
        queued_at: Timestamp::from_unix(SIGNED_AT).expect("a time"),
    }
}

fn drain(
    served: &Served,
    spool: &Spool,
    now: i64,
    logged_at: i64,
) -> Settled<touchmark_verify::bundle::Bundle, ()> {
    served.set_time(logged_at);
    let root = served.instance().trusted_root();
    let client = client();
    let connect = |address: &LogAddress| match address {
        LogAddress::Service { url, version } => Ok(connect(&client, url, *version, &root)),
        LogAddress::Embedded(_) => unreachable!("services only"),
    };
    let drain = Drain {
        connect: &connect,
        backoff: Backoff::default(),
        jitter: &|| 0.0,
        parallel: NonZeroUsize::MIN,
        deadline: Deadline::after(Duration::from_secs(20)),
        now: Timestamp::from_unix(now).expect("a time"),
    };
    let ids = spool.list().expect("a list").waiting;
    let mut settled = drain.run(spool, ids, |taken| {
        Ok(taken.entry().bundle.clone().expect("answered"))
    });
    settled.pop().expect("one entry").1
}

fn run(stamped: bool, version: ApiVersion, now: i64) -> Result<(), &'static str> {
    run_with_log_at(stamped, version, now, now)
}

fn run_with_log_at(stamped: bool, version: ApiVersion, now: i64, logged_at: i64) -> Result<(), &'static str> {
    let (served, folder) = (served(), tempfile::tempdir().expect("a folder"));
    let spool = Spool::open(&folder.path().join("spool")).expect("a spool");
    let target = Target::new(LogAddress::Service {
        url: url(&served, version),
        version,
    });
    let entry = entry(served.instance(), stamped, target);
    let id = spool.put(&entry).expect("room");
    assert_eq!(id, entry.evidence_id());
    assert_eq!(
        spool.peek(&id).expect("readable"),
        Some(entry),
        "the spool changed what it took"
    );
    match drain(&served, &spool, now, logged_at) {
        Settled::Finished(bundle) => {
            let expected = ExpectedSigners {
                keys: KeyRing::new(),
                identities: IdentityRules::DangerouslyAny {
                    reason: "compared below".to_owned(),
                },
            };
            let at = Timestamp::from_unix(now + 60).expect("a time");
            let bundle = touchmark_verify::bundle::Bundle::parse(&bundle.encode()).expect("a bundle");
            let root = served.instance().trusted_root();
            let verified =
                verify(&bundle, &expected, &root, &VerifyOptions::new(at)).map_err(|error| error.code())?;
            assert_eq!(verified.evidence_id(), id);
            Ok(())
        }
        Settled::Waiting(error) => {
            assert_eq!(
                spool.list().expect("a list").waiting,
                [id],
                "what was not logged is lost"
            );
            let entry = spool.peek(&id).expect("readable").expect("it is there");
            assert_eq!(entry.bundle, None, "an answer is kept that nobody would accept");
            Err(error.code())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_certificate_that_holds_is_logged_by_both_versions() {
    assert_eq!(run(true, ApiVersion::V2, SIGNED_AT + 5), Ok(()));
    assert_eq!(run(true, ApiVersion::V1, SIGNED_AT + 5), Ok(()));
    assert_eq!(
        run(false, ApiVersion::V1, SIGNED_AT + 5),
        Ok(()),
        "the promise gives the time"
    );
}

#[test]
fn a_lapsed_certificate_with_a_timestamp_from_its_window_is_still_good_for_rekor_v2() {
    // A month of outage: the timestamp says when it was signed, and the log says nothing about time.
    assert_eq!(run(true, ApiVersion::V2, SIGNED_AT + 30 * 86_400), Ok(()));
}

#[test]
fn a_lapsed_certificate_is_never_set_back_in_time() {
    let later = SIGNED_AT + 3_600;
    assert_eq!(run(false, ApiVersion::V2, later), Err("spool.certificate_lapsed"));
    // Rekor v1 would add its own time, which lies outside the certificate's window.
    assert_eq!(run(true, ApiVersion::V1, later), Err("spool.certificate_lapsed"));
    assert_eq!(run(false, ApiVersion::V1, later), Err("spool.certificate_lapsed"));
}

#[test]
fn a_log_that_takes_it_after_the_certificate_lapsed_leaves_it_to_be_signed_again() {
    let (now, later) = (SIGNED_AT + 5, SIGNED_AT + 3_600);
    for stamped in [true, false] {
        assert_eq!(
            run_with_log_at(stamped, ApiVersion::V1, now, later),
            Err("spool.certificate_lapsed")
        );
    }
    assert_eq!(run_with_log_at(true, ApiVersion::V2, now, later), Ok(()));
}
