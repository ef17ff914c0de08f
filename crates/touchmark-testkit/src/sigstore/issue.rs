//! Issues certificates as Fulcio does, and wrongly where a test asks for it.

use super::certificate::{
    ANY_USAGE, Authority, EXTENDED_KEY_USAGE, Extension, SCT_LIST, SUBJECT_ALTERNATIVE_NAME, Template,
    Validity, extended_key_usage, fulcio_extensions, fulcio_oid,
};
use super::ct_log::{CtLog, sct_list};
use super::defect::{CertificateDefect, Defect};
use super::der;
use super::identity::{Identity, San};
use super::instance::{Instance, LEAF_SECONDS};
use super::keys::{Key, Scheme, element};

/// The usage of certificates of web servers.
const SERVER_AUTHENTICATION: &str = "1.3.6.1.5.5.7.3.1";

impl Instance {
    /// Issues a certificate for ten minutes from `at`, over this public key.
    pub fn issue(&self, identity: &Identity, spki: &[u8], at: i64) -> Vec<u8> {
        let defect = match self.defect {
            Some(Defect::Certificate(defect)) => Some(defect),
            _ => None,
        };
        let issuer = match defect {
            Some(CertificateDefect::UnknownRoot) => &self.namesake.intermediate,
            _ => &self.certificate_authority.intermediate,
        };
        let validity = Validity {
            from: at,
            to: at + LEAF_SECONDS,
        };
        // RFC 5280 §4.1.2.6: the subject may be empty where a critical alternative name is there.
        let mut template = issuer.template(der::sequence(&[]), spki.to_vec(), validity);
        template.extensions = fulcio_extensions(identity, spki, &issuer.key.spki());
        if let Some(defect) = defect {
            break_profile(defect, &mut template, identity);
        }
        let timestamps = self.certificate_timestamps(defect, &template, issuer, at);
        if !timestamps.is_empty() {
            template.extensions.push(sct_list(&timestamps));
        }
        if defect == Some(CertificateDefect::SctCut) {
            let value = &mut template.extension(SCT_LIST).value;
            let (_, list, _) = element(value).expect("an octet string");
            let list = list[..list.len() - 7].to_vec();
            *value = der::octets(&list);
        }
        let mut certificate = match defect {
            Some(CertificateDefect::SignatureOfOtherKey) => template.sign(&self.namesake.intermediate.key),
            _ => template.sign(&issuer.key),
        };
        if defect == Some(CertificateDefect::TrailingBytes) {
            certificate.push(0);
        }
        certificate
    }

    /// Issues a certificate that its own key signs.
    pub(super) fn issue_to_itself(&self, identity: &Identity, key: &Key, at: i64) -> Vec<u8> {
        let oneself = Authority {
            name: der::name("nobody", "nobody"),
            key: key.clone(),
            serial: vec![1],
            certificate: Vec::new(),
        };
        let validity = Validity {
            from: at,
            to: at + LEAF_SECONDS,
        };
        let mut template = oneself.template(oneself.name.clone(), key.spki(), validity);
        template.extensions = fulcio_extensions(identity, &key.spki(), &key.spki());
        let timestamps = self.certificate_timestamps(None, &template, &oneself, at);
        template.extensions.push(sct_list(&timestamps));
        template.sign(key)
    }

    fn certificate_timestamps(
        &self,
        defect: Option<CertificateDefect>,
        template: &Template,
        issuer: &Authority,
        at: i64,
    ) -> Vec<Vec<u8>> {
        let logs = &self.certificate_logs;
        match defect {
            Some(CertificateDefect::SctMissing) => Vec::new(),
            Some(CertificateDefect::SctTwice) => [at, at + 1]
                .map(|at| logs[0].timestamp(template, issuer, at))
                .to_vec(),
            Some(CertificateDefect::SctOfUnknownLog) => {
                let key = self.key(Scheme::P256, "unknown ct log");
                let log = CtLog {
                    key,
                    with_extensions: false,
                };
                vec![log.timestamp(template, issuer, at)]
            }
            Some(CertificateDefect::SctOfOtherCertificate) => {
                let mut other = template.clone();
                other.serial[3] ^= 1;
                vec![logs[0].timestamp(&other, issuer, at)]
            }
            Some(CertificateDefect::SctOfOtherIssuer) => {
                let tbs = template.to_be_signed(issuer.key.scheme());
                vec![logs[0].timestamp_over(&tbs, &self.namesake.intermediate.key.spki_digest(), at)]
            }
            _ => logs
                .iter()
                .map(|log| log.timestamp(template, issuer, at))
                .collect(),
        }
    }
}

