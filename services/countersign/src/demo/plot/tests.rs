use super::*;
use crate::demo::{
    anomaly::analyse,
    dataset::{generate, read_csv},
};

fn histogram(customers: &Customers) -> Histogram {
    let report = analyse(customers);
    let column = report.most_flagged().unwrap();
    let numeric = customers.numeric().iter().find(|numeric| numeric.column == column.column).unwrap();
    Histogram::of(column, &numeric.values)
}

#[test]
fn every_number_stands_in_one_bar_and_flagged_ones_apart() {
    let customers = generate(11, 1_000, 0.074);
    let report = analyse(&customers);
    let column = report.most_flagged().unwrap();
    let drawn = histogram(&customers);
    assert_eq!(drawn.below + drawn.above, column.outliers);
    assert_eq!(drawn.bins.iter().sum::<usize>() + column.flagged(), 1_000);
    let (low, high) = column.usual().unwrap();
    assert!(low <= drawn.low && drawn.high <= high);
}

#[test]
fn a_constant_column_is_one_bar() {
    let customers = read_csv("x\n5\n5\n5\n".as_bytes()).unwrap();
    let drawn = histogram(&customers);
    assert_eq!(drawn.bins, [3]);
    assert!(svg(&customers, &analyse(&customers)).contains(">always 5<"));
}

#[test]
fn whole_numbers_fall_evenly_into_bars() {
    let even = |most: u32| {
        let csv: String = (1..=most).map(|x| format!("{x}\n")).collect();
        histogram(&read_csv(format!("x\n{csv}").as_bytes()).unwrap()).bins
    };
    assert_eq!(even(4), [1; 4]);
    assert_eq!(even(26), [1; 26]);
    assert_eq!(even(52), [2; 26]);
    assert_eq!(even(60), [3; 20]);
}

#[test]
fn numbers_with_fractions_fall_into_as_many_bars_as_there_is_room_for() {
    let csv: String = (0..=260).map(|x| format!("{}\n", f64::from(x) / 16.0)).collect();
    let drawn = histogram(&read_csv(format!("x\n{csv}").as_bytes()).unwrap());
    assert_eq!((drawn.bins.len(), drawn.bins[0], drawn.bins[25]), (26, 10, 11), "the highest stands in the last bar");
    assert_eq!((drawn.low, drawn.high), (0.0, 16.25));
}

#[test]
fn the_picture_says_its_figures_to_people_who_cannot_see_it() {
    let customers = generate(11, 1_000, 0.074);
    let drawn = svg(&customers, &analyse(&customers));
    assert!(drawn.contains("<title id=\"t\">74 of 1,000 rows are flagged: 7.4 %, where the limit is 6 %</title>"), "{drawn}");
    assert!(drawn.contains("<desc id=\"d\">monthly_spend: "), "{drawn}");
}

#[test]
fn the_limit_changes_the_colour_of_the_share() {
    let colour = |share: f64| {
        let customers = generate(5, 1_000, share);
        let drawn = svg(&customers, &analyse(&customers));
        let at = drawn.find("font-size=\"32\"").unwrap();
        drawn[at..].split("fill=\"").nth(1).unwrap()[..7].to_owned()
    };
    assert_eq!((colour(0.06), colour(0.061)), ("#2b8a3e".to_owned(), "#d9480f".to_owned()));
}

#[test]
fn the_picture_is_small_and_the_names_in_it_are_only_text() {
    let hostile = "</title><script>alert(1)</script>\" onload=\"x&";
    let quoted = hostile.replace('"', "\"\"");
    let csv = format!("\"{quoted}{}\"\n1\n2\n3\nNA\n", "\u{1f4a5}".repeat(5_000));
    let customers = read_csv(csv.as_bytes()).unwrap();
    let report = analyse(&customers);
    let drawn = svg(&customers, &report);
    assert!(!drawn.contains("<script") && drawn.contains("&lt;/title&gt;&lt;script&gt;"), "{drawn}");
    assert_eq!(drawn.matches("</title>").count(), 1);
    let image = image(&customers, &report);
    assert!(image.starts_with("data:image/svg+xml;base64,") && image.len() <= 20 * 1024, "{}", image.len());
    assert!(super::image(&generate(1, 20_000, 0.5), &analyse(&generate(1, 20_000, 0.5))).len() <= 20 * 1024);
}
