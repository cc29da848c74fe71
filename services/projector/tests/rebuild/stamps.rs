//! The dry run that goes by stamps finds what one that folds every review finds.

use rusqlite::Connection;

use super::*;

/// What was done to a review's row.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    Nothing,
    Missing,
    Behind,
    Different,
    Unstamped,
    Ahead,
}

const ALL: [Wrong; 6] = [Wrong::Nothing, Wrong::Missing, Wrong::Behind, Wrong::Different, Wrong::Unstamped, Wrong::Ahead];

/// A store with a log of its own.
struct Kept {
    store: SqliteStore,
    dir: tempfile::TempDir,
}

impl Kept {
    /// So many reviews of two commits, with their rows.
    async fn new(reviews: usize) -> Kept {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path()).expect("a store");
        let kept = Kept { store, dir };
        for number in 0..reviews {
            for commit in commits(number, vec![requested(number), expired()]) {
                kept.store.append(&commit).await.expect("appended");
            }
        }
        assert_eq!(kept.done(Manner::default(), false).await.missing, reviews as u64);
        kept
    }

    async fn done(&self, manner: Manner, by_stamps: bool) -> Rebuilt {
        let store = Arc::new(self.store.clone());
        let mut rebuild = Rebuild::new(store.clone(), store.clone(), manner, Position::default(), Rebuilt::default());
        if by_stamps {
            rebuild = rebuild.by_stamps(store);
        }
        while rebuild.step().await.expect("a step") {}
        rebuild.finish().await.expect("finished");
        rebuild.found().clone()
    }

    async fn dry(&self, by_stamps: bool) -> Rebuilt {
        self.done(Manner { dry_run: true, keep_going: true, ..Manner::default() }, by_stamps).await
    }

    fn by_hand(&self, file: &str, sql: &str, number: usize) {
        let raw = Connection::open(self.dir.path().join(file)).expect("opened");
        assert_eq!(raw.execute(sql, [&review(number).as_uuid().as_bytes()[..]]).expect("changed"), 1, "{sql}");
    }

    async fn spoil(&self, number: usize, wrong: Wrong) {
        let all = commits(number, vec![requested(number), expired()]);
        let of = |commits: &[StoredCommit]| row(&fold(commits).expect("folds")).expect("a row");
        match wrong {
            Wrong::Nothing => {}
            Wrong::Missing => self.store.remove(review(number)).await.expect("removed"),
            Wrong::Behind => {
                self.store.remove(review(number)).await.expect("removed");
                self.store.put(&[of(&all[..1])]).await.expect("put");
            }
            Wrong::Different => {
                let sql = "UPDATE reviews SET row = CAST(replace(row, 'Number', 'Nimber') AS BLOB) WHERE review = ?1";
                self.by_hand("views.db", sql, number);
            }
            Wrong::Unstamped => self.by_hand("views.db", "UPDATE reviews SET made_of = NULL WHERE review = ?1", number),
            Wrong::Ahead => self.store.put(&[ReviewRow { version: Version(9), ..of(&all) }]).await.expect("put"),
        }
    }
}

fn sorted(found: &Rebuilt) -> Vec<String> {
    let mut sorted: Vec<_> =
        found.differences.iter().map(|one| format!("{} {:?} {:?}", one.review_id, one.kind, one.row)).collect();
    sorted.sort();
    sorted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_dry_runs_find_the_same_whatever_is_wrong() {
    const REVIEWS: usize = 36;
    let kept = Kept::new(REVIEWS).await;
    for round in 0..3usize {
        let wrong: Vec<Wrong> = (0..REVIEWS).map(|number| ALL[(7 * round + 5 * number + number / 6) % ALL.len()]).collect();
        for (number, wrong) in wrong.iter().enumerate() {
            kept.spoil(number, *wrong).await;
        }
        if round % 2 == 1 {
            let other = row(&fold(&commits(0, vec![requested(0)])).expect("folds")).expect("a row");
            let stray = ReviewRow { review_id: review(70 + round % 3), ..other };
            kept.store.put(&[stray]).await.expect("put");
        }
        let (by_stamps, thorough) = (kept.dry(true).await, kept.dry(false).await);
        assert_eq!(sorted(&by_stamps), sorted(&thorough), "round {round}: {wrong:?}");
        assert_eq!(kinds(&by_stamps), kinds(&thorough), "round {round}: {wrong:?}");
        let differ = wrong.iter().filter(|wrong| !matches!(wrong, Wrong::Nothing | Wrong::Unstamped)).count() + round % 2;
        assert_eq!(by_stamps.differing(), differ as u64, "round {round}: {wrong:?}");
        let doubtful = wrong.iter().filter(|wrong| **wrong != Wrong::Nothing).count() + round % 2;
        assert_eq!((by_stamps.folded, thorough.folded), (doubtful as u64, REVIEWS as u64), "round {round}: {wrong:?}");
        assert_eq!((by_stamps.reviews, by_stamps.commits), (thorough.reviews, thorough.commits));
        kept.done(Manner::default(), false).await;
        let exact = kept.dry(true).await;
        assert_eq!((exact.differing(), exact.folded), (0, 0), "put right, and stamped");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doubtful_review_that_cannot_be_read_is_named_and_the_others_are_looked_at() {
    let kept = Kept::new(4).await;
    kept.by_hand("countersign.db", "UPDATE commits SET body = x'7b7d' WHERE stream = ?1 AND version = 2", 1);
    assert_eq!(kept.dry(true).await.unreadable, 0, "its row shows that it was right: whether the log still is, `verify` says");
    assert_eq!(kept.dry(false).await.unreadable, 1);
    kept.spoil(1, Wrong::Unstamped).await;
    kept.spoil(2, Wrong::Missing).await;
    let found = kept.dry(true).await;
    assert_eq!((found.unreadable, kinds(&found)), (1, [1, 0, 0, 0, 0]));
    assert!(found.failed[0].contains(&review(1).to_string()) && found.failed[0].contains("version 2"), "{:?}", found.failed);
    let store = Arc::new(kept.store.clone());
    let dry = Manner { dry_run: true, ..Manner::default() };
    let mut rebuild = Rebuild::new(store.clone(), store.clone(), dry, Position::default(), Rebuilt::default()).by_stamps(store);
    let error = rebuild.step().await.expect_err("it cannot be read");
    assert!(matches!(error, RebuildError::Fold(_)) && error.to_string().contains(&review(1).to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_folds_every_review_whatever_the_stamps_say() {
    let kept = Kept::new(3).await;
    let found = kept.done(Manner::default(), true).await;
    assert_eq!((found.folded, found.stamps), (3, 0));
}
