//! What somebody else can put in the way of capture: in a repository, in a store, in the user's own folders.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::agent::{Agent, hook};
use crate::common::{Outcome, Sandbox, World};

const ONE: &str = "11111111-1111-4111-8111-111111111111";
const TWO: &str = "22222222-2222-4222-8222-222222222222";

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

/// Runs a command that must end by itself.
#[track_caller]
fn ending(mut command: Command) -> Outcome {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(Duration::from_secs(60)) else {
        Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status()
            .unwrap();
        panic!("it does not end");
    };
    Outcome::of(output.unwrap())
}

#[test]
fn case_224_a_pipe_in_an_escrow_store_holds_up_nobody() {
    let world = World::unattested();
    let key = world.file("escrow.pem");
    world
        .touchmark(["vault", "key", "generate", "--plain", "--output", &key])
        .ok();
    fs::create_dir_all(world.path("touchmark/config")).unwrap();
    fs::create_dir(world.path("store")).unwrap();
    let settings = format!(
        "[vault]\nescrow-keys = [\"{}\"]\nstore = \"../../store\"\n",
        world.file("escrow.pub")
    );
    fs::write(world.path("touchmark/config/config.toml"), settings).unwrap();
    world.attest_with(&[]);
    pipe(&world.path("store/0.escrow"));
    std::os::unix::fs::symlink("/dev/zero", world.path("store/1.escrow")).unwrap();
    let store = world.file("store");
    let elsewhere = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        command.env("TOUCHMARK_HOME", world.path("investigator"));
        ending(command)
    };
    let from = ["--vault", &store, "--escrow-key", &key];
    fs::write(world.path("text.txt"), "greet").unwrap();
    let text = world.file("text.txt");
    let search = [
        &[
            "vault",
            "search",
            "--inside",
            "--format",
            "json",
            "--text-file",
            &text,
        ],
        &from[..],
    ];
    let found = elsewhere(&search.concat()).json();
    assert_eq!(
        (found["searched"].as_u64(), found["unopened"].as_u64()),
        (Some(1), Some(2))
    );
    let out = world.file("prompt.json");
    let disclose = [
        &["disclose", "HEAD", "--prompt", "0", "--output", &out],
        &from[..],
    ];
    elsewhere(&disclose.concat()).ok();
    for name in ["0.escrow", "1.escrow"] {
        let file = world.file(format!("store/{name}"));
        elsewhere(&["vault", "open", &file, "--escrow-key", &key]).refused(2, "file.not_regular");
    }
}

#[test]
fn a_look_at_a_work_tree_that_hangs_leaves_no_process_and_no_folder_behind() {
    let sandbox = Sandbox::with_code();
    fs::create_dir(sandbox.path("tmp")).unwrap();
    // git waits for whoever writes this list of ignored files.
    pipe(&sandbox.repo().join(".gitignore"));
    let agent = Agent::new(&sandbox, ONE)
        .with("TMPDIR", sandbox.path("tmp").to_str().unwrap())
        .with("TOUCHMARK_RUN", "1");
    agent
        .hook(&serde_json::json!({"hook_event_name": "UserPromptSubmit", "prompt": "x"}))
        .unheard();
    assert_eq!(sandbox.turns().len(), 1, "the event is kept");
    assert_eq!(fs::read_dir(sandbox.path("tmp")).unwrap().count(), 0);
    let here = sandbox.repo().canonicalize().unwrap();
    let left = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == here))
        .filter(|entry| fs::read(entry.path().join("comm")).is_ok_and(|name| name.starts_with(b"git")));
    assert_eq!(left.count(), 0);
}

#[test]
fn what_is_too_large_to_be_taken_in_quickly_is_left_to_the_worker() {
    let sandbox = Sandbox::with_code();
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("x");
    sandbox.settled();
    let objects = || sandbox.files("repo/.git/objects").len();
    let before = objects();
    fs::write(sandbox.repo().join("large.bin"), vec![7; 6 * 1024 * 1024]).unwrap();
    // Told apart from what the worker does: an event that no worker looks at the work tree for.
    let mut command = sandbox.command(["hook", "run", "claude-code"]);
    command.env("TOUCHMARK_RUN", "1");
    let event = serde_json::json!({"hook_event_name": "UserPromptSubmit", "prompt": "y"});
    hook(command, &agent.payload(&event)).unheard();
    assert_eq!(objects(), before);
    agent.writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n").stops();
    sandbox.settled();
    assert_eq!(sandbox.chained().len(), 1);
}

