//! Evidence signed with certificates: agent, people and CI have identities instead of keys. Tests break one thing.

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

#[test]
fn a_run_s_certificate_stands_for_the_agent() {
    let keyless = Keyless::good().attested();
    let verdict = keyless.judge();
    expect(&verdict, 0, &[]);
    assert!(not_checked(&verdict).contains(&"unclaimed.run_not_misused"));
    let agent = relied_on(&verdict, "agent-change");
    assert_eq!(agent.principal.as_deref(), Some("payments-fixer"));
    assert_eq!(
        agent.signer.as_deref(),
        Some(&*format!("{WORKFLOW} (issuer {GITHUB_ISSUER})"))
    );
    let vantage = |pointer: &str| {
        agent
            .claims
            .iter()
            .find(|claim| claim.pointer == pointer)
            .unwrap()
            .vantage
    };
    assert_eq!(vantage("/environment/run"), Vantage::Platform);
    // What the certificate does not say stays what it was.
    assert_eq!(vantage("/models/0"), Vantage::Hook);
    assert_eq!(verdict.encode(), keyless.judge().encode());
}

#[test]
fn keys_and_identities_stand_side_by_side() {
    let mut keyless = Keyless::good();
    let statement = keyless.agent_change();
    keyless.world.add_agent_change(AGENT, &statement);
    keyless.test();
    expect(&keyless.judge(), 0, &[]);
}

#[test]
fn case_61_another_issuer_is_somebody_else() {
    for issuer in [
        "https://token.actions.githubusercontent.com/",
        "https://token.actions.githubusercontent.com:443",
        "https://token.actions.githubusercontent.com/acme",
        "http://token.actions.githubusercontent.com",
        "https://TOKEN.actions.githubusercontent.com",
    ] {
        refused_with("signer.not_expected", |keyless| {
            let mut identity = keyless.run.identity();
            issuer.clone_into(&mut identity.issuer);
            (identity, keyless.agent_change())
        });
    }
}

#[test]
fn case_62_events_that_run_on_a_strangers_input_must_be_named() {
    for event in ["pull_request_target", "issue_comment", "workflow_run"] {
        let run = |keyless: &mut Keyless| {
            event.clone_into(&mut keyless.run.event);
            (keyless.run.identity(), keyless.agent_change())
        };
        refused_with("identity.trigger", run);
        let mut keyless = Keyless::good();
        let (identity, statement) = run(&mut keyless);
        keyless.world.edit_policy(
            "runner = \"hosted\"",
            &format!("runner = \"hosted\", triggers = [\"{event}\"]"),
        );
        keyless.add(identity, &statement);
        keyless.test();
        expect(&keyless.judge(), 0, &[]);
    }
}

#[test]
fn case_62_a_list_of_triggers_takes_no_other() {
    let mut keyless = Keyless::good().attested();
    keyless.world.edit_policy(
        "runner = \"hosted\"",
        "runner = \"hosted\", triggers = [\"schedule\"]",
    );
    expect(&keyless.judge(), 11, &["identity.trigger", "accounted.residual"]);
}

#[test]
fn case_64_a_name_that_somebody_took_over_has_another_id() {
    refused_with("identity.repository_id", |keyless| {
        "124".clone_into(&mut keyless.run.repository_id);
        (keyless.run.identity(), keyless.agent_change())
    });
    // The scope of the agent names it too.
    let mut keyless = Keyless::good();
    keyless
        .world
        .edit_policy("repository-id = \"123\", runner", "owner-id = \"7890\", runner");
    let scope = format!("repositories = [\"{URI}\"]");
    keyless.world.edit_policy(
        &scope,
        &format!("repositories = [{{ uri = \"{URI}\", id = \"123\" }}]"),
    );
    let mut keyless = keyless.attested();
    expect(&keyless.judge(), 0, &[]);
    keyless
        .world
        .edit_policy("id = \"123\" }], refs", "id = \"124\" }], refs");
    expect(&keyless.judge(), 12, &["agent.repository_id"]);
}

