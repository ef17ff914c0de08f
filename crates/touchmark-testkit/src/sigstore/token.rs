//! Timestamps of a signature, right or wrong.

use super::defect::{Defect, TimeDefect};
use super::der;
use super::instance::{Instance, LEAF_SECONDS};
use super::keys::Hash;
use super::sign::{Content, Signing};
use super::tsa::{TimestampAuthority, TokenPlan};

impl Instance {
    pub(super) fn tokens(&self, signing: &Signing, content: &Content<'_>, signature: &[u8]) -> Vec<Vec<u8>> {
        let defect = match self.defect {
            Some(Defect::Time(defect)) => defect,
            _ => return self.good_tokens(&signing.timestamps, signature),
        };
        let (from, to) = (signing.at, signing.at + LEAF_SECONDS);
        let at = signing.timestamps.first().map_or(signing.at + 2, |(_, at)| *at);
        match defect {
            TimeDefect::OnlyIntegratedTimeOfV2
            | TimeDefect::OnlyIntegratedTimeWithoutPromise
            | TimeDefect::NoTime => Vec::new(),
            TimeDefect::TokenAfterCertificate => self.good_tokens(&[(0, to + 1)], signature),
            TimeDefect::TokenBeforeCertificate => self.good_tokens(&[(0, from - 1)], signature),
            TimeDefect::TwoTokensOfOneAuthority => self.good_tokens(&[(0, at), (0, at + 1)], signature),
            TimeDefect::SecondTokenOutside => self.good_tokens(&[(0, at), (1, to + 1)], signature),
            TimeDefect::TokenOverArtifact => self.good_tokens(&[(0, at)], content.bytes),
            TimeDefect::TokenOverOtherSignature => {
                let other = signature.iter().map(|byte| byte ^ 1).collect::<Vec<u8>>();
                self.good_tokens(&[(0, at)], &other)
            }
            _ => vec![self.broken_token(defect, signature, at)],
        }
    }

    fn good_tokens(&self, timestamps: &[(usize, i64)], bytes: &[u8]) -> Vec<Vec<u8>> {
        let token =
            |(authority, at): &(usize, i64)| self.timestamp_authorities[*authority].timestamp(bytes, *at);
        timestamps.iter().map(token).collect()
    }

    fn broken_token(&self, defect: TimeDefect, signature: &[u8], at: i64) -> Vec<u8> {
        let authority = &self.timestamp_authorities[0];
        let mut plan = TokenPlan::good(authority, at);
        let scheme = self.options.timestamp_authority;
        let other = authority.other_signer(
            self.key(scheme, "other timestamp signer"),
            super::certificate::Validity {
                from: at - 86_400,
                to: at + 86_400,
            },
        );
        match defect {
            TimeDefect::TokenOfUnknownAuthority => {
                return self.unknown_authority().timestamp(signature, at);
            }
            TimeDefect::TokenOfUnpinnedSigner => {
                plan.certificates = vec![other.certificate.clone()];
                plan.named_signer = Some(other);
            }
            TimeDefect::TokenWithDecoyCertificate => {
                plan.certificates.push(other.certificate.clone());
                plan.named_signer = Some(other);
            }
            TimeDefect::TokenSignatureOfOtherKey => plan.signing_key = Some(other.key),
            TimeDefect::ImprintSha1 => plan.imprint_hash = Hash::Sha1,
            TimeDefect::StatusRejected => plan.status = 2,
            TimeDefect::StatusNotGrantedWithToken => {
                let good = authority.answer(signature, &plan);
                return with_status(&good, 3);
            }
            TimeDefect::TrailingBytes => {
                let mut answer = authority.answer(signature, &plan);
                answer.push(0);
                return answer;
            }
            _ => plan.time = broken_time(defect, at).unwrap_or(plan.time),
        }
        authority.answer(signature, &plan)
    }

    fn unknown_authority(&self) -> TimestampAuthority {
        let scheme = self.options.timestamp_authority;
        let validity = super::certificate::Validity {
            from: super::instance::VALID_FROM,
            to: super::instance::VALID_FROM + 365 * 86_400,
        };
        TimestampAuthority::new(
            &format!("tsa0.{}", self.options.domain),
            &self.options.operator,
            (
                self.key(scheme, "unknown tsa root"),
                self.key(scheme, "unknown tsa signer"),
            ),
            validity,
            validity,
            (&[super::certificate::TIME_STAMPING], true),
        )
    }
}

/// Returns an answer with another status: the status is the only small integer at its place.
fn with_status(answer: &[u8], status: u8) -> Vec<u8> {
    let granted = [0x30, 0x03, 0x02, 0x01, 0x00];
    let at = answer
        .windows(5)
        .position(|window| window == granted)
        .expect("it was granted");
    let mut answer = answer.to_vec();
    answer[at + 4] = status;
    answer
}

fn broken_time(defect: TimeDefect, at: i64) -> Option<Vec<u8>> {
    let good = der::generalized_time(at);
    let good = std::str::from_utf8(&good[2..]).expect("digits");
    let text = match defect {
        TimeDefect::TimeWithoutZ => good.trim_end_matches('Z').to_owned(),
        TimeDefect::TimeWithOffset => good.replace('Z', "+0000"),
        TimeDefect::TimeWithLeapSecond => format!("{}60Z", &good[..12]),
        TimeDefect::TimeYear9999 => format!("9999{}", &good[4..]),
        TimeDefect::TimeWithoutSeconds => format!("{}Z", &good[..12]),
        TimeDefect::TimeWithTrailingZero => good.replace('Z', ".50Z"),
        TimeDefect::TimeNoSuchDay => format!("{}0230{}", &good[..4], &good[8..]),
        _ => return None,
    };
    Some(der::tlv(0x18, text.as_bytes()))
}
