//! The in-process Sigstore over loopback HTTP: a signer's whole way through it, and the faults.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sigstore_trust_root::TrustedRoot;
use sigstore_types::{Bundle, Sha256Hash};
use sigstore_verify::{VerificationPolicy, Verifier};
use touchmark_testkit::sigstore::keys::Hash;
use touchmark_testkit::sigstore::{
    Fault, GithubRun, Instance, InstanceOptions, Key, Route, Scheme, Served, der, pae,
};

struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn header(&self, name: &str) -> Option<String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .into_iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value.to_owned())
    }
}

/// Sends a request; `None` where the answer does not come whole.
fn send(method: &str, url: &str, headers: &str, body: &[u8]) -> Option<Reply> {
    let rest = url.strip_prefix("http://").expect("a loopback address");
    let (host, path) = rest.split_once('/').expect("a path");
    let mut stream = TcpStream::connect(host).expect("a service");
    stream
        .set_read_timeout(Some(Duration::from_millis(700)))
        .expect("a timeout");
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let reply = Reply {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head,
        body: bytes[end + 4..].to_vec(),
    };
    let length: usize = reply.header("content-length")?.parse().ok()?;
    (length == reply.body.len()).then_some(reply)
}

fn get(url: &str) -> Option<Reply> {
    send("GET", url, "", b"")
}

fn post(url: &str, body: &Value) -> Option<Reply> {
    send(
        "POST",
        url,
        "content-type: application/json\r\n",
        body.to_string().as_bytes(),
    )
}

fn served() -> Served {
    Instance::new(3, InstanceOptions::default()).serve()
}

fn certificate(served: &Served, token: &str, challenge: &str, key: &Key) -> Reply {
    let request = json!({
        "credentials": {"oidcIdentityToken": token},
        "publicKeyRequest": {
            "publicKey": {"algorithm": "", "content": key.public_pem()},
            "proofOfPossession": STANDARD.encode(key.sign(challenge.as_bytes())),
        },
    });
    post(&format!("{}/api/v2/signingCert", served.urls().fulcio), &request).expect("an answer")
}

fn from_pem(text: &str) -> Vec<u8> {
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).expect("PEM")
}

fn timestamp(served: &Served, signature: &[u8]) -> Reply {
    let imprint = der::sequence(&[Hash::Sha256.algorithm(), der::octets(&Hash::Sha256.of(signature))]);
    let query = der::sequence(&[der::small(1), imprint, der::small(42), der::yes()]);
    let headers = "content-type: application/timestamp-query\r\n";
    send("POST", &served.urls().timestamps[0], headers, &query).expect("an answer")
}

const ARTIFACT: &[u8] = b"the artifact";

fn statement() -> Vec<u8> {
    let digest: String = Hash::Sha256
        .of(ARTIFACT)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "artifact", "digest": {"sha256": digest}}],
        "predicateType": "https://example.test/predicate/v1",
        "predicate": {},
    })
    .to_string()
    .into_bytes()
}

struct Made {
    leaf: Vec<u8>,
    signature: Vec<u8>,
    digest: Vec<u8>,
    token: Vec<u8>,
}

fn make(served: &Served) -> Made {
    let run = GithubRun::default();
    let key = Key::named(Scheme::P256, "a client's own key");
    let reply = certificate(served, &served.github_token(&run), &run.subject(), &key);
    assert_eq!(reply.status, 200);
    let chain = reply.json()["signedCertificateEmbeddedSct"]["chain"]["certificates"].clone();
    let signed = pae("application/vnd.in-toto+json", &statement());
    let signature = key.sign(&signed);
    Made {
        leaf: from_pem(chain[0].as_str().expect("PEM")),
        digest: Hash::Sha256.of(&signed),
        token: timestamp(served, &signature).body,
        signature,
    }
}

fn v2_request(made: &Made) -> Value {
    json!({"hashedRekordRequestV002": {
        "digest": STANDARD.encode(&made.digest),
        "signature": {
            "content": STANDARD.encode(&made.signature),
            "verifier": {
                "x509Certificate": {"rawBytes": STANDARD.encode(&made.leaf)},
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            },
        },
    }})
}

