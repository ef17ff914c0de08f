//! The case that is signed with certificates: good, and judged by who signed.

use touchmark_testkit::World;
use touchmark_testkit::sigstore::{
    CertificateDefect, Instance, InstanceOptions, LogDefect, LogKind, TimeDefect,
};
use touchmark_testkit::world::Keyless;

fn codes(world: &World) -> Vec<String> {
    let verdict = world.judge();
    verdict
        .reasons()
        .iter()
        .map(|reason| reason.code.to_string())
        .collect()
}

#[track_caller]
fn denied(change: impl FnOnce(&mut Keyless), code: &str) {
    let world = World::keyless_with(change);
    assert_ne!(world.judge().exit_status(), 0);
    let codes = codes(&world);
    assert!(codes.iter().any(|found| found == code), "{codes:?}");
}

#[test]
fn a_change_signed_with_certificates_is_allowed() {
    for log in [LogKind::V2, LogKind::V1Dsse, LogKind::V1Intoto] {
        let world = World::keyless_with(|keyless| keyless.log = log);
        assert_eq!(world.judge().exit_status(), 0, "{log:?}: {:?}", codes(&world));
    }
}

#[test]
fn every_layer_of_a_bundle_decides() {
    let with = |keyless: &mut Keyless, defect: touchmark_testkit::sigstore::Defect| {
        keyless.instance = Instance::new(1, InstanceOptions::default()).with(defect);
    };
    denied(
        |keyless| with(keyless, CertificateDefect::UnknownRoot.into()),
        "certificate.chain",
    );
    denied(
        |keyless| with(keyless, TimeDefect::TokenAfterCertificate.into()),
        "certificate.outside_validity",
    );
    denied(
        |keyless| with(keyless, LogDefect::ProofHashFlipped.into()),
        "tlog.root_mismatch",
    );
}

#[test]
fn who_signed_decides() {
    denied(
        |keyless| keyless.agent.repository_id = "999".to_owned(),
        "identity.repository_id",
    );
    denied(
        |keyless| keyless.agent.runner = "self-hosted".to_owned(),
        "identity.runner_environment",
    );
    denied(
        |keyless| keyless.agent.event = "pull_request_target".to_owned(),
        "identity.trigger",
    );
}
