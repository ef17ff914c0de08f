use super::*;
use crate::der::build::{Parts, extension, sequence, tlv};
use crate::identity::{CertificateIdentity, SubjectAlternativeName};

const TRUE: Option<u8> = Some(0xff);

fn code<T>(outcome: Result<T, CertificateError>) -> &'static str {
    outcome.map_or_else(|error| error.code(), |_| "ok")
}

fn parsed(der: &[u8]) -> &'static str {
    code(Certificate::parse(der))
}

fn usage(usages: &[&[u8]]) -> Vec<u8> {
    let list: Vec<Vec<u8>> = usages.iter().map(|usage| tlv(0x06, usage)).collect();
    extension(oid::EXT_KEY_USAGE, None, &sequence(&list))
}

fn key_usage(bits: &[u8]) -> Vec<u8> {
    extension(oid::KEY_USAGE, TRUE, &tlv(0x03, bits))
}

fn san(tag: u8, name: &[u8]) -> Vec<u8> {
    extension(oid::SUBJECT_ALT_NAME, TRUE, &sequence(&[tlv(tag, name)]))
}

fn claim(arc: u8, value: &[u8]) -> Vec<u8> {
    extension(&[oid::FULCIO, &[arc]].concat(), None, value)
}

fn utf8(text: &[u8]) -> Vec<u8> {
    tlv(0x0c, text)
}

fn with(extensions: Vec<Vec<u8>>) -> Vec<u8> {
    Parts {
        extensions,
        ..Parts::default()
    }
    .der()
}

#[test]
fn a_certificate_has_one_encoding() {
    assert_eq!(parsed(&Parts::default().der()), "ok");
    let mut trailing = Parts::default().der();
    trailing.push(0);
    assert_eq!(parsed(&trailing), "certificate.malformed");
    assert_eq!(parsed(&[]), "certificate.malformed");
    let version = |version| {
        parsed(
            &Parts {
                version,
                ..Parts::default()
            }
            .der(),
        )
    };
    assert_eq!(
        (version(0), version(1), version(3)),
        (
            "certificate.version",
            "certificate.version",
            "certificate.version"
        )
    );
    let other = Parts {
        inner_algorithm: sequence(&[tlv(0x06, &[0x2b, 0x65, 0x70])]),
        ..Parts::default()
    };
    assert_eq!(parsed(&other.der()), "certificate.algorithms");
    let times = [
        tlv(0x17, b"2601010000Z"),
        tlv(0x17, b"260101000000+0000"),
        tlv(0x18, b"20260101000000.5Z"),
        tlv(0x04, b"260101000000Z"),
    ];
    for not_after in times {
        let parts = Parts {
            not_after,
            ..Parts::default()
        };
        assert_eq!(parsed(&parts.der()), "certificate.malformed");
    }
    // Every truncation is refused and none panics.
    let good = with(vec![key_usage(&[7, 0x80]), san(0x86, b"https://a.example")]);
    for length in 0..good.len() {
        assert_ne!(parsed(&good[..length]), "ok", "{length}");
    }
}

#[test]
fn case_51_extensions_occur_once_and_flags_are_der() {
    let twice = with(vec![usage(&[oid::CODE_SIGNING]), usage(&[oid::CODE_SIGNING])]);
    assert_eq!(parsed(&twice), "certificate.duplicate_extension");
    for written in [0x00, 0x01] {
        let flag = with(vec![extension(oid::KEY_USAGE, Some(written), b"")]);
        assert_eq!(parsed(&flag), "certificate.malformed");
    }
    let many = (0..65_u8)
        .map(|last| extension(&[0x2a, last], None, b""))
        .collect();
    assert_eq!(parsed(&with(many)), "certificate.too_many_extensions");
}

