//! `touchmark key`, and what is refused as a key.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use crate::common::{Outcome, Sandbox};

const PASSWORD: &str = "correct horse battery staple";

fn with_password(sandbox: &Sandbox, arguments: &[&str], password: &str) -> Outcome {
    let mut command = sandbox.command(arguments);
    command.env("TOUCHMARK_PASSWORD", password);
    Outcome::of(command.output().unwrap())
}

fn key_file(sandbox: &Sandbox, name: &str) -> PathBuf {
    sandbox.path(format!("touchmark/config/keys/{name}.pem"))
}

/// A plain key outside every work tree.
fn plain_key(sandbox: &Sandbox) -> PathBuf {
    sandbox.touchmark(["key", "generate", "plain", "--plain"]).ok();
    key_file(sandbox, "plain")
}

#[test]
fn a_generated_key_is_private_encrypted_and_readable_again() {
    let sandbox = Sandbox::new();
    for (name, algorithm) in [("one", "p256"), ("two", "p384"), ("three", "ed25519")] {
        with_password(
            &sandbox,
            &["key", "generate", name, "--algorithm", algorithm],
            PASSWORD,
        )
        .ok();
        let file = key_file(&sandbox, name);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----"),
            "{text}"
        );
        let uri = file.to_str().unwrap();
        let public = with_password(&sandbox, &["key", "public", "--key", uri], PASSWORD)
            .ok()
            .stdout;
        assert_eq!(public, fs::read_to_string(file.with_extension("pub")).unwrap());
    }
    let rows = sandbox.touchmark(["key", "list", "--format", "json"]).ok().json()["keys"].clone();
    let names: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["one", "three", "two"]);
    assert!(rows[0]["fingerprint"].as_str().unwrap().starts_with("sha256:"));
}

#[test]
fn a_key_is_never_overwritten_and_never_without_password_by_accident() {
    let sandbox = Sandbox::new();
    sandbox
        .touchmark(["key", "generate", "a"])
        .refused(2, "key.password_required");
    with_password(&sandbox, &["key", "generate", "a"], "").refused(2, "key.password_required");
    let before = fs::read(plain_key(&sandbox)).unwrap();
    sandbox
        .touchmark(["key", "generate", "plain", "--plain"])
        .refused(2, "key.file_exists");
    assert_eq!(fs::read(key_file(&sandbox, "plain")).unwrap(), before);
    for name in ["../x", "-x", ".x", "a/b", ""] {
        assert_eq!(
            sandbox.touchmark(["key", "generate", "--plain", "--", name]).code,
            Some(2),
            "{name}"
        );
    }
}

#[test]
fn a_password_comes_from_a_descriptor_before_the_environment() {
    let sandbox = Sandbox::new();
    with_password(&sandbox, &["key", "generate", "a"], PASSWORD).ok();
    let file = sandbox.path("password");
    fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let mut command = sandbox.command([
        "key",
        "public",
        "--key",
        key_file(&sandbox, "a").to_str().unwrap(),
    ]);
    command
        .args(["--password-fd", "0"])
        .env("TOUCHMARK_PASSWORD", "wrong")
        .stdin(fs::File::open(file).unwrap());
    Outcome::of(command.output().unwrap()).ok();
    let mut command = sandbox.command([
        "key",
        "public",
        "--key",
        key_file(&sandbox, "a").to_str().unwrap(),
    ]);
    command.env("COSIGN_PASSWORD", PASSWORD);
    Outcome::of(command.output().unwrap()).ok();
}

#[test]
fn an_openssh_and_a_pkcs8_key_are_imported() {
    let sandbox = Sandbox::new();
    let plain = plain_key(&sandbox);
    sandbox
        .touchmark(["key", "import", plain.to_str().unwrap(), "copy", "--plain"])
        .ok();
    assert_eq!(
        fs::read(key_file(&sandbox, "copy")).unwrap(),
        fs::read(plain).unwrap()
    );
    let ssh = sandbox.path("id_ecdsa");
    let mut keygen = std::process::Command::new("ssh-keygen");
    keygen
        .args(["-q", "-t", "ecdsa", "-b", "256", "-N", "", "-f"])
        .arg(&ssh);
    match keygen.status() {
        Ok(status) if status.success() => {
            sandbox
                .touchmark(["key", "import", ssh.to_str().unwrap(), "ssh", "--plain"])
                .ok();
        }
        _ => println!("skipped: there is no ssh-keygen here"),
    }
}

