//! One review for a person to read.

use gateway::audit::{Trail, words};

use crate::terminal::clean;

/// Its heading, and what is known of it, line by line.
pub(super) fn render(trail: &Trail) -> String {
    let title = trail.title.as_deref().unwrap_or("(no title could be read)");
    let mut text = format!("{}\n", clean(title));
    let mut line = |label: &str, value: String| text.push_str(&format!("  {label:<10}  {}\n", clean(&value)));
    line("review", trail.review_id.to_string());
    let by = trail.ending.as_ref().map(words::ended_by).filter(|by| !by.is_empty());
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let at = trail.ending.as_ref().map(|ending| format!(", {}", ending.at)).unwrap_or_default();
    line("outcome", format!("{}{by}{at}", trail.status.as_str()));
    if let Some(reason) = trail.ending.as_ref().and_then(|ending| ending.reason.clone()) {
        line("reason", reason);
    }
    let source = trail.origin.as_ref().map(|origin| format!(" (source {})", origin.source)).unwrap_or_default();
    let requester = trail.requester.as_ref().map_or_else(|| "a program".to_owned(), ToString::to_string);
    line("asked by", format!("{requester}{source}, {}", trail.requested_at));
    if !trail.reviewers.is_empty() {
        let reviewers: Vec<String> = trail.reviewers.iter().map(words::reviewer).collect();
        line("reviewers", format!("{}; {} needed", reviewers.join(", "), trail.quorum));
    }
    for fault in &trail.faults {
        line("fault", fault.to_string());
    }
    if let Some(key) = ledger::SubjectKey::of(&trail.subject) {
        line("subject", key.to_string());
    }
    for piece in &trail.evidence {
        line("saw", words::evidence(piece));
    }
    if let Some(digest) = trail.subject_digest {
        line("digest", digest.to_string());
    }
    for delivery in &trail.deliveries {
        line("delivery", format!("{}  {} {}", delivery.at, delivery.person, words::delivered(delivery)));
    }
    for vote in &trail.votes {
        let entered = words::entered_by(vote).map(|by| format!(", entered by {by}")).unwrap_or_default();
        let alias = words::alias_of(vote).map(|alias| format!(", {alias}")).unwrap_or_default();
        let seen = vote.seen.map(|seen| format!("; {}", words::seen(seen))).unwrap_or_default();
        let reason = vote.reason.as_ref().map(|reason| format!(": \"{reason}\"")).unwrap_or_default();
        let (said, channel) = (words::said(vote), words::channel(vote.channel));
        line("vote", format!("{}  {} {said} ({channel}{entered}{alias}{seen}){reason}", vote.at, vote.person));
    }
    for workflow in &trail.workflows {
        let name = workflow.execution_arn.clone().unwrap_or_else(|| workflow.token_hash.to_string());
        line("workflow", format!("{}  waits: {name}", workflow.since));
        for answered in &workflow.answers {
            line("", format!("{}  {}", answered.at, words::answered(answered)));
        }
    }
    line("log", format!("version {}, hash {}", trail.version, trail.hash));
    text
}
