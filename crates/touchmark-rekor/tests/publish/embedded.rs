//! The embedded log's own server, and its directory, read as any other log.

use std::sync::Arc;
use std::time::Duration;

use touchmark_http::{Deadline, Url};
use touchmark_log::Log;
use touchmark_log::serve::{Limits, serve};
use touchmark_rekor::{Publisher as _, RekorV2, TileReader};
use touchmark_testkit::sigstore::keys::Scheme;
use touchmark_tlog::prove::Prover;

use super::support::{client, submission};

/// The log on a free port, for as long as the test runs.
fn serve_log(log: Arc<Log>) -> (Url, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads");
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"))
        .parse()
        .expect("an address");
    runtime.spawn(serve(log, listener, Limits::default(), std::future::pending()));
    (url, runtime)
}

#[test]
fn publishes_to_the_embedded_log_over_http_and_finds_it_again_across_tiles() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Arc::new(Log::create(&folder.path().join("log"), "team.example").expect("a log"));
    // More than one tile, so that what is found again lies in a full one and its proof needs an upper level.
    let first = log
        .add(
            &submission(Scheme::P256, 0)
                .create_entry_request()
                .expect("a request"),
        )
        .expect("added");
    for number in 1..300 {
        log.add(
            &submission(Scheme::P256, number)
                .create_entry_request()
                .expect("a request"),
        )
        .expect("added");
    }
    let (url, _runtime) = serve_log(log.clone());
    let publisher = RekorV2::new(client(), &url, vec![log.trusted_log()]);
    let deadline = Deadline::after(Duration::from_secs(20));
    let fresh = publisher
        .publish(&submission(Scheme::P384, 1), deadline)
        .expect("logged");
    assert_eq!(fresh.log_index, 300);
    let again = publisher
        .publish(&submission(Scheme::P256, 0), deadline)
        .expect("found again");
    assert_eq!(
        (again.log_index, again.canonicalized_body),
        (0, first.canonicalized_body)
    );
    assert_eq!(again.inclusion_proof.expect("a proof").tree_size, 301);

    // The same tiles from the directory, and from a plain prefix.
    for reader in [
        TileReader::directory(log.dir()),
        TileReader::at(client(), url.clone()),
        TileReader::rekor_v2(client(), &url),
    ] {
        let checkpoint = log.checkpoint().expect("a checkpoint");
        assert_eq!(
            reader.checkpoint().expect("a note"),
            checkpoint.note().encode().into_bytes()
        );
        assert_eq!(
            Prover::new(&reader, 301).root().expect("tiles"),
            *checkpoint.root()
        );
        let (proof, _) = log.consistency(17).expect("the log's own proof");
        assert_eq!(Prover::new(&reader, 301).consistency(17).expect("tiles"), proof);
        assert_eq!(reader.bundle(1, 45).expect("a bundle").len(), 45);
    }
}
