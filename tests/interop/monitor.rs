//! The monitor on real logs of both generations: what somebody signed in a name that policy watches, and what explains it.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use crate::instance::Instance;

/// Nobody else signs in this name, so that the other tests' entries do not matter.
const WATCHED: &str = "watched@private.test";

struct Case {
    instance: Instance,
    folder: tempfile::TempDir,
}

impl Case {
    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Signs a blob in the watched name and logs it as this signing config says.
    fn sign(&self, name: &str, config: &str) {
        fs::write(self.file("blob"), name).unwrap();
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"{name}","digest":{{"sha256":"{}"}}}}],"predicateType":"https://example.test/p","predicate":{{}}}}"#,
            "5".repeat(64)
        );
        fs::write(self.file("statement"), statement).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_touchmark-conformance"));
        command.args([
            "sign-bundle",
            "--identity-token",
            &self.instance.token(WATCHED),
            "--in-toto",
        ]);
        command.args(["--signing-config", &self.instance.argument(config)]);
        command.args(["--trusted-root", &self.instance.argument("trusted_root.json")]);
        command.args(["--bundle", &self.file(name), &self.file("statement")]);
        super::succeeded(command.output().unwrap());
    }

    /// One pass over both logs.
    fn pass(&self, flags: &[&str]) -> Output {
        let log = |name: &str| {
            let origin = self.instance.endpoint(&format!("{name}Name"));
            format!("{origin}={}", self.instance.endpoint(name))
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_touchmark"));
        command.env("TOUCHMARK_HOME", self.file("home"));
        command.args(["monitor", "--once", "--grace", "0s", "--format", "json"]);
        command.args(["--policy", &self.file("policy.toml")]);
        command.args(["--trusted-root", &self.instance.argument("trusted_root.json")]);
        command.args(["--log", &log("rekor1"), "--log", &log("rekor2")]);
        command.args(flags).output().unwrap()
    }
}

#[track_caller]
fn ended(output: &Output, exit: i32) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{text}{said}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_watched_name_is_found_in_real_logs_until_evidence_explains_it() {
    let Some(instance) = Instance::running() else {
        return;
    };
    let case = Case {
        instance,
        folder: tempfile::tempdir().unwrap(),
    };
    let policy = format!(
        "version = 1\nserial = 1\nexpires = 2099-12-31\n\n[trust]\nlog = {{ inclusion = true, self = \"deny\" }}\n\n\
         [[person]]\nid = \"watched\"\nsigners = [{{ issuer = \"{}\", san = \"{WATCHED}\" }}]\n",
        case.instance.issuer()
    );
    fs::write(case.file("policy.toml"), policy).unwrap();
    case.sign("first.json", "signing_config.json");
    case.sign("second.json", "signing_config.rekor1.json");

    let found = ended(&case.pass(&[]), 13);
    let open = found["open"].as_array().unwrap();
    assert_eq!(open.len(), 2, "{found}");
    assert!(
        open.iter()
            .all(|alert| alert["proof"] == "issued" && alert["principal"] == "watched")
    );
    let kinds: Vec<&str> = open.iter().map(|alert| alert["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"hashedrekord 0.0.2"), "{kinds:?}");
    assert!(kinds.iter().any(|kind| kind.ends_with("0.0.1")), "{kinds:?}");
    assert_eq!(found["logs"].as_array().unwrap().len(), 2);

    let (first, second) = (case.file("first.json"), case.file("second.json"));
    let half = ended(&case.pass(&["--bundle", &first]), 13);
    assert_eq!(half["open"].as_array().unwrap().len(), 1);
    ended(&case.pass(&["--bundle", &first, "--bundle", &second]), 0);

    // From here on only what is new is read, and both logs are proven to extend what was seen.
    case.sign("third.json", "signing_config.json");
    let again = ended(&case.pass(&["--bundle", &first, "--bundle", &second]), 13);
    assert_eq!(again["new"].as_array().unwrap().len(), 1);
    assert_eq!(again["alarms"], Value::Array(Vec::new()));
}
