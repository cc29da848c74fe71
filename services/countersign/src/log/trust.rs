//! Whether somebody vouches for what is imported: the signed root that came with it, and the key that signed that.

use std::path::Path;

use transparency::PublicKey;

use super::{
    format::{End, SignedRoot},
    import::ImportError,
    progress::Progress,
};
use crate::verify::{
    audit::{Audit, Stop},
    report::{Key, KeyFrom, Report, Verdict},
    roots::{Roots, only},
    sources::{self, SourceError},
};

/// What is asked of an export before it is brought in.
#[derive(Debug, Default)]
pub struct Trust {
    /// The key of the log that was exported, from elsewhere.
    pub key: Option<PublicKey>,
    /// Whether commits are taken that nobody vouches for.
    pub allow_uncovered: bool,
}

/// What came of it.
pub struct Vouched {
    /// Commits that nobody vouches for.
    pub uncovered: u64,
    /// Where the key came from; absent when there is no root.
    pub key_from: Option<KeyFrom>,
}

impl Trust {
    /// Checks an export that is whole in itself.
    ///
    /// # Errors
    /// [`ImportError::Tampered`] when it is not what was signed, and [`ImportError::Uncovered`] when no root covers some
    /// of it, unless that is allowed.
    pub fn ask(
        &self,
        file: &Path,
        end: &End,
        signed: Option<SignedRoot>,
        progress: &mut Progress,
    ) -> Result<Vouched, ImportError> {
        let Some(signed) = signed else {
            let what = match end.selected {
                Some(_) => "the export says that it is a part of a log, and no signed root covers any of it".to_owned(),
                None => "no signed root is in the export, so that nobody vouches for any of it".to_owned(),
            };
            return self.uncovered(end.commits, what, None);
        };
        let key = match (&self.key, signed.public_key.map(|text| text.parse::<PublicKey>())) {
            (Some(key), _) => Key { key: key.clone(), from: KeyFrom::Given },
            (None, Some(Ok(key))) => Key { key, from: KeyFrom::Log },
            (None, Some(Err(_))) => return Err(ImportError::Tampered("the public key in the export is none".to_owned())),
            (None, None) => {
                let what = "the export has a signed root and not the key that verifies it: give --public-key FILE".to_owned();
                return self.uncovered(end.commits, what, None);
            }
        };
        let from = key.from;
        let mut audit = Audit::new(Roots::new(Some(key.key.clone()), Vec::new(), only(None)), false);
        match sources::export(&mut audit, file, progress) {
            Ok(()) | Err(SourceError::Stop(Stop::Found)) => {}
            Err(SourceError::Stop(Stop::Io(error))) => return Err(error.into()),
            Err(SourceError::Ledger(error)) => return Err(error.into()),
            Err(SourceError::Files(error)) => return Err(ImportError::Tampered(error.to_string())),
        }
        let report = Report::of(audit, Some(key), None);
        match report.verdict {
            Verdict::Tampered => {
                let texts: Vec<&str> = report.findings.iter().map(|finding| finding.text.as_str()).collect();
                Err(ImportError::Tampered(texts.join("\n")))
            }
            Verdict::Whole => Ok(Vouched { uncovered: 0, key_from: Some(from) }),
            Verdict::Uncovered | Verdict::Part | Verdict::Unsigned => {
                let (uncovered, commits) = (report.checked.uncovered, report.checked.commits);
                let such_as = report.not_covered.join(", ");
                let what = format!("{uncovered} of {commits} commits are covered by no signed root, such as {such_as}");
                self.uncovered(uncovered, what, Some(from))
            }
        }
    }

    fn uncovered(&self, uncovered: u64, what: String, key_from: Option<KeyFrom>) -> Result<Vouched, ImportError> {
        match self.allow_uncovered {
            true => Ok(Vouched { uncovered, key_from }),
            false => Err(ImportError::Uncovered(what)),
        }
    }
}
