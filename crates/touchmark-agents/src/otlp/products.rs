//! Events of products that have names of their own for what the conventions name.

use super::attributes::Attributes;
use super::messages::Message;
use super::operation::{Kind, Operation, ToolUse};
use crate::run::{PromptPart, Usage};

/// Reads an event of a product; `None` where it is none of those that are known.
pub(super) fn of_event(name: &str, attributes: &Attributes<'_>) -> Option<Operation> {
    let read = match name {
        "claude_code.user_prompt" | "gemini_cli.user_prompt" => user_prompt(attributes),
        "claude_code.api_request" => inference(
            attributes,
            Some("anthropic"),
            Usage {
                input_tokens: attributes.count(&["input_tokens"]),
                output_tokens: attributes.count(&["output_tokens"]),
                cache_read_tokens: attributes.count(&["cache_read_tokens"]),
                cache_write_tokens: attributes.count(&["cache_creation_tokens"]),
                requests: None,
            },
        ),
        "gemini_cli.api_response" => inference(attributes, None, gemini_usage(attributes)),
        "claude_code.tool_result" | "gemini_cli.tool_call" => tool(attributes)?,
        _ => return None,
    };
    Some(read)
}

fn user_prompt(attributes: &Attributes<'_>) -> Operation {
    // Without leave to log it, the prompt is absent or a placeholder.
    let text = attributes.text(&["prompt"]).filter(|text| *text != "<REDACTED>");
    Operation {
        kind: Kind::Inference,
        input: vec![Message {
            role: "user".to_owned(),
            parts: text
                .map(|text| PromptPart::Text(text.to_owned()))
                .into_iter()
                .collect(),
            ..Message::default()
        }],
        ..Operation::default()
    }
}

fn inference(attributes: &Attributes<'_>, provider: Option<&str>, usage: Usage) -> Operation {
    Operation {
        kind: Kind::Inference,
        model: attributes.text(&["model"]).map(str::to_owned),
        provider: provider.map(str::to_owned),
        answer: attributes.text(&["request_id"]).map(str::to_owned),
        cost: attributes.number(&["cost_usd"]),
        usage,
        ..Operation::default()
    }
}

/// The input counts what came from the cache; the output counts no thoughts.
fn gemini_usage(attributes: &Attributes<'_>) -> Usage {
    let cached = attributes.count(&["cached_content_token_count"]);
    let thoughts = attributes.count(&["thoughts_token_count"]).unwrap_or(0);
    Usage {
        input_tokens: attributes
            .count(&["input_token_count"])
            .map(|all| all.checked_sub(cached.unwrap_or(0)).unwrap_or(all)),
        output_tokens: attributes
            .count(&["output_token_count"])
            .map(|tokens| tokens.saturating_add(thoughts)),
        cache_read_tokens: cached,
        cache_write_tokens: None,
        requests: None,
    }
}

fn tool(attributes: &Attributes<'_>) -> Option<Operation> {
    let name = attributes.text(&["tool_name", "function_name"])?;
    Some(Operation {
        kind: Kind::Tool,
        tool: Some(ToolUse {
            name: name.to_owned(),
            id: attributes.text(&["tool_use_id", "call_id"]).map(str::to_owned),
            server: attributes.text(&["mcp_server_name"]).map(str::to_owned),
            arguments: attributes.json(&["tool_input", "tool_parameters", "function_args"]),
            result: None,
            failed: attributes.flag("success").map(|success| !success),
            exit_code: None,
        }),
        ..Operation::default()
    })
}
