//! Log entries, their bodies and the requests for them: strict both ways.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use touchmark_tlog::entry::{
    CreateEntryRequest, EntryVerifier, HashAlgorithm, HashedRekordV002, InclusionProof, KeyDetails,
    KindVersion, LogEntry, VerifierMaterial,
};
use touchmark_tlog::merkle::leaf_hash;

fn request() -> CreateEntryRequest {
    CreateEntryRequest {
        digest: vec![1; 32],
        signature: vec![2; 70],
        verifier: EntryVerifier {
            key_details: KeyDetails::EcdsaP256Sha256,
            material: VerifierMaterial::PublicKey(vec![3; 91]),
        },
    }
}

fn body() -> String {
    String::from_utf8(request().to_entry().expect("good").canonical_body()).expect("text")
}

fn body_code(body: &str) -> &'static str {
    HashedRekordV002::parse_canonical(body.as_bytes())
        .expect_err("broken")
        .code()
}

fn entry() -> LogEntry {
    LogEntry {
        log_index: 5,
        log_id: leaf_hash(b"log"),
        kind: KindVersion::hashedrekord_v002(),
        integrated_time: None,
        inclusion_promise: None,
        inclusion_proof: Some(InclusionProof {
            log_index: 5,
            root_hash: leaf_hash(b"root"),
            tree_size: 6,
            hashes: vec![leaf_hash(b"a"), leaf_hash(b"b")],
            checkpoint: Some("log\n6\nroot\n\n\u{2014} log AAAA\n".to_owned()),
        }),
        canonicalized_body: body().into_bytes(),
    }
}

fn entry_json() -> String {
    String::from_utf8(entry().encode()).expect("text")
}

fn entry_code(json: &str) -> &'static str {
    LogEntry::parse(json.as_bytes()).expect_err("broken").code()
}

#[test]
fn bodies_are_the_canonical_json_of_the_specification() {
    let canonical = touchmark_statement::strict_json::canonical(
        &serde_json::from_str::<serde_json::Value>(&body()).expect("JSON"),
    );
    assert_eq!(canonical.expect("canonical"), body().as_bytes());
    assert_eq!(
        HashedRekordV002::parse_canonical(body().as_bytes()).expect("good"),
        request().to_entry().expect("good")
    );
}

#[test]
fn case_19_a_body_that_is_not_canonical_is_refused() {
    let body = body();
    let reordered = body.replace(
        r#""apiVersion":"0.0.2","kind":"hashedrekord","#,
        r#""kind":"hashedrekord","apiVersion":"0.0.2","#,
    );
    assert_ne!(reordered, body);
    assert_eq!(body_code(&reordered), "tlog.entry_not_canonical");
    assert_eq!(
        body_code(&body.replacen(':', ": ", 1)),
        "tlog.entry_not_canonical"
    );
    assert_eq!(body_code(&format!("{body}\n")), "tlog.entry_not_canonical");
    assert_eq!(
        body_code(&body.replacen("hashedrekord", "h\\u0061shedrekord", 1)),
        "tlog.entry_not_canonical"
    );
    assert_eq!(
        body_code(&body.replacen("publicKey", "public_key", 1)),
        "tlog.entry_not_canonical"
    );
    assert_eq!(body_code(&format!("{body}{{}}")), "json.trailing_data");
}

