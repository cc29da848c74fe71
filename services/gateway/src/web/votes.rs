//! Forms that decide: only a POST with the form's token and an explicit choice does.

use ::review::{Answer, Command, command::Vote};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use channels::session;
use events::{
    PersonId, ReviewId,
    digest::SubjectDigest,
    event::{Canceller, Channel, Choice, EnteredBy},
    request::REASON_MAX,
};
use serde::{Deserialize, de::value::StrDeserializer};

use super::{
    capability, form,
    form::{Fields, typed},
    layout::Place,
    problem::Problem,
    review::{self, Draft, Loaded, Notice, Viewer},
    who,
};
use crate::Gateway;

/// The fields of a deciding form.
#[derive(Deserialize)]
pub(super) struct Ballot {
    #[serde(default)]
    csrf: String,
    choice: Option<String>,
    reason: Option<String>,
    person: Option<String>,
    #[serde(default)]
    subject_digest: String,
}

/// What a ballot says, once it says everything.
struct Said {
    choice: Choice,
    reason: Option<String>,
    subject_digest: SubjectDigest,
}

impl Ballot {
    /// # Errors
    /// What is missing, in words for whoever sent it.
    fn read(&self) -> Result<Said, &'static str> {
        let choice = self
            .choice
            .as_deref()
            .and_then(|word| Choice::deserialize(StrDeserializer::<serde::de::value::Error>::new(word)).ok());
        let choice = choice.ok_or("Press one of the buttons, such as Approve or Reject.")?;
        let reason = typed(self.reason.as_deref());
        if reason.as_ref().is_some_and(|reason| reason.len() > REASON_MAX) {
            return Err("The reason is too long to be kept; 4000 bytes is the most.");
        }
        if choice == Choice::Comment && reason.is_none() {
            return Err("Write the comment first.");
        }
        let subject_digest = self
            .subject_digest
            .parse()
            .map_err(|_| "The form did not say what you saw. Look at the review below and decide again.")?;
        Ok(Said { choice, reason, subject_digest })
    }

    fn draft(&self, person: Option<PersonId>) -> Draft {
        Draft { person, reason: self.reason.clone() }
    }
}

/// `POST /a/{capability}`: the vote of whoever the link was made for.
pub(super) async fn by_capability(
    State(gateway): State<Gateway>,
    Path(token): Path<String>,
    Fields(ballot): Fields<Ballot>,
) -> Result<Response, Problem> {
    let link = capability::open(&gateway, &token)?;
    if !session::is_form_token(&gateway.keys, &token, &ballot.csrf) {
        return Err(Problem::ForeignForm);
    }
    let again = || capability::viewer(&gateway, &link, &token);
    let said = match ballot.read() {
        Ok(said) => said,
        Err(what) => {
            let loaded = Loaded::read(&gateway, link.review).await?;
            return Ok(incomplete(&loaded, &again(), None, what, ballot.draft(None)));
        }
    };
    match vote(&gateway, link.review, link.person.clone(), said, None).await? {
        None => Ok(Redirect::to(&format!("/a/{token}")).into_response()),
        Some(notice) => {
            let loaded = Loaded::read(&gateway, link.review).await?;
            Ok(review::answer(StatusCode::OK, &HeaderMap::new(), None, &loaded, &again(), Some(&notice)))
        }
    }
}

