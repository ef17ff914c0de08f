//! Every reason and error code of every crate, with its class, what it means and what to do.

pub mod registry;

mod capture_codes_agents;
mod capture_codes_capture;
mod capture_codes_evidence;
mod capture_codes_hooks;
mod capture_codes_identity;
mod capture_codes_privacy;
mod capture_codes_sbom;
mod cli_codes_1;
mod gate_codes;
mod git_codes_1;
mod git_codes_2;
mod policy_codes;
mod sigstore_codes_keyless;
mod sigstore_codes_monitor;
mod sigstore_codes_policy;
mod sigstore_codes_rekor;
mod sigstore_codes_tlog;
mod sigstore_codes_trust;
mod sigstore_codes_verify;
mod statement_codes_1;
mod statement_codes_2;
mod tool_codes_1;
mod tool_codes_2;
mod verify_codes_1;
mod verify_codes_2;
mod verify_codes_3;

/// Returns whether a refusal says only that the trusted root is another one than the bundle was made under. Of several
/// roots, whatever another one says is the better reason.
pub fn is_about_the_root(code: &str) -> bool {
    matches!(
        code,
        "certificate.chain"
            | "certificate.no_authority"
            | "certificate.no_verified_time"
            | "sct.log_unknown"
            | "time.authority_unknown"
            | "time.no_authority"
            | "tlog.log_unknown"
    )
}
