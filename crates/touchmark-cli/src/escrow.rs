//! What is kept of a run: here, and encrypted in a queue for the store that the user's configuration names.
//!
//! Sending never holds up or fails what was attested: it has little time, and what is left waits for `publish`.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use touchmark_http::{Credential, Deadline, Secret, Url};
use touchmark_sign::escrow::{
    EscrowError, EscrowKey, EscrowPublicKey, FolderStore, Outbox, ServiceStore, Shipment, Store,
};
use touchmark_sign::vault::{Draft, RecordName, Vault};

use crate::context::Context;
use crate::error::{CliError, ExitCode};
use crate::file_argument;
use crate::password::PasswordArgs;
use crate::pipeline::logs;

/// How long sending may take right after something was attested.
const AFTER_ATTEST: Duration = Duration::from_secs(5);
/// How long it may take where it was asked for.
const WHERE_ASKED: Duration = Duration::from_secs(30 * 60);
/// The largest file with a store's token.
const MAX_TOKEN_BYTES: u64 = 64 * 1024;

impl From<EscrowError> for CliError {
    fn from(error: EscrowError) -> Self {
        let exit = match &error {
            EscrowError::StoreMissing { .. } | EscrowError::StoreIo { .. } => ExitCode::Unavailable,
            EscrowError::Http(inner) if inner.is_worth_retrying() => ExitCode::Unavailable,
            EscrowError::Refused { status } if *status >= 500 || *status == 429 => ExitCode::Unavailable,
            EscrowError::NotEscrowKey
            | EscrowError::WeakKey
            | EscrowError::KeyFile(_)
            | EscrowError::NotForKey { .. }
            | EscrowError::Recipients { .. } => ExitCode::Usage,
            _ => ExitCode::Error,
        };
        let hint = match &error {
            EscrowError::NotEscrowKey => Some("`touchmark vault key generate` makes an escrow key"),
            EscrowError::StoreMissing { .. } => Some("mount or make the folder; it is never made by itself"),
            EscrowError::NotForKey { .. } => Some("another escrow key opens this record"),
            _ => None,
        };
        let this = Self::from_error(exit, error.code(), &error);
        match hint {
            Some(hint) => this.hint(hint),
            None => this,
        }
    }
}

/// What is done with a record here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Local {
    /// It is kept.
    Keep,
    /// It is only in escrow.
    EscrowedOnly,
}

impl Local {
    fn of(context: &Context<'_>) -> Result<Self, CliError> {
        match context.config.text("vault.local") {
            None | Some("keep") => Ok(Self::Keep),
            Some("escrowed-only") => Ok(Self::EscrowedOnly),
            Some(other) => Err(CliError::usage(
                "config.wrong_value",
                format!("\"vault.local\" is keep or escrowed-only, not {other:?}"),
            )),
        }
    }

    /// The word of the setting.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::EscrowedOnly => "escrowed-only",
        }
    }
}

/// Makes a record durable, before anything that refers to it is signed.
pub(crate) fn keep(name: &RecordName, draft: &Draft<'_>, context: &Context<'_>) -> Result<(), CliError> {
    let local = Local::of(context)?;
    if local == Local::Keep {
        let vault = Vault::open(&context.home.vault())?;
        // What a killed run left half written holds prompts and belongs to nothing.
        vault.clean()?;
        vault.put(name, draft)?;
    }
    let escrowed = escrow(name, draft, context);
    match (escrowed, local) {
        (Ok(true), _) | (Ok(false), Local::Keep) => Ok(()),
        (Ok(false), Local::EscrowedOnly) => Err(CliError::usage(
            "escrow.no_key",
            "\"vault.local\" is escrowed-only, and no escrow key is configured",
        )
        .hint("name public keys in \"vault.escrow-keys\", or set \"vault.local\" to keep")),
        // It is kept here, and can be put into escrow when the configuration is mended.
        (Err(error), Local::Keep) => {
            context.output.warn(format!(
                "not in escrow: [{}] {}; `touchmark vault ship --all` puts it there later",
                error.code(),
                error.message()
            ));
            Ok(())
        }
        (Err(error), Local::EscrowedOnly) => Err(error),
    }
}

