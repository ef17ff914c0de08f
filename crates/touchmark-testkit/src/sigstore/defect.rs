//! What can be wrong, one thing each. Where a variant speaks of a part of the trusted root, the instance's own trusted
//! root shows it; so a broken bundle is always to be verified against the root of the instance that made it.

use super::sign::LogKind;

/// One thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Defect {
    /// In the certificate or its chain.
    Certificate(CertificateDefect),
    /// In the times.
    Time(TimeDefect),
    /// In the log entry.
    Log(LogDefect),
    /// In the trusted root.
    TrustRoot(TrustRootDefect),
}

macro_rules! group {
    ($(#[$doc:meta])* $name:ident, $case:ident { $($(#[$variant_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
        }

        impl From<$name> for Defect {
            fn from(defect: $name) -> Self {
                Self::$case(defect)
            }
        }
    };
}

group! {
    /// What can be wrong with a certificate or its chain.
    CertificateDefect, Certificate {
        /// The chain ends at a root of the same name that the trusted root does not hold.
        UnknownRoot,
        /// The bundle (version 0.2) carries the root besides leaf and intermediate.
        RootInBundle,
        /// The leaf is signed by its own key.
        SelfSignedLeaf,
        /// The leaf names its authority as issuer, but its signature is another key's.
        SignatureOfOtherKey,
        /// The intermediate expired before the leaf was issued.
        IntermediateExpired,
        /// The root expired before the leaf was issued.
        RootExpired,
        /// No extended key usage.
        UsageMissing,
        /// The extended key usage is any.
        UsageAny,
        /// The extended key usage is server authentication.
        UsageServer,
        /// The leaf is a certificate authority.
        LeafIsAuthority,
        /// A critical extension that nobody knows.
        UnknownCriticalExtension,
        /// The subject alternative name twice.
        DuplicateName,
        /// The issuer claim twice, with one value.
        DuplicateClaim,
        /// Two subject alternative names, the first as expected.
        TwoNames,
        /// Two subject alternative names, the second as expected.
        TwoNamesExpectedLast,
        /// No subject alternative name.
        NameMissing,
        /// The subject alternative name is a host name.
        NameOfOtherKind,
        /// A NUL in the subject alternative name.
        NameWithNul,
        /// A line feed in the subject alternative name.
        NameWithLineFeed,
        /// A DEL in the subject alternative name.
        NameWithDel,
        /// A bidirectional control in the subject alternative name.
        NameWithBidi,
        /// A NUL in a claim.
        ClaimWithNul,
        /// The two issuer claims differ.
        IssuersDisagree,
        /// Neither issuer claim is there.
        IssuerMissing,
        /// The issuer claims are empty.
        IssuerEmpty,
        /// A claim that is DER holds bare text.
        RawTextInDerClaim,
        /// The old issuer claim, bare text, holds DER.
        DerInRawClaim,
        /// A claim is an IA5String in place of a UTF8String.
        ClaimOfOtherStringType,
        /// Bytes after the text of a claim.
        ClaimWithTrailingBytes,
        /// Bytes after the certificate.
        TrailingBytes,
        /// No signed certificate timestamp.
        SctMissing,
        /// The signed certificate timestamp is by a log that the trusted root does not hold.
        SctOfUnknownLog,
        /// The signed certificate timestamp is over another certificate.
        SctOfOtherCertificate,
        /// The signed certificate timestamp names another issuer.
        SctOfOtherIssuer,
        /// The log's window ended before the signed certificate timestamp.
        SctLogRetired,
        /// One certificate log, whose timestamp is there twice.
        SctTwice,
        /// The list of signed certificate timestamps ends in the middle of one.
        SctCut,
        /// The key may not make digital signatures.
        KeyUsageWithoutSignatures,
        /// The certificate is of version 1 but has extensions.
        VersionOne,
        /// The signed part names another signature algorithm than the certificate around it.
        AlgorithmsDiffer,
        /// The key is of an algorithm that nobody knows.
        KeyOfUnknownAlgorithm,
        /// The subject is not empty, and it is somebody else's name.
        SubjectNamed,
        /// A bundle (version 0.2) with a hundred certificates that could each have issued the next.
        HundredIntermediates,
        /// A leaf over another key than the one that signed.
        KeyNotTheSigners,
    }
}

