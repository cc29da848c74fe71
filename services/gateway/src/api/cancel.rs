//! Withdrawing a review.

use axum::{extract::State, http::StatusCode, response::Response};
use events::{
    PersonId,
    event::Canceller,
    inbound::CancelRequested,
    request::{Contact, Reviewer},
};
use ledger::Executed;
use review::{Answer, Command};
use serde_json::{Value, json};

use super::{
    input::{Body, Input, Named, Operator},
    problem::Problem,
    review_document::{EndingLine, status},
    votes::how_it_ended,
};
use crate::Gateway;

/// `POST /reviews/{id}/cancel`: by the operator, or by whoever asked for it (`as`).
pub(super) async fn cancel(
    _: Operator,
    State(gateway): State<Gateway>,
    Named(review_id): Named,
    Body(body): Body,
) -> Result<Response, Problem> {
    const PERSON: &str = "an object with exactly one of email or slack (\"TEAM/USER\")";
    let mut input = Input::body(body)?;
    let requester: Option<PersonId> = match input.read::<Contact>("as", PERSON).map(Reviewer::try_from) {
        None => None,
        Some(Ok(Reviewer::Person(person))) => Some(person),
        Some(_) => {
            input.fault("as", PERSON);
            None
        }
    };
    if input.take("review_id").is_some() {
        input.fault("review_id", "no such field: the path names the review");
    }
    let mut detail = input.rest();
    detail.insert("review_id".to_owned(), json!(review_id));
    let wish = CancelRequested::parse(&Value::Object(detail)).map_err(|faults| input.add(faults)).ok();
    input.close()?;

    let by = requester.map_or(Canceller::Operator, Canceller::Requester);
    let command = Command::Cancel { by, reason: wish.and_then(|wish| wish.reason) };
    let Executed { answer, fold, .. } = gateway.reviews.execute(review_id, &command, None).await?;
    tracing::info!(%review_id, answer = answer.name(), "cancellation entered by the operator");
    match answer {
        Answer::Ended => {
            Ok(super::json(&json!({"review_id": review_id, "status": status(&fold.state), "version": fold.version})))
        }
        Answer::EndedBefore(ending) => {
            let detail = how_it_ended(&ending, gateway.reviews.directory().await?.as_ref());
            let problem = Problem::new(StatusCode::CONFLICT, "ended-before", "The review had ended before", detail);
            Err(problem.with("ending", EndingLine::from(&ending)))
        }
        Answer::NotYours => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "not-yours",
            "Only who asked may withdraw it",
            "This person did not ask for this review.",
        )),
        _ => Err(Problem::no_review(review_id)),
    }
}
