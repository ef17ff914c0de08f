//! Evidence signed with certificates: agent, people and CI have identities instead of keys. Tests break one thing.

mod logs;
mod people;
mod runs;

use serde_json::{Value, json};
use touchmark_policy::verdict::{StatementFinding, Vantage};
use touchmark_policy::{
    Candidate, JudgeRequest, NamedRoot, NamedWitnessPolicy, Policy, PolicyInForce, Verdict, judge,
};
use touchmark_statement::timestamp::Timestamp;
use touchmark_testkit::sigstore::rekor_v1::dsse_body;
use touchmark_testkit::sigstore::rekor_v2::Verifier;
use touchmark_testkit::sigstore::{
    BundleVersion, GITHUB_ISSUER, GithubRun, Identity, Instance, InstanceOptions, LogKind, PERSON_ISSUER,
    SIGNED_AT, San, Signing,
};
use touchmark_tlog::witness_policy::WitnessPolicy;
use touchmark_verify::bundle::{Bundle, VerificationMaterial};
use touchmark_verify::trust::TrustedRoot;

use crate::world::{AGENT, ALICE, BOT, CI, URI, World, expect, fingerprint};

const WORKFLOW: &str = "https://github.com/acme/app/.github/workflows/agent.yml@refs/heads/main";
const CI_WORKFLOW: &str = "https://github.com/acme/app/.github/workflows/ci.yml@refs/heads/main";
const OTHER_ISSUER: &str = "https://login.example.test";

/// A world whose evidence is signed with certificates of one instance.
struct Keyless {
    world: World,
    instance: Instance,
    /// What the agent's run says of itself.
    run: GithubRun,
    ci: GithubRun,
}

/// What the statements say of the run, as `attest` in that run writes it.
fn of_run(statement: &mut Value, run: &GithubRun) {
    let predicate = &mut statement["predicate"];
    predicate["environment"] = json!({
        "kind": "ci",
        "run": format!("https://github.com/{}/actions/runs/{}/attempts/1", run.repository, run.run_id),
    });
    predicate["trigger"] = json!({"kind": "human", "principal": "octocat"});
    predicate["change"]["repository"]["id"] = json!(run.repository_id);
}

impl Keyless {
    /// An agent's run in CI changed `src/lib.rs`, and tests passed in CI.
    fn good() -> Self {
        Self::with(InstanceOptions::default())
    }

    fn with(options: InstanceOptions) -> Self {
        Self::edits(options, &[("src/lib.rs", Some("fn fixed() {}\n"))])
    }

    fn edits(options: InstanceOptions, edits: &[(&str, Option<&str>)]) -> Self {
        let mut world = World::empty();
        let tree = world.git.edit(&world.change.base_tree.clone(), edits);
        world.propose(&tree, BOT);
        world.policy = policy(&world.policy);
        let run = GithubRun {
            repository: "acme/app".to_owned(),
            repository_id: "123".to_owned(),
            sha: world.change.base_commit.to_string(),
            ..GithubRun::default()
        };
        let ci = GithubRun {
            workflow_path: ".github/workflows/ci.yml".to_owned(),
            workflow: "ci".to_owned(),
            event: "push".to_owned(),
            sha: world.change.head_commit.to_string(),
            ..run.clone()
        };
        Self {
            world,
            instance: Instance::new(7, options),
            run,
            ci,
        }
    }

    fn agent_change(&self) -> Value {
        let mut statement = self.world.agent_change();
        of_run(&mut statement, &self.run);
        statement
    }

    /// Signs a statement with a certificate for an identity and adds it.
    fn add(&mut self, identity: Identity, statement: &Value) {
        self.add_signed(&Signing::keyless(identity), statement);
    }

    fn add_signed(&mut self, signing: &Signing, statement: &Value) {
        let payload = serde_json::to_vec(statement).unwrap();
        let signed = self.instance.sign_statement(signing, &payload);
        let source = format!("keyless {:03}", self.world.candidates.len());
        let bytes = signed.bytes();
        self.world.candidates.push(Candidate { source, bytes });
        if statement["predicateType"] == "https://touchmark.dev/agent-change/v1" {
            let digest = touchmark_statement::digest::Sha256Digest::of(&payload);
            self.world.shown.push(digest);
        }
    }

    /// Adds the agent change and the test result as they should be.
    fn attested(mut self) -> Self {
        self.attest();
        self.test();
        self
    }

    fn attest(&mut self) {
        let statement = self.agent_change();
        self.add(self.run.identity(), &statement);
    }

