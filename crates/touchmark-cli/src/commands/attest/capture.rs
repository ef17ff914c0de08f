//! Everything that is read before anything is written, and the statement it becomes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use touchmark_agents::secrets::Scanner;
use touchmark_agents::session::Session;
use touchmark_git::{EvidenceName, Repository};
use touchmark_statement::agent_change as claim;
use touchmark_statement::digest::{DigestSet, Sha256Digest};
use touchmark_statement::repo_path::RepoPath;
use touchmark_statement::statement::Statement;
use touchmark_verify::commitment::RunKey;
use touchmark_verify::evidence::SignerId;

use super::change::{self, Asked, GitChange};
use super::commitments::{self, Plain};
use super::identity::Sources;
use super::rows::{self, Rows};
use super::statement::{self, Commitments, Parts, Teller};
use super::surroundings::Surroundings;
use super::told::Told;
use super::{ChangeArgs, instructions, parent, sbom, secrets, session, vault};
use crate::capture::account::{self, Totals};
use crate::context::Context;
use crate::error::CliError;
use crate::interrupt;
use crate::pipeline::chain::{self, Link};

/// The place of a statement in its session's chain.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) chain: claim::ChainId,
    pub(super) sequence: u64,
    pub(super) previous: Option<DigestSet>,
    pub(super) since: Option<claim::Since>,
    /// As it was seen; what the session's own records say of it is added later.
    pub(super) parent: Option<claim::ParentAgent>,
}

impl Place {
    /// Returns the place after a link, or the first one of a new chain.
    pub(super) fn after(last: Option<&Link>) -> Result<Self, CliError> {
        if let Some(link) = last {
            let previous = Some(DigestSet::of_sha256(link.payload));
            return Ok(Self {
                chain: link.chain,
                sequence: link.sequence + 1,
                previous,
                since: None,
                parent: None,
            });
        }
        let mut name = [0; 16];
        fill_random(&mut name)?;
        Ok(Self {
            chain: claim::ChainId::from_bytes(name),
            sequence: 0,
            previous: None,
            since: None,
            parent: None,
        })
    }
}

/// What was read.
#[derive(Debug)]
pub(super) struct Captured {
    pub(super) change: GitChange,
    teller: Teller,
    surroundings: Surroundings,
    session: Sha256Digest,
    work_tree: Option<PathBuf>,
    /// What others say of who took part.
    pub(super) sources: Sources,
    /// What the session did in all, where its statements are accounted for.
    totals: Option<Totals>,
    /// What the lockfiles of the trees say, where it is read already.
    of_trees: Option<sbom::OfTrees>,
    /// What earlier statements account for.
    earlier: Option<Totals>,
}

impl Captured {
    /// Reads the change and finds the run that made it.
    pub(super) fn read(args: &ChangeArgs, git: &Repository, context: &Context<'_>) -> Result<Self, CliError> {
        let surroundings = Surroundings::of(&context.environment);
        let metadata = args
            .metadata
            .as_deref()
            .map(|file| session::metadata(file, context))
            .transpose()?;
        let asked = asked(args, metadata.as_ref())?;
        // Looking at every file of the work tree takes the longest, so the rest is read meanwhile.
        std::thread::scope(|scope| {
            let dirty = change::work_tree_counts(git, &asked)?.then(|| scope.spawn(|| git.is_dirty()));
            let mut captured = Self::read_run(args, git, (metadata, &asked), surroundings, context)?;
            captured.of_trees = sbom::OfTrees::unless_in(args.sbom.as_deref(), git, &captured.change);
            if let Some(dirty) = dirty {
                let dirty = dirty
                    .join()
                    .map_err(|_| CliError::panicked(&interrupt::last_panic()))?;
                captured.change.dirty = dirty?;
            }
            Ok(captured)
        })
    }

    fn read_run(
        args: &ChangeArgs,
        git: &Repository,
        (metadata, asked): (Option<Teller>, &Asked),
        surroundings: Surroundings,
        context: &Context<'_>,
    ) -> Result<Self, CliError> {
        let change = GitChange::read(git, asked, surroundings.repository_id.clone())?;
        let work_tree = git.work_tree().map(Path::to_owned);
        let teller = match (metadata, &args.session) {
            (Some(metadata), _) => metadata,
            (None, Some(file)) => Teller::Session(Box::new(session::named(file, context)?)),
            (None, None) => {
                let changed: BTreeSet<RepoPath> =
                    change.changes.iter().map(|change| change.path.clone()).collect();
                let root = work_tree.as_deref().unwrap_or(git.git_dir());
                Teller::Session(Box::new(session::discover(root, &changed, context)?))
            }
        };
        let session = match &teller {
            Teller::Session(session) => {
                let id = session.run.session_id.as_deref().unwrap_or_default();
                chain::session_name(&session.run.product.name, id, &change.repository.uri)
            }
            Teller::Metadata(metadata) => {
                chain::session_name("", &metadata.prompt_digest.to_string(), &change.repository.uri)
            }
        };
        Ok(Self {
            sources: Sources::read(git, &change, &context.environment)?,
            change,
            teller,
            surroundings,
            session,
            work_tree,
            totals: None,
            of_trees: None,
            earlier: None,
        })
    }

