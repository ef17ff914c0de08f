//! Mints good and singly broken evidence: keys, logs, repositories and sessions, all in process.
