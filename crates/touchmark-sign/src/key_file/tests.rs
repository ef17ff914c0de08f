//! Tests of key files. Each rejection starts from a file that loads and breaks one thing.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;
use touchmark_verify::key::KeyAlgorithm;

use super::*;
use crate::Signer;

macro_rules! key {
    ($name:literal) => {
        include_str!(concat!("../../../../testdata/keys/", $name))
    };
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

fn cosign_password() -> Password {
    password("TEST-ONLY cosign password")
}

fn ssh_password() -> Password {
    password("TEST-ONLY ssh password")
}

fn parse_code(text: impl AsRef<[u8]>, password: Option<&Password>) -> &'static str {
    parse(text.as_ref(), password)
        .map(|_| "accepted")
        .unwrap_or_else(|error| error.code())
}

fn load_code(path: &Path, placement: &Placement<'_>) -> &'static str {
    load(path, placement, None)
        .map(|_| "accepted")
        .unwrap_or_else(|error| error.code())
}

/// Writes the P-256 key where its file may lie.
fn good_file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    write_new(
        &path,
        key!("TEST-ONLY-p256.pem").as_bytes(),
        &Placement::default(),
    )
    .unwrap();
    assert_eq!(load_code(&path, &Placement::default()), "accepted");
    (folder, path)
}

/// Every readable private key with its password and its public half.
fn readable() -> Vec<(&'static str, Option<Password>, String)> {
    let ssh = |line: &str| {
        let key = ssh_key::PublicKey::from_openssh(line).unwrap();
        let (algorithm, raw) = match key.key_data() {
            ssh_key::public::KeyData::Ecdsa(ssh_key::public::EcdsaPublicKey::NistP256(point)) => {
                (KeyAlgorithm::EcdsaP256Sha256, point.as_bytes().to_vec())
            }
            ssh_key::public::KeyData::Ecdsa(ssh_key::public::EcdsaPublicKey::NistP384(point)) => {
                (KeyAlgorithm::EcdsaP384Sha384, point.as_bytes().to_vec())
            }
            ssh_key::public::KeyData::Ed25519(point) => (KeyAlgorithm::Ed25519, point.0.to_vec()),
            other => panic!("{other:?}"),
        };
        PublicKey::from_raw(algorithm, &raw).unwrap().to_pem()
    };
    let (p256, p384, ed25519) = (
        ssh(key!("TEST-ONLY-ssh-ecdsa-256.pub")),
        ssh(key!("TEST-ONLY-ssh-ecdsa-384.pub")),
        ssh(key!("TEST-ONLY-ssh-ed25519.pub")),
    );
    vec![
        (
            key!("TEST-ONLY-p256.pem"),
            None,
            key!("public/p256.pem").to_owned(),
        ),
        (
            key!("TEST-ONLY-p384.pem"),
            None,
            key!("public/p384.pem").to_owned(),
        ),
        (
            key!("TEST-ONLY-ed25519.pem"),
            None,
            key!("public/ed25519.pem").to_owned(),
        ),
        (
            key!("TEST-ONLY-cosign.key"),
            Some(cosign_password()),
            key!("TEST-ONLY-cosign.pub").to_owned(),
        ),
        (key!("TEST-ONLY-ssh-ecdsa-256"), None, p256.clone()),
        (key!("TEST-ONLY-ssh-ecdsa-384"), None, p384.clone()),
        (key!("TEST-ONLY-ssh-ed25519"), None, ed25519.clone()),
        (
            key!("TEST-ONLY-ssh-ecdsa-256-encrypted"),
            Some(ssh_password()),
            p256,
        ),
        (
            key!("TEST-ONLY-ssh-ecdsa-384-encrypted"),
            Some(ssh_password()),
            p384,
        ),
        (
            key!("TEST-ONLY-ssh-ed25519-encrypted"),
            Some(ssh_password()),
            ed25519,
        ),
    ]
}

#[test]
fn reads_keys_of_openssl_cosign_and_openssh_and_signs_with_them() {
    for (text, password, public) in readable() {
        assert_eq!(needs_password(text.as_bytes()).unwrap(), password.is_some());
        let key = parse(text.as_bytes(), password.as_ref()).unwrap();
        assert_eq!(export_public(&key), public);
        let signature = key.sign(b"message").unwrap();
        PublicKey::from_pem(&public)
            .unwrap()
            .verify(b"message", &signature)
            .unwrap();
    }
}

