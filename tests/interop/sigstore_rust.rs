//! `sigstore-verify`, with a managed key.

use sigstore_trust_root::TrustedRoot;
use sigstore_types::{Bundle, DerPublicKey};
use sigstore_verify::{PublicKeyVerificationPolicy, Verifier};

use super::{Material, with_broken_signature};

#[test]
fn verifies_our_bundle_against_the_commit_and_nothing_else() {
    let material = Material::new();
    let root = TrustedRoot::from_json(&material.file("root.json")).expect("it reads our trusted root");
    let verifier = Verifier::new(&root).unwrap();
    let policy =
        PublicKeyVerificationPolicy::new(DerPublicKey::from_pem(&material.file("keys/agent.pub")).unwrap());
    let (json, commit) = (material.bundle(), material.commit());
    let bundle = Bundle::from_json(std::str::from_utf8(&json).unwrap()).expect("it reads our bundle");

    let result = verifier
        .verify(commit.as_slice(), &bundle, &policy)
        .expect("it verifies our bundle");
    assert!(result.tlog_verified(), "the log proof was part of it");

    let mut other_commit = commit.clone();
    other_commit.push(b'\n');
    assert!(
        verifier
            .verify(other_commit.as_slice(), &bundle, &policy)
            .is_err()
    );

    let broken = with_broken_signature(&json);
    let broken = Bundle::from_json(std::str::from_utf8(&broken).unwrap()).unwrap();
    assert!(verifier.verify(commit.as_slice(), &broken, &policy).is_err());

    let other_key = DerPublicKey::from_pem(&material.file("keys/stranger.pub")).unwrap();
    let other_policy = PublicKeyVerificationPolicy::new(other_key);
    assert!(
        verifier
            .verify(commit.as_slice(), &bundle, &other_policy)
            .is_err()
    );
}
