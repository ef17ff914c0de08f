//! Fixtures and hostile payloads.
