//! The entries against the signed roots.

use std::{collections::VecDeque, io};

use transparency::{Checkpoint, Entry, Frontier, PublicKey};

use super::finding::{Enough, Finding, Findings, Kind};
use crate::checkpoints::files::Signed;

/// Gives the log's own roots one after the other, the oldest first.
pub type Notes = Box<dyn Iterator<Item = io::Result<String>> + Send>;

/// The tree as it grows, and the roots that it is compared with as it passes their size.
pub struct Roots {
    key: Option<PublicKey>,
    tree: Frontier,
    /// Those that the verifier holds, the smallest first.
    held: VecDeque<Checkpoint>,
    own: Notes,
    next: Option<Checkpoint>,
    newest: Option<Checkpoint>,
    agreed: u64,
    compared: u64,
    mismatch: bool,
}

impl Roots {
    /// `held` are roots that the verifier brought; `own` those that the log shows.
    pub fn new(key: Option<PublicKey>, mut held: Vec<Checkpoint>, own: Notes) -> Roots {
        held.sort_by_key(|checkpoint| checkpoint.size);
        let (tree, held) = (Frontier::default(), held.into());
        Roots { key, tree, held, own, next: None, newest: None, agreed: 0, compared: 0, mismatch: false }
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
        if let Some(checkpoint) = self.open(note, findings)? {
            self.compare(checkpoint, findings)?;
        }
        Ok(())
    }

    /// The next entry.
    ///
    /// # Errors
    /// When the first finding is enough.
    pub fn entry(&mut self, entry: &Entry, findings: &mut Findings) -> Result<(), Enough> {
        self.tree.push(entry.leaf());
        while self.held.front().is_some_and(|held| held.size <= self.tree.size()) {
            let Some(held) = self.held.pop_front() else { break };
            self.hold(held, findings)?;
        }
        self.own_up_to(self.tree.size(), findings)
    }

    /// No more entries follow.
    ///
    /// # Errors
    /// When the first finding is enough.
    pub fn finish(&mut self, findings: &mut Findings) -> Result<(), Enough> {
        while let Some(held) = self.held.pop_front() {
            self.hold(held, findings)?;
        }
        self.own_up_to(u64::MAX, findings)?;
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
            match self.next.filter(|next| next.size <= size) {
                None => return Ok(()),
                Some(next) => {
                    self.next = None;
                    self.compare(next, findings)?;
                }
            }
        }
    }

    fn read(&mut self, findings: &mut Findings) -> Result<Option<Checkpoint>, Enough> {
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
            if let Some(checkpoint) = self.open(&note, findings)? {
                return Ok(Some(checkpoint));
            }
        }
    }

    fn open(&self, note: &str, findings: &mut Findings) -> Result<Option<Checkpoint>, Enough> {
        let Some(key) = &self.key else {
            findings
                .add(Finding::of_log(Kind::BadSignature, "the log has signed roots, and the key that signed them is not here"))?;
            return Ok(None);
        };
        match Checkpoint::open(note, key) {
            Ok(checkpoint) => Ok(Some(checkpoint)),
            Err(error) => {
                let said = note.lines().nth(1).unwrap_or_default().chars().take(20).collect::<String>();
                let text = format!("the root that claims to cover {said} commits is not one of this log: {error}");
                findings.add(Finding::of_log(Kind::BadSignature, text))?;
                Ok(None)
            }
        }
    }

    /// One of the log's own.
    fn compare(&mut self, signed: Checkpoint, findings: &mut Findings) -> Result<(), Enough> {
        self.compared += 1;
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

    /// One that the verifier holds.
    fn hold(&mut self, held: Checkpoint, findings: &mut Findings) -> Result<(), Enough> {
        self.compared += 1;
        if held.size == self.tree.size() && held.root == self.tree.root() {
            self.agreed = held.size;
            return Ok(());
        }
        let empty = held.size == 0 && held.root == transparency::Hash::empty();
        if empty || std::mem::replace(&mut self.mismatch, true) {
            return Ok(());
        }
        findings.add(Finding::of_log(Kind::Inconsistent, self.difference(held, "the root that you hold covers")))
    }

    fn difference(&self, other: Checkpoint, what: &str) -> String {
        let (size, agreed) = (other.size, self.agreed);
        if size != self.tree.size() {
            return format!("{what} {size} commits, and the log shows {}: the rest was cut off", self.tree.size());
        }
        format!("{what} {size} commits, and these are others: the first {agreed} agree, entries {} to {size} do not", agreed + 1)
    }
}

/// The newest root alone, for a source that shows no more.
pub fn only(signed: Option<&Signed>) -> Notes {
    Box::new(signed.map(|signed| signed.note.clone()).into_iter().map(Ok))
}
