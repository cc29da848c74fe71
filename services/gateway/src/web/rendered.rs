//! What Markdown became, kept by the digest of the text: everybody who opens a page, and the script that asks for it
//! every few seconds, is shown what was made once.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError},
};

use sha2::{Digest as _, Sha256};

/// The most bytes that are kept, of all texts together.
const KEPT_MAX: usize = 16 * 1024 * 1024;
/// What one entry costs beside its text.
const ENTRY: usize = 200;

type Key = [u8; 32];
/// Filled by whoever comes first; who comes meanwhile waits for that.
type Slot = Arc<OnceLock<Arc<str>>>;

/// A bounded number of bytes of what was made; the oldest goes first.
pub(super) struct Rendered {
    max: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    slots: HashMap<Key, Slot>,
    /// Which were made, oldest first, with their bytes.
    order: VecDeque<(Key, usize)>,
    bytes: usize,
}

/// Of this process. What is kept follows from its key alone, so there is nothing to configure or to reset.
pub(super) static RENDERED: LazyLock<Rendered> = LazyLock::new(|| Rendered::new(KEPT_MAX));

impl Rendered {
    fn new(max: usize) -> Rendered {
        Rendered { max, kept: Mutex::default() }
    }

    /// What `make` makes of this text, now or before.
    pub(super) fn of(&self, text: &str, make: impl FnOnce(&str) -> String) -> Arc<str> {
        let key: Key = Sha256::digest(text.as_bytes()).into();
        let slot = Arc::clone(self.lock().slots.entry(key).or_default());
        let mut made = false;
        let html = Arc::clone(slot.get_or_init(|| {
            made = true;
            make(text).into()
        }));
        if made {
            self.lock().keep(key, html.len() + ENTRY, self.max);
        }
        html
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn keep(&mut self, key: Key, bytes: usize, max: usize) {
        self.order.push_back((key, bytes));
        self.bytes += bytes;
        while self.bytes > max
            && let Some((oldest, bytes)) = self.order.pop_front()
        {
            self.slots.remove(&oldest);
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_text_is_made_once_however_many_ask_for_it_at_a_time() {
        let (kept, count) = (Rendered::new(1_000_000), AtomicUsize::new(0));
        let make = |text: &str| {
            count.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(20));
            text.to_uppercase()
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(&*kept.of("text", make), "TEXT"));
            }
        });
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn no_more_is_kept_than_so_many_bytes_and_the_oldest_goes_first() {
        let (kept, count) = (Rendered::new(10 * (100 + ENTRY)), AtomicUsize::new(0));
        let ask = |number: usize| {
            kept.of(&number.to_string(), |_| {
                count.fetch_add(1, Ordering::SeqCst);
                "x".repeat(100)
            });
            count.load(Ordering::SeqCst)
        };
        (0..100).for_each(|number| assert_eq!(ask(number), number + 1));
        let lock = kept.lock();
        assert_eq!((lock.slots.len(), lock.order.len(), lock.bytes), (10, 10, 10 * (100 + ENTRY)));
        drop(lock);
        assert_eq!((ask(99), ask(90), ask(0)), (100, 100, 101));
        // One that is larger than all that may be kept is shown and not kept.
        assert_eq!(kept.of("huge", |_| "y".repeat(10_000)).len(), 10_000);
        assert!(kept.lock().slots.is_empty());
    }
}
