//! Signers and verifiers of Sigstore bundles: ours, and the real programs of others.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::instance::{ALICE, Instance};
use super::path;

/// What a signature is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    /// A certificate for a person, from an identity token.
    Keyless,
    /// A key of one's own.
    Key,
}

/// Where a signature is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    RekorV1,
    RekorV2,
}

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// The bytes of a file.
    Blob,
    /// An in-toto statement about that file.
    Statement,
}

/// One kind of bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) signer: Signer,
    pub(crate) log: Log,
    pub(crate) content: Content,
}

impl Cell {
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for signer in [Signer::Keyless, Signer::Key] {
            for log in [Log::RekorV2, Log::RekorV1] {
                for content in [Content::Blob, Content::Statement] {
                    all.push(Self { signer, log, content });
                }
            }
        }
        all
    }

    /// A name for files.
    pub(crate) fn name(self) -> String {
        format!("{:?}-{:?}-{:?}", self.signer, self.log, self.content).to_lowercase()
    }

    /// What distinguishes the instance's files for this cell's log.
    fn log_suffix(self) -> &'static str {
        match self.log {
            Log::RekorV1 => ".rekor1",
            Log::RekorV2 => "",
        }
    }
}

/// A folder with everything that is signed, and the keys and roots to verify it with.
///
/// `blob` is signed, `other` is not; `statement.json` is about `blob`. `own.key` signs and `own.pub` verifies;
/// `stranger.pub` is of another key. `other-root.json` is the trusted root of another instance.
pub(crate) struct Bench {
    pub(crate) instance: Instance,
    folder: tempfile::TempDir,
}

pub(crate) const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";
/// The smallest predicate that sigstore-python takes for provenance.
const PREDICATE: &str = concat!(
    r#"{"buildDefinition":{"buildType":"https://example.com/build","externalParameters":{}},"#,
    r#""runDetails":{"builder":{"id":"https://example.com/builder"}}}"#
);

impl Bench {
    pub(crate) fn new(instance: Instance) -> Self {
        use sha2::Digest as _;
        let bench = Self {
            instance,
            folder: tempfile::tempdir().unwrap(),
        };
        let blob = b"what is signed\n";
        bench.write("blob", blob);
        bench.write("other", b"what is not signed\n");
        bench.write("predicate.json", PREDICATE.as_bytes());
        let digest: String = sha2::Sha256::digest(blob)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"blob","digest":{{"sha256":"{digest}"}}}}],"predicateType":"{PREDICATE_TYPE}","predicate":{PREDICATE}}}"#
        );
        bench.write("statement.json", statement.as_bytes());
        for key in ["own", "stranger"] {
            let private = format!("{key}.key");
            let mut generate = bench.command(Path::new(env!("CARGO_BIN_EXE_touchmark")));
            generate.args(["key", "generate", "--plain", "--output", &private]);
            super::succeeded(generate.output().unwrap());
        }
        let other = touchmark_testkit::sigstore::Instance::new(7, Default::default());
        bench.write("other-root.json", other.trusted_root_json().as_bytes());
        bench
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program in the bench's folder, with an environment that leads nowhere else.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env_clear();
        command
            .env("PATH", path())
            .env("HOME", self.folder.path())
            .env("TOUCHMARK_HOME", self.folder.path().join("home"))
            .env("COSIGN_PASSWORD", "TEST-ONLY");
        command
    }
}

/// What a verifier is asked.
#[derive(Clone)]
pub(crate) struct Question {
    pub(crate) bundle: String,
    pub(crate) artifact: &'static str,
    pub(crate) identity: String,
    pub(crate) issuer: String,
    pub(crate) key: &'static str,
    pub(crate) root: String,
}

/// Something that a program cannot do, and how it says so.
pub(crate) struct Limit {
    pub(crate) why: &'static str,
    pub(crate) says: &'static str,
}

/// A program that signs and verifies.
pub(crate) trait Client {
    fn name(&self) -> &'static str;

    /// Signs for [`ALICE`] or with `own.key`.
    fn sign(&self, bench: &Bench, cell: Cell, bundle: &str) -> Output;

    fn verify(&self, bench: &Bench, cell: Cell, question: &Question) -> Output;

    fn cannot_sign(&self, _: Cell) -> Option<Limit> {
        None
    }

    fn cannot_verify(&self, _: Cell) -> Option<Limit> {
        None
    }
}