#[test]
fn case_65_a_new_style_subject_is_not_partly_an_old_style_one() {
    let mut keyless = Keyless::good().attested();
    let claim = |subject: &str| format!("runner = \"hosted\", claims = {{ subject = \"{subject}\" }}");
    let old = "repo:acme/app:ref:refs/heads/main";
    keyless.world.edit_policy("runner = \"hosted\"", &claim(old));
    expect(&keyless.judge(), 0, &[]);
    keyless.world.candidates.clear();
    let new = "repo:acme@7890/app@123:ref:refs/heads/main";
    keyless.run.subject = Some(new.to_owned());
    let mut keyless = keyless.attested();
    let verdict = keyless.judge();
    expect(&verdict, 11, &["identity.claim", "accounted.residual"]);
    let found = verdict.reasons()[0].found.clone().unwrap();
    assert!(found.contains(old) && found.contains(new), "{found}");
    keyless.world.edit_policy(&claim(old), &claim(new));
    expect(&keyless.judge(), 0, &[]);
}

#[test]
fn case_66_a_self_hosted_runner_where_a_hosted_one_is_required() {
    let self_hosted = |keyless: &mut Keyless| {
        "self-hosted".clone_into(&mut keyless.run.runner);
        (keyless.run.identity(), keyless.agent_change())
    };
    refused_with("identity.runner_environment", self_hosted);
    let mut keyless = Keyless::good();
    let (identity, statement) = self_hosted(&mut keyless);
    keyless
        .world
        .edit_policy("runner = \"hosted\"", "runner = \"self-hosted\"");
    keyless.add(identity, &statement);
    keyless.test();
    expect(&keyless.judge(), 0, &[]);
}

#[test]
fn case_67_the_run_was_at_another_commit_than_the_one_attested() {
    refused_with("agreement.commit", |keyless| {
        keyless.run.sha = "f".repeat(40);
        (keyless.run.identity(), keyless.agent_change())
    });
    // A run that began after the work was committed is at its commit, and on its ref.
    let mut keyless = Keyless::good();
    keyless.run.sha = keyless.world.change.head_commit.to_string();
    let statement = keyless.agent_change();
    let on = |git_ref: &str, keyless: &Keyless| {
        keyless
            .run
            .identity()
            .with_claim(14, git_ref)
            .with_claim(6, git_ref)
    };
    keyless.add(on("refs/heads/agent/fix", &keyless), &statement);
    keyless.test();
    expect(&keyless.judge(), 0, &[]);
    let mut keyless = Keyless::good();
    keyless.run.sha = keyless.world.change.head_commit.to_string();
    let statement = keyless.agent_change();
    keyless.add(on("refs/heads/main", &keyless), &statement);
    keyless.test();
    expect(&keyless.judge(), 11, &["agreement.ref", "accounted.residual"]);
}

#[test]
fn case_67_a_test_result_names_the_commit_that_its_run_was_at() {
    for (sha, exit, codes) in [
        (None, 0, &[][..]),
        (
            Some("f".repeat(40)),
            11,
            &["agreement.commit", "tests.missing"][..],
        ),
    ] {
        let mut keyless = Keyless::good();
        keyless.attest();
        let mut statement = keyless.world.test_statement("PASSED");
        let head = keyless.world.change.head_commit.to_string();
        let subjects = statement["subject"].as_array_mut().unwrap();
        subjects.push(json!({"name": "commit", "digest": {"gitCommit": head}}));
        keyless.ci.sha = sha.unwrap_or(head);
        keyless.add(keyless.ci.identity(), &statement);
        expect(&keyless.judge(), exit, codes);
    }
}

