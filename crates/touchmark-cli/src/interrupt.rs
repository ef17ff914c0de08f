//! Ctrl-C and panics.
//!
//! Ctrl-C ends the process with 130, with the terminal's echo restored. Everything durable is written with rename, so
//! stopping anywhere is as safe as losing power. A panic is remembered instead of printed, and `main` reports it.

use std::sync::{Mutex, OnceLock, PoisonError};

static LAST_PANIC: Mutex<String> = Mutex::new(String::new());
static TERMINAL: OnceLock<rustix::termios::Termios> = OnceLock::new();

/// Starts to listen for Ctrl-C. A system that refuses keeps the default, which ends the process by the signal.
pub(crate) fn install() {
    let _ = std::thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(|| {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else {
                return;
            };
            if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
                leave();
            }
        });
}

/// Remembers the terminal's settings before a password is asked for.
pub(crate) fn remember_terminal() {
    if let Ok(settings) = rustix::termios::tcgetattr(std::io::stdin()) {
        let _ = TERMINAL.set(settings);
    }
}

#[allow(clippy::disallowed_methods, reason = "an interrupted process leaves at once")]
fn leave() -> ! {
    if let Some(settings) = TERMINAL.get() {
        let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, settings);
    }
    std::process::exit(130)
}

/// Remembers a panic instead of printing it.
pub(crate) fn silence_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()))
            .unwrap_or_default();
        *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
}

/// Returns where the last panic happened. Its message is left out: it may quote a prompt.
pub(crate) fn last_panic() -> String {
    LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