#[test]
fn every_readable_key_can_be_imported_as_plain_or_encrypted() {
    let new = password("another password");
    for (text, password, public) in readable() {
        let key = parse(text.as_bytes(), password.as_ref()).unwrap();
        let plain = encode_plain(&key).unwrap();
        assert_eq!(export_public(&parse(plain.as_bytes(), None).unwrap()), public);
        let encrypted = encode_encrypted(&key, &new).unwrap();
        assert_eq!(format(encrypted.as_bytes()).unwrap(), Format::Cosign);
        assert_eq!(
            export_public(&parse(encrypted.as_bytes(), Some(&new)).unwrap()),
            public
        );
    }
}

#[test]
fn plain_keys_are_written_as_openssl_writes_them() {
    for text in [
        key!("TEST-ONLY-p256.pem"),
        key!("TEST-ONLY-p384.pem"),
        key!("TEST-ONLY-ed25519.pem"),
    ] {
        let key = parse(text.as_bytes(), None).unwrap();
        assert!(*encode_plain(&key).unwrap() == *text);
    }
}

#[test]
fn encrypted_keys_have_the_form_that_cosign_writes() {
    let ours = encode_encrypted(
        &parse(key!("TEST-ONLY-p256.pem").as_bytes(), None).unwrap(),
        &cosign_password(),
    );
    let shape = |text: &str| {
        let block = pem::decode(text.as_bytes(), &[SIGSTORE_LABEL]).unwrap();
        let json = String::from_utf8(block.contents.to_vec()).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let len = |value: &serde_json::Value| STANDARD.decode(value.as_str().unwrap()).unwrap().len();
        let lens = [
            &value["kdf"]["salt"],
            &value["cipher"]["nonce"],
            &value["ciphertext"],
        ]
        .map(len);
        let order: Vec<usize> = [
            "kdf",
            "name",
            "params",
            "N",
            "r",
            "p",
            "salt",
            "cipher",
            "nonce",
            "ciphertext",
        ]
        .iter()
        .map(|name| json.find(&format!("\"{name}\":")).unwrap())
        .collect();
        assert!(order.is_sorted() && !json.contains([' ', '\n']));
        for pointer in ["/kdf/salt", "/cipher/nonce", "/ciphertext"] {
            *value.pointer_mut(pointer).unwrap() = serde_json::Value::Null;
        }
        (value, lens, text.lines().map(str::len).max())
    };
    assert_eq!(shape(&ours.unwrap()), shape(key!("TEST-ONLY-cosign.key")));
}

#[test]
fn generated_keys_differ_and_sign() {
    for algorithm in [
        KeyAlgorithm::EcdsaP256Sha256,
        KeyAlgorithm::EcdsaP384Sha384,
        KeyAlgorithm::Ed25519,
    ] {
        let (one, two) = (
            PrivateKey::generate(algorithm).unwrap(),
            PrivateKey::generate(algorithm).unwrap(),
        );
        assert_eq!(one.algorithm(), algorithm);
        assert_ne!(one.public_key(), two.public_key());
        let signature = one.sign(b"message").unwrap();
        one.public_key().verify(b"message", &signature).unwrap();
        assert!(two.public_key().verify(b"message", &signature).is_err());
    }
}

#[test]
fn the_old_cosign_label_and_every_cost_that_cosign_reads_are_read() {
    let key = parse(key!("TEST-ONLY-p256.pem").as_bytes(), None).unwrap();
    let old = key!("TEST-ONLY-cosign.key").replace("SIGSTORE", "COSIGN");
    assert_eq!(parse_code(&old, Some(&cosign_password())), "accepted");
    for cost in [1 << 15, 1 << 17] {
        let json = cosign::encrypt_at(cost, &key.to_pkcs8_der().unwrap(), &cosign_password()).unwrap();
        assert_eq!(
            parse_code(pem::encode(SIGSTORE_LABEL, &json), Some(&cosign_password())),
            "accepted"
        );
    }
}

