//! Codes of tests and builds as evidence, and of exports.

use super::registry::{Entry, entry};
use crate::exit::Class::{Error, Finding, Invalid, Missing, Usage};

const REPORT: &str =
    "let the test tool write its report again; `touchmark attest tests -- COMMAND` needs none";

pub(super) const CODES: &[Entry] = &[
    entry(
        "attest.command_not_run",
        Usage,
        "the command behind -- could not be run",
        "The program was not found or may not be executed. Nothing was attested.",
        "name a program that can be run; for a line of shell, give sh -c 'LINE'",
    ),
    entry(
        "attest.dirty",
        Usage,
        "the work tree is not what HEAD holds",
        "A result of tests or a build is bound to exactly one commit. Files that differ from HEAD, or new files that are \
         not ignored, would have taken part without being in it.",
        "commit or remove them, let git ignore them, or say --uncommitted where the tree alone is meant",
    ),
    entry(
        "attest.head_moved",
        Error,
        "HEAD moved while the command ran",
        "The commit at the end is not the one at the beginning, so that it is not known which one the result is of.",
        "run it again when nothing commits meanwhile",
    ),
    entry(
        "attest.no_command",
        Usage,
        "no command stands behind --",
        "What is to be run has to be named.",
        "touchmark attest tests -- COMMAND",
    ),
    entry(
        "attest.tree_changed",
        Error,
        "a file changed while the command ran",
        "A file that belongs to what is attested is not the same at the end as at the beginning.",
        "let the command write into folders that git ignores",
    ),
    entry(
        "build.same_name",
        Usage,
        "two artifacts have one name",
        "Subjects are told apart by their names, which are the files' names without folders.",
        "attest them one by one, or give them different names",
    ),
    entry(
        "build.uri",
        Usage,
        "a builder or build type is no URI",
        "Both are compared byte for byte by those who read provenance, and have to be absolute URIs.",
        "give an absolute URI, such as https://ci.example/builders/1",
    ),
    entry(
        "export.ambiguous",
        Usage,
        "several statements fit",
        "The commit has statements of several sessions or signers.",
        "name one by its payload digest; `touchmark find` lists them",
    ),
    entry(
        "export.consent",
        Usage,
        "this export holds prompts",
        "The format carries every word of the session. It is written to a file that is named, or to standard output \
         where that is asked for by name.",
        "name a file with --output FILE, or say --output - to have it on standard output",
    ),
    entry(
        "export.exists",
        Usage,
        "the file to write exists",
        "An export replaces nothing.",
        "name another file, or remove the old one",
    ),
    entry(
        "export.no_commits",
        Usage,
        "the statement names no base or proposed commit",
        "A metadata record has both, and this statement is about uncommitted work.",
        "export the statement about the commit, or another format",
    ),
    entry(
        "export.no_prompt_digest",
        Usage,
        "there is no plain digest of the prompts",
        "A metadata record needs one. It is in the statement only where --plain-prompt-digest was given, and the vault of \
         this machine does not hold the prompts from which it could be computed.",
        "attest with --plain-prompt-digest, or export where the vault is",
    ),
    entry(
        "export.no_session",
        Missing,
        "neither the session's file nor its record in the vault is here",
        "An export in the session's own words needs the words.",
        "export where the session ran, or name its file with --session FILE",
    ),
    entry(
        "export.not_a_statement",
        Usage,
        "this form cannot be signed",
        "Only an export as SLSA provenance is a statement.",
        "leave out --sign, or say --as slsa-provenance",
    ),
    entry(
        "export.not_found",
        Missing,
        "no statement of an agent's change fits",
        "Neither a payload digest nor a commit with evidence begins or is called so.",
        "`touchmark find` lists what there is; `touchmark publish --fetch REMOTE` fetches that of others",
    ),
    entry(
        "junit.doctype",
        Invalid,
        "the report has a document type declaration",
        "No test tool writes one. It could define entities that grow or read files, so that it is refused unread.",
        REPORT,
    ),
    entry(
        "junit.encoding",
        Invalid,
        "the report is not in UTF-8",
        "The bytes are not UTF-8, or the declaration names another encoding.",
        REPORT,
    ),
    entry(
        "junit.entity",
        Invalid,
        "the report uses an entity of its own",
        "Only the five entities that XML predefines, and numbered characters, are known.",
        REPORT,
    ),
    entry(
        "junit.malformed",
        Invalid,
        "the report is no well-formed XML",
        "It was cut, or something else was written into it. Half a report proves nothing.",
        REPORT,
    ),
    entry(
        "junit.not_junit",
        Invalid,
        "the file is XML, but no report of tests",
        "The outermost element of a report is testsuites or testsuite.",
        "name the file that the test tool wrote in JUnit's format",
    ),
    entry(
        "junit.structure",
        Invalid,
        "the report is not built as one",
        "A case stands outside of a suite or within a case, a suite within a case, or a total is no number.",
        REPORT,
    ),
    entry(
        "junit.too_deep",
        Invalid,
        "the report nests too deep",
        "Elements nest deeper than any test tool writes.",
        REPORT,
    ),
    entry(
        "junit.too_many_attributes",
        Invalid,
        "an element of the report has too many attributes",
        "More attributes than any test tool writes.",
        REPORT,
    ),
    entry(
        "junit.too_many_cases",
        Invalid,
        "the report has too many cases",
        "More tests than are read from one report.",
        "split the report by suite and name every part with --junit",
    ),
    entry(
        "junit.totals",
        Invalid,
        "the report states other totals than its cases show",
        "A suite says that it holds more or fewer tests, failures, errors or skipped tests than stand in it. Where a test \
         failed, that is attested and the difference recorded; a pass is not made of such a report.",
        REPORT,
    ),
    entry(
        "tests.empty",
        Invalid,
        "the report names no test",
        "An empty report proves nothing, and is not a pass.",
        "look why no test was found",
    ),
    entry(
        "tests.none_ran",
        Invalid,
        "every test was skipped",
        "Tests that did not run have not passed.",
        "look why they were skipped",
    ),
    entry(
        "tests.nothing_named",
        Usage,
        "neither a report nor a command is named",
        "A result comes from reports that a run of the tests wrote, from running a command, or from both.",
        "touchmark attest tests --junit FILE, or touchmark attest tests -- COMMAND",
    ),
    entry(
        "tests.report_older",
        Usage,
        "the report is older than what it is said to be a report of",
        "The file was written before HEAD was committed, or was not written anew by the command that ran.",
        "run the tests again, so that they write it anew",
    ),
    entry(
        "tests.run_by_agent",
        Finding,
        "the tests were run by an agent",
        "A result that says it was made by an agent, or within an agent's process, is shown and does not count, whoever \
         signed it: whoever wrote the change could have run anything.",
        "run the tests where the agent cannot reach, and attest the result there",
    ),
    entry(
        "tests.too_many_reports",
        Usage,
        "too many reports for one result",
        "More reports are named than one result takes.",
        "join them, or attest several results",
    ),
];
