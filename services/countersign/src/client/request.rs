//! `request`: asking for a review, and waiting for its outcome.

use std::{
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::json;
use uuid::Uuid;

use super::{
    document::{Document, Reference},
    failure::{CANCELLED, EXPIRED, Failure, REJECTED},
    http::{Call, Reply, Service},
    input,
    print::{Out, clean, fields, note},
    time,
};
use crate::cli::RequestArgs;

/// How long the service is asked to hold a question; what stands in front of it cuts at 30 s.
const HOLD: Duration = Duration::from_secs(25);
/// How much longer than it was asked to hold an answer may take before the connection counts as dead.
const GRACE: Duration = Duration::from_secs(10);
/// How long a service may be away when the request is made: with `--wait`, and without.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(2));
/// The first and the longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Asks, and waits if it is to. The exit code says the outcome.
pub fn run(service: &Service, args: &RequestArgs, out: &mut Out) -> Result<u8, Failure> {
    let begun = Instant::now();
    // A time beyond what a clock can say is no limit.
    let limit = args
        .timeout
        .and_then(|limit| u64::try_from(limit.as_seconds()).ok())
        .and_then(|secs| begun.checked_add(Duration::from_secs(secs)));
    let (name, text) = read(&args.file)?;
    let text = if args.again { asked_again(&text) } else { text };
    let reference = open(service, &name, &text, begun + if args.wait { PATIENCE.0 } else { PATIENCE.1 })?;
    if !args.wait {
        opened(&reference, out)?;
        return Ok(code(&reference.status).unwrap_or(0));
    }
    let id = reference.review_id;
    if code(&reference.status).is_none() {
        note(&format!("waiting for review {id}\n  decide at {}", clean(&reference.link)));
    }
    let reply = follow(service, &reference, limit)?;
    let document: Document = reply.read(service)?;
    if out.json {
        out.raw_json(reply.text())?;
    } else {
        out.text(&outcome(&document, out))?;
    }
    code(&document.status).ok_or_else(|| service.unexpected(format!("the review ended {:?}", document.status)))
}

/// Reads the request as JSON; the service reads what it says.
fn read(file: &Path) -> Result<(String, String), Failure> {
    let (name, text) = input::read(file)?;
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(_) => Ok((name, text)),
        Err(error) => Err(Failure::Invalid(format!("{name} is no JSON: {error}"))),
    }
}

/// The request with `again`. The rest of the text stays as it was typed, since reading and writing it could
/// change a number.
fn asked_again(text: &str) -> String {
    match text.trim_start().strip_prefix('{') {
        Some(rest) if rest.trim_start().starts_with('}') => format!("{{\"again\":true{rest}"),
        Some(rest) => format!("{{\"again\":true,{rest}"),
        None => text.to_owned(),
    }
}

/// Makes the request. The key is made once, so that asking again after a lost answer finds the
/// review that the first asking opened.
fn open(service: &Service, name: &str, text: &str, patience: Instant) -> Result<Reference, Failure> {
    let key = Uuid::new_v4().to_string();
    let call = Call { headers: &[("idempotency-key", &key)], body: Some(text), ..Call::default() };
    let mut pauses = Pauses::new();
    let mut told = false;
    loop {
        match service.done(name, "POST", "/api/v1/reviews", &call) {
            Err(failure) if failure.may_pass() && Instant::now() + pauses.next < patience => {
                if !told {
                    let seconds = patience.duration_since(Instant::now()).as_secs_f64().ceil();
                    note(&format!("{}; trying for {seconds} s …", failure.brief()));
                    told = true;
                }
                pauses.pause(None);
            }
            reply => return reply?.read(service),
        }
    }
}

