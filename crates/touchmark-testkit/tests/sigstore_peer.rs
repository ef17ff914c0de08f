//! The in-process Sigstore beside `sigstore-verify`: what the instance makes right, the peer accepts.

use sigstore_trust_root::TrustedRoot;
use sigstore_types::{Bundle, DerPublicKey, Sha256Hash};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, Verifier};
use touchmark_testkit::sigstore::keys::{Hash, Scheme};
use touchmark_testkit::sigstore::{
    BundleVersion, GithubRun, Identity, Instance, InstanceOptions, LogKind, PERSON_ISSUER, Signatory, Signed,
    Signing,
};

const ARTIFACT: &[u8] = b"the artifact";

fn statement() -> Vec<u8> {
    let digest: String = Hash::Sha256
        .of(ARTIFACT)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"artifact","digest":{{"sha256":"{digest}"}}}}],"predicateType":"https://example.test/predicate/v1","predicate":{{}}}}"#
    )
    .into_bytes()
}

fn peer(instance: &Instance, signing: &Signing, signed: &Signed) -> Result<(), String> {
    let root = TrustedRoot::from_json(&instance.trusted_root_json()).map_err(|error| error.to_string())?;
    let bundle = Bundle::from_json(&signed.json.to_string()).map_err(|error| error.to_string())?;
    let verifier = Verifier::new(&root).map_err(|error| error.to_string())?;
    let artifact = Sha256Hash::try_from(Hash::Sha256.of(ARTIFACT).as_slice()).expect("32 bytes");
    let result = match &signing.signatory {
        Signatory::Keyless(_) | Signatory::Certified(..) => {
            verifier.verify(artifact, &bundle, &VerificationPolicy::any_identity())
        }
        Signatory::Key(key) => {
            let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(key.spki()));
            verifier.verify(artifact, &bundle, &policy)
        }
    };
    result.map(drop).map_err(|error| error.to_string())
}

fn assert_accepted(options: InstanceOptions, signing: Signing, message: bool) {
    let what = format!("{options:?}\n{signing:?}\nmessage: {message}");
    let instance = Instance::new(1, options);
    let signed = match message {
        true => instance.sign_message(&signing, ARTIFACT),
        false => instance.sign_statement(&signing, &statement()),
    };
    peer(&instance, &signing, &signed).unwrap_or_else(|error| panic!("{error}\n{what}"));
}

#[test]
fn the_peer_accepts_every_log_kind_and_version_of_a_keyless_statement() {
    for log in [LogKind::V2, LogKind::V1Dsse, LogKind::V1Intoto] {
        for version in [BundleVersion::V01, BundleVersion::V02, BundleVersion::V03] {
            // Version 0.1 wants a promise, which Rekor v2 does not give.
            if (log, version) == (LogKind::V2, BundleVersion::V01) {
                continue;
            }
            let signing = Signing::keyless(GithubRun::default().identity())
                .log(log)
                .version(version);
            assert_accepted(InstanceOptions::default(), signing, false);
        }
    }
}

#[test]
fn the_peer_accepts_keyless_messages() {
    for log in [LogKind::V2, LogKind::V1HashedRekord] {
        let signing = Signing::keyless(Identity::email("alice@example.test", PERSON_ISSUER)).log(log);
        assert_accepted(InstanceOptions::default(), signing, true);
    }
}

#[test]
fn the_peer_accepts_integrated_times_without_a_timestamp() {
    let signing = Signing::keyless(GithubRun::default().identity())
        .log(LogKind::V1Dsse)
        .timestamps(&[]);
    assert_accepted(InstanceOptions::default(), signing, false);
}

#[test]
fn the_peer_accepts_managed_keys() {
    let instance = Instance::new(1, InstanceOptions::default());
    for log in [LogKind::V2, LogKind::V1Dsse, LogKind::V1Intoto] {
        let key = instance.key(Scheme::P256, "managed");
        assert_accepted(InstanceOptions::default(), Signing::with_key(key).log(log), false);
    }
    let key = instance.key(Scheme::Ed25519, "managed");
    assert_accepted(
        InstanceOptions::default(),
        Signing::with_key(key).log(LogKind::V1Dsse),
        false,
    );
}

#[test]
fn the_peer_accepts_every_option() {
    let default = InstanceOptions::default;
    let options = [
        InstanceOptions {
            certificate_authority: Scheme::P384,
            ..default()
        },
        InstanceOptions {
            timestamp_authority: Scheme::P384,
            ..default()
        },
        InstanceOptions {
            rekor_v2: Scheme::P256,
            ..default()
        },
        InstanceOptions {
            sct_extensions: true,
            ..default()
        },
        InstanceOptions {
            witnesses: 3,
            ..default()
        },
        InstanceOptions {
            timestamp_authorities: 2,
            ..default()
        },
        InstanceOptions {
            namesake_authority: true,
            ..default()
        },
    ];
    for options in options {
        let signing = Signing::keyless(GithubRun::default().identity());
        assert_accepted(options, signing, false);
    }
}

#[test]
fn an_instance_is_the_same_in_every_run() {
    let make = |seed| {
        let instance = Instance::new(seed, InstanceOptions::default());
        let signed =
            instance.sign_statement(&Signing::keyless(GithubRun::default().identity()), &statement());
        (instance.trusted_root_json(), signed.bytes())
    };
    assert_eq!(make(1), make(1));
    assert_ne!(make(1), make(2));
}
