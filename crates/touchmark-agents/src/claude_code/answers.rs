//! Models and tokens. An answer is written as several records, one for each part, each with the answer's tokens so far:
//! answers are told apart by `message.id` and `requestId`, and the last record of each has the tokens that count.

use std::collections::{BTreeMap, HashMap};

use super::record::{Message, TokenCounts};
use super::texts::identifier;
use crate::json::lenient::Count;
use crate::limits::{MAX_DISTINCT_NAMES, MAX_TOKENS};
use crate::run::{Finding, Model, Role, Usage};

/// The model name of answers that the product made up itself.
const SYNTHETIC_MODEL: &str = "<synthetic>";

struct Answer {
    model: usize,
    usage: TokenCounts,
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
    findings: Vec<Finding>,
}

impl Answers {
    /// Adds one record of an answer. `counts` is false for a copy, which only refreshes the tokens.
    pub(super) fn add(
        &mut self,
        message: &Message<'_>,
        request: Option<&str>,
        role: Role,
        step: usize,
        counts: bool,
    ) {
        let Some(name) = message.model.as_deref() else {
            return;
        };
        if name == SYNTHETIC_MODEL || name.is_empty() {
            return;
        }
        let Some(model) = self.model(identifier(name), role, step) else {
            return;
        };
        let usage = message.usage.0.unwrap_or_default();
        let answer = self.answer(message.id.as_deref(), request, model, step);
        if self.answers[answer].model != model {
            self.disagree(answer, model);
        }
        // Absent in a later record does not undo what an earlier one said.
        let kept = &mut self.answers[answer].usage;
        for (kept, new) in [
            (&mut kept.input_tokens, usage.input_tokens),
            (&mut kept.output_tokens, usage.output_tokens),
            (
                &mut kept.cache_creation_input_tokens,
                usage.cache_creation_input_tokens,
            ),
            (&mut kept.cache_read_input_tokens, usage.cache_read_input_tokens),
        ] {
            if let Count(Some(tokens)) = new
                && tokens <= MAX_TOKENS
            {
                *kept = new;
            }
        }
        if counts {
            let model = &mut self.models[model].1;
            model.steps += 1;
            model.first_step = model.first_step.min(step);
            model.last_step = model.last_step.max(step);
        }
    }

    /// Notes a model that is known only from a progress record: it took part, but its tokens are not known.
    pub(super) fn add_echo(&mut self, message: &Message<'_>, step: usize) {
        if let Some(name) = message.model.as_deref()
            && name != SYNTHETIC_MODEL
            && !name.is_empty()
        {
            self.model(identifier(name), Role::Subagent, step);
        }
    }

    fn model(&mut self, name: &str, role: Role, step: usize) -> Option<usize> {
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
            provider: provider(name).map(str::to_owned),
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

    fn answer(&mut self, id: Option<&str>, request: Option<&str>, model: usize, step: usize) -> usize {
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
                usage: TokenCounts::default(),
            });
        }
        self.last = Some(at);
        std::mem::swap(&mut self.last_key, &mut self.key);
        at
    }

    fn disagree(&mut self, answer: usize, later: usize) {
        let first = self.answers[answer].model;
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
    pub(super) fn finish(mut self) -> (BTreeMap<(String, Role), Model>, Usage, Vec<Finding>) {
        let mut total = Usage::default();
        for answer in &self.answers {
            let model = &mut self.models[answer.model].1;
            model.answers += 1;
            for usage in [&mut model.usage, &mut total] {
                add(&mut usage.input_tokens, answer.usage.input_tokens.0);
                add(&mut usage.output_tokens, answer.usage.output_tokens.0);
                add(
                    &mut usage.cache_write_tokens,
                    answer.usage.cache_creation_input_tokens.0,
                );
                add(
                    &mut usage.cache_read_tokens,
                    answer.usage.cache_read_input_tokens.0,
                );
                add(&mut usage.requests, Some(1));
            }
        }
        (self.models.into_iter().collect(), total, self.findings)
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
mod tests {
    use super::*;

    fn message<'a>(json: &'a str) -> Message<'a> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_last_record_of_an_answer_counts() {
        let mut answers = Answers::default();
        for (json, step) in [
            (
                r#"{"id":"m1","model":"claude-x","usage":{"input_tokens":5,"output_tokens":1}}"#,
                0,
            ),
            (
                r#"{"id":"m2","model":"claude-x","usage":{"input_tokens":7,"output_tokens":2}}"#,
                1,
            ),
            (
                r#"{"id":"m1","model":"claude-x","usage":{"input_tokens":5,"output_tokens":90}}"#,
                2,
            ),
            (
                r#"{"id":"m3","model":"<synthetic>","usage":{"input_tokens":9,"output_tokens":9}}"#,
                3,
            ),
            (r#"{"id":"m1","model":"claude-x"}"#, 4),
        ] {
            answers.add(&message(json), Some("r"), Role::Primary, step, true);
        }
        let (models, usage, findings) = answers.finish();
        assert_eq!(
            usage,
            Usage {
                input_tokens: Some(12),
                output_tokens: Some(92),
                requests: Some(2),
                ..Usage::default()
            }
        );
        let model = &models[&("claude-x".to_owned(), Role::Primary)];
        assert_eq!(
            (model.steps, model.answers, model.first_step, model.last_step),
            (4, 2, 0, 4)
        );
        assert_eq!(model.provider.as_deref(), Some("anthropic"));
        assert!(findings.is_empty());
    }

    #[test]
    fn absent_and_absurd_counts_stay_absent() {
        let mut answers = Answers::default();
        for json in [
            r#"{"id":"m1","model":"m","usage":{"input_tokens":-3,"output_tokens":1.5,"cache_read_input_tokens":"7"}}"#,
            r#"{"id":"m2","model":"m","usage":{"input_tokens":18446744073709551615}}"#,
            r#"{"id":"m3","model":"m","usage":[1,2,3,4]}"#,
        ] {
            answers.add(&message(json), None, Role::Primary, 0, true);
        }
        let (_, usage, _) = answers.finish();
        assert_eq!(
            usage,
            Usage {
                requests: Some(3),
                ..Usage::default()
            }
        );
    }

    #[test]
    fn two_models_under_one_identifier_are_a_finding() {
        let mut answers = Answers::default();
        answers.add(
            &message(r#"{"id":"m1","model":"a"}"#),
            None,
            Role::Primary,
            0,
            true,
        );
        answers.add(
            &message(r#"{"id":"m1","model":"b"}"#),
            None,
            Role::Primary,
            1,
            true,
        );
        let (models, _, findings) = answers.finish();
        assert_eq!(models.len(), 2);
        assert_eq!(
            findings,
            [Finding::ModelDiffers {
                first: "a".into(),
                later: "b".into()
            }]
        );
    }

    #[test]
    fn providers_are_read_from_the_identifier() {
        assert_eq!(provider("claude-opus-4-5-20251101"), Some("anthropic"));
        assert_eq!(provider("claude-opus-4-1@20250805"), Some("gcp.vertex_ai"));
        assert_eq!(
            provider("us.anthropic.claude-sonnet-4-20250514-v1:0"),
            Some("aws.bedrock")
        );
        assert_eq!(provider("gpt-5"), None);
    }
}
