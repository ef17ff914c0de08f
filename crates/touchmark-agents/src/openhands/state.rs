//! What is taken over from the state of a conversation of the second generation.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::limits::MAX_NAME_BYTES;

/// The most MCP servers and metrics that are taken over from a state.
const MAX_ENTRIES: usize = 1_024;

/// What is taken over from `base_state.json`, in its own shape: no key, masked or not, and nothing of the secrets.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct State(Value);

impl State {
    /// Reads a state, or what was taken over from one.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(json).ok()?;
        value.as_object()?;
        let at = |path: &str| {
            value
                .pointer(path)
                .filter(|value| value.is_string() || value.is_number() || value.is_boolean())
                .cloned()
                .unwrap_or(Value::Null)
        };
        let stats = value
            .pointer("/stats/usage_to_metrics")
            .or(value.pointer("/stats/service_to_metrics"));
        let metrics: Map<String, Value> = stats
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(name, _)| name.len() <= MAX_NAME_BYTES)
            .take(MAX_ENTRIES)
            .map(|(name, metrics)| (name.clone(), measured(metrics)))
            .collect();
        let config = value.pointer("/agent/mcp_config");
        let servers = config.and_then(|config| config.get("mcpServers").or(Some(config)));
        let servers: Map<String, Value> = servers
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(name, _)| name.len() <= MAX_NAME_BYTES)
            .take(MAX_ENTRIES)
            .map(|(name, _)| (name.clone(), json!({})))
            .collect();
        Some(Self(json!({
            "id": at("/id"),
            "agent": {
                "kind": at("/agent/kind"),
                "llm": { "model": at("/agent/llm/model"), "usage_id": at("/agent/llm/usage_id") },
                "mcp_config": { "mcpServers": servers },
            },
            "workspace": { "working_dir": at("/workspace/working_dir") },
            "stats": { "usage_to_metrics": metrics },
        })))
    }

    /// The value at a path, where it was taken over.
    pub(super) fn at(&self, path: &str) -> Option<&Value> {
        self.0.pointer(path)
    }

    /// The text at a path, where there is one.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.0.pointer(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// The session's identifier.
    pub(super) fn id(&self) -> Option<String> {
        self.text("/id").map(str::to_owned)
    }

    /// The folder that the agent works in.
    pub(super) fn working_directory(&self) -> Option<String> {
        self.text("/workspace/working_dir").map(str::to_owned)
    }
}

/// The sums of one use of a model.
fn measured(metrics: &Value) -> Value {
    let number = |value: Option<&Value>| {
        value
            .filter(|value| value.is_number())
            .cloned()
            .unwrap_or(Value::Null)
    };
    let usage = metrics.get("accumulated_token_usage");
    let tokens = |name: &str| number(usage.and_then(|usage| usage.get(name)));
    // Written out again it is a count; in the product's own form a list.
    let requests = match metrics.get("token_usages") {
        Some(Value::Array(list)) => json!(list.len()),
        other => number(other),
    };
    json!({
        "model_name": metrics.get("model_name").filter(|name| name.is_string()),
        "accumulated_cost": number(metrics.get("accumulated_cost")),
        "accumulated_token_usage": {
            "prompt_tokens": tokens("prompt_tokens"),
            "completion_tokens": tokens("completion_tokens"),
            "cache_read_tokens": tokens("cache_read_tokens"),
            "cache_write_tokens": tokens("cache_write_tokens"),
        },
        "token_usages": requests,
    })
}
