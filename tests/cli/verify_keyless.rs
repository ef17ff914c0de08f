//! `touchmark verify` of a change whose agent and approver sign with certificates: attested in a run, approved after a
//! login, judged by a policy that names identities.

use std::fs;

use serde_json::Value;
use touchmark_testkit::sigstore::serve::Served;
use touchmark_testkit::sigstore::{ConfiguredLogs, GithubRun, Instance, InstanceOptions};

use crate::common::schema::assert_valid;
use crate::common::{AT, Outcome, Sandbox};

/// The instance's time, [`crate::common::AT`] in seconds.
const NOW: i64 = 1_772_366_400;
const ALICE: &str = "alice@example.test";
const WORKFLOW: &str = "https://github.com/acme/greeter/.github/workflows/agent.yml@refs/heads/main";

/// A repository, an instance, and what leads to it.
struct Place {
    sandbox: Sandbox,
    served: Served,
    run: GithubRun,
}

impl Place {
    fn new() -> Self {
        let sandbox = Sandbox::with_change();
        sandbox.git(["remote", "add", "origin", "https://github.com/acme/greeter.git"]);
        let run = GithubRun {
            sha: sandbox.git(["rev-parse", "main"]),
            ..GithubRun::default()
        };
        let served = Instance::new(1, InstanceOptions::default()).serve();
        served.set_time(NOW);
        let place = Self { sandbox, served, run };
        place.put("root.json", &place.served.instance().trusted_root_json());
        place.put(
            "signing.json",
            &place.served.signing_config_json(ConfiguredLogs::V2),
        );
        place
    }

    fn file(&self, name: &str) -> String {
        self.sandbox.path(name).to_string_lossy().into_owned()
    }

    fn put(&self, name: &str, text: &str) -> String {
        fs::write(self.sandbox.path(name), text).unwrap();
        self.file(name)
    }

    fn sign(&self, verb: &[&str], variables: &[(&str, String)]) {
        let (root, signing) = (self.file("root.json"), self.file("signing.json"));
        let mut command = self.sandbox.command(verb);
        command.args([
            "--at",
            AT,
            "--yes",
            "--trusted-root",
            &root,
            "--signing-config",
            &signing,
        ]);
        command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
        Outcome::of(command.output().unwrap()).ok();
    }

    /// Attests as a job of the workflow does.
    fn attest(&self) {
        self.served.set_github_run(self.run.clone());
        let mut variables = self.served.github_environment();
        let run = &self.run;
        variables.extend([
            ("GITHUB_SERVER_URL", run.server.clone()),
            ("GITHUB_REPOSITORY", run.repository.clone()),
            ("GITHUB_REPOSITORY_ID", run.repository_id.clone()),
            ("GITHUB_RUN_ID", run.run_id.clone()),
            ("GITHUB_RUN_ATTEMPT", "1".to_owned()),
            ("GITHUB_EVENT_NAME", run.event.clone()),
        ]);
        self.sign(
            &["attest", "--base", "main", "--agent", "greeter-agent"],
            &variables,
        );
    }

    fn approve(&self, address: &str) {
        let token = self.put("token.jwt", &self.served.email_token(address));
        self.sign(
            &[
                "approve",
                "agent/fix",
                "--target",
                "refs/heads/main",
                "--identity-token",
                &token,
            ],
            &[],
        );
    }

    /// A policy with identities in it.
    fn policy(&self) -> String {
        let issuer = &self.served.urls().issuer;
        format!(
            r#"version = 1
serial = 1
expires = 2099-12-31

[trust]
roots = ["acme"]

[[person]]
id = "alice"
signers = [{{ issuer = "{issuer}", san = "{ALICE}", presence = true }}]

[[agent]]
id = "greeter-agent"
signers = [{{ issuer = "{issuer}", san = "{WORKFLOW}", repository-id = "123456", runner = "hosted" }}]
scope = {{ repositories = [{{ uri = "https://github.com/acme/greeter", id = "123456" }}] }}

[[rule]]
id = "a-person-reads-it"
paths = ["**"]
tier = "gated"
approvals = {{ people = 1 }}

[gate.merge]
require = ["accounted"]
residual = "forbid"
"#
        )
    }

