//! Escrow end to end: encrypted before it leaves, shipped when it can be, opened and searched on another machine.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::agent::Agent;
use crate::common::schema::assert_valid;
use crate::common::{Outcome, World, contains};

const PROMPT: &str = "please greet people by the name they gave, unique-escrow-prompt-7f3a";

/// A world whose user has an escrow key and a store in its configuration; a session waits to be attested.
fn escrowed(settings: &str) -> World {
    let world = World::unattested();
    world
        .touchmark([
            "vault",
            "key",
            "generate",
            "--plain",
            "--output",
            &world.file("escrow.pem"),
        ])
        .ok();
    fs::create_dir_all(world.path("touchmark/config")).unwrap();
    fs::create_dir(world.path("store")).unwrap();
    configure(&world, settings);
    world
        .session()
        .prompt(PROMPT)
        .writes("src/lib.rs")
        .bash("cargo test --escrow-marker")
        .store(&world);
    let session = world
        .session()
        .prompt(PROMPT)
        .writes("src/lib.rs")
        .bash("cargo test --escrow-marker");
    fs::write(world.path("escrow.jsonl"), session.bytes()).unwrap();
    world
}

fn configure(world: &World, settings: &str) {
    let keys = format!("escrow-keys = [\"{}\"]\n", world.file("escrow.pub"));
    fs::write(
        world.path("touchmark/config/config.toml"),
        format!("[vault]\n{keys}{settings}"),
    )
    .unwrap();
}

fn attest(world: &World) -> (String, Outcome) {
    let (session, key) = (world.file("escrow.jsonl"), world.key("agent"));
    let outcome = world
        .touchmark([
            "attest",
            "--format",
            "json",
            "--base",
            "refs/heads/main",
            "--session",
            &session,
            "--key",
            &key,
            "--agent",
            "greeter-agent",
        ])
        .ok();
    (outcome.json()["payload"].as_str().unwrap().to_owned(), outcome)
}

fn stored(world: &World) -> Vec<String> {
    let names = world
        .files("store")
        .into_iter()
        .map(|(path, _)| path.to_string_lossy().into_owned());
    names.collect()
}

/// Another machine: nothing but the repository, the store and the private key.
fn elsewhere(world: &World, arguments: &[&str]) -> Outcome {
    let mut command = world.command(arguments);
    command.env("TOUCHMARK_HOME", world.path("investigator"));
    Outcome::of(command.output().unwrap())
}

