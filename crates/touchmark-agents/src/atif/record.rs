//! The fields of a trajectory, as far as we read them.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::lenient::{Count, Flag, Items, Object, Text};

/// One step.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Step<'a> {
    #[serde(borrow)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow)]
    pub(super) source: Text<'a>,
    #[serde(borrow)]
    pub(super) model_name: Text<'a>,
    #[serde(borrow)]
    pub(super) message: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) reasoning_content: Text<'a>,
    #[serde(borrow)]
    pub(super) tool_calls: Items<Object<ToolCall<'a>>>,
    #[serde(borrow)]
    pub(super) observation: Object<Observation<'a>>,
    #[serde(borrow)]
    pub(super) metrics: Object<Metrics<'a>>,
    pub(super) is_copied_context: Flag,
    pub(super) llm_call_count: Count,
    #[serde(borrow)]
    pub(super) extra: Object<StepExtra<'a>>,
}

/// What converters put beside a step.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StepExtra<'a> {
    pub(super) is_sidechain: Flag,
    #[serde(borrow)]
    pub(super) agent_id: Text<'a>,
    #[serde(borrow)]
    pub(super) cwd: Text<'a>,
    #[serde(borrow)]
    pub(super) origin: Text<'a>,
    #[serde(borrow)]
    pub(super) state: Text<'a>,
}

/// A tool call.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ToolCall<'a> {
    #[serde(borrow)]
    pub(super) tool_call_id: Text<'a>,
    #[serde(borrow)]
    pub(super) function_name: Text<'a>,
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) extra: Object<CallExtra<'a>>,
}

/// What our export puts beside a call.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CallExtra<'a> {
    #[serde(borrow)]
    pub(super) command: Text<'a>,
    #[serde(borrow)]
    pub(super) writes: Items<Text<'a>>,
}

/// What the environment answered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Observation<'a> {
    #[serde(borrow)]
    pub(super) results: Items<Object<Answer<'a>>>,
}

/// The answer to one call.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer<'a> {
    #[serde(borrow)]
    pub(super) source_call_id: Text<'a>,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) subagent_trajectory_ref: Items<Object<SubagentRef<'a>>>,
    #[serde(borrow)]
    pub(super) extra: Object<AnswerExtra<'a>>,
}

/// Which trajectory a call delegated to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SubagentRef<'a> {
    #[serde(borrow)]
    pub(super) trajectory_id: Text<'a>,
    #[serde(borrow)]
    pub(super) trajectory_path: Text<'a>,
    #[serde(borrow)]
    pub(super) session_id: Text<'a>,
}

/// What converters put beside an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnswerExtra<'a> {
    pub(super) is_error: Flag,
    pub(super) tool_result_is_error: Flag,
    #[serde(borrow)]
    pub(super) exit_code: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) returncode: Option<&'a RawValue>,
}

/// The tokens of a step.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metrics<'a> {
    pub(super) prompt_tokens: Count,
    pub(super) completion_tokens: Count,
    pub(super) cached_tokens: Count,
    #[serde(borrow)]
    pub(super) cost_usd: Option<&'a RawValue>,
    pub(super) extra: Object<MetricsExtra>,
}

/// What converters put beside the tokens.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MetricsExtra {
    pub(super) cache_creation_input_tokens: Count,
    pub(super) total_cache_creation_input_tokens: Count,
}

/// The totals.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FinalMetrics<'a> {
    pub(super) total_prompt_tokens: Count,
    pub(super) total_completion_tokens: Count,
    pub(super) total_cached_tokens: Count,
    #[serde(borrow)]
    pub(super) total_cost_usd: Option<&'a RawValue>,
    pub(super) extra: Object<MetricsExtra>,
}

/// The agent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Agent<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) version: Text<'a>,
    #[serde(borrow)]
    pub(super) model_name: Text<'a>,
    #[serde(borrow)]
    pub(super) extra: Object<AgentExtra<'a>>,
}

/// What converters put beside the agent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AgentExtra<'a> {
    #[serde(borrow)]
    pub(super) cwds: Items<Text<'a>>,
    #[serde(borrow)]
    pub(super) git_branches: Items<Text<'a>>,
    #[serde(borrow)]
    pub(super) base_commits: Items<Object<BaseCommit<'a>>>,
    #[serde(borrow)]
    pub(super) versions: Items<Text<'a>>,
    #[serde(borrow)]
    pub(super) vendor: Text<'a>,
    #[serde(borrow)]
    pub(super) entrypoint: Text<'a>,
}

/// A commit that the run began at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BaseCommit<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) branch: Text<'a>,
    #[serde(borrow)]
    pub(super) repository: Text<'a>,
}
