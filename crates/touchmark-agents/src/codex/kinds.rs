//! What kind of step each kind of record is.

use crate::run::StepKind;

/// Kinds of lines that are known to exist, besides those that are read.
const OTHER_LINES: [&str; 9] = [
    "session_meta",
    "turn_context",
    "compacted",
    "world_state",
    "session_state",
    "inter_agent_communication",
    "inter_agent_communication_metadata",
    "token_usage_record",
    "event_msg",
];

/// Kinds of events that are known to exist. Most are told again by an item; those that are not are read.
const EVENTS: [&str; 85] = [
    "agent_message",
    "agent_message_content_delta",
    "agent_message_delta",
    "agent_reasoning",
    "agent_reasoning_delta",
    "agent_reasoning_raw_content",
    "agent_reasoning_raw_content_delta",
    "agent_reasoning_section_break",
    "apply_patch_approval_request",
    "background_event",
    "collab_agent_interaction_begin",
    "collab_agent_interaction_end",
    "collab_agent_spawn_begin",
    "collab_agent_spawn_end",
    "collab_close_begin",
    "collab_close_end",
    "collab_resume_begin",
    "collab_resume_end",
    "collab_waiting_begin",
    "collab_waiting_end",
    "context_compacted",
    "deprecation_notice",
    "dynamic_tool_call_request",
    "dynamic_tool_call_response",
    "elicitation_request",
    "entered_review_mode",
    "error",
    "exec_approval_request",
    "exec_command_begin",
    "exec_command_end",
    "exec_command_output_delta",
    "exited_review_mode",
    "guardian_assessment",
    "guardian_warning",
    "hook_completed",
    "hook_started",
    "image_generation_begin",
    "image_generation_end",
    "item_completed",
    "item_started",
    "mcp_startup_complete",
    "mcp_startup_update",
    "mcp_tool_call_begin",
    "mcp_tool_call_end",
    "model_reroute",
    "model_verification",
    "patch_apply_begin",
    "patch_apply_end",
    "patch_apply_updated",
    "plan_delta",
    "plan_update",
    "raw_response_item",
    "realtime_conversation_closed",
    "realtime_conversation_list_voices_response",
    "realtime_conversation_realtime",
    "realtime_conversation_sdp",
    "realtime_conversation_started",
    "reasoning_content_delta",
    "reasoning_raw_content_delta",
    "request_permissions",
    "request_user_input",
    "safety_buffering",
    "session_configured",
    "shutdown_complete",
    "stream_error",
    "sub_agent_activity",
    "task_complete",
    "task_started",
    "terminal_interaction",
    "thread_goal_updated",
    "thread_name_updated",
    "thread_rolled_back",
    "thread_settings_applied",
    "token_count",
    "turn_aborted",
    "turn_complete",
    "turn_diff",
    "turn_moderation_metadata",
    "turn_started",
    "undo_completed",
    "undo_started",
    "user_message",
    "view_image_tool_call",
    "warning",
    "web_search_end",
];

/// Returns the kind of a line with an envelope.
pub(super) fn of_line(line: &str, payload: Option<&str>, role: Option<&str>) -> StepKind {
    match (line, payload) {
        ("response_item", Some(kind)) => of_item(kind, role),
        // Early versions wrote answers without a type.
        ("response_item", None) => StepKind::Answer,
        ("event_msg", Some(kind)) if !EVENTS.contains(&kind) && kind != "web_search_begin" => {
            StepKind::Unknown
        }
        (line, _) if OTHER_LINES.contains(&line) => StepKind::Other,
        _ => StepKind::Unknown,
    }
}

/// Returns the kind of an item.
pub(super) fn of_item(kind: &str, role: Option<&str>) -> StepKind {
    match kind {
        "message" if role == Some("assistant") => StepKind::Answer,
        "message" => StepKind::Prompt,
        "agent_message"
        | "reasoning"
        | "function_call"
        | "custom_tool_call"
        | "local_shell_call"
        | "web_search_call"
        | "tool_search_call"
        | "image_generation_call" => StepKind::Answer,
        "function_call_output"
        | "custom_tool_call_output"
        | "local_shell_call_output"
        | "tool_search_output"
        | "tool_search_call_output"
        | "mcp_tool_call_output" => StepKind::ToolResult,
        "ghost_snapshot" | "compaction" | "compaction_summary" | "compaction_trigger"
        | "context_compaction" | "additional_tools" | "other" => StepKind::Other,
        _ => StepKind::Unknown,
    }
}
