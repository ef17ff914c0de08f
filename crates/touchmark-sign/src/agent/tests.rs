//! Tests against a scripted agent that misbehaves in one way, and against a real one where it is installed.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use super::*;
use crate::PrivateKey;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);

fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn message(kind: u8, contents: &[u8]) -> Vec<u8> {
    string(&[&[kind][..], contents].concat())
}

fn ed25519_blob(key: &PublicKey) -> Vec<u8> {
    [string(b"ssh-ed25519"), string(key.raw())].concat()
}

fn p256_blob(key: &PublicKey) -> Vec<u8> {
    [
        string(b"ecdsa-sha2-nistp256"),
        string(b"nistp256"),
        string(key.raw()),
    ]
    .concat()
}

fn identities(keys: &[(&[u8], &str)]) -> Vec<u8> {
    let mut contents = u32::try_from(keys.len()).unwrap().to_be_bytes().to_vec();
    for (blob, comment) in keys {
        contents.extend(string(blob));
        contents.extend(string(comment.as_bytes()));
    }
    message(IDENTITIES_ANSWER, &contents)
}

fn signed(kind: &[u8], signature: &[u8]) -> Vec<u8> {
    message(
        SIGN_RESPONSE,
        &string(&[string(kind), string(signature)].concat()),
    )
}

/// An agent that gives these answers, one for each connection, and then closes.
fn scripted(answers: Vec<Vec<u8>>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent");
    let listener = UnixListener::bind(&socket).unwrap();
    thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else {
                return;
            };
            let mut len = [0; 4];
            if stream.read_exact(&mut len).is_ok() {
                let mut question = vec![0; usize::try_from(u32::from_be_bytes(len)).unwrap()];
                let _ = stream.read_exact(&mut question);
                let _ = stream.write_all(&answer);
            }
        }
    });
    (folder, socket)
}

fn ed25519() -> PrivateKey {
    PrivateKey::from_secret(KeyAlgorithm::Ed25519, &[7; 32]).unwrap()
}

fn p256() -> PrivateKey {
    PrivateKey::from_secret(KeyAlgorithm::EcdsaP256Sha256, &[7; 32]).unwrap()
}

/// The code of asking for one signature over "m" from an agent that lists `key` and then gives `answer`.
fn sign_code(key: &PrivateKey, answer: Vec<u8>) -> &'static str {
    let blob = match key.algorithm() {
        KeyAlgorithm::Ed25519 => ed25519_blob(key.public_key()),
        _ => p256_blob(key.public_key()),
    };
    let (_folder, socket) = scripted(vec![identities(&[(&blob, "key")]), answer]);
    let signer = AgentSigner::select(&socket, &Selector::OnlyUsable, LONG).unwrap();
    signer
        .sign(b"m")
        .map(|_| "accepted")
        .unwrap_or_else(|error| error.code())
}

fn select_code(answer: Vec<u8>, selector: &str) -> &'static str {
    let (_folder, socket) = scripted(vec![answer]);
    let selected = AgentSigner::select(&socket, &Selector::parse(selector), LONG);
    selected.map(|_| "accepted").unwrap_or_else(|error| error.code())
}

/// The two mpints of an ECDSA signature.
fn mpints(der: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let r_end = 4 + usize::from(der[3]);
    (der[4..r_end].to_vec(), der[r_end + 2..].to_vec())
}

#[test]
fn signatures_are_taken_only_in_their_own_form_and_only_if_they_verify() {
    let key = ed25519();
    let good = key.sign(b"m").unwrap();
    assert_eq!(sign_code(&key, signed(b"ssh-ed25519", &good)), "accepted");
    assert_eq!(sign_code(&key, signed(b"ssh-rsa", &good)), "agent.protocol");
    assert_eq!(
        sign_code(&key, signed(b"ssh-ed25519", &good[1..])),
        "sign.self_check"
    );
    assert_eq!(
        sign_code(&key, signed(b"ssh-ed25519", &key.sign(b"other").unwrap())),
        "sign.self_check"
    );

    let key = p256();
    let (r, s) = mpints(&key.sign(b"m").unwrap());
    let kind = b"ecdsa-sha2-nistp256";
    assert_eq!(
        sign_code(&key, signed(kind, &[string(&r), string(&s)].concat())),
        "accepted"
    );
    let negative = [&[0x80][..], &r[1..]].concat();
    for broken in [
        [string(&r), string(&s), string(b"")].concat(),
        [string(&negative), string(&s)].concat(),
        [string(b""), string(&s)].concat(),
        [string(&[0]), string(&s)].concat(),
        [string(&[1; 33]), string(&s)].concat(),
        string(&r),
        [r.clone(), s.clone()].concat(),
    ] {
        assert_eq!(sign_code(&key, signed(kind, &broken)), "agent.protocol");
    }
    assert_eq!(
        sign_code(&key, signed(kind, &[string(&s), string(&r)].concat())),
        "sign.self_check"
    );
}

