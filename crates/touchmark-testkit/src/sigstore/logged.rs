//! Log entries as bundles carry them, right or wrong.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use touchmark_tlog::merkle::Hash;

use super::defect::{Defect, LogDefect, TimeDefect};
use super::instance::Instance;
use super::keys::{Key, Scheme};
use super::sign::{LogKind, Signing};
use super::tree::{checkpoint_text, signature_line};

impl Instance {
    /// Logs a body and returns its entries, broken where a defect asks for it.
    pub(super) fn logged(&self, signing: &Signing, body: Vec<u8>) -> Vec<Value> {
        let mut body = body;
        let other = self.sibling(signing, &body);
        match self.defect {
            Some(Defect::Log(LogDefect::VersionUnknown)) => body = with_version(&body),
            Some(Defect::Log(LogDefect::BodyNotCanonical)) => {
                let text = String::from_utf8(body).expect("JSON");
                body = text.replacen(':', ": ", 1).into_bytes();
            }
            Some(Defect::Log(LogDefect::VerifierDiffers | LogDefect::SignatureDiffers)) => {
                body = other.clone()
            }
            _ => {}
        }
        let spliced = self.is(LogDefect::EntryOfOtherBundle);
        let entry = self.append(signing, if spliced { other } else { body });
        match self.defect {
            Some(Defect::Log(defect)) => self.break_entry(defect, signing, entry),
            Some(Defect::Time(defect)) => vec![self.break_time(defect, signing, entry)],
            _ => vec![entry],
        }
    }

    fn append(&self, signing: &Signing, body: Vec<u8>) -> Value {
        let at = self.integrated_at(signing);
        match signing.log {
            LogKind::V2 | LogKind::Unlogged => self.rekor_v2().add(body, at),
            _ => self.rekor_v1().add(body, at),
        }
    }

    fn integrated_at(&self, signing: &Signing) -> i64 {
        match self.is(TimeDefect::IntegratedTimeOutside) {
            true => signing.at + super::instance::LEAF_SECONDS + 1,
            false => signing.integrated_at,
        }
    }

    /// Returns a body of the same kind whose parts are another entry's.
    fn sibling(&self, signing: &Signing, body: &[u8]) -> Vec<u8> {
        let mut other: Value = serde_json::from_slice(body).expect("JSON");
        match signing.log {
            LogKind::V2 | LogKind::Unlogged => {
                let spec = &mut other["spec"]["hashedRekordV002"];
                match self.defect {
                    Some(Defect::Log(LogDefect::VerifierDiffers)) => {
                        let certificate =
                            flipped(&spec["signature"]["verifier"]["x509Certificate"]["rawBytes"]);
                        spec["signature"]["verifier"]["x509Certificate"]["rawBytes"] = certificate;
                    }
                    Some(Defect::Log(LogDefect::SignatureDiffers)) => {
                        spec["signature"]["content"] = flipped(&spec["signature"]["content"]);
                    }
                    _ => {
                        spec["data"]["digest"] = flipped(&spec["data"]["digest"]);
                        spec["signature"]["content"] = flipped(&spec["signature"]["content"]);
                    }
                }
            }
            LogKind::V1HashedRekord => {
                let signature = &mut other["spec"]["signature"];
                signature["content"] = flipped(&signature["content"]);
            }
            LogKind::V1Dsse => {
                let signature = &mut other["spec"]["signatures"][0];
                signature["signature"] = flipped(&signature["signature"]);
            }
            LogKind::V1Intoto => {
                let payload = &mut other["spec"]["content"]["payloadHash"]["value"];
                *payload = "00".repeat(32).into();
            }
        }
        super::canonical(&other)
    }

    fn break_time(&self, defect: TimeDefect, signing: &Signing, mut entry: Value) -> Value {
        match defect {
            TimeDefect::OnlyIntegratedTimeOfV2 => {
                entry["integratedTime"] = signing.integrated_at.to_string().into();
            }
            TimeDefect::OnlyIntegratedTimeWithoutPromise => remove(&mut entry, "inclusionPromise"),
            TimeDefect::NoTime => {
                remove(&mut entry, "inclusionPromise");
                remove(&mut entry, "integratedTime");
            }
            _ => {}
        }
        entry
    }

