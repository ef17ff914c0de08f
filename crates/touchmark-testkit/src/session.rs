//! Builds session files as Claude Code writes them, with made-up people, paths and answers.

use serde_json::{Value, json};
use touchmark_statement::digest::Sha256Digest;
use touchmark_statement::timestamp::Timestamp;

/// The seconds between two records.
const STEP_SECONDS: i64 = 2;

/// What a tool gave back.
#[derive(Clone, Debug)]
pub enum ToolResult {
    /// It worked; what the model saw, and what the product keeps besides.
    Ok {
        /// The text that the model saw.
        text: String,
        /// The product's own record of the result.
        kept: Value,
    },
    /// It failed with this text.
    Failed(String),
    /// No result was written.
    None,
}

/// Builds one session file, record by record. Everything is fixed by the arguments: the same calls give the same bytes.
#[derive(Clone, Debug)]
pub struct SessionBuilder {
    session_id: String,
    cwd: String,
    branch: String,
    version: String,
    model: String,
    agent: Option<String>,
    sidechain: bool,
    time: i64,
    counter: u64,
    parent: Option<String>,
    bytes: Vec<u8>,
}

impl SessionBuilder {
    /// Starts a session of this identifier in this working directory.
    pub fn new(session_id: &str, cwd: &str) -> Self {
        Self {
            session_id: session_id.to_owned(),
            cwd: cwd.to_owned(),
            branch: "agent/greeting".to_owned(),
            version: "2.1.278".to_owned(),
            model: "claude-opus-4-5-20251101".to_owned(),
            agent: None,
            sidechain: false,
            time: 1_772_355_600,
            counter: 0,
            parent: None,
            bytes: Vec::new(),
        }
    }

    /// Starts the file of a sub-agent of this session.
    pub fn subagent(&self, agent: &str, model: &str) -> Self {
        Self {
            agent: Some(agent.to_owned()),
            sidechain: true,
            model: model.to_owned(),
            parent: None,
            bytes: Vec::new(),
            ..self.clone()
        }
    }

    /// Goes on with another version of the product.
    pub fn version(mut self, version: &str) -> Self {
        self.version = version.to_owned();
        self
    }

    /// Goes on with another model.
    pub fn model(mut self, model: &str) -> Self {
        self.model = model.to_owned();
        self
    }

    /// Goes on with another branch.
    pub fn branch(mut self, branch: &str) -> Self {
        self.branch = branch.to_owned();
        self
    }

    /// Goes on at another time.
    pub fn at(mut self, time: i64) -> Self {
        self.time = time;
        self
    }

    /// Adds what a person typed.
    pub fn prompt(self, text: &str) -> Self {
        self.user(json!({"role": "user", "content": text}), json!({}))
    }

    /// Adds what the product put there.
    pub fn meta(self, text: &str) -> Self {
        self.user(json!({"role": "user", "content": text}), json!({"isMeta": true}))
    }

    /// Adds a picture with words below it.
    pub fn picture(self, base64: &str, text: &str) -> Self {
        let source = json!({"type": "base64", "media_type": "image/png", "data": base64});
        let parts = json!([{"type": "image", "source": source}, {"type": "text", "text": text}]);
        self.user(json!({"role": "user", "content": parts}), json!({}))
    }

    /// Adds a text of the model's.
    pub fn says(self, text: &str) -> Self {
        self.answer(&[json!({"type": "text", "text": text})], [3, 40, 1_200, 300])
    }

    /// Adds an answer: one record for each part, each with the tokens so far, the last with all of them.
    /// `tokens` are input, output, cache read and cache write.
    pub fn answer(mut self, parts: &[Value], tokens: [u64; 4]) -> Self {
        let (message, request) = (self.name("msg_01"), self.name("req_011"));
        for (at, part) in parts.iter().enumerate() {
            let last = at + 1 == parts.len();
            let usage = json!({
                "input_tokens": tokens[0], "output_tokens": if last { tokens[1] } else { 1 },
                "cache_read_input_tokens": tokens[2], "cache_creation_input_tokens": tokens[3], "service_tier": "standard",
            });
            let body = json!({
                "id": message, "type": "message", "role": "assistant", "model": self.model, "content": [part],
                "stop_reason": Value::Null, "usage": usage,
            });
            self = self.record("assistant", json!({"message": body, "requestId": request}));
        }
        self
    }

    /// Adds a tool call with its result.
    pub fn tool(mut self, name: &str, input: Value, result: ToolResult) -> Self {
        let id = self.name("toolu_01");
        let call = json!({"type": "tool_use", "id": id, "name": name, "input": input});
        self = self.answer(
            &[json!({"type": "text", "text": "I will do that."}), call],
            [4, 120, 2_400, 150],
        );
        match result {
            ToolResult::None => self,
            ToolResult::Ok { text, kept } => {
                let part = json!({"type": "tool_result", "tool_use_id": id, "content": text});
                self.user(
                    json!({"role": "user", "content": [part]}),
                    json!({"toolUseResult": kept}),
                )
            }
            ToolResult::Failed(text) => {
                let part =
                    json!({"type": "tool_result", "tool_use_id": id, "content": text, "is_error": true});
                let kept = format!("Error: {text}");
                self.user(
                    json!({"role": "user", "content": [part]}),
                    json!({"toolUseResult": kept}),
                )
            }
        }
    }

    /// Adds a shell command that worked.
    pub fn bash(self, command: &str, output: &str) -> Self {
        let kept = json!({"stdout": output, "stderr": "", "interrupted": false, "isImage": false});
        self.tool(
            "Bash",
            json!({"command": command}),
            ToolResult::Ok {
                text: output.to_owned(),
                kept,
            },
        )
    }

