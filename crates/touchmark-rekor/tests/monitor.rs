//! The monitor on logs that are reached over HTTP, and on certificates: whose they are, and who issued them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use touchmark_http::{Client, Options, Url};
use touchmark_rekor::monitor::{
    Explained, Finding, FollowError, Limit, LogReader, LogReport, Monitor, SignerProof, Start, Store,
    StoreError, TileLog, Watch, rekor_v1_trees,
};
use touchmark_rekor::reader::{RekorV1Reader, TileReader};
use touchmark_statement::timestamp::Timestamp;
use touchmark_testkit::sigstore::{
    Fault, Identity, Instance, InstanceOptions, LogKind, Route, SIGNED_AT, Served, Signing,
};
use touchmark_verify::expected::ExpectedSigners;
use touchmark_verify::identity::{IdentityRule, TextPattern};
use touchmark_verify::trust::{TrustedLog, TrustedRoot};
use touchmark_verify::verify::{VerifyOptions, verify};

const AGENT: &str = "agent@example.test";
/// Entries by others that every log of the instance begins with.
const FILLERS: u64 = 3;
const ISSUER: &str = "https://issuer.example.test";

fn agent() -> Identity {
    Identity::email(AGENT, ISSUER)
}

fn rule() -> IdentityRule {
    IdentityRule::new(
        TextPattern::exact(ISSUER).unwrap(),
        TextPattern::exact(AGENT).unwrap(),
    )
}

fn served() -> Served {
    let served = Instance::new(11, InstanceOptions::default()).serve();
    served.instance().rekor_v1().offset = 0;
    served
}

/// Puts an entry for this payload into a log, as `log` says.
fn sign(instance: &Instance, identity: Identity, payload: &str, log: LogKind) -> Vec<u8> {
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"{payload}","digest":{{"sha256":"{}"}}}}],"predicateType":"https://example.test/p","predicate":{{}}}}"#,
        "0".repeat(64)
    );
    instance
        .sign_statement(&Signing::keyless(identity).log(log), statement.as_bytes())
        .bytes()
}

fn client() -> Client {
    Client::new(Options::default()).unwrap()
}

/// The log of the trusted root that has this many bytes of key: Rekor v2 signs with Ed25519 here.
fn log(root: &TrustedRoot, details: &str) -> TrustedLog {
    root.logs()
        .iter()
        .find(|log| log.key.key_details() == details)
        .unwrap()
        .clone()
}

fn v2(served: &Served) -> (TrustedLog, Vec<Box<dyn LogReader>>) {
    let url: Url = served.urls().rekor_v2.parse().unwrap();
    let reader = TileLog::new(TileReader::rekor_v2(client(), &url));
    (
        log(&served.instance().trusted_root(), "PKIX_ED25519"),
        vec![Box::new(reader)],
    )
}

fn v1(served: &Served) -> (TrustedLog, Vec<Box<dyn LogReader>>) {
    let url: Url = served.urls().rekor_v1.parse().unwrap();
    let trees = rekor_v1_trees(&RekorV1Reader::new(client(), &url)).unwrap();
    let trees = trees.into_iter().map(|tree| Box::new(tree) as Box<dyn LogReader>);
    (
        log(&served.instance().trusted_root(), "PKIX_ECDSA_P256_SHA_256"),
        trees.collect(),
    )
}

type Outcome = Result<LogReport, FollowError<StoreError>>;

fn pass(
    folder: &Path,
    served: &Served,
    (log, trees): (TrustedLog, Vec<Box<dyn LogReader>>),
    explained: &Explained,
    start: Start,
) -> (Vec<Outcome>, Vec<Finding>) {
    let store = Store::open(folder).unwrap();
    let mut watch = Watch::new();
    watch.identity(rule(), "the-agent");
    let root = served.instance().trusted_root();
    let monitor = Monitor {
        store: &store,
        watch: &watch,
        explained,
        root: &root,
        now: Timestamp::from_unix(SIGNED_AT + 100).unwrap(),
        grace: 0,
        start,
        limit: Limit {
            entries: u64::MAX,
            deadline: None,
        },
        keep_explained: 10_000,
    };
    let reports = trees
        .iter()
        .map(|tree| monitor.follow(&log, tree.as_ref()))
        .collect();
    (reports, monitor.settle().unwrap().open)
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    dir
}