fn escrow(name: &RecordName, draft: &Draft<'_>, context: &Context<'_>) -> Result<bool, CliError> {
    let recipients = recipients(context)?;
    if recipients.is_empty() {
        return Ok(false);
    }
    let outbox = outbox(context)?;
    outbox.clean()?;
    outbox.put(name, &recipients, |writer| draft.encode(name, writer))?;
    Ok(true)
}

/// Puts every record that is kept here into the queue once more; returns how many.
pub(crate) fn escrow_all(context: &Context<'_>) -> Result<usize, CliError> {
    let recipients = recipients(context)?;
    if recipients.is_empty() {
        return Err(CliError::usage("escrow.no_key", "no escrow key is configured")
            .hint("name public keys in \"vault.escrow-keys\" of your own configuration file"));
    }
    if !context.home.vault().exists() {
        return Ok(0);
    }
    let (vault, outbox) = (Vault::open(&context.home.vault())?, outbox(context)?);
    let mut count = 0;
    for name in vault.names()? {
        // A damaged record stays where it is: nothing but what can be opened goes into escrow.
        if vault.get(&name)?.is_none() {
            continue;
        }
        let Some(mut file) = vault.open_file(&name)? else {
            continue;
        };
        outbox.put(&name, &recipients, |writer| {
            std::io::copy(&mut file, writer).map(|_| ())
        })?;
        count += 1;
    }
    Ok(count)
}

/// The keys that records are encrypted to.
pub(crate) fn recipients(context: &Context<'_>) -> Result<Vec<EscrowPublicKey>, CliError> {
    let load = |file: &String| {
        let path = context.path(Path::new(file));
        EscrowPublicKey::load(&path)
            .map_err(|error| CliError::from(error).because(format_args!("in {}", path.display())))
    };
    context
        .config
        .strings("vault.escrow-keys")
        .iter()
        .map(load)
        .collect()
}

/// The queue.
pub(crate) fn outbox(context: &Context<'_>) -> Result<Outbox, CliError> {
    Ok(Outbox::open(&outbox_folder(context))?)
}

/// The folder of the queue.
pub(crate) fn outbox_folder(context: &Context<'_>) -> PathBuf {
    context.home.data().join("escrow")
}

/// The store's folder, where it is one.
pub(crate) fn store_folder(context: &Context<'_>) -> Option<PathBuf> {
    let text = context.config.text("vault.store")?;
    (!is_address(text)).then(|| context.path(Path::new(text)))
}

/// Whether a store is named by an address.
pub(crate) fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn store(context: &Context<'_>) -> Result<Option<Box<dyn Store>>, CliError> {
    let Some(text) = context.config.text("vault.store") else {
        return Ok(None);
    };
    if !is_address(text) {
        return Ok(Some(Box::new(FolderStore::new(&context.path(Path::new(text))))));
    }
    let url: Url = text.parse()?;
    let credential = match context.config.text("vault.store-token-file") {
        Some(file) => Some(credential(&context.path(Path::new(file)), &url)?),
        None => None,
    };
    let client = logs::client(context)?;
    Ok(Some(Box::new(ServiceStore::new(url, client, credential))))
}

fn credential(path: &Path, url: &Url) -> Result<Credential, CliError> {
    let bytes = zeroize::Zeroizing::new(file_argument::read(path, MAX_TOKEN_BYTES)?);
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| CliError::usage("escrow.token", format!("{} holds no token", path.display())))?;
    Ok(Credential::bearer(Secret::new(text.trim()), url))
}

/// What became of the queue, or that there is nothing to send or nowhere to send it.
#[derive(Debug)]
pub(crate) enum Sent {
    /// No store is configured.
    NoStore {
        /// How many records wait for one.
        waiting: usize,
    },
    /// The store was asked.
    Asked(Shipment),
    /// The store did not answer in time.
    Hangs,
}

