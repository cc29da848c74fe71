//! `decide` and `cancel`.

use events::{PersonId, event::Choice, request::Contact};
use serde::Deserialize;
use serde_json::json;

use super::{
    failure::Failure,
    http::{Call, Service},
    print::Out,
};
use crate::cli::{CancelArgs, DecideArgs};

#[derive(Deserialize)]
struct Counted {
    status: String,
    #[serde(default)]
    already: bool,
}

/// Hands in a vote.
pub fn decide(service: &Service, args: &DecideArgs, out: &mut Out) -> Result<(), Failure> {
    let choice = Choice::from(args.choice);
    // A program says nothing of the channel: the service writes down how its vote came.
    let channel = service.is_operator().then_some("cli");
    let body = json!({"person": contact(&args.person), "choice": choice, "reason": args.reason, "channel": channel, "seen_digest": args.seen});
    let body = body.to_string();
    let path = format!("/api/v1/reviews/{}/votes", args.id);
    let reply = service.done("the vote", "POST", &path, &Call { body: Some(&body), ..Call::default() })?;
    if out.json {
        return out.raw_json(reply.text());
    }
    let counted: Counted = reply.read(service)?;
    let said = match (counted.already, choice) {
        (true, _) => format!("{} had said so before; nothing changed", args.person),
        (false, Choice::Comment) => format!("the comment of {} is on record", args.person),
        (false, _) => format!("the vote of {} counts", args.person),
    };
    let stands = match counted.status.as_str() {
        "open" => "the review is still open".to_owned(),
        status => format!("the review is {}", out.paint.status(status)),
    };
    out.text(&format!("{said}; {stands}\n  {}\n", service.link(args.id)))
}

/// Withdraws a review.
pub fn cancel(service: &Service, args: &CancelArgs, out: &mut Out) -> Result<(), Failure> {
    let body = json!({"as": args.person.as_ref().map(contact), "reason": args.reason}).to_string();
    let path = format!("/api/v1/reviews/{}/cancel", args.id);
    let reply = service.done("the cancellation", "POST", &path, &Call { body: Some(&body), ..Call::default() })?;
    if out.json {
        return out.raw_json(reply.text());
    }
    out.text(&format!("the review is cancelled\n  {}\n", service.link(args.id)))
}

fn contact(person: &PersonId) -> Contact {
    person.clone().into()
}