/// The arguments that name the expected signer, as cosign, sigstore-go and we spell them.
fn expected_signer(cell: Cell, question: &Question) -> Vec<String> {
    match cell.signer {
        Signer::Key => vec!["--key".to_owned(), question.key.to_owned()],
        Signer::Keyless => vec![
            "--certificate-identity".to_owned(),
            question.identity.clone(),
            "--certificate-oidc-issuer".to_owned(),
            question.issuer.clone(),
        ],
    }
}

/// The program that a variable names.
fn program(variable: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        println!("skipped: {variable} does not name a program");
    }
    found
}

/// cosign 3.
pub(crate) struct Cosign(PathBuf);

impl Cosign {
    pub(crate) fn found() -> Option<Self> {
        program("TOUCHMARK_TEST_COSIGN").map(Self)
    }

    /// Gives cosign the bench's key in the form that it reads.
    pub(crate) fn import_key(&self, bench: &Bench) {
        let mut import = bench.command(&self.0);
        import.args([
            "import-key-pair",
            "--key",
            "own.key",
            "--output-key-prefix",
            "cosign",
        ]);
        super::succeeded(import.output().unwrap());
    }
}

impl Client for Cosign {
    fn name(&self) -> &'static str {
        "cosign"
    }

    fn sign(&self, bench: &Bench, cell: Cell, bundle: &str) -> Output {
        let mut command = bench.command(&self.0);
        match cell.content {
            Content::Blob => command.arg("sign-blob"),
            Content::Statement => command.args(["attest-blob", "--statement", "statement.json"]),
        };
        let config = bench
            .instance
            .argument(&format!("signing_config{}.json", cell.log_suffix()));
        let root = bench.instance.argument("trusted_root.json");
        command.args([
            "--yes",
            "--bundle",
            bundle,
            "--signing-config",
            &config,
            "--trusted-root",
            &root,
        ]);
        match cell.signer {
            Signer::Keyless => command.args(["--identity-token", &bench.instance.token(ALICE)]),
            Signer::Key => command.args(["--key", "cosign.key"]),
        };
        if cell.content == Content::Blob {
            command.arg("blob");
        }
        command.output().unwrap()
    }

    fn verify(&self, bench: &Bench, cell: Cell, question: &Question) -> Output {
        let mut command = bench.command(&self.0);
        match cell.content {
            Content::Blob => command.arg("verify-blob"),
            Content::Statement => command.args(["verify-blob-attestation", "--type", PREDICATE_TYPE]),
        };
        command.args([
            "--new-bundle-format",
            "--bundle",
            &question.bundle,
            "--trusted-root",
            &question.root,
        ]);
        if cell.signer == Signer::Keyless {
            command.arg("--use-signed-timestamps");
        }
        command
            .args(expected_signer(cell, question))
            .arg(question.artifact);
        command.output().unwrap()
    }
}

/// sigstore-go 1.2, through the small program in `tests/sigstore/tools/client`.
pub(crate) struct SigstoreGo(PathBuf);

impl SigstoreGo {
    pub(crate) fn found() -> Option<Self> {
        program("TOUCHMARK_TEST_SIGSTORE_GO").map(Self)
    }
}

impl Client for SigstoreGo {
    fn name(&self) -> &'static str {
        "sigstore-go"
    }

    fn sign(&self, bench: &Bench, cell: Cell, bundle: &str) -> Output {
        let config = bench
            .instance
            .argument(&format!("signing_config{}.json", cell.log_suffix()));
        let root = bench.instance.argument("trusted_root.json");
        let mut command = bench.command(&self.0);
        command.args(["sign", "--signing-config", &config, "--trusted-root", &root]);
        command.args(["--bundle", bundle]);
        match cell.signer {
            Signer::Keyless => command.args(["--identity-token", &bench.instance.token(ALICE)]),
            Signer::Key => command.args(["--key", "own.key"]),
        };
        match cell.content {
            Content::Blob => command.arg("blob"),
            Content::Statement => command.args(["--in-toto", "statement.json"]),
        };
        command.output().unwrap()
    }

    fn verify(&self, bench: &Bench, cell: Cell, question: &Question) -> Output {
        let mut command = bench.command(&self.0);
        command.args(["verify", "--bundle", &question.bundle]);
        command.args(["--trusted-root", &question.root]);
        command
            .args(expected_signer(cell, question))
            .arg(question.artifact);
        command.output().unwrap()
    }
}

/// sigstore-python 4.
pub(crate) struct SigstorePython(PathBuf);

impl SigstorePython {
    pub(crate) fn found() -> Option<Self> {
        program("TOUCHMARK_TEST_SIGSTORE_PYTHON").map(Self)
    }

