//! How far a long command is, on a terminal.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// How often the line is written anew.
const EVERY: Duration = Duration::from_millis(200);

/// One line on standard error that is written again and again; nothing when that is no terminal.
pub struct Progress {
    on: bool,
    started: Instant,
    shown: Option<Instant>,
}

impl Progress {
    /// From now on.
    pub fn start() -> Progress {
        Progress { on: std::io::stderr().is_terminal(), started: Instant::now(), shown: None }
    }

    /// So many of something are done.
    pub fn show(&mut self, count: u64, what: &str) {
        self.line(|seconds| format!("{count} {what}, {:.0}/s", count as f64 / seconds));
    }

    /// So many of so many bytes are done.
    pub fn share(&mut self, done: u64, of: u64, what: &str) {
        self.line(|seconds| {
            let share = done as f64 / of.max(1) as f64;
            let left = seconds * (1.0 - share) / share.max(1e-6);
            format!("{what}: {:.0} %, {left:.0} s left", share * 100.0)
        });
    }

    fn line(&mut self, text: impl FnOnce(f64) -> String) {
        let now = Instant::now();
        if !self.on || self.shown.is_some_and(|shown| now - shown < EVERY) {
            return;
        }
        self.shown = Some(now);
        let seconds = (now - self.started).as_secs_f64().max(1e-3);
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K{}", text(seconds));
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
