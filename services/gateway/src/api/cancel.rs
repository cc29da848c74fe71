//! Withdrawing a review.

use axum::{extract::State, http::StatusCode, response::Response};
use events::{ReviewId, event::Canceller, inbound::CancelRequested};
use ledger::Executed;
use review::{Answer, Command, Ending, Fold};
use serde_json::{Value, json};

use super::{
    access::Caller,
    input::{Body, Input, Named},
    problem::Problem,
    review_document::{EndingLine, status},
    votes::how_it_ended,
};
use crate::Gateway;

/// `POST /reviews/{id}/cancel`: by the operator, on behalf of whoever asked for it (`as`), or by the
/// integration that asked. The same again is answered as before.
pub(super) async fn cancel(
    caller: Caller,
    State(gateway): State<Gateway>,
    Named(review_id): Named,
    Body(body): Body,
) -> Result<Response, Problem> {
    let mut input = Input::body(body)?;
    let requester = input.person("as");
    if input.take("review_id").is_some() {
        input.fault("review_id", "no such field: the path names the review");
    }
    let mut detail = input.rest();
    detail.insert("review_id".to_owned(), json!(review_id));
    let wish = CancelRequested::parse(&Value::Object(detail)).map_err(|faults| input.add(faults)).ok();
    input.close()?;

    let by = match (requester, &caller) {
        (None, caller) => caller.sender().canceller(),
        (Some(person), Caller::Operator) => Canceller::Requester(person),
        (Some(_), Caller::Integration(..)) => return Err(Problem::operator_only()),
    };
    let command = Command::Cancel { by: by.clone(), reason: wish.and_then(|wish| wish.reason) };
    let Executed { answer, fold, .. } = gateway.reviews.execute(review_id, &command, None).await.map_err(Problem::of_command)?;
    tracing::info!(%review_id, %caller, answer = answer.name(), "cancellation by the API");
    match answer {
        Answer::Ended => Ok(cancelled(review_id, &fold, false)),
        Answer::EndedBefore(ending) if matches!(&ending.what, Ending::Cancelled { by: before, .. } if *before == by) => {
            Ok(cancelled(review_id, &fold, true))
        }
        Answer::EndedBefore(ending) => {
            let detail = how_it_ended(&ending, gateway.reviews.directory().await?.as_ref());
            let problem = Problem::new(StatusCode::CONFLICT, "ended-before", "The review had ended before", detail);
            Err(problem.with("ending", EndingLine::from(&ending)))
        }
        Answer::NeedsNewer(what) => Err(Problem::needs_newer(&what)),
        Answer::NotYours => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "not-yours",
            "Only who asked may withdraw it",
            "This person or program did not ask for this review.",
        )),
        _ => Err(Problem::no_review(review_id)),
    }
}

fn cancelled(review_id: ReviewId, fold: &Fold, already: bool) -> Response {
    super::json(&json!({
        "review_id": review_id,
        "already": already,
        "status": status(&fold.state),
        "version": fold.version,
    }))
}
