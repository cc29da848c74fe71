//! `show`: one review, with its evidence and its timeline.

use events::{Timestamp, request::Evidence};
use serde_json::Value;

use super::{
    document::{Document, Failed, Notice, Vote, reviewer},
    failure::Failure,
    http::{Call, Service},
    print::{Out, Paint, clean, clean_lines, fields, table},
    time,
};
use crate::cli::ShowArgs;

/// Rows of a table of evidence that are shown; the page has them all.
const TABLE_ROWS: usize = 20;
/// As much of a digest as tells it from others; the facts above have it whole.
const DIGEST_SHOWN: usize = 12;

/// Shows a review.
pub fn run(service: &Service, args: &ShowArgs, out: &mut Out) -> Result<(), Failure> {
    let reply = service.done("the question", "GET", &format!("/api/v1/reviews/{}", args.id), &Call::default())?;
    if out.json {
        return out.raw_json(reply.text());
    }
    let document = reply.read(service)?;
    out.text(&render(&document, Some(&service.link(args.id)), time::now(), out.paint))
}

pub(super) fn render(document: &Document, link: Option<&str>, now: Timestamp, paint: Paint) -> String {
    let title = clean(document.title.as_deref().unwrap_or("(no title could be read)"));
    let mut text = format!("{}\n{}\n\n", paint.bold(&title), standing(document, now, paint));
    text.push_str(&fields(paint, &facts(document, link, now)));
    let mut section = |name: &str, body: String| {
        if !body.is_empty() {
            text.push_str(&format!("\n{}\n{body}", paint.bold(name)));
        }
    };
    section("Faults", document.faults.iter().map(|fault| format!("  {}\n", clean(&fault.to_string()))).collect());
    section("Summary", document.summary.as_deref().map(|summary| indent(&clean_lines(summary))).unwrap_or_default());
    section("Subject", subject(&document.subject));
    section("Evidence", evidence(&document.evidence, paint));
    section("Timeline", timeline(document, paint));
    text
}

/// Where it stands, in a line.
fn standing(document: &Document, now: Timestamp, paint: Paint) -> String {
    let status = paint.status(&clean(&document.status));
    match (&document.ending, document.expires_at) {
        (Some(ending), _) => {
            let by = ending.by();
            let by = if by.is_empty() { String::new() } else { format!(" by {}", clean(&by)) };
            format!("{status}{by}, {}", time::both(ending.at, now))
        }
        (None, Some(at)) if at > now => format!("{status}, expires {}", time::both(at, now)),
        (None, Some(at)) => format!("{status}, its time was over {}", time::both(at, now)),
        (None, None) => format!("{status}, {}", time::both(document.requested_at, now)),
    }
}

fn facts<'a>(document: &Document, link: Option<&str>, now: Timestamp) -> Vec<(&'a str, String)> {
    let mut facts = vec![("review", document.review_id.to_string())];
    if let Some(link) = link.filter(|_| document.status != "refused") {
        facts.push(("page", clean(link).into_owned()));
    }
    let source = format!("source {}", clean(&document.origin.source));
    let asker = document.requester.as_ref().map_or(source.clone(), |person| format!("{person} ({source})"));
    facts.push(("asked by", format!("{asker}, {}", time::both(document.requested_at, now))));
    if !document.reviewers.is_empty() {
        facts.push(("reviewers", document.reviewers.iter().map(reviewer).collect::<Vec<_>>().join(", ")));
    }
    if let Some(policy) = &document.policy {
        let people = if policy.quorum == 1 { "approval" } else { "approvals of different people" };
        facts.push(("needs", format!("{} {people}", policy.quorum)));
    }
    facts.extend(document.risk.as_ref().filter(|risk| *risk != "normal").map(|risk| ("risk", clean(risk).into_owned())));
    facts.extend(document.request_key.as_ref().map(|key| ("key", clean(key).into_owned())));
    facts.extend(document.follows.map(|review| ("asks again", review.to_string())));
    if let Some(reason) = document.ending.as_ref().and_then(|ending| ending.reason.as_ref()) {
        facts.push(("reason", clean_lines(reason)));
    }
    for waiting in &document.waiting {
        let name = waiting.execution_arn.as_deref().unwrap_or(&waiting.token_hash);
        let told = match (waiting.told.as_str(), waiting.retry_at) {
            ("settled", _) => "was told, or the log says why not".to_owned(),
            (_, Some(at)) => format!("could not be told; again {}", time::both(at, now)),
            _ => "waits".to_owned(),
        };
        facts.push(("workflow", format!("{}\n{told}", clean(name))));
    }
    let digest = document.seen_digest.as_ref().map(|digest| ("seen digest", digest));
    let digest = digest.or(document.subject_digest.as_ref().map(|digest| ("digest", digest)));
    facts.extend(digest.map(|(name, digest)| (name, clean(digest).into_owned())));
    facts
}

