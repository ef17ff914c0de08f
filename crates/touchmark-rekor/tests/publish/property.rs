//! Whatever the logs do: never a wrong entry, never a lost signature, never beyond the deadline.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::Config;
use touchmark_http::Deadline;
use touchmark_rekor::spool::{Destination, Entry, LogAddress, Spool, Target};
use touchmark_rekor::{ApiVersion, Backoff, Drain, Settled, connect};
use touchmark_sign::attestation::SignedEnvelope;
use touchmark_statement::timestamp::Timestamp;
use touchmark_testkit::sigstore::keys::Scheme;
use touchmark_testkit::sigstore::{Fault, Route, Served};
use touchmark_verify::bundle::Bundle;
use touchmark_verify::key_ring::KeyRing;
use touchmark_verify::verify::{VerifyOptions, verify};

use super::support::{EXCHANGE, client, envelope, key, public_key, served, url};

fn fault() -> impl Strategy<Value = Fault> {
    let length = 0_usize..2600;
    prop_oneof![
        prop_oneof![Just(400), Just(408), Just(429), Just(500), Just(502), Just(503)].prop_map(Fault::Status),
        Just(Fault::RetryAfter(503, "0".to_owned())),
        Just(Fault::Redirect(307, "http://127.0.0.1:1/".to_owned())),
        length.clone().prop_map(Fault::ResetAfter),
        length.clone().prop_map(Fault::CloseAfter),
        length.prop_map(Fault::StallAfter),
        Just(Fault::Truncated),
        Just(Fault::ContentType("text/html".to_owned())),
        Just(Fault::GzipBomb(1 << 20)),
        Just(Fault::Body(b"{}".to_vec())),
        Just(Fault::OtherEntry),
    ]
}

fn route() -> impl Strategy<Value = Route> {
    prop_oneof![
        4 => Just(Route::V1Create),
        1 => Just(Route::V1ByUuid),
        4 => Just(Route::V2Create),
        1 => Just(Route::V2Checkpoint),
        1 => Just(Route::V2Tile),
    ]
}

fn entry(served: &Served, number: u32) -> Entry {
    let key = key(Scheme::P256);
    let mut envelope = envelope(&key, number);
    envelope.payload = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"{number}","digest":{{"sha256":"{}"}}}}],"predicateType":"https://example.com/anything/v1","predicate":{{}}}}"#,
        "c".repeat(64)
    )
    .into_bytes();
    envelope.keyid = public_key(&key).fingerprint().to_string();
    envelope.signature = key.sign(&envelope.pae());
    let target = |version| {
        Target::new(LogAddress::Service {
            url: url(served, version),
            version,
        })
    };
    Entry {
        signed: SignedEnvelope::from_parts(envelope, public_key(&key)).expect("it verifies"),
        keyless: None,
        targets: vec![target(ApiVersion::V2), target(ApiVersion::V1)],
        destinations: vec![Destination::File {
            path: PathBuf::from("/tmp/bundle.json"),
        }],
        bundle: None,
        queued_at: Timestamp::from_unix(served.now()).expect("a time"),
    }
}

fn drain(served: &Served, spool: &Spool, limit: Duration) -> Vec<(bool, Option<Bundle>)> {
    let root = served.instance().trusted_root();
    let client = client();
    let connect = |address: &LogAddress| match address {
        LogAddress::Service { url, version } => Ok(connect(&client, url, *version, &root)),
        LogAddress::Embedded(_) => unreachable!("services only"),
    };
    let drain = Drain {
        connect: &connect,
        backoff: Backoff {
            first: Duration::from_millis(1),
            longest: Duration::from_millis(5),
            attempts: 2,
        },
        jitter: &|| 0.5,
        parallel: NonZeroUsize::new(2).expect("two"),
        deadline: Deadline::after(limit),
        now: Timestamp::from_unix(served.now()).expect("a time"),
    };
    let ids = spool.list().expect("a list").waiting;
    drain
        .run(spool, ids, |taken| Ok::<_, ()>(taken.entry().bundle.clone()))
        .into_iter()
        .map(|(_, settled)| match settled {
            Settled::Finished(bundle) => (true, bundle),
            _ => (false, None),
        })
        .collect()
}

proptest! {
    #![proptest_config(Config { cases: 24, max_shrink_iters: 8, failure_persistence: None, ..Config::default() })]

    #[test]
    fn whatever_the_logs_do_nothing_wrong_is_believed_and_nothing_is_lost(
        storms in prop::collection::vec((route(), fault(), 1_usize..4), 1..6),
    ) {
        let (served, folder) = (served(), tempfile::tempdir().expect("a folder"));
        let spool = Spool::open(&folder.path().join("spool")).expect("a spool");
        for number in 0..2 {
            spool.put(&entry(&served, number)).expect("room");
        }
        let (mut finished, limit) = (Vec::new(), Duration::from_secs(4));
        for (route, fault, times) in storms {
            served.fault_times(route, fault, times);
            let waiting = spool.list().expect("a list").waiting.len();
            let started = Instant::now();
            let done = drain(&served, &spool, limit);
            prop_assert!(started.elapsed() < limit + EXCHANGE, "{:?}", started.elapsed());
            let done: Vec<Bundle> = done.into_iter().filter_map(|(_, bundle)| bundle).collect();
            prop_assert_eq!(spool.list().expect("a list").waiting.len(), waiting - done.len());
            finished.extend(done);
        }
        served.clear_faults();
        finished.extend(drain(&served, &spool, Duration::from_secs(30)).into_iter().filter_map(|(_, bundle)| bundle));
        prop_assert_eq!(finished.len(), 2);
        let mut ring = KeyRing::new();
        ring.allow(public_key(&key(Scheme::P256)).fingerprint());
        let root = served.instance().trusted_root();
        let at = Timestamp::from_unix(served.now() + 60).expect("a time");
        for bundle in finished {
            let bundle = Bundle::parse(&bundle.encode()).expect("a bundle");
            prop_assert_eq!(bundle.tlog_entries.len(), 2);
            let verified = verify(&bundle, &ring.clone().into(), &root, &VerifyOptions::new(at));
            prop_assert!(verified.is_ok(), "{:?}", verified.err().map(|error| error.code()));
        }
        // Three entries of somebody else, and each of ours once.
        prop_assert_eq!(served.instance().rekor_v1().tree.size(), 5);
        prop_assert_eq!(served.instance().rekor_v2().tree.size(), 5);
    }
}