#[test]
fn case_50_and_case_51_only_a_signer_s_certificate_fits_the_profile() {
    let profile_code = |extensions: Vec<Vec<u8>>| {
        let der = with(extensions);
        code(Certificate::parse(&der).and_then(|certificate| profile::require_signer(&certificate)))
    };
    let good = || vec![usage(&[oid::CODE_SIGNING]), key_usage(&[7, 0x80])];
    let and = |extra: Vec<u8>| [good(), vec![extra]].concat();
    let constraints = |content: &[u8]| extension(oid::BASIC_CONSTRAINTS, TRUE, &tlv(0x30, content));
    assert_eq!(profile_code(good()), "ok");
    assert_eq!(profile_code(and(constraints(b""))), "ok");
    assert_eq!(profile_code(and(extension(&[0x2a, 3], None, b""))), "ok");
    assert_eq!(
        profile_code(and(extension(&[0x2a, 3], TRUE, b""))),
        "certificate.critical_extension"
    );
    assert_eq!(
        profile_code(and(constraints(b"\x01\x01\xff"))),
        "certificate.authority"
    );
    assert_eq!(
        profile_code(and(constraints(b"\x01\x01\x01"))),
        "certificate.malformed"
    );
    assert_eq!(
        profile_code(vec![key_usage(&[7, 0x80])]),
        "certificate.not_for_code_signing"
    );
    let usages = |usages: &[&[u8]]| profile_code(vec![usage(usages), key_usage(&[7, 0x80])]);
    assert_eq!(usages(&[oid::TIME_STAMPING]), "certificate.not_for_code_signing");
    assert_eq!(usages(&[oid::ANY_EXT_KEY_USAGE]), "certificate.any_usage");
    assert_eq!(
        usages(&[oid::CODE_SIGNING, oid::ANY_EXT_KEY_USAGE]),
        "certificate.any_usage"
    );
    let bits = |bits: &[u8]| profile_code(vec![usage(&[oid::CODE_SIGNING]), key_usage(bits)]);
    assert_eq!(bits(&[5, 0x20]), "certificate.key_usage");
    assert_eq!(bits(&[2, 0x84]), "certificate.authority");
    assert_eq!(bits(&[7, 0x81]), "certificate.malformed");
    assert_eq!(bits(&[8, 0x80]), "certificate.malformed");
    assert_eq!(bits(&[0]), "certificate.malformed");
    assert_eq!(
        profile_code(vec![usage(&[oid::CODE_SIGNING])]),
        "certificate.key_usage"
    );
}

fn identity(extensions: Vec<Vec<u8>>) -> Result<CertificateIdentity, CertificateError> {
    let der = with(extensions);
    fulcio::read_identity(&Certificate::parse(&der)?)
}

#[test]
fn case_52_and_case_54_and_case_55_there_is_one_name_in_plain_characters() {
    let issuer = || claim(8, &utf8(b"https://issuer.example"));
    let named = |name: Vec<u8>| code(identity(vec![name, issuer()]));
    let read = |name: Vec<u8>| identity(vec![name, issuer()]).unwrap().san;
    assert_eq!(
        read(san(0x81, b"a@example.test")),
        SubjectAlternativeName::Email("a@example.test".to_owned())
    );
    let username = |arc: u8, name: &[u8]| {
        let kind = tlv(0x06, &[oid::FULCIO, &[arc]].concat());
        san(0xa0, &[kind, tlv(0xa0, &utf8(name))].concat())
    };
    assert_eq!(
        read(username(7, b"alice!example.test")),
        SubjectAlternativeName::OtherName("alice!example.test".to_owned())
    );
    assert_eq!(named(username(8, b"alice")), "certificate.san_kind");
    assert_eq!(named(username(7, "a\u{202e}b".as_bytes())), "certificate.text");
    assert_eq!(named(san(0x82, b"host.example")), "certificate.san_kind");
    assert_eq!(code(identity(vec![issuer()])), "certificate.san_count");
    let two = sequence(&[tlv(0x81, b"a@example.test"), tlv(0x81, b"b@example.test")]);
    assert_eq!(
        named(extension(oid::SUBJECT_ALT_NAME, TRUE, &two)),
        "certificate.san_count"
    );
    assert_eq!(
        named(extension(oid::SUBJECT_ALT_NAME, TRUE, &sequence(&[]))),
        "certificate.san_count"
    );
    let refused: [&[u8]; 10] = [
        b"",
        b"a\0b",
        b"a\nb",
        b"a\x7fb",
        b"a b",
        "https://git\u{200b}hub.com/".as_bytes(),
        "https://g\u{131}thub.com/".as_bytes(),
        "a\u{202e}b@example.test".as_bytes(),
        b"https://xn--gthub-cfa.com/acme",
        b"https://XN--gthub-cfa.com/acme",
    ];
    for name in refused {
        assert_eq!(named(san(0x86, name)), "certificate.text", "{name:?}");
    }
    assert_eq!(named(san(0x86, b"https://\xff")), "certificate.text");
    // A text that a rule could mean in another kind.
    for name in [
        san(0x86, b"a@example.test"),
        san(0x86, b"alice!example.test"),
        san(0x81, b"https://a.example/@b"),
        san(0x81, b"alice!example.test"),
        username(7, b"a@example.test"),
        username(7, b"https://a.example/"),
    ] {
        assert_eq!(named(name), "certificate.text");
    }
}

