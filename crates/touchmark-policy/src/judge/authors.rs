//! Who made the change, as far as anything names them: these people's approvals do not count.
//!
//! Names and addresses in git are claims, so they are used to exclude only, and generously.

use std::collections::BTreeSet;

use touchmark_statement::predicate::Predicate;
use touchmark_verify::git_view::GitViewError;
use touchmark_verify::identity::{SubjectAlternativeName, TextPattern};

use super::gather::Evidence;
use super::request::JudgeRequest;
use crate::file::{Person, Policy, Principal, Signer};

/// People who may not approve, by id.
#[derive(Debug, Default)]
pub(super) struct Authors {
    /// Git authors and committers, the forge's author, the triggers of runs, whose certificates signed for an agent.
    pub(super) authors: BTreeSet<String>,
    /// People who run an agent that had a hand in the change.
    pub(super) operators: BTreeSet<String>,
}

/// Returns whether an agent change says that it ends at a commit or at the result of the change. Whoever runs that
/// agent had a hand in the change, also where the statement itself does not count.
pub(super) fn ends_here(request: &JudgeRequest<'_>, evidence: &Evidence<'_>) -> bool {
    let Predicate::AgentChange(claim) = &evidence.verified.statement().predicate else {
        return false;
    };
    let proposed = &claim.change.proposed;
    let commits = || {
        request
            .change
            .commits
            .iter()
            .chain(&request.change.pull_request_commits)
    };
    proposed.git_tree == request.change.result_tree
        || proposed
            .git_commit
            .as_ref()
            .is_some_and(|commit| commits().any(|other| other == commit))
}

/// Returns the address in the certificate of whoever signed.
fn certified_email<'e>(evidence: &'e Evidence<'_>) -> Option<&'e str> {
    match &evidence.verified.signer().certificate()?.san {
        SubjectAlternativeName::Email(email) => Some(email),
        _ => None,
    }
}

/// Finds them. `concerned` are the agent changes that had a hand in the change; `reviews` tell under which addresses
/// reviewers have certificates.
pub(super) fn find(
    request: &JudgeRequest<'_>,
    policy: &Policy,
    concerned: &[&Evidence<'_>],
    reviews: &[Evidence<'_>],
) -> Result<Authors, GitViewError> {
    let mut named: BTreeSet<String> = BTreeSet::new();
    named.extend(request.forge_author.iter().flat_map(|author| spellings(author)));
    for id in request
        .change
        .commits
        .iter()
        .chain(&request.change.pull_request_commits)
    {
        let commit = request.git.commit(id)?;
        for identity in [&commit.author, &commit.committer] {
            named.extend(spellings(&String::from_utf8_lossy(&identity.name)));
            named.extend(spellings(&String::from_utf8_lossy(&identity.email)));
        }
    }
    let mut found = Authors::default();
    for evidence in concerned {
        named.extend(certified_email(evidence).into_iter().flat_map(spellings));
        if let Predicate::AgentChange(change) = &evidence.verified.statement().predicate {
            let trigger = change
                .trigger
                .as_ref()
                .and_then(|trigger| trigger.principal.as_deref());
            named.extend(trigger.iter().flat_map(|trigger| spellings(trigger)));
        }
        if let Principal::Agent(agent) = evidence.principal {
            let operators = policy
                .people
                .iter()
                .filter(|person| policy.operates(person, agent));
            found.operators.extend(operators.map(|person| person.id.clone()));
        }
    }
    let is_named = |person: &&Person| {
        let addresses = person.signers.iter().filter_map(Signer::identity);
        let addresses = addresses.filter_map(|rule| match &rule.san {
            TextPattern::Exact(name) => Some(name.as_str()),
            TextPattern::Regexp(_) => None,
        });
        // A pattern tells no address; the certificates of reviews do.
        let certified = reviews
            .iter()
            .filter(|review| review.principal.id() == person.id)
            .filter_map(certified_email);
        let own = [&person.id]
            .into_iter()
            .chain(&person.names)
            .chain(&person.emails)
            .map(String::as_str);
        own.chain(addresses)
            .chain(certified)
            .any(|name| named.contains(&plain(name)))
    };
    found.authors = policy
        .people
        .iter()
        .filter(is_named)
        .map(|person| person.id.clone())
        .collect();
    Ok(found)
}

/// Returns a name or address as it is, and of an address also the part before `@` and, as forges write it, the part
/// after `+` there.
fn spellings(text: &str) -> Vec<String> {
    let mut all = vec![plain(text)];
    if let Some((local, _)) = text.split_once('@') {
        all.push(plain(local));
        all.extend(
            local
                .split_once('+')
                .into_iter()
                .flat_map(|(before, after)| [plain(before), plain(after)]),
        );
    }
    all.retain(|spelling| !spelling.is_empty());
    all
}

fn plain(text: &str) -> String {
    crate::globs::fold(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_several_spellings() {
        assert_eq!(spellings("Alice Example "), ["alice example"]);
        assert_eq!(
            spellings("123+Alice@users.noreply.github.com"),
            ["123+alice@users.noreply.github.com", "123+alice", "123", "alice"]
        );
        assert_eq!(spellings(" "), [""; 0]);
    }
}