    fn test(&mut self) {
        let statement = self.world.test_statement("PASSED");
        self.add(self.ci.identity(), &statement);
    }

    fn judge(&self) -> Verdict {
        self.judge_with(&[])
    }

    fn judge_with(&self, witness_policies: &[NamedWitnessPolicy<'_>]) -> Verdict {
        self.judge_trusting(witness_policies, &self.instance.trusted_root())
    }

    fn judge_trusting(&self, witness_policies: &[NamedWitnessPolicy<'_>], sigstore: &TrustedRoot) -> Verdict {
        let world = &self.world;
        let policy =
            Policy::load(world.policy.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{}", world.policy));
        let own = world.log.root();
        judge(&JudgeRequest {
            change: &world.change,
            candidates: &world.candidates,
            git: &world.git,
            trusted_roots: &[
                NamedRoot {
                    name: "acme",
                    root: &own,
                },
                NamedRoot {
                    name: "sigstore",
                    root: sigstore,
                },
            ],
            witness_policies,
            remembered: None,
            policies: &[PolicyInForce {
                name: ".touchmark/policy.toml",
                policy: &policy,
                serial_floor: Some(7),
            }],
            keys: &world.keys,
            at: world.at,
            forge_author: world.forge_author.as_deref(),
            tool: "touchmark 0.1.0",
        })
    }
}

/// The policy of the key world with identities beside the keys.
fn policy(keys: &str) -> String {
    let agent = format!(
        "{{ issuer = \"{GITHUB_ISSUER}\", san = \"{WORKFLOW}\", repository-id = \"123\", runner = \"hosted\" }}"
    );
    let ci = format!("{{ issuer = \"{GITHUB_ISSUER}\", san = \"{CI_WORKFLOW}\", repository-id = \"123\" }}");
    let person = |issuer: &str, name: &str, more: &str| {
        format!("{{ issuer = \"{issuer}\", san = \"{name}@acme.example\"{more} }}")
    };
    let presence = ", presence = true";
    let mut policy = keys.replace("roots = [\"acme\"]", "roots = [\"acme\", \"sigstore\"]");
    let replace = |policy: &mut String, from: String, to: String| {
        assert_eq!(policy.matches(&from).count(), 1, "{from}");
        *policy = policy.replace(&from, &to);
    };
    replace(
        &mut policy,
        format!("{{ key = \"{}\" }}]\nproducts", fingerprint(AGENT)),
        format!("{{ key = \"{}\" }}, {agent}]\nproducts", fingerprint(AGENT)),
    );
    replace(
        &mut policy,
        format!("{{ key = \"{}\" }}]\nmay", fingerprint(CI)),
        format!("{{ key = \"{}\" }}, {ci}]\nmay", fingerprint(CI)),
    );
    let alice = format!("{{ key = \"{}\", presence = true }}, ", fingerprint(ALICE));
    replace(
        &mut policy,
        alice.clone(),
        format!(
            "{alice}{}, {}, ",
            person(PERSON_ISSUER, "alice", presence),
            person(OTHER_ISSUER, "alice", presence)
        ),
    );
    policy.push_str(&format!(
        "\n[[person]]\nid = \"frank\"\nteams = [\"platform\"]\nsigners = [{}, {}]\n",
        person(PERSON_ISSUER, "frank", presence),
        person(OTHER_ISSUER, "frank.home", "")
    ));
    policy
}

fn email(name: &str, issuer: &str) -> Identity {
    Identity::email(&format!("{name}@acme.example"), issuer)
}

fn not_checked(verdict: &Verdict) -> Vec<&str> {
    verdict
        .not_checked()
        .iter()
        .map(|entry| entry.code.as_str())
        .collect()
}

fn relied_on<'v>(verdict: &'v Verdict, predicate: &str) -> &'v StatementFinding {
    let mut statements = verdict.statements().iter();
    statements
        .find(|statement| {
            statement
                .predicate_type
                .as_deref()
                .is_some_and(|found| found.contains(predicate))
        })
        .unwrap()
}

/// Changes the agent's run or statement, and expects this answer beside the lack that follows.
#[track_caller]
fn refused_with(code: &str, change: impl FnOnce(&mut Keyless) -> (Identity, Value)) {
    let mut keyless = Keyless::good();
    let (identity, statement) = change(&mut keyless);
    keyless.add(identity, &statement);
    keyless.test();
    expect(&keyless.judge(), 11, &[code, "accounted.residual"]);
}