#[test]
fn case_59_and_case_60_claims_have_one_encoding_and_issuers_agree() {
    let read = |claims: Vec<Vec<u8>>| identity([vec![san(0x81, b"a@example.test")], claims].concat());
    let good = read(vec![
        claim(1, b"https://issuer.example"),
        claim(8, &utf8(b"https://issuer.example")),
        claim(2, b"push"),
        claim(20, &utf8(b"push")),
        claim(23, &utf8(b"")),
        claim(25, b"\x05"),
    ])
    .unwrap();
    assert_eq!(good.issuer, "https://issuer.example");
    assert_eq!(good.claims.build_trigger.as_deref(), Some("push"));
    assert_eq!(good.claims.deployment_environment, None);
    assert_eq!(
        code(read(vec![
            claim(1, b"https://a.example"),
            claim(8, &utf8(b"https://b.example"))
        ])),
        "certificate.issuers_disagree"
    );
    assert_eq!(
        read(vec![claim(1, b"https://a.example")]).unwrap().issuer,
        "https://a.example"
    );
    for none in [
        vec![],
        vec![claim(8, &utf8(b""))],
        vec![claim(1, b"")],
        vec![claim(8, &utf8(b"")), claim(1, b"https://a.example")],
        vec![claim(1, b""), claim(8, &utf8(b"https://a.example"))],
    ] {
        assert_eq!(code(read(none)), "certificate.issuer_missing");
    }
    let wrong: [Vec<u8>; 6] = [
        // Raw bytes in place of DER, another kind of string, bytes after it, a length that is not the shortest.
        claim(8, b"https://issuer.example"),
        claim(8, &tlv(0x13, b"https://issuer.example")),
        claim(8, &[utf8(b"https://issuer.example"), vec![0]].concat()),
        claim(8, b"\x0c\x81\x01a"),
        claim(8, &utf8(b"\xff")),
        // DER in place of raw bytes.
        claim(1, &utf8(b"https://issuer.example")),
    ];
    for claim in wrong {
        assert_eq!(code(read(vec![claim])), "certificate.claim");
    }
    let hidden = claim(4, "deploy\u{202e}".as_bytes());
    assert_eq!(
        code(read(vec![claim(1, b"https://issuer.example"), hidden])),
        "certificate.text"
    );
}

#[test]
fn the_signed_part_is_rebuilt_without_timestamps_at_every_length() {
    for length in [1, 100, 127, 128, 200, 255, 256, 700, 70_000] {
        let long = extension(&[0x2a, 3], None, &vec![0; length.min(60_000)]);
        let other = key_usage(&[7, 0x80]);
        let scts = extension(oid::SCT_LIST, None, &tlv(0x04, b"\0\0"));
        let with_scts = with(vec![long.clone(), scts, other.clone()]);
        let without = with(vec![long, other]);
        let rebuilt = sct::without_scts(&Certificate::parse(&with_scts).unwrap());
        let expected = crate::der::Reader::new(&without)
            .nested(0x30)
            .unwrap()
            .any()
            .unwrap()
            .whole;
        assert_eq!(rebuilt, expected, "{length}");
    }
    let only = with(vec![extension(oid::SCT_LIST, None, b"")]);
    let rebuilt = sct::without_scts(&Certificate::parse(&only).unwrap());
    let none = Parts::default().der();
    let expected = crate::der::Reader::new(&none)
        .nested(0x30)
        .unwrap()
        .any()
        .unwrap()
        .whole;
    assert_eq!(rebuilt, expected);
}

#[test]
fn a_list_of_timestamps_has_one_reading() {
    let prefixed = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    let one = |version: u8| {
        let mut sct = vec![version];
        sct.extend([7; 32]);
        sct.extend([0; 8]);
        sct.extend(prefixed(b"extension"));
        sct.extend([4, 3]);
        sct.extend(prefixed(b"signature"));
        prefixed(&sct)
    };
    let read = |list: &[u8]| sct::read_list(list).map(|scts| scts.len());
    assert_eq!(read(&prefixed(&one(0))), Some(1));
    assert_eq!(read(&prefixed(&one(0).repeat(16))), Some(16));
    assert_eq!(read(&prefixed(&one(0).repeat(17))), None);
    assert_eq!(read(&prefixed(&one(1))), None);
    assert_eq!(read(&prefixed(b"")), None);
    assert_eq!(read(&[prefixed(&one(0)), vec![0]].concat()), None);
    let good = prefixed(&one(0));
    for length in 0..good.len() {
        assert_eq!(read(&good[..length]), None, "{length}");
    }
    // A byte more inside the timestamp itself.
    let mut longer = one(0);
    longer.push(0);
    let inner = longer.len() as u16 - 2;
    longer[..2].copy_from_slice(&inner.to_be_bytes());
    assert_eq!(read(&prefixed(&longer)), None);
}
