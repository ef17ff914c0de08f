//! Codes of keyless verification: certificates, timestamps, identities, signatures over files.

use super::registry::{Entry, entry};
use crate::exit::Class::{Invalid, Usage};

const FORM: &str = "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
    readers could understand differently is refused.";
const AGAIN: &str = "get the bundle again from where it was made; do not edit it";
const PROFILE: &str = "A signing certificate names exactly one identity, is for signing code and nothing wider, and is \
    encoded in the one way that DER allows. What another reader could take for something else is \
    refused.";
const RESIGN: &str = "sign again with a certificate of a Sigstore certificate authority";
const CHAIN: &str = "A certificate lives for minutes. It counts if, at every verified time, it chains to an authority \
    of the trusted root, all certificates of the chain were valid, and the authority was in use. \
    Only the trusted root brings anchors.";
const ROOT: &str = "check which instance signed, and that the trusted root is that instance's and up to date \
    (`touchmark trust show`)";
const SCT: &str = "Certificate authorities show every certificate to public logs before they issue it, so that a \
    certificate issued in secret is found out. The logs' timestamps are embedded in the certificate, \
    and count by operator.";
const TIME: &str = "A time counts if an authority of the trusted root signed it over this very signature, with its \
    own key, while the authority was in use. Certificates inside a timestamp prove nothing, and \
    windows of one authority say nothing of another. Thresholds count operators.";
const IDENTITY: &str = "Name, issuer and claims of a certificate are compared byte for byte with those that were \
    expected. Keys never stand in for certificates, nor the reverse. Events that run a repository's \
    workflow on a stranger's input are refused unless they are named.";
const NAME: &str = "check who signed (`touchmark inspect`); if that is right, say so in the policy or on the command \
    line";
const PATTERN: &str = "A pattern that is not anchored at both ends, that has an alternation outside a group, or inline \
    flags, matches more than it shows.";
const ANCHOR: &str = "write the exact name, or an expression of the form `^…$` with alternations in groups";
const MESSAGE: &str = "A signature over a file is verified with the file or with a digest of it made with the hash that \
    the key goes with.";
const FILE: &str = "give the file itself, and the one that the bundle was made for";

