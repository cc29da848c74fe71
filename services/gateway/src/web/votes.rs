//! Forms that decide: only a POST with the form's token and an explicit choice does.

use ::review::{
    Answer, Command,
    command::{Stated, Vote},
};
use axum::{
    extract::{Path, State},
    http::{Extensions, HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use channels::session;
use events::{
    PersonId, ReviewId,
    digest::{SeenDigest, SubjectDigest},
    event::{Canceller, Channel, Choice, EnteredBy, Seen, VoteRefusal},
    line::characters,
    request::REASON_MAX,
};
use serde::{Deserialize, de::value::StrDeserializer};

use super::{
    capability,
    form::{Fields, typed},
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
    /// What the page showed.
    seen_digest: Option<SeenDigest>,
    /// What a page of an earlier version showed.
    subject_digest: Option<SubjectDigest>,
}

/// What a ballot says, once it says everything.
struct Said {
    choice: Choice,
    reason: Option<String>,
    stated: Stated,
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
        if is_too_long(reason.as_deref()) {
            return Err(TOO_LONG);
        }
        if choice == Choice::Comment && reason.is_none() {
            return Err("Write the comment first.");
        }
        let stated = Stated::by_digests(self.seen_digest, self.subject_digest);
        if stated.seen == Seen::Unstated {
            return Err("The form did not say what you saw. Look at the review below and decide again.");
        }
        Ok(Said { choice, reason, stated })
    }

    fn draft(&self, person: Option<PersonId>) -> Draft {
        Draft { person, reason: self.reason.clone(), withdrawal: None }
    }
}

/// `POST /a/{capability}`: the vote of whoever the link was made for.
pub(super) async fn by_capability(
    State(gateway): State<Gateway>,
    Path(token): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
    Fields(ballot): Fields<Ballot>,
) -> Result<Response, Problem> {
    let link = capability::open(&gateway, &token, &headers, &extensions).await?;
    if !session::is_form_token(&gateway.keys, &token, &ballot.csrf) {
        return Err(Problem::ForeignForm);
    }
    let (id, person, back) = (link.review, link.person.clone(), format!("/a/{token}"));
    let viewer = capability::viewer(&gateway, link, &token);
    cast(&gateway, id, Some(person), &ballot, None, viewer, &back).await
}

/// `POST /reviews/{id}/vote`: a signed-in person's own vote; from the operator, what a reviewer said.
pub(super) async fn by_session(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Fields(ballot): Fields<Ballot>,
) -> Result<Response, Problem> {
    let session = who::session_with_form(&gateway, &headers, &ballot.csrf)?;
    let id: ReviewId = id.parse().map_err(|_| Problem::NotFound)?;
    let (viewer, back) = (Viewer::signed_in(&gateway, &session, id), format!("/reviews/{id}"));
    let (person, entered_by) = match session.person() {
        Some(person) => {
            Loaded::read_for(&gateway, id, &session).await?;
            (Some(person.clone()), None)
        }
        None if !gateway.dev => return Err(Problem::NotAReviewer),
        None => (ballot.person.as_deref().and_then(|person| person.parse().ok()), Some(EnteredBy::Operator)),
    };
    cast(&gateway, id, person, &ballot, entered_by, viewer, &back).await
}

/// Hands a ballot in; answers with the page it came from, which says what came of it.
async fn cast(
    gateway: &Gateway,
    id: ReviewId,
    person: Option<PersonId>,
    ballot: &Ballot,
    entered_by: Option<EnteredBy>,
    viewer: Viewer,
    back: &str,
) -> Result<Response, Problem> {
    let (status, notice) = match (person, ballot.read()) {
        (Some(person), Ok(said)) => match vote(gateway, id, person.clone(), said, entered_by).await? {
            None => return Ok(Redirect::to(back).into_response()),
            // Said with what was typed, which may be of use elsewhere.
            Some(Notice::NotCounted { why: VoteRefusal::TooOften, .. }) => {
                (StatusCode::CONFLICT, Notice::Incomplete { what: TOO_OFTEN, draft: ballot.draft(Some(person)) })
            }
            Some(notice) => (StatusCode::OK, notice),
        },
        (person, said) => {
            let what = said.err().unwrap_or("Choose the reviewer who decides.");
            (StatusCode::UNPROCESSABLE_ENTITY, Notice::Incomplete { what, draft: ballot.draft(person) })
        }
    };
    let loaded = Loaded::read(gateway, id).await?;
    Ok(review::answer(status, &HeaderMap::new(), loaded, viewer, Some(notice)).await)
}

const TOO_OFTEN: &str = "No more comments or wishes for changes are kept on this review. Approving and rejecting still count.";
const TOO_LONG: &str =
    "The reason is too long to be kept; 4000 characters is the most. It is still in the form, to be made shorter.";

fn is_too_long(reason: Option<&str>) -> bool {
    reason.is_some_and(|reason| characters(reason) > REASON_MAX)
}

/// The fields of the cancelling form.
#[derive(Deserialize)]
pub(super) struct Withdrawal {
    #[serde(default)]
    csrf: String,
    reason: Option<String>,
}

/// `POST /reviews/{id}/cancel`, by the operator or whoever asked.
pub(super) async fn cancel(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Fields(withdrawal): Fields<Withdrawal>,
) -> Result<Response, Problem> {
    let session = who::session_with_form(&gateway, &headers, &withdrawal.csrf)?;
    let id: ReviewId = id.parse().map_err(|_| Problem::NotFound)?;
    let reason = typed(withdrawal.reason.as_deref());
    if is_too_long(reason.as_deref()) {
        let loaded = Loaded::read_for(&gateway, id, &session).await?;
        let draft = Draft { withdrawal: reason, ..Draft::default() };
        let (viewer, notice) = (Viewer::signed_in(&gateway, &session, id), Notice::Incomplete { what: TOO_LONG, draft });
        return Ok(review::answer(StatusCode::UNPROCESSABLE_ENTITY, &HeaderMap::new(), loaded, viewer, Some(notice)).await);
    }
    let by = session.person().map_or(Canceller::Operator, |person| Canceller::Requester(person.clone()));
    let executed = gateway.reviews.execute(id, &Command::Cancel { by, reason }, None).await?;
    tracing::info!(review_id = %id, answer = executed.answer.name(), "cancelled on the web");
    match executed.answer {
        Answer::NotFound | Answer::NotYours => Err(Problem::NotFound),
        Answer::NeedsNewer(_) => Err(Problem::NeedsNewer),
        Answer::EndedBefore(ending) => {
            let loaded = Loaded::read_for(&gateway, id, &session).await?;
            let (viewer, notice) = (Viewer::signed_in(&gateway, &session, id), Notice::EndedBefore(ending));
            Ok(review::answer(StatusCode::OK, &HeaderMap::new(), loaded, viewer, Some(notice)).await)
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
        integration: None,
        matched_account: None,
        stated: said.stated,
        trusted: true,
    };
    let executed = gateway.reviews.execute(id, &Command::Vote(vote), None).await?;
    tracing::info!(review_id = %id, answer = executed.answer.name(), "vote on the web");
    match executed.answer {
        Answer::NotFound => Err(Problem::NotFound),
        Answer::NeedsNewer(_) => Err(Problem::NeedsNewer),
        Answer::NotCounted { why, ending } => Ok(Some(Notice::NotCounted { person, why, ending })),
        _ => Ok(None),
    }
}
