//! One hardened HTTP client for every service.