#[test]
fn answers_outside_the_protocol_are_refused() {
    let key = ed25519();
    let good = key.sign(b"m").unwrap();
    let trailing = message(SIGN_RESPONSE, &[string(&string(&good)), vec![0]].concat());
    assert_eq!(sign_code(&key, trailing), "agent.protocol");
    assert_eq!(sign_code(&key, message(5, b"")), "agent.refused");
    assert_eq!(sign_code(&key, message(IDENTITIES_ANSWER, b"")), "agent.protocol");
    assert_eq!(sign_code(&key, vec![]), "agent.protocol");
    assert_eq!(sign_code(&key, vec![0, 0, 0, 0]), "agent.protocol");
    // A length that would need 4 GiB.
    assert_eq!(
        sign_code(&key, vec![0xff, 0xff, 0xff, 0xff, 14]),
        "agent.protocol"
    );
    // More keys announced than sent, and more sent than announced.
    assert_eq!(
        select_code(message(IDENTITIES_ANSWER, &u32::MAX.to_be_bytes()), ""),
        "agent.protocol"
    );
    assert_eq!(
        select_code(message(IDENTITIES_ANSWER, &[0, 0, 0, 2]), ""),
        "agent.protocol"
    );
    assert_eq!(
        select_code(message(IDENTITIES_ANSWER, &[0, 0, 0, 0, 1]), ""),
        "agent.protocol"
    );
}

#[test]
fn an_agent_that_is_silent_or_slow_or_gone_does_not_hold_us() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("silent");
    let listener = UnixListener::bind(&socket).unwrap();
    assert_eq!(list(&socket, SHORT).unwrap_err().code(), "agent.timeout");
    drop(listener);
    assert_eq!(list(&socket, SHORT).unwrap_err().code(), "agent.unreachable");
    assert_eq!(
        list(&folder.path().join("nothing"), SHORT).unwrap_err().code(),
        "agent.unreachable"
    );

    // One byte now and then never ends the wait for the whole answer.
    let socket = folder.path().join("slow");
    let listener = UnixListener::bind(&socket).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for byte in [0, 0, 1, 0]
            .into_iter()
            .chain(std::iter::repeat_n(IDENTITIES_ANSWER, 100))
        {
            thread::sleep(SHORT / 6);
            if stream.write_all(&[byte]).is_err() {
                return;
            }
        }
    });
    assert_eq!(list(&socket, SHORT).unwrap_err().code(), "agent.timeout");

    let key = ed25519();
    let (_folder, socket) = scripted(vec![identities(&[(&ed25519_blob(key.public_key()), "key")])]);
    let signer = AgentSigner::select(&socket, &Selector::OnlyUsable, LONG).unwrap();
    assert_eq!(
        signer.sign(&[0; 300_000]).unwrap_err().code(),
        "agent.message_too_large"
    );
}

