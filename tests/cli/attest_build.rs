//! `touchmark attest build`: SLSA provenance of what was built from HEAD.

use std::fs;

use serde_json::{Value, json};

use crate::common::{AT, Outcome, World};

/// A world with a commit and an artifact that git ignores.
fn world() -> World {
    let world = World::unattested();
    world.write(".gitignore", "dist/\n");
    world.commit("ignore what is built");
    world.write("dist/greeter.bin", b"\x7fELF greeter");
    world
}

#[track_caller]
fn built(world: &World, flags: &[&str]) -> Outcome {
    let key = world.key("ci");
    let all = ["attest", "build", "--key", &key, "--at", AT, "--format", "json"];
    world.touchmark(all.iter().chain(flags))
}

#[track_caller]
fn statement(world: &World, flags: &[&str]) -> Value {
    let all: Vec<&str> = ["--dry-run"].iter().chain(flags).copied().collect();
    let statement = built(world, &all).ok().json()["statement"].clone();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/provenance/v1.json");
    let schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&statement["predicate"])
        .map(|e| e.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{statement:#}");
    statement
}

#[test]
fn provenance_names_artifact_commit_and_builder() {
    let world = world();
    let statement = statement(&world, &["--artifact", "dist/greeter.bin"]);
    let head = world.id("HEAD");
    assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
    assert_eq!(statement["subject"][0]["name"], "greeter.bin");
    assert_eq!(
        statement["subject"][0]["digest"]["sha256"]
            .as_str()
            .unwrap()
            .len(),
        64
    );
    let definition = &statement["predicate"]["buildDefinition"];
    assert_eq!(definition["buildType"], "https://touchmark.dev/build/v1");
    let uri = "git+https://git.example/acme/greeter";
    assert_eq!(
        definition["externalParameters"]["source"],
        json!({"uri": uri, "digest": {"gitCommit": head}})
    );
    assert_eq!(
        definition["resolvedDependencies"],
        json!([{"uri": format!("{uri}@refs/heads/agent/greeting"), "digest": {"gitCommit": head}}])
    );
    let details = &statement["predicate"]["runDetails"];
    assert_eq!(details["builder"]["id"], "https://touchmark.dev/builders/local");
    assert_eq!(details["metadata"], json!({}));
}

#[test]
fn flags_and_ci_name_builder_and_type() {
    let world = world();
    let flags = [
        "--artifact",
        "dist/greeter.bin",
        "--builder-id",
        "https://ci.example/builders/1",
        "--build-type",
        "https://ci.example/types/container@v1",
    ];
    let statement = statement(&world, &flags);
    let predicate = &statement["predicate"];
    assert_eq!(
        predicate["runDetails"]["builder"],
        json!({"id": "https://ci.example/builders/1"})
    );
    assert_eq!(
        predicate["buildDefinition"]["buildType"],
        "https://ci.example/types/container@v1"
    );
    let key = world.key("ci");
    let all = [
        "attest",
        "build",
        "--dry-run",
        "--format",
        "json",
        "--key",
        &key,
        "--artifact",
        "dist/greeter.bin",
    ];
    let mut command = world.command(all);
    command.envs([
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "acme/greeter"),
        ("GITHUB_RUN_ID", "77"),
    ]);
    let statement = Outcome::of(command.output().unwrap()).ok().json()["statement"].clone();
    let details = &statement["predicate"]["runDetails"];
    assert_eq!(details["builder"]["id"], "https://touchmark.dev/builders/ci");
    assert_eq!(
        details["metadata"]["invocationId"],
        "https://github.com/acme/greeter/actions/runs/77/attempts/1"
    );
}

#[test]
fn what_is_not_built_from_head_is_refused() {
    let world = world();
    built(&world, &[]).refused_with_document(2);
    built(&world, &["--artifact", "absent.bin"]).refused_with(2, "file.missing");
    built(&world, &["--artifact", "dist"]).refused_with(2, "file.not_regular");
    for uri in ["local", "https:", "https://a b", ":x", "1a:b"] {
        built(&world, &["--artifact", "dist/greeter.bin", "--builder-id", uri]).refused_with(2, "build.uri");
    }
    world.write("dist/sub/greeter.bin", "other");
    built(
        &world,
        &["--artifact", "dist/greeter.bin", "dist/sub/greeter.bin"],
    )
    .refused_with(2, "build.same_name");
    world.write("src/lib.rs", "pub fn greet() {}\n");
    built(&world, &["--artifact", "dist/greeter.bin"]).refused_with(2, "attest.dirty");
    assert_eq!(world.evidence_refs(), [""; 0]);
}

/// Refusals where JSON was asked for stand on both streams.
trait Refused {
    fn refused_with(self, status: i32, code: &str);
    fn refused_with_document(self, status: i32);
}

impl Refused for Outcome {
    #[track_caller]
    fn refused_with(self, status: i32, code: &str) {
        assert_eq!(self.code, Some(status), "{}", self.stderr);
        assert!(
            self.stderr.contains(&format!("error[{code}]")),
            "{code}: {}",
            self.stderr
        );
    }

    #[track_caller]
    fn refused_with_document(self, status: i32) {
        assert_eq!(self.code, Some(status), "{}", self.stderr);
    }
}

#[test]
fn our_own_verifier_takes_it_for_the_artifact_and_for_nothing_else() {
    let world = world();
    let payload = built(&world, &["--artifact", "dist/greeter.bin"]).ok().json()["payload"].clone();
    let bundle = world.export(payload.as_str().unwrap(), "build.sigstore.json");
    let key = world.public_key("ci");
    let with = |artifact: &str| {
        world.verify(&[
            "--bundle",
            &bundle,
            "--key",
            &key,
            "--predicate-type",
            "https://slsa.dev/provenance/v1",
            "--artifact",
            artifact,
        ])
    };
    with("dist/greeter.bin").ok();
    world.write("dist/other.bin", "other");
    with("dist/other.bin").refused(11, "subject.not_bound");
    // The commit has it too, for whoever asks by commit.
    let head = world.id("HEAD");
    assert!(
        world
            .evidence_refs()
            .contains(&format!("refs/touchmark/commit/{}/{head}", &head[..2]))
    );
}

#[test]
fn a_service_that_may_not_build_is_set_aside() {
    use crate::common::world::{RULE, set_aside_codes};
    let world = World::attested();
    world.write("../greeter.bin", "greeter");
    built(&world, &["--artifact", &world.file("greeter.bin")]).ok();
    let verdict = world.judged(&[], 14, &[RULE]);
    assert_eq!(set_aside_codes(&verdict), ["identity.role"]);
}
