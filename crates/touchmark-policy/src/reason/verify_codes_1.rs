//! Codes of verification: bundles, signers, envelopes, log proofs, lineage. Part 1.

use super::registry::{Entry, entry};
use crate::exit::Class::{Error, Invalid, Missing, Usage};

pub(super) const CODES: &[Entry] = &[
    entry(
        "bundle.base64",
        Invalid,
        "a field is not canonical base64",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.certificate_count",
        Invalid,
        "the certificate chain is empty or too long",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.hint_too_long",
        Invalid,
        "the key hint is too long",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.material_count",
        Invalid,
        "the bundle does not have exactly one kind of verification material",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.material_version",
        Invalid,
        "the verification material does not belong to the bundle's version",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.media_type",
        Invalid,
        "the media type is none that is read",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.message_signature",
        Invalid,
        "the bundle signs a digest, not a statement",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.no_content",
        Invalid,
        "the bundle has neither an envelope nor a signature",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.promise_missing",
        Invalid,
        "a log entry has no inclusion promise",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.proof_missing",
        Invalid,
        "a log entry has no inclusion proof with a checkpoint",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.signature_count",
        Invalid,
        "the envelope does not have exactly one signature",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.too_large",
        Invalid,
        "the bundle is larger than the limit",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.too_many_entries",
        Invalid,
        "the bundle has more log entries than the limit",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.too_many_timestamps",
        Invalid,
        "the bundle has more timestamps than the limit",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "bundle.two_contents",
        Invalid,
        "the bundle has both an envelope and a bare signature",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "envelope.payload_type",
        Invalid,
        "the payload is not an in-toto statement",
        "The signed payload type must be exactly `application/vnd.in-toto+json`.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "envelope.keyid_mismatch",
        Invalid,
        "the envelope names another key than signed it",
        "The bundle does not have the one form that can be verified. Formats are read strictly: what two \
         readers could understand differently is refused.",
        "get the bundle again from where it was made; do not edit it",
    ),
    entry(
        "evidence.id_malformed",
        Error,
        "an evidence file has a name that is no evidence id",
        "Evidence files are named `<payload sha256>-<signer id>.sigstore.json`.",
        "rename nothing by hand; fetch the evidence again",
    ),
    entry(
        "signer.hint_mismatch",
        Invalid,
        "the bundle and its envelope name different keys",
        "Who signed is decided by the key alone: the bundle's hint must lead to one key that the caller \
         or the policy allows, inside its window.",
        "sign with a key that the policy names, or have the key added to the policy",
    ),
    entry(
        "signer.hint_unknown",
        Invalid,
        "the bundle's key hint leads to no known key",
        "Who signed is decided by the key alone: the bundle's hint must lead to one key that the caller \
         or the policy allows, inside its window.",
        "sign with a key that the policy names, or have the key added to the policy",
    ),
    entry(
        "signer.entry_key",
        Invalid,
        "the log entry is about another key",
        "The bundle names one key, and the log entry it carries holds another. The entry was made for another bundle, \
         so it proves nothing about this one.",
        "attest the change again; never join a bundle from parts of others",
    ),
    entry(
        "signer.key_missing",
        Missing,
        "the key itself is not at hand",
        "Only the key's fingerprint is known, and the log entry does not bring the key along.",
        "pass the public key with `--key`",
    ),
    entry(
        "signer.none_expected",
        Usage,
        "no key was given that may have signed",
        "Who signed is decided by the key alone: the bundle's hint must lead to one key that the caller \
         or the policy allows, inside its window.",
        "name the expected signer with `--key`, or give a policy",
    ),
    entry(
        "signer.not_expected",
        Invalid,
        "the signer is none that the policy or the caller knows",
        "Who signed is decided by the key alone: the bundle's hint must lead to one key that the caller \
         or the policy allows, inside its window.",
        "sign with a key that the policy names, or have the key added to the policy",
    ),
    entry(
        "signer.outside_window",
        Invalid,
        "the key signed outside its window",
        "Who signed is decided by the key alone: the bundle's hint must lead to one key that the caller \
         or the policy allows, inside its window.",
        "sign with a key that the policy names, or have the key added to the policy",
    ),
    entry(
        "signer.window_needs_time",
        Invalid,
        "the key is good in a window only, and no verified time says when it signed",
        "Who signed is decided by the key alone: the bundle's hint must lead to one key that the caller \
         or the policy allows, inside its window.",
        "sign with a key that the policy names, or have the key added to the policy",
    ),
    entry(
        "signature.digest_length",
        Invalid,
        "the digest does not have the length that the key's algorithm needs",
        "Signatures are checked under one strict rule on every path, over exactly the bytes that were \
         signed.",
        "get the evidence again from its maker",
    ),
    entry(
        "signature.invalid",
        Invalid,
        "the signature is not this key's over these bytes",
        "Signatures are checked under one strict rule on every path, over exactly the bytes that were \
         signed.",
        "get the evidence again from its maker",
    ),
    entry(
        "signature.length",
        Invalid,
        "the signature does not have the key's signature length",
        "Signatures are checked under one strict rule on every path, over exactly the bytes that were \
         signed.",
        "get the evidence again from its maker",
    ),
    entry(
        "signature.malformed",
        Invalid,
        "the signature is not strict DER",
        "Signatures are checked under one strict rule on every path, over exactly the bytes that were \
         signed.",
        "get the evidence again from its maker",
    ),
    entry(
        "signature.not_prehashable",
        Invalid,
        "the key's algorithm does not sign digests",
        "Signatures are checked under one strict rule on every path, over exactly the bytes that were \
         signed.",
        "get the evidence again from its maker",
    ),
    entry(
        "signature.raw_where_der_expected",
        Invalid,
        "the signature is raw where DER is expected",
        "Signatures are checked under one strict rule on every path, over exactly the bytes that were \
         signed.",
        "get the evidence again from its maker",
    ),
    entry(
        "key.compressed_point",
        Invalid,
        "the key's point is compressed",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.ed25519_not_canonical",
        Invalid,
        "the Ed25519 key is not canonical",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.ed25519_weak",
        Invalid,
        "the Ed25519 key has low order",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.explicit_parameters",
        Invalid,
        "the key has explicit curve parameters",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.fingerprint_malformed",
        Usage,
        "a key fingerprint is not `sha256:` and 64 hex digits",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.hybrid_point",
        Invalid,
        "the key's point is in hybrid form",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.not_canonical",
        Invalid,
        "the key is not in canonical DER",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.pem_label",
        Invalid,
        "the PEM block has another label than expected",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.pem_malformed",
        Invalid,
        "the PEM block is malformed",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.pem_no_block",
        Invalid,
        "there is no PEM block",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.pem_surrounding_text",
        Invalid,
        "there is text around the PEM block",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.pem_too_large",
        Invalid,
        "the PEM text is larger than the limit",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.point_length",
        Invalid,
        "the key's point does not have its curve's length",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.point_not_on_curve",
        Invalid,
        "the key's point is not on its curve",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.private_where_public_expected",
        Invalid,
        "a private key stands where a public key is expected",
        "The key is not shown.",
        "pass the public key: `touchmark key public`",
    ),
    entry(
        "key.spki_malformed",
        Invalid,
        "the key is not a SubjectPublicKeyInfo",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.trailing_bytes",
        Invalid,
        "bytes follow the key",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.unsupported_algorithm",
        Invalid,
        "the key's algorithm is not supported",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.unsupported_curve",
        Invalid,
        "the key's curve is not supported",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "key.unsupported_scheme",
        Invalid,
        "the key's signature scheme is not supported",
        "Public keys are parsed, encoded again and compared, so that one key has one fingerprint. Points \
         must be uncompressed and on their curve; weak Ed25519 keys are refused.",
        "export the key again in its plain SPKI form",
    ),
    entry(
        "tlog.checkpoint_extension",
        Invalid,
        "a checkpoint's extension line is malformed",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
    entry(
        "tlog.checkpoint_line",
        Invalid,
        "a checkpoint does not have its lines",
        "A log entry must be about exactly this envelope, this signature and this key, and be proven \
         included under a checkpoint that a trusted log signed. A genuine entry about something else \
         proves nothing here.",
        "publish the statement again: `touchmark publish`",
    ),
];
