//! Tests against a scripted agent and, where it is installed, a real one.