fn peer_accepts(served: &Served, made: &Made, entry: &Value) {
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": STANDARD.encode(&made.leaf)},
            "tlogEntries": [entry],
            "timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": STANDARD.encode(&made.token)}]},
        },
        "dsseEnvelope": {
            "payload": STANDARD.encode(statement()),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": STANDARD.encode(&made.signature)}],
        },
    });
    let root = TrustedRoot::from_json(&served.instance().trusted_root_json()).expect("a root");
    let bundle = Bundle::from_json(&bundle.to_string()).expect("a bundle");
    let artifact = Sha256Hash::try_from(Hash::Sha256.of(ARTIFACT).as_slice()).expect("32 bytes");
    let verifier = Verifier::new(&root).expect("a verifier");
    verifier
        .verify(artifact, &bundle, &VerificationPolicy::any_identity())
        .expect("the peer accepts");
}

#[test]
fn a_signer_goes_through_all_of_it_and_the_peer_accepts_the_result() {
    let served = served();
    let made = make(&served);
    let url = format!("{}/api/v2/log/entries", served.urls().rekor_v2);
    let reply = post(&url, &v2_request(&made)).expect("an answer");
    assert_eq!(reply.status, 201);
    peer_accepts(&served, &made, &reply.json());

    let again = post(&url, &v2_request(&made)).expect("an answer");
    assert_eq!(
        (again.status, again.header("x-log-index").as_deref()),
        (409, Some("3"))
    );
    assert_eq!(served.requests(Route::V2Create).len(), 2);

    let base = &served.urls().rekor_v2;
    let checkpoint = get(&format!("{base}/checkpoint")).expect("a checkpoint");
    assert!(checkpoint.body.starts_with(b"log2.sigstore.example.test\n4\n"));
    assert_eq!(
        get(&format!("{base}/tile/0/000.p/4")).expect("a tile").body.len(),
        4 * 32
    );
    assert_eq!(
        get(&format!("{base}/api/v2/tile/entries/000.p/4"))
            .expect("entries")
            .status,
        200
    );
    assert_eq!(get(&format!("{base}/tile/0/000")).expect("an answer").status, 404);
}

#[test]
fn rekor_v1_takes_envelopes_and_gives_them_back() {
    let served = served();
    let made = make(&served);
    let envelope = json!({
        "payload": STANDARD.encode(statement()),
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"sig": STANDARD.encode(&made.signature)}],
    });
    let pem = touchmark_testkit::sigstore::keys::pem("CERTIFICATE", &made.leaf);
    let request = json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": {
        "envelope": envelope.to_string(), "verifiers": [STANDARD.encode(pem)],
    }}});
    let base = format!("{}/api/v1/log", served.urls().rekor_v1);
    let reply = post(&format!("{base}/entries"), &request).expect("an answer");
    assert_eq!(reply.status, 201);
    let answer = reply.json();
    let (uuid, entry) = answer
        .as_object()
        .and_then(|found| found.iter().next())
        .expect("one entry");
    assert_eq!(entry["logIndex"], 4003);
    for path in [format!("entries/{uuid}"), "entries?logIndex=4003".to_owned()] {
        assert_eq!(get(&format!("{base}/{path}")).expect("an answer").json(), answer);
    }
    let again = post(&format!("{base}/entries"), &request).expect("an answer");
    assert_eq!(
        (again.status, again.header("location")),
        (409, Some(format!("/api/v1/log/entries/{uuid}")))
    );

    let log = get(&base).expect("the log").json();
    assert_eq!(log["treeSize"], 4);
    let proof = get(&format!("{base}/proof?firstSize=2&lastSize=4"))
        .expect("a proof")
        .json();
    assert_eq!(
        (proof["hashes"].as_array().map(Vec::len), &proof["rootHash"]),
        (Some(1), &log["rootHash"])
    );
}

#[test]
fn fulcio_wants_a_good_token_and_the_key_that_is_to_be_certified() {
    let served = served();
    let key = Key::named(Scheme::P384, "a client's own key");
    let token = served.email_token("alice@example.test");
    assert_eq!(
        certificate(&served, &token, "alice@example.test", &key).status,
        200
    );
    assert_eq!(
        certificate(&served, &token, "mallory@example.test", &key).status,
        400
    );
    assert_eq!(
        certificate(&served, &format!("{token}A"), "alice@example.test", &key).status,
        401
    );
    served.set_time(served.now() + 601);
    assert_eq!(
        certificate(&served, &token, "alice@example.test", &key).status,
        401
    );
}