    /// The program with a file that holds the named trusted root and the instance's signing config for the log.
    fn command(&self, bench: &Bench, cell: Cell, root: &str) -> Command {
        let name = format!("client_trust_config{}.json", cell.log_suffix());
        let mut config: serde_json::Value = serde_json::from_str(&bench.instance.file(&name)).unwrap();
        let root = std::fs::read(bench.path(root)).unwrap();
        config["trustedRoot"] = serde_json::from_slice(&root).unwrap();
        let digest = format!("{:?}", std::thread::current().id());
        let file = bench.path(&format!("trust-{digest}.json"));
        std::fs::write(&file, config.to_string()).unwrap();
        let mut command = bench.command(&self.0);
        command.args(["-m", "sigstore", "--trust-config"]).arg(file);
        command
    }
}

impl Client for SigstorePython {
    fn name(&self) -> &'static str {
        "sigstore-python"
    }

    fn sign(&self, bench: &Bench, cell: Cell, bundle: &str) -> Output {
        let root = bench.instance.argument("trusted_root.json");
        let mut command = self.command(bench, cell, &root);
        match cell.content {
            Content::Blob => command.arg("sign"),
            Content::Statement => command.args([
                "attest",
                "--predicate",
                "predicate.json",
                "--predicate-type",
                PREDICATE_TYPE,
            ]),
        };
        match cell.signer {
            Signer::Keyless => command.args(["--identity-token", &bench.instance.token(ALICE)]),
            Signer::Key => command.args(["--key", "own.key"]),
        };
        command.args(["--bundle", bundle, "blob"]).output().unwrap()
    }

    fn verify(&self, bench: &Bench, cell: Cell, question: &Question) -> Output {
        let mut command = self.command(bench, cell, &question.root);
        command.args(["verify", "identity", "--bundle", &question.bundle]);
        command.args(["--cert-identity", &question.identity]);
        command.args(["--cert-oidc-issuer", &question.issuer]);
        command.arg(question.artifact).output().unwrap()
    }

    fn cannot_sign(&self, cell: Cell) -> Option<Limit> {
        (cell.signer == Signer::Key).then_some(Limit {
            why: "it has no managed keys",
            says: "unrecognized arguments: --key",
        })
    }

    fn cannot_verify(&self, cell: Cell) -> Option<Limit> {
        (cell.signer == Signer::Key).then_some(Limit {
            why: "it has no managed keys",
            says: "expected certificate in bundle",
        })
    }
}

/// Ours, through the programs of this project.
pub(crate) struct Touchmark;

impl Touchmark {
    fn conformance(bench: &Bench) -> Command {
        bench.command(Path::new(env!("CARGO_BIN_EXE_touchmark-conformance")))
    }
}

impl Client for Touchmark {
    fn name(&self) -> &'static str {
        "touchmark"
    }

    fn sign(&self, bench: &Bench, cell: Cell, bundle: &str) -> Output {
        let config = bench
            .instance
            .argument(&format!("signing_config{}.json", cell.log_suffix()));
        let root = bench.instance.argument("trusted_root.json");
        let mut command = Self::conformance(bench);
        command.args([
            "sign-bundle",
            "--signing-config",
            &config,
            "--trusted-root",
            &root,
        ]);
        command.args(["--bundle", bundle]);
        match cell.signer {
            Signer::Keyless => command.args(["--identity-token", &bench.instance.token(ALICE)]),
            Signer::Key => command.args(["--key", "own.key"]),
        };
        match cell.content {
            Content::Blob => command.arg("blob"),
            Content::Statement => command.args(["--in-toto", "statement.json"]),
        };
        command.output().unwrap()
    }

    /// Both of our programs are asked, and must agree.
    fn verify(&self, bench: &Bench, cell: Cell, question: &Question) -> Output {
        let mut verify = bench.command(Path::new(env!("CARGO_BIN_EXE_touchmark")));
        verify.args(["verify", "--bundle", &question.bundle]);
        verify.args(["--trusted-root", &question.root, "--artifact", question.artifact]);
        verify.args(expected_signer(cell, question));
        let second = verify.output().unwrap();

        let mut conformance = Self::conformance(bench);
        conformance.args(["verify-bundle", "--bundle", &question.bundle]);
        conformance.args(["--trusted-root", &question.root]);
        conformance
            .args(expected_signer(cell, question))
            .arg(question.artifact);
        let answered = conformance.output().unwrap();
        assert_eq!(
            answered.status.success(),
            second.status.success(),
            "{} {}: our programs disagree\n{}\n{}",
            cell.name(),
            question.bundle,
            String::from_utf8_lossy(&answered.stderr),
            String::from_utf8_lossy(&second.stderr),
        );
        answered
    }
}
