//! Gradle's `gradle.lockfile` and its relatives: one module a line, with the configurations that need it.

use crate::error::LockfileError;
use crate::package::Scope;
use crate::purl::Ecosystem;
use crate::reading::{Draft, Reading, Resolution};
use crate::value;

pub(crate) fn read(bytes: &[u8]) -> Result<Resolution, LockfileError> {
    let mut reading = Reading::new(Ecosystem::Maven);
    for line in value::text(bytes)?.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
            continue;
        }
        // Before Gradle 6.8 each configuration had a file of its own, and no list of them.
        let (module, configurations) = line.split_once('=').unwrap_or((line, ""));
        let Some((name, version)) = module
            .rsplit_once(':')
            .filter(|(name, _)| name.matches(':').count() == 1)
        else {
            reading.skip();
            continue;
        };
        let mut draft = Draft::new(name, Some(version));
        let is_test = |configuration: &str| configuration.to_ascii_lowercase().contains("test");
        if !configurations.is_empty() {
            if configurations.split(',').all(is_test) {
                draft.scope = Scope::Development;
            }
            draft.notes.push(("configurations", configurations.to_owned()));
        }
        reading.add(draft)?;
    }
    Ok(reading.finish())
}
