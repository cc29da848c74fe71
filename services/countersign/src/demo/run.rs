//! One run of the pipeline, and where runs are kept: a file each, so that a run that waits for
//! people goes on after a restart.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use events::{ReviewId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "name")]
pub enum Stage {
    /// The data set is made or read, and checked.
    Checking,
    /// Too much of it is anomalous: people are asked.
    Waiting {
        /// The review.
        review_id: ReviewId,
    },
    /// The data set is in use.
    Promoted {
        /// Why.
        why: String,
    },
    /// The data set was thrown away.
    Discarded {
        /// Why.
        why: String,
    },
    /// The run broke off.
    Failed {
        /// Why.
        why: String,
    },
}

/// Where the customers come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Made; the same seed makes the same.
    Seeded {
        /// The seed.
        seed: u64,
        /// How many.
        rows: usize,
        /// Which share to spoil.
        share: f64,
    },
    /// Read.
    Csv(PathBuf),
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Which; also the key of its request.
    pub id: Uuid,
    /// When it was started.
    pub started_at: Timestamp,
    /// Where its customers come from.
    pub input: Input,
    /// How many customers the data set has; 0 until it was checked.
    pub rows: usize,
    /// How many of them were flagged.
    pub flagged: usize,
    /// The review, once there is one.
    pub review_id: Option<ReviewId>,
    /// How far it has come.
    pub stage: Stage,
}

impl Run {
    /// The share of rows that were flagged, 0 to 1.
    pub fn share(&self) -> f64 {
        if self.rows == 0 { 0.0 } else { self.flagged as f64 / self.rows as f64 }
    }

    /// Whether nothing more will happen.
    pub fn is_over(&self) -> bool {
        !matches!(self.stage, Stage::Checking | Stage::Waiting { .. })
    }
}

/// The runs of a data directory and their data sets.
#[derive(Debug, Clone)]
pub struct Runs(PathBuf);

impl Runs {
    /// In this directory; made when missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(dir: &Path) -> io::Result<Runs> {
        for part in ["runs", "staged", "promoted", "discarded"] {
            fs::create_dir_all(dir.join(part))?;
        }
        Ok(Runs(dir.to_owned()))
    }

    /// Writes a run: whole or not at all.
    ///
    /// # Errors
    /// When the disk does not let us.
    pub fn save(&self, run: &Run) -> io::Result<()> {
        let path = self.0.join("runs").join(format!("{}.json", run.id));
        let whole = path.with_extension("tmp");
        fs::write(&whole, serde_json::to_vec_pretty(run)?)?;
        fs::rename(whole, path)
    }

    /// Every run, newest first; a file that is none is passed over.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn all(&self) -> io::Result<Vec<Run>> {
        let mut runs = Vec::new();
        for entry in fs::read_dir(self.0.join("runs"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                match fs::read(&path).map(|bytes| serde_json::from_slice(&bytes)) {
                    Ok(Ok(run)) => runs.push(run),
                    other => tracing::warn!(path = %path.display(), ?other, "not a run"),
                }
            }
        }
        runs.sort_by_key(|run: &Run| std::cmp::Reverse((run.started_at, run.id)));
        Ok(runs)
    }

    /// Where the data set of a run lies while it is not decided.
    pub fn staged(&self, run: &Run) -> PathBuf {
        self.0.join("staged").join(format!("{}.csv", run.id))
    }

    /// Puts the data set into use; doing it twice does nothing more. Where it lies now.
    ///
    /// # Errors
    /// When the file cannot be moved.
    pub fn promote(&self, run: &Run) -> io::Result<PathBuf> {
        self.put_away(run, "promoted")
    }

    /// Throws the data set away (into `discarded`, so that somebody can look); doing it twice does
    /// nothing more. Where it lies now.
    ///
    /// # Errors
    /// When the file cannot be moved.
    pub fn discard(&self, run: &Run) -> io::Result<PathBuf> {
        self.put_away(run, "discarded")
    }

    fn put_away(&self, run: &Run, to: &str) -> io::Result<PathBuf> {
        let target = self.0.join(to).join(format!("{}.csv", run.id));
        match fs::rename(self.staged(run), &target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && target.exists() => Ok(target),
            other => other.map(|()| target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_read_back_as_it_was_written_at_every_stage() {
        let dir = tempfile::tempdir().expect("a directory");
        let runs = Runs::open(dir.path()).expect("opened");
        let review_id = ReviewId::for_refusal("local", "demo", "1");
        let why = "nobody decided in time".to_owned();
        let stages = [
            Stage::Checking,
            Stage::Waiting { review_id },
            Stage::Promoted { why: why.clone() },
            Stage::Discarded { why: why.clone() },
            Stage::Failed { why },
        ];
        for stage in stages {
            let id = Uuid::now_v7();
            let started_at = "2026-11-23T04:11:21Z".parse().expect("a time");
            let input = Input::Seeded { seed: u64::MAX, rows: 2_000, share: 0.074 };
            let run = Run { id, started_at, input, rows: 2_000, flagged: 148, review_id: Some(review_id), stage };
            runs.save(&run).expect("saved");
            assert_eq!(runs.all().expect("read").into_iter().find(|run| run.id == id), Some(run));
        }
    }
}