    fn verify(&self, policy: &str, flags: &[&str]) -> Outcome {
        let policy = self.put("policy.toml", policy);
        let mut all = vec![
            "verify",
            "agent/fix",
            "--target",
            "refs/heads/main",
            "--at",
            AT,
            "--policy",
            &policy,
        ];
        all.extend(flags);
        self.sandbox.touchmark(all)
    }

    /// Judges under the instance's root and asserts exit code and deciding codes.
    #[track_caller]
    fn judged(&self, policy: &str, exit: i32, codes: &[&str]) -> Value {
        let root = format!("acme={}", self.file("root.json"));
        let outcome = self.verify(policy, &["--trusted-root", &root, "--format", "json"]);
        assert_eq!(outcome.code, Some(exit), "{}{}", outcome.stdout, outcome.stderr);
        let verdict = outcome.json();
        assert_valid(&verdict);
        let decide = verdict["reasons"].as_array().unwrap().iter();
        let found: Vec<&str> = decide
            .filter(|reason| reason["class"] != "finding")
            .map(|reason| reason["code"].as_str().unwrap())
            .collect();
        assert_eq!(found, codes, "{verdict:#}");
        verdict
    }
}

#[test]
fn an_agent_s_run_and_a_person_s_login_are_enough() {
    let place = Place::new();
    place.attest();
    place.judged(&place.policy(), 14, &["policy.rule.a-person-reads-it"]);
    place.approve("mallory@example.test");
    place.judged(
        &place.policy(),
        11,
        &["signer.not_expected", "policy.rule.a-person-reads-it"],
    );
    place.approve(ALICE);
    let verdict = place.judged(&place.policy(), 0, &[]);
    let agent = &verdict["statements"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["principal"] == "greeter-agent");
    let claims = agent.unwrap()["claims"].as_array().unwrap();
    let run = claims
        .iter()
        .find(|claim| claim["pointer"] == "/environment/run")
        .unwrap();
    assert_eq!(run["vantage"], "platform");
    let text = place
        .verify(
            &place.policy(),
            &["--trusted-root", &format!("acme={}", place.file("root.json"))],
        )
        .ok()
        .stdout;
    assert!(text.contains(&format!("{WORKFLOW} (issuer ")), "{text}");
    assert!(
        text.contains("did only what their workflows say is not claimed"),
        "{text}"
    );
}

#[test]
fn an_expression_finds_its_evidence_among_that_of_strangers() {
    let place = Place::new();
    place.attest();
    for stranger in ["a", "b", "c", "d", "e", "f", "g"] {
        place.approve(&format!("{stranger}@stranger.test"));
    }
    place.approve(ALICE);
    let policy = place
        .policy()
        .replace(&format!("san = \"{ALICE}\""), r"san-regexp = '^al[a-z]+@example\.test$'")
        .replace(
            &format!("san = \"{WORKFLOW}\""),
            r"san-regexp = '^https://github\.com/acme/greeter/\.github/workflows/[a-z]+\.yml@refs/heads/main$'",
        );
    let verdict = place.judged(&policy, 0, &[]);
    // Strangers are named, and only so many of them.
    let statements = verdict["statements"].as_array().unwrap().iter();
    let strangers = statements
        .filter(|s| s["codes"][0] == "signer.not_expected")
        .count();
    assert!((1..=4).contains(&strangers), "{strangers}");
}

#[test]
fn case_57_a_policy_with_an_unanchored_pattern_is_not_used() {
    let place = Place::new();
    let policy = place
        .policy()
        .replace(&format!("san = \"{ALICE}\""), "san-regexp = 'alice@example.test'");
    let outcome = place
        .verify(&policy, &[])
        .refused(2, "identity.pattern_unanchored");
    assert!(outcome.stderr.contains("policy.toml:10"), "{}", outcome.stderr);
    let file = place.file("policy.toml");
    place
        .sandbox
        .touchmark(["policy", "check", &file, "--at", AT])
        .refused(2, "identity.pattern_unanchored");
    place.put("policy.toml", &place.policy());
    let summary = place
        .sandbox
        .touchmark(["policy", "check", &file, "--at", AT, "--format", "json"])
        .ok()
        .json();
    assert_valid(&summary);
    let identities = &summary["principals"][0]["identities"];
    assert!(identities[0].as_str().unwrap().starts_with(ALICE), "{identities}");
}

