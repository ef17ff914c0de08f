//! Other implementations publish to the embedded log as they do to Rekor v2, and verify against it.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::clients::{Bench, Cell, Client, Content, Cosign, Log, Signer, SigstoreGo, SigstorePython};
use super::instance::Instance;
use super::matrix::others_only;

/// A served log, stopped when dropped.
struct Served {
    process: Child,
    url: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(bench: &Bench) -> Served {
    let touchmark = Path::new(env!("CARGO_BIN_EXE_touchmark"));
    let mut create = bench.command(touchmark);
    create.args(["log", "create", "--name", "embedded.private.test"]);
    super::succeeded(create.output().unwrap());
    let said = bench.path("log-serve.txt");
    let mut serve = bench.command(touchmark);
    serve.args(["log", "serve", "--listen", "127.0.0.1:0"]);
    serve.stdout(Stdio::null()).stderr(File::create(&said).unwrap());
    let process = serve.spawn().unwrap();
    let mut served = Served {
        process,
        url: String::new(),
    };
    for _ in 0..200 {
        let text = std::fs::read_to_string(&said).unwrap();
        if let (Some(at), true) = (text.find("http://127.0.0.1:"), text.ends_with('\n')) {
            served.url = text[at..].trim().to_owned();
            return served;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the log does not say where it listens");
}

/// The instance with the embedded log in the place of its Rekor logs.
fn with_embedded_log(instance: &Instance, bench: &Bench, url: &str) -> Instance {
    let touchmark = Path::new(env!("CARGO_BIN_EXE_touchmark"));
    let mut root = bench.command(touchmark);
    let root = super::succeeded(root.args(["log", "root"]).output().unwrap());
    let logs = serde_json::from_slice::<Value>(&root).unwrap()["tlogs"].clone();
    let mut trusted: Value = serde_json::from_str(&instance.file("trusted_root.json")).unwrap();
    trusted["tlogs"] = logs;
    let mut config: Value = serde_json::from_str(&instance.file("signing_config.json")).unwrap();
    config["rekorTlogUrls"][0]["url"] = url.into();
    let mut both: Value = serde_json::from_str(&instance.file("client_trust_config.json")).unwrap();
    both["trustedRoot"] = trusted.clone();
    both["signingConfig"] = config.clone();
    let folder = bench.path("with-embedded-log");
    std::fs::create_dir(&folder).unwrap();
    for (name, value) in [
        ("trusted_root.json", trusted),
        ("signing_config.json", config),
        ("client_trust_config.json", both),
    ] {
        std::fs::write(folder.join(name), value.to_string()).unwrap();
    }
    std::fs::copy(instance.path("endpoints.json"), folder.join("endpoints.json")).unwrap();
    Instance::at(folder)
}

fn publish_and_verify(client: &dyn Client, bench: &Bench, signers: &[Signer]) {
    for &signer in signers {
        for content in [Content::Blob, Content::Statement] {
            let log = Log::RekorV2;
            others_only(bench, Cell { signer, log, content }, client);
        }
    }
}

#[test]
fn cosign_sigstore_go_and_sigstore_python_publish_to_it_and_verify_against_it() {
    let (Some(instance), Some(cosign)) = (Instance::running(), Cosign::found()) else {
        return;
    };
    let (Some(go), Some(python)) = (SigstoreGo::found(), SigstorePython::found()) else {
        return;
    };
    let mut bench = Bench::new(instance);
    let served = serve(&bench);
    let instance = with_embedded_log(&bench.instance, &bench, &served.url);
    bench.instance = instance;
    cosign.import_key(&bench);
    publish_and_verify(&cosign, &bench, &[Signer::Keyless, Signer::Key]);
    publish_and_verify(&go, &bench, &[Signer::Keyless, Signer::Key]);
    publish_and_verify(&python, &bench, &[Signer::Keyless]);

    let touchmark = Path::new(env!("CARGO_BIN_EXE_touchmark"));
    let mut check = bench.command(touchmark);
    super::succeeded(check.args(["log", "check"]).output().unwrap());
}
