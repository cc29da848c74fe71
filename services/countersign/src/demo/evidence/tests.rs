use events::request::{DETAIL_MAX, EVIDENCE_MAX, ReviewRequest, SUMMARY_MAX};

use super::*;
use crate::demo::{
    anomaly::analyse,
    dataset::{generate, read_csv},
};

/// What the request parser makes of the evidence and the summary: it refuses what is above a limit.
fn accepted(customers: &Customers) -> Vec<Evidence> {
    let report = analyse(customers);
    let detail = serde_json::json!({
        "title": "t",
        "reviewers": [{"email": "reviewer@example.com"}],
        "summary": summary(customers, &report),
        "evidence": evidence(customers, &report),
    });
    assert!(detail.to_string().len() < DETAIL_MAX / 2, "{} bytes", detail.to_string().len());
    ReviewRequest::parse(&detail).expect("a valid request").evidence
}

fn value<'a>(evidence: &'a [Evidence], label: &str) -> &'a str {
    evidence.iter().find(|piece| piece.label == label).and_then(|piece| piece.value.as_deref()).expect(label)
}

#[test]
fn a_reviewer_sees_figures_rule_picture_and_samples() {
    let evidence = accepted(&generate(11, 1_000, 0.074));
    assert_eq!(value(&evidence, "Rows"), "1,000");
    assert_eq!(value(&evidence, "Flagged rows"), "74");
    assert_eq!(value(&evidence, "Share of flagged rows"), "7.4 %");
    assert_eq!(value(&evidence, "Limit"), "6 %");
    assert_eq!(evidence.iter().filter(|piece| piece.image.is_some()).count(), 1);
    let sample = evidence.last().unwrap();
    assert_eq!(sample.label, "Sample: 10 of 74 flagged rows");
    let table = sample.table.as_ref().unwrap();
    assert_eq!(table.len(), 11);
    assert_eq!(table[0][..3], ["Row", "Reason", "customer_id"]);
    assert!(table.iter().all(|row| row.len() == table[0].len()));
}

#[test]
fn the_rule_in_words_names_the_figures_of_the_rule() {
    assert!(RULE.contains(&format!("above {CUTOFF} ")) && RULE.contains(&format!("More than {} ", limit())));
}

#[test]
fn a_sample_row_says_why_it_is_flagged() {
    let csv = "id,spend\na,10\nb,11\nc,12\nd,13\ne,900\nf,\ng,11\nh,12\ni,13\nj,10\nk,11\nl,x\n";
    let customers = read_csv(csv.as_bytes()).unwrap();
    let table = evidence(&customers, &analyse(&customers)).pop().unwrap().table.unwrap();
    let expected = [
        ["Row", "Reason", "id", "spend"],
        ["5", "spend 900: score 599.3 > 3.5", "e", "900"],
        ["6", "spend is missing", "f", ""],
        ["12", "spend is not a number", "l", "x"],
    ];
    assert_eq!(table, expected);
}

#[test]
fn the_summary_names_the_share_and_the_worst_columns() {
    let customers = generate(11, 1_000, 0.074);
    let text = summary(&customers, &analyse(&customers));
    assert!(text.starts_with("**74 of 1,000 rows look anomalous: 7.4 %**, more than the limit of 6 %.\n"), "{text}");
    assert!(text.contains("\n- `monthly_spend`: "), "{text}");
    let clean = generate(11, 1_000, 0.0);
    let text = summary(&clean, &analyse(&clean));
    assert!(text.contains("not more than the limit") && !text.contains("Most flagged"), "{text}");
}

#[test]
fn a_clean_data_set_has_evidence_without_samples() {
    let evidence = accepted(&generate(1, 500, 0.0));
    assert_eq!(value(&evidence, "Flagged rows"), "0");
    assert!(evidence.iter().all(|piece| !piece.label.starts_with("Sample")));
}

#[test]
fn hostile_data_stays_text_and_within_every_limit() {
    let wide = 300;
    let name = "`]</code><img src=x onerror=alert(1)>\u{202e}\0".to_owned() + &"\u{1}".repeat(500);
    let header: Vec<String> = (0..wide).map(|column| format!("{column}{name}")).collect();
    let bad: Vec<String> = (0..wide).map(|_| "\u{1f4a5}\u{7}".repeat(3_000)).collect();
    let good: Vec<String> = (0..wide).map(|column| format!("1{column}")).collect();
    let mut csv = header.join(",") + "\n";
    csv += &(bad.join(",") + "\n");
    csv += &(good.join(",") + "\n").repeat(10);
    csv += &"NA,".repeat(wide - 1);
    csv += "NA\n";
    let customers = read_csv(csv.as_bytes()).unwrap();
    let evidence = accepted(&customers);
    assert!(evidence.len() <= EVIDENCE_MAX);
    let table = evidence.last().unwrap().table.as_ref().unwrap();
    let cells = || table.iter().flatten();
    assert!(cells().all(|cell| cell.chars().count() <= REASON_MAX && !cell.chars().any(char::is_control)));
    assert!(cells().any(|cell| cell.ends_with('…')));
    let text = summary(&customers, &analyse(&customers));
    assert!(text.len() < SUMMARY_MAX);
    // Each list item is one code span: two backticks, and nothing of the name can close it.
    assert!(text.lines().filter(|line| line.starts_with("- ")).all(|line| line.matches('`').count() == 2), "{text}");
}