#[test]
fn case_62_64_66_67_what_the_run_was_decides() {
    type Change<'c> = &'c dyn Fn(&mut GithubRun);
    let changes: [(Change<'_>, &str); 4] = [
        (
            &|run| "pull_request_target".clone_into(&mut run.event),
            "identity.trigger",
        ),
        (
            &|run| "654321".clone_into(&mut run.repository_id),
            "identity.repository_id",
        ),
        (
            &|run| "self-hosted".clone_into(&mut run.runner),
            "identity.runner_environment",
        ),
        (&|run| run.sha = "f".repeat(40), "agreement.commit"),
    ];
    for (change, code) in changes {
        let mut place = Place::new();
        change(&mut place.run);
        place.attest();
        place.judged(
            &place.policy(),
            11,
            &[code, "accounted.residual", "policy.rule.a-person-reads-it"],
        );
    }
}

#[test]
fn case_130_roots_that_a_policy_names_come_from_the_verifier() {
    let place = Place::new();
    place.attest();
    place.approve(ALICE);
    let root = place.file("root.json");
    // Another name, none at all, and one that only the checkout offers.
    for flags in [&["--trusted-root", &format!("other={root}")][..], &[]] {
        let outcome = place.verify(&place.policy(), flags);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(
            outcome.stdout.contains("usage[trust.no_named_root]"),
            "{}",
            outcome.stdout
        );
    }
    fs::copy(&root, place.sandbox.repo().join("acme")).unwrap();
    fs::copy(&root, place.sandbox.repo().join("acme.json")).unwrap();
    assert_eq!(place.verify(&place.policy(), &[]).code, Some(2));
    // The verifier's own configuration names it.
    let home = place.sandbox.path("touchmark/config");
    fs::create_dir_all(&home).unwrap();
    fs::write(
        home.join("config.toml"),
        format!("trusted-roots = [\"acme={root}\"]\n"),
    )
    .unwrap();
    place.verify(&place.policy(), &[]).ok();
    // What is built in is found by its name, and did not make this.
    let public = place
        .policy()
        .replace("roots = [\"acme\"]", "roots = [\"sigstore-public-good\"]");
    let outcome = place.verify(&public, &["--format", "json"]);
    assert_eq!(outcome.code, Some(11), "{}", outcome.stdout);
    assert_eq!(
        outcome.json()["inputs"]["trustedRoots"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn a_quorum_that_a_policy_names_comes_from_the_verifier() {
    let place = Place::new();
    place.attest();
    place.approve(ALICE);
    let policy = place.policy().replace(
        "roots = [\"acme\"]",
        "roots = [\"acme\"]\nlog = { witnesses = \"quorum\" }",
    );
    place.judged(&policy, 2, &["trust.no_witness_policy"]);
    let root = format!("acme={}", place.file("root.json"));
    let none = place.put("none", "quorum none\n");
    let of = |name: &str, file: &str| {
        let witnesses = format!("{name}={file}");
        place.verify(
            &policy,
            &["--trusted-root", &root, "--witness-policy", &witnesses],
        )
    };
    of("quorum", &none).ok();
    assert_eq!(of("other", &none).code, Some(2));
    let malformed = place.put("malformed", "quorum nobody\n");
    assert_eq!(of("quorum", &malformed).code, Some(2));
    let home = place.sandbox.path("touchmark/config");
    fs::create_dir_all(&home).unwrap();
    fs::write(
        home.join("config.toml"),
        format!("witness-policies = [\"quorum={none}\"]\n"),
    )
    .unwrap();
    place.verify(&policy, &["--trusted-root", &root]).ok();
}