fn subject(subject: &Value) -> String {
    match subject {
        Value::Null => String::new(),
        Value::Object(object) if object.is_empty() => String::new(),
        subject => indent(&clean_lines(&events::weight::indented(subject))),
    }
}

fn evidence(pieces: &[Evidence], paint: Paint) -> String {
    let mut text = String::new();
    let width =
        pieces.iter().filter(|piece| piece.table.is_none()).map(|piece| clean(&piece.label).chars().count()).max().unwrap_or(0);
    for piece in pieces {
        let label = clean(&piece.label);
        if let Some(rows) = &piece.table {
            text.push_str(&format!("  {}\n{}", paint.dim(&label), indent(&indent(&rows_of(rows)))));
            continue;
        }
        let value = match (&piece.value, &piece.url) {
            (Some(value), _) => clean(value),
            (None, Some(url)) => clean(url),
            (None, None) => "an image; see the page".into(),
        };
        text.push_str(&format!("  {}  {value}\n", paint.dim(&format!("{label:width$}"))));
    }
    text
}

fn rows_of(rows: &[Vec<String>]) -> String {
    let clean_row = |row: &Vec<String>| row.iter().map(|cell| clean(cell).into_owned()).collect::<Vec<_>>();
    let cells: Vec<Vec<String>> = rows.iter().take(TABLE_ROWS + 1).map(clean_row).collect();
    let Some((head, body)) = cells.split_first() else { return String::new() };
    // A row may be longer than the head.
    let columns = cells.iter().map(Vec::len).max().unwrap_or(0);
    let head: Vec<&str> = head.iter().map(String::as_str).chain(std::iter::repeat("")).take(columns).collect();
    let mut text = table(&head, body, |_, cell| cell.to_owned());
    if rows.len() > TABLE_ROWS + 1 {
        text.push_str(&format!("… and {} more rows; see the page\n", rows.len() - TABLE_ROWS - 1));
    }
    text
}

/// What happened, in order; what was recorded in one commit stays in the order of a review's life.
fn timeline(document: &Document, paint: Paint) -> String {
    let mut lines: Vec<(Timestamp, String)> =
        vec![(document.requested_at, if document.faults.is_empty() { "asked" } else { "refused" }.to_owned())];
    lines.extend(
        document.notices.iter().filter(|notice| notice.occasion == "asked").map(|notice| (notice.at, notice_line(notice))),
    );
    lines.extend(document.unreached.iter().chain(&document.returned).map(|failed| (failed.at, failed_line(failed))));
    lines.extend(document.votes.iter().map(|vote| (vote.at, vote_line(vote))));
    lines.extend(document.ending.iter().map(|ending| (ending.at, paint.status(&clean(&ending.outcome)))));
    lines.extend(document.refused_votes.iter().map(|vote| (vote.at, vote_line(vote))));
    lines.extend(
        document.notices.iter().filter(|notice| notice.occasion != "asked").map(|notice| (notice.at, notice_line(notice))),
    );
    lines.sort_by_key(|(at, _)| *at);
    lines.iter().map(|(at, line)| format!("  {}  {line}\n", paint.dim(&time::exact(*at)))).collect()
}

