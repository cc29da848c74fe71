use proptest::prelude::*;

use super::*;
use crate::demo::dataset::read_csv;

/// A data set of one column `x`, beside a name for each row.
fn column<T: std::fmt::Display>(values: &[T]) -> Customers {
    let rows: String = values.iter().enumerate().map(|(row, value)| format!("c{row},{value}\n")).collect();
    read_csv(format!("id,x\n{rows}").as_bytes()).expect("a valid column")
}

fn outliers(report: &Report) -> Vec<(usize, f64, f64)> {
    let reasons = report.flagged.iter().flat_map(|row| row.reasons.iter().map(|reason| (row.row, reason.why)));
    reasons
        .filter_map(|(row, why)| if let Why::Outlier { value, score } = why { Some((row, value, score)) } else { None })
        .collect()
}

// The expected figures below were computed apart from this code, with Python's `statistics.median` and `mean`.
#[test]
fn scores_are_those_of_the_published_formula() {
    let report = analyse(&column(&[2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3]));
    let x = &report.columns[0];
    assert_eq!(x.median, 2.45);
    assert!(matches!(x.spread, Spread::Mad(mad) if (mad - 0.15).abs() < 1e-12), "{:?}", x.spread);
    let found = outliers(&report);
    assert_eq!(found.iter().map(|(row, value, _)| (*row, *value)).collect::<Vec<_>>(), [(8, 8.2), (9, 8.3)]);
    assert!((found[0].2 - 25.855_833_333).abs() < 1e-8 && (found[1].2 - 26.305_5).abs() < 1e-8, "{found:?}");

    let odd = analyse(&column(&[12, 15, 11, 13, 14, 90, 12]));
    assert_eq!(odd.columns[0].median, 13.0);
    assert_eq!(outliers(&odd), [(5, 90.0, 51.9365)]);
}

#[test]
fn where_more_than_half_are_equal_the_mean_deviation_measures() {
    let report = analyse(&column(&[5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 4, 9]));
    assert_eq!(report.columns[0].spread, Spread::MeanAd(0.25));
    let found = outliers(&report);
    assert_eq!(found.len(), 1, "4 scores 3.19 and stays: {found:?}");
    assert!((found[0].2 - 12.766_154_371_5).abs() < 1e-9, "{found:?}");
    // Values that differ but are no rarity are a second habit of the column, not outliers.
    assert_eq!(outliers(&analyse(&column(&[3, 3, 3, 3, 8, 8, 9]))), []);
}

#[test]
fn a_constant_column_flags_nothing_and_its_one_exception_is_flagged() {
    let constant = analyse(&column(&[5; 10]));
    assert_eq!((constant.columns[0].spread, constant.flagged.len()), (Spread::Unmeasured, 0));
    let mut values = [5; 10];
    values[3] = 7;
    let found = outliers(&analyse(&column(&values)));
    assert_eq!(found.iter().map(|(row, ..)| *row).collect::<Vec<_>>(), [3]);
    assert!((found[0].2 - 7.978_846_482_2).abs() < 1e-9);
}

#[test]
fn a_rare_yes_is_no_outlier() {
    let mut answers = vec!["0"; 100];
    answers[7] = "1";
    answers[9] = "";
    let report = analyse(&column(&answers));
    assert_eq!(report.flagged, [FlaggedRow { row: 9, reasons: vec![Reason { column: 1, why: Why::Missing }] }]);
}

