//! Models and tokens. An answer may be written as several records, each with the answer's tokens so far: answers are
//! told apart by their identifiers, and the last record of each has the tokens that count.

use std::collections::{BTreeMap, HashMap};

use super::names::identifier;
use crate::error::ImportError;
use crate::limits::{MAX_DISTINCT_NAMES, MAX_TOKENS};
use crate::run::{Finding, Model, Role, Usage};

/// One record of an answer.
#[derive(Clone, Copy, Default)]
pub(crate) struct NewAnswer<'a> {
    /// The answer's identifier. Without one, each record is an answer of its own.
    pub(crate) id: Option<&'a str>,
    /// The identifier of the request, where the product has one besides.
    pub(crate) request: Option<&'a str>,
    /// The model's identifier as the provider spells it. `None` leaves the tokens without a model.
    pub(crate) model: Option<&'a str>,
    /// Who offers the model, where the record says so; otherwise the identifier may tell.
    pub(crate) provider: Option<&'a str>,
    /// The tokens as this record has them: `input_tokens` without those from or for a cache, `output_tokens` with
    /// those of reasoning. `requests` is for a record that stands for several answers.
    pub(crate) usage: Usage,
}

/// The most sums that a product may report.
const MAX_TOTALS: usize = 4_096;

/// The parts of [`Usage`] that records give.
const PARTS: [fn(&mut Usage) -> &mut Option<u64>; 4] = [
    |usage| &mut usage.input_tokens,
    |usage| &mut usage.output_tokens,
    |usage| &mut usage.cache_read_tokens,
    |usage| &mut usage.cache_write_tokens,
];

struct Answer {
    model: Option<usize>,
    usage: Usage,
}

/// Models, the tokens of all of them, and contradictions.
type Summed = (BTreeMap<(String, Role), Model>, Usage, Vec<Finding>);

/// A sum that the product reports itself: for the whole session, or for one model of it.
struct Total {
    scope: String,
    model: Option<usize>,
    usage: Usage,
}

/// Collects models and tokens.
#[derive(Default)]
pub(super) struct Answers {
    models: Vec<((String, Role), Model)>,
    by_name: HashMap<(String, Role), usize>,
    answers: Vec<Answer>,
    by_key: HashMap<String, usize>,
    /// The last answer seen: records of one answer mostly follow one another.
    last: Option<usize>,
    last_key: String,
    key: String,
    totals: Vec<Total>,
    /// Whether there were more sums than are kept.
    has_more_totals: bool,
    findings: Vec<Finding>,
}

impl Answers {
    /// Adds one record of an answer. `counts` is false for a copy, which only refreshes the tokens.
    pub(super) fn add(&mut self, new: &NewAnswer<'_>, role: Role, step: usize, counts: bool) {
        let model = new
            .model
            .filter(|name| !name.is_empty())
            .and_then(|name| self.model(identifier(name), new.provider, role, step));
        let answer = self.answer(new.id, new.request, model, step);
        if self.answers[answer].model != model {
            self.disagree(answer, model);
        }
        refresh(&mut self.answers[answer].usage, new.usage);
        if counts && let Some(model) = model {
            let model = &mut self.models[model].1;
            model.steps += 1;
            model.first_step = model.first_step.min(step);
            model.last_step = model.last_step.max(step);
        }
    }

    /// Notes a model that took part, but of which no answer is at hand: its tokens are not known.
    pub(super) fn add_model(&mut self, name: &str, provider: Option<&str>, role: Role, step: usize) {
        if !name.is_empty() {
            self.model(identifier(name), provider, role, step);
        }
    }

    /// Counts a step of a model in a format that gives tokens apart from what the model said.
    pub(super) fn add_model_step(&mut self, name: &str, provider: Option<&str>, role: Role, step: usize) {
        if !name.is_empty()
            && let Some(model) = self.model(identifier(name), provider, role, step)
        {
            let model = &mut self.models[model].1;
            model.steps += 1;
            model.first_step = model.first_step.min(step);
            model.last_step = model.last_step.max(step);
        }
    }

    /// Keeps a sum that the product reports: the last for each scope and model. Sums win over what is added up.
    pub(super) fn set_total(
        &mut self,
        scope: &str,
        model: Option<(&str, Option<&str>)>,
        role: Role,
        step: usize,
        usage: Usage,
    ) {
        let model = model
            .filter(|(name, _)| !name.is_empty())
            .and_then(|(name, provider)| self.model(identifier(name), provider, role, step));
        let known = self
            .totals
            .iter()
            .position(|total| total.scope == scope && total.model == model);
        let at = known.unwrap_or(self.totals.len());
        if known.is_none() {
            if at >= MAX_TOTALS {
                self.has_more_totals = true;
                return;
            }
            self.totals.push(Total {
                scope: scope.to_owned(),
                model,
                usage: Usage::default(),
            });
        }
        let total = &mut self.totals[at];
        refresh(&mut total.usage, usage);
    }

    fn model(&mut self, name: &str, offered_by: Option<&str>, role: Role, step: usize) -> Option<usize> {
        let found = self
            .models
            .iter()
            .take(8)
            .position(|((known, part), _)| known == name && *part == role);
        if found.is_some() {
            return found;
        }
        let key = (name.to_owned(), role);
        if let Some(at) = self.by_name.get(&key) {
            return Some(*at);
        }
        if self.models.len() >= MAX_DISTINCT_NAMES {
            return None;
        }
        let model = Model {
            provider: offered_by
                .filter(|text| identifier(text) == *text && !text.is_empty())
                .or_else(|| provider(name))
                .map(str::to_owned),
            steps: 0,
            answers: 0,
            first_step: step,
            last_step: step,
            usage: Usage::default(),
        };
        self.models.push((key.clone(), model));
        self.by_name.insert(key, self.models.len() - 1);
        Some(self.models.len() - 1)
    }