fn notice_line(notice: &Notice) -> String {
    let shown = notice.subject_digest.as_ref().map(|digest| digest.chars().take(DIGEST_SHOWN).collect::<String>());
    let shown = shown.map(|digest| format!(", shown {}…", clean(&digest))).unwrap_or_default();
    format!("{} was {} ({}){shown}", notice.person, told(&notice.occasion, notice.reminder), clean(&notice.channel))
}

/// A message that did not arrive. That another channel took over is a line of its own.
fn failed_line(failed: &Failed) -> String {
    let mut line = format!("{} was not {} ({})", failed.person, told(&failed.occasion, failed.reminder), clean(&failed.channel));
    match failed.tries {
        None => line.push_str(", the message came back"),
        Some(1) => {}
        Some(tries) => line.push_str(&format!(", {tries} tries")),
    }
    line.push_str(&format!(": {}", clean(&failed.error)));
    if let Some(at) = failed.retry_at {
        line.push_str(&format!("; again {}", time::exact(at)));
    }
    line
}

fn told(occasion: &str, reminder: Option<u32>) -> String {
    match (occasion, reminder) {
        ("asked", None) => "asked".to_owned(),
        ("asked", Some(number)) => format!("reminded (no. {number})"),
        _ => "told how it ended".to_owned(),
    }
}

fn vote_line(vote: &Vote) -> String {
    let mut line = format!("{}: {}", vote.person, clean(&vote.choice));
    if let Some(reason) = vote.reason.as_deref().filter(|reason| !reason.is_empty()) {
        line.push_str(&format!(", \"{}\"", clean(reason)));
    }
    let entered = vote.entered_by.as_deref().map(|by| format!(", entered by the {}", clean(by))).unwrap_or_default();
    let program = vote.integration.as_deref().map(|name| format!(", by integration {}", clean(name))).unwrap_or_default();
    let account = vote.matched_account.as_deref();
    let matched = account.map(|account| format!(", by {}, matched by address", clean(account))).unwrap_or_default();
    let alias = vote.acted_as.as_ref().map(|alias| format!(", by their other address {alias}")).unwrap_or_default();
    line.push_str(&format!(" ({}{entered}{program}{matched}{alias})", clean(&vote.channel)));
    if let Some(why) = &vote.why {
        line.push_str(&format!("; did not count: {}", clean(&why.replace('_', " "))));
    }
    line
}