#[test]
fn missing_values_and_words_among_numbers_are_flagged_with_their_reason() {
    let mut values = vec!["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];
    values[2] = "NA";
    values[5] = "six";
    let report = analyse(&column(&values));
    let found: Vec<(usize, Why)> = report.flagged.iter().map(|row| (row.row, row.reasons[0].why)).collect();
    assert_eq!(found, [(2, Why::Missing), (5, Why::NotANumber)]);
    let x = &report.columns[0];
    assert_eq!((x.outliers, x.missing, x.not_numbers, x.flagged()), (0, 1, 1, 2));
}

#[test]
fn a_row_is_counted_once_and_keeps_every_reason() {
    let csv = "x,y\n1,10\n2,20\n3,30\n4,40\n900,\n";
    let report = analyse(&read_csv(csv.as_bytes()).unwrap());
    assert_eq!(report.flagged.len(), 1);
    let columns: Vec<usize> = report.flagged[0].reasons.iter().map(|reason| reason.column).collect();
    assert_eq!((report.flagged[0].row, columns), (4, vec![0, 1]));
}

#[test]
fn exactly_six_percent_passes_and_one_row_more_does_not() {
    for (rows, limit) in [(50, 3), (100, 6), (1_000, 60), (1_050, 63), (999_950, 59_997)] {
        let report = |flagged: usize| Report {
            rows,
            flagged: (0..flagged).map(|row| FlaggedRow { row, reasons: vec![] }).collect(),
            columns: vec![],
        };
        assert!(!report(limit).needs_review(), "{limit} of {rows}");
        assert!(report(limit + 1).needs_review(), "{} of {rows}", limit + 1);
    }
    assert!(!Report { rows: 0, flagged: vec![], columns: vec![] }.needs_review());
}

#[test]
fn numbers_as_large_as_are_read_still_score() {
    let report = analyse(&column(&["1", "2", "3", "4", "5", "1e150", "-1e150"]));
    let found = outliers(&report);
    assert_eq!(found.iter().map(|(row, ..)| *row).collect::<Vec<_>>(), [5, 6]);
    assert!(found.iter().all(|(.., score)| score.is_finite()));
}

proptest! {
    // Whole numbers and powers of two keep the arithmetic exact, so that equal means equal.
    #[test]
    fn shift_scale_and_sign_change_no_score(values in prop::collection::vec(-1000i32..1000, 1..60), shift in -5000i32..5000, power in 0u32..8, negate: bool) {
        prop_assume!(values.iter().any(|x| *x != 0 && *x != 1));
        let factor = f64::from(1u32 << power) * if negate { -1.0 } else { 1.0 };
        let moved: Vec<f64> = values.iter().map(|x| f64::from(x + shift) * factor).collect();
        prop_assume!(moved.iter().any(|x| *x != 0.0 && *x != 1.0));
        let score = |report: &Report| outliers(report).into_iter().map(|(row, _, score)| (row, score)).collect::<Vec<_>>();
        prop_assert_eq!(score(&analyse(&column(&values))), score(&analyse(&column(&moved))));
    }

    #[test]
    fn the_order_of_rows_changes_nothing(
        (values, order) in prop::collection::vec(prop_oneof![9 => (-20i32..20).prop_map(|x| x.to_string()), 1 => Just(String::new())], 2..60)
            .prop_flat_map(|values| { let order: Vec<usize> = (0..values.len()).collect(); (Just(values), Just(order).prop_shuffle()) })
    ) {
        prop_assume!(values.iter().any(|value| !value.is_empty()));
        let shuffled: Vec<&String> = order.iter().map(|row| &values[*row]).collect();
        let (before, after) = (analyse(&column(&values)), analyse(&column(&shuffled)));
        let mut back: Vec<FlaggedRow> = after.flagged.into_iter().map(|row| FlaggedRow { row: order[row.row], ..row }).collect();
        back.sort_by_key(|row| row.row);
        prop_assert_eq!(before.flagged, back);
        prop_assert_eq!(before.columns, after.columns);
    }

    // Half of all values lie within the MAD; and by Markov no more than 1 in 4.38 lies 4.38 mean deviations out.
    #[test]
    fn outliers_are_a_minority_and_every_value_in_the_usual_range_passes(values in prop::collection::vec(-30i32..30, 1..80)) {
        let report = analyse(&column(&values));
        let x = &report.columns[0];
        prop_assert!(x.outliers * 2 <= values.len());
        let flagged: Vec<usize> = report.flagged.iter().map(|row| row.row).collect();
        for (row, value) in values.iter().map(|x| f64::from(*x)).enumerate() {
            let outside = x.usual().is_some_and(|(low, high)| value < low - 1e-9 || value > high + 1e-9);
            prop_assert_eq!(outside, flagged.contains(&row), "{} in {:?}", value, x.usual());
        }
    }
}
