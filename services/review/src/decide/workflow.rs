//! A workflow that ended by itself while its review was open.

use events::{
    Event, Timestamp,
    event::{Canceller, ExecutionStatus, ReviewCancelled, V, WorkflowEnded},
};

use crate::{
    command::{Answer, Decision},
    state::{Review, State, Told, Waiting},
};

/// Puts on record that an execution ended, and withdraws the review when nobody waits any more: every
/// request for it came from a workflow, and all of these have ended. An execution that is not known to
/// have ended is taken to run, as is a token whose execution was not named.
pub(super) fn ended(state: &State, arn: &str, status: ExecutionStatus, now: Timestamp) -> Decision {
    let of_it = |waiting: &&Waiting| waiting.resume.execution_arn.as_deref() == Some(arn);
    if !state.waiting().iter().any(|waiting| of_it(&waiting)) {
        return Decision::none(Answer::NotFound);
    }
    // The workflow of a refused request fails by the refusal itself.
    let Some(review) = state.review() else { return Decision::none(Answer::Noted) };
    if let Some(ending) = &review.ending {
        return Decision::none(Answer::EndedBefore(ending.clone()));
    }
    let unsettled = |waiting: &&Waiting| waiting.told != Told::Settled;
    let mut events = Vec::new();
    if review.waiting.iter().filter(of_it).any(|waiting| unsettled(&waiting)) {
        events.push(WorkflowEnded { v: V, execution_arn: arn.to_owned(), status }.into());
    }
    let others = review.waiting.iter().filter(unsettled).any(|waiting| !of_it(&waiting));
    if others || asked_without_workflow(review) {
        return Decision { events, answer: Answer::Noted };
    }
    let by = Canceller::Execution { arn: arn.to_owned(), status };
    let end = super::end(review, now, || Event::from(ReviewCancelled { v: V, by, reason: None }));
    events.extend(end.events);
    Decision { events, answer: end.answer }
}

/// Whoever opened the review waits for it in some other way, such as by listening to the bus.
fn asked_without_workflow(review: &Review) -> bool {
    review.request.resume.is_none()
}