    fn break_entry(&self, defect: LogDefect, signing: &Signing, mut entry: Value) -> Vec<Value> {
        match defect {
            LogDefect::EntryTwice => return vec![entry.clone(), entry],
            LogDefect::VersionDiffers => entry["kindVersion"]["version"] = "0.0.9".into(),
            LogDefect::VersionUnknown => entry["kindVersion"]["version"] = "0.0.9".into(),
            LogDefect::ProofMissing => remove(&mut entry, "inclusionProof"),
            LogDefect::IndexDiffers => {
                let index: u64 = entry["logIndex"]
                    .as_str()
                    .and_then(|text| text.parse().ok())
                    .expect("a number");
                entry["logIndex"] = (index - 1).to_string().into();
                if signing.log == LogKind::V2 {
                    entry["inclusionProof"]["logIndex"] = (index - 1).to_string().into();
                }
            }
            LogDefect::LogUnknown => {
                let id = self.key(Scheme::P256, "unknown log").spki_digest();
                entry["logId"]["keyId"] = STANDARD.encode(id).into();
            }
            LogDefect::InnerNodeAsLeaf => self.inner_node(&mut entry),
            LogDefect::PromiseOverOtherTime => {
                let time: i64 = entry["integratedTime"]
                    .as_str()
                    .and_then(|t| t.parse().ok())
                    .expect("a time");
                entry["integratedTime"] = (time - 1).to_string().into();
            }
            LogDefect::PromiseOverOtherIndex
            | LogDefect::PromiseOverOtherBody
            | LogDefect::PromiseOverOtherLog => {
                self.break_promise(defect, &mut entry);
            }
            LogDefect::ProofHashFlipped
            | LogDefect::ProofHashMissing
            | LogDefect::ProofHashExtra
            | LogDefect::ProofReordered
            | LogDefect::ProofHashShort
            | LogDefect::ProofRootDiffers
            | LogDefect::ProofSizeDiffers => break_proof(defect, &mut entry["inclusionProof"]),
            _ => self.break_checkpoint(defect, signing, &mut entry["inclusionProof"]),
        }
        vec![entry]
    }

    /// Passes an inner node's two hashes for an entry, with the rest of the path.
    fn inner_node(&self, entry: &mut Value) {
        let log = self.rekor_v2();
        let leaves = log.tree.leaves();
        let content = [leaves[0].as_bytes().as_slice(), leaves[1].as_bytes()].concat();
        let rest = super::tree::parent(&leaves[2], &leaves[3]);
        entry["logIndex"] = "0".into();
        entry["inclusionProof"]["logIndex"] = "0".into();
        entry["inclusionProof"]["hashes"] = json!([rest.to_base64()]);
        entry["canonicalizedBody"] = STANDARD.encode(content).into();
    }

    fn break_promise(&self, defect: LogDefect, entry: &mut Value) {
        let log = self.rekor_v1();
        let body = STANDARD
            .decode(entry["canonicalizedBody"].as_str().expect("base64"))
            .expect("base64");
        let number = |value: &Value| {
            value
                .as_str()
                .and_then(|text| text.parse::<i64>().ok())
                .expect("a number")
        };
        let (time, index) = (
            number(&entry["integratedTime"]),
            number(&entry["logIndex"]) as u64,
        );
        let promise = match defect {
            LogDefect::PromiseOverOtherIndex => log.sign_promise(&body, time, index + 1),
            LogDefect::PromiseOverOtherBody => log.sign_promise(b"{}", time, index),
            _ => {
                let mut other = log.clone();
                other.key = self.key(Scheme::P256, "unknown log");
                other.sign_promise(&body, time, index)
            }
        };
        entry["inclusionPromise"]["signedEntryTimestamp"] = STANDARD.encode(promise).into();
    }

    fn sign_note(&self, signing: &Signing, text: &str) -> String {
        match signing.log {
            LogKind::V2 | LogKind::Unlogged => self.rekor_v2().sign_note(text, signing.integrated_at),
            _ => self.rekor_v1().sign_note(text),
        }
    }

