//! Medians and percentiles.

use std::time::Duration;

/// Latencies in milliseconds.
#[derive(Clone, Copy)]
pub struct Latencies {
    pub p50: f64,
    pub p95: f64,
}

impl Latencies {
    pub fn of(mut all: Vec<Duration>) -> Latencies {
        all.sort_unstable();
        // Nearest rank: the smallest that at least that share does not exceed.
        let at = |percent: usize| {
            let rank = (all.len() * percent).div_ceil(100).max(1);
            all.get(rank - 1).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1_000.0)
        };
        Latencies { p50: at(50), p95: at(95) }
    }
}

/// The middle one; of an even number, the upper of the two.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
