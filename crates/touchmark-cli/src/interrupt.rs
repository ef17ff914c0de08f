//! Ctrl-C and panics.
//!
//! Ctrl-C ends the process with 130, with the terminal's echo restored. Everything durable is written with rename, so
//! stopping anywhere is as safe as losing power. A panic is remembered instead of printed, and `main` reports it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::process::{Pid, Signal};

static LAST_PANIC: Mutex<String> = Mutex::new(String::new());
/// The command that is being run; 0 when there is none.
static COMMAND: AtomicU32 = AtomicU32::new(0);
static TERMINAL: OnceLock<rustix::termios::Termios> = OnceLock::new();

/// Starts to listen for Ctrl-C. A system that refuses keeps the default, which ends the process by the signal.
pub(crate) fn install() {
    let _ = std::thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(|| {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else {
                return;
            };
            while runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
                // A command that we run is told by the terminal too, and how it ends is how we end.
                if COMMAND.load(Ordering::SeqCst) == 0 {
                    leave();
                }
            }
        });
}

/// While it lives, signals are for the command that is being run.
#[derive(Debug)]
pub(crate) struct Passing(());

impl Drop for Passing {
    fn drop(&mut self) {
        COMMAND.store(0, Ordering::SeqCst);
    }
}

/// Passes the signals on to a command that is sent to this process alone. Those of the terminal reach it anyway.
pub(crate) fn pass_on_to(command: u32) -> Passing {
    COMMAND.store(command, Ordering::SeqCst);
    use tokio::signal::unix::SignalKind;
    let kinds = [
        (SignalKind::terminate(), Signal::TERM),
        (SignalKind::hangup(), Signal::HUP),
        (SignalKind::quit(), Signal::QUIT),
        (SignalKind::user_defined1(), Signal::USR1),
        (SignalKind::user_defined2(), Signal::USR2),
        (SignalKind::interrupt(), Signal::INT),
    ];
    for (kind, signal) in kinds {
        // A system that refuses a thread leaves the signal to end us.
        let _ = std::thread::Builder::new().spawn(move || pass_on(kind, signal));
    }
    Passing(())
}

fn pass_on(kind: tokio::signal::unix::SignalKind, signal: Signal) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else {
        return;
    };
    runtime.block_on(async {
        let Ok(mut stream) = tokio::signal::unix::signal(kind) else {
            return;
        };
        while stream.recv().await.is_some() {
            let command = COMMAND.load(Ordering::SeqCst);
            if command == 0 {
                leave();
            }
            let pid = i32::try_from(command).ok().and_then(Pid::from_raw);
            // The terminal sends its own to the whole group: once is enough.
            let by_terminal = signal == Signal::INT && rustix::termios::tcgetpgrp(std::io::stdin()).is_ok();
            if let Some(pid) = pid.filter(|_| !by_terminal) {
                let _ = rustix::process::kill_process(pid, signal);
            }
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