    /// Takes over what hooks saw.
    pub(super) fn seen(
        session: Session,
        asked: &Asked,
        git: &Repository,
        context: &Context<'_>,
    ) -> Result<Self, CliError> {
        let surroundings = Surroundings::of(&context.environment);
        let change = GitChange::read(git, asked, surroundings.repository_id.clone())?;
        let id = session.run.session_id.as_deref().unwrap_or_default();
        Ok(Self {
            session: chain::session_name(&session.run.product.name, id, &change.repository.uri),
            sources: Sources::read(git, &change, &context.environment)?,
            change,
            surroundings,
            work_tree: git.work_tree().map(Path::to_owned),
            teller: Teller::Session(Box::new(session)),
            totals: None,
            of_trees: None,
            earlier: None,
        })
    }

    /// Leaves of the session what no statement accounts for yet.
    pub(super) fn take_off(&mut self, context: &Context<'_>) -> Result<Option<claim::Since>, CliError> {
        let Teller::Session(session) = &mut self.teller else {
            return Ok(None);
        };
        let id = session.run.session_id.clone().unwrap_or_default();
        self.earlier = match account::before(&session.run.product.name, &id, context)? {
            Some(before) => Some(before),
            None => Totals::copied(session, context)?,
        };
        self.totals = Some(Totals::of(session));
        Ok(self.earlier.as_ref().map(|before| before.take_off(session)))
    }

    /// As [`take_off`](Self::take_off), where a hook's statements are accounted for: only those count together.
    pub(super) fn take_off_known(&mut self, context: &Context<'_>) -> Result<Option<claim::Since>, CliError> {
        let Teller::Session(session) = &self.teller else {
            return Ok(None);
        };
        let id = session.run.session_id.as_deref().unwrap_or_default();
        if account::before(&session.run.product.name, id, context)?.is_none() {
            return Ok(None);
        }
        self.take_off(context)
    }

    /// Notes that a statement accounts for the session up to here, before the statement is made durable.
    pub(super) fn note(
        &self,
        sequence: u64,
        payload: Sha256Digest,
        context: &Context<'_>,
    ) -> Result<(), CliError> {
        let (Teller::Session(session), Some(totals)) = (&self.teller, &self.totals) else {
            return Ok(());
        };
        let id = session.run.session_id.as_deref().unwrap_or_default();
        let whose = (session.run.product.name.as_str(), id);
        account::note(whose, (self.session, sequence, payload), totals, context)
    }

    /// Returns the last statement of this session.
    pub(super) fn last_link(&self, context: &Context<'_>) -> Result<Option<Link>, CliError> {
        chain::last(&self.session, context)
    }

