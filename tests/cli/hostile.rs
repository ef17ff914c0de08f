//! What an attacker can do around `touchmark verify`: the checkout, its git data, the environment, the evidence refs.

use std::fs;

use serde_json::json;

use crate::common::world::{RULE, SESSION, set_aside_codes, verdict_of};
use crate::common::{AT, Outcome, World};

#[test]
fn case_130_what_the_checkout_offers_has_no_effect() {
    let world = World::attested();
    let before = world.judged(&[], 14, &[RULE]);
    // A loosened policy, a root, keys and a bundle in the work tree, not committed.
    let loose = world.policy().replace("people = 1", "people = 0");
    world.write(".touchmark/policy.toml", &loose);
    world.write("policy.toml", &loose);
    for name in [
        "trusted_root.json",
        ".touchmark/trusted_root.json",
        ".touchmark/root.json",
    ] {
        world.write(name, fs::read(world.path("root.json")).unwrap());
    }
    world.write(
        ".touchmark/keys/alice.pub",
        fs::read(world.public_key("stranger")).unwrap(),
    );
    assert_eq!(world.judged(&[], 14, &[RULE]), before);
    for line in [
        "trusted-roots = [\"root=root.json\"]",
        "policies = [\"policy.toml\"]",
    ] {
        world.write(".touchmark/config.toml", format!("{line}\n"));
        world
            .verify(&["main..HEAD"])
            .refused(2, "config.trust_in_project");
    }
}

#[test]
fn case_130_a_committed_policy_does_not_judge_its_own_change() {
    let world = World::attested();
    let loose = world
        .policy()
        .replace("people = 1", "people = 0")
        .replace("serial = 1", "serial = 2");
    world.write(".touchmark/policy.toml", loose);
    world.commit("simplify");
    world.attest_with(&[]);
    let verdict = world.judged(
        &[],
        12,
        &[
            "agent.path",
            "agent.policy_path",
            "policy.not_alone",
            "policy.admin_approval",
            RULE,
            "lineage.attribution",
            "lineage.undeclared",
        ],
    );
    assert_eq!(verdict["inputs"]["policies"][0]["serial"], 1);
}

#[test]
fn case_131_the_environment_cannot_switch_trust() {
    let world = World::attested();
    let own = [
        "verify",
        "main..HEAD",
        "--at",
        AT,
        "--format",
        "json",
        "--trusted-root",
        &world.file("root.json"),
    ];
    let before = world.touchmark(own);
    fs::write(
        world.path("loose.toml"),
        world.policy().replace("people = 1", "people = 0"),
    )
    .unwrap();
    for (name, value) in [
        ("TOUCHMARK_POLICY", world.file("loose.toml")),
        ("TOUCHMARK_TRUSTED_ROOT", world.file("other.json")),
        ("TOUCHMARK_TRUSTED_ROOTS", world.file("other.json")),
        ("TOUCHMARK_LOG_URL", "http://127.0.0.1:9".to_owned()),
        ("SIGSTORE_ROOT_FILE", world.file("other.json")),
        ("SIGSTORE_REKOR_PUBLIC_KEY", world.public_key("stranger")),
    ] {
        let mut command = world.command(own);
        command.env(name, value);
        let outcome = Outcome::of(command.output().unwrap());
        assert!(
            outcome.stderr.contains(&format!("{name} is ignored")),
            "{}",
            outcome.stderr
        );
        assert_eq!(
            (outcome.code, &outcome.stdout),
            (Some(14), &before.stdout),
            "{name}"
        );
    }
}

#[test]
fn case_131_configuration_found_through_the_environment_adds_policies_and_replaces_none() {
    let world = World::attested();
    let folder = world.path("touchmark/config");
    fs::create_dir_all(&folder).unwrap();
    let loose = world
        .policy()
        .replace("paths = [\"**\"]", "paths = [\"nowhere/**\"]");
    assert_ne!(loose, world.policy());
    fs::write(folder.join("loose.toml"), loose).unwrap();
    fs::write(folder.join("config.toml"), "policies = [\"loose.toml\"]\n").unwrap();
    let verdict = world.judged(&[], 14, &[RULE]);
    assert_eq!(verdict["inputs"]["policies"].as_array().unwrap().len(), 2);
    // Whoever asks may still name the one that judges.
    let loose = folder.join("loose.toml");
    world.judged(&["--policy", loose.to_str().unwrap()], 0, &[]);
}

