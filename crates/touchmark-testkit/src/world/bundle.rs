//! Defects of the agent's bundle, and of what it is verified against.

use serde_json::{Value, json};
use touchmark_statement::predicate::Predicate;

use super::defect::Defect;
use super::edit::{decode, encode, flip};
use super::{Piece, World};

/// Breaks the agent's bundle, or what it is verified against.
pub(super) fn after_signing(defect: Defect, world: &mut World) {
    match defect {
        Defect::SelfOperatedLog => world.trusted_root = world.log.trusted_root_json(),
        Defect::LogUnknown => {
            let other = touchmark_log::Log::create(&world.path().join("other-log"), "other.example.test")
                .expect("a new log");
            world.trusted_root = super::with_operator(&other.trusted_root_json());
        }
        Defect::LogEntrySpliced => {
            let mut statement = world.agent_statement();
            if let Predicate::AgentChange(claim) = &mut statement.predicate {
                claim.run.sequence = 1;
            }
            let other = world.attest(&statement, &world.keys.agent);
            splice(agent(world), &other);
        }
        Defect::LogEntryOfOtherSigner => {
            let other = world.review.clone().expect("it is signed");
            splice(agent(world), &other);
        }
        Defect::ProofAltered | Defect::ProofTooShort => {
            // The proof of the first of two entries holds one hash, that of the second.
            let entry = world.log.get(0).expect("the first entry");
            let piece = agent(world);
            piece.bundle.tlog_entries = vec![entry];
            piece.bytes = piece.bundle.encode();
            break_bundle(defect, piece);
        }
        _ => break_bundle(defect, agent(world)),
    }
    std::fs::write(world.trusted_root_path(), &world.trusted_root).expect("the root can be written");
}

fn agent(world: &mut World) -> &mut Piece {
    world.agent.as_mut().expect("it is signed")
}

/// Gives a bundle the log entry of another one.
fn splice(piece: &mut Piece, other: &Piece) {
    piece.bundle.tlog_entries.clone_from(&other.bundle.tlog_entries);
    piece.bytes = piece.bundle.encode();
}

fn break_bundle(defect: Defect, piece: &mut Piece) {
    match defect {
        Defect::LogEntryMissing => {
            piece.edit(|bundle| bundle["verificationMaterial"]["tlogEntries"] = json!([]))
        }
        Defect::LogEntryTwice => piece.edit(|bundle| {
            let entry = entry(bundle).clone();
            bundle["verificationMaterial"]["tlogEntries"] = json!([entry, entry]);
        }),
        Defect::ProofMissing => piece.edit(|bundle| drop(fields(entry(bundle)).remove("inclusionProof"))),
        Defect::ProofAltered => {
            piece.edit(|bundle| flip(&mut entry(bundle)["inclusionProof"]["hashes"][0], 0))
        }
        Defect::ProofTooLong => piece.edit(|bundle| {
            let hashes = &mut entry(bundle)["inclusionProof"]["hashes"];
            let mut longer = hashes.as_array().cloned().unwrap_or_default();
            longer.push(encode(&[9; 32]));
            *hashes = longer.into();
        }),
        Defect::ProofTooShort => piece.edit(|bundle| entry(bundle)["inclusionProof"]["hashes"] = json!([])),
        Defect::CheckpointAltered => piece.edit(|bundle| {
            let envelope = checkpoint(bundle);
            let mut lines: Vec<String> = envelope
                .as_str()
                .unwrap_or_default()
                .split('\n')
                .map(str::to_owned)
                .collect();
            let mut root: Value = lines[2].clone().into();
            flip(&mut root, 0);
            lines[2] = root.as_str().unwrap_or_default().to_owned();
            *envelope = lines.join("\n").into();
        }),
        Defect::CheckpointUnsigned => piece.edit(|bundle| {
            let envelope = checkpoint(bundle);
            let text = envelope.as_str().unwrap_or_default();
            *envelope = text[..text.find("\u{2014}").expect("it is signed")].into();
        }),
        Defect::EntryBodyNotCanonical => piece.edit(|bundle| {
            let body = &mut entry(bundle)["canonicalizedBody"];
            let text = String::from_utf8(decode(body)).expect("JSON");
            *body = encode(text.replacen(':', ": ", 1).as_bytes());
        }),
        Defect::EntryKindUnknown => {
            piece.edit(|bundle| entry(bundle)["kindVersion"]["version"] = "0.0.9".into())
        }
        Defect::MediaTypeUnknown => piece.edit(|bundle| bundle["mediaType"] = "application/json".into()),
        Defect::TwoContents => {
            piece.edit(|bundle| bundle["messageSignature"] = json!({"signature": encode(b"x")}))
        }
        _ => break_envelope(defect, piece),
    }
}

