//! The driver for JSON Lines: every value of every line is a step or is counted, and how the bytes end is kept.

use std::io::BufRead;

use serde::Deserialize;
use serde_json::Deserializer;

use super::Recorder;
use super::input::{check_file_count, check_size, too_large, up_to};
use crate::error::ImportError;
use crate::json::lenient::Object;
use crate::json::lines::{Line, Lines, ReaderLines, SliceLines};
use crate::limits::{MAX_SESSION_BYTES, MAX_VALUES_PER_LINE};
use crate::run::{Completeness, StepKind};
use crate::session::{ImportOptions, Input, SessionFile};

/// A piece of JSON and where it stands in its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'a> {
    /// The piece, from its first to its last byte.
    pub(crate) json: &'a str,
    /// Where it begins in the file.
    pub(crate) offset: u64,
}

impl Spot<'_> {
    /// How many bytes it has.
    pub(crate) fn len(&self) -> u64 {
        self.json.len() as u64
    }
}

/// A format of lines: how one record is read.
pub(crate) trait LineFormat {
    /// The fields of a record that are read. Types of `json::lenient` keep a field of an unexpected type from spoiling
    /// its record.
    type Record<'a>: Deserialize<'a>;

    /// Returns the sub-agent whose file this is, by the file's name; `None` for the session's own.
    fn agent_of(&self, index: usize, name: &str) -> Option<String> {
        let _ = (index, name);
        None
    }

    /// Reads the small file beside a sub-agent's.
    fn meta(&mut self, recorder: &mut Recorder, agent: &str, meta: &[u8]) {
        let _ = (recorder, agent, meta);
    }

    /// Reads one record. It adds exactly one step, so that the steps tile the file.
    fn record(
        &mut self,
        recorder: &mut Recorder,
        spot: Spot<'_>,
        record: Self::Record<'_>,
    ) -> Result<(), ImportError>;
}

/// Reads what is at hand of a session.
pub(crate) fn read<F: LineFormat>(
    recorder: &mut Recorder,
    format: &mut F,
    input: Input<'_>,
    options: &ImportOptions,
) -> Result<(), ImportError> {
    match input {
        Input::Files(files) => read_files(recorder, format, files, options),
        Input::Reader { name, reader } => read_reader(recorder, format, name, reader, options),
    }
}

/// Reads all files of a session that are in memory: its own first, then those of its sub-agents.
pub(crate) fn read_files<F: LineFormat>(
    recorder: &mut Recorder,
    format: &mut F,
    files: &[SessionFile],
    options: &ImportOptions,
) -> Result<(), ImportError> {
    check_file_count(files.len())?;
    recorder.keep_words(options.words);
    for (at, file) in files.iter().enumerate() {
        let agent = format.agent_of(at, &file.name);
        if let (Some(agent), Some(meta)) = (&agent, &file.meta) {
            format.meta(recorder, agent, meta);
        }
        let up_to = options.up_to.filter(|_| at == 0);
        read_one(
            recorder,
            format,
            file,
            at > 0,
            agent,
            up_to,
            options.max_line_bytes,
        )?;
    }
    Ok(())
}

/// Reads one file that is in memory up to a watermark, for importers whose files are of several kinds.
pub(crate) fn read_one<F: LineFormat>(
    recorder: &mut Recorder,
    format: &mut F,
    file: &SessionFile,
    is_subagent: bool,
    agent: Option<String>,
    watermark: Option<u64>,
    max_line_bytes: usize,
) -> Result<(), ImportError> {
    let bytes = up_to(file, watermark)?;
    check_size(bytes.len() as u64)?;
    let is_cut = bytes.len() < file.bytes.len();
    recorder.begin_source(&file.name, is_subagent, agent);
    read_lines(recorder, format, SliceLines::new(bytes), max_line_bytes, is_cut)
}

/// Reads the session's own file from a reader, holding one line at a time.
pub(crate) fn read_reader<F: LineFormat>(
    recorder: &mut Recorder,
    format: &mut F,
    name: &str,
    reader: impl BufRead,
    options: &ImportOptions,
) -> Result<(), ImportError> {
    let limit = options.up_to.unwrap_or(MAX_SESSION_BYTES).min(MAX_SESSION_BYTES);
    let mut limited = reader.take(limit);
    recorder.keep_words(options.words);
    recorder.begin_source(name, false, None);
    let lines = ReaderLines::new(&mut limited);
    read_lines(
        recorder,
        format,
        lines,
        options.max_line_bytes,
        options.up_to.is_some(),
    )?;
    let unread = limited.limit();
    match options.up_to {
        Some(up_to) if unread > 0 => Err(ImportError::Shrunk {
            name: name.to_owned(),
            len: up_to - unread,
            up_to,
        }),
        None if unread == 0 => Err(too_large()),
        _ => Ok(()),
    }
}