#[test]
fn case_74_a_key_is_no_identity_and_an_identity_no_key() {
    // Identities only: the key's bundle is nobody's.
    let mut keyless = Keyless::good();
    let key = format!("{{ key = \"{}\" }}, {{ issuer", fingerprint(AGENT));
    keyless.world.edit_policy(&key, "{ issuer");
    let statement = keyless.agent_change();
    keyless.world.add_agent_change(AGENT, &statement);
    keyless.test();
    expect(
        &keyless.judge(),
        11,
        &["signer.not_expected", "accounted.residual"],
    );
    // Keys only: the certificate's bundle is nobody's.
    let mut keyless = Keyless::good();
    keyless.attest();
    keyless.world.test_result("PASSED");
    keyless.world.policy = crate::world::policy();
    expect(
        &keyless.judge(),
        11,
        &["signer.certificate_not_expected", "accounted.residual"],
    );
}

#[test]
fn case_75_and_201_one_person_through_two_issuers_and_a_key_counts_once() {
    let mut keyless = Keyless::edits(
        InstanceOptions::default(),
        &[("infra/main.tf", Some("size = 2\n"))],
    )
    .attested();
    keyless
        .world
        .edit_policy("people = 2, teams = { security = 1 }", "people = 2");
    let review = keyless.world.review();
    keyless.add(email("alice", PERSON_ISSUER), &review);
    keyless.add(email("alice", OTHER_ISSUER), &review);
    keyless.world.add(ALICE, &review);
    let verdict = keyless.judge();
    expect(&verdict, 14, &["policy.rule.infra-two-humans"]);
    assert_eq!(verdict.accounted().rules[0].people, ["alice"]);
    keyless.add(email("frank", PERSON_ISSUER), &review);
    expect(&keyless.judge(), 0, &[]);
}

#[test]
fn an_approval_with_a_certificate_counts_only_where_its_issuer_asks_the_person() {
    let mut keyless = Keyless::edits(
        InstanceOptions::default(),
        &[("infra/main.tf", Some("size = 2\n"))],
    )
    .attested();
    keyless
        .world
        .edit_policy("people = 2, teams = { security = 1 }", "people = 1");
    let review = keyless.world.review();
    keyless.add(email("frank.home", OTHER_ISSUER), &review);
    let verdict = keyless.judge();
    expect(&verdict, 14, &["policy.rule.infra-two-humans"]);
    assert!(crate::world::findings(&verdict).contains(&"approval.file_key".to_owned()));
    keyless.add(email("frank", PERSON_ISSUER), &review);
    expect(&keyless.judge(), 0, &[]);
}

#[test]
fn case_200_a_run_that_a_policy_takes_for_a_person_approves_nothing() {
    let edits = &[("infra/main.tf", Some("size = 2\n"))];
    let mut keyless = Keyless::edits(InstanceOptions::default(), edits).attested();
    keyless
        .world
        .edit_policy("people = 2, teams = { security = 1 }", "people = 1");
    let bot = GithubRun {
        workflow_path: ".github/workflows/review.yml".to_owned(),
        ..keyless.run.clone()
    };
    keyless.world.policy.push_str(&format!(
        "\n[[person]]\nid = \"bot\"\nsigners = [{{ issuer = \"{GITHUB_ISSUER}\", san = \"{}\", presence = true }}]\n",
        bot.identity().san.text()
    ));
    let review = keyless.world.review();
    let before = keyless.world.candidates.len();
    let mut of_one_claim = bot.identity();
    // Old certificates name the repository and little else.
    of_one_claim.claims.retain(|(arc, _)| *arc == 5);
    for identity in [bot.identity(), of_one_claim] {
        keyless.world.candidates.truncate(before);
        keyless.add(identity, &review);
        let verdict = keyless.judge();
        expect(&verdict, 14, &["policy.rule.infra-two-humans"]);
        assert!(crate::world::findings(&verdict).contains(&"approval.file_key".to_owned()));
    }
}

