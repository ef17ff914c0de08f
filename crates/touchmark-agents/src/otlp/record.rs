//! OTLP in JSON, as far as we read it: `ExportTraceServiceRequest` and `ExportLogsServiceRequest`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::attributes::Attributes;
use crate::json::lenient::{Items, Object, Present, Text};

/// One line: a request of one kind.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Request<'a> {
    #[serde(borrow)]
    pub(super) resource_spans: Items<Object<ResourceSpans<'a>>>,
    #[serde(borrow)]
    pub(super) resource_logs: Items<Object<ResourceLogs<'a>>>,
    pub(super) resource_metrics: Present,
}

/// The spans of one resource.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ResourceSpans<'a> {
    #[serde(borrow)]
    pub(super) resource: Object<Resource<'a>>,
    #[serde(borrow)]
    pub(super) scope_spans: Items<Object<ScopeSpans<'a>>>,
}

/// The log records of one resource.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ResourceLogs<'a> {
    #[serde(borrow)]
    pub(super) resource: Object<Resource<'a>>,
    #[serde(borrow)]
    pub(super) scope_logs: Items<Object<ScopeLogs<'a>>>,
}

/// What produced them.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Resource<'a> {
    #[serde(borrow)]
    pub(super) attributes: Attributes<'a>,
}

/// The spans of one library, each as it stands.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ScopeSpans<'a> {
    #[serde(borrow)]
    pub(super) spans: Items<&'a RawValue>,
}

/// The log records of one library, each as it stands.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ScopeLogs<'a> {
    #[serde(borrow)]
    pub(super) log_records: Items<&'a RawValue>,
}

/// A span.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Span<'a> {
    #[serde(borrow)]
    pub(super) trace_id: Text<'a>,
    #[serde(borrow)]
    pub(super) span_id: Text<'a>,
    #[serde(borrow)]
    pub(super) parent_span_id: Text<'a>,
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) start_time_unix_nano: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) end_time_unix_nano: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) attributes: Attributes<'a>,
    #[serde(borrow)]
    pub(super) events: Items<Object<Event<'a>>>,
    #[serde(borrow)]
    pub(super) status: Object<Status<'a>>,
}

/// An event of a span.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) attributes: Attributes<'a>,
}

/// How a span ended.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Status<'a> {
    #[serde(borrow)]
    pub(super) code: Option<&'a RawValue>,
}

impl Status<'_> {
    /// Whether the span ended with an error.
    pub(super) fn is_error(&self) -> bool {
        self.code
            .is_some_and(|code| matches!(code.get(), "2" | "\"STATUS_CODE_ERROR\""))
    }
}

/// A log record.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LogRecord<'a> {
    #[serde(borrow)]
    pub(super) trace_id: Text<'a>,
    #[serde(borrow)]
    pub(super) span_id: Text<'a>,
    #[serde(borrow)]
    pub(super) event_name: Text<'a>,
    #[serde(borrow)]
    pub(super) time_unix_nano: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) observed_time_unix_nano: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) body: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) attributes: Attributes<'a>,
}
