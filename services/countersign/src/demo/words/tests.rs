use super::*;

#[test]
fn counts_are_grouped_by_thousands() {
    let shown: Vec<String> = [0, 999, 1_000, 26_043, 1_000_000].into_iter().map(count).collect();
    assert_eq!(shown, ["0", "999", "1,000", "26,043", "1,000,000"]);
}

#[test]
fn numbers_keep_four_significant_digits_at_any_size() {
    let shown: Vec<String> =
        [0.0, 61.9034, -3.5, 1979.0, 10_370.4, 0.012_345, -250_000.0, 1.2e150, 1e-9].into_iter().map(number).collect();
    assert_eq!(shown, ["0", "61.9", "−3.5", "1979", "10,370", "0.01235", "−250,000", "1.20e150", "1.00e-9"]);
}

#[test]
fn a_share_just_beside_the_limit_does_not_read_as_the_limit() {
    assert_eq!(percent(0.074), "7.4 %");
    assert_eq!(percent(0.06), "6.0 %");
    assert_eq!(percent(0.0604), "6.04 %");
    assert_eq!(percent(60_001.0 / 1_000_000.0), "6.0001 %");
    assert_eq!(percent(0.0), "0.0 %");
    assert_eq!(percent(1.0), "100.0 %");
}

#[test]
fn foreign_text_becomes_one_short_visible_line() {
    assert_eq!(plain("  Zoë\tMüller\n", 20), "Zoë Müller");
    assert_eq!(plain("a\u{202e}b\0c\u{ffff}d\u{200b}", 20), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}");
    assert_eq!(plain("abcdef", 6), "abcdef");
    assert_eq!(plain("abcdefg", 6), "abcde…");
    assert_eq!(plain(&"é".repeat(1_000_000), 3), "éé…");
}