#[test]
fn a_record_is_shipped_and_opened_on_a_machine_that_never_saw_the_session() {
    let world = escrowed("store = \"../../store\"\n");
    let (payload, _) = attest(&world);
    let stored = stored(&world);
    assert_eq!(stored.len(), 1);
    assert!(stored[0].contains(&payload) && stored[0].ends_with(".escrow"));
    // Only encrypted records leave the machine.
    let bytes = fs::read(&stored[0]).unwrap();
    assert!(!contains(&bytes, b"unique-escrow-prompt") && !contains(&bytes, b"escrow-marker"));
    let status = world.touchmark(["status", "--format", "json"]).ok().json();
    assert_valid(&status);
    assert_eq!(status["escrow"]["waiting"], 0);
    assert_eq!(status["escrow"]["state"], "ready");

    let (store, key, out) = (
        world.file("store"),
        world.file("escrow.pem"),
        world.file("opened.jsonl"),
    );
    let arguments = [
        "disclose",
        &payload,
        "--prompt",
        "0",
        "--vault",
        &store,
        "--escrow-key",
        &key,
        "--output",
        &out,
    ];
    elsewhere(&world, &arguments).ok();
    let proven = world
        .verify(&["--disclosure", &out, "--key", &world.public_key("agent")])
        .ok();
    assert!(proven.stdout.contains(PROMPT), "{}", proven.stdout);
    // The record by its file, and all of it.
    let opened = elsewhere(
        &world,
        &[
            "vault",
            "open",
            &stored[0],
            "--escrow-key",
            &key,
            "--format",
            "json",
        ],
    )
    .ok()
    .json();
    assert_valid(&opened);
    assert_eq!(opened["payload"], payload.as_str());
    let folder = world.file("pieces");
    elsewhere(
        &world,
        &["vault", "open", &stored[0], "--key", &key, "--output", &folder],
    )
    .ok();
    let transcript = fs::read(Path::new(&folder).join("transcript-0")).unwrap();
    assert_eq!(transcript, fs::read(world.path("escrow.jsonl")).unwrap());
    // Another key opens nothing.
    world
        .touchmark([
            "vault",
            "key",
            "generate",
            "--plain",
            "--output",
            &world.file("wrong.pem"),
        ])
        .ok();
    elsewhere(
        &world,
        &[
            "vault",
            "open",
            &stored[0],
            "--escrow-key",
            &world.file("wrong.pem"),
        ],
    )
    .refused(2, "escrow.not_for_key");
    elsewhere(
        &world,
        &["vault", "open", &stored[0], "--escrow-key", &world.key("agent")],
    )
    .refused(2, "escrow.not_escrow_key");
    let mut damaged = bytes;
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(world.path("damaged.escrow"), damaged).unwrap();
    elsewhere(
        &world,
        &[
            "vault",
            "open",
            &world.file("damaged.escrow"),
            "--escrow-key",
            &key,
        ],
    )
    .refused(1, "escrow.damaged");
}

#[test]
fn the_statements_that_hold_a_text_are_found_by_recomputing_their_commitments() {
    let world = escrowed("store = \"../../store\"\n");
    let (payload, _) = attest(&world);
    let (store, key) = (world.file("store"), world.file("escrow.pem"));
    let search = |text: &str, flags: &[&str]| {
        fs::write(world.path("text.txt"), text).unwrap();
        let file = world.file("text.txt");
        let fixed = [
            "vault",
            "search",
            "--text-file",
            &file,
            "--vault",
            &store,
            "--escrow-key",
            &key,
            "--format",
            "json",
        ];
        elsewhere(&world, &[&fixed[..], flags].concat())
    };
    for (text, flags) in [
        (PROMPT.to_owned(), &[][..]),
        (format!("{PROMPT}\n"), &[]),
        (format!("  {PROMPT}\r\n\n"), &["--normalise"]),
    ] {
        let found = search(&text, flags).ok();
        assert_valid(&found.json());
        assert_eq!(found.json()["mode"], "commitment");
        let matches = found.json()["matches"].clone();
        assert_eq!(matches.as_array().unwrap().len(), 1, "{matches}");
        assert_eq!(matches[0]["payload"], payload.as_str());
        assert_eq!(
            (&matches[0]["index"], &matches[0]["origin"]),
            (&0.into(), &"human".into())
        );
        assert_eq!(matches[0]["stated"], true);
        assert!(!found.stdout.contains("unique-escrow") && !found.stderr.contains("unique-escrow"));
    }
    for (text, flags) in [
        (format!("  {PROMPT}"), &[][..]),
        (PROMPT[..20].to_owned(), &[]),
        ("other".to_owned(), &["--inside"]),
    ] {
        let none = search(&text, flags);
        assert_eq!(none.code, Some(10), "{}", none.stderr);
        assert_eq!(none.json()["searched"], 1);
    }
    let inside = search("unique-escrow-prompt", &["--inside"]).ok().json();
    assert_eq!(
        (&inside["mode"], &inside["matches"][0]["kind"]),
        (&"inside".into(), &"prompt".into())
    );
    let command = search("--escrow-marker", &["--inside"]).ok().json();
    assert_eq!(command["matches"][0]["kind"], "command");
    search("", &[])
        .code
        .filter(|code| *code == 2)
        .expect("an empty text is refused");
    // Through standard input, over this machine's own vault.
    let mut command = world.command(["vault", "search", "--stdin"]);
    command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(PROMPT.as_bytes()).unwrap();
    let found = Outcome::of(child.wait_with_output().unwrap()).ok();
    assert!(
        found.stdout.contains("prompt 0 (human), stated"),
        "{}",
        found.stdout
    );
}