#[test]
fn case_240_a_public_key_is_not_taken_for_a_private_one_nor_a_key_for_its_name() {
    let sandbox = Sandbox::with_change();
    let public = plain_key(&sandbox).with_extension("pub");
    fs::set_permissions(&public, fs::Permissions::from_mode(0o600)).unwrap();
    let outcome = sandbox.touchmark(["attest", "--key", public.to_str().unwrap()]);
    outcome.refused(2, "key.public_where_private_expected");

    let text = fs::read_to_string(key_file(&sandbox, "plain")).unwrap();
    let outcome = sandbox
        .touchmark(["attest", "--key", &text])
        .refused(2, "key.name_is_key");
    let secret = text.lines().nth(1).unwrap();
    assert!(!outcome.stderr.contains(secret), "the key was echoed");
    assert!(sandbox.evidence_refs().is_empty());
}

#[test]
fn case_241_a_key_file_that_others_can_reach_is_refused() {
    let sandbox = Sandbox::with_change();
    let attest = |key: &PathBuf| sandbox.touchmark(["attest", "--key", key.to_str().unwrap()]);
    let good = plain_key(&sandbox);
    let copy = |name: &str, mode: u32| {
        let file = sandbox.path(name);
        fs::copy(&good, &file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        file
    };
    attest(&copy("group.pem", 0o640)).refused(2, "key.file_permissions");
    attest(&copy("world.pem", 0o604)).refused(2, "key.file_permissions");
    let link = sandbox.path("link.pem");
    symlink(&good, &link).unwrap();
    attest(&link).refused(2, "key.file_symlink");
    let pipe = sandbox.path("pipe.pem");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    attest(&pipe).refused(2, "key.file_not_regular");
    attest(&sandbox.path("home")).refused(2, "key.file_not_regular");
    attest(&copy("repo/inside.pem", 0o600)).refused(2, "key.file_in_work_tree");
    attest(&copy("repo/src/inside.pem", 0o600)).refused(2, "key.file_in_work_tree");
    attest(&sandbox.path("absent.pem")).refused(2, "key.file_not_found");
    assert!(sandbox.evidence_refs().is_empty());
}

#[test]
fn case_242_a_wrong_password_and_a_huge_derivation_end_in_an_error() {
    let sandbox = Sandbox::with_change();
    with_password(&sandbox, &["key", "generate", "locked"], PASSWORD).ok();
    let file = key_file(&sandbox, "locked");
    let attest = ["attest", "--key", file.to_str().unwrap()];
    with_password(&sandbox, &attest, "wrong").refused(1, "key.password_wrong");
    sandbox.touchmark(attest).refused(2, "key.password_required");
    assert!(sandbox.evidence_refs().is_empty());

    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let text = fs::read_to_string(&file).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let json = String::from_utf8(base64.decode(body).unwrap()).unwrap();
    assert!(json.contains("\"N\":65536"), "{json}");
    let costly = base64.encode(json.replace("\"N\":65536", "\"N\":1099511627776"));
    let costly: Vec<&str> = costly
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let costly = costly.join("\n");
    let label = "ENCRYPTED SIGSTORE PRIVATE KEY";
    let huge = sandbox.path("huge.pem");
    fs::write(
        &huge,
        format!("-----BEGIN {label}-----\n{costly}\n-----END {label}-----\n"),
    )
    .unwrap();
    fs::set_permissions(&huge, fs::Permissions::from_mode(0o600)).unwrap();
    let started = std::time::Instant::now();
    with_password(&sandbox, &["attest", "--key", huge.to_str().unwrap()], PASSWORD)
        .refused(1, "key.kdf_cost");
    assert!(
        started.elapsed() < std::time::Duration::from_secs(20),
        "nothing may be derived"
    );
    with_password(&sandbox, &attest, PASSWORD).ok();
}