fn break_profile(defect: CertificateDefect, template: &mut Template, identity: &Identity) {
    let extensions = &mut template.extensions;
    match defect {
        CertificateDefect::UsageMissing => extensions.retain(|found| found.oid != EXTENDED_KEY_USAGE),
        CertificateDefect::UsageAny => {
            *template.extension(EXTENDED_KEY_USAGE) = extended_key_usage(&[ANY_USAGE], false);
        }
        CertificateDefect::UsageServer => {
            *template.extension(EXTENDED_KEY_USAGE) = extended_key_usage(&[SERVER_AUTHENTICATION], false);
        }
        CertificateDefect::LeafIsAuthority => {
            let value = der::sequence(&[der::yes()]);
            extensions.push(Extension::new(super::certificate::BASIC_CONSTRAINTS, true, value));
        }
        CertificateDefect::KeyUsageWithoutSignatures => {
            // keyEncipherment.
            template.extension("2.5.29.15").value = der::tlv(0x03, &[5, 0x20]);
        }
        CertificateDefect::VersionOne => template.version = 0,
        CertificateDefect::AlgorithmsDiffer => template.named_algorithm = Some(Scheme::Ed25519),
        CertificateDefect::KeyOfUnknownAlgorithm => {
            let algorithm = der::sequence(&[der::oid("1.3.6.1.4.1.99999.2")]);
            template.spki = der::sequence(&[algorithm, der::bits(&[7; 65])]);
        }
        CertificateDefect::SubjectNamed => template.subject = der::name("acme", "stranger@example.test"),
        CertificateDefect::UnknownCriticalExtension => {
            extensions.push(Extension::new("1.3.6.1.4.1.99999.1", true, der::octets(b"?")));
        }
        CertificateDefect::DuplicateName => {
            let name = template.extension(SUBJECT_ALTERNATIVE_NAME).clone();
            template.extensions.push(name);
        }
        CertificateDefect::DuplicateClaim => {
            let claim = template.extension(&fulcio_oid(8)).clone();
            template.extensions.push(claim);
        }
        CertificateDefect::IssuersDisagree => {
            template.extension(&fulcio_oid(1)).value = b"https://other.example.test".to_vec();
        }
        CertificateDefect::IssuerMissing => {
            extensions.retain(|found| found.oid != fulcio_oid(1) && found.oid != fulcio_oid(8));
        }
        CertificateDefect::IssuerEmpty => {
            template.extension(&fulcio_oid(1)).value = Vec::new();
            template.extension(&fulcio_oid(8)).value = der::utf8("");
        }
        CertificateDefect::RawTextInDerClaim => {
            template.extension(&fulcio_oid(8)).value = identity.issuer.as_bytes().to_vec();
        }
        CertificateDefect::DerInRawClaim => {
            template.extension(&fulcio_oid(1)).value = der::utf8(&identity.issuer);
        }
        CertificateDefect::ClaimOfOtherStringType => {
            template.extension(&fulcio_oid(8)).value = der::tlv(0x16, identity.issuer.as_bytes());
        }
        CertificateDefect::ClaimWithTrailingBytes => {
            template.extension(&fulcio_oid(8)).value.push(0);
        }
        CertificateDefect::ClaimWithNul => {
            template
                .extensions
                .push(Extension::new(&fulcio_oid(23), false, der::utf8("prod\0uction")));
        }
        _ => break_name(defect, template, identity),
    }
}

fn break_name(defect: CertificateDefect, template: &mut Template, identity: &Identity) {
    let stranger = || San::Email("stranger@example.test".to_owned()).general_name();
    let with = |text: &str| {
        let (head, tail) = identity.san.text().split_at(3);
        let spelled = format!("{head}{text}{tail}");
        vec![match identity.san {
            San::Uri(_) => San::Uri(spelled).general_name(),
            _ => San::Email(spelled).general_name(),
        }]
    };
    let names = match defect {
        CertificateDefect::TwoNames => vec![identity.san.general_name(), stranger()],
        CertificateDefect::TwoNamesExpectedLast => vec![stranger(), identity.san.general_name()],
        CertificateDefect::NameOfOtherKind => vec![San::Dns("example.test".to_owned()).general_name()],
        CertificateDefect::NameWithNul => with("\0"),
        CertificateDefect::NameWithLineFeed => with("\n"),
        CertificateDefect::NameWithDel => with("\u{7f}"),
        CertificateDefect::NameWithBidi => with("\u{202e}"),
        CertificateDefect::NameMissing => {
            template
                .extensions
                .retain(|found| found.oid != SUBJECT_ALTERNATIVE_NAME);
            return;
        }
        _ => return,
    };
    template.extension(SUBJECT_ALTERNATIVE_NAME).value = der::sequence(&names);
}