#[test]
fn case_97_a_promise_alone_counts_only_where_the_policy_names_it() {
    let judged = |trust: &str| {
        let mut keyless = Keyless::good();
        let statement = keyless.agent_change();
        let payload = serde_json::to_vec(&statement).unwrap();
        let signing = Signing::keyless(keyless.run.identity())
            .log(LogKind::V1Dsse)
            .version(BundleVersion::V01);
        let mut signed = keyless.instance.sign_statement(&signing, &payload);
        signed.entry().as_object_mut().unwrap().remove("inclusionProof");
        let (source, bytes) = ("promised".to_owned(), signed.bytes());
        keyless.world.candidates.push(Candidate { source, bytes });
        keyless.test();
        keyless
            .world
            .edit_policy("roots = [\"acme\", \"sigstore\"]", trust);
        keyless.judge()
    };
    let roots = "roots = [\"acme\", \"sigstore\"]";
    for trust in [
        roots.to_owned(),
        format!("{roots}\nlog = {{ promise-only = \"deny\" }}"),
    ] {
        expect(&judged(&trust), 11, &["tlog.proof_missing", "accounted.residual"]);
    }
    let allowed = judged(&format!("{roots}\nlog = {{ promise-only = \"allow\" }}"));
    expect(&allowed, 0, &[]);
    let checks = &relied_on(&allowed, "agent-change").checks;
    assert!(
        checks
            .iter()
            .any(|check| check.name == "tlog.inclusion" && check.outcome != "pass")
    );
}

#[test]
fn whoever_s_certificate_signed_for_the_agent_does_not_approve() {
    let mut keyless = Keyless::edits(
        InstanceOptions::default(),
        &[("infra/main.tf", Some("size = 2\n"))],
    );
    keyless
        .world
        .edit_policy("people = 2, teams = { security = 1 }", "people = 1");
    // Erin has a mailbox of her own for the agent, which her approvals are not signed with.
    keyless.world.edit_policy(
        &format!("{{ issuer = \"{GITHUB_ISSUER}\", san = \"{WORKFLOW}\""),
        &format!(
            "{{ issuer = \"{OTHER_ISSUER}\", san-regexp = '^erin@agents\\.example$' }}, {{ issuer = \"{GITHUB_ISSUER}\", san = \"{WORKFLOW}\""
        ),
    );
    keyless.world.policy.push_str(&format!(
        "\n[[person]]\nid = \"erin-example\"\nemails = [\"erin@agents.example\"]\nsigners = [{{ issuer = \"{PERSON_ISSUER}\", \
         san-regexp = '^erin(\\+[a-z]+)?@acme\\.example$', presence = true }}]\n"
    ));
    let mut statement = keyless.world.agent_change();
    statement["predicate"]["trigger"] = json!({"kind": "human"});
    keyless.add(Identity::email("erin@agents.example", OTHER_ISSUER), &statement);
    keyless.test();
    let review = keyless.world.review();
    keyless.add(email("erin", PERSON_ISSUER), &review);
    let verdict = keyless.judge();
    expect(&verdict, 14, &["policy.rule.infra-two-humans"]);
    assert!(crate::world::findings(&verdict).contains(&"approval.author".to_owned()));
    // Somebody else may.
    keyless.add(email("alice", PERSON_ISSUER), &review);
    expect(&keyless.judge(), 0, &[]);
}

#[test]
fn a_reviewer_whose_certificate_has_the_author_s_address_does_not_approve() {
    let mut keyless = Keyless::edits(
        InstanceOptions::default(),
        &[("infra/main.tf", Some("size = 2\n"))],
    );
    keyless
        .world
        .propose_edits(&[], "Somebody <erin+laptop@acme.example>");
    keyless.ci.sha = keyless.world.change.head_commit.to_string();
    keyless
        .world
        .edit_policy("people = 2, teams = { security = 1 }", "people = 1");
    keyless.world.policy.push_str(&format!(
        "\n[[person]]\nid = \"e-example\"\nsigners = [{{ issuer = \"{PERSON_ISSUER}\", san-regexp = \
         '^erin(\\+[a-z]+)?@acme\\.example$', presence = true }}]\n"
    ));
    let mut keyless = keyless.attested();
    let review = keyless.world.review();
    keyless.add(email("erin+laptop", PERSON_ISSUER), &review);
    let verdict = keyless.judge();
    expect(&verdict, 14, &["policy.rule.infra-two-humans"]);
    assert!(crate::world::findings(&verdict).contains(&"approval.author".to_owned()));
}

