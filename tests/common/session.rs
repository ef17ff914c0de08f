//! Session files in Claude Code's format, written record by record.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Sandbox;

/// The id of every session made here.
pub const SESSION_ID: &str = "0b5d1c1e-7a51-4a0e-9d2f-3f6f0f6b1a11";

/// A session file that is being written.
pub struct Session {
    repo: PathBuf,
    id: String,
    lines: Vec<Value>,
}

impl Session {
    /// An empty session in this work tree.
    pub fn new(repo: &Path) -> Self {
        Self {
            repo: repo.to_owned(),
            id: SESSION_ID.to_owned(),
            lines: Vec::new(),
        }
    }

    /// Gives the session another id.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// A person's prompt.
    #[must_use]
    pub fn prompt(self, text: &str) -> Self {
        self.record(json!({"type": "user", "message": {"role": "user", "content": text}}))
    }

    /// The agent writes a file of the work tree, and the tool confirms it.
    #[must_use]
    pub fn writes(self, path: &str) -> Self {
        let file = self.repo.join(path).to_string_lossy().into_owned();
        let answer = json!({"type": "create", "filePath": file, "content": "", "structuredPatch": []});
        self.tool(
            "Write",
            &json!({"file_path": file, "content": "x"}),
            answer,
            false,
        )
    }

    /// The agent runs a shell command.
    #[must_use]
    pub fn bash(self, command: &str) -> Self {
        self.tool(
            "Bash",
            &json!({"command": command}),
            json!({"stdout": "", "stderr": "", "interrupted": false}),
            false,
        )
    }

    fn tool(self, name: &str, input: &Value, answer: Value, failed: bool) -> Self {
        let id = format!("toolu_{:04}", self.lines.len());
        let message = format!("msg_{:04}", self.lines.len());
        self.record(json!({"type": "assistant", "requestId": format!("req_{message}"), "message": {
            "id": message, "model": "claude-opus-4-5-20251101", "role": "assistant",
            "content": [{"type": "tool_use", "id": id, "name": name, "input": input}],
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 10, "output_tokens": 20, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 1}}}))
            .record(json!({"type": "user", "toolUseResult": answer, "message": {"role": "user",
                "content": [{"type": "tool_result", "tool_use_id": id, "is_error": failed, "content": "ok"}]}}))
    }

    /// Any record; what every record carries is added.
    #[must_use]
    pub fn record(mut self, mut record: Value) -> Self {
        let number = self.lines.len();
        let parent = number
            .checked_sub(1)
            .map(|parent| format!("00000000-0000-4000-8000-{parent:012}"));
        let common = json!({
            "uuid": format!("00000000-0000-4000-8000-{number:012}"), "parentUuid": parent, "sessionId": self.id,
            "timestamp": format!("2026-03-01T11:{:02}:{:02}.000Z", number / 60 % 60, number % 60),
            "cwd": self.repo, "gitBranch": "agent/fix", "version": "2.1.14", "userType": "external", "isSidechain": false
        });
        let (Value::Object(record_fields), Value::Object(common)) = (&mut record, common) else {
            unreachable!()
        };
        for (name, value) in common {
            record_fields.entry(name).or_insert(value);
        }
        self.lines.push(record);
        self
    }

    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.lines
            .iter()
            .flat_map(|line| format!("{line}\n").into_bytes())
            .collect()
    }

    /// Stores the session where Claude Code keeps it, in the sandbox's home.
    pub fn store(&self, sandbox: &Sandbox) -> PathBuf {
        let folder: String = self
            .repo
            .to_string_lossy()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let folder = sandbox.path("home/.claude/projects").join(folder);
        fs::create_dir_all(&folder).expect("the session folder");
        let file = folder.join(format!("{}.jsonl", self.id));
        fs::write(&file, self.bytes()).expect("the session file");
        file
    }
}
