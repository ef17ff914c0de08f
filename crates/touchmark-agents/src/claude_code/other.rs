//! Records that are neither prompt, answer nor result: costs, compaction, progress of sub-agents, attachments.

use serde_json::value::RawValue;

use super::builder::Builder;
use super::calls::Place;
use super::record::{Content, Message, Record};
use crate::error::ImportError;
use crate::json::lenient::Text;
use crate::run::{Cost, PromptOrigin, PromptPart, Role};

impl Builder {
    pub(super) fn other(&mut self, record: &Record<'_>, place: Place<'_>) -> Result<(), ImportError> {
        match (record.kind.as_deref(), record.subtype.as_deref()) {
            (Some("system"), Some("compact_boundary")) => self.run.structure.compactions += 1,
            (Some("cost-state"), _) => self.cost(record.total_cost, record),
            (Some("result"), _) => self.cost(record.headless_total_cost, record),
            (Some("progress"), _) => return self.progress(record, place),
            (Some("attachment"), _) => return self.attachment(record, place.step),
            _ => {}
        }
        Ok(())
    }

    /// Keeps the last cost that the product reported: it is cumulative.
    fn cost(&mut self, amount: Option<&RawValue>, record: &Record<'_>) {
        if let Some(amount) = amount.and_then(|raw| decimal(raw.get())) {
            let incomplete = record.has_unknown_model_cost.0;
            self.run.cost = Some(Cost {
                amount,
                currency: "USD".to_owned(),
                incomplete,
            });
        }
    }

    /// Reads a sub-agent's record that its caller's progress record repeats.
    fn progress(&mut self, record: &Record<'_>, place: Place<'_>) -> Result<(), ImportError> {
        let Some(progress) = &record.data.0 else {
            return Ok(());
        };
        let Some(agent) = progress.agent_id.as_deref() else {
            return Ok(());
        };
        self.calls.link_agent(agent, record.parent_tool_use_id.as_deref());
        let Some(echo) = &progress.message.0 else {
            return Ok(());
        };
        let Some(Message {
            content: Content::Blocks(blocks),
            ..
        }) = &echo.message.0
        else {
            return Ok(());
        };
        if echo.kind.as_deref() != Some("assistant") {
            return Ok(());
        }
        if let Some(message) = &echo.message.0 {
            self.answers.add_echo(message, place.step);
        }
        for block in blocks.iter().filter_map(|block| block.0.as_ref()) {
            if block.kind.as_deref() == Some("tool_use") {
                self.calls.add_echo(
                    block,
                    Place {
                        role: Role::Subagent,
                        ..place
                    },
                )?;
            }
        }
        Ok(())
    }

    /// Keeps a prompt that waited in the product's queue. The record does not say who wrote it, so it is not human.
    fn attachment(&mut self, record: &Record<'_>, step: usize) -> Result<(), ImportError> {
        let Some(attachment) = &record.attachment.0 else {
            return Ok(());
        };
        if attachment.kind.as_deref() != Some("queued_command") {
            return Ok(());
        }
        let text = attachment
            .prompt
            .and_then(|raw| serde_json::from_str::<Text<'_>>(raw.get()).ok()?.0);
        match text {
            Some(text) => self.prompt(
                vec![PromptPart::Text(text.into_owned())],
                PromptOrigin::Injected,
                step,
            ),
            None => Ok(()),
        }
    }
}

/// Returns a JSON number as a decimal without exponent, or `None` where it is no such number.
fn decimal(number: &str) -> Option<String> {
    let plain = |text: &str| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits =
            |part: &str| !part.is_empty() && part.len() <= 30 && part.bytes().all(|b| b.is_ascii_digit());
        digits(whole) && digits(fraction)
    };
    if plain(number) {
        return Some(number.to_owned());
    }
    let value: f64 = number.parse().ok()?;
    let text = format!("{value}");
    (value >= 0.0 && plain(&text)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_no_exponent() {
        for (number, expected) in [
            ("0.76586", Some("0.76586")),
            ("3", Some("3")),
            ("1e-5", Some("0.00001")),
            ("1E2", Some("100")),
            ("-1", None),
            ("1e999", None),
            ("\"1\"", None),
            ("null", None),
            ("[]", None),
        ] {
            assert_eq!(decimal(number).as_deref(), expected, "{number}");
        }
    }
}