#[test]
fn an_identity_is_found_in_logs_of_both_generations() {
    for generation in [v1, v2] {
        let (served, dir) = (served(), folder());
        let instance = served.instance();
        let kinds = [
            LogKind::V2,
            LogKind::V1Dsse,
            LogKind::V1HashedRekord,
            LogKind::V1Intoto,
        ];
        for (number, kind) in kinds.into_iter().enumerate() {
            sign(
                instance,
                Identity::email("other@example.test", ISSUER),
                &format!("other {number}"),
                kind,
            );
            sign(instance, agent(), &format!("ours {number}"), kind);
        }
        let (reports, open) = pass(
            dir.path(),
            &served,
            generation(&served),
            &Explained::new(),
            Start::Beginning,
        );
        let report = reports.into_iter().next().unwrap().unwrap();
        assert_eq!(report.judged, report.size);
        assert_eq!(report.matched * 2 + FILLERS, report.judged, "{report:?}");
        assert!(report.not_checked.is_empty(), "{report:?}");
        assert_eq!(open.len() as u64, report.matched);
        assert!(
            open.iter()
                .all(|finding| finding.proof == SignerProof::Issued && finding.principal == "the-agent")
        );
        assert!(open.iter().all(|finding| finding.signer.contains(AGENT)));
    }
}

#[test]
fn verified_evidence_explains_an_entry_of_either_generation() {
    for (generation, kind) in [(v1 as fn(&Served) -> _, LogKind::V1Dsse), (v2, LogKind::V2)] {
        let (served, dir) = (served(), folder());
        let bytes = sign(served.instance(), agent(), "ours", kind);
        let bundle = touchmark_verify::bundle::Bundle::parse(&bytes).unwrap();
        let options = VerifyOptions::new(Timestamp::from_unix(SIGNED_AT + 100).unwrap());
        let expected = ExpectedSigners::from(rule());
        let verified = verify(&bundle, &expected, &served.instance().trusted_root(), &options).unwrap();
        let mut explained = Explained::new();
        explained.add(&verified, &bundle);
        assert_eq!(explained.len(), 1);
        let (_, open) = pass(
            dir.path(),
            &served,
            generation(&served),
            &explained,
            Start::Beginning,
        );
        assert!(open.is_empty(), "{open:?}");
        let (_, open) = pass(
            dir.path(),
            &served,
            generation(&served),
            &Explained::new(),
            Start::Beginning,
        );
        assert_eq!(open.len(), 1);
    }
}

#[test]
fn what_is_explained_does_not_pile_up() {
    let (served, dir) = (served(), folder());
    let options = VerifyOptions::new(Timestamp::from_unix(SIGNED_AT + 100).unwrap());
    let (expected, root) = (ExpectedSigners::from(rule()), served.instance().trusted_root());
    let mut explained = Explained::new();
    for number in 0..5 {
        let bytes = sign(served.instance(), agent(), &format!("ours {number}"), LogKind::V2);
        let bundle = touchmark_verify::bundle::Bundle::parse(&bytes).unwrap();
        explained.add(&verify(&bundle, &expected, &root, &options).unwrap(), &bundle);
    }
    pass(dir.path(), &served, v2(&served), &explained, Start::Beginning);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.findings().unwrap().len(), 5);
    let watch = Watch::new();
    let monitor = Monitor {
        store: &store,
        watch: &watch,
        explained: &explained,
        root: &root,
        now: Timestamp::from_unix(SIGNED_AT + 100).unwrap(),
        grace: 0,
        start: Start::Beginning,
        limit: Limit {
            entries: 0,
            deadline: None,
        },
        keep_explained: 2,
    };
    assert!(monitor.settle().unwrap().open.is_empty());
    let kept: Vec<u64> = store
        .findings()
        .unwrap()
        .iter()
        .map(|finding| finding.index)
        .collect();
    assert_eq!(kept, [FILLERS + 3, FILLERS + 4]);
}

