//! Keys, signing, the vault of run keys and prompts, and the spool of what is not yet logged.