    /// Returns whether a statement says already what a new one would say: about the same trees, with all that the user
    /// tells now, by the same signer, and still where it was filed.
    pub(super) fn is_covered_by(
        &self,
        link: &Link,
        told: &Told,
        signer: &SignerId,
        git: &Repository,
    ) -> Result<bool, CliError> {
        let change = &self.change;
        let says_it = link.covers(
            &change.base.git_tree,
            &change.proposed.git_tree,
            change.proposed.git_commit.as_ref(),
        );
        let by_this_signer = link.evidence.ends_with(&signer.to_string());
        if !says_it || !by_this_signer {
            return Ok(false);
        }
        if link.log_index.is_none() {
            // It waits in the spool and is filed from there.
            return Ok(true);
        }
        for key in &change.keys {
            let is_it = |name: &EvidenceName| name.as_str().starts_with(&link.evidence);
            let filed = git.read_evidence_where(key, &is_it)?.files;
            if !filed.iter().any(|file| told.stands_in(&file.bytes)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes the statement, and what the vault has to keep so that it can be opened again.
    pub(super) fn state<'a>(
        &'a self,
        args: &ChangeArgs,
        git: &Repository,
        mut place: Place,
        context: &Context<'_>,
    ) -> Result<(Statement, vault::Kept<'a>), CliError> {
        if let Teller::Session(session) = &self.teller {
            let repository = &self.change.repository.uri;
            place.parent = parent::of(&session.run, place.parent, repository, context)?;
        }
        let scanner = secrets::scanner(&args.redaction_rules, context)?;
        let mut kept = vault::Kept::new(fresh_run_key()?);
        let mut commitments = self.committed(args, &mut kept, &scanner, context)?;
        let home = context.environment.path("HOME");
        let found = instructions::find(
            git,
            &self.change.base.git_tree,
            self.work_tree.as_deref(),
            home.as_deref(),
            self.change.changes.iter().map(|change| &change.path),
        )?;
        commitments.instructions = commitments::instructions(&found, &kept.key)?;
        kept.add_instructions(&found, &scanner)?;
        let root = self
            .work_tree
            .as_deref()
            .map(Path::to_string_lossy)
            .unwrap_or_default();
        let written = match &self.teller {
            Teller::Session(session) => Some(rows::written(session, &root)),
            Teller::Metadata(_) => None,
        };
        let mut rows = Rows::of(git, &self.change.changes, written.as_ref())?;
        if let Some(earlier) = &self.earlier {
            rows.forget_unwritten(&rows::named(earlier.written(), &root));
        }
        rows.cap_lists();
        let setting = |flag: &Option<String>, name| {
            flag.clone()
                .or_else(|| context.config.text(name).map(str::to_owned))
        };
        let statement = statement::build(Parts {
            teller: &self.teller,
            change: &self.change,
            paths_tree: if rows.too_many()? {
                Some(rows.tree()?)
            } else {
                None
            },
            rows,
            commitments,
            sbom: sbom::claim(
                args.sbom.as_deref(),
                self.of_trees.as_ref(),
                (&self.change, git),
                context,
            )?,
            surroundings: &self.surroundings,
            sources: &self.sources,
            agent: setting(&args.agent, "agent"),
            owner: setting(&args.owner, "owner"),
            place,
        })?;
        secrets::in_statement(&statement.encode()?, &scanner)?;
        Ok((statement, kept))
    }

    /// Commits to what the session says, once it is known to hold no secret that was not taken out.
    fn committed<'a>(
        &'a self,
        args: &ChangeArgs,
        kept: &mut vault::Kept<'a>,
        scanner: &Scanner,
        context: &Context<'_>,
    ) -> Result<Commitments, CliError> {
        let task = args.task.as_ref().map(|uri| claim::Task {
            uri: Some(uri.clone()),
            commitment: None,
        });
        let mut commitments = Commitments {
            task,
            ..Commitments::default()
        };
        let Teller::Session(session) = &self.teller else {
            return Ok(commitments);
        };
        let raw = commitments::transcript_bytes(session);
        let redacted = secrets::in_transcript(&raw, args.redact, scanner)?;
        let plain = if args.plain_prompt_digest {
            Plain::Digest
        } else {
            Plain::No
        };
        if plain == Plain::Digest {
            context
                .output
                .warn("the plain digest of a short or common prompt can be guessed by anyone who sees it");
        }
        let transcript = commitments::transcript(session, &kept.key, &raw, redacted.as_ref())?;
        commitments.prompt = commitments::prompts(session, &kept.key, plain)?;
        commitments.commands = commitments::commands(session, &kept.key)?;
        commitments.transcript = Some(transcript);
        kept.add_session(session, raw, redacted)?;
        Ok(commitments)
    }
}

/// A metadata record names its own base and proposed commit; flags may repeat but not change them.
fn asked(args: &ChangeArgs, metadata: Option<&Teller>) -> Result<Asked, CliError> {
    if let Some(Teller::Metadata(metadata)) = metadata {
        if args.base.is_some() || args.proposed.is_some() {
            return Err(CliError::usage(
                "attest.metadata_range",
                "a metadata record names its base and proposed commit itself",
            )
            .hint("leave out --base and --proposed"));
        }
        let (base, proposed) = (Some(metadata.base.to_string()), metadata.proposed.to_string());
        return Ok(Asked::Commits { base, proposed });
    }
    if args.uncommitted {
        return Ok(Asked::Uncommitted {
            base: args.base.clone(),
        });
    }
    let proposed = args.proposed.clone().unwrap_or_else(|| "HEAD".to_owned());
    Ok(Asked::Commits {
        base: args.base.clone(),
        proposed,
    })
}

pub(super) fn fresh_run_key() -> Result<RunKey, CliError> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    fill_random(&mut *bytes)?;
    Ok(RunKey::from_bytes(&*bytes)?)
}

pub(super) fn fill_random(bytes: &mut [u8]) -> Result<(), CliError> {
    getrandom::fill(bytes)
        .map_err(|_| CliError::failed("key.no_randomness", "no randomness from the operating system"))
}
