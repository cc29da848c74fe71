//! What is said in the end.

use events::{StreamId, Version};
use serde::Serialize;
use serde_json::Value;
use transparency::{Checkpoint, PublicKey};

use super::{
    audit::Audit,
    finding::{Counts, Finding, Uncovered},
    roots::describe,
};

/// What it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing is wrong, and a signed root covers every commit.
    Whole,
    /// Nothing is wrong with what a signed root covers, and there are commits that none covers.
    Uncovered,
    /// An export that says it is a part of a log: no root covers any of it.
    Part,
    /// No signed root covers any of it.
    Unsigned,
    /// Something is wrong.
    Tampered,
}

/// Where the public key came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFrom {
    /// Whoever checks gave it.
    Given,
    /// It came with what was checked: whoever made all of that anew had a key too.
    Log,
}

/// The whole answer.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether nothing is wrong and a signed root covers every commit.
    pub whole: bool,
    /// The same in more than two words.
    pub verdict: Verdict,
    /// How much was checked.
    pub checked: Counts,
    /// How many commits the newest root covers, as it says itself; absent when there is none.
    pub checkpoint: Option<u64>,
    /// The key that signed, as other tools take it; absent when there is none.
    pub public_key: Option<String>,
    /// Where that came from; absent when there is none.
    pub public_key_from: Option<KeyFrom>,
    /// The first commits that no root covers.
    pub not_covered: Vec<String>,
    /// What an export was asked for, as it says itself, when it is a part of a log: such a part has no root.
    pub selected: Option<Value>,
    /// Whether no signed root covers any of it: then its own hashes alone were checked, which anybody can make anew.
    pub unsigned: bool,
    /// When what was signed before was given up, if ever, in words.
    pub breaks: Vec<String>,
    /// What is wrong: the first, or with `--keep-going` the first thousand.
    pub findings: Vec<Finding>,
    /// How many findings there are.
    pub found: u64,
    /// Why the newest commits are not covered, when that was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<String>,
}

/// A key, and where it came from.
#[derive(Debug, Clone)]
pub struct Key {
    /// The key.
    pub key: PublicKey,
    /// Where it came from.
    pub from: KeyFrom,
}

impl Report {
    /// Of a log or an export that was checked.
    pub fn of(audit: Audit, key: Option<Key>, selected: Option<Value>) -> Report {
        let (checked, not_covered, is_signed) = (audit.counts, audit.uncovered.names(), audit.roots.is_signed());
        let checkpoint = audit.roots.newest().map(|newest| newest.size);
        let breaks = audit.roots.breaks().iter().map(describe).collect();
        let (findings, found) = audit.findings.into_parts();
        Report::made(checked, checkpoint, key, not_covered, selected, is_signed, breaks, (findings, found))
    }

    /// Of the proof of one review.
    pub fn of_proof(
        stream: StreamId,
        commits: u64,
        open: &[Version],
        signed: Option<Checkpoint>,
        key: Key,
        found: Vec<Finding>,
    ) -> Report {
        let mut uncovered = Uncovered::default();
        open.iter().for_each(|version| uncovered.add(stream, *version));
        let (uncovered, names) = (open.len() as u64, uncovered.names());
        let covered = commits.saturating_sub(uncovered);
        let roots = u64::from(signed.is_some());
        let checked = Counts { streams: 1, commits, covered, uncovered, roots, ..Counts::default() };
        let count = found.len() as u64;
        let size = signed.map(|signed| signed.size);
        Report::made(checked, size, Some(key), names, None, signed.is_some(), Vec::new(), (found, count))
    }

    #[expect(clippy::too_many_arguments, reason = "each is a member of the report")]
    fn made(
        checked: Counts,
        checkpoint: Option<u64>,
        key: Option<Key>,
        not_covered: Vec<String>,
        selected: Option<Value>,
        is_signed: bool,
        breaks: Vec<String>,
        (findings, found): (Vec<Finding>, u64),
    ) -> Report {
        // A log of no commits is whole when a root says so; else it may be one from which all was taken away.
        let unsigned = checked.covered == 0 && !(checked.commits == 0 && is_signed);
        let verdict = match () {
            () if found > 0 => Verdict::Tampered,
            () if unsigned && selected.is_some() => Verdict::Part,
            () if unsigned => Verdict::Unsigned,
            () if checked.uncovered > 0 => Verdict::Uncovered,
            () => Verdict::Whole,
        };
        let whole = verdict == Verdict::Whole;
        let public_key_from = key.as_ref().map(|key| key.from);
        let public_key = key.map(|key| key.key.to_string());
        let tail = None;
        Report {
            whole,
            verdict,
            checked,
            checkpoint,
            public_key,
            public_key_from,
            not_covered,
            selected,
            unsigned,
            breaks,
            findings,
            found,
            tail,
        }
    }

    /// One more finding, which is about the log as a whole.
    pub fn with(mut self, finding: Finding) -> Report {
        self.findings.push(finding);
        self.found += 1;
        (self.whole, self.verdict) = (false, Verdict::Tampered);
        self
    }

    /// The lines for people. `allowed` is whether uncovered commits were allowed by name.
    pub fn lines(&self, what: &str, allowed: bool) -> Vec<String> {
        let Report { checked: Counts { streams, commits, covered, uncovered, roots, .. }, .. } = self;
        let mut lines: Vec<String> = self.findings.iter().map(|finding| finding.text.clone()).collect();
        let listed = self.findings.len() as u64;
        if self.found > listed {
            lines.push(format!("and {} more", self.found - listed));
        }
        lines.push(match self.verdict {
            Verdict::Whole => format!("whole: {commits} commits of {streams} streams"),
            Verdict::Uncovered => format!(
                "NOT covered: {uncovered} of {commits} commits are covered by no signed root, so that anybody may have written them"
            ),
            Verdict::Part => format!(
                "NOT covered: {what} says that it is a part of a log, and no signed root covers any of its {commits} commits: \
                 only its own hashes were checked, which anybody can make anew"
            ),
            Verdict::Unsigned if *commits == 0 => format!("NOT covered: no commit and no signed root in {what}: all may have been taken away"),
            Verdict::Unsigned => format!(
                "NOT covered: no signed root in {what} covers any of its {commits} commits: only its own hashes were checked, \
                 which anybody can make anew"
            ),
            Verdict::Tampered => format!("NOT whole: {} finding(s); --keep-going lists what else there is", self.found),
        });
        if let Some(size) = self.checkpoint {
            lines.push(format!(
                "signed: the newest root covers {size} commits, {covered} of them here; {roots} roots were compared"
            ));
        }
        lines.extend(self.breaks.iter().map(|each| format!("BREAK: {each}")));
        if *uncovered > 0 {
            lines.push(format!("not covered by a root: {uncovered} commits, such as {}", self.not_covered.join(", ")));
        }
        if let Some(why) = self.tail.as_ref().filter(|_| *uncovered > 0) {
            lines.push(format!("they may be of the last minute, and could not be covered now: {why}"));
        }
        if allowed && !self.whole && self.verdict != Verdict::Tampered {
            lines.push(format!("allowed by --allow-uncovered: {uncovered} commits are vouched for by nobody"));
        }
        if let Some(key) = &self.public_key {
            lines.push(format!("public key: {key}"));
        }
        if self.public_key_from == Some(KeyFrom::Log) && self.verdict != Verdict::Tampered {
            lines.push(format!(
                "the key came with {what} itself, so whoever can write it can have signed it anew: give --public-key FILE from elsewhere"
            ));
        }
        lines
    }
}