fn break_envelope(defect: Defect, piece: &mut Piece) {
    let envelope = |bundle: &mut Value, change: &dyn Fn(&mut Value)| change(&mut bundle["dsseEnvelope"]);
    match defect {
        Defect::PayloadTypeChanged => {
            piece.edit(|b| envelope(b, &|e| e["payloadType"] = "application/json".into()))
        }
        Defect::PayloadTypeUpperCase => {
            piece.edit(|b| envelope(b, &|e| e["payloadType"] = "application/vnd.in-toto+JSON".into()));
        }
        Defect::PayloadChanged => piece.edit(|b| {
            envelope(b, &|e| {
                let text = String::from_utf8(decode(&e["payload"])).expect("JSON");
                e["payload"] = encode(text.replacen("claude-code", "claude-cod3", 1).as_bytes());
            });
        }),
        // The last byte of the DER form is the last of s.
        Defect::SignatureChanged => piece.edit(|b| {
            envelope(b, &|e| {
                let signature = &mut e["signatures"][0]["sig"];
                let last = decode(signature).len() - 1;
                flip(signature, last);
            });
        }),
        Defect::TwoSignatures => piece.edit(|b| {
            envelope(b, &|e| {
                let signature = e["signatures"][0].clone();
                e["signatures"] = json!([signature, signature]);
            });
        }),
        Defect::NoSignature => piece.edit(|b| envelope(b, &|e| e["signatures"] = json!([]))),
        Defect::KeyidMismatch => {
            piece.edit(|b| envelope(b, &|e| e["signatures"][0]["keyid"] = "someone".into()))
        }
        Defect::ArrayForEnvelope => piece.edit(|b| {
            envelope(b, &|e| {
                *e = json!([e["payload"], e["payloadType"], e["signatures"]])
            });
        }),
        Defect::DuplicateKey => piece.replace("\"dsseEnvelope\":", "\"mediaType\":\"x\",\"dsseEnvelope\":"),
        Defect::DuplicateKeyByEscape => piece.replace("\"payload\":", "\"p\\u0061yload\":\"\",\"payload\":"),
        Defect::ByteOrderMark => piece.bytes.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
        Defect::TrailingDocument => piece.bytes.extend_from_slice(b"\n{}"),
        Defect::Base64WithLineFeed => piece.edit(|b| {
            envelope(b, &|e| {
                let text = e["payload"].as_str().expect("base64").to_owned();
                e["payload"] = format!("{}\n{}", &text[..40], &text[40..]).into();
            });
        }),
        Defect::DeeplyNested => {
            let nested = format!(
                "\"x\":{}{},\"dsseEnvelope\":",
                "[".repeat(10_000),
                "]".repeat(10_000)
            );
            piece.replace("\"dsseEnvelope\":", &nested);
        }
        _ => {}
    }
}

fn fields(value: &mut Value) -> &mut serde_json::Map<String, Value> {
    value.as_object_mut().expect("an object")
}

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

fn checkpoint(bundle: &mut Value) -> &mut Value {
    &mut entry(bundle)["inclusionProof"]["checkpoint"]["envelope"]
}
