//! `touchmark verify` as a whole, cold process: one bundle, a pull request of twenty attested commits, each signed with a
//! key and with certificates, and beside them `touchmark version`, which is what starting the process costs.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use criterion::{Criterion, criterion_group, criterion_main};
use touchmark_testkit::sigstore::{ConfiguredLogs, Instance, InstanceOptions, Scheme};

const POLICY: &str = r#"version = 1
serial = 1
expires = 2099-12-31
[trust]
log = { inclusion = true, self = "allow" }
[[agent]]
id = "agent"
signers = [{ key = "FINGERPRINT" }]
[gate.merge]
require = ["accounted"]
residual = "forbid"
"#;

const KEYLESS_POLICY: &str = r#"version = 1
serial = 1
expires = 2099-12-31
[trust]
roots = ["bench"]
[[agent]]
id = "agent"
signers = [{ issuer = "ISSUER", san = "agent@bench.example" }]
[gate.merge]
require = ["accounted"]
residual = "forbid"
"#;

/// 2026-03-01T12:00:00Z, when everything keyless here happens.
const NOW: i64 = 1_772_366_400;
const AT: &str = "2026-03-01T12:00:00Z";

/// A repository with `commits` attested commits on a branch.
struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn with_commits(commits: usize) -> Self {
        let this = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        this.shell("git init -q -b main repo && cd repo && git config user.name A && git config user.email a@b.example && git remote add origin https://git.example/a/b");
        let fingerprint = this.shell(
            "touchmark key generate default --plain > /dev/null && touchmark key public --fingerprint",
        );
        std::fs::create_dir(this.repo().join(".touchmark")).expect("a folder");
        let policy = POLICY.replace("FINGERPRINT", fingerprint.trim());
        std::fs::write(this.repo().join(".touchmark/policy.toml"), policy).expect("a file");
        this.shell("cd repo && git add -A && git commit -qm start && git switch -qc work && touchmark demo session . > ../session.jsonl");
        for number in 0..commits {
            let id = format!("5e551000-0000-4000-8000-{number:012}");
            this.shell(&format!(
                "sed 's/5e551000-0000-4000-8000-000000000001/{id}/' session.jsonl > {id}.jsonl && cd repo && \
                 echo {number} > file{number} && git add -A && git commit -qm {number} && \
                 touchmark attest --base $(git rev-parse HEAD~1) --session ../{id}.jsonl --agent agent"
            ));
        }
        this.shell("cd repo && touchmark show $(touchmark find --commit HEAD --format json | sed -n 's/.*payloadDigest\": \"\\(.*\\)\".*/\\1/p' | head -1) --raw > ../bundle.json");
        this
    }

    /// The same, each commit under a certificate of its own: P-384 authorities, as public ones are.
    fn keyless(commits: usize) -> (Self, String) {
        let this = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        let options = InstanceOptions {
            certificate_authority: Scheme::P384,
            timestamp_authority: Scheme::P384,
            ..InstanceOptions::default()
        };
        let served = Instance::new(1, options).serve();
        served.set_time(NOW);
        let write =
            |name: &str, text: &str| std::fs::write(this.folder.path().join(name), text).expect("a file");
        write("root.json", &served.instance().trusted_root_json());
        write("signing.json", &served.signing_config_json(ConfiguredLogs::V2));
        write("token.jwt", &served.email_token("agent@bench.example"));
        write(
            "policy.toml",
            &KEYLESS_POLICY.replace("ISSUER", &served.urls().issuer),
        );
        this.shell("git init -q -b main repo && cd repo && git config user.name A && git config user.email a@b.example && git remote add origin https://git.example/a/b");
        this.shell("cd repo && git commit -q --allow-empty -m start && git switch -qc work && touchmark demo session . > ../session.jsonl");
        for number in 0..commits {
            let id = format!("5e551000-0000-4000-8000-{number:012}");
            this.shell(&format!(
                "sed 's/5e551000-0000-4000-8000-000000000001/{id}/' session.jsonl > {id}.jsonl && cd repo && \
                 echo {number} > file{number} && git add -A && git commit -qm {number} && \
                 touchmark attest --base $(git rev-parse HEAD~1) --session ../{id}.jsonl --agent agent --yes --at {AT} \
                 --identity-token ../token.jwt --trusted-root ../root.json --signing-config ../signing.json"
            ));
        }
        this.shell(&format!(
            "cd repo && touchmark show --trusted-root ../root.json $(touchmark find --trusted-root ../root.json --at {AT} \
             --commit HEAD --format json | sed -n 's/.*payloadDigest\": \"\\(.*\\)\".*/\\1/p' | head -1) --raw > ../bundle.json"
        ));
        (this, served.urls().issuer.clone())
    }

    fn repo(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    #[allow(clippy::disallowed_methods, reason = "git is found through the search path")]
    fn environment(&self, command: &mut Command) {
        let program = Path::new(env!("CARGO_BIN_EXE_touchmark"))
            .parent()
            .expect("a folder")
            .display()
            .to_string();
        let path = std::env::var("PATH").expect("a search path");
        command
            .env_clear()
            .env("PATH", format!("{program}:{path}"))
            .env("TOUCHMARK_HOME", self.folder.path().join("home"));
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
    }

    fn shell(&self, line: &str) -> String {
        let mut command = Command::new("sh");
        command.args(["-ec", line]).current_dir(self.folder.path());
        self.environment(&mut command);
        let output = command.output().expect("a shell");
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    }

    fn run(&self, arguments: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_touchmark"));
        command
            .args(arguments)
            .current_dir(self.repo())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.environment(&mut command);
        let status = command.status().expect("the program");
        assert!(black_box(status).success(), "{arguments:?}");
    }
}

fn cold_process(c: &mut Criterion) {
    let mut group = c.benchmark_group("cold process");
    group.sample_size(50);
    let case = Case::with_commits(20);
    let fingerprint = case.shell("touchmark key public --fingerprint");
    group.bench_function("version", |b| b.iter(|| case.run(&["version"])));
    let alone = [
        "verify",
        "--bundle",
        "../bundle.json",
        "--key",
        fingerprint.trim(),
    ];
    group.bench_function("verify one bundle", |b| b.iter(|| case.run(&alone)));
    group.bench_function("verify a pull request of 20 commits", |b| {
        b.iter(|| case.run(&["verify", "main..HEAD"]))
    });
    let (case, issuer) = Case::keyless(20);
    let alone = [
        "verify",
        "--bundle",
        "../bundle.json",
        "--trusted-root",
        "../root.json",
        "--at",
        AT,
    ];
    let signer = [
        "--certificate-identity",
        "agent@bench.example",
        "--certificate-oidc-issuer",
        &issuer,
    ];
    group.bench_function("verify one keyless bundle", |b| {
        b.iter(|| case.run(&[&alone[..], &signer[..]].concat()))
    });
    let change = [
        "verify",
        "work",
        "--target",
        "refs/heads/main",
        "--policy",
        "../policy.toml",
    ];
    let root = ["--trusted-root", "bench=../root.json", "--at", AT];
    group.bench_function("verify a pull request of 20 keyless commits", |b| {
        b.iter(|| case.run(&[&change[..], &root[..]].concat()))
    });
    group.finish();
}

criterion_group!(benches, cold_process);
criterion_main!(benches);
