//! The life of a review as a drawing: a line from the request to the end, and a mark for whatever
//! happened on it. Each mark says in words what it stands for.

use events::{Timestamp, event::Choice};
use ledger::Status;
use maud::{Markup, html};

use super::Trail;

/// The grid of the drawing.
const WIDTH: f64 = 1_000.0;
const LEFT: f64 = 12.0;
const RIGHT: f64 = WIDTH - 12.0;
const MIDDLE: f64 = 22.0;

struct Mark {
    at: Timestamp,
    shape: Shape,
    class: &'static str,
    says: String,
}

enum Shape {
    /// A notice.
    Tick,
    /// A vote, a workflow's answer.
    Dot,
    /// The end.
    Square,
}

/// Draws a review as it stood at `now`. Classes, not colours: the style sheet around it says those.
pub fn timeline(trail: &Trail, now: Timestamp) -> Markup {
    let marks = marks(trail);
    let start = trail.requested_at;
    let last = marks.iter().map(|mark| mark.at).max().unwrap_or(start);
    let open = trail.status == Status::Open;
    let end = if open { trail.expires_at.unwrap_or(now).max(last) } else { last };
    let span = end.since(start).num_milliseconds().max(1) as f64;
    let x = |at: Timestamp| LEFT + (RIGHT - LEFT) * (at.since(start).num_milliseconds() as f64 / span).clamp(0.0, 1.0);
    let label =
        format!("{}: {} marks from {} to {}", trail.title.as_deref().unwrap_or("Review"), marks.len(), exact(start), exact(end));
    html! {
        svg.life viewBox="0 0 1000 44" role="img" aria-label=(label) preserveAspectRatio="none" {
            line.life-line x1=(LEFT) x2=(x(if open { now.min(end) } else { last })) y1=(MIDDLE) y2=(MIDDLE) {}
            @if open { line.life-rest x1=(x(now.min(end))) x2=(RIGHT) y1=(MIDDLE) y2=(MIDDLE) {} }
            @for mark in &marks {
                @let at = x(mark.at);
                @match mark.shape {
                    Shape::Tick => { line class={ "life-tick " (mark.class) } x1=(at) x2=(at) y1=(MIDDLE - 9.0) y2=(MIDDLE + 9.0) { title { (mark.says) } } }
                    Shape::Dot => { circle class={ "life-mark " (mark.class) } cx=(at) cy=(MIDDLE) r="7" { title { (mark.says) } } }
                    Shape::Square => { rect class={ "life-mark " (mark.class) } x=(at - 9.0) y=(MIDDLE - 9.0) width="18" height="18" rx="4" { title { (mark.says) } } }
                }
            }
        }
        div.life-ends {
            span { (exact(start)) }
            span { @if open { "expires " } (exact(end)) }
        }
    }
}

pub(super) fn exact(time: Timestamp) -> String {
    time.as_datetime().format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn marks(trail: &Trail) -> Vec<Mark> {
    let asked = Mark { at: trail.requested_at, shape: Shape::Dot, class: "info", says: "asked".to_owned() };
    let notices = trail.deliveries.iter().map(|delivery| Mark {
        at: delivery.at,
        shape: Shape::Tick,
        class: if delivery.reached { "quiet" } else { "warn" },
        says: format!("{} {}", delivery.person, if delivery.reached { "was reached" } else { "was not reached" }),
    });
    let votes = trail.votes.iter().map(|vote| Mark {
        at: vote.at,
        shape: Shape::Dot,
        class: match (vote.counted, vote.choice) {
            (false, _) => "warn",
            (true, Choice::Approve) => "good",
            (true, Choice::Reject) => "bad",
            (true, Choice::RequestChanges | Choice::Comment) => "quiet",
        },
        says: format!("{} {}", vote.person, super::words::said(vote)),
    });
    let end = trail.ending.iter().map(|ending| Mark {
        at: ending.at,
        shape: Shape::Square,
        class: match ending.outcome {
            "approved" => "good",
            "rejected" => "bad",
            _ => "warn",
        },
        says: ending.outcome.to_owned(),
    });
    let answers = trail.workflows.iter().flat_map(|workflow| &workflow.answers).map(|answered| Mark {
        at: answered.at,
        shape: Shape::Dot,
        class: if answered.result == "resumed" { "info" } else { "warn" },
        says: format!("workflow {}", answered.result),
    });
    std::iter::once(asked).chain(notices).chain(votes).chain(end).chain(answers).collect()
}