/// `POST /reviews/{id}/vote`: the operator enters what a reviewer said.
pub(super) async fn by_operator(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Fields(ballot): Fields<Ballot>,
) -> Result<Response, Problem> {
    let operator = who::operator_with_form(&gateway, &headers, &ballot.csrf)?;
    let id: ReviewId = id.parse().map_err(|_| Problem::NotFound)?;
    let viewer = Viewer::Operator { csrf: form::token(&gateway, &operator) };
    let bar = || Some(form::bar(&gateway, &operator, Place::Elsewhere));
    let person = ballot.person.as_deref().and_then(|person| person.parse::<PersonId>().ok());
    let said = ballot.read();
    let (person, said) = match (person, said) {
        (Some(person), Ok(said)) => (person, said),
        (person, said) => {
            let what = said.err().unwrap_or("Choose the reviewer who decides.");
            return Ok(incomplete(&Loaded::read(&gateway, id).await?, &viewer, bar(), what, ballot.draft(person)));
        }
    };
    match vote(&gateway, id, person, said, Some(EnteredBy::Operator)).await? {
        None => Ok(Redirect::to(&format!("/reviews/{id}")).into_response()),
        Some(notice) => {
            let loaded = Loaded::read(&gateway, id).await?;
            Ok(review::answer(StatusCode::OK, &HeaderMap::new(), bar(), &loaded, &viewer, Some(&notice)))
        }
    }
}

/// The fields of the cancelling form.
#[derive(Deserialize)]
pub(super) struct Withdrawal {
    #[serde(default)]
    csrf: String,
    reason: Option<String>,
}

/// `POST /reviews/{id}/cancel`, by the operator.
pub(super) async fn cancel(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Fields(withdrawal): Fields<Withdrawal>,
) -> Result<Response, Problem> {
    let operator = who::operator_with_form(&gateway, &headers, &withdrawal.csrf)?;
    let id: ReviewId = id.parse().map_err(|_| Problem::NotFound)?;
    let reason = typed(withdrawal.reason.as_deref());
    if reason.as_ref().is_some_and(|reason| reason.len() > REASON_MAX) {
        return Err(Problem::BrokenForm);
    }
    let executed = gateway.reviews.execute(id, &Command::Cancel { by: Canceller::Operator, reason }, None).await?;
    tracing::info!(review_id = %id, answer = executed.answer.name(), "cancelled on the web");
    match executed.answer {
        Answer::NotFound => Err(Problem::NotFound),
        Answer::EndedBefore(ending) => {
            let loaded = Loaded::read(&gateway, id).await?;
            let viewer = Viewer::Operator { csrf: form::token(&gateway, &operator) };
            let bar = form::bar(&gateway, &operator, Place::Elsewhere);
            Ok(review::answer(StatusCode::OK, &HeaderMap::new(), Some(bar), &loaded, &viewer, Some(&Notice::EndedBefore(ending))))
        }
        _ => Ok(Redirect::to(&format!("/reviews/{id}")).into_response()),
    }
}

/// Where a form was sent to there is no page; whoever loads it again is shown the review.
pub(super) async fn back(Path(id): Path<String>) -> Result<Redirect, Problem> {
    let id: ReviewId = id.parse().map_err(|_| Problem::NotFound)?;
    Ok(Redirect::to(&format!("/reviews/{id}")))
}

/// Hands the vote in; what is to be said when it did not count.
async fn vote(
    gateway: &Gateway,
    id: ReviewId,
    person: PersonId,
    said: Said,
    entered_by: Option<EnteredBy>,
) -> Result<Option<Notice>, Problem> {
    let vote = Vote {
        person: person.clone(),
        choice: said.choice,
        reason: said.reason,
        channel: Channel::Web,
        entered_by,
        subject_digest: Some(said.subject_digest),
        trusted: true,
    };
    let executed = gateway.reviews.execute(id, &Command::Vote(vote), None).await?;
    tracing::info!(review_id = %id, answer = executed.answer.name(), "vote on the web");
    match executed.answer {
        Answer::NotFound => Err(Problem::NotFound),
        Answer::NotCounted { why, ending } => Ok(Some(Notice::NotCounted { person, why, ending })),
        _ => Ok(None),
    }
}

fn incomplete(
    loaded: &Loaded,
    viewer: &Viewer<'_>,
    bar: Option<super::layout::Bar>,
    what: &'static str,
    draft: Draft,
) -> Response {
    let notice = Notice::Incomplete { what, draft };
    review::answer(StatusCode::UNPROCESSABLE_ENTITY, &HeaderMap::new(), bar, loaded, viewer, Some(&notice))
}