    fn break_checkpoint(&self, defect: LogDefect, signing: &Signing, proof: &mut Value) {
        if defect == LogDefect::CheckpointMissing {
            return remove(proof, "checkpoint");
        }
        let envelope = &mut proof["checkpoint"]["envelope"];
        let note = envelope.as_str().expect("a note").to_owned();
        let (text, signatures) = note.split_once("\n\n").expect("a signed note");
        let lines: Vec<&str> = text.lines().collect();
        let (origin, size, root) = (lines[0], lines[1], lines[2]);
        let resigned = |text: String| self.sign_note(signing, &text);
        let unknown = |number: usize| {
            let key = self.key(Scheme::Ed25519, &format!("unknown {}", number % 3));
            signature_line(
                &format!("stranger{number}.example.test"),
                [number as u8, 1, 2, 3],
                &key.sign(b"?"),
            )
        };
        *envelope = match defect {
            LogDefect::CheckpointWithoutOrigin => resigned(format!("\n{size}\n{root}\n")),
            LogDefect::CheckpointWithoutSize => resigned(format!("{origin}\n{root}\n")),
            LogDefect::CheckpointWithoutRoot => resigned(format!("{origin}\n{size}\n")),
            LogDefect::CheckpointWithoutSignature => format!("{text}\n\n"),
            LogDefect::SizeWithLeadingZero => resigned(format!("{origin}\n0{size}\n{root}\n")),
            LogDefect::SizeWithPlus => resigned(format!("{origin}\n+{size}\n{root}\n")),
            LogDefect::SizeWithSpace => resigned(format!("{origin}\n{size} \n{root}\n")),
            LogDefect::SizeWithTwentyDigits => resigned(format!("{origin}\n{}\n{root}\n", "9".repeat(20))),
            LogDefect::RootShort => {
                let hash = STANDARD.decode(root).expect("base64");
                resigned(format!("{origin}\n{size}\n{}\n", STANDARD.encode(&hash[..31])))
            }
            LogDefect::CheckpointOfOtherLog => self.other_logs_note(origin, size, root, signatures),
            LogDefect::SecondLineInvalid => {
                let line = signatures.lines().next().expect("the log's line");
                let (head, blob) = line.rsplit_once(' ').expect("name and signature");
                let mut blob = STANDARD.decode(blob).expect("base64");
                *blob.last_mut().expect("a signature") ^= 1;
                format!("{text}\n\n{signatures}{head} {}\n", STANDARD.encode(blob))
            }
            LogDefect::TenThousandLines => {
                format!("{note}{}", (0..10_000).map(unknown).collect::<String>())
            }
            LogDefect::OnlyCosignatures => {
                let others: String = signatures
                    .lines()
                    .skip(1)
                    .map(|line| format!("{line}\n"))
                    .collect();
                format!("{text}\n\n{others}")
            }
            _ => note,
        }
        .into();
    }

    /// Returns a checkpoint that another log signed, under the four bytes of this one's key.
    fn other_logs_note(&self, origin: &str, size: &str, root: &str, signatures: &str) -> String {
        let other: Key = self.key(Scheme::Ed25519, "colliding log");
        let line = signatures.lines().next().expect("the log's line");
        let blob = STANDARD
            .decode(line.rsplit_once(' ').expect("a signature").1)
            .expect("base64");
        let root = Hash::from_base64(root).expect("a root");
        let text = checkpoint_text(origin, size.parse().expect("a size"), &root);
        let name = line.split(' ').nth(1).expect("a name");
        let line = signature_line(
            name,
            [blob[0], blob[1], blob[2], blob[3]],
            &other.sign(text.as_bytes()),
        );
        format!("{text}\n{line}")
    }
}

fn break_proof(defect: LogDefect, proof: &mut Value) {
    let hashes = proof["hashes"].as_array_mut().expect("a list");
    match defect {
        LogDefect::ProofHashFlipped => hashes[0] = flipped(&hashes[0]),
        LogDefect::ProofHashMissing => drop(hashes.pop()),
        LogDefect::ProofHashExtra => hashes.push(STANDARD.encode([9; 32]).into()),
        LogDefect::ProofReordered => hashes.reverse(),
        LogDefect::ProofHashShort => hashes[0] = STANDARD.encode([9; 31]).into(),
        LogDefect::ProofRootDiffers => proof["rootHash"] = flipped(&proof["rootHash"]),
        _ => {
            let size: u64 = proof["treeSize"]
                .as_str()
                .and_then(|text| text.parse().ok())
                .expect("a size");
            proof["treeSize"] = (size + 1).to_string().into();
        }
    }
}

fn with_version(body: &[u8]) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(body).expect("JSON");
    body["apiVersion"] = "0.0.9".into();
    super::canonical(&body)
}

fn remove(value: &mut Value, field: &str) {
    value.as_object_mut().expect("an object").remove(field);
}

/// Flips the last bit of base64 bytes.
fn flipped(value: &Value) -> Value {
    let mut bytes = STANDARD.decode(value.as_str().expect("base64")).expect("base64");
    *bytes.last_mut().expect("bytes") ^= 1;
    STANDARD.encode(bytes).into()
}
