//! `touchmark verify --bundle` with certificates: any in-toto attestation and any signed blob, by identity.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};
use touchmark_statement::digest::Sha256Digest;
use touchmark_testkit::sigstore::{
    GITHUB_ISSUER, GithubRun, Identity, Instance, InstanceOptions, Key, LogKind, PERSON_ISSUER, Scheme,
    Signed, Signing,
};

use crate::common::schema::assert_valid;
use crate::common::{AT, Outcome, Sandbox};

const WORKFLOW: &str = "https://github.com/acme/greeter/.github/workflows/agent.yml@refs/heads/main";
const ARTIFACT: &[u8] = b"an artifact\n";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// A sandbox with the trusted root of a Sigstore instance that signs whatever a test asks for.
struct Case {
    sandbox: Sandbox,
    instance: Instance,
}

impl Case {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let instance = Instance::new(3, InstanceOptions::default());
        fs::write(sandbox.path("root.json"), instance.trusted_root_json()).unwrap();
        fs::write(sandbox.path("artifact"), ARTIFACT).unwrap();
        Self { sandbox, instance }
    }

    fn file(&self, name: &str) -> String {
        self.sandbox.path(name).to_string_lossy().into_owned()
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.sandbox.path(name), bytes).unwrap();
        self.file(name)
    }

    fn sign(&self, identity: Identity, statement: &Value) -> Signed {
        let payload = serde_json::to_vec(statement).unwrap();
        self.instance
            .sign_statement(&Signing::keyless(identity), &payload)
    }

    /// The good bundle: provenance of the artifact, signed in a run of the workflow.
    fn bundle(&self) -> String {
        let signed = self.sign(GithubRun::default().identity(), &provenance());
        self.put("bundle.json", signed.bytes())
    }

    fn verify(&self, bundle: &str, flags: &[&str]) -> Outcome {
        let root = self.file("root.json");
        let mut all = vec!["verify", "--bundle", bundle, "--trusted-root", &root, "--at", AT];
        all.extend(flags);
        self.sandbox.touchmark(all)
    }
}

/// The flags that expect the workflow.
const EXPECTED: [&str; 4] = [
    "--certificate-identity",
    WORKFLOW,
    "--certificate-oidc-issuer",
    GITHUB_ISSUER,
];

fn and<'f>(more: &[&'f str]) -> Vec<&'f str> {
    EXPECTED.into_iter().chain(more.iter().copied()).collect()
}

/// GitHub's provenance of the artifact, as a run of the workflow writes it.
fn provenance() -> Value {
    let run = GithubRun::default();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": "other", "digest": {"sha256": "0".repeat(64)}},
            {"name": "artifact", "digest": {"sha256": Sha256Digest::of(ARTIFACT)}},
        ],
        "predicateType": PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": "https://actions.github.io/buildtypes/workflow/v1",
                "externalParameters": {"workflow": {
                    "ref": run.git_ref, "repository": "https://github.com/acme/greeter", "path": run.workflow_path,
                }},
                "internalParameters": {"github": {
                    "event_name": run.event, "repository_id": run.repository_id, "repository_owner_id": run.owner_id,
                    "runner_environment": run.runner,
                }},
                "resolvedDependencies": [{
                    "uri": "git+https://github.com/acme/greeter@refs/heads/main", "digest": {"gitCommit": run.sha},
                }],
            },
            "runDetails": {
                "builder": {"id": "https://github.com/actions/runner/github-hosted"},
                "metadata": {"invocationId": "https://github.com/acme/greeter/actions/runs/4711/attempts/1"},
            },
        },
    })
}

