//! The entries against the signed roots.

use std::{collections::VecDeque, io};

use transparency::{Break, Checkpoint, Entry, Frontier, PublicKey};

use super::finding::{Enough, Finding, Findings, Kind};
use crate::checkpoints::files::Signed;

/// Gives the log's own roots one after the other, the oldest first.
pub type Notes = Box<dyn Iterator<Item = io::Result<String>> + Send>;

/// A root that the log must begin with.
#[derive(Debug, Clone)]
pub struct Held {
    /// The root.
    pub checkpoint: Checkpoint,
    /// Whose it is, as a sentence begins with it.
    pub whose: &'static str,
}

/// The root of somebody who checks.
pub const YOURS: &str = "the root that you hold";

/// The tree as it grows, and the roots that it is compared with as it passes their size.
pub struct Roots {
    key: Option<PublicKey>,
    tree: Frontier,
    /// Those that the verifier holds, the smallest first.
    held: VecDeque<Held>,
    own: Notes,
    next: Option<(Checkpoint, Vec<Break>)>,
    newest: Option<Checkpoint>,
    /// The breaks that the newest names.
    breaks: Vec<Break>,
    /// Those held that do not agree: said in the end, when it is known whether there was a break.
    disagree: Vec<(Held, String)>,
    agreed: u64,
    compared: u64,
    mismatch: bool,
}

impl Roots {
    /// `held` are roots that the verifier brought; `own` those that the log shows.
    pub fn new(key: Option<PublicKey>, mut held: Vec<Held>, own: Notes) -> Roots {
        held.sort_by_key(|held| held.checkpoint.size);
        let (tree, held) = (Frontier::default(), held.into());
        let (breaks, disagree) = (Vec::new(), Vec::new());
        let (next, newest) = (None, None);
        Roots { key, tree, held, own, next, newest, breaks, disagree, agreed: 0, compared: 0, mismatch: false }
    }

    /// Whether a root signs what was given, be it nothing.
    pub fn is_signed(&self) -> bool {
        self.newest.is_some() || self.agreed > 0
    }

    /// The breaks that the newest of the log's own names.
    pub fn breaks(&self) -> &[Break] {
        &self.breaks
    }

    /// How many entries were given.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// How many roots were compared.
    pub fn compared(&self) -> u64 {
        self.compared
    }

    /// The newest of the log's own.
    pub fn newest(&self) -> Option<Checkpoint> {
        self.newest
    }

    /// The log shows this root too, after its entries.
    ///
    /// # Errors
    /// When the first finding is enough.
    pub fn shown(&mut self, note: &str, findings: &mut Findings) -> Result<(), Enough> {
        match self.open(note, findings)? {
            Some((checkpoint, breaks)) => self.compare(checkpoint, breaks, findings),
            None => Ok(()),
        }
    }

    /// The next entry.
    ///
    /// # Errors
    /// When the first finding is enough.
    pub fn entry(&mut self, entry: &Entry, findings: &mut Findings) -> Result<(), Enough> {
        if self.tree.size() == 0 {
            // Those that cover nothing stand before the first entry.
            self.own_up_to(0, findings)?;
            self.hold_up_to(0);
        }
        self.tree.push(entry.leaf());
        self.hold_up_to(self.tree.size());
        self.own_up_to(self.tree.size(), findings)
    }

    /// No more entries follow.
    ///
    /// # Errors
    /// When the first finding is enough.
    pub fn finish(&mut self, findings: &mut Findings) -> Result<(), Enough> {
        self.hold_up_to(u64::MAX);
        self.own_up_to(u64::MAX, findings)?;
        for (held, text) in std::mem::take(&mut self.disagree) {
            let text = self.before_a_break(&held).unwrap_or(text);
            findings.add(Finding::of_log(Kind::Inconsistent, text))?;
        }
        if self.tree.size() > self.agreed && !self.mismatch {
            let text = format!("entries {} to {} are listed, and no root signs them", self.agreed + 1, self.tree.size());
            findings.add(Finding::of_log(Kind::RootMismatch, text))?;
        }
        Ok(())
    }

    fn own_up_to(&mut self, size: u64, findings: &mut Findings) -> Result<(), Enough> {
        loop {
            if self.next.is_none() {
                self.next = self.read(findings)?;
            }
            match self.next.take() {
                Some((next, breaks)) if next.size <= size => self.compare(next, breaks, findings)?,
                later => {
                    self.next = later;
                    return Ok(());
                }
            }
        }
    }

