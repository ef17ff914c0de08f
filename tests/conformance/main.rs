//! The public Sigstore conformance suite, through the executable that speaks its protocol: every bundle, by path and by
//! digest, offline.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and says what it ran"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use touchmark_statement::digest::Sha256Digest;
use touchmark_testkit::sigstore::{ConfiguredLogs, Instance, InstanceOptions};

const SUITE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/sigstore-conformance/bundle-verify"
);
const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
/// A case that passes: where it does not, failing cases would fail for nothing.
const HAPPY: &str = "happy-path-v0.3";

/// One case of the suite.
struct Case {
    folder: PathBuf,
    name: String,
}

impl Case {
    fn text(&self, name: &str, default: &str) -> String {
        let found = std::fs::read_to_string(self.folder.join(name));
        found.map_or_else(|_| default.to_owned(), |text| text.trim().to_owned())
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.join(name)).filter(|path| path.is_file())
    }

    fn artifact(&self) -> PathBuf {
        self.file("artifact")
            .unwrap_or_else(|| self.folder.join("../a.txt"))
    }

    fn must_fail(&self) -> bool {
        self.name.ends_with("_fail")
    }

    /// The flags as the suite gives them.
    fn command(&self, artifact: &str) -> Command {
        let mut command = client();
        command
            .args(["verify-bundle", "--bundle"])
            .arg(self.folder.join("bundle.sigstore.json"));
        match self.file("key.pub") {
            Some(key) => _ = command.arg("--key").arg(key),
            None => {
                command.args(["--certificate-identity", &self.text("identity", IDENTITY)]);
                command.args(["--certificate-oidc-issuer", &self.text("issuer", ISSUER)]);
            }
        }
        if let Some(root) = self.file("trusted_root.json") {
            command.arg("--trusted-root").arg(root);
        }
        command.arg(artifact);
        command
    }
}

fn client() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_touchmark-conformance"));
    command.env_clear();
    command
}

/// Runs the client: whether it accepted, and what it said. A crash is neither yes nor no.
fn run(mut command: Command) -> (bool, String) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match output.status.code() {
        Some(0) => (true, said),
        Some(1) => (false, said),
        other => panic!("ended with {other:?}: {said}"),
    }
}

fn cases() -> Option<Vec<Case>> {
    let suite = Path::new(SUITE);
    if !suite.is_dir() {
        println!("skipped: the conformance suite is not beside the repository");
        return None;
    }
    let mut folders: Vec<PathBuf> = std::fs::read_dir(suite)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let case = |folder: PathBuf| Case {
        name: folder.file_name().unwrap().to_string_lossy().into_owned(),
        folder,
    };
    Some(folders.into_iter().map(case).collect())
}

