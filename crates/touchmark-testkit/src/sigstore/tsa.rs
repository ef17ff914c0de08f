//! A timestamp authority: RFC 3161 answers in CMS `SignedData` (RFC 5652).

use super::certificate::{Authority, TIME_STAMPING, Validity, extended_key_usage};
use super::der;
use super::keys::{Hash, Key};

/// A timestamp authority: a root that certifies one signer.
#[derive(Clone, Debug)]
pub struct TimestampAuthority {
    /// The authority's address.
    pub uri: String,
    /// Who runs it.
    pub operator: String,
    /// The trust anchor.
    pub root: Authority,
    /// The signer.
    pub signer: Authority,
}

/// What an answer will say; the default is what a good answer says.
#[derive(Clone, Debug)]
pub struct TokenPlan {
    /// `PKIStatus`.
    pub status: u64,
    /// The hash of the imprint.
    pub imprint_hash: Hash,
    /// The imprint, where it is not the hash of what was sent.
    pub imprint: Option<Vec<u8>>,
    /// The DER of the time.
    pub time: Vec<u8>,
    /// The nonce of the request.
    pub nonce: Option<Vec<u8>>,
    /// The certificates in the answer.
    pub certificates: Vec<Vec<u8>>,
    /// Whose key signs, where it is not the signer that is named.
    pub signing_key: Option<Key>,
    /// The signer that is named, where it is not the authority's.
    pub named_signer: Option<Authority>,
}

impl TokenPlan {
    /// Returns the plan of a good answer of this authority at this time.
    pub fn good(authority: &TimestampAuthority, at: i64) -> Self {
        Self {
            status: 0,
            imprint_hash: Hash::Sha256,
            imprint: None,
            time: der::generalized_time(at),
            nonce: None,
            certificates: vec![authority.signer.certificate.clone()],
            signing_key: None,
            named_signer: None,
        }
    }
}

impl TimestampAuthority {
    /// Returns an authority whose signer's extended key usage is `usages`, critical or not.
    pub fn new(
        host: &str,
        operator: &str,
        keys: (Key, Key),
        root_validity: Validity,
        signer_validity: Validity,
        usage: (&[&str], bool),
    ) -> Self {
        let (root_key, signer_key) = keys;
        let root = Authority::root(operator, "timestamp root", root_key, root_validity);
        let signer = certify_signer(
            &root,
            operator,
            "timestamp signer",
            signer_key,
            signer_validity,
            usage,
        );
        Self {
            uri: format!("https://{host}/api/v1/timestamp"),
            operator: operator.to_owned(),
            root,
            signer,
        }
    }

    /// Returns another signer that the same root certifies.
    pub fn other_signer(&self, key: Key, validity: Validity) -> Authority {
        self.signer_for(key, validity, (&[TIME_STAMPING], true))
    }

    /// Returns another signer that the same root certifies for these usages, critical or not.
    pub fn signer_for(&self, key: Key, validity: Validity, usage: (&[&str], bool)) -> Authority {
        certify_signer(&self.root, &self.operator, "other signer", key, validity, usage)
    }

    /// Answers for these bytes at this time.
    pub fn timestamp(&self, bytes: &[u8], at: i64) -> Vec<u8> {
        self.answer(bytes, &TokenPlan::good(self, at))
    }

    /// Answers as the plan says.
    pub fn answer(&self, bytes: &[u8], plan: &TokenPlan) -> Vec<u8> {
        let status = der::sequence(&[der::small(plan.status)]);
        if plan.status > 1 {
            return der::sequence(&[status]);
        }
        let imprint = plan
            .imprint
            .clone()
            .unwrap_or_else(|| plan.imprint_hash.of(bytes));
        let mut info = vec![
            der::small(1),
            der::oid("1.3.6.1.4.1.57264.2"),
            der::sequence(&[plan.imprint_hash.algorithm(), der::octets(&imprint)]),
            der::integer(&Hash::Sha256.of(&[bytes, &plan.time].concat())[..8]),
            plan.time.clone(),
            // An accuracy of one second.
            der::sequence(&[der::small(1)]),
        ];
        info.extend(plan.nonce.as_deref().map(der::integer));
        der::sequence(&[status, self.signed_data(&der::sequence(&info), plan)])
    }

    fn signed_data(&self, info: &[u8], plan: &TokenPlan) -> Vec<u8> {
        const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
        let named = plan.named_signer.as_ref().unwrap_or(&self.signer);
        let key = plan.signing_key.as_ref().unwrap_or(&named.key);
        let hash = key.scheme().hash();
        let attribute = |kind: &str, value: Vec<u8>| der::sequence(&[der::oid(kind), der::set(&[value])]);
        let certificate_id = der::sequence(&[der::octets(&Hash::Sha256.of(&named.certificate))]);
        let attributes = der::sorted(&[
            attribute("1.2.840.113549.1.9.3", der::oid(TST_INFO)),
            attribute("1.2.840.113549.1.9.4", der::octets(&hash.of(info))),
            // RFC 5816: the certificate's hash, SHA-256 by default.
            attribute(
                "1.2.840.113549.1.9.16.2.47",
                der::sequence(&[der::sequence(&[certificate_id])]),
            ),
        ]);
        // RFC 5652 §5.4: signed with the tag of a SET, carried with the tag [0].
        let signature = key.sign(&der::tlv(0x31, &attributes));
        let signer_info = der::sequence(&[
            der::small(1),
            der::sequence(&[self.root.name.clone(), der::integer(&named.serial)]),
            hash.algorithm(),
            der::context(0, &attributes),
            key.scheme().signature_algorithm(),
            der::octets(&signature),
        ]);
        let signed_data = der::sequence(&[
            der::small(3),
            der::set(&[hash.algorithm()]),
            der::sequence(&[der::oid(TST_INFO), der::context(0, &der::octets(info))]),
            der::context(0, &plan.certificates.concat()),
            der::set(&[signer_info]),
        ]);
        der::sequence(&[der::oid("1.2.840.113549.1.7.2"), der::context(0, &signed_data)])
    }
}

fn certify_signer(
    root: &Authority,
    operator: &str,
    common_name: &str,
    key: Key,
    validity: Validity,
    usage: (&[&str], bool),
) -> Authority {
    let name = der::name(operator, common_name);
    let mut template = root.template(name.clone(), key.spki(), validity);
    let signature_usage = der::tlv(0x03, &[7, 0x80]);
    template.extensions.push(super::certificate::Extension::new(
        "2.5.29.15",
        true,
        signature_usage,
    ));
    if !usage.0.is_empty() {
        template.extensions.push(extended_key_usage(usage.0, usage.1));
    }
    let certificate = template.sign(&root.key);
    Authority {
        name,
        key,
        serial: template.serial,
        certificate,
    }
}