    fn answer(
        &mut self,
        id: Option<&str>,
        request: Option<&str>,
        model: Option<usize>,
        step: usize,
    ) -> usize {
        self.key.clear();
        match id {
            Some(id) => self.key.extend([id, "\u{0}", request.unwrap_or_default()]),
            // Without an identifier each record is an answer of its own.
            None => self.key.extend(["\u{0}", step.to_string().as_str()]),
        }
        if let Some(at) = self.last.filter(|_| self.last_key == self.key) {
            return at;
        }
        let next = self.answers.len();
        let at = match self.by_key.get(self.key.as_str()) {
            Some(at) => *at,
            None => {
                self.by_key.insert(self.key.clone(), next);
                next
            }
        };
        if at == next {
            self.answers.push(Answer {
                model,
                usage: Usage::default(),
            });
        }
        self.last = Some(at);
        std::mem::swap(&mut self.last_key, &mut self.key);
        at
    }

    fn disagree(&mut self, answer: usize, later: Option<usize>) {
        let first = self.answers[answer].model;
        let (Some(first), Some(later)) = (first, later) else {
            self.answers[answer].model = first.or(later);
            return;
        };
        let ((first, _), (later, _)) = (&self.models[first].0, &self.models[later].0);
        // The same model in another role is a sub-agent's record that its caller repeats.
        if first != later && self.findings.len() < MAX_DISTINCT_NAMES {
            let finding = Finding::ModelDiffers {
                first: first.clone(),
                later: later.clone(),
            };
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
    }

    /// Adds everything up.
    pub(super) fn finish(mut self) -> Result<Summed, ImportError> {
        if self.has_more_totals {
            return Err(ImportError::TooLarge {
                what: "sums of tokens",
                limit: MAX_TOTALS as u64,
            });
        }
        let mut total = Usage::default();
        for answer in &self.answers {
            let counted = Usage {
                requests: answer.usage.requests.or(Some(1)),
                ..answer.usage
            };
            add_usage(&mut total, counted);
            if let Some(model) = answer.model {
                let model = &mut self.models[model].1;
                model.answers += counted.requests.unwrap_or(1);
                add_usage(&mut model.usage, counted);
            }
        }
        let mut reported = Usage::default();
        let mut by_model: BTreeMap<usize, Usage> = BTreeMap::new();
        for part in &self.totals {
            add_usage(&mut reported, part.usage);
            if let Some(model) = part.model {
                add_usage(by_model.entry(model).or_default(), part.usage);
            }
        }
        for (model, usage) in by_model {
            overrule(&mut self.models[model].1.usage, usage);
        }
        overrule(&mut total, reported);
        Ok((self.models.into_iter().collect(), total, self.findings))
    }
}

/// Takes what is known: absent in a later record does not undo what an earlier one said.
fn refresh(kept: &mut Usage, mut new: Usage) {
    for part in PARTS {
        if let Some(tokens) = part(&mut new).filter(|tokens| *tokens <= MAX_TOKENS) {
            *part(kept) = Some(tokens);
        }
    }
    kept.requests = new
        .requests
        .filter(|count| *count <= MAX_TOKENS)
        .or(kept.requests);
}

/// Adds what is known to what is known.
pub(crate) fn add_usage(total: &mut Usage, mut more: Usage) {
    for part in PARTS {
        add(part(total), *part(&mut more));
    }
    add(&mut total.requests, more.requests);
}

/// Puts what the product reports in the place of what was added up.
fn overrule(counted: &mut Usage, mut reported: Usage) {
    for part in PARTS {
        let value = part(&mut reported).take();
        if value.is_some() {
            *part(counted) = value;
        }
    }
    counted.requests = reported.requests.or(counted.requests);
}

/// Turns a counter that only grows into what each reading adds. A counter that falls was started anew.
#[derive(Default)]
pub(crate) struct Growth {
    last: Usage,
}

impl Growth {
    /// Returns what a reading adds to the one before; `None` where it repeats it.
    pub(crate) fn added(&mut self, mut now: Usage) -> Option<Usage> {
        let mut last = self.last;
        let fell = PARTS
            .iter()
            .any(|part| matches!((*part(&mut last), *part(&mut now)), (Some(last), Some(now)) if now < last));
        if fell {
            last = Usage::default();
        }
        self.last = now;
        let mut added = Usage::default();
        let mut is_new = false;
        for part in PARTS {
            if let Some(now) = *part(&mut now) {
                let more = now - part(&mut last).unwrap_or(0).min(now);
                is_new |= more > 0;
                *part(&mut added) = Some(more);
            }
        }
        is_new.then_some(added)
    }
}

/// Adds what is known; a sum beyond the largest exact number stays there, so that it is never taken for a small one.
fn add(sum: &mut Option<u64>, value: Option<u64>) {
    if let Some(value) = value {
        *sum = Some(sum.unwrap_or(0).saturating_add(value).min(MAX_TOKENS));
    }
}

/// Returns who offers a model, where its identifier tells.
fn provider(model: &str) -> Option<&'static str> {
    if model.starts_with("claude-") {
        // `claude-…@date` is the spelling of another provider's catalogue.
        return Some(if model.contains('@') {
            "gcp.vertex_ai"
        } else {
            "anthropic"
        });
    }
    let bedrock = model.starts_with("anthropic.claude")
        || model.contains(".anthropic.claude")
        || model.starts_with("arn:aws:bedrock:");
    bedrock.then_some("aws.bedrock")
}

#[cfg(test)]
mod tests;
