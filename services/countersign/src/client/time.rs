//! Times as people read them: how far away, and exactly.

use events::Timestamp;

/// `in 3 h`, `5 min ago`, `just now`: to the nearest whole unit.
pub fn relative(time: Timestamp, now: Timestamp) -> String {
    let seconds = time.since(now).num_milliseconds();
    match (amount(seconds.unsigned_abs()), seconds) {
        (None, 1..) => "now".to_owned(),
        (None, _) => "just now".to_owned(),
        (Some(amount), 0..) => format!("in {amount}"),
        (Some(amount), _) => format!("{amount} ago"),
    }
}

fn amount(millis: u64) -> Option<String> {
    let seconds = (millis + 500) / 1_000;
    let round = |unit: u64| (seconds + unit / 2) / unit;
    Some(match seconds {
        0 => return None,
        1..=89 => format!("{seconds} s"),
        90..=5_399 => format!("{} min", round(60)),
        5_400..=172_799 => format!("{} h", round(3_600)),
        _ => format!("{} days", round(86_400)),
    })
}

/// `2026-11-24 04:11:21 UTC`.
pub fn exact(time: Timestamp) -> String {
    time.as_datetime().format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `in 3 h (2026-11-24 04:11:21 UTC)`.
pub fn both(time: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", relative(time, now), exact(time))
}

/// The time now.
pub fn now() -> Timestamp {
    chrono::Utc::now().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_to_the_nearest_unit_and_exactly() {
        let now: Timestamp = "2026-11-23T04:11:21Z".parse().expect("a time");
        let at = |seconds: i64| Timestamp::from_millis(now.millis() + seconds * 1_000).expect("a time");
        for (seconds, told) in [
            (0, "just now"),
            (1, "in 1 s"),
            (89, "in 89 s"),
            (90, "in 2 min"),
            (3_600, "in 60 min"),
            (5_400, "in 2 h"),
            (86_399, "in 24 h"),
            (172_800, "in 2 days"),
            (-45, "45 s ago"),
            (-7_200, "2 h ago"),
        ] {
            assert_eq!(relative(at(seconds), now), told, "{seconds}");
        }
        assert_eq!(both(at(86_400), now), "in 24 h (2026-11-24 04:11:21 UTC)");
    }
}