#[test]
fn case_102_a_log_counts_for_the_operator_that_the_root_lists() {
    // One operator runs both logs of the instance.
    let keyless = Keyless::good().attested();
    let asked = |operators: &str, edit: &dyn Fn(&mut Keyless)| {
        let mut keyless = Keyless::good().attested();
        keyless.world.edit_policy(
            "roots = [\"acme\", \"sigstore\"]",
            &format!("roots = [\"acme\", \"sigstore\"]\nlog = {{ operators = {operators} }}"),
        );
        edit(&mut keyless);
        keyless.judge()
    };
    expect(&keyless.judge(), 0, &[]);
    expect(
        &asked("2", &|_| {}),
        10,
        &["accounted.residual", "tests.missing", "tlog.too_few_operators"],
    );
    // A log that the agent's owner runs is the signer's own.
    let own = |keyless: &mut Keyless| {
        keyless
            .world
            .edit_policy("owner = \"team-payments\"", "owner = \"guild.example.test\"")
    };
    expect(
        &asked("1", &own),
        10,
        &["accounted.residual", "tlog.self_operated"],
    );
}

#[test]
fn a_log_whose_operator_nobody_names_is_the_signer_s_own() {
    let mut keyless = Keyless::good().attested();
    let judged = |keyless: &Keyless, operator: Option<&str>| {
        let mut root = keyless.instance.trusted_root_value();
        for log in root["tlogs"].as_array_mut().unwrap() {
            log.as_object_mut().unwrap().remove("operator");
        }
        let root = TrustedRoot::parse(root.to_string().as_bytes()).unwrap();
        let root = match operator {
            Some(operator) => root.with_log_operator(operator),
            None => root,
        };
        keyless.judge_trusting(&[], &root)
    };
    let unsaid = ["accounted.residual", "tests.missing", "tlog.self_operated"];
    expect(&judged(&keyless, None), 10, &unsaid);
    expect(&judged(&keyless, Some("guild.example.test")), 0, &[]);
    let roots = "roots = [\"acme\", \"sigstore\"]";
    keyless
        .world
        .edit_policy(roots, &format!("{roots}\nlog = {{ self = \"allow\" }}"));
    expect(&judged(&keyless, None), 0, &[]);
}

#[test]
fn case_115_an_identity_has_its_window() {
    let window = |from: &str, until: &str| {
        let mut keyless = Keyless::good().attested();
        let times = format!("runner = \"hosted\", from = {from}, until = {until}");
        keyless.world.edit_policy("runner = \"hosted\"", &times);
        keyless.judge()
    };
    expect(&window("2026-02-25", "2026-02-25"), 0, &[]);
    for (from, until) in [("2026-02-26", "2026-12-31"), ("2026-01-01", "2026-02-24")] {
        expect(
            &window(from, until),
            11,
            &["signer.outside_window", "accounted.residual"],
        );
    }
}

#[test]
fn case_116_work_does_not_begin_after_it_was_signed() {
    let begin = |seconds: i64| Timestamp::from_unix(SIGNED_AT + seconds).unwrap();
    let mut keyless = Keyless::good();
    let mut statement = keyless.agent_change();
    statement["predicate"]["run"]["startedAt"] = json!(begin(-60));
    keyless.add(keyless.run.identity(), &statement);
    keyless.test();
    expect(&keyless.judge(), 0, &[]);
    refused_with("agreement.time", |keyless| {
        let mut statement = keyless.agent_change();
        statement["predicate"]["run"]["startedAt"] = json!(begin(60));
        (keyless.run.identity(), statement)
    });
}

