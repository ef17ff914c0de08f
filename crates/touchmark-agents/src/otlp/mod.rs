//! Telemetry of agents in the conventions for generative AI of OpenTelemetry: OTLP in JSON, as a collector's file
//! exporter writes it, one request a line, spans and log events alike.
//!
//! Whoever exports telemetry can be read: current attribute names, those from before, and the events of two products
//! that have names of their own. The run's product is the service that the resource names.
//!
//! **Steps.** Each span and each log record is one step; a line that holds none is one.
//!
//! **Tokens.** A span that stands around others repeats their sums: of a branch of spans those count that are furthest
//! down. One answer that two libraries report under one identifier counts once.
//!
//! **Prompts.** A model is given the whole conversation each time: a text counts as often as the operation that has it
//! most often.

mod attributes;
mod mapping;
mod messages;
mod nesting;
mod operation;
mod products;
mod record;

use std::path::Path;

use memchr::memmem;

use self::mapping::Mapping;
use crate::error::ImportError;
use crate::importer::{Importer, Places};
use crate::json::first_byte;
use crate::recorder::{Naming, Recorder, lines};
use crate::run::Run;
use crate::session::{Candidate, ImportOptions, Input, SessionFile};

/// The name under which transcripts of this format are recorded.
pub const FORMAT: &str = "otlp-json-lines";

/// The importer of these files.
#[derive(Clone, Copy, Debug)]
pub struct Otlp;

impl Importer for Otlp {
    fn product(&self) -> &'static str {
        "otlp"
    }

    fn format(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, _name: &str, head: &[u8]) -> bool {
        let first = first_byte(head);
        let has = |needle: &[u8]| memmem::find(head, needle).is_some();
        first == Some(b'{') && (has(b"\"resourceSpans\"") || has(b"\"resourceLogs\""))
    }

    fn import(&self, files: &[SessionFile], options: &ImportOptions) -> Result<Run, ImportError> {
        self.import_from(Input::Files(files), options)
    }

    fn import_from(&self, input: Input<'_>, options: &ImportOptions) -> Result<Run, ImportError> {
        let mut recorder = Recorder::new("otlp", None);
        let mut mapping = Mapping::new(options.session_id.as_deref());
        lines::read(&mut recorder, &mut mapping, input, options)?;
        mapping.finish(&mut recorder)?;
        recorder.finish(Naming {
            hook: options.session_id.as_deref(),
            ..Naming::default()
        })
    }

    fn discover(&self, _places: &Places, _root: &Path) -> Result<Vec<Candidate>, ImportError> {
        Ok(Vec::new())
    }
}
