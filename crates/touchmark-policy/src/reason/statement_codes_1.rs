//! Codes of statements and of the JSON they are written in. Part 1.

use super::registry::{Entry, entry};
use crate::exit::Class::Invalid;

pub(super) const CODES: &[Entry] = &[
    entry(
        "json.array_for_object",
        Invalid,
        "an array stands where an object must stand",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.byte_order_mark",
        Invalid,
        "the document starts with a byte order mark",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.duplicate_key",
        Invalid,
        "a key stands twice in one object",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.empty_text",
        Invalid,
        "a text is empty that must not be",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.inexact_number",
        Invalid,
        "a number is not an exact integer",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.look_alike_key",
        Invalid,
        "a key looks like one that is known",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.malformed",
        Invalid,
        "the document is not JSON",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.not_utf8",
        Invalid,
        "the document is not UTF-8",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.nul",
        Invalid,
        "a text has a NUL character",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.reserved_key",
        Invalid,
        "a key is reserved",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.shape",
        Invalid,
        "a value is not of the kind that belongs here",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.text_too_long",
        Invalid,
        "a text is longer than the limit",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.too_deep",
        Invalid,
        "arrays and objects nest deeper than the limit",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.too_large",
        Invalid,
        "the document is larger than the limit",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.trailing_data",
        Invalid,
        "something follows the document",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "json.unrepresentable",
        Invalid,
        "a value cannot be written as JSON",
        "JSON is read strictly, because what two readers could understand differently can be abused: one \
         document, UTF-8, no key twice, no object written as an array, exact integers.",
        "get the document again from where it was made",
    ),
    entry(
        "statement.not_round_trip",
        Invalid,
        "the statement would not be read as it was written",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "statement.predicate_type",
        Invalid,
        "the predicate type is malformed",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "statement.schema",
        Invalid,
        "the statement does not fit its JSON Schema",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "statement.subject_mismatch",
        Invalid,
        "a subject is not what the predicate says",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "statement.subject_missing",
        Invalid,
        "the subject that the predicate needs is not there",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "statement.subject_mixed",
        Invalid,
        "a subject names objects of two kinds",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "statement.unknown_type",
        Invalid,
        "the statement's type is not in-toto Statement v1",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "subject.no_digest",
        Invalid,
        "a subject has no digest",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "subject.none",
        Invalid,
        "the statement has no subject",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "subject.text",
        Invalid,
        "a subject has a name that is not allowed",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "subject.too_many",
        Invalid,
        "the statement has more subjects than the limit",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "subject.weak_digest",
        Invalid,
        "a subject has only digests that prove nothing",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "predicate.empty",
        Invalid,
        "a list of the predicate is empty that must not be",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "predicate.too_many",
        Invalid,
        "a list of the predicate is longer than the limit",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "predicate.weak_digest",
        Invalid,
        "the predicate has a digest set that proves nothing",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "capture.source_pointer",
        Invalid,
        "a source of the capture is not named by a JSON pointer",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "change.duplicate_path",
        Invalid,
        "a path stands twice in the change",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "change.path_content",
        Invalid,
        "a path's new side does not say what it must",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "change.path_status",
        Invalid,
        "a path's status is not what its two sides say",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "change.paths_or_tree",
        Invalid,
        "the change has neither or both of `paths` and `pathsTree`",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "change.ref_name",
        Invalid,
        "a ref is not a full ref name",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "prompt.commitments",
        Invalid,
        "the prompt's commitments, root and count do not fit together",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "prompt.says_nothing",
        Invalid,
        "the prompt has neither commitments nor a digest",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "repository.uri",
        Invalid,
        "the repository's URI is malformed or carries credentials",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "review.change_or_deploy",
        Invalid,
        "a review is not about exactly one of change and deployment",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "review.forge",
        Invalid,
        "a review's method and its forge do not fit together",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "review.scope",
        Invalid,
        "a review's scope is neither whole nor a list of patterns",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "run.chain",
        Invalid,
        "the session's name is malformed",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "run.times",
        Invalid,
        "the run ends before it starts",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "sbom.predicate_type",
        Invalid,
        "the SBOM's predicate type is not known",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "sbom.unknown_type",
        Invalid,
        "the SBOM is of an unknown type",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "sbom.version",
        Invalid,
        "the SBOM's version is not the one of its type",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "usage.currency",
        Invalid,
        "the currency is malformed",
        "A statement must say what it is about and of what type it is, and its subjects must be what its \
         predicate says.",
        "make the statement again with a current version",
    ),
    entry(
        "decimal.malformed",
        Invalid,
        "a decimal number is malformed",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "digest.length",
        Invalid,
        "a digest does not have its algorithm's length",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "digest.look_alike",
        Invalid,
        "an algorithm's name looks like one that is known",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "digest.malformed",
        Invalid,
        "a digest is malformed",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "digest.not_lower_hex",
        Invalid,
        "a digest is not lowercase hex",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
    entry(
        "digest.too_many",
        Invalid,
        "a digest set has more digests than the limit",
        "A value of the statement does not have the one form it can have.",
        "make the statement again with a current version",
    ),
];