#[test]
fn formats_that_are_not_read_have_codes_of_their_own() {
    for (text, code) in [
        (key!("TEST-ONLY-p256-encrypted-pkcs8.pem"), "key.encrypted_pkcs8"),
        (key!("TEST-ONLY-p256-sec1.pem"), "key.unknown_format"),
        (key!("TEST-ONLY-rsa.pem"), "key.unsupported_algorithm"),
        (key!("TEST-ONLY-ssh-rsa-2048"), "key.unsupported_algorithm"),
        (key!("TEST-ONLY-ssh-ecdsa-521"), "key.unsupported_algorithm"),
        ("", "key.pem_no_block"),
        ("hello", "key.pem_no_block"),
    ] {
        assert_eq!(parse_code(text, None), code);
    }
    let good = key!("TEST-ONLY-p256.pem");
    assert_eq!(
        parse_code(format!("{good}{good}"), None),
        "key.pem_surrounding_text"
    );
    assert_eq!(parse_code(format!("# mine\n{good}"), None), "key.pem_no_block");
    // DER of something else under the right label, and a key with a byte behind it.
    assert_eq!(
        parse_code(pem::encode(PKCS8_LABEL, b"\x30\x00"), None),
        "key.malformed"
    );
    let der = pem::decode(good.as_bytes(), &[PKCS8_LABEL]).unwrap().contents;
    assert_eq!(
        parse_code(pem::encode(PKCS8_LABEL, &[&der[..], &[0]].concat()), None),
        "key.malformed"
    );
    // A public key inside that belongs to another private key.
    let mut mixed = der.to_vec();
    *mixed.last_mut().unwrap() ^= 1;
    assert_eq!(
        parse_code(pem::encode(PKCS8_LABEL, &mixed), None),
        "key.malformed"
    );
}

/// An OpenSSH file that holds a FIDO key, by PROTOCOL.key and PROTOCOL.u2f.
fn fido_file() -> String {
    let string = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let kind = string(b"sk-ssh-ed25519@openssh.com");
    let public = [&kind[..], &string(&[7; 32]), &string(b"ssh:")].concat();
    let mut private = [
        &[1; 8][..],
        &public,
        &[1],
        &string(b"handle"),
        &string(b""),
        &string(b"TEST-ONLY"),
    ]
    .concat();
    for pad in 1.. {
        if private.len() % 8 == 0 {
            break;
        }
        private.push(pad);
    }
    let none = string(b"none");
    let file = [
        &b"openssh-key-v1\0"[..],
        &none,
        &none,
        &string(b""),
        &[0, 0, 0, 1],
        &string(&public),
        &string(&private),
    ];
    pem::encode(OPENSSH_LABEL, &file.concat())
}

#[test]
fn fido_keys_are_refused() {
    assert_eq!(parse_code(fido_file(), None), "key.fido");
}

#[test]
fn case_240_public_and_private_keys_are_not_taken_for_each_other_and_not_echoed() {
    for public in [
        key!("public/p256.pem"),
        key!("TEST-ONLY-ssh-ed25519.pub"),
        key!("TEST-ONLY-ssh-ecdsa-256.pub"),
        "sk-ssh-ed25519@openssh.com AAAA",
        "-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n",
    ] {
        assert_eq!(parse_code(public, None), "key.public_where_private_expected");
    }
    let folder = tempfile::tempdir().unwrap();
    for (index, (text, ..)) in readable().into_iter().enumerate() {
        let path = folder.path().join(index.to_string());
        fs::write(&path, text).unwrap();
        let error = load_public(&path).unwrap_err();
        assert_eq!(error.code(), "key.private_where_public_expected");
        assert_shows_nothing_of(text, &format!("{error} {error:?}"));
    }
    let path = folder.path().join("public");
    fs::write(&path, key!("public/p256.pem")).unwrap();
    assert_eq!(load_public(&path).unwrap().to_pem(), key!("public/p256.pem"));
}

#[test]
fn case_241_key_files_that_others_can_reach_are_refused() {
    for mode in [0o640, 0o604, 0o660, 0o644, 0o666, 0o700, 0o4600, 0o1600] {
        let (_folder, path) = good_file();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(
            load_code(&path, &Placement::default()),
            "key.file_permissions",
            "{mode:o}"
        );
    }
    let (_folder, path) = good_file();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert_eq!(load_code(&path, &Placement::default()), "accepted");
}

