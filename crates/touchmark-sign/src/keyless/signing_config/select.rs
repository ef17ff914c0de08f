//! Which of the named services are asked: those in use, the highest version that is spoken, one for each operator.

use touchmark_statement::timestamp::Timestamp;

use super::{Selection, Service, ServiceKind, SigningConfigError};

/// Returns the one service that serves best.
pub(super) fn one<'a>(
    kind: ServiceKind,
    services: &'a [Service],
    spoken: &[u64],
    at: Timestamp,
) -> Result<&'a Service, SigningConfigError> {
    let found = several(kind, services, Selection::Any, spoken, at)?;
    found.first().copied().ok_or(SigningConfigError::NoService {
        kind,
        at,
        found: services.len(),
    })
}

/// Returns one service each of so many operators.
pub(super) fn several<'a>(
    kind: ServiceKind,
    services: &'a [Service],
    selection: Selection,
    spoken: &[u64],
    at: Timestamp,
) -> Result<Vec<&'a Service>, SigningConfigError> {
    let usable =
        |service: &&Service| spoken.contains(&service.major_api_version) && service.valid_for.contains(at);
    let mut ranked: Vec<&Service> = services.iter().filter(usable).collect();
    // Highest version first, then the newest; a stable sort keeps the file's order between equals.
    ranked.sort_by_key(|service| {
        (
            std::cmp::Reverse(service.major_api_version),
            std::cmp::Reverse(service.valid_for.start),
        )
    });
    let mut chosen: Vec<&Service> = Vec::new();
    for service in ranked {
        // A service that names no operator stands alone: nothing says that two such are one.
        let known = |other: &&Service| !other.operator.is_empty() && other.operator == service.operator;
        if !chosen.iter().any(known) {
            chosen.push(service);
        }
    }
    if chosen.is_empty() {
        return Err(SigningConfigError::NoService {
            kind,
            at,
            found: services.len(),
        });
    }
    let found = chosen.len();
    match selection {
        Selection::All => {}
        Selection::Any => chosen.truncate(1),
        Selection::Exact(wanted) => match usize::try_from(wanted) {
            Ok(wanted) if wanted <= found => chosen.truncate(wanted),
            _ => return Err(SigningConfigError::TooFew { kind, wanted, found }),
        },
    }
    Ok(chosen)
}