#[test]
fn the_issuer_speaks_to_jobs_and_to_people() {
    let served = served();
    let environment = served.github_environment();
    let url = format!("{}&audience=sigstore", environment[1].1);
    let bearer = format!("authorization: Bearer {}\r\n", environment[2].1);
    assert_eq!(get(&url).expect("an answer").status, 401);
    let reply = send("GET", &url, &bearer, b"").expect("an answer");
    assert_eq!(
        reply.json()["value"]
            .as_str()
            .map(|token| token.split('.').count()),
        Some(3)
    );

    let base = &served.urls().issuer;
    let discovery = get(&format!("{base}/.well-known/openid-configuration"))
        .expect("an answer")
        .json();
    assert_eq!(discovery["issuer"], base.as_str());
    let challenge = URL_SAFE_NO_PAD.encode(Hash::Sha256.of(b"verifier"));
    let query = format!(
        "redirect_uri=urn:out-of-band&code_challenge={challenge}&code_challenge_method=S256&state=s&nonce=n"
    );
    let code = get(&format!("{base}/auth?{query}")).expect("a code").body;
    let form = format!(
        "grant_type=authorization_code&redirect_uri=urn:out-of-band&code_verifier=verifier&code={}",
        String::from_utf8_lossy(&code)
    );
    let reply = send("POST", &format!("{base}/token"), "", form.as_bytes()).expect("an answer");
    assert!(reply.json()["id_token"].is_string());
    // Once only.
    assert_eq!(
        send("POST", &format!("{base}/token"), "", form.as_bytes())
            .expect("an answer")
            .status,
        400
    );
}

#[test]
fn every_fault_does_what_it_says() {
    let served = served();
    let url = format!("{}/checkpoint", served.urls().rekor_v2);
    let good = get(&url).expect("an answer");
    let with = |fault: Fault| {
        served.fault_times(Route::V2Checkpoint, fault, 1);
        get(&url)
    };
    assert_eq!(with(Fault::Status(502)).expect("an answer").status, 502);
    let later = with(Fault::RetryAfter(429, "7".to_owned())).expect("an answer");
    assert_eq!(
        (later.status, later.header("retry-after").as_deref()),
        (429, Some("7"))
    );
    let elsewhere = with(Fault::Redirect(307, "http://example.test/".to_owned())).expect("an answer");
    assert_eq!(
        elsewhere.header("location").as_deref(),
        Some("http://example.test/")
    );
    for fault in [
        Fault::Stall,
        Fault::StallAfter(30),
        Fault::ResetAfter(0),
        Fault::ResetAfter(40),
        Fault::CloseAfter(90),
    ] {
        assert!(with(fault.clone()).is_none(), "{fault:?}");
    }
    let cut = with(Fault::Truncated).expect("an answer");
    assert_eq!(cut.body, good.body[..good.body.len() / 2]);
    let other = with(Fault::ContentType("text/html".to_owned())).expect("an answer");
    assert_eq!(other.header("content-type").as_deref(), Some("text/html"));
    let bomb = with(Fault::GzipBomb(50_000_000)).expect("an answer");
    assert!(bomb.body.len() < 400_000 && bomb.header("content-encoding").is_some());
    assert_eq!(
        with(Fault::Padded(1000)).expect("an answer").body.len(),
        good.body.len() + 1000
    );
    assert_eq!(with(Fault::Body(b"?".to_vec())).expect("an answer").body, b"?");
    // Nothing is left of them.
    assert_eq!(get(&url).expect("an answer").body, good.body);
}

#[test]
fn answers_for_something_else_are_right_in_themselves() {
    let served = served();
    let good = make(&served);
    let with = |route: Route, fault: Fault| {
        served.fault_times(route, fault, 1);
        make(&served)
    };
    let person = |made: &Made| String::from_utf8_lossy(&made.leaf).contains("mallory@example.test");
    assert!(!person(&good) && person(&with(Route::SigningCert, Fault::OtherIdentity)));
    assert_ne!(good.leaf, with(Route::SigningCert, Fault::OtherEntry).leaf);
    assert_ne!(
        good.leaf,
        with(Route::SigningCert, Fault::OtherTime(served.now() - 3600)).leaf
    );
    for fault in [
        Fault::OtherEntry,
        Fault::OtherTime(served.now() - 3600),
        Fault::OtherNonce,
    ] {
        let other = with(Route::Timestamp, fault.clone()).token;
        assert!(other != good.token && other.len() > 500, "{fault:?}");
    }
}

#[test]
fn services_end_with_their_value_also_while_they_stall() {
    let served = served();
    let url = format!("{}/checkpoint", served.urls().rekor_v2);
    served.fault(Route::V2Checkpoint, Fault::Stall);
    let client = std::thread::spawn(move || get(&url).is_none());
    std::thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    drop(served);
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(client.join().expect("the client ends"));
}