    /// Adds a shell command that failed.
    pub fn bash_failed(self, command: &str, exit_code: i32, output: &str) -> Self {
        let text = format!("Exit code {exit_code}\n{output}");
        self.tool("Bash", json!({"command": command}), ToolResult::Failed(text))
    }

    /// Adds an edit of a file.
    pub fn edit(self, path: &str, old: &str, new: &str) -> Self {
        let patch = json!([{"oldStart": 1, "oldLines": 1, "newStart": 1, "newLines": 1, "lines": [format!("-{old}"), format!("+{new}")]}]);
        let kept = json!({
            "filePath": path, "oldString": old, "newString": new, "originalFile": old, "replaceAll": false,
            "structuredPatch": patch, "userModified": false,
        });
        let input = json!({"file_path": path, "old_string": old, "new_string": new});
        self.tool(
            "Edit",
            input,
            ToolResult::Ok {
                text: format!("The file {path} has been updated."),
                kept,
            },
        )
    }

    /// Adds the writing of a new file.
    pub fn write(self, path: &str, content: &str) -> Self {
        let kept = json!({"type": "create", "filePath": path, "content": content, "structuredPatch": [], "originalFile": Value::Null});
        let input = json!({"file_path": path, "content": content});
        self.tool(
            "Write",
            input,
            ToolResult::Ok {
                text: format!("File created successfully at: {path}"),
                kept,
            },
        )
    }

    /// Adds a summary that replaced earlier turns.
    pub fn compaction(mut self, summary: &str) -> Self {
        let logical = self.parent.take();
        let meta = json!({"trigger": "auto", "preTokens": 155_000});
        self.record(
            "system",
            json!({"subtype": "compact_boundary", "content": "Conversation compacted", "logicalParentUuid": logical, "compactMetadata": meta}),
        )
        .user(
            json!({"role": "user", "content": summary}),
            json!({"isCompactSummary": true, "isVisibleInTranscriptOnly": true}),
        )
    }

    /// Adds the cost that the product reports when it exits.
    pub fn cost(mut self, amount: f64) -> Self {
        let record = json!({
            "type": "cost-state", "sessionId": self.session_id, "totalCostUSD": amount, "hasUnknownModelCost": false, "modelUsage": {},
        });
        self.line(&record);
        self.line(&record);
        self
    }

    /// Adds records of a sub-agent to the same file, as older versions did.
    pub fn sidechain(mut self, agent: &str, model: &str, build: impl FnOnce(Self) -> Self) -> Self {
        let bytes = std::mem::take(&mut self.bytes);
        let mut inner = self.subagent(agent, model);
        inner.bytes = bytes;
        let inner = build(inner);
        self.bytes = inner.bytes;
        self.counter = inner.counter;
        self.time = inner.time;
        self
    }

    /// Goes back: the next record hangs below this one.
    pub fn back_to(mut self, parent: Option<String>) -> Self {
        self.parent = parent;
        self
    }

    /// Returns the identifier of the last record.
    pub fn last(&self) -> Option<String> {
        self.parent.clone()
    }

    /// Takes the last line feed away, so that the next record stands on the same line.
    pub fn without_line_feed(mut self) -> Self {
        self.bytes.pop();
        self
    }

    /// Adds any record; the fields that all records have are added to it.
    pub fn record(mut self, kind: &str, fields: Value) -> Self {
        self.time += STEP_SECONDS;
        let uuid = self.uuid();
        let time = Timestamp::from_unix(self.time)
            .map(|time| time.to_string())
            .unwrap_or_default();
        let mut record = json!({
            "type": kind, "uuid": uuid, "parentUuid": self.parent, "sessionId": self.session_id, "timestamp": time.replace('Z', ".250Z"),
            "cwd": self.cwd, "gitBranch": self.branch, "version": self.version, "userType": "external", "isSidechain": self.sidechain,
        });
        if let (Some(all), Value::Object(fields)) = (record.as_object_mut(), fields) {
            if let Some(agent) = &self.agent {
                all.insert("agentId".to_owned(), json!(agent));
            }
            all.extend(fields);
        }
        self.parent = Some(uuid);
        self.line(&record);
        self
    }

    /// Goes on after these bytes instead of what was written so far.
    pub fn replace(mut self, bytes: Vec<u8>) -> Self {
        self.bytes = bytes;
        self
    }

    /// Returns the file.
    pub fn build(self) -> Vec<u8> {
        self.bytes
    }

    fn user(self, message: Value, mut fields: Value) -> Self {
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("message".to_owned(), message);
        }
        self.record("user", fields)
    }

    fn line(&mut self, record: &Value) {
        // The canonical form, so that the bytes do not depend on how maps are built.
        let canonical =
            touchmark_statement::strict_json::canonical(record).expect("made of texts and small numbers");
        self.bytes.extend_from_slice(&canonical);
        self.bytes.push(b'\n');
    }

    fn digest(&mut self) -> String {
        self.counter += 1;
        let agent = self.agent.as_deref().unwrap_or_default();
        Sha256Digest::of(format!("{}/{agent}/{}", self.session_id, self.counter).as_bytes()).to_string()
    }

    fn name(&mut self, prefix: &str) -> String {
        format!("{prefix}{}", &self.digest()[..20])
    }

    fn uuid(&mut self) -> String {
        let hex = self.digest();
        format!(
            "{}-{}-4{}-8{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[13..16],
            &hex[17..20],
            &hex[20..32]
        )
    }
}