#[test]
fn sessions_and_turns_beyond_the_most_that_are_looked_at_stop_nothing() {
    let sandbox = Sandbox::with_code();
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("x");
    sandbox.settled();
    let known = sandbox.files("touchmark/data/capture/sessions").remove(0);
    for number in 0..10_001 {
        let name = known.0.with_file_name(format!("{number:064x}.json"));
        let mut file = fs::File::create(name).unwrap();
        file.write_all(br#"{"ended":true,"product":"x","session":"x"}"#)
            .unwrap();
    }
    let started = Instant::now();
    agent
        .writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n")
        .commits("two");
    hook(sandbox.command(["hook", "run", "git-post-commit"]), b"").unheard();
    agent.stops();
    sandbox.settled();
    assert_eq!(sandbox.troubles(), "");
    assert_eq!(sandbox.chained().len(), 1, "{:?}", started.elapsed());
}

#[test]
fn what_is_or_is_called_a_secret_is_in_no_diff_of_a_configuration() {
    let sandbox = Sandbox::new();
    let token = format!("ghp_{}", "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2");
    let settings = format!(
        "{{\n  \"env\": {{\n    \"DB_PASSWORD\": \"hunter-two\",\n    \"GREETING\": \"{token}\",\n    \
         \"ACME_API_KEY\": \"a1b2c3\"\n  }}\n}}\n"
    );
    let file = sandbox.path("home/.claude/settings.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, &settings).unwrap();
    for flags in [&["--dry-run"][..], &["--dry-run", "--format", "json"], &[]] {
        let said = sandbox
            .touchmark(["hook", "install", "claude-code"].iter().chain(flags))
            .ok();
        assert!(said.stdout.contains("hook run claude-code"), "{}", said.stdout);
        for secret in ["hunter-two", &token[..], "a1b2c3"] {
            assert!(
                !said.stdout.contains(secret) && !said.stderr.contains(secret),
                "{}",
                said.stdout
            );
        }
    }
    // The file itself holds everything as before.
    let now = fs::read_to_string(&file).unwrap();
    assert!(now.contains("\"hunter-two\"") && now.contains(&token) && now.contains("\"a1b2c3\""));
}

/// Everything that git would run, for a repository or for a variable that asks for it.
#[test]
fn nothing_that_a_repository_or_its_surroundings_name_is_run() {
    let sandbox = Sandbox::with_code();
    let canary = sandbox.path("canary");
    let evil = sandbox.path("evil");
    fs::write(
        &evil,
        format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat\n", canary.display()),
    )
    .unwrap();
    fs::set_permissions(&evil, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let evil = evil.to_str().unwrap();
    let hooks = sandbox.path("repo/hooks");
    fs::create_dir(&hooks).unwrap();
    for name in [
        "reference-transaction",
        "post-index-change",
        "post-commit",
        "pre-push",
        "pre-auto-gc",
    ] {
        for folder in [&hooks, &sandbox.path("repo/.git/hooks")] {
            fs::copy(evil, folder.join(name)).unwrap();
        }
    }
    let shell = format!("!{evil}");
    let ext = format!("ext::{evil}");
    let settings = [
        ("core.fsmonitor", evil),
        ("core.hooksPath", hooks.to_str().unwrap()),
        ("core.pager", evil),
        ("core.editor", evil),
        ("core.sshCommand", evil),
        ("core.askPass", evil),
        ("core.alternateRefsCommand", evil),
        ("credential.helper", evil),
        ("filter.x.clean", evil),
        ("filter.x.process", evil),
        ("diff.external", evil),
        ("diff.x.textconv", evil),
        ("diff.x.command", evil),
        ("merge.x.driver", evil),
        ("gpg.program", evil),
        ("uploadpack.packObjectsHook", evil),
        ("alias.rev-parse", &shell),
        ("alias.write-tree", &shell),
        ("remote.origin.url", &ext),
        ("remote.origin.receivepack", evil),
        ("protocol.ext.allow", "always"),
    ];
    for (name, value) in settings {
        sandbox.git(["config", name, value]);
    }
    fs::write(
        sandbox.path("repo/.git/info/attributes"),
        "* filter=x diff=x merge=x\n",
    )
    .unwrap();
    // The bait is one: git itself takes it.
    sandbox.git(["status"]);
    fs::remove_file(&canary).unwrap();
    let variables = [
        ("GIT_EXTERNAL_DIFF", evil),
        ("GIT_SSH_COMMAND", evil),
        ("GIT_ASKPASS", evil),
        ("GIT_PAGER", evil),
        ("GIT_EXEC_PATH", "/nowhere"),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
        ("GIT_CONFIG_VALUE_0", evil),
    ];
    let mut agent = Agent::new(&sandbox, ONE);
    for (name, value) in variables {
        agent = agent.with(name, value);
    }
    agent
        .starts()
        .is_told("x")
        .writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n")
        .stops();
    sandbox.settled();
    assert_eq!(sandbox.chained().len(), 1, "{}", sandbox.troubles());
    let report = "<testsuite name=\"a\"><testcase name=\"t\"/></testsuite>";
    fs::write(sandbox.path("report.xml"), report).unwrap();
    let report = sandbox.path("report.xml").to_string_lossy().into_owned();
    let head = sandbox.git(["-c", "core.fsmonitor=", "rev-parse", "HEAD"]);
    let pushed = format!("refs/heads/main {head} refs/heads/main {}\n", "0".repeat(40));
    let _ = fs::remove_file(&canary);
    for (words, input) in [
        (&["attest", "tests", "--uncommitted", "--junit", &report][..], ""),
        (&["attest", "sbom"], ""),
        (&["run", "--", "true"], ""),
        (&["status"], ""),
        (&["find"], ""),
        (&["export", "--as", "slsa-provenance"], ""),
        (&["publish", "--push", "origin"], ""),
        (&["publish", "--fetch", "origin"], ""),
        (&["hook", "install", "git", "--dry-run"], ""),
        (&["hook", "run", "git-post-commit"], ""),
        (&["hook", "run", "git-post-rewrite"], &format!("{head} {head}\n")),
        (&["hook", "run", "git-pre-push", "origin", &ext], &pushed),
    ] {
        let mut command = sandbox.command(words);
        command.envs(variables);
        let heard = hook(command, input.as_bytes());
        assert!(heard.outcome.code.is_some(), "{words:?}");
    }
    sandbox.settled();
    assert_eq!(fs::read_to_string(&canary).unwrap_or_default(), "");
}

/// Makes a file older than any index, which is believed of such files only.
fn age(sandbox: &Sandbox, name: &str) {
    let file = fs::File::options()
        .write(true)
        .open(sandbox.repo().join(name))
        .unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    file.set_modified(written - Duration::from_secs(100)).unwrap();
}

/// A repository whose only test fails, unless the file on disk is another one than the commit's.
fn failing() -> Sandbox {
    let sandbox = Sandbox::with_code();
    sandbox.write("test.sh", "exit 1\n");
    sandbox.write(".gitattributes", "*.bin filter=lfs\n");
    sandbox.commit("a test");
    sandbox
}

#[test]
fn tests_and_builds_are_of_the_files_and_not_of_what_the_index_says() {
    type Lie = fn(&Sandbox);
    let lies: [(&str, Lie); 3] = [
        ("assume-unchanged", |sandbox| {
            sandbox.git(["update-index", "--assume-unchanged", "test.sh"]);
            sandbox.write("test.sh", "exit 0\n");
        }),
        ("skip-worktree", |sandbox| {
            sandbox.git(["update-index", "--skip-worktree", "test.sh"]);
            sandbox.write("test.sh", "exit 0\n");
        }),
        ("forged", |sandbox| {
            let id = |sandbox: &Sandbox| {
                let hex = sandbox.git(["ls-files", "--stage", "test.sh"])[7..47].to_owned();
                let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
                (0..20).map(|at| digit(2 * at)).collect::<Vec<u8>>()
            };
            let before = id(sandbox);
            sandbox.write("test.sh", "exit 0\n");
            age(sandbox, "test.sh");
            sandbox.git(["add", "test.sh"]);
            let after = id(sandbox);
            let file = sandbox.path("repo/.git/index");
            let mut index = fs::read(&file).unwrap();
            let at = index.windows(20).position(|window| window == after).unwrap();
            index[at..at + 20].copy_from_slice(&before);
            // The trees that it remembers, and its checksum, which may be left out.
            let end = index.windows(4).position(|window| window == b"TREE").unwrap();
            index.truncate(end);
            index.extend([0; 20]);
            fs::write(file, index).unwrap();
        }),
    ];
    for (lie, tell) in lies {
        let sandbox = failing();
        tell(&sandbox);
        assert_eq!(sandbox.git(["status", "--porcelain"]), "", "{lie}");
        fs::write(sandbox.path("artifact"), "x").unwrap();
        let artifact = sandbox.path("artifact").to_string_lossy().into_owned();
        for words in [
            &["attest", "tests", "--", "sh", "test.sh"][..],
            &["attest", "build", "--artifact", &artifact],
        ] {
            let said = sandbox.touchmark(words).refused(2, "attest.dirty");
            assert!(said.stderr.contains("test.sh"), "{lie}: {}", said.stderr);
        }
        assert_eq!(sandbox.evidence_refs(), Vec::<String>::new());
    }
}

#[test]
fn files_with_a_filter_are_as_the_index_has_them() {
    let sandbox = failing();
    sandbox.write("test.sh", "exit 0\n");
    sandbox.write("large.bin", "what lies elsewhere");
    age(&sandbox, "large.bin");
    sandbox.git(["-c", "filter.lfs.clean=printf pointer", "add", "--all"]);
    sandbox.git([
        "-c",
        "filter.lfs.clean=printf pointer",
        "commit",
        "--quiet",
        "--message",
        "large",
    ]);
    assert_eq!(sandbox.git(["show", "HEAD:large.bin"]), "pointer");
    sandbox.touchmark(["attest", "tests", "--", "sh", "test.sh"]).ok();
    sandbox.write("large.bin", "something else that lies elsewhere");
    sandbox
        .touchmark(["attest", "tests", "--", "sh", "test.sh"])
        .refused(2, "attest.dirty");
}

/// Waits for the statement of a session that has nothing to do with what holds up another.
#[track_caller]
fn attested_elsewhere(sandbox: &Sandbox, other: &Path) {
    let mut agent = Agent::at(sandbox, TWO, other);
    agent.starts().is_told("y").writes("b.txt", "2\n").stops();
    let until = Instant::now() + Duration::from_secs(50);
    while sandbox.statements_in(other).is_empty() {
        assert!(Instant::now() < until, "one session holds up another");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_record_that_becomes_a_pipe_holds_up_nobody() {
    let sandbox = Sandbox::with_code();
    let other = sandbox.cloned();
    let mut agent = Agent::new(&sandbox, ONE);
    agent
        .starts()
        .is_told("x")
        .writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
    sandbox.settled();
    let event = serde_json::json!({"hook_event_name": "Stop", "last_assistant_message": "never written"});
    agent.hook(&event).unheard();
    // The worker looks for the last answer again and again.
    std::thread::sleep(Duration::from_millis(300));
    fs::remove_file(agent.file()).unwrap();
    pipe(agent.file());
    attested_elsewhere(&sandbox, &other);
}

#[test]
fn a_repository_that_makes_git_wait_holds_up_no_other() {
    let sandbox = Sandbox::with_code();
    let other = sandbox.cloned();
    let mut agent = Agent::new(&sandbox, ONE);
    agent
        .starts()
        .is_told("x")
        .writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
    sandbox.settled();
    pipe(&sandbox.repo().join(".gitignore"));
    agent.stops();
    attested_elsewhere(&sandbox, &other);
    sandbox.rested();
    assert!(
        sandbox.troubles().contains("\"git.timeout\""),
        "{}",
        sandbox.troubles()
    );
    // It is not tried again with every hook, and nothing of it is lost.
    let before = sandbox.troubles();
    sandbox.touchmark(["hook", "worker"]).ok();
    assert_eq!(sandbox.troubles(), before);
    fs::remove_file(sandbox.repo().join(".gitignore")).unwrap();
    sandbox.touchmark(["publish"]).ok();
    assert_eq!(sandbox.chained().len(), 1);
}

#[test]
fn a_clock_that_was_set_back_loses_no_turn() {
    let sandbox = Sandbox::with_code();
    let mut agent = Agent::new(&sandbox, ONE);
    agent.starts().is_told("x").writes("a.txt", "1\n").stops();
    sandbox.settled();
    assert_eq!(sandbox.chained().len(), 1);
    // What the worker remembers was written by a clock that was far ahead.
    let (path, bytes) = sandbox.files("touchmark/data/capture/sessions").remove(0);
    let mut known: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    known["through"] = "000009999999999999999999-00000000.json".into();
    fs::write(path, known.to_string()).unwrap();
    agent.is_told("y").writes("a.txt", "2\n").stops();
    sandbox.settled();
    assert_eq!(sandbox.chained().len(), 2);
}

#[test]
fn a_repository_whose_own_files_never_answer_holds_up_no_other() {
    let sandbox = Sandbox::with_code();
    let other = sandbox.cloned();
    // Inside of `run` no hook starts a worker.
    let mut agent = Agent::new(&sandbox, ONE).with("TOUCHMARK_RUN", "1");
    let mut second = Agent::at(&sandbox, TWO, &other).with("TOUCHMARK_RUN", "1");
    agent
        .is_told("x")
        .writes("src/lib.rs", "pub fn two() -> u32 { 2 }\n");
    sandbox.touchmark(["hook", "worker"]).ok();
    let alternates = sandbox.repo().join(".git/objects/info/alternates");
    pipe(&alternates);
    agent.stops();
    assert_eq!(sandbox.turns().len(), 1, "the event is kept all the same");
    second.starts().is_told("y").writes("b.txt", "2\n").stops();
    ending(sandbox.command(["hook", "worker", "--patience", "2"])).ok();
    let until = Instant::now() + Duration::from_secs(50);
    while sandbox.statements_in(&other).is_empty() {
        assert!(Instant::now() < until, "one repository holds up another");
        std::thread::sleep(Duration::from_millis(50));
    }
    sandbox.rested();
    assert!(
        sandbox.troubles().contains("\"capture.hung\""),
        "{}",
        sandbox.troubles()
    );
    fs::remove_file(alternates).unwrap();
    sandbox.touchmark(["publish"]).ok();
    assert_eq!(sandbox.chained().len(), 1, "nothing of it is lost");
}
