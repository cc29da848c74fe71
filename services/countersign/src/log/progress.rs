//! How far a long command is, on a terminal.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// How often the line is written anew.
const EVERY: Duration = Duration::from_millis(200);
/// The width of the bar, in characters.
const BAR: usize = 24;

/// One line on standard error that is written again and again; nothing when that is no terminal.
pub struct Progress {
    on: bool,
    started: Instant,
    before: Before,
    shown: Option<Instant>,
    there: bool,
}

/// What was done already when the work began whose pace is measured.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    count: u64,
    done: u64,
}

impl Progress {
    /// From now on.
    pub fn start() -> Progress {
        let on = std::io::stderr().is_terminal();
        Progress { on, started: Instant::now(), before: Before::default(), shown: None, there: false }
    }

    /// Other work begins, or work is gone on with: so many of something, which is so many steps, were done
    /// before and took none of the time that is measured from now on.
    pub fn phase(&mut self, count: u64, done: u64) {
        (self.started, self.before, self.shown) = (Instant::now(), Before { count, done }, None);
    }

    /// So many of something are done.
    pub fn show(&mut self, count: u64, what: &str) {
        self.line(|before, seconds| counted(before, seconds, count, what));
    }

    /// So many of so many (0 for unknown) are done.
    pub fn count(&mut self, done: u64, of: u64, what: &str) {
        match of {
            0 => self.show(done, what),
            _ => self.part(done, what, done, of),
        }
    }

    /// So many of something are done, which is so many of so many steps.
    pub fn part(&mut self, count: u64, what: &str, done: u64, of: u64) {
        self.line(|before, seconds| bar(before, seconds, (count, what), (done, of)));
    }

    fn line(&mut self, text: impl FnOnce(Before, f64) -> String) {
        let now = Instant::now();
        if !self.on || self.shown.is_some_and(|shown| now - shown < EVERY) {
            return;
        }
        (self.shown, self.there) = (Some(now), true);
        let text = text(self.before, (now - self.started).as_secs_f64());
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K{text}");
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        if std::mem::take(&mut self.there) {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

/// How many a second, of those that are new.
fn rate(before: Before, seconds: f64, count: u64) -> f64 {
    count.saturating_sub(before.count) as f64 / seconds.max(1e-3)
}

fn counted(before: Before, seconds: f64, count: u64, what: &str) -> String {
    format!("{count} {what}, {:.0}/s", rate(before, seconds, count))
}

fn bar(before: Before, seconds: f64, (count, what): (u64, &str), (done, of): (u64, u64)) -> String {
    let (done, of) = (done.min(of.max(1)), of.max(1));
    let share = done as f64 / of as f64;
    let full = (share * BAR as f64) as usize;
    let bar = format!("[{:━<full$}{:<rest$}]", "", "", rest = BAR - full);
    let pace = format!("{:.0} %, {:.0} {what}/s", share * 100.0, rate(before, seconds, count));
    // Before anything is done nobody can say how long the rest takes.
    match done.saturating_sub(before.done) {
        0 => format!("{bar} {pace}"),
        new => format!("{bar} {pace}, {:.0} s left", seconds * (of - done) as f64 / new as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGUN: Before = Before { count: 0, done: 0 };

    #[test]
    fn the_bar_says_how_far_it_is_how_fast_and_how_long_it_still_takes() {
        let half = bar(BEGUN, 10.0, (2_000, "events"), (500, 1_000));
        assert_eq!(half, format!("[{}{}] 50 %, 200 events/s, 10 s left", "━".repeat(12), " ".repeat(12)));
        let whole = bar(BEGUN, 10.0, (4_000, "events"), (1_000, 1_000));
        assert_eq!(whole, format!("[{}] 100 %, 400 events/s, 0 s left", "━".repeat(24)));
        // More than was expected was there.
        assert_eq!(bar(BEGUN, 10.0, (4_000, "events"), (1_001, 1_000)), whole);
        assert_eq!(counted(BEGUN, 4.0, 1_000, "commits"), "1000 commits, 250/s");
    }

    #[test]
    fn nothing_is_promised_before_anything_is_done() {
        let bare = format!("[{}] 0 %, 0 events/s", " ".repeat(24));
        assert_eq!(bar(BEGUN, 0.0, (0, "events"), (0, 1_000)), bare);
        assert_eq!(bar(BEGUN, 3.0, (0, "events"), (0, 0)), bare);
    }

    #[test]
    fn what_was_done_before_counts_for_how_far_it_is_and_not_for_how_fast() {
        let before = Before { count: 9_000, done: 500 };
        let gone_on = bar(before, 10.0, (10_000, "reviews"), (750, 1_000));
        assert!(gone_on.ends_with("] 75 %, 100 reviews/s, 10 s left"), "{gone_on}");
        assert!(bar(before, 1.0, (9_000, "reviews"), (500, 1_000)).ends_with("] 50 %, 0 reviews/s"));
        assert_eq!(counted(before, 10.0, 10_000, "commits"), "10000 commits, 100/s");
    }

    #[test]
    fn a_phase_begins_its_own_time_and_is_shown_at_once() {
        let mut progress = Progress { on: true, ..Progress::start() };
        progress.started -= Duration::from_secs(3_600);
        progress.part(1, "entries", 1, 2);
        assert!(progress.shown.is_some() && progress.there);
        progress.phase(7, 3);
        assert!(progress.shown.is_none() && progress.there, "what is on the terminal is still taken away");
        assert!(progress.started.elapsed() < Duration::from_secs(60));
        assert_eq!((progress.before.count, progress.before.done), (7, 3));
        progress.end();
        assert!(!progress.there);
    }
}