#[test]
fn every_bundle_of_the_suite_by_path_and_by_digest() {
    let Some(cases) = cases() else { return };
    let happy = cases.iter().find(|case| case.name == HAPPY).unwrap();
    let (accepted, said) = run(happy.command(&happy.artifact().to_string_lossy()));
    assert!(accepted, "nothing can be told: {HAPPY} is refused: {said}");

    let (mut accepted, mut refused, mut wrong) = (0, 0, Vec::new());
    for case in &cases {
        let path = case.artifact();
        let digest = Sha256Digest::of(&std::fs::read(&path).unwrap());
        for artifact in [path.to_string_lossy().into_owned(), format!("sha256:{digest}")] {
            let (ok, said) = run(case.command(&artifact));
            if ok == case.must_fail() {
                wrong.push(format!("{} ({artifact}): accepted {ok}: {said}", case.name));
            } else if ok {
                accepted += 1;
            } else {
                assert!(!said.is_empty(), "{}: refused without a word", case.name);
                refused += 1;
            }
        }
    }
    println!(
        "{} cases, {} runs: {accepted} accepted as they must be, {refused} refused as they must be, {} wrong",
        cases.len(),
        2 * cases.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((cases.len(), accepted, refused), (70, 42, 98));
}

#[test]
fn a_good_bundle_is_refused_for_another_signer_artifact_or_root() {
    let Some(cases) = cases() else { return };
    let happy = cases.iter().find(|case| case.name == HAPPY).unwrap();
    let artifact = happy.artifact().to_string_lossy().into_owned();
    let bundle = happy
        .folder
        .join("bundle.sigstore.json")
        .to_string_lossy()
        .into_owned();
    let with = |identity: &str, issuer: &str, artifact: &str, more: &[&str]| {
        let mut command = client();
        command.args([
            "verify-bundle",
            "--bundle",
            &bundle,
            "--certificate-identity",
            identity,
        ]);
        command
            .args(["--certificate-oidc-issuer", issuer])
            .args(more)
            .arg(artifact);
        run(command).0
    };
    assert!(with(IDENTITY, ISSUER, &artifact, &[]));
    assert!(!with(&IDENTITY[1..], ISSUER, &artifact, &[]));
    assert!(!with(IDENTITY, &format!("{ISSUER}/"), &artifact, &[]));
    assert!(!with(IDENTITY, ISSUER, &bundle, &[]));
    assert!(!with(
        IDENTITY,
        ISSUER,
        &format!("sha256:{}", "0".repeat(64)),
        &[]
    ));
    assert!(!with(IDENTITY, ISSUER, &artifact, &["--staging"]));
    let other = cases
        .iter()
        .find(|case| case.name == "rekor2-happy-path")
        .unwrap();
    let other = other
        .file("trusted_root.json")
        .unwrap()
        .to_string_lossy()
        .into_owned();
    assert!(!with(IDENTITY, ISSUER, &artifact, &["--trusted-root", &other]));
    // Nobody expected is no question.
    let mut command = client();
    command.args(["verify-bundle", "--bundle", &bundle, &artifact]);
    assert!(!run(command).0);
}

/// Seconds since 1970. The protocol has no flag for the time, so that the instance follows the clock.
#[allow(clippy::disallowed_methods, reason = "a test that meets services has a clock")]
fn clock() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_secs()).unwrap()
}

#[test]
fn what_is_signed_verifies_for_its_signer_and_artifact_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let served = Instance::new(1, InstanceOptions::default()).serve();
    served.follow(clock);
    std::fs::write(file("root.json"), served.instance().trusted_root_json()).unwrap();
    std::fs::write(file("blob"), b"a blob\n").unwrap();
    let statement = format!(
        "{{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{{\"name\":\"blob\",\"digest\":{{\"sha256\":\"{}\"}}}}],\
         \"predicateType\":\"https://x.example/y/v1\",\"predicate\":{{}}}}",
        Sha256Digest::of(b"a blob\n")
    );
    std::fs::write(file("statement"), &statement).unwrap();
    let token = served.email_token("alice@example.test");
    let issuer = served.urls().issuer.clone();
    for logs in [ConfiguredLogs::V2, ConfiguredLogs::V1] {
        std::fs::write(file("signing.json"), served.signing_config_json(logs)).unwrap();
        for (kind, artifact) in [(&[][..], "blob"), (&["--in-toto"][..], "statement")] {
            let mut command = client();
            command.args([
                "sign-bundle",
                "--identity-token",
                &token,
                "--bundle",
                &file("bundle"),
            ]);
            command.args([
                "--trusted-root",
                &file("root.json"),
                "--signing-config",
                &file("signing.json"),
            ]);
            let (signed, said) = run({
                command.args(kind).arg(file(artifact));
                command
            });
            assert!(signed, "{artifact}: {said}");
            let verify = |identity: &str, artifact: &str| {
                let mut command = client();
                command.args([
                    "verify-bundle",
                    "--bundle",
                    &file("bundle"),
                    "--certificate-identity",
                    identity,
                ]);
                command.args([
                    "--certificate-oidc-issuer",
                    &issuer,
                    "--trusted-root",
                    &file("root.json"),
                ]);
                command.arg(artifact);
                run(command)
            };
            let (good, said) = verify("alice@example.test", &file("blob"));
            assert!(good, "{artifact}: {said}");
            assert!(!verify("bob@example.test", &file("blob")).0);
            assert!(!verify("alice@example.test", &file("root.json")).0);
            std::fs::remove_file(file("bundle")).unwrap();
        }
    }
    // What was asked for and what was made must agree, or nothing is written.
    let mut command = client();
    command.args([
        "sign-bundle",
        "--identity-token",
        "no token",
        "--bundle",
        &file("bundle"),
    ]);
    command.args([
        "--trusted-root",
        &file("root.json"),
        "--signing-config",
        &file("signing.json"),
    ]);
    command.arg(file("blob"));
    assert!(!run(command).0 && !Path::new(&file("bundle")).exists());
}
