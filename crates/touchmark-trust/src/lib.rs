//! Trusted roots and signing configs through TUF.