#[test]
fn case_142_other_evidence_does_not_stand_in_for_the_type_that_is_required() {
    let world = World::unattested();
    for number in 0..10 {
        world.approve_as("alice", &["--reason", &format!("reading number {number}")]);
    }
    let verdict = world.judged(&[], 10, &["accounted.residual", RULE]);
    assert_eq!(verdict["statements"].as_array().unwrap().len(), 10);

    let world = World::under(|policy| policy.replace("[\"accounted\"]", "[\"accounted\", \"tests\"]"));
    world.attest_with(&[]);
    world.approve_as("alice", &[]);
    world.judged(&[], 10, &["tests.missing"]);
}

#[test]
fn case_147_evidence_of_another_repository_with_the_same_commit_is_refused() {
    let world = World::unattested();
    world.git([
        "remote",
        "set-url",
        "origin",
        "https://git.example/mallory/greeter.git",
    ]);
    world.attest_with(&[]);
    world.approve_as("alice", &[]);
    world.git([
        "remote",
        "set-url",
        "origin",
        "https://git.example/acme/greeter.git",
    ]);
    let verdict = world.judged(
        &[],
        11,
        &[
            "approval.not_bound",
            "binding.repository_mismatch",
            "accounted.residual",
            RULE,
        ],
    );
    assert!(set_aside_codes(&verdict).contains(&"binding.repository_mismatch".to_owned()));
}

#[test]
fn case_159_a_replace_ref_on_the_verified_commit_is_refused() {
    let world = World::approved();
    let (head, base) = (world.id("HEAD"), world.id("main"));
    world.git(["replace", &head, &base]);
    world.verify(&["main..HEAD"]).refused(11, "git.replaced");
}

#[test]
fn case_160_a_shallow_clone_and_a_grafts_file_are_never_the_whole_history() {
    let world = World::approved();
    world.write("src/more.rs", "pub fn more() {}\n");
    world.commit("more");
    world.git([
        "clone",
        "--quiet",
        "--depth",
        "1",
        "--no-local",
        "--branch",
        "agent/greeting",
        ".",
        "../shallow",
    ]);
    let shallow = world.path("shallow");
    world.git_in(
        &shallow,
        ["fetch", "--quiet", "--depth", "1", "origin", "main:main"],
    );
    let root = world.file("root.json");
    let ask = |folder: &str| {
        world.touchmark([
            "-C",
            folder,
            "verify",
            "main..HEAD",
            "--trusted-root",
            &root,
            "--at",
            AT,
        ])
    };
    ask(shallow.to_str().unwrap()).refused(1, "git.shallow");

    let world = World::approved();
    fs::create_dir_all(world.repo().join(".git/info")).unwrap();
    fs::write(
        world.repo().join(".git/info/grafts"),
        format!("{}\n", world.id("HEAD")),
    )
    .unwrap();
    world.verify(&["main..HEAD"]).refused(1, "git.grafted");
}

#[test]
fn case_164_variables_of_git_do_not_choose_the_repository() {
    let world = World::approved();
    let before = world.verify(&["main..HEAD", "--format", "json"]).ok().stdout;
    let decoy = World::unattested();
    let mut command = world.command([
        "verify",
        "main..HEAD",
        "--at",
        AT,
        "--format",
        "json",
        "--trusted-root",
    ]);
    command.arg(world.path("root.json"));
    command.env("GIT_DIR", decoy.repo().join(".git"));
    command.env("GIT_WORK_TREE", decoy.repo());
    command.env("GIT_OBJECT_DIRECTORY", decoy.repo().join(".git/objects"));
    command.env("GIT_INDEX_FILE", "/dev/null");
    command
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "core.hooksPath");
    command.env("GIT_CONFIG_VALUE_0", "/tmp");
    let outcome = Outcome::of(command.output().unwrap()).ok();
    assert_eq!(outcome.stdout, before);
}

