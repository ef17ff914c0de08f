//! From a policy file and a lineage to a verdict with reasons.