#[test]
fn an_absent_store_never_holds_up_attest_and_publish_sends_what_waits() {
    let world = escrowed("store = \"../../absent\"\n");
    let (_, outcome) = attest(&world);
    assert!(
        outcome.stderr.contains("escrow.store_missing"),
        "{}",
        outcome.stderr
    );
    let status = world.touchmark(["status"]).ok().stdout;
    assert!(status.contains("escrow 1 waiting"), "{status}");
    let published = world.touchmark(["publish", "--format", "json"]).ok().json();
    assert_valid(&published);
    assert_eq!(published["escrow"]["waiting"], 1);
    fs::create_dir(world.path("absent")).unwrap();
    let published = world.touchmark(["publish", "--format", "json"]).ok().json();
    assert_eq!(published["escrow"]["shipped"], 1);
    assert_eq!(world.files("absent").len(), 1);
    let status = world.touchmark(["status"]).ok().stdout;
    assert!(status.contains("escrow 0 waiting"), "{status}");
    let shipped = world
        .touchmark(["vault", "ship", "--all", "--format", "json"])
        .ok()
        .json();
    assert_valid(&shipped);
    assert_eq!(shipped["shipped"], 1);
}

#[test]
fn what_hooks_lead_to_is_shipped_too() {
    let world = escrowed("");
    let settings = fs::read_to_string(world.path("touchmark/config/config.toml")).unwrap();
    fs::write(
        world.path("touchmark/config/config.toml"),
        format!("{settings}store = \"{}\"\n", world.file("store")),
    )
    .unwrap();
    let mut agent = Agent::new(&world, "33333333-3333-4333-8333-333333333333");
    agent.starts().is_told(PROMPT).writes("src/new.rs", "1\n").stops();
    world.settled();
    let until = Instant::now() + Duration::from_secs(30);
    while stored(&world).is_empty() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(stored(&world).len(), 1);
}

#[test]
fn without_a_key_nothing_is_shipped_and_escrowed_only_keeps_no_words_here() {
    let world = escrowed("store = \"../../store\"\n");
    let text = format!("[vault]\nstore = \"{}\"\n", world.file("store"));
    fs::write(world.path("touchmark/config/config.toml"), &text).unwrap();
    attest(&world);
    assert_eq!(stored(&world), [""; 0]);
    assert_eq!(world.files("touchmark/data/escrow"), []);
    world
        .touchmark(["vault", "ship", "--all"])
        .refused(2, "escrow.no_key");
    fs::write(
        world.path("touchmark/config/config.toml"),
        format!("{text}local = \"escrowed-only\"\n"),
    )
    .unwrap();
    world.write("src/lib.rs", "pub fn other() {}\n");
    world.commit("another change");
    let (session, key) = (world.file("escrow.jsonl"), world.key("agent"));
    let again = [
        "attest",
        "--base",
        "refs/heads/main",
        "--session",
        &session,
        "--key",
        &key,
    ];
    world.touchmark(again).refused(2, "escrow.no_key");
    configure(&world, "store = \"../../store\"\nlocal = \"escrowed-only\"\n");
    let before = world.files("touchmark/data/vault").len();
    world.touchmark(again).ok();
    assert_eq!(world.files("touchmark/data/vault").len(), before);
    assert_eq!(stored(&world).len(), 1);
    configure(&world, "local = \"sometimes\"\n");
    world.write("src/lib.rs", "pub fn third() {}\n");
    world.commit("a third change");
    world.touchmark(again).refused(2, "config.wrong_value");
}