#[test]
fn one_key_is_chosen_by_fingerprint_or_comment_or_because_it_is_the_only_one() {
    let (first, second) = (ed25519(), p256());
    let (first_blob, second_blob) = (ed25519_blob(first.public_key()), p256_blob(second.public_key()));
    let rsa = [string(b"ssh-rsa"), string(b"e"), string(b"n")].concat();
    let fido = [
        string(b"sk-ssh-ed25519@openssh.com"),
        string(&[7; 32]),
        string(b"ssh:"),
    ]
    .concat();
    let both = || {
        identities(&[
            (&first_blob, "one"),
            (&second_blob, "two"),
            (&rsa, "old"),
            (&fido, "token"),
        ])
    };
    let ssh_name = Identity::parse(&first_blob, b"").ssh_fingerprint;
    assert!(ssh_name.starts_with("SHA256:") && ssh_name.len() == 50);
    assert_eq!(select_code(both(), &ssh_name), "accepted");
    assert_eq!(
        select_code(both(), &second.public_key().fingerprint().to_string()),
        "accepted"
    );
    assert_eq!(select_code(both(), "two"), "accepted");
    assert_eq!(select_code(both(), ""), "agent.ambiguous_key");
    assert_eq!(select_code(both(), "three"), "agent.key_not_found");
    assert_eq!(select_code(both(), "old"), "key.unsupported_algorithm");
    assert_eq!(select_code(both(), "token"), "key.fido");
    let one = || identities(&[(&rsa, "old"), (&second_blob, "two"), (&fido, "token")]);
    assert_eq!(select_code(one(), ""), "accepted");
    assert_eq!(
        select_code(identities(&[(&rsa, "old"), (&fido, "token")]), ""),
        "agent.no_usable_key"
    );
    assert_eq!(
        select_code(
            identities(&[(&first_blob, "same"), (&second_blob, "same")]),
            "same"
        ),
        "agent.ambiguous_key"
    );
    // A weak key is no usable key.
    let weak = [string(b"ssh-ed25519"), string(&[0; 32])].concat();
    assert_eq!(
        select_code(identities(&[(&weak, "weak")]), ""),
        "agent.no_usable_key"
    );
    // What an agent says about a key is never shown raw.
    let identity = Identity::parse(&first_blob, b"\x1b[31mred\x07\xff");
    assert_eq!(identity.comment, "?[31mred??");
}

/// A real ssh-agent that ends with this value.
struct RealAgent {
    child: Child,
    folder: TempDir,
}

impl RealAgent {
    /// Starts an agent in the foreground and adds keys to it, or says why not.
    fn start(keys: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        let quiet = |command: &mut Command| {
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
        };
        let Ok(child) = quiet(Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket)) else {
            println!("skipped: ssh-agent is not installed");
            return None;
        };
        let agent = RealAgent { child, folder };
        while !socket.exists() {
            thread::sleep(Duration::from_millis(5));
        }
        for (index, key) in keys.iter().enumerate() {
            let path = agent.folder.path().join(index.to_string());
            std::fs::write(&path, key).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let Ok(mut add) = quiet(Command::new("ssh-add").env("SSH_AUTH_SOCK", &socket).arg(&path)) else {
                println!("skipped: ssh-add is not installed");
                return None;
            };
            assert!(add.wait().unwrap().success());
        }
        Some(agent)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("agent")
    }
}

impl Drop for RealAgent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

macro_rules! key {
    ($name:literal) => {
        include_str!(concat!("../../../../testdata/keys/", $name))
    };
}

#[test]
fn a_real_agent_signs_with_each_kind_of_key() {
    let files = [
        key!("TEST-ONLY-ssh-ecdsa-256"),
        key!("TEST-ONLY-ssh-ecdsa-384"),
        key!("TEST-ONLY-ssh-ed25519"),
    ];
    let Some(agent) = RealAgent::start(&[&files[..], &[key!("TEST-ONLY-ssh-rsa-2048")]].concat()) else {
        return;
    };
    let socket = agent.socket();
    assert_eq!(list(&socket, LONG).unwrap().len(), 4);
    let several = AgentSigner::select(&socket, &Selector::OnlyUsable, LONG).unwrap_err();
    assert_eq!(several.code(), "agent.ambiguous_key");
    for file in files {
        let expected = crate::key_file::parse(file.as_bytes(), None).unwrap();
        let fingerprint = expected.public_key().fingerprint().to_string();
        let signer = AgentSigner::select(&socket, &Selector::parse(&fingerprint), LONG).unwrap();
        assert_eq!(signer.public_key(), expected.public_key());
        // Often enough that signatures with short numbers and with leading zeros occur.
        for round in 0..40_u32 {
            let message = [b"DSSEv1 ", &round.to_be_bytes()[..]].concat();
            let signature = signer.sign(&message).unwrap();
            expected.public_key().verify(&message, &signature).unwrap();
        }
    }
}
