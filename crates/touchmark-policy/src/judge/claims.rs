//! What a statement says, with the strength that the verifier computes: never more than the evidence allows.

use touchmark_statement::agent_change::{AgentChange, Source};
use touchmark_statement::predicate::Predicate;

use super::gather::Evidence;
use crate::agreement::{self, RunPlace};
use crate::verdict::{Claim, Vantage};

/// The most identities of one statement that are shown.
const MAX_IDENTITIES: usize = 64;

/// Returns the claims of a statement that people ask for first.
pub(super) fn of(evidence: &Evidence<'_>) -> Vec<Claim> {
    let Predicate::AgentChange(change) = &evidence.verified.statement().predicate else {
        return Vec::new();
    };
    let certified = evidence.verified.signer().certificate();
    let mut claims = Claims {
        change,
        isolated: evidence.signer.isolated,
        certified: certified
            .map(|identity| {
                let statement = evidence.verified.statement();
                agreement::compare(statement, identity, RunPlace::SameRepository).confirmed
            })
            .unwrap_or_default(),
        list: Vec::new(),
    };
    claims.add("/agent/id", &change.agent.id);
    claims.add_some("/agent/instance", change.agent.instance.as_ref());
    if let Some(product) = &change.agent.product {
        claims.add("/agent/product/name", &product.name);
        claims.add_some("/agent/product/version", product.version.as_ref());
    }
    for (i, model) in change.models.iter().enumerate() {
        claims.add(
            &format!("/models/{i}"),
            format!("{}/{}", model.provider, model.id),
        );
    }
    if let Some(prompt) = &change.prompt {
        claims.add_some("/prompt/count", prompt.count);
    }
    if let Some(transcript) = &change.transcript {
        claims.add("/transcript/complete", word(&transcript.complete));
    }
    for (i, tool) in change.tools.iter().flatten().enumerate() {
        claims.add(&format!("/tools/{i}/name"), &tool.name);
    }
    if let Some(trigger) = &change.trigger {
        claims.add("/trigger/kind", word(&trigger.kind));
        claims.add_some("/trigger/principal", trigger.principal.as_ref());
    }
    for (i, identity) in change
        .identities
        .iter()
        .flatten()
        .take(MAX_IDENTITIES)
        .enumerate()
    {
        let name = identity.name.as_ref().map(|name| format!(" ({name})"));
        claims.list.push(Claim {
            pointer: format!("/identities/{i}"),
            value: format!(
                "{} {}{}",
                word(&identity.role),
                identity.value,
                name.unwrap_or_default()
            ),
            vantage: capped(identity.source),
        });
    }
    if let Some(environment) = &change.environment {
        claims.add("/environment/kind", word(&environment.kind));
        claims.add_some("/environment/run", environment.run.as_ref());
    }
    claims.list
}

struct Claims<'c> {
    change: &'c AgentChange,
    isolated: bool,
    /// Pointers to what the certificate says too.
    certified: Vec<String>,
    list: Vec<Claim>,
}

impl Claims<'_> {
    fn add(&mut self, pointer: &str, value: impl ToString) {
        let (value, vantage) = (value.to_string(), self.vantage(pointer));
        self.list.push(Claim {
            pointer: pointer.to_owned(),
            value,
            vantage,
        });
    }

    fn add_some<T: ToString>(&mut self, pointer: &str, value: Option<T>) {
        if let Some(value) = value {
            self.add(pointer, value);
        }
    }

    /// What the certificate says too is the platform's word. Of the rest, the nearest source that the statement names,
    /// capped: only a signer out of the agent's reach observes.
    fn vantage(&self, pointer: &str) -> Vantage {
        if self.isolated {
            return Vantage::Observed;
        }
        if self.certified.iter().any(|certified| certified == pointer) {
            return Vantage::Platform;
        }
        let mut pointer = pointer;
        loop {
            if let Some(source) = self.change.capture.sources.get(pointer) {
                return capped(*source);
            }
            match pointer.rfind('/') {
                Some(end) => pointer = &pointer[..end],
                None => return Vantage::SelfReported,
            }
        }
    }
}

fn capped(source: Source) -> Vantage {
    match source {
        Source::Observed | Source::Platform | Source::Hook => Vantage::Hook,
        Source::Transcript => Vantage::Transcript,
        Source::Environment => Vantage::Environment,
        Source::Trailer => Vantage::Trailer,
        Source::SelfReported => Vantage::SelfReported,
    }
}

pub(super) fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "unknown".to_owned(),
    }
}
