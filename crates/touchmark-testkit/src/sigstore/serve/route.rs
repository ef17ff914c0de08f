//! Which request goes where.

/// One of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Service {
    Fulcio,
    Issuer,
    RekorV1,
    RekorV2,
    Timestamp(usize),
}

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// `POST /api/v2/signingCert` of Fulcio.
    SigningCert,
    /// `GET /api/v2/trustBundle` of Fulcio.
    TrustBundle,
    /// `POST /api/v1/timestamp` of any timestamp authority.
    Timestamp,
    /// `GET /api/v1/timestamp/certchain` of any timestamp authority.
    TimestampChain,
    /// `POST /api/v1/log/entries` of Rekor v1.
    V1Create,
    /// `GET /api/v1/log/entries/{uuid}` of Rekor v1.
    V1ByUuid,
    /// `GET /api/v1/log/entries?logIndex=` of Rekor v1.
    V1ByIndex,
    /// `POST /api/v1/log/entries/retrieve` of Rekor v1.
    V1Retrieve,
    /// `GET /api/v1/log` of Rekor v1.
    V1Log,
    /// `GET /api/v1/log/proof` of Rekor v1.
    V1Proof,
    /// `GET /api/v1/log/publicKey` of Rekor v1.
    V1PublicKey,
    /// `POST /api/v2/log/entries` of Rekor v2.
    V2Create,
    /// `GET /checkpoint` of Rekor v2.
    V2Checkpoint,
    /// `GET /tile/…` of Rekor v2, hashes and entries.
    V2Tile,
    /// `GET /.well-known/openid-configuration` of the token issuer.
    Discovery,
    /// `GET /keys` of the token issuer.
    Keys,
    /// `GET /github/token` of the token issuer.
    GithubToken,
    /// `GET /auth` of the token issuer.
    Authorize,
    /// `POST /token` of the token issuer.
    Token,
    /// Anything else.
    Unknown,
}

impl Route {
    pub(super) fn of(service: Service, method: &str, path: &str) -> Self {
        // Both a log's own address and that of its API lead to its tiles.
        let path = match service {
            Service::RekorV2 if path != "/api/v2/log/entries" => path.strip_prefix("/api/v2").unwrap_or(path),
            _ => path,
        };
        match (service, method, path) {
            (Service::Fulcio, "POST", "/api/v2/signingCert") => Self::SigningCert,
            (Service::Fulcio, "GET", "/api/v2/trustBundle") => Self::TrustBundle,
            (Service::Timestamp(_), "POST", "/api/v1/timestamp") => Self::Timestamp,
            (Service::Timestamp(_), "GET", "/api/v1/timestamp/certchain") => Self::TimestampChain,
            (Service::RekorV1, "POST", "/api/v1/log/entries") => Self::V1Create,
            (Service::RekorV1, "POST", "/api/v1/log/entries/retrieve") => Self::V1Retrieve,
            (Service::RekorV1, "GET", "/api/v1/log/entries") => Self::V1ByIndex,
            (Service::RekorV1, "GET", "/api/v1/log") => Self::V1Log,
            (Service::RekorV1, "GET", "/api/v1/log/proof") => Self::V1Proof,
            (Service::RekorV1, "GET", "/api/v1/log/publicKey") => Self::V1PublicKey,
            (Service::RekorV1, "GET", path) if path.starts_with("/api/v1/log/entries/") => Self::V1ByUuid,
            (Service::RekorV2, "POST", "/api/v2/log/entries") => Self::V2Create,
            (Service::RekorV2, "GET", "/checkpoint") => Self::V2Checkpoint,
            (Service::RekorV2, "GET", path) if path.starts_with("/tile/") => Self::V2Tile,
            (Service::Issuer, "GET", "/.well-known/openid-configuration") => Self::Discovery,
            (Service::Issuer, "GET", "/keys") => Self::Keys,
            (Service::Issuer, "GET", "/github/token") => Self::GithubToken,
            (Service::Issuer, "GET", "/auth") => Self::Authorize,
            (Service::Issuer, "POST", "/token") => Self::Token,
            _ => Self::Unknown,
        }
    }
}