#[test]
fn a_broken_key_is_said_and_the_record_stays_here() {
    let world = escrowed("store = \"../../store\"\n");
    fs::write(world.path("escrow.pub"), "no key").unwrap();
    let (_, outcome) = attest(&world);
    assert!(
        outcome.stderr.contains("not in escrow: [escrow.not_escrow_key]"),
        "{}",
        outcome.stderr
    );
    assert!(!world.files("touchmark/data/vault").is_empty());
    assert_eq!(stored(&world), [""; 0]);
}

#[test]
fn no_repository_and_no_variable_chooses_where_words_go() {
    let world = escrowed("");
    world.write(
        ".touchmark/config.toml",
        "[vault]\nstore = \"https://evil.example/\"\n",
    );
    for setting in [
        "store = \"x\"",
        "escrow-keys = [\"x\"]",
        "local = \"keep\"",
        "store-token-file = \"x\"",
    ] {
        world.write(".touchmark/config.toml", format!("[vault]\n{setting}\n"));
        world.touchmark(["status"]).refused(2, "config.trust_in_project");
    }
    world.write(".touchmark/config.toml", "redaction-rules = [\"x\"]\n");
    world.touchmark(["status"]).refused(2, "config.trust_in_project");
    fs::remove_file(world.repo().join(".touchmark/config.toml")).unwrap();
    let mut command = world.command(["config", "list"]);
    command.env("TOUCHMARK_VAULT_STORE", world.path("store"));
    let outcome = Outcome::of(command.output().unwrap()).ok();
    assert!(
        outcome.stderr.contains("TOUCHMARK_VAULT_STORE is ignored"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn an_address_gets_each_record_by_put_with_its_token() {
    let world = escrowed("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    fs::write(world.path("token"), "tok-en\n").unwrap();
    let settings = format!(
        "store = \"http://{address}/records\"\nstore-token-file = \"{}\"\n",
        world.file("token")
    );
    configure(&world, &settings);
    let server = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for status in ["503 Service Unavailable", "201 Created"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !is_whole(&request) {
                let count = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..count]);
            }
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            requests.push(request);
        }
        requests
    });
    let (payload, outcome) = attest(&world);
    assert!(
        outcome.stderr.contains("escrow.store_refused"),
        "{}",
        outcome.stderr
    );
    world.touchmark(["vault", "ship"]).ok();
    let requests = server.join().unwrap();
    for request in &requests {
        let head = String::from_utf8_lossy(&request[..request.len().min(600)]).to_ascii_lowercase();
        assert!(
            head.starts_with("put /records/") && head.contains(&payload),
            "{head}"
        );
        assert!(head.contains("authorization: bearer tok-en"));
        assert!(contains(request, b"touchmark-escrow v1\n") && !contains(request, b"unique-escrow-prompt"));
    }
    assert_eq!(world.files("touchmark/data/escrow"), []);
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())
        .unwrap_or(0);
    let body = request
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap()
        + 4;
    request.len() >= body + length
}

#[test]
fn escrow_keys_are_encrypted_unless_it_is_said_otherwise() {
    let world = World::unattested();
    let file = world.file("escrow.pem");
    world
        .touchmark(["vault", "key", "generate", "--output", &file])
        .refused(2, "key.password_required");
    let mut command = world.command(["vault", "key", "generate", "--output", &file, "--format", "json"]);
    command.env("TOUCHMARK_PASSWORD", "correct horse");
    let made = Outcome::of(command.output().unwrap()).ok().json();
    assert_valid(&made);
    assert_eq!(made["encrypted"], true);
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .contains("ENCRYPTED TOUCHMARK ESCROW KEY")
    );
    world
        .touchmark(["vault", "key", "generate", "--plain", "--output", &file])
        .refused(2, "key.file_exists");
    let list = world.touchmark(["vault", "list", "--format", "json"]).ok().json();
    assert_valid(&list);
}
