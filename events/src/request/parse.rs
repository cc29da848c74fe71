//! Reading a request from a detail: every fault at once.

use serde_json::{Map, Value};

use super::{
    EVIDENCE_MAX, EXPIRY_DEFAULT, EXPIRY_MAX, Evidence, Policy, REVIEWERS_MAX, ResumeRequest, ReviewRequest, Reviewer,
    SUMMARY_MAX, TITLE_MAX, evidence::EXPECTED,
};
use crate::{
    fault::{Fault, Reader},
    ids::GroupId,
    secret::{TASK_TOKEN_MAX, TaskToken},
    time::Period,
    weight,
};

impl ReviewRequest {
    /// Reads a request from a detail.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn parse(detail: &Value) -> Result<ReviewRequest, Vec<Fault>> {
        let mut faults = Vec::new();
        let request = Self::read(detail, &mut faults);
        match request {
            Some(request) if faults.is_empty() => Ok(request),
            _ => Err(faults),
        }
    }

    fn read(detail: &Value, faults: &mut Vec<Fault>) -> Option<ReviewRequest> {
        let mut reader = Reader::open(detail, "", faults)?;
        let request_key = reader.parsed("request_key", "a text of 1 to 200 characters without control characters", faults);
        let title = reader.text("title", 1, TITLE_MAX, faults);
        let title = reader.required("title", &format!("a text of 1 to {TITLE_MAX} characters"), title, faults);
        let summary = reader.text("summary", 0, SUMMARY_MAX, faults);
        let subject = match reader.raw("subject") {
            None => Value::Object(Map::new()),
            Some(subject) => {
                if !subject.is_object() {
                    faults.push(Fault::new("/subject", "an object"));
                }
                subject.clone()
            }
        };
        let evidence = read_evidence(&mut reader, faults);
        weight::faults(summary.as_deref(), &subject, evidence.as_deref().unwrap_or_default(), faults);
        let requester = reader.raw("requester").and_then(|value| match read_contact(value, "/requester", faults)? {
            Reviewer::Person(person) => Some(person),
            Reviewer::Group(_) | Reviewer::Newer(_) => {
                faults.push(Fault::new("/requester", "a person (email or slack), not a group"));
                None
            }
        });
        let reviewers = read_reviewers(&mut reader, faults);
        let policy = read_policy(&mut reader, faults);
        let risk = reader.one_of("risk", "\"low\", \"normal\" or \"high\"", faults).unwrap_or_default();
        let expires_in = read_expiry(&mut reader, faults);
        let on_expiry = reader.one_of("on_expiry", "\"fail\" or \"succeed\" (no value approves)", faults).unwrap_or_default();
        let on_reject = reader.one_of("on_reject", "\"fail\" or \"succeed\" (no value approves)", faults).unwrap_or_default();
        let resume = reader.raw("resume").and_then(|value| read_resume(value, faults));
        let again = reader.one_of("again", "true or false", faults).unwrap_or(false);
        reader.close(faults);
        Some(ReviewRequest {
            request_key,
            title: title?,
            summary,
            subject,
            evidence: evidence?,
            requester,
            reviewers: reviewers?,
            policy: policy?,
            risk,
            expires_in: expires_in?,
            on_expiry,
            on_reject,
            resume,
            again,
        })
    }
}

/// The task token of a detail that may be otherwise invalid, so that its workflow can be failed
/// rather than left to hang.
pub fn salvage_resume(detail: &Value) -> Option<ResumeRequest> {
    let resume = detail.get("resume")?;
    let text = |field: &str| resume.get(field).and_then(Value::as_str);
    Some(ResumeRequest {
        task_token: TaskToken::new(text("task_token")?)?,
        execution_arn: text("execution_arn").filter(|arn| arn.len() <= ARN_MAX).map(str::to_owned),
        deadline: text("deadline").and_then(|time| time.parse().ok()),
    })
}