    fn read(&mut self, findings: &mut Findings) -> Result<Option<(Checkpoint, Vec<Break>)>, Enough> {
        loop {
            let note = match self.own.next() {
                None => return Ok(None),
                Some(Ok(note)) => note,
                Some(Err(error)) => {
                    let text = format!("the signed roots cannot be read: {error}");
                    findings.add(Finding::of_log(Kind::Unreadable, text))?;
                    return Ok(None);
                }
            };
            if let Some(opened) = self.open(&note, findings)? {
                return Ok(Some(opened));
            }
        }
    }

    fn open(&self, note: &str, findings: &mut Findings) -> Result<Option<(Checkpoint, Vec<Break>)>, Enough> {
        let Some(key) = &self.key else {
            findings
                .add(Finding::of_log(Kind::BadSignature, "the log has signed roots, and the key that signed them is not here"))?;
            return Ok(None);
        };
        match Checkpoint::open_with_breaks(note, key) {
            Ok(opened) => Ok(Some(opened)),
            Err(error) => {
                let said = note.lines().nth(1).unwrap_or_default().chars().take(20).collect::<String>();
                let text = format!("the root that claims to cover {said} commits is not one of this log: {error}");
                findings.add(Finding::of_log(Kind::BadSignature, text))?;
                Ok(None)
            }
        }
    }

    /// One of the log's own.
    fn compare(&mut self, signed: Checkpoint, breaks: Vec<Break>, findings: &mut Findings) -> Result<(), Enough> {
        self.compared += 1;
        self.breaks = breaks;
        let smaller = self.newest.is_some_and(|newest| newest.size > signed.size);
        self.newest = Some(signed);
        if signed.size == self.tree.size() && signed.root == self.tree.root() && !smaller {
            self.agreed = signed.size;
            return Ok(());
        }
        // All that come after the first disagree too.
        if std::mem::replace(&mut self.mismatch, true) {
            return Ok(());
        }
        findings.add(Finding::of_log(Kind::RootMismatch, self.difference(signed, "a root was signed that covers")))
    }

    /// Those that the verifier holds, as far as the tree reaches.
    fn hold_up_to(&mut self, size: u64) {
        while self.held.front().is_some_and(|held| held.checkpoint.size <= size) {
            let Some(held) = self.held.pop_front() else { return };
            self.hold(held);
        }
    }

    fn hold(&mut self, held: Held) {
        let Checkpoint { size, root } = held.checkpoint;
        self.compared += 1;
        if (size, root) == (self.tree.size(), self.tree.root()) {
            self.agreed = self.agreed.max(size);
            return;
        }
        let empty = size == 0 && root == transparency::Hash::empty();
        if empty || std::mem::replace(&mut self.mismatch, true) {
            return;
        }
        let text = self.difference(held.checkpoint, &format!("{} covers", held.whose));
        self.disagree.push((held, text));
    }

    /// What to say of a root that is of a tree which was given up.
    fn before_a_break(&self, held: &Held) -> Option<String> {
        let size = held.checkpoint.size;
        let before = |each: &&Break| each.given_up.size >= size || each.given_up.size == 0;
        let each = self.breaks.iter().rev().find(before)?;
        Some(format!("{} covers {size} commits and is from before the break: {}", held.whose, describe(each)))
    }

    fn difference(&self, other: Checkpoint, what: &str) -> String {
        let (size, agreed) = (other.size, self.agreed);
        if size != self.tree.size() {
            return format!("{what} {size} commits, and the log shows {}: the rest was cut off", self.tree.size());
        }
        format!("{what} {size} commits, and these are others: the first {agreed} agree, entries {} to {size} do not", agreed + 1)
    }
}

/// A break in words.
pub fn describe(each: &Break) -> String {
    let Break { at, given_up, lost } = each;
    let signed = match given_up.size {
        0 => "whatever had been signed until then".to_owned(),
        size => format!("the root of {size} commits that had been signed until then"),
    };
    let lost = match lost {
        Some(0) => "none of them was lost".to_owned(),
        Some(lost) => format!("{lost} of them were lost or had been altered"),
        None => "how many of them were lost could not be told".to_owned(),
    };
    format!("on {at} whoever runs the service gave up {signed}; {lost}")
}

/// The newest root alone, for a source that shows no more.
pub fn only(signed: Option<&Signed>) -> Notes {
    Box::new(signed.map(|signed| signed.note.clone()).into_iter().map(Ok))
}
