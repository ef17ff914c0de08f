//! Nothing that holds a secret shows it, and no kind of key is taken for another.

use super::*;
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