/// How the bytes read so far end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    Clean,
    Unterminated,
    Cut,
}

struct Reading<'r, F> {
    recorder: &'r mut Recorder,
    format: &'r mut F,
    tail: Tail,
    /// Set when a cap is reached inside a line.
    failed: Option<ImportError>,
}

fn read_lines<F: LineFormat>(
    recorder: &mut Recorder,
    format: &mut F,
    mut lines: impl Lines,
    max_line_bytes: usize,
    is_cut: bool,
) -> Result<(), ImportError> {
    let mut reading = Reading {
        recorder,
        format,
        tail: Tail::Clean,
        failed: None,
    };
    loop {
        let more = lines
            .next_line(max_line_bytes, |offset, line| reading.line(offset, line))
            .map_err(|source| ImportError::Io {
                path: reading.recorder.source_name().into(),
                source,
            })?;
        if let Some(error) = reading.failed.take() {
            return Err(error);
        }
        if more.is_none() {
            break;
        }
    }
    let completeness = match (reading.tail, is_cut) {
        (Tail::Cut, _) => Completeness::TailMissing,
        (Tail::Unterminated, _) | (Tail::Clean, true) => Completeness::Prefix,
        (Tail::Clean, false) => Completeness::Whole,
    };
    recorder.end_source(lines.bytes_read(), completeness);
    Ok(())
}

impl<F: LineFormat> Reading<'_, F> {
    fn line(&mut self, offset: u64, line: Line<'_>) {
        self.tail = Tail::Clean;
        let (bytes, terminated) = match line {
            Line::TooLong { len, terminated } => {
                self.recorder.run.counters.skipped += 1;
                self.step(offset, len);
                self.tail = if terminated { Tail::Clean } else { Tail::Cut };
                return;
            }
            Line::Read { bytes, terminated } => (bytes, terminated),
        };
        if !terminated {
            self.tail = Tail::Unterminated;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => self.values(offset, text, terminated),
            Err(_) => self.unreadable(offset, bytes.len() as u64, terminated),
        }
    }

    /// Reads the values of one line: mostly one, but a writer that finds no line feed appends to the line.
    fn values(&mut self, offset: u64, text: &str, terminated: bool) {
        let mut stream = Deserializer::from_str(text).into_iter::<Object<F::Record<'_>>>();
        for count in 0.. {
            let start = skip_blank(text, stream.byte_offset());
            if start == text.len() || self.failed.is_some() {
                return;
            }
            let at = offset + start as u64;
            let value = (count < MAX_VALUES_PER_LINE).then(|| stream.next()).flatten();
            match value {
                Some(Ok(Object(Some(record)))) => {
                    let spot = Spot {
                        json: &text[start..stream.byte_offset()],
                        offset: at,
                    };
                    self.recorder.begin_record();
                    if let Err(error) = self.format.record(self.recorder, spot, record) {
                        self.failed = Some(error);
                    }
                }
                Some(Ok(Object(None))) if stream.byte_offset() < text.len() || terminated => {
                    self.unreadable(at, (stream.byte_offset() - start) as u64, true);
                }
                _ => {
                    let rest = text[start..].trim_end_matches(is_blank);
                    return self.unreadable(at, rest.len() as u64, terminated);
                }
            }
        }
    }

    fn unreadable(&mut self, offset: u64, len: u64, terminated: bool) {
        if terminated {
            self.recorder.run.counters.malformed += 1;
            self.step(offset, len);
        } else {
            self.tail = Tail::Cut;
        }
    }

    fn step(&mut self, offset: u64, len: u64) {
        if let Err(error) = self.recorder.step(StepKind::Unreadable, offset, len) {
            self.failed = Some(error);
        }
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn skip_blank(text: &str, from: usize) -> usize {
    from + text[from..].len() - text[from..].trim_start_matches(is_blank).len()
}