/// Sends what waits, for as long as it takes.
pub(crate) fn ship(context: &Context<'_>) -> Result<Sent, CliError> {
    ship_within(WHERE_ASKED, context)
}

fn ship_within(patience: Duration, context: &Context<'_>) -> Result<Sent, CliError> {
    if !outbox_folder(context).exists() {
        return Ok(match context.config.text("vault.store") {
            Some(_) => Sent::Asked(Shipment::default()),
            None => Sent::NoStore { waiting: 0 },
        });
    }
    let outbox = outbox(context)?;
    let Some(store) = store(context)? else {
        let waiting = outbox.waiting()?.len();
        return Ok(Sent::NoStore { waiting });
    };
    // A folder on another machine can hang for ever; this process then ends without it.
    let (sender, receiver) = mpsc::channel();
    let deadline = Deadline::after(patience);
    std::thread::spawn(move || {
        // Nobody listens any more where the time was up.
        let _ = sender.send(outbox.ship(&*store, deadline));
    });
    match receiver.recv_timeout(patience + Duration::from_secs(1)) {
        Ok(shipment) => Ok(Sent::Asked(shipment?)),
        Err(_) => Ok(Sent::Hangs),
    }
}

/// Sends what waits after something was attested. Says so where it could not; never fails and never waits for long.
pub(crate) fn ship_after_attest(context: &Context<'_>) {
    let waits = |why: String| {
        context.output.warn(format!(
            "records wait for the escrow store: {why}; `touchmark publish` sends them"
        ));
    };
    match ship_within(AFTER_ATTEST, context) {
        Ok(Sent::NoStore { .. }) => {}
        Ok(Sent::Asked(shipment)) if shipment.waiting == 0 => {}
        Ok(Sent::Asked(shipment)) => waits(reason(&shipment)),
        Ok(Sent::Hangs) => waits("it does not answer".to_owned()),
        Err(error) => waits(format!("[{}] {}", error.code(), error.message())),
    }
}

/// Says why records wait.
pub(crate) fn reason(shipment: &Shipment) -> String {
    match &shipment.failure {
        Some(error) => format!("[{}] {error}", error.code()),
        None => "the time was up".to_owned(),
    }
}

/// What `status` says of escrow.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EscrowStatus {
    keys: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    local: &'static str,
    pub(crate) waiting: usize,
    pub(crate) state: String,
}

/// Looks at keys, store and queue; nothing where nothing is configured or waits.
pub(crate) fn status(context: &Context<'_>) -> Result<Option<EscrowStatus>, CliError> {
    let waiting = match outbox_folder(context).exists() {
        true => outbox(context)?.waiting()?.len(),
        false => 0,
    };
    let store = context.config.text("vault.store").map(str::to_owned);
    let configured = context.config.strings("vault.escrow-keys");
    if waiting == 0 && store.is_none() && configured.is_empty() {
        return Ok(None);
    }
    let (keys, mut state) = match recipients(context) {
        Ok(keys) => (
            keys.iter().map(|key| key.fingerprint().to_string()).collect(),
            "ready".to_owned(),
        ),
        Err(error) => (
            Vec::new(),
            format!("unusable: [{}] {}", error.code(), error.message()),
        ),
    };
    if configured.is_empty() {
        "no escrow key: nothing is sent".clone_into(&mut state);
    } else if store.is_none() && state == "ready" {
        "no store: records wait here".clone_into(&mut state);
    }
    Ok(Some(EscrowStatus {
        keys,
        store,
        local: Local::of(context)?.as_str(),
        waiting,
        state,
    }))
}

/// Opens an escrow key's file, asking for its password where it has one.
pub(crate) fn open_key(
    file: &Path,
    password: PasswordArgs,
    context: &Context<'_>,
) -> Result<EscrowKey, CliError> {
    let path = context.path(file);
    let text = EscrowKey::read(&path)?;
    if !EscrowKey::needs_password(&text)? {
        return Ok(EscrowKey::from_pem(&text, None)?);
    }
    let password = password.existing(context, &path.to_string_lossy())?;
    Ok(EscrowKey::from_pem(&text, Some(&password))?)
}