#[test]
fn case_116_an_approval_from_before_the_change_was_shown_nothing() {
    let mut keyless = Keyless::edits(
        InstanceOptions::default(),
        &[("infra/main.tf", Some("size = 2\n"))],
    );
    keyless
        .world
        .edit_policy("people = 2, teams = { security = 1 }", "people = 1");
    let early = keyless.world.review();
    let mut keyless = keyless.attested();
    keyless.add(email("alice", PERSON_ISSUER), &early);
    expect(
        &keyless.judge(),
        11,
        &["approval.evidence_incomplete", "policy.rule.infra-two-humans"],
    );
}

#[test]
fn case_117_a_verifier_whose_clock_is_a_year_off_says_the_same_of_old_bundles() {
    let mut keyless = Keyless::good().attested();
    keyless
        .world
        .edit_policy("expires = 2027-06-30", "expires = 2099-06-30");
    let expected = keyless.judge();
    expect(&expected, 0, &[]);
    for days in [-200, 365, 20 * 365] {
        keyless.world.at = crate::world::at(days * 86_400);
        let verdict = keyless.judge();
        assert_eq!(verdict.decision(), expected.decision(), "{days}");
        assert_eq!(verdict.statements(), expected.statements(), "{days}");
    }
}

#[test]
fn case_146_what_the_statement_says_of_its_run_must_be_what_the_certificate_says() {
    let change = |path: &[&str], value: Value| {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        move |keyless: &mut Keyless| {
            let mut statement = keyless.agent_change();
            let mut place = &mut statement["predicate"];
            for part in &path {
                place = &mut place[part.as_str()];
            }
            *place = value;
            (keyless.run.identity(), statement)
        }
    };
    let other = "https://github.com/acme/app/actions/runs/4712/attempts/1";
    refused_with("agreement.run", change(&["environment", "run"], json!(other)));
    refused_with(
        "agreement.repository_id",
        change(&["change", "repository", "id"], json!("124")),
    );
    refused_with(
        "agreement.trigger",
        change(&["trigger", "kind"], json!("schedule")),
    );
    refused_with("agreement.repository", |keyless| {
        let mut statement = keyless.agent_change();
        statement["predicate"]["change"]["repository"]["uri"] = json!("https://github.com/acme/other");
        (keyless.run.identity(), statement)
    });
}

#[test]
fn case_146_another_actor_than_the_one_certified() {
    let mut keyless = Keyless::good();
    keyless.world.edit_policy(
        &format!("{{ issuer = \"{GITHUB_ISSUER}\", san = \"{WORKFLOW}\""),
        &format!(
            "{{ issuer = \"{PERSON_ISSUER}\", san = \"fixer@acme.example\" }}, {{ issuer = \"{GITHUB_ISSUER}\", san = \"{WORKFLOW}\""
        ),
    );
    for (actor, exit, codes) in [
        ("fixer@acme.example", 0, &[][..]),
        (
            "mallory@acme.example",
            11,
            &["agreement.actor", "accounted.residual"][..],
        ),
    ] {
        keyless.world.candidates.clear();
        let mut statement = keyless.world.agent_change();
        statement["predicate"]["trigger"] = json!({"kind": "human", "principal": actor});
        keyless.add(email("fixer", PERSON_ISSUER), &statement);
        keyless.test();
        expect(&keyless.judge(), exit, codes);
    }
}