/// The groups that a detail names as reviewers, with their places, though it may be otherwise invalid:
/// whether they exist is told together with its other faults.
pub fn salvage_groups(detail: &Value) -> Vec<(usize, GroupId)> {
    let reviewers = detail.get("reviewers").and_then(Value::as_array).into_iter().flatten().take(REVIEWERS_MAX).enumerate();
    let group = |reviewer: &Value| reviewer.get("group")?.as_str()?.parse().ok();
    reviewers.filter_map(|(index, reviewer)| Some((index, group(reviewer)?))).collect()
}

/// The longest ARN of an execution (Step Functions API reference, `DescribeExecution`: 256; doubled
/// for a redriven map run's labels).
const ARN_MAX: usize = 512;

fn read_contact(value: &Value, pointer: &str, faults: &mut Vec<Fault>) -> Option<Reviewer> {
    const EXPECTED: &str = "an object with exactly one of email (an e-mail address), slack (\"TEAM/USER\") or group (1 to 64 letters, digits, '-', '_' or '.')";
    Reviewer::read(value, EXPECTED).map_err(|expected| faults.push(Fault::new(pointer, expected))).ok()
}

fn read_reviewers(reader: &mut Reader<'_>, faults: &mut Vec<Fault>) -> Option<Vec<Reviewer>> {
    let items = reader.array("reviewers", 1, REVIEWERS_MAX, faults);
    let items = reader.required("reviewers", "an array of 1 to 100 people or groups", items, faults)?;
    let mut reviewers: Vec<Reviewer> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        if let Some(reviewer) = read_contact(item, &format!("/reviewers/{index}"), faults)
            && !reviewers.contains(&reviewer)
        {
            reviewers.push(reviewer);
        }
    }
    Some(reviewers)
}

fn read_evidence(reader: &mut Reader<'_>, faults: &mut Vec<Fault>) -> Option<Vec<Evidence>> {
    let items = reader.array("evidence", 0, EVIDENCE_MAX, faults).unwrap_or_default();
    let mut evidence = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match Evidence::parse(item) {
            Some(piece) => evidence.push(piece),
            None => faults.push(Fault::new(format!("/evidence/{index}"), EXPECTED)),
        }
    }
    Some(evidence)
}

fn read_policy(reader: &mut Reader<'_>, faults: &mut Vec<Fault>) -> Option<Policy> {
    let Some(value) = reader.raw("policy") else { return Some(Policy::default()) };
    let mut policy = Reader::open(value, "/policy", faults)?;
    let quorum = match policy.raw("quorum") {
        None => Some(1),
        Some(value) => {
            let quorum = value.as_u64().and_then(|n| u8::try_from(n).ok()).filter(|n| (1..=100).contains(n));
            if quorum.is_none() {
                faults.push(Fault::new("/policy/quorum", "a whole number from 1 to 100"));
            }
            quorum
        }
    };
    let self_approval = policy.one_of("self_approval", "\"forbidden\" or \"allowed\"", faults).unwrap_or_default();
    policy.close(faults);
    Some(Policy { quorum: quorum?, self_approval, ..Policy::default() })
}

fn read_expiry(reader: &mut Reader<'_>, faults: &mut Vec<Fault>) -> Option<Period> {
    const EXPECTED: &str = "an ISO 8601 period from PT1S to P365D, such as PT24H";
    let Some(value) = reader.raw("expires_in") else { return Some(EXPIRY_DEFAULT) };
    let period = value
        .as_str()
        .and_then(|text| text.parse::<Period>().ok())
        .filter(|period| (Period::seconds(1)..=EXPIRY_MAX).contains(period));
    if period.is_none() {
        faults.push(Fault::new("/expires_in", EXPECTED));
    }
    period
}

fn read_resume(value: &Value, faults: &mut Vec<Fault>) -> Option<ResumeRequest> {
    let mut reader = Reader::open(value, "/resume", faults)?;
    let token = reader.text("task_token", 1, TASK_TOKEN_MAX, faults);
    let token = reader.required("task_token", "the task token, a text of 1 to 2048 bytes", token, faults);
    let execution_arn = reader.text("execution_arn", 1, ARN_MAX, faults);
    let deadline = reader.parsed("deadline", "an RFC 3339 time such as 2026-11-24T04:00:00Z", faults);
    reader.close(faults);
    Some(ResumeRequest { task_token: TaskToken::new(token?)?, execution_arn, deadline })
}
