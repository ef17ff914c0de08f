//! Why there is no token, or one that is not used.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use touchmark_http::HttpError;
use touchmark_statement::timestamp::Timestamp;

/// A token that could not be had or is not used. No variant holds any of the token's bytes but plain claims.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// No source has one.
    #[error("no identity token was found")]
    NotFound,
    /// The source that was chosen has none.
    #[error("{origin} holds no identity token")]
    Empty {
        /// The source in words.
        origin: &'static str,
    },
    /// More bytes than any token has.
    #[error("identity token has {found} bytes, more than the {max} that are read")]
    TooLarge {
        /// How many bytes there are at least.
        found: usize,
        /// The cap.
        max: usize,
    },
    /// It is not three parts of base64url with JSON objects in the first two.
    #[error("identity token is no JSON Web Token: its {part} cannot be read")]
    Malformed {
        /// The part.
        part: &'static str,
    },
    /// Nobody signed it.
    #[error("identity token is not signed: its algorithm is \"none\"")]
    Unsigned,
    /// It is meant for somebody else; sending it would hand it to a stranger.
    #[error("identity token is meant for the audience {found:?}, expected {expected:?}")]
    Audience {
        /// The audience it must have.
        expected: String,
        /// Those it has.
        found: Vec<String>,
    },
    /// It has lapsed.
    #[error("identity token expired at {expired_at}, and it is {at}")]
    Expired {
        /// When it lapsed.
        expired_at: Timestamp,
        /// The time asked about.
        at: Timestamp,
    },
    /// It does not hold yet.
    #[error("identity token holds from {not_before}, and it is {at}")]
    NotYet {
        /// From when it holds.
        not_before: Timestamp,
        /// The time asked about.
        at: Timestamp,
    },
    /// A claim is missing or of another type.
    #[error("claim {claim:?} of the identity token is missing or malformed")]
    Claim {
        /// The claim.
        claim: &'static str,
    },
    /// A claim holds control characters, which no identity has.
    #[error("claim {claim:?} of the identity token holds control characters")]
    ControlCharacters {
        /// The claim.
        claim: &'static str,
    },
    /// The issuer is no address.
    #[error("issuer of the identity token is no http or https address")]
    Issuer,
    /// The issuer is another than the one that was asked for.
    #[error("identity token is issued by {found}, expected {expected}")]
    OtherIssuer {
        /// The issuer that was asked for.
        expected: String,
        /// The issuer it has.
        found: String,
    },
    /// The e-mail address was not verified by the issuer.
    #[error("e-mail address in the identity token is not verified by its issuer")]
    EmailNotVerified,
    /// A token file could not be read.
    #[error("token file {path} cannot be read", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A token file is no regular file.
    #[error("token file {path} is not a regular file", path = path.display())]
    NotRegular {
        /// The file.
        path: PathBuf,
    },
    /// A CI service says that it gives tokens, and a part of how to get one is missing.
    #[error("{variable} is not set, so {service} gives this job no identity token")]
    Permission {
        /// The service.
        service: &'static str,
        /// The variable.
        variable: &'static str,
    },
    /// The address that a CI service names is none that may be asked.
    #[error("{variable} holds no address that may be asked")]
    RequestUrl {
        /// The variable.
        variable: &'static str,
    },
    /// The service could not be asked.
    #[error("{service} could not be asked for an identity token")]
    Request {
        /// The service.
        service: &'static str,
        /// Why.
        #[source]
        source: HttpError,
    },
    /// The service refused.
    #[error("{service} answered the request for an identity token with status {status}")]
    Refused {
        /// The service.
        service: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// The service answered something else.
    #[error("{service} answered the request for an identity token with something else")]
    Answer {
        /// The service.
        service: &'static str,
    },
    /// The service's own program is nowhere that we take programs from.
    #[error("program {program} is in no folder of PATH outside the repository")]
    ProgramMissing {
        /// The program.
        program: &'static str,
    },
    /// The program did not end in time.
    #[error("program {program} did not give an identity token within {seconds} s")]
    ProgramTimeout {
        /// The program.
        program: &'static str,
        /// How long it had.
        seconds: u64,
    },
    /// The program failed. What it printed is not shown, since that could be a token.
    #[error("program {program} failed")]
    ProgramFailed {
        /// The program.
        program: &'static str,
    },
}

impl TokenError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            TokenError::NotFound => "token.not_found",
            TokenError::Empty { .. } => "token.empty",
            TokenError::TooLarge { .. } => "token.too_large",
            TokenError::Malformed { .. } => "token.malformed",
            TokenError::Unsigned => "token.unsigned",
            TokenError::Audience { .. } => "token.audience",
            TokenError::Expired { .. } => "token.expired",
            TokenError::NotYet { .. } => "token.not_yet_valid",
            TokenError::Claim { .. } => "token.claim",
            TokenError::ControlCharacters { .. } => "token.control_characters",
            TokenError::Issuer => "token.issuer",
            TokenError::OtherIssuer { .. } => "token.other_issuer",
            TokenError::EmailNotVerified => "token.email_not_verified",
            TokenError::File { .. } => "token.file_unreadable",
            TokenError::NotRegular { .. } => "token.file_not_regular",
            TokenError::Permission { .. } => "token.no_permission",
            TokenError::RequestUrl { .. } => "token.request_url",
            TokenError::Request { source, .. } => source.code(),
            TokenError::Refused { .. } => "token.refused",
            TokenError::Answer { .. } => "token.answer",
            TokenError::ProgramMissing { .. } => "token.program_missing",
            TokenError::ProgramTimeout { .. } => "token.program_timeout",
            TokenError::ProgramFailed { .. } => "token.program_failed",
        }
    }

    /// Tells whether a service could not be asked, so that asking again later may help.
    pub fn is_outage(&self) -> bool {
        match self {
            TokenError::Request { source, .. } => source.is_worth_retrying(),
            TokenError::ProgramTimeout { .. } => true,
            TokenError::Refused { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }
}