#[test]
fn case_147_a_run_in_a_fork_counts_only_where_the_scope_says_so() {
    let fork = |keyless: &mut Keyless| {
        let own = keyless.run.clone();
        "mallory/app".clone_into(&mut keyless.run.repository);
        "666".clone_into(&mut keyless.run.repository_id);
        // The shared workflow is the same: its name says nothing of where it ran.
        let identity = keyless.run.identity().with_san(San::Uri(WORKFLOW.to_owned()));
        let mut statement = keyless.agent_change();
        statement["predicate"]["change"]["repository"]["id"] = json!(own.repository_id);
        (identity, statement)
    };
    refused_with("identity.repository_id", fork);
    let without_id = |keyless: &mut Keyless| {
        let (from, to) = ("repository-id = \"123\", runner", "runner");
        keyless.world.edit_policy(from, to);
        fork(keyless)
    };
    refused_with("identity.other_repository", without_id);
    // Old certificates have other claims, which say the same.
    refused_with("identity.other_repository", |keyless| {
        let (mut identity, statement) = without_id(keyless);
        keyless.world.edit_policy(", runner = \"hosted\"", "");
        identity.claims.retain(|(arc, _)| *arc <= 6);
        (identity, statement)
    });
    let mut keyless = Keyless::good();
    let (identity, statement) = without_id(&mut keyless);
    keyless.world.edit_policy(
        &format!("repositories = [\"{URI}\"]"),
        &format!("repositories = [{{ uri = \"{URI}\", forks = true }}]"),
    );
    keyless.add(identity, &statement);
    keyless.test();
    let verdict = keyless.judge();
    expect(&verdict, 0, &[]);
    assert!(not_checked(&verdict).contains(&"unchecked.run_repository"));
}

#[test]
fn case_147_a_statement_about_another_repository_with_the_same_commit() {
    let mut keyless = Keyless::good();
    "acme/other".clone_into(&mut keyless.run.repository);
    let mut statement = keyless.agent_change();
    statement["predicate"]["change"]["repository"]["uri"] = json!("https://github.com/acme/other");
    // The policy names the other repository, so the run may have been there; the change is still another one.
    let identity = keyless.run.identity().with_san(San::Uri(WORKFLOW.to_owned()));
    keyless.add(identity, &statement);
    keyless.test();
    expect(
        &keyless.judge(),
        11,
        &["binding.repository_mismatch", "accounted.residual"],
    );
}

#[test]
fn case_189_refs_of_a_signer_are_patterns_of_the_one_dialect() {
    let refs = |pattern: &str| {
        let mut keyless = Keyless::good().attested();
        let refs = format!("runner = \"hosted\", refs = [\"{pattern}\"]");
        keyless.world.edit_policy("runner = \"hosted\"", &refs);
        keyless.judge()
    };
    for pattern in ["refs/heads/main", "refs/heads/*", "refs/**", "**/ma?n"] {
        expect(&refs(pattern), 0, &[]);
    }
    for pattern in ["refs/heads/mai", "refs/*", "refs/tags/**", "refs/heads/main/*"] {
        expect(&refs(pattern), 11, &["identity.claim", "accounted.residual"]);
    }
}

#[test]
fn signed_times_count_by_operator() {
    let asked = |operators: u8, authorities: &[(usize, i64)]| {
        let options = InstanceOptions {
            timestamp_authorities: 2,
            ..InstanceOptions::default()
        };
        let mut keyless = Keyless::with(options);
        let statement = keyless.agent_change();
        let signing = Signing::keyless(keyless.run.identity()).timestamps(authorities);
        keyless.add_signed(&signing, &statement);
        keyless.world.test_result("PASSED");
        keyless.world.edit_policy("\"tests\"]", "\"accounted\"]");
        let trust = format!("roots = [\"acme\", \"sigstore\"]\ntimestamps = {{ operators = {operators} }}");
        keyless
            .world
            .edit_policy("roots = [\"acme\", \"sigstore\"]", &trust);
        keyless.judge()
    };
    let (first, second) = ((0, SIGNED_AT + 2), (1, SIGNED_AT + 3));
    expect(&asked(1, &[first]), 0, &[]);
    expect(&asked(2, &[first, second]), 0, &[]);
    for authorities in [&[first][..], &[first, (0, SIGNED_AT + 4)]] {
        expect(
            &asked(2, authorities),
            11,
            &["time.too_few_operators", "accounted.residual"],
        );
    }
}