fn indent(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{
        "review_id":"0b0e7d0a-6b0e-5f5c-9a53-0d8a35b1c111","version":4,"status":"rejected","title":"Promote v42",
        "summary":"Two\nlines","subject":{"kind":"model"},
        "evidence":[{"label":"Flagged rows","value":"7.4 %"},{"label":"Report","url":"https://x.example/r"},
            {"label":"Sample","table":[["id","age"],["1","1977","extra"]]},{"label":"Plot","image":"data:image/png;base64,AA=="}],
        "requester":"bot@example.com","reviewers":[{"email":"ana@example.com"},{"group":"oncall"}],"policy":{"quorum":2},
        "risk":"high","request_key":null,"origin":{"account":"local","source":"api","event_id":"e"},"follows":null,
        "requested_at":"2026-11-23T04:00:00Z","expires_at":"2026-11-24T04:00:00Z","on_expiry":"fail","on_reject":"fail",
        "subject_digest":"sha256:00","votes":[{"at":"2026-11-23T05:00:00Z","v":1,"person":"ana@example.com","choice":"reject",
            "reason":"No\u001b[2J","channel":"cli","entered_by":"operator","acted_as":"ana@corp.example","subject_digest":"sha256:00"}],
        "refused_votes":[{"at":"2026-11-23T06:00:00Z","v":1,"person":"eve@example.com","choice":"approve","channel":"web","why":"not_a_reviewer"}],
        "notices":[{"at":"2026-11-23T04:00:01Z","v":1,"person":"ana@example.com","channel":"outbox","occasion":"asked",
                "subject_digest":"5d41402abc4b2a76b9719d911017c592ae"},
            {"at":"2026-11-23T04:30:00Z","v":1,"person":"ana@example.com","channel":"email","occasion":"asked","reminder":2}],
        "unreached":[{"since":"2026-11-23T04:30:01Z","tries":3,"v":1,"person":"bob@example.com","channel":"slack",
            "occasion":"asked","error":"rate\u001blimited","retry_at":"2026-11-23T04:31:00Z"}],
        "returned":[{"at":"2026-11-23T04:30:02Z","v":1,"person":"bob@example.com","channel":"email","occasion":"ended",
            "error":"550 no such user","message_ref":"<1@x>"}],
        "waiting":[],"ending":{"outcome":"rejected","at":"2026-11-23T05:00:00Z","reason":"No","decided_by":["ana@example.com"]},"output":null}"#;

    #[test]
    fn a_review_is_shown_with_all_that_a_person_needs() {
        let document: Document = serde_json::from_str(DOCUMENT).expect("a document");
        let now = "2026-11-23T07:00:00Z".parse().expect("a time");
        let text = render(&document, Some("http://h/reviews/1"), now, Paint { on: false });
        for said in [
            "Promote v42\nrejected by ana@example.com, 2 h ago (2026-11-23 05:00:00 UTC)\n",
            "  needs      2 approvals of different people\n",
            "  reviewers  ana@example.com, group oncall\n",
            "  risk       high\n",
            "Summary\n  Two\n  lines\n",
            "  Flagged rows  7.4 %\n",
            "  Sample\n    id  age\n    1   1977  extra\n",
            "  Plot          an image; see the page\n",
            "UTC  ana@example.com: reject, \"No\u{FFFD}[2J\" (cli, entered by the operator, by their other address ana@corp.example)\n",
            "UTC  eve@example.com: approve (web); did not count: not a reviewer\n",
            "UTC  ana@example.com was asked (outbox), shown 5d41402abc4b…\n",
            "UTC  ana@example.com was reminded (no. 2) (email)\n",
            "UTC  bob@example.com was not asked (slack), 3 tries: rate\u{FFFD}limited; again 2026-11-23 04:31:00 UTC\n",
            "UTC  bob@example.com was not told how it ended (email), the message came back: 550 no such user\n",
        ] {
            assert!(text.contains(said), "{said:?} is not in:\n{text}");
        }
        let order: Vec<usize> =
            ["asked\n", "was asked", ": reject", "rejected\n", ": approve"].iter().filter_map(|said| text.rfind(said)).collect();
        assert!(order.is_sorted() && order.len() == 5, "{text}");
    }

    #[test]
    fn a_refused_request_is_shown_with_its_faults() {
        let document: Document = serde_json::from_str(
            r#"{"review_id":"0b0e7d0a-6b0e-5f5c-9a53-0d8a35b1c111","version":1,"status":"refused","title":null,"request_key":null,
                "origin":{"account":"local","source":"api","event_id":"e"},"requested_at":"2026-11-23T04:00:00Z","kind":"invalid",
                "faults":[{"pointer":"/title","expected":"a text"}],"waiting":[],"output":null}"#,
        )
        .expect("a document");
        let text = render(&document, Some("http://h"), "2026-11-23T04:00:00Z".parse().expect("a time"), Paint { on: false });
        assert!(
            text.contains("refused, just now") && text.contains("Faults\n  /title: expected a text\n") && !text.contains("page"),
            "{text}"
        );
    }
}