#[test]
fn case_241_links_pipes_folders_and_sockets_are_refused() {
    let (folder, path) = good_file();
    let at = |name: &str| folder.path().join(name);
    symlink(&path, at("link")).unwrap();
    assert_eq!(load_code(&at("link"), &Placement::default()), "key.file_symlink");
    // Opening a pipe without a writer would wait for ever.
    rustix::fs::mknodat(
        rustix::fs::CWD,
        at("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert_eq!(
        load_code(&at("pipe"), &Placement::default()),
        "key.file_not_regular"
    );
    assert_eq!(
        load_public(&at("pipe")).unwrap_err().code(),
        "key.file_not_regular"
    );
    assert_eq!(
        load_code(folder.path(), &Placement::default()),
        "key.file_not_regular"
    );
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    assert_eq!(
        load_code(&at("socket"), &Placement::default()),
        "key.file_not_regular"
    );
    assert_eq!(
        load_code(Path::new("/dev/null"), &Placement::default()),
        "key.file_not_regular"
    );
    assert_eq!(
        load_code(&at("nothing"), &Placement::default()),
        "key.file_not_found"
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "A".repeat(pem::MAX_PEM_BYTES + 1)).unwrap();
    assert_eq!(load_code(&path, &Placement::default()), "key.file_too_large");
}

#[test]
fn case_241_key_files_in_a_work_tree_are_refused() {
    let (folder, path) = good_file();
    assert_eq!(
        load_code(
            &path,
            &Placement {
                outside: &[folder.path()]
            }
        ),
        "key.file_in_work_tree"
    );
    let elsewhere = tempfile::tempdir().unwrap();
    let missing = elsewhere.path().join("missing");
    assert_eq!(
        load_code(
            &path,
            &Placement {
                outside: &[elsewhere.path(), &missing]
            }
        ),
        "accepted"
    );
    let text = key!("TEST-ONLY-p256.pem").as_bytes();
    let error = write_new(
        &folder.path().join("new"),
        text,
        &Placement {
            outside: &[folder.path()],
        },
    )
    .unwrap_err();
    assert_eq!(error.code(), "key.file_in_work_tree");
    assert!(!folder.path().join("new").exists());
}

#[test]
fn case_244_no_spelling_of_a_path_reaches_a_key_that_a_repository_carries() {
    let (folder, _) = good_file();
    let work_tree = folder.path().join("work-tree");
    let (keys, git) = (work_tree.join("sub/keys"), work_tree.join(".git"));
    fs::create_dir_all(&keys).unwrap();
    fs::create_dir_all(&git).unwrap();
    let text = key!("TEST-ONLY-p256.pem").as_bytes();
    for path in [keys.join("key.pem"), git.join("key.pem")] {
        write_new(&path, text, &Placement::default()).unwrap();
        assert_eq!(load_code(&path, &Placement::default()), "accepted");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(&keys, elsewhere.path().join("keys")).unwrap();
    symlink(&work_tree, elsewhere.path().join("repository")).unwrap();
    let dotted = folder.path().join("work-tree/../work-tree/sub/./keys/key.pem");
    for path in [
        keys.join("key.pem"),
        git.join("key.pem"),
        dotted,
        elsewhere.path().join("keys/key.pem"),
        elsewhere.path().join("repository/sub/keys/key.pem"),
    ] {
        for named in [work_tree.clone(), elsewhere.path().join("repository")] {
            assert_eq!(
                load_code(&path, &Placement { outside: &[&named] }),
                "key.file_in_work_tree",
                "{path:?}"
            );
        }
    }
    // A folder whose name only begins like the work tree's is another folder.
    let beside = folder.path().join("work-tree-keys");
    fs::create_dir(&beside).unwrap();
    write_new(
        &beside.join("key.pem"),
        text,
        &Placement {
            outside: &[&work_tree],
        },
    )
    .unwrap();
    assert_eq!(
        load_code(
            &beside.join("key.pem"),
            &Placement {
                outside: &[&work_tree]
            }
        ),
        "accepted"
    );
}

#[test]
fn case_242_wrong_passwords_have_their_code() {
    for (text, right, _) in readable()
        .into_iter()
        .filter(|(_, password, _)| password.is_some())
    {
        assert_eq!(parse_code(text, right.as_ref()), "accepted");
        assert_eq!(
            parse_code(text, Some(&password("TEST-ONLY wrong"))),
            "key.password_wrong"
        );
        assert_eq!(parse_code(text, None), "key.password_required");
    }
    let empty = encode_encrypted(
        &parse(key!("TEST-ONLY-p256.pem").as_bytes(), None).unwrap(),
        &password(""),
    );
    assert_eq!(empty.unwrap_err().code(), "key.password_empty");
}

#[test]
fn case_242_huge_or_odd_derivation_costs_are_refused_before_any_work() {
    let block = pem::decode(key!("TEST-ONLY-cosign.key").as_bytes(), &[SIGSTORE_LABEL]).unwrap();
    let json = String::from_utf8(block.contents.to_vec()).unwrap();
    let code = |from: &str, to: &str| {
        assert!(json.contains(from), "{from}");
        let broken = json.replacen(from, to, 1);
        parse_code(
            pem::encode(SIGSTORE_LABEL, broken.as_bytes()),
            Some(&cosign_password()),
        )
    };
    for (from, to, expected) in [
        ("\"N\":65536", "\"N\":262144", "key.kdf_cost"),
        ("\"N\":65536", "\"N\":1099511627776", "key.kdf_cost"),
        ("\"N\":65536", "\"N\":18446744073709551615", "key.kdf_cost"),
        ("\"r\":8", "\"r\":4294967295", "key.kdf_cost"),
        ("\"p\":1", "\"p\":1024", "key.kdf_cost"),
        ("\"N\":65536", "\"N\":65537", "key.kdf_unknown"),
        ("\"N\":65536", "\"N\":2", "key.kdf_unknown"),
        ("\"N\":65536", "\"N\":0", "key.kdf_unknown"),
        ("\"r\":8", "\"r\":1", "key.kdf_unknown"),
        ("\"p\":1", "\"p\":0", "key.kdf_unknown"),
        ("\"scrypt\"", "\"argon2\"", "key.kdf_unknown"),
        ("nacl/secretbox", "nacl/box", "key.kdf_unknown"),
        ("\"N\":65536", "\"N\":-1", "key.malformed"),
        ("\"N\":65536", "\"N\":65536.0", "key.malformed"),
        ("\"N\":65536", "\"N\":65536,\"N\":65536", "key.malformed"),
        ("{\"kdf\"", "{\"more\":1,\"kdf\"", "key.malformed"),
    ] {
        assert_eq!(code(from, to), expected, "{to}");
    }
    // OpenSSH: the number of rounds stands at the end of the KDF options, after the 16 bytes of salt.
    let block = pem::decode(
        key!("TEST-ONLY-ssh-ed25519-encrypted").as_bytes(),
        &[OPENSSH_LABEL],
    )
    .unwrap();
    let mut bytes = block.contents.to_vec();
    let name = bytes.windows(6).position(|window| window == b"bcrypt").unwrap();
    let rounds = name + 6 + 4 + 4 + 16;
    assert_eq!(bytes[rounds..rounds + 4], [0, 0, 0, 4]);
    bytes[rounds..rounds + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(
        parse_code(pem::encode(OPENSSH_LABEL, &bytes), Some(&ssh_password())),
        "key.kdf_cost"
    );
}

#[test]
fn a_ciphertext_with_one_bit_changed_does_not_open() {
    let block = pem::decode(key!("TEST-ONLY-cosign.key").as_bytes(), &[SIGSTORE_LABEL]).unwrap();
    let mut value: serde_json::Value = serde_json::from_slice(&block.contents).unwrap();
    let mut ciphertext = STANDARD.decode(value["ciphertext"].as_str().unwrap()).unwrap();
    for at in [0, 15, 16, ciphertext.len() - 1] {
        ciphertext[at] ^= 1;
        value["ciphertext"] = STANDARD.encode(&ciphertext).into();
        ciphertext[at] ^= 1;
        let text = pem::encode(SIGSTORE_LABEL, value.to_string().as_bytes());
        assert_eq!(
            parse_code(text, Some(&cosign_password())),
            "key.password_wrong",
            "byte {at}"
        );
    }
}

#[test]
fn new_key_files_are_private_whole_and_never_replace_another() {
    let (folder, path) = good_file();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256Sha256).unwrap();
    let text = encode_plain(&other).unwrap();
    let error = write_new(&path, text.as_bytes(), &Placement::default()).unwrap_err();
    assert_eq!(error.code(), "key.file_exists");
    assert_eq!(fs::read_to_string(&path).unwrap(), key!("TEST-ONLY-p256.pem"));
    // Not even through a link to nothing.
    symlink(folder.path().join("target"), folder.path().join("dangling")).unwrap();
    let error = write_new(
        &folder.path().join("dangling"),
        text.as_bytes(),
        &Placement::default(),
    )
    .unwrap_err();
    assert_eq!(error.code(), "key.file_exists");
    assert!(!folder.path().join("target").exists());
    let public = folder.path().join("key.pub");
    write_public_new(&public, other.public_key()).unwrap();
    assert_eq!(load_public(&public).unwrap(), *other.public_key());
    assert_eq!(
        write_public_new(&public, other.public_key()).unwrap_err().code(),
        "key.file_exists"
    );
}

/// Fails if 12 characters in a row of the base64 of a key file appear in what is shown.
fn assert_shows_nothing_of(text: &str, shown: &str) {
    let base64: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    for window in base64.as_bytes().windows(12) {
        let window = std::str::from_utf8(window).unwrap();
        assert!(!shown.contains(window), "{shown}");
    }
}

#[test]
fn nothing_that_holds_a_secret_shows_it() {
    let secret = [0x5a; 32];
    let key = PrivateKey::from_secret(KeyAlgorithm::EcdsaP256Sha256, &secret).unwrap();
    let hidden = password("hunter2-hunter2");
    let shown = format!("{key:?} {key:#?} {hidden:?} {hidden:#?}");
    assert!(shown.contains("redacted"));
    for form in ["5a5a", "90, 90", "5A5A", "hunter2", "WlpaWlpa", "5a, 5a", "0x5a"] {
        assert!(!shown.contains(form), "{form} in {shown}");
    }
    // Errors of everything that can be wrong with a text that holds a key.
    let plain = encode_plain(&key).unwrap();
    let encrypted = encode_encrypted(&key, &hidden).unwrap();
    let halved: String = plain.lines().take(2).collect::<Vec<_>>().join("\n");
    for text in [
        plain.replace("PRIVATE", "EC PRIVATE"),
        plain.replace("PRIVATE KEY", "PUBLIC KEY"),
        plain.replace('\n', " "),
        plain.replace("END", "STOP"),
        plain.to_lowercase(),
        halved,
        format!("{}{}", *plain, *plain),
        encrypted.clone(),
    ] {
        let Err(error) = parse(text.as_bytes(), Some(&password("wrong"))) else {
            panic!("accepted")
        };
        let mut shown = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            shown += &format!(" {error} {error:?}");
            source = error.source();
        }
        assert_shows_nothing_of(&plain, &shown);
        assert_shows_nothing_of(&plain.to_lowercase(), &shown);
        assert_shows_nothing_of(&encrypted, &shown);
    }
}

mod names {
    use crate::agent::Selector;
    use crate::key_uri::KeyUri;

    #[test]
    fn names_of_keys_have_one_meaning() {
        let parse = |text: &str| text.parse::<KeyUri>();
        assert_eq!(parse("keys/a.pem"), Ok(KeyUri::File("keys/a.pem".into())));
        assert_eq!(parse("/a:b"), Ok(KeyUri::File("/a:b".into())));
        assert_eq!(parse("env://MY_KEY"), Ok(KeyUri::Env("MY_KEY".to_owned())));
        assert_eq!(parse("ssh-agent:"), Ok(KeyUri::SshAgent(Selector::OnlyUsable)));
        assert_eq!(
            parse("ssh-agent:SHA256:x"),
            Ok(KeyUri::SshAgent(Selector::Named("SHA256:x".to_owned())))
        );
        for (text, code) in [
            ("", "key.name_empty"),
            ("env://", "key.name_variable"),
            ("env://A B", "key.name_variable"),
            ("env://1A", "key.name_variable"),
            ("awskms://key", "key.name_scheme"),
            ("file:///a", "key.name_scheme"),
            ("-----BEGIN PRIVATE KEY-----", "key.name_is_key"),
        ] {
            assert_eq!(parse(text).unwrap_err().code(), code, "{text}");
        }
        let error = parse("-----BEGIN PRIVATE KEY-----\nSECRET").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("SECRET"));
    }
}