group! {
    /// What can be wrong with the times.
    TimeDefect, Time {
        /// The timestamp is over the payload.
        TokenOverArtifact,
        /// The timestamp is over another signature.
        TokenOverOtherSignature,
        /// The timestamp is one second later than the certificate's end.
        TokenAfterCertificate,
        /// The timestamp is one second earlier than the certificate's beginning.
        TokenBeforeCertificate,
        /// The timestamp is by another signer that the authority's root certified.
        TokenOfUnpinnedSigner,
        /// As before, and the pinned signer's certificate is the first that the answer carries.
        TokenWithDecoyCertificate,
        /// The answer names the pinned signer but another key signed it.
        TokenSignatureOfOtherKey,
        /// The authority's signer has the time stamping usage, not critical.
        SignerUsageNotCritical,
        /// The authority's signer has no extended key usage.
        SignerUsageMissing,
        /// The authority's signer may sign code and timestamps.
        SignerUsageNotAlone,
        /// The authority's signer may sign code only.
        SignerUsageOther,
        /// The timestamp authority is not the trusted root's.
        TokenOfUnknownAuthority,
        /// The signer in the trusted root is not certified by the root beside it.
        SignerOfOtherRoot,
        /// The authority's window in the trusted root ended before the timestamp.
        AuthorityRetired,
        /// The signer's certificate expired before the timestamp.
        SignerExpired,
        /// The imprint is by SHA-1.
        ImprintSha1,
        /// The status is "rejection", and there is no token.
        StatusRejected,
        /// The status is "waiting" where a token is there.
        StatusNotGrantedWithToken,
        /// The time has no `Z`.
        TimeWithoutZ,
        /// The time has an offset in place of `Z`.
        TimeWithOffset,
        /// The time has a leap second.
        TimeWithLeapSecond,
        /// The year is 9999.
        TimeYear9999,
        /// The time has no seconds.
        TimeWithoutSeconds,
        /// The time's fraction ends in a zero, which DER forbids.
        TimeWithTrailingZero,
        /// The thirtieth of February.
        TimeNoSuchDay,
        /// No timestamp, and an integrated time in a Rekor v2 entry.
        OnlyIntegratedTimeOfV2,
        /// No timestamp, and an integrated time without a promise in a Rekor v1 entry.
        OnlyIntegratedTimeWithoutPromise,
        /// No time at all.
        NoTime,
        /// Two good timestamps of one authority.
        TwoTokensOfOneAuthority,
        /// Two timestamps of two authorities, the second after the certificate's end.
        SecondTokenOutside,
        /// A good timestamp, and an integrated time after the certificate's end.
        IntegratedTimeOutside,
        /// Bytes after the answer.
        TrailingBytes,
    }
}