#[test]
fn case_170_a_name_that_could_mean_two_things_is_refused() {
    let world = World::approved();
    world.git(["tag", "main", "HEAD"]);
    world.verify(&["main..HEAD"]).refused(2, "git.revision_ambiguous");
    world.asked(&["HEAD", "--target", "refs/heads/main"], 0, &[]);
    world.git(["tag", "--delete", "main"]);
    let head = world.id("HEAD");
    world.git(["tag", &head[..7], "main"]);
    let outcome = world.verify(&[&head[..7], "--target", "refs/heads/main"]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    world.git(["update-ref", "refs/heads/refs/heads/main", "HEAD"]);
    world.asked(&["HEAD", "--target", "refs/heads/main"], 0, &[]);
}

#[test]
fn case_174_evidence_filed_under_another_commit_does_not_speak_for_it() {
    let world = World::approved();
    let head = world.id("HEAD");
    let about_a = world.id(&format!("refs/touchmark/commit/{}/{head}", &head[..2]));
    world.write("src/lib.rs", "pub fn greet() { evil() }\n");
    let b = world.commit("evil");
    let tree = world.id("HEAD^{tree}");
    world.git([
        "update-ref",
        &format!("refs/touchmark/commit/{}/{b}", &b[..2]),
        &about_a,
    ]);
    world.git([
        "update-ref",
        &format!("refs/touchmark/tree/{}/{tree}", &tree[..2]),
        &about_a,
    ]);
    let verdict = world.judged(&[], 11, &["approval.not_bound", "accounted.residual", RULE]);
    assert_eq!(verdict["accounted"]["commitsWithoutStatement"], json!([b]));
}

#[test]
fn case_176_a_commit_without_a_statement_is_named() {
    let world = World::approved();
    world.write("src/extra.rs", "pub fn backdoor() {}\n");
    let extra = world.commit("small fix");
    let verdict = world.judged(&[], 11, &["approval.not_bound", "accounted.residual", RULE]);
    assert_eq!(verdict["accounted"]["commitsWithoutStatement"], json!([extra]));
}

#[test]
fn case_182_evidence_that_was_removed_is_missed_and_the_log_still_has_it() {
    let world = World::approved();
    let passed = world.judged(&[], 0, &[]);
    world.drop_evidence();
    let verdict = world.judged(&[], 10, &["accounted.residual", RULE]);
    // The earlier verdict names what was relied on, and the log proves that it existed.
    assert_eq!(passed["inputs"]["evidence"].as_array().unwrap().len(), 2);
    assert_eq!(verdict["inputs"]["evidence"], json!([]));
    let check = world.touchmark(["log", "check", "--format", "json"]).ok().json();
    assert_eq!(check["entries"], 2);
}

#[test]
fn case_184_rewritten_history_is_verified_anew() {
    let world = World::approved();
    world.judged(&[], 0, &[]);
    world.git([
        "commit",
        "--quiet",
        "--amend",
        "--message",
        "same tree, another commit",
    ]);
    world.judged(&[], 11, &["approval.not_bound", RULE]);
    world.write("src/lib.rs", "pub fn greet() { evil() }\n");
    world.git([
        "commit",
        "--quiet",
        "--all",
        "--amend",
        "--message",
        "another tree",
    ]);
    world.judged(&[], 10, &["accounted.residual", RULE]);
}

#[test]
fn case_185_no_policy_an_empty_one_and_an_unreadable_one_never_allow() {
    let world = World::under(|_| String::new());
    let outcome = world.verify(&["main..HEAD"]);
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(2), ""),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("error[policy."), "{}", outcome.stderr);

    world.git(["switch", "--quiet", "main"]);
    world.git(["rm", "--quiet", "-r", ".touchmark"]);
    world.commit("no policy");
    world.git(["switch", "--quiet", "agent/greeting"]);
    world.git(["rebase", "--quiet", "main"]);
    world.verify(&["main..HEAD"]).refused(2, "policy.absent");
    let policy = |file: &str| world.verify(&["main..HEAD", "--policy", &world.file(file)]);
    policy("absent.toml").refused(2, "file.missing");
    policy("keys").refused(2, "file.not_regular");
    fs::write(world.path("empty.toml"), "").unwrap();
    assert_eq!(policy("empty.toml").code, Some(2));
    fs::write(world.path("huge.toml"), "#".repeat(2 * 1024 * 1024)).unwrap();
    assert_ne!(policy("huge.toml").code, Some(0));
    fs::write(
        world.path("typo.toml"),
        world.policy().replace("residual =", "residuall ="),
    )
    .unwrap();
    let outcome = policy("typo.toml").refused(2, "policy.unknown_key");
    assert!(outcome.stderr.contains("typo.toml:"), "{}", outcome.stderr);
}

