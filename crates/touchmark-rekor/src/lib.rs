//! Publishing to and reading Rekor logs, the spool, the monitor.