#[test]
fn a_quorum_of_witnesses_is_named_by_the_policy_and_known_to_the_verifier() {
    let mut keyless = Keyless::good().attested();
    keyless.world.edit_policy(
        "roots = [\"acme\", \"sigstore\"]",
        "roots = [\"acme\", \"sigstore\"]\nlog = { witnesses = \"quorum\" }",
    );
    expect(&keyless.judge(), 2, &["trust.no_witness_policy"]);
    let none = WitnessPolicy::parse(b"quorum none\n").unwrap();
    let other = [NamedWitnessPolicy {
        name: "other",
        policy: &none,
        digest: touchmark_statement::digest::Sha256Digest::of(b""),
    }];
    expect(&keyless.judge_with(&other), 2, &["trust.no_witness_policy"]);
    let named = [NamedWitnessPolicy {
        name: "quorum",
        policy: &none,
        digest: touchmark_statement::digest::Sha256Digest::of(b""),
    }];
    expect(&keyless.judge_with(&named), 0, &[]);
}

#[test]
fn the_log_that_witnesses_saw_is_the_one_that_must_not_be_the_signer_s_own() {
    let mut keyless = Keyless::with(InstanceOptions {
        witnesses: 1,
        ..InstanceOptions::default()
    })
    .attested();
    keyless.world.edit_policy(
        "roots = [\"acme\", \"sigstore\"]",
        "roots = [\"acme\", \"sigstore\"]\nlog = { witnesses = \"quorum\" }",
    );
    // The agent change is in both logs, and witnesses saw only one of them.
    let bundle = &mut keyless.world.candidates[0];
    let mut json: Value = serde_json::from_slice(&bundle.bytes).unwrap();
    let parsed = Bundle::parse(&bundle.bytes).unwrap();
    let (envelope, VerificationMaterial::Certificate(leaf)) = (parsed.envelope().unwrap(), &parsed.material)
    else {
        panic!("a certificate signed");
    };
    let submitted = json["dsseEnvelope"].to_string();
    let verifier = Verifier::Certificate(leaf.clone());
    let body = dsse_body(&submitted, &envelope.payload, &envelope.signature, &verifier);
    let entry = keyless.instance.rekor_v1().add(body, SIGNED_AT);
    json["verificationMaterial"]["tlogEntries"]
        .as_array_mut()
        .unwrap()
        .push(entry);
    bundle.bytes = json.to_string().into_bytes();
    let witness = keyless.instance.rekor_v2().witnesses[0].verifier_key();
    let quorum = WitnessPolicy::parse(format!("witness w {witness}\nquorum w\n").as_bytes()).unwrap();
    let named = [NamedWitnessPolicy {
        name: "quorum",
        policy: &quorum,
        digest: touchmark_statement::digest::Sha256Digest::of(b""),
    }];
    let operated_by = |first: &str, second: &str| {
        let mut root = keyless.instance.trusted_root_value();
        root["tlogs"][0]["operator"] = json!(first);
        root["tlogs"][1]["operator"] = json!(second);
        let root = TrustedRoot::parse(root.to_string().as_bytes()).unwrap();
        keyless.judge_trusting(&named, &root)
    };
    expect(&operated_by("guild.example.test", "guild.example.test"), 0, &[]);
    expect(&operated_by("team-payments", "guild.example.test"), 0, &[]);
    expect(
        &operated_by("guild.example.test", "team-payments"),
        10,
        &["accounted.residual", "tlog.self_operated"],
    );
}

#[test]
fn strangers_certificates_neither_help_nor_harm() {
    let mut keyless = Keyless::good().attested();
    for stranger in [
        GithubRun::default().identity(),
        email("mallory", PERSON_ISSUER),
        keyless.run.identity().with_san(San::Uri(format!("{WORKFLOW}x"))),
    ] {
        let statement = keyless.agent_change();
        keyless.add(stranger, &statement);
    }
    let verdict = keyless.judge();
    expect(&verdict, 0, &[]);
    let codes = verdict.statements().iter().flat_map(|statement| &statement.codes);
    assert_eq!(codes.filter(|code| *code == "signer.not_expected").count(), 3);
}