#[test]
fn a_keyless_attestation_is_verified_and_said_how() {
    let case = Case::new();
    let bundle = case.bundle();
    let document = case.verify(&bundle, &and(&["--format", "json"])).ok().json();
    assert_valid(&document);
    let evidence = &document["evidence"][0];
    assert_eq!(evidence["identity"]["san"], WORKFLOW);
    assert_eq!(evidence["identity"]["kind"], "uri");
    assert_eq!(evidence["identity"]["claims"]["repository-id"], "123456");
    assert_eq!(evidence["predicateType"], PROVENANCE);
    let checks = evidence["checks"].to_string();
    assert!(
        checks.contains("subject.artifact skipped: no artifact was named"),
        "{checks}"
    );
    assert!(evidence["confirmed"].as_array().unwrap().len() >= 8, "{evidence}");
    assert_eq!(evidence["times"].as_array().unwrap().len(), 1);
    let text = case.verify(&bundle, &EXPECTED).ok().stdout;
    for part in [
        "claim        trigger = workflow_dispatch",
        "not claimed",
        "signed by    2026-02-25T",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_statement_is_printed_byte_for_byte_and_only_after_success() {
    let case = Case::new();
    let payload = b"{\"_type\": \"https://in-toto.io/Statement/v1\",  \"subject\": [{\"digest\": {\"sha256\": \
        \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}}], \"predicateType\": \"https://x.example/y\", \
        \"predicate\": {}}";
    let signing = Signing::keyless(GithubRun::default().identity());
    let bundle = case.put(
        "bundle.json",
        case.instance.sign_statement(&signing, payload).bytes(),
    );
    let printed = case.verify(&bundle, &and(&["--statement"])).ok().stdout;
    assert_eq!(printed.as_bytes(), payload);
    case.verify(
        &bundle,
        &[
            "--certificate-identity",
            "x",
            "--certificate-oidc-issuer",
            GITHUB_ISSUER,
            "--statement",
        ],
    )
    .refused(11, "identity.san");
    case.verify(
        &bundle,
        &and(&["--statement", "--artifact", &case.file("artifact")]),
    )
    .refused(11, "subject.not_bound");
}

#[test]
fn nobody_expected_is_no_question_and_half_an_identity_is_none() {
    let case = Case::new();
    let bundle = case.bundle();
    case.verify(&bundle, &[]).refused(2, "verify.no_signer");
    for half in [&EXPECTED[..2], &EXPECTED[2..]] {
        case.verify(&bundle, half)
            .refused(2, "verify.identity_incomplete");
    }
    case.verify(&bundle, &["--deny-self-hosted-runners"])
        .refused(2, "verify.identity_incomplete");
    // Flags that contradict each other are none of ours to resolve.
    let both = case.verify(&bundle, &and(&["--certificate-identity-regexp", "^x$"]));
    assert_eq!(both.code, Some(2));
    case.sandbox.commit("first");
    let change = case
        .sandbox
        .touchmark(["verify", "main..HEAD"].into_iter().chain(EXPECTED));
    change.refused(2, "verify.identity_of_change");
}

#[test]
fn case_57_a_pattern_that_is_not_anchored_is_refused_with_a_hint() {
    let case = Case::new();
    let bundle = case.bundle();
    let expect = |identity: &str, issuer: &str| {
        case.verify(
            &bundle,
            &[
                "--certificate-identity-regexp",
                identity,
                "--certificate-oidc-issuer-regexp",
                issuer,
            ],
        )
    };
    let issuer = r"^https://token\.actions\.githubusercontent\.com$";
    expect(r"^https://github\.com/acme/[a-z]+/.*$", issuer).ok();
    for identity in [
        "https://github.com/acme/.*",
        "^https://github.com/acme/",
        "acme$",
        "^a$|^https://github.com/acme/.*$",
        "(?i)^https://github.com/ACME/.*$",
    ] {
        let refused = expect(identity, issuer).refused(2, "identity.pattern_unanchored");
        assert!(
            refused.stderr.contains("say where the name begins and ends"),
            "{}",
            refused.stderr
        );
    }
    expect("^[a$", issuer).refused(2, "identity.pattern_malformed");
    expect("^.*$", "github").refused(2, "identity.pattern_unanchored");
    expect(r"^https://github\.com/other/.*$", issuer).refused(11, "identity.san");
}

#[test]
fn case_61_and_56_names_and_issuers_are_compared_byte_for_byte() {
    let case = Case::new();
    let bundle = case.bundle();
    for (identity, issuer, code) in [
        (
            WORKFLOW,
            "https://token.actions.githubusercontent.com/",
            "identity.issuer",
        ),
        (
            WORKFLOW,
            "https://token.actions.githubusercontent.com/acme",
            "identity.issuer",
        ),
        (&*WORKFLOW.to_uppercase(), GITHUB_ISSUER, "identity.san"),
        (
            &*WORKFLOW.replace("main", "mai%6e"),
            GITHUB_ISSUER,
            "identity.san",
        ),
        (&*format!("{WORKFLOW}/"), GITHUB_ISSUER, "identity.san"),
    ] {
        let flags = [
            "--certificate-identity",
            identity,
            "--certificate-oidc-issuer",
            issuer,
        ];
        case.verify(&bundle, &flags).refused(11, code);
    }
}

#[test]
fn case_62_66_67_what_the_run_was_can_be_asked_for() {
    let case = Case::new();
    let of = |change: &dyn Fn(&mut GithubRun)| {
        let mut run = GithubRun::default();
        change(&mut run);
        let mut statement = provenance();
        let github = &mut statement["predicate"]["buildDefinition"]["internalParameters"]["github"];
        github["event_name"] = json!(run.event);
        github["runner_environment"] = json!(run.runner);
        case.put("bundle.json", case.sign(run.identity(), &statement).bytes())
    };
    let target = of(&|run| "pull_request_target".clone_into(&mut run.event));
    case.verify(&target, &EXPECTED).refused(11, "identity.trigger");
    let named = and(&["--certificate-github-workflow-trigger", "pull_request_target"]);
    case.verify(&target, &named).ok();
    let bundle = case.bundle();
    case.verify(&bundle, &named).refused(11, "identity.trigger");
    let own = of(&|run| "self-hosted".clone_into(&mut run.runner));
    case.verify(&own, &EXPECTED).ok();
    case.verify(&own, &and(&["--deny-self-hosted-runners"]))
        .refused(11, "identity.runner_environment");
    let bundle = case.bundle();
    for (flag, good, bad, code) in [
        (
            "sha",
            &*GithubRun::default().sha,
            &*"f".repeat(40),
            "identity.source_digest",
        ),
        ("name", "agent", "Agent", "identity.claim"),
        ("repository", "acme/greeter", "acme/greet", "identity.claim"),
        ("ref", "refs/heads/main", "refs/heads/mai", "identity.claim"),
    ] {
        let flag = format!("--certificate-github-workflow-{flag}");
        case.verify(&bundle, &and(&[&flag, good])).ok();
        case.verify(&bundle, &and(&[&flag, bad])).refused(11, code);
    }
}

#[test]
fn a_repository_is_expected_as_gh_attestation_does() {
    let case = Case::new();
    let bundle = case.bundle();
    case.verify(&bundle, &["--repo", "acme/greeter"]).ok();
    case.verify(
        &bundle,
        &["--repo", "acme/greeter", "--certificate-identity", WORKFLOW],
    )
    .ok();
    for repo in ["acme/greete", "acme/greeter2", "Acme/greeter", "acme"] {
        let outcome = case.verify(&bundle, &["--repo", repo]);
        assert_ne!(outcome.code, Some(0), "{repo}");
    }
    // The name of a shared workflow says nothing of where it ran.
    let elsewhere = GithubRun {
        repository: "mallory/greeter".to_owned(),
        ..GithubRun::default()
    };
    let identity = elsewhere.identity().with_san(GithubRun::default().identity().san);
    let mut statement = provenance();
    statement["predicate"]["buildDefinition"]["externalParameters"] = json!({});
    statement["predicate"]["runDetails"] = json!({"builder": {"id": "x"}});
    let bundle = case.put("fork.json", case.sign(identity, &statement).bytes());
    case.verify(&bundle, &["--repo", "acme/greeter"])
        .refused(11, "identity.claim");
}

#[test]
fn case_74_a_key_is_no_identity_and_an_identity_no_key() {
    let case = Case::new();
    let bundle = case.bundle();
    let key = Key::named(Scheme::P256, "managed");
    let fingerprint = format!("sha256:{}", Sha256Digest::of(&key.spki()));
    case.verify(&bundle, &["--key", &fingerprint])
        .refused(11, "signer.certificate_not_expected");
    let payload = serde_json::to_vec(&provenance()).unwrap();
    let signed = case.instance.sign_statement(&Signing::with_key(key), &payload);
    let managed = case.put("managed.json", signed.bytes());
    case.verify(&managed, &EXPECTED)
        .refused(11, "signer.key_not_expected");
    case.verify(&managed, &["--key", &fingerprint]).ok();
    // Either of both may be expected.
    case.verify(&managed, &and(&["--key", &fingerprint])).ok();
    case.verify(&bundle, &and(&["--key", &fingerprint])).ok();
}

#[test]
fn an_artifact_is_one_of_the_subjects() {
    let case = Case::new();
    let bundle = case.bundle();
    let digest = format!("sha256:{}", Sha256Digest::of(ARTIFACT));
    for artifact in [&*case.file("artifact"), &*digest] {
        let document = case
            .verify(&bundle, &and(&["--artifact", artifact, "--format", "json"]))
            .ok()
            .json();
        assert_valid(&document);
        assert_eq!(
            document["evidence"][0]["artifact"],
            json!({"name": artifact, "subject": 1})
        );
        case.verify(&bundle, &and(&["--digest", artifact])).ok();
    }
    let other = case.put("other", b"another artifact\n");
    for artifact in [&*other, &*format!("sha256:{}", "1".repeat(64))] {
        case.verify(&bundle, &and(&["--artifact", artifact]))
            .refused(11, "subject.not_bound");
    }
    for artifact in ["sha256:00", &*format!("sha256:{}", "A".repeat(64))] {
        case.verify(&bundle, &and(&["--artifact", artifact]))
            .refused(2, "verify.digest");
    }
    case.verify(&bundle, &and(&["--artifact", &case.file("absent")]))
        .refused(2, "file.missing");
}

#[test]
fn a_signed_blob_needs_the_blob() {
    let case = Case::new();
    for log in [LogKind::V2, LogKind::V1HashedRekord] {
        let signing = Signing::keyless(GithubRun::default().identity()).log(log);
        let bundle = case.put(
            "blob.json",
            case.instance.sign_message(&signing, ARTIFACT).bytes(),
        );
        let artifact = case.file("artifact");
        let document = case
            .verify(&bundle, &and(&["--artifact", &artifact, "--format", "json"]))
            .ok()
            .json();
        assert_valid(&document);
        assert!(document["evidence"][0]["predicateType"].is_null());
        let digest = format!("sha256:{}", Sha256Digest::of(ARTIFACT));
        case.verify(&bundle, &and(&["--artifact", &digest])).ok();
        case.verify(&bundle, &EXPECTED)
            .refused(2, "verify.artifact_needed");
        case.verify(&bundle, &and(&["--artifact", &artifact, "--statement"]))
            .refused(2, "verify.no_statement");
        let other = case.put("other", b"another artifact\n");
        case.verify(&bundle, &and(&["--artifact", &other]))
            .refused(11, "message.digest_mismatch");
    }
}

#[test]
fn case_141_another_predicate_type_is_none() {
    let case = Case::new();
    let bundle = case.bundle();
    case.verify(&bundle, &and(&["--predicate-type", PROVENANCE])).ok();
    for wanted in [
        "https://slsa.dev/provenance/v1/",
        "https://slsa.dev/Provenance/v1",
        "https://slsa.dev/provenance/v1.0",
    ] {
        case.verify(&bundle, &and(&["--predicate-type", wanted]))
            .refused(10, "verify.predicate_type");
    }
}

#[test]
fn several_bundles_come_one_a_line_and_through_standard_input() {
    let case = Case::new();
    let good = case.sign(GithubRun::default().identity(), &provenance()).bytes();
    let mut other = provenance();
    other["predicateType"] = json!("https://x.example/other/v1");
    other["predicate"] = json!({});
    let person = case
        .sign(Identity::email("mallory@evil.example", PERSON_ISSUER), &other)
        .bytes();
    let lines = [good.as_slice(), b"\n", person.as_slice(), b"\n"].concat();
    let file = case.put("all.jsonl", &lines);
    case.verify(&file, &EXPECTED).refused(11, "identity.issuer");
    let only = and(&["--predicate-type", PROVENANCE, "--format", "json"]);
    let document = case.verify(&file, &only).ok().json();
    assert_eq!(document["evidence"].as_array().unwrap().len(), 1);
    for (input, flags) in [(lines, &only), (good, &and(&["--format", "json"]))] {
        let root = case.file("root.json");
        let mut all = vec!["verify", "--bundle", "-", "--trusted-root", &root, "--at", AT];
        all.extend(flags);
        let mut command = case.sandbox.command(all);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(&input).unwrap();
        let document = Outcome::of(child.wait_with_output().unwrap()).ok().json();
        assert!(
            document["evidence"][0]["source"]
                .as_str()
                .unwrap()
                .starts_with("standard input")
        );
    }
}

#[test]
fn case_146_a_statement_that_its_certificate_contradicts_is_refused() {
    let case = Case::new();
    for (pointer, value, code) in [
        (
            "/buildDefinition/externalParameters/workflow/repository",
            "https://github.com/acme/other",
            "agreement.workflow",
        ),
        (
            "/buildDefinition/externalParameters/workflow/ref",
            "refs/heads/other",
            "agreement.workflow",
        ),
        (
            "/buildDefinition/internalParameters/github/event_name",
            "push",
            "agreement.trigger",
        ),
        (
            "/buildDefinition/internalParameters/github/repository_id",
            "124",
            "agreement.repository_id",
        ),
        (
            "/buildDefinition/internalParameters/github/repository_owner_id",
            "1",
            "agreement.owner",
        ),
        (
            "/buildDefinition/internalParameters/github/runner_environment",
            "self-hosted",
            "agreement.runner",
        ),
        (
            "/buildDefinition/resolvedDependencies/0/digest/gitCommit",
            &*"f".repeat(40),
            "agreement.commit",
        ),
        (
            "/runDetails/metadata/invocationId",
            "https://github.com/acme/greeter/actions/runs/4712/attempts/1",
            "agreement.run",
        ),
    ] {
        let mut statement = provenance();
        *statement["predicate"].pointer_mut(pointer).unwrap() = json!(value);
        let signed = case.sign(GithubRun::default().identity(), &statement);
        let bundle = case.put("bundle.json", signed.bytes());
        case.verify(&bundle, &EXPECTED).refused(11, code);
    }
    // Old certificates say less, in other claims.
    let mut old = GithubRun::default().identity();
    old.claims.retain(|(arc, _)| *arc <= 6);
    for (pointer, code) in [
        (
            "/buildDefinition/externalParameters/workflow/repository",
            "agreement.repository",
        ),
        (
            "/buildDefinition/externalParameters/workflow/ref",
            "agreement.ref",
        ),
        (
            "/buildDefinition/internalParameters/github/event_name",
            "agreement.trigger",
        ),
        (
            "/buildDefinition/resolvedDependencies/0/digest/gitCommit",
            "agreement.commit",
        ),
    ] {
        let mut statement = provenance();
        *statement["predicate"].pointer_mut(pointer).unwrap() = json!("a".repeat(40));
        let bundle = case.put("bundle.json", case.sign(old.clone(), &statement).bytes());
        case.verify(&bundle, &EXPECTED).refused(11, code);
    }
    let mut statement = provenance();
    let workflow = &mut statement["predicate"]["buildDefinition"]["externalParameters"]["workflow"];
    *workflow = json!({"repository": "https://github.com/acme/other"});
    let bundle = case.put(
        "bundle.json",
        case.sign(GithubRun::default().identity(), &statement).bytes(),
    );
    case.verify(&bundle, &EXPECTED)
        .refused(11, "agreement.repository");
    *statement["predicate"]
        .pointer_mut("/buildDefinition/externalParameters/workflow")
        .unwrap() = json!({"ref": "refs/heads/other"});
    let bundle = case.put(
        "bundle.json",
        case.sign(GithubRun::default().identity(), &statement).bytes(),
    );
    case.verify(&bundle, &EXPECTED).refused(11, "agreement.ref");
}

#[test]
fn case_46_and_130_trust_comes_from_the_verifier_alone() {
    let case = Case::new();
    let bundle = case.bundle();
    // Without a root of one's own the public-good instance counts, and did not make this.
    let mut all = vec!["verify", "--bundle", &bundle, "--at", AT];
    all.extend(EXPECTED);
    let outcome = case.sandbox.touchmark(&all);
    assert_eq!(
        (outcome.code, &*outcome.stdout),
        (Some(11), ""),
        "{}",
        outcome.stderr
    );
    // A root that the checkout offers is never looked at, and a setting that names one is refused.
    for name in [
        "trusted_root.json",
        ".touchmark/trusted_root.json",
        ".sigstore/trusted_root.json",
    ] {
        case.sandbox.write(name, case.instance.trusted_root_json());
    }
    let again = case.sandbox.touchmark(&all);
    assert_eq!((again.code, again.stderr), (Some(11), outcome.stderr));
    case.sandbox.write(
        ".touchmark/config.toml",
        "trusted-roots = [\"mine=trusted_root.json\"]\n",
    );
    case.sandbox.touchmark(&all).refused(2, "config.trust_in_project");
    case.sandbox.write(
        ".touchmark/config.toml",
        "witness-policies = [\"mine=witnesses\"]\n",
    );
    case.sandbox.touchmark(&all).refused(2, "config.trust_in_project");
}

#[test]
fn case_131_variables_that_would_switch_trust_are_ignored_and_reported() {
    let case = Case::new();
    let bundle = case.bundle();
    let (good, other) = (case.file("root.json"), case.file("other.json"));
    let stranger = Instance::new(4, InstanceOptions::default());
    fs::write(&other, stranger.trusted_root_json()).unwrap();
    for name in [
        "SIGSTORE_ROOT_FILE",
        "SIGSTORE_REKOR_PUBLIC_KEY",
        "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE",
        "SIGSTORE_TSA_CERTIFICATE_FILE",
        "TOUCHMARK_TRUSTED_ROOTS",
        "TOUCHMARK_WITNESS_POLICIES",
    ] {
        for (root, value, exit) in [(&good, &other, 0), (&other, &good, 11)] {
            let mut all = vec!["verify", "--bundle", &bundle, "--trusted-root", root, "--at", AT];
            all.extend(EXPECTED);
            let mut command = case.sandbox.command(all);
            command.env(name, value);
            let outcome = Outcome::of(command.output().unwrap());
            assert_eq!(outcome.code, Some(exit), "{name}: {}", outcome.stderr);
            assert!(
                outcome.stderr.contains(&format!("{name} is ignored")),
                "{}",
                outcome.stderr
            );
        }
    }
}

#[test]
fn one_of_several_roots_is_enough_and_a_name_stands_for_one() {
    let case = Case::new();
    let bundle = case.bundle();
    let root = case.file("root.json");
    let stranger = case.put(
        "other.json",
        Instance::new(4, InstanceOptions::default()).trusted_root_json(),
    );
    let run = |roots: &[&str]| {
        let mut all = vec!["verify", "--bundle", &bundle, "--at", AT];
        all.extend(EXPECTED);
        all.extend(roots.iter().flat_map(|root| ["--trusted-root", root]));
        case.sandbox.touchmark(all)
    };
    run(&["sigstore-public-good", &stranger, &root]).ok();
    run(&[&root, &stranger]).ok();
    let twice = [format!("a={root}"), format!("a={stranger}")];
    run(&[&twice[0], &twice[1]]).refused(2, "trust.root_name_twice");
    run(&["sigstore-public-good", "sigstore-public-good"]).refused(2, "trust.root_name_twice");
    let alone = run(&["sigstore-public-good"]);
    assert_eq!(alone.code, Some(11), "{}", alone.stderr);
}

#[test]
fn case_146_what_others_signed_verifies_under_the_root_that_is_built_in_unless_it_contradicts_itself() {
    let suite = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/sigstore-conformance/bundle-verify"
    );
    let bundle = format!("{suite}/happy-path-intoto-in-dsse-v3/bundle.sigstore.json");
    if !std::path::Path::new(&bundle).exists() {
        println!("skipped: the conformance suite is not beside the repository");
        return;
    }
    let sandbox = Sandbox::new();
    let identity = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
    let artifact = format!("{suite}/a.txt");
    let verify = |bundle: &str, more: &[&str]| {
        let mut all = vec!["verify", "--bundle", bundle, "--certificate-identity", identity];
        all.extend(["--certificate-oidc-issuer", GITHUB_ISSUER]);
        all.extend(more);
        sandbox.touchmark(all)
    };
    let blob = format!("{suite}/happy-path-v0.3/bundle.sigstore.json");
    let document = verify(&blob, &["--artifact", &artifact, "--format", "json"])
        .ok()
        .json();
    assert_valid(&document);
    assert!(document["evidence"][0]["identity"]["claims"]["run"].is_string());
    verify(&blob, &["--artifact", &blob]).refused(11, "message.digest_mismatch");
    // Somebody else's provenance, well signed by a run that had nothing to do with it.
    verify(&bundle, &["--artifact", &artifact]).refused(11, "agreement.run");
}
