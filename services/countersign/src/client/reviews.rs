//! `reviews`: the list.

use events::{Timestamp, request::Reviewer};
use ledger::{ReviewRow, Status};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    failure::Failure,
    http::{Call, Service},
    print::{Out, clean, table},
    time,
};
use crate::cli::ReviewsArgs;

/// The most rows that one call answers.
const PAGE: u32 = 200;

#[derive(Deserialize)]
struct Page {
    reviews: Vec<Box<RawValue>>,
    next: Option<String>,
}

/// Lists what matches, page by page.
pub fn run(service: &Service, args: &ReviewsArgs, out: &mut Out) -> Result<(), Failure> {
    let mut left = args.limit;
    let mut next: Option<String> = None;
    let mut rows: Vec<ReviewRow> = Vec::new();
    let more = loop {
        let page: Page = service
            .done("the search", "GET", "/api/v1/reviews", &Call { query: &query(args, left.min(PAGE), next), ..Call::default() })?
            .read(service)?;
        left = left.saturating_sub(u32::try_from(page.reviews.len()).unwrap_or(u32::MAX));
        for row in page.reviews {
            if out.json {
                out.raw_json(row.get())?;
            } else {
                rows.push(serde_json::from_str(row.get()).map_err(|error| service.unexpected(error.to_string()))?);
            }
        }
        next = page.next;
        if left == 0 || next.is_none() || out.is_closed() {
            break next.is_some();
        }
    };
    if out.json { Ok(()) } else { out.text(&render(&rows, more, time::now(), out)) }
}

fn query(args: &ReviewsArgs, limit: u32, next: Option<String>) -> Vec<(&'static str, String)> {
    let reviewer = args.reviewer.as_ref().map(|reviewer| match reviewer {
        Reviewer::Person(person) => person.to_string(),
        Reviewer::Group(group) => format!("group:{group}"),
        Reviewer::Newer(json) => json.clone(),
    });
    let pairs = [
        ("status", args.status.map(|status| Status::from(status).as_str().to_owned())),
        ("reviewer", reviewer),
        ("requester", args.requester.as_ref().map(ToString::to_string)),
        ("limit", Some(limit.to_string())),
        ("cursor", next),
    ];
    pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

pub(super) fn render(rows: &[ReviewRow], more: bool, now: Timestamp, out: &Out) -> String {
    if rows.is_empty() {
        return "No reviews match.\n".to_owned();
    }
    let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(row, now)).collect();
    let paint = out.paint;
    let mut text = table(&["STATUS", "REVIEW", "VOTES", "WHEN", "EXACTLY (UTC)", "TITLE"], &cells, |column, cell| match column {
        0 => paint.status(cell),
        4 => paint.dim(cell),
        _ => cell.to_owned(),
    });
    if more {
        text.push_str(&paint.dim("More match; see them with a larger --limit.\n"));
    }
    text
}

fn cells(row: &ReviewRow, now: Timestamp) -> Vec<String> {
    let (what, at) = match (row.ended_at, row.expires_at) {
        (Some(ended), _) => ("", ended),
        (None, Some(expires)) if row.status == Status::Open => ("expires ", expires),
        _ => ("", row.requested_at),
    };
    vec![
        row.status.as_str().to_owned(),
        row.review_id.to_string(),
        if row.status == Status::Refused { "-".to_owned() } else { format!("{}/{}", row.approvals, row.quorum) },
        format!("{what}{}", time::relative(at, now)),
        at.as_datetime().format("%Y-%m-%d %H:%M").to_string(),
        clean(&row.title).into_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_what_waits_and_for_how_long() {
        let row: ReviewRow = serde_json::from_str(
            r#"{"review_id":"0b0e7d0a-6b0e-5f5c-9a53-0d8a35b1c111","version":1,"status":"open","title":"Ship\u001b[2J","risk":"normal",
                "requester":null,"source":"api","reviewers":[{"group":"oncall"}],"approvals":0,"quorum":2,
                "requested_at":"2026-11-23T04:00:00Z","expires_at":"2026-11-24T04:00:00Z","ended_at":null,"next_due":null}"#,
        )
        .expect("a row");
        let now = "2026-11-23T04:00:00Z".parse().expect("a time");
        let mut out = Out::new(true);
        out.json = false;
        let text = render(std::slice::from_ref(&row), true, now, &out);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "STATUS  REVIEW                                VOTES  WHEN             EXACTLY (UTC)     TITLE",
                "open    0b0e7d0a-6b0e-5f5c-9a53-0d8a35b1c111  0/2    expires in 24 h  2026-11-24 04:00  Ship\u{FFFD}[2J",
                "More match; see them with a larger --limit.",
            ]
        );
        assert_eq!(render(&[], false, now, &out), "No reviews match.\n");
    }
}
