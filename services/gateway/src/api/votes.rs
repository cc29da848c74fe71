//! Votes that the operator enters for people, and those of integrations.

use axum::{extract::State, http::StatusCode, response::Response};
use events::{
    event::{Canceller, Channel, EnteredBy, VoteRefusal},
    inbound::VoteSubmitted,
    request::Contact,
};
use ledger::Executed;
use review::{
    Answer, Command, Directory, Ending,
    command::{Stated, Vote},
    state::Dated,
};
use serde_json::{Value, json};

use super::{
    access::Caller,
    input::{Body, Input, Named},
    problem::Problem,
    review_document::{EndingLine, status},
};
use crate::Gateway;

/// `POST /reviews/{id}/votes`: a person's vote, entered by the operator, or cast by an integration as
/// the person whom it acts as. The same again counts once.
pub(super) async fn cast(
    caller: Caller,
    State(gateway): State<Gateway>,
    Named(review_id): Named,
    Body(body): Body,
) -> Result<Response, Problem> {
    let mut input = Input::body(body)?;
    let channel = input.read::<Channel>("channel", "\"api\" or \"cli\"").unwrap_or(Channel::Api);
    if !matches!(channel, Channel::Api | Channel::Cli) {
        input.fault("channel", "\"api\" or \"cli\"");
    }
    if input.take("review_id").is_some() {
        input.fault("review_id", "no such field: the path names the review");
    }
    let mut detail = input.rest();
    detail.insert("review_id".to_owned(), json!(review_id));
    if let (Caller::Integration(_, known), None) = (&caller, detail.get("person")) {
        let person = known.acts_as.clone().map(Contact::from);
        detail.insert("person".to_owned(), json!(person));
    }
    let vote = VoteSubmitted::parse(&Value::Object(detail)).map_err(|faults| input.add(faults)).ok();
    input.close()?;
    let Some(vote) = vote else { return Err(Problem::faults(&[])) };

    // Whose votes a program may cast, configuration says; who may vote, one function says for all.
    let (integration, trusted) = match &caller {
        Caller::Operator => (None, true),
        Caller::Integration(name, known) => {
            let directory = gateway.reviews.directory().await?;
            let voter = directory.primary(&vote.person);
            let is_theirs = |person| directory.is(person, &voter);
            (Some(name.clone()), known.acts_as.as_ref().is_some_and(is_theirs))
        }
    };
    let command = Command::Vote(Vote {
        person: vote.person,
        choice: vote.choice,
        reason: vote.reason,
        channel,
        entered_by: integration.is_none().then_some(EnteredBy::Operator),
        integration,
        matched_account: None,
        stated: Stated::by_digests(vote.seen_digest, vote.subject_digest),
        trusted,
    });
    let Executed { answer, fold, .. } = gateway.reviews.execute(review_id, &command, None).await?;
    tracing::info!(%review_id, %caller, channel = ?channel, answer = answer.name(), "vote by the API");
    let counted = |already: bool, verdict| {
        json!({
            "review_id": review_id,
            "counted": true,
            "already": already,
            "verdict": verdict,
            "status": status(&fold.state),
            "version": fold.version,
        })
    };
    match answer {
        Answer::Counted { verdict } => Ok(super::json(&counted(false, verdict))),
        Answer::AlreadyCounted => Ok(super::json(&counted(true, None))),
        Answer::NeedsNewer(what) => Err(Problem::needs_newer(&what)),
        Answer::NotCounted { why, ending } => Err(refused(&gateway, why, ending.as_ref()).await?),
        _ => Err(Problem::no_review(review_id)),
    }
}

async fn refused(gateway: &Gateway, why: VoteRefusal, ending: Option<&Dated<Ending>>) -> Result<Problem, Problem> {
    let title = "The vote does not count";
    let (status, code, detail) = match why {
        VoteRefusal::NotAReviewer => {
            (StatusCode::FORBIDDEN, "not-a-reviewer", "The person is neither named nor in a named group.")
        }
        VoteRefusal::OwnRequest => (
            StatusCode::FORBIDDEN,
            "own-request",
            "Who asked for this review, the person or the program, may not decide on it under its policy.",
        ),
        VoteRefusal::UntrustedSource => (StatusCode::FORBIDDEN, "untrusted-source", "This source may not vote for this person."),
        VoteRefusal::AlreadyDecided => (StatusCode::CONFLICT, "already-decided", "The review was decided before."),
        VoteRefusal::Expired => (StatusCode::CONFLICT, "expired", "The deadline had passed."),
        VoteRefusal::Cancelled => (StatusCode::CONFLICT, "cancelled", "The review was withdrawn before."),
        VoteRefusal::NotSeenWhole => (
            StatusCode::FORBIDDEN,
            "not-seen-whole",
            "A high risk is approved only with the digest of all that was read: send the review's seen_digest with the vote.",
        ),
        VoteRefusal::OtherSubject => {
            (StatusCode::CONFLICT, "other-subject", "The person saw another subject or other evidence than the review holds.")
        }
    };
    let Some(ending) = ending else { return Ok(Problem::new(status, code, title, detail)) };
    let detail = how_it_ended(ending, gateway.reviews.directory().await?.as_ref());
    Ok(Problem::new(status, code, title, detail).with("ending", EndingLine::from(ending)))
}

/// Who or what ended a review and when, in a sentence.
pub(super) fn how_it_ended(ending: &Dated<Ending>, directory: &Directory) -> String {
    let outcome = ending.what.outcome();
    let at = ending.at;
    match &ending.what {
        Ending::Decided { decided_by, .. } => {
            let names: Vec<&str> = decided_by.iter().map(|person| directory.name(person)).collect();
            format!("The review was {outcome} by {} at {at}.", names.join(", "))
        }
        Ending::Expired => format!("The review had expired by {at}."),
        Ending::Cancelled { by, .. } => {
            let who = match by {
                Canceller::Requester(person) => directory.name(person).to_owned(),
                Canceller::Source { source, .. } => source.clone(),
                Canceller::Operator => "the operator".to_owned(),
                Canceller::Execution { status, .. } => format!("its workflow, which {},", status.in_words()),
            };
            format!("The review was {outcome} by {who} at {at}.")
        }
    }
}