#[test]
fn evidence_by_an_unknown_key_is_no_evidence_and_by_the_wrong_kind_of_principal_is_set_aside() {
    let world = World::unattested();
    world.attest_as("stranger", &[]);
    world.judged(&[], 11, &["signer.not_expected", "accounted.residual", RULE]);
    // Beside good evidence it changes nothing: whoever can push evidence cannot block a change.
    let session = fs::read_to_string(world.path("session.jsonl")).unwrap();
    let other = "5e551000-0000-4000-8000-0000000000ff";
    fs::write(world.path("session.jsonl"), session.replace(SESSION, other)).unwrap();
    world.attest_with(&[]);
    world.approve_as("alice", &[]);
    world.judged(&[], 0, &[]);

    let world = World::unattested();
    world.attest_as("ci", &[]);
    let verdict = world.judged(&[], 11, &["identity.role", "accounted.residual", RULE]);
    assert_eq!(set_aside_codes(&verdict), ["identity.role"]);
}

#[test]
fn a_git_object_that_was_swapped_on_disk_is_found() {
    let world = World::approved();
    let blob = world.id("HEAD:src/lib.rs");
    fs::write(world.path("other.rs"), "pub fn greet() { evil() }\n").unwrap();
    let other = world.git(["hash-object", "-w", &world.file("other.rs")]);
    let place = |id: &str| world.repo().join(".git/objects").join(&id[..2]).join(&id[2..]);
    fs::remove_file(place(&blob)).unwrap();
    fs::copy(place(&other), place(&blob)).unwrap();
    let outcome = world.verify(&["main..HEAD", "--format", "json"]);
    let verdict = verdict_of(
        &outcome,
        11,
        &["binding.object_unreadable", "accounted.residual", RULE],
    );
    let found = verdict["reasons"][0]["found"].as_str().unwrap();
    assert!(found.contains("(git.object_mismatch)"), "{found}");
}

#[test]
fn an_approval_alone_names_a_repository_without_remote_too() {
    let world = World::under(|policy| {
        policy.replace(
            "residual = \"forbid\"",
            "residual = \"approval\"\napprovals = { people = 1, filekeys = true }",
        )
    });
    world.git(["remote", "remove", "origin"]);
    world.approve_as("alice", &[]);
    world.judged(&["--forge-author", "mallory"], 0, &[]);
}

#[test]
fn what_is_checked_out_does_not_say_which_repository_this_is() {
    let world = World::unattested();
    world.git(["remote", "remove", "origin"]);
    world.attest_with(&[]);
    let before = world.asked(&["main..agent/greeting"], 14, &[RULE]);
    world.git(["switch", "--quiet", "--orphan", "other"]);
    world.git(["commit", "--quiet", "--allow-empty", "-m", "another beginning"]);
    assert_eq!(world.asked(&["main..agent/greeting"], 14, &[RULE]), before);
}

#[test]
fn a_junk_file_does_not_end_the_question_where_history_is_cut_off() {
    let world = World::attested();
    world.approve_as("alice", &[]);
    world.judged(&[], 0, &[]);
    let base = world.git(["rev-parse", "main"]);
    fs::write(world.path("repo/.git/shallow"), format!("{}\n", base.trim())).unwrap();
    world.judged(&[], 0, &[]);
    fs::write(world.path("junk.json"), "{}").unwrap();
    world.judged(&["--bundle", &world.file("junk.json")], 0, &[]);
}