/// Waits until the review has ended, however often the service goes away meanwhile.
fn follow(service: &Service, reference: &Reference, limit: Option<Instant>) -> Result<Reply, Failure> {
    let path = format!("/api/v1/reviews/{}", reference.review_id);
    let mut etag: Option<String> = None;
    let mut away: Option<Failure> = None;
    let mut told = false;
    let mut pauses = Pauses::new();
    loop {
        let left = limit.map(|limit| limit.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(away.unwrap_or_else(|| undecided(reference)));
        }
        let hold = left.map_or(HOLD, |left| left.min(HOLD));
        let query = [("wait", hold.as_secs_f64().ceil().to_string()), ("until", "ended".to_owned())];
        let headers: Vec<(&str, &str)> = etag.iter().map(|etag| ("if-none-match", etag.as_str())).collect();
        let asked = Instant::now();
        let call = Call { query: &query, headers: &headers, limit: Some(hold + GRACE), ..Call::default() };
        match service.call("GET", &path, &call) {
            Ok(reply) if reply.status == 304 => away = None,
            Ok(reply) if reply.is_success() => {
                let document: Document = reply.read(service)?;
                if document.status != "open" {
                    return Ok(reply);
                }
                away = None;
                etag = reply.etag;
            }
            Ok(reply) => return Err(lost(service, reference, &reply)),
            Err(failure) if failure.may_pass() => {
                if !told {
                    note(&format!("{}; asking again until it answers, the review stays as it is …", failure.brief()));
                    told = true;
                }
                away = Some(failure);
            }
            Err(failure) => return Err(failure),
        }
        // A service that held the question is asked again at once; one that is away, or that cannot
        // hold, after a pause.
        if away.is_none() && asked.elapsed() >= Duration::from_secs(1) {
            pauses = Pauses::new();
        } else {
            pauses.pause(limit);
        }
    }
}

fn undecided(reference: &Reference) -> Failure {
    let Reference { review_id, link, .. } = reference;
    Failure::Undecided(format!(
        "nobody has decided yet, and the time to wait is over\n  the review stays open: {link}\n  see it with: countersign show {review_id}"
    ))
}

/// The review was there and is not any more: another data directory answers.
fn lost(service: &Service, reference: &Reference, reply: &Reply) -> Failure {
    match service.declined("the review", reply) {
        Failure::NotFound(_) => service
            .unexpected(format!("it has no review {} any more; does it run on another --data directory?", reference.review_id)),
        failure => failure,
    }
}

/// Growing pauses.
struct Pauses {
    next: Duration,
}

impl Pauses {
    fn new() -> Pauses {
        Pauses { next: PAUSES.0 }
    }

    fn pause(&mut self, limit: Option<Instant>) {
        let left = limit.map(|limit| limit.saturating_duration_since(Instant::now()));
        sleep(left.map_or(self.next, |left| left.min(self.next)));
        self.next = (self.next * 2).min(PAUSES.1);
    }
}

/// The exit code of a status; `None` while it is open.
fn code(status: &str) -> Option<u8> {
    Some(match status {
        "approved" => 0,
        "rejected" => REJECTED,
        "expired" => EXPIRED,
        "cancelled" => CANCELLED,
        _ => return None,
    })
}

fn opened(reference: &Reference, out: &mut Out) -> Result<(), Failure> {
    let Reference { review_id, status, link } = reference;
    if out.json {
        return out.json(&json!({"review_id": review_id, "status": status, "link": link}));
    }
    let rows = [("status", out.paint.status(&clean(status))), ("link", clean(link).into_owned())];
    out.text(&format!("{} {review_id}\n{}", out.paint.bold("review"), fields(out.paint, &rows)))
}

/// How a review came out, in a few lines.
fn outcome(document: &Document, out: &Out) -> String {
    let paint = out.paint;
    let title = clean(document.title.as_deref().unwrap_or_default());
    let mut rows = Vec::new();
    if let Some(ending) = &document.ending {
        let by = ending.by();
        if !by.is_empty() {
            rows.push(("by", clean(&by).into_owned()));
        }
        if let Some(reason) = &ending.reason {
            rows.push(("reason", clean(reason).into_owned()));
        }
        rows.push(("when", time::both(ending.at, time::now())));
    }
    rows.push(("review", document.review_id.to_string()));
    format!("{}: {}\n{}", paint.status(&clean(&document.status)), paint.bold(&title), fields(paint, &rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_its_exit_code() {
        let ends = ["approved", "rejected", "expired", "cancelled", "open"].map(code);
        assert_eq!(ends, [Some(0), Some(1), Some(3), Some(4), None]);
    }

    #[test]
    fn pauses_grow_to_a_few_seconds_and_never_pass_the_limit() {
        let mut pauses = Pauses::new();
        let begun = Instant::now();
        pauses.next = Duration::from_secs(4);
        pauses.pause(Some(begun));
        assert!(begun.elapsed() < Duration::from_secs(1));
        assert_eq!(pauses.next, PAUSES.1);
    }

    #[test]
    fn a_file_that_is_no_json_is_told_with_its_place() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("review.json");
        std::fs::write(&file, "{\"title\": ").expect("written");
        let failure = read(&file).expect_err("no JSON");
        assert!(failure.to_string().contains("line 1"), "{failure}");
        assert_eq!(read(&dir.path().join("none.json")).expect_err("no file").code(), super::super::failure::INVALID);
    }
}
