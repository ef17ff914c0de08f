//! A person at a terminal: an address to open, a code to type in.

use std::io::{BufRead as _, IsTerminal as _};
use std::process::{Command, Stdio};

use touchmark_sign::keyless::login::Person;
use touchmark_sign::keyless::token::find_program;
use zeroize::Zeroizing;

use super::surroundings::View;
use crate::context::Context;
use crate::environment::VARIABLES;

/// Programs that open an address in the user's browser.
const OPENERS: [&str; 2] = ["xdg-open", "open"];

/// Whether somebody sits at a terminal and can see what is asked.
pub(super) fn is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Whoever sits at the terminal.
pub(super) struct AtTerminal<'a> {
    context: &'a Context<'a>,
}

impl<'a> AtTerminal<'a> {
    pub(super) fn new(context: &'a Context<'a>) -> Self {
        AtTerminal { context }
    }
}

impl Person for AtTerminal<'_> {
    fn open(&mut self, address: &str) {
        self.context
            .output
            .note(format!("log in with your browser at:\n  {address}"));
        let view = View::of(self.context);
        let Some(program) = OPENERS.iter().find_map(|name| find_program(name, &view).ok()) else {
            return;
        };
        // Where no browser opens, the address is there to be copied.
        let mut opener = Command::new(program);
        // It is a script that runs what it finds, and the browser behind it needs no secret of ours.
        for variable in VARIABLES.iter().filter(|variable| variable.secret) {
            opener.env_remove(variable.name);
        }
        let opened = opener
            .arg(address)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if let Ok(mut child) = opened {
            std::thread::spawn(move || child.wait());
        }
    }

    fn ask_code(&mut self, address: &str) -> Option<Zeroizing<String>> {
        self.context.output.note(format!(
            "log in at:\n  {address}\nand type in the code that you are given:"
        ));
        let mut code = Zeroizing::new(String::new());
        let read = std::io::stdin().lock().read_line(&mut code);
        read.ok().filter(|count| *count > 0).map(|_| code)
    }
}