#[test]
fn case_79_an_unknown_kind_or_version_is_refused() {
    assert_eq!(
        body_code(&body().replace(r#""kind":"hashedrekord""#, r#""kind":"rekord""#)),
        "tlog.entry_kind"
    );
    assert_eq!(body_code(&body().replace("0.0.2", "0.0.1")), "tlog.entry_kind");
    assert_eq!(
        body_code(&body().replace("hashedRekordV002", "dsseV002")),
        "json.shape"
    );
}

#[test]
fn case_80_a_body_is_about_the_digest_that_was_signed() {
    // The same signature with the digest of something else, such as the bare payload, is another body and leaf.
    let (about_envelope, mut about_payload) = (request(), request());
    about_payload.digest = leaf_hash(b"payload").as_bytes().to_vec();
    let (one, other) = (
        about_envelope.to_entry().expect("good"),
        about_payload.to_entry().expect("good"),
    );
    assert_ne!(one.leaf_hash(), other.leaf_hash());
    assert_eq!(
        HashedRekordV002::parse_canonical(&one.canonical_body())
            .expect("good")
            .digest,
        about_envelope.digest
    );
}

#[test]
fn case_40_hash_and_digest_are_those_of_the_key() {
    assert_eq!(
        body_code(&body().replace("SHA2_256", "SHA2_384")),
        "tlog.entry_digest"
    );
    assert_eq!(
        body_code(&body().replace("SHA2_256", "SHA1")),
        "tlog.entry_hash_algorithm"
    );
    assert_eq!(
        body_code(&body().replace("P256_SHA_256", "P384_SHA_384")),
        "tlog.entry_digest"
    );
    assert_eq!(
        body_code(&body().replace("PKIX_ECDSA_P256_SHA_256", "PKIX_ECDSA_P256_SHA_512")),
        "tlog.entry_key_details"
    );
    assert_eq!(
        body_code(&body().replace("PKIX_ECDSA_P256_SHA_256", "PKIX_ED25519")),
        "tlog.entry_not_prehashed"
    );
    for hash in [
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
    ] {
        assert_eq!(HashAlgorithm::from_name(hash.name()), Some(hash));
    }
}

#[test]
fn other_defects_of_bodies_have_their_codes() {
    let body = body();
    assert_eq!(body_code(&body.replace("publicKey", "publicKeys")), "json.shape");
    assert_eq!(
        body_code(&body.replacen(r#""content":"AgIC"#, r#""content":"AgI="#, 1)),
        "tlog.entry_bytes"
    );
    let both = body.replace(
        r#""publicKey":{"#,
        r#""x509Certificate":{"rawBytes":"AAAA"},"publicKey":{"#,
    );
    assert_eq!(body_code(&both), "tlog.entry_verifier");
    assert_eq!(body_code("[]"), "json.array_for_object");
    assert_eq!(body_code(""), "json.malformed");
    assert_eq!(body_code(&"[".repeat(10_000)), "json.too_deep");
}

#[test]
fn requests_are_read_in_both_spellings() {
    let json = String::from_utf8(request().encode()).expect("text");
    assert_eq!(
        CreateEntryRequest::parse(json.as_bytes()).expect("good"),
        request()
    );
    let snake = json
        .replace("hashedRekordRequestV002", "hashed_rekord_request_v002")
        .replace("keyDetails", "key_details")
        .replace("publicKey", "public_key")
        .replace("rawBytes", "raw_bytes");
    assert_ne!(snake, json);
    assert_eq!(
        CreateEntryRequest::parse(snake.as_bytes()).expect("good"),
        request()
    );
    let code = |json: &str| {
        CreateEntryRequest::parse(json.as_bytes())
            .expect_err("broken")
            .code()
    };
    let both = json.replace(
        r#""keyDetails":"#,
        r#""key_details":"PKIX_ECDSA_P256_SHA_256","keyDetails":"#,
    );
    assert_eq!(code(&both), "json.shape");
    assert_eq!(
        code(&json.replace("keyDetails", "KeyDetails")),
        "json.look_alike_key"
    );
    assert_eq!(
        code(&json.replacen(r#"{"digest""#, r#"{"extra":1,"digest""#, 1)),
        "json.shape"
    );
    assert_eq!(
        code(&json.replace("hashedRekordRequestV002", "dsseRequestV002")),
        "json.shape"
    );
    assert_eq!(code("{}"), "json.shape");
}

#[test]
fn entries_survive_a_round_trip() {
    assert_eq!(LogEntry::parse(&entry().encode()).expect("good"), entry());
    // What Rekor v2 writes for fields that it has no use for, and what protobuf JSON leaves out.
    let rekor = entry_json().replacen('{', r#"{"integratedTime":"0","inclusionPromise":null,"#, 1);
    assert_eq!(
        LogEntry::parse(rekor.as_bytes()).expect("good").inclusion_promise,
        None
    );
    let zero = entry_json().replace(r#""logIndex":"5","#, "");
    assert_eq!(LogEntry::parse(zero.as_bytes()).expect("good").log_index, 0);
}

#[test]
fn case_9_indices_are_decimal_text() {
    for index in ["5", "5.0", "5e0", "-0"] {
        assert_eq!(
            entry_code(&entry_json().replacen(r#""logIndex":"5""#, &format!(r#""logIndex":{index}"#), 1))
                .split('.')
                .next(),
            Some("json"),
            "{index}"
        );
    }
    for index in ["", "05", "+5", " 5", "5.0", "-0", "9223372036854775808", "1e400"] {
        let json = entry_json().replacen(r#""logIndex":"5""#, &format!(r#""logIndex":"{index}""#), 1);
        assert_eq!(entry_code(&json), "tlog.entry_number", "{index}");
    }
}

#[test]
fn defects_of_entries_have_their_codes() {
    let json = entry_json();
    assert_eq!(
        entry_code(&json.replace("logIndex", "log_index")),
        "json.look_alike_key"
    );
    assert_eq!(entry_code(&json.replacen('{', r#"{"extra":0,"#, 1)), "json.shape");
    assert_eq!(
        entry_code(&json.replacen('{', r#"{"logIndex":"5","#, 1)),
        "json.duplicate_key"
    );
    assert_eq!(
        entry_code(&json.replacen('{', r#"{"log\u0049ndex":"5","#, 1)),
        "json.duplicate_key"
    );
    assert_eq!(
        entry_code(&json.replace(&leaf_hash(b"root").to_base64(), "AAAA")),
        "tlog.entry_bytes"
    );
    assert_eq!(
        entry_code(&json.replace(r#""kind":"hashedrekord""#, r#""kind":null"#)),
        "json.shape"
    );
    let mut long = entry();
    if let Some(proof) = &mut long.inclusion_proof {
        proof.hashes = vec![leaf_hash(b"a"); 65];
    }
    assert_eq!(
        LogEntry::parse(&long.encode()).expect_err("long").code(),
        "tlog.proof_length"
    );
}

#[test]
fn entries_of_the_public_logs_are_read() {
    let data =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/sigstore-conformance/bundle-verify");
    let Ok(cases) = fs::read_dir(data) else {
        println!("skipped: no conformance data");
        return;
    };
    let (mut read, mut bodies) = (0, 0);
    for case in cases {
        let case = case.expect("a case").path();
        let Ok(bundle) = fs::read(case.join("bundle.sigstore.json")) else {
            continue;
        };
        let Ok(bundle) = serde_json::from_slice::<serde_json::Value>(&bundle) else {
            continue;
        };
        for entry in bundle["verificationMaterial"]["tlogEntries"]
            .as_array()
            .into_iter()
            .flatten()
        {
            match LogEntry::parse(entry.to_string().as_bytes()) {
                Ok(entry) => {
                    read += 1;
                    let again = LogEntry::parse(&entry.encode()).expect("a round trip");
                    assert_eq!(again, entry);
                    if entry.kind == KindVersion::hashedrekord_v002() {
                        bodies += 1;
                        let body =
                            HashedRekordV002::parse_canonical(&entry.canonicalized_body).expect("canonical");
                        assert_eq!(body.canonical_body(), entry.canonicalized_body);
                    }
                }
                Err(error) => assert!(
                    case.to_string_lossy().ends_with("_fail"),
                    "{}: {error}",
                    case.display()
                ),
            }
        }
    }
    println!("{read} entries, {bodies} of them of Rekor v2");
    assert!(read > 0 && bodies > 0);
}

proptest! {
    #[test]
    fn bodies_and_requests_survive_a_round_trip(
        digest in proptest::collection::vec(any::<u8>(), 48),
        signature in proptest::collection::vec(any::<u8>(), 1..200),
        der in proptest::collection::vec(any::<u8>(), 1..300),
        certified in any::<bool>(),
    ) {
        let material = if certified { VerifierMaterial::Certificate(der) } else { VerifierMaterial::PublicKey(der) };
        let verifier = EntryVerifier { key_details: KeyDetails::EcdsaP384Sha384, material };
        let request = CreateEntryRequest { digest, signature, verifier };
        prop_assert_eq!(&CreateEntryRequest::parse(&request.encode()).expect("good"), &request);
        let entry = request.to_entry().expect("good");
        prop_assert_eq!(HashedRekordV002::parse_canonical(&entry.canonical_body()).expect("good"), entry);
    }

    #[test]
    fn hostile_json_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..600_usize, byte in any::<u8>()) {
        let _ = LogEntry::parse(&bytes);
        let mut json = entry_json().into_bytes();
        let at = at % json.len();
        json[at] = byte;
        if let Ok(entry) = LogEntry::parse(&json) {
            prop_assert_eq!(LogEntry::parse(&entry.encode()).expect("a round trip"), entry);
        }
        let _ = HashedRekordV002::parse_canonical(&json);
        let _ = CreateEntryRequest::parse(&json);
    }
}
