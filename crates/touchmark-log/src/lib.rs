//! An embedded transparency log: the Rekor v2 write API over C2SP tiles on disk.