#[test]
fn a_certificate_that_only_looks_like_ours_is_recorded_and_alarms_nobody() {
    let (served, dir) = (served(), folder());
    let stranger = Instance::new(99, InstanceOptions::default());
    let bytes = sign(&stranger, agent(), "not ours", LogKind::V2);
    let bundle = touchmark_verify::bundle::Bundle::parse(&bytes).unwrap();
    let body = bundle.tlog_entries[0].canonicalized_body.clone();
    served.instance().rekor_v2().add(body, SIGNED_AT);
    let (reports, open) = pass(
        dir.path(),
        &served,
        v2(&served),
        &Explained::new(),
        Start::Beginning,
    );
    assert_eq!(reports.into_iter().next().unwrap().unwrap().matched, 1);
    assert!(open.is_empty(), "{open:?}");
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.findings().unwrap()[0].proof, SignerProof::Lookalike);
}

#[test]
fn a_log_is_followed_from_now_on_and_across_tiles() {
    for (generation, kind, entries) in [
        (v1 as fn(&Served) -> _, LogKind::V1Dsse, 5),
        (v2, LogKind::V2, 300),
    ] {
        let (served, dir) = (served(), folder());
        let bytes = sign(served.instance(), agent(), "first", kind);
        let bundle = touchmark_verify::bundle::Bundle::parse(&bytes).unwrap();
        let body = bundle.tlog_entries[0].canonicalized_body.clone();
        let fill = |count: usize| {
            for _ in 0..count {
                match kind {
                    LogKind::V2 => _ = served.instance().rekor_v2().add(body.clone(), SIGNED_AT),
                    _ => _ = served.instance().rekor_v1().add(body.clone(), SIGNED_AT),
                }
            }
        };
        fill(entries);
        let run = || {
            pass(
                dir.path(),
                &served,
                generation(&served),
                &Explained::new(),
                Start::Now,
            )
            .0
            .remove(0)
        };
        let first = run().unwrap();
        assert_eq!(
            (first.judged, first.judged_now),
            (FILLERS + 1 + entries as u64, 0)
        );
        fill(entries);
        let second = run().unwrap();
        assert_eq!(
            (second.judged, second.judged_now),
            (FILLERS + 1 + 2 * entries as u64, entries as u64)
        );
        assert_eq!(second.matched, entries as u64);
    }
}

#[test]
fn a_log_that_answers_wrongly_is_never_believed_and_harms_nothing() {
    let routes = [Route::V2Checkpoint, Route::V2Tile];
    let faults = [
        Fault::Status(502),
        Fault::ResetAfter(10),
        Fault::Truncated,
        Fault::Redirect(302, "http://127.0.0.1:9/".to_owned()),
        Fault::Body(b"another answer".to_vec()),
        Fault::GzipBomb(64 * 1024 * 1024),
    ];
    for route in routes {
        for fault in &faults {
            let (served, dir) = (served(), folder());
            for number in 0..3 {
                sign(served.instance(), agent(), &format!("ours {number}"), LogKind::V2);
            }
            pass(
                dir.path(),
                &served,
                v2(&served),
                &Explained::new(),
                Start::Beginning,
            )
            .0
            .remove(0)
            .unwrap();
            sign(served.instance(), agent(), "one more", LogKind::V2);
            served.fault(route, fault.clone());
            let (mut reports, _) = pass(
                dir.path(),
                &served,
                v2(&served),
                &Explained::new(),
                Start::Beginning,
            );
            let outcome = reports.remove(0);
            assert!(outcome.is_err(), "{route:?} {fault:?}: {outcome:?}");
            served.clear_faults();
            let (mut reports, open) = pass(
                dir.path(),
                &served,
                v2(&served),
                &Explained::new(),
                Start::Beginning,
            );
            assert_eq!(
                reports.remove(0).unwrap().judged,
                FILLERS + 4,
                "{route:?} {fault:?}"
            );
            assert_eq!(open.len(), 4);
        }
    }
}