group! {
    /// What can be wrong with the log entry. A bundle has one of the log that is asked for.
    LogDefect, Log {
        /// There is none.
        EntryMissing,
        /// It is that of another bundle of the same signer.
        EntryOfOtherBundle,
        /// It is there twice.
        EntryTwice,
        /// Its version is unknown, in the bundle and in the body.
        VersionUnknown,
        /// The bundle says another version than the body.
        VersionDiffers,
        /// The body's digest is the payload's, not that of the bytes that were signed.
        DigestOfPayload,
        /// No inclusion proof.
        ProofMissing,
        /// A bit of the proof's first hash is flipped.
        ProofHashFlipped,
        /// The proof's last hash is missing.
        ProofHashMissing,
        /// The proof has one hash more.
        ProofHashExtra,
        /// The proof's hashes are in another order.
        ProofReordered,
        /// A hash of the proof is 31 bytes long.
        ProofHashShort,
        /// The proof's root differs from the checkpoint's.
        ProofRootDiffers,
        /// The proof's size differs from the checkpoint's.
        ProofSizeDiffers,
        /// The index is another entry's.
        IndexDiffers,
        /// The body is an inner node's content.
        InnerNodeAsLeaf,
        /// The checkpoint has no origin.
        CheckpointWithoutOrigin,
        /// The checkpoint has no size.
        CheckpointWithoutSize,
        /// The checkpoint has no root.
        CheckpointWithoutRoot,
        /// The checkpoint has no signature.
        CheckpointWithoutSignature,
        /// There is no checkpoint.
        CheckpointMissing,
        /// The checkpoint is another log's, whose key claims the same four bytes.
        CheckpointOfOtherLog,
        /// The checkpoint's size is `007`-like.
        SizeWithLeadingZero,
        /// The checkpoint's size has a plus sign.
        SizeWithPlus,
        /// The checkpoint's size ends with a space.
        SizeWithSpace,
        /// The checkpoint's size has twenty digits.
        SizeWithTwentyDigits,
        /// The checkpoint's root is 31 bytes long.
        RootShort,
        /// A signature line of the log's key is wrong besides one that is right.
        SecondLineInvalid,
        /// Ten thousand signature lines of strangers.
        TenThousandLines,
        /// Only witnesses signed the checkpoint.
        OnlyCosignatures,
        /// The promise is over another time (Rekor v1).
        PromiseOverOtherTime,
        /// The promise is over another index (Rekor v1).
        PromiseOverOtherIndex,
        /// The promise is over another body (Rekor v1).
        PromiseOverOtherBody,
        /// The promise is over another log's id (Rekor v1).
        PromiseOverOtherLog,
        /// The entry names a log that the trusted root does not hold.
        LogUnknown,
        /// A space in the body, with a proof and a checkpoint that go with it.
        BodyNotCanonical,
        /// The entry is right but for its signer's certificate: another over the same key.
        VerifierDiffers,
        /// The signature in the entry is another one of the same key over the same bytes.
        SignatureDiffers,
        /// The log's window ended before the entry.
        LogRetired,
    }
}

impl LogDefect {
    /// Tells whether entries of this kind can have the defect.
    pub fn applies_to(self, log: LogKind) -> bool {
        let v2 = log == LogKind::V2;
        match self {
            Self::PromiseOverOtherTime
            | Self::PromiseOverOtherIndex
            | Self::PromiseOverOtherBody
            | Self::PromiseOverOtherLog => !v2,
            Self::OnlyCosignatures | Self::InnerNodeAsLeaf | Self::VerifierDiffers => v2,
            Self::DigestOfPayload => matches!(log, LogKind::V2 | LogKind::V1HashedRekord),
            _ => true,
        }
    }
}

group! {
    /// What can be wrong with the trusted root.
    TrustRootDefect, TrustRoot {
        /// A log is listed twice.
        DuplicateLogId,
        /// A certificate log is listed twice.
        DuplicateCtLogId,
        /// A log's id belongs to another key.
        TwoKeysOneId,
        /// A log's id is not its key's.
        LogIdOfOtherKey,
        /// No certificate authorities.
        NoCertificateAuthorities,
        /// No timestamp authorities.
        NoTimestampAuthorities,
        /// No certificate logs.
        NoCertificateLogs,
        /// No logs.
        NoLogs,
        /// A certificate authority has no certificates.
        EmptyCertificateChain,
        /// A timestamp authority has no certificates.
        EmptyTimestampChain,
        /// A certificate authority's certificate is no certificate.
        MalformedCertificate,
        /// A window has no start.
        WindowWithoutStart,
        /// A window ends before it begins.
        WindowReversed,
        /// A window's start is no time.
        WindowMalformed,
    }
}