pub(super) const CODES: &[Entry] = &[
    entry(
        "bundle.digest_algorithm",
        Invalid,
        "the bundle names the message by an unknown hash",
        FORM,
        AGAIN,
    ),
    entry(
        "bundle.digest_length",
        Invalid,
        "the bundle names the message by a digest of the wrong length",
        FORM,
        AGAIN,
    ),
    entry(
        "bundle.envelope",
        Invalid,
        "the bundle carries a statement, where a signature over a file is wanted",
        FORM,
        AGAIN,
    ),
    entry(
        "certificate.algorithms",
        Invalid,
        "a certificate names two signature algorithms",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.any_usage",
        Invalid,
        "the certificate may be used for anything",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.authority",
        Invalid,
        "the certificate is an authority's, not a signer's",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.chain",
        Invalid,
        "the certificate does not chain to a trusted authority",
        CHAIN,
        ROOT,
    ),
    entry(
        "certificate.claim",
        Invalid,
        "a claim in the certificate is not encoded as it should be",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.critical_extension",
        Invalid,
        "the certificate has a critical extension that is not understood",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.duplicate_extension",
        Invalid,
        "an extension of the certificate occurs twice",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.issuer_missing",
        Invalid,
        "the certificate does not say who vouched for the identity",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.issuers_disagree",
        Invalid,
        "the certificate names two issuers of the identity",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.key",
        Invalid,
        "the certificate's key is of a kind that is not verified with",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.key_usage",
        Invalid,
        "the certificate's key may not sign",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.malformed",
        Invalid,
        "a certificate is not strict DER",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.no_authority",
        Invalid,
        "the trusted root has no certificate authority",
        CHAIN,
        ROOT,
    ),
    entry(
        "certificate.no_verified_time",
        Invalid,
        "nothing tells when the certificate signed",
        CHAIN,
        ROOT,
    ),
    entry(
        "certificate.not_for_code_signing",
        Invalid,
        "the certificate is not for signing code",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.outside_authority_window",
        Invalid,
        "the authority was not in use when the certificate signed",
        CHAIN,
        ROOT,
    ),
    entry(
        "certificate.outside_validity",
        Invalid,
        "the certificate or its chain was not valid when it signed",
        CHAIN,
        ROOT,
    ),
    entry(
        "certificate.root_in_bundle",
        Invalid,
        "the bundle brings a root certificate of its own",
        CHAIN,
        ROOT,
    ),
    entry(
        "certificate.san_count",
        Invalid,
        "the certificate does not have exactly one name",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.san_kind",
        Invalid,
        "the certificate's name is of a kind that no signer has",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.text",
        Invalid,
        "the certificate's name or claims hold characters that deceive",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.too_many_extensions",
        Invalid,
        "the certificate has too many extensions",
        PROFILE,
        RESIGN,
    ),
    entry(
        "certificate.version",
        Invalid,
        "a certificate is not of version 3",
        PROFILE,
        RESIGN,
    ),
    entry(
        "identity.claim",
        Invalid,
        "a claim of the signer is another one than expected",
        IDENTITY,
        NAME,
    ),
    entry(
        "identity.issuer",
        Invalid,
        "the signer's issuer is another one than expected",
        IDENTITY,
        NAME,
    ),
    entry(
        "identity.pattern_empty",
        Usage,
        "an expected name is empty",
        PATTERN,
        ANCHOR,
    ),
    entry(
        "identity.pattern_malformed",
        Usage,
        "a pattern for names is not a regular expression that is read",
        PATTERN,
        ANCHOR,
    ),
    entry(
        "identity.pattern_unanchored",
        Usage,
        "a pattern for names is not anchored over its whole",
        PATTERN,
        ANCHOR,
    ),
    entry(
        "identity.repository_id",
        Invalid,
        "the signer's repository has another id than expected",
        IDENTITY,
        NAME,
    ),
    entry(
        "identity.runner_environment",
        Invalid,
        "the signer's run was not hosted by the platform",
        IDENTITY,
        NAME,
    ),
    entry(
        "identity.san",
        Invalid,
        "the signer's name is another one than expected",
        IDENTITY,
        NAME,
    ),
    entry(
        "identity.source_digest",
        Invalid,
        "the signer built another commit than expected",
        IDENTITY,
        NAME,
    ),
    entry(
        "identity.trigger",
        Invalid,
        "the signer's run was begun by an event that is not accepted",
        IDENTITY,
        NAME,
    ),
    entry(
        "message.digest_mismatch",
        Invalid,
        "the bundle is about another file",
        MESSAGE,
        FILE,
    ),
    entry(
        "message.digest_unknown",
        Invalid,
        "the digest that this key signs is not known",
        MESSAGE,
        FILE,
    ),
    entry(
        "message.nothing_known",
        Usage,
        "nothing is known of the file",
        MESSAGE,
        FILE,
    ),
    entry(
        "sct.log_unknown",
        Invalid,
        "no timestamp in the certificate is of a trusted certificate log",
        SCT,
        ROOT,
    ),
    entry(
        "sct.malformed",
        Invalid,
        "the certificate's timestamps of certificate logs are malformed",
        SCT,
        ROOT,
    ),
    entry(
        "sct.missing",
        Invalid,
        "the certificate embeds no timestamp of a certificate log",
        SCT,
        ROOT,
    ),
    entry(
        "sct.outside_window",
        Invalid,
        "the certificate log was not in use at the time of its timestamp",
        SCT,
        ROOT,
    ),
    entry(
        "sct.signature",
        Invalid,
        "a certificate log's timestamp does not verify",
        SCT,
        ROOT,
    ),
    entry(
        "sct.too_few_operators",
        Invalid,
        "too few operators of certificate logs have seen the certificate",
        SCT,
        ROOT,
    ),
    entry(
        "signer.certificate_not_expected",
        Invalid,
        "a certificate signed, and only keys were expected",
        IDENTITY,
        NAME,
    ),
    entry(
        "signer.key_not_expected",
        Invalid,
        "a key signed, and only identities in certificates were expected",
        IDENTITY,
        NAME,
    ),
    entry(
        "time.authority_unknown",
        Invalid,
        "the timestamp is of no trusted authority",
        TIME,
        ROOT,
    ),
    entry(
        "time.no_authority",
        Invalid,
        "the trusted root has no timestamp authority",
        TIME,
        ROOT,
    ),
    entry(
        "time.outside_authority_window",
        Invalid,
        "the timestamp authority was not in use at the time that it signed",
        TIME,
        ROOT,
    ),
    entry(
        "time.outside_certificate_validity",
        Invalid,
        "the timestamp authority's certificates were not valid at the time that it signed",
        TIME,
        ROOT,
    ),
    entry(
        "time.timestamp_attributes",
        Invalid,
        "a timestamp's signed attributes are not about its content",
        TIME,
        ROOT,
    ),
    entry(
        "time.timestamp_chain",
        Invalid,
        "the timestamp's signer does not chain to its authority",
        TIME,
        ROOT,
    ),
    entry(
        "time.timestamp_content",
        Invalid,
        "a timestamp is not a signed time",
        TIME,
        ROOT,
    ),
    entry(
        "time.timestamp_critical_extension",
        Invalid,
        "a timestamp has a critical extension that is not understood",
        TIME,
        ROOT,
    ),
    entry(
        "time.timestamp_hash",
        Invalid,
        "a timestamp uses a hash that is too weak or unknown",
        TIME,
        ROOT,
    ),
    entry(
        "time.timestamp_imprint",
        Invalid,
        "a timestamp is over another signature",
        TIME,
        ROOT,
    ),
    entry(
        "time.timestamp_malformed",
        Invalid,
        "a timestamp is not strict DER",
        TIME,
        ROOT,
    ),
    entry(
        "time.timestamp_not_granted",
        Invalid,
        "the timestamp authority granted no timestamp",
        TIME,
        ROOT,
    ),
    entry(
        "time.timestamp_signature",
        Invalid,
        "a trusted authority's key did not sign the timestamp",
        TIME,
        ROOT,
    ),
    entry(
        "time.timestamp_signers",
        Invalid,
        "a timestamp does not have exactly one signer",
        TIME,
        ROOT,
    ),
    entry(
        "time.timestamp_usage",
        Invalid,
        "the timestamp was signed with a certificate that is not for timestamps alone",
        TIME,
        ROOT,
    ),
    entry(
        "time.too_few_operators",
        Invalid,
        "the timestamps are of too few operators",
        TIME,
        ROOT,
    ),
];
