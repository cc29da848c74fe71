//! One review: what is asked, on what grounds, who decided what, and everything that happened.

mod decide;
mod evidence;
mod head;
mod outcome;
mod people;
mod record;
mod refused;
mod timeline;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use events::{
    Commit, PersonId, ReviewId, Timestamp, Version,
    event::{Choice, VoteCast},
};
use ledger::Status;
use maud::{Markup, html};
use review::{
    Directory, Fold,
    state::{Dated, Ending, Review, State as Folded},
};

pub(super) use decide::{Draft, Notice};

use super::{
    form,
    layout::{Place, Shell, respond},
    problem::Problem,
    who,
};
use crate::Gateway;

/// Who the page is for, and the token of its forms.
pub(super) enum Viewer<'a> {
    /// The operator, who may enter decisions on behalf of reviewers.
    Operator {
        /// For the forms.
        csrf: String,
    },
    /// One person, by their link.
    Person {
        /// Who.
        person: &'a PersonId,
        /// The link's token, which the form is sent to.
        token: &'a str,
        /// For the form.
        csrf: String,
    },
}

/// A review with its history, read once, so that all parts of a page tell the same.
pub(super) struct Loaded {
    pub(super) id: ReviewId,
    pub(super) fold: Fold,
    pub(super) history: Vec<Commit>,
    pub(super) directory: Arc<Directory>,
    pub(super) now: Timestamp,
}

impl Loaded {
    /// Reads a review, or the record of a refused request.
    ///
    /// # Errors
    /// [`Problem::NotFound`] when there is neither, or when the store fails.
    pub(super) async fn read(gateway: &Gateway, id: ReviewId) -> Result<Loaded, Problem> {
        let history = gateway.reviews.history(id).await?;
        let fold = Fold::of(&history).map_err(|error| Problem::broken(&error))?;
        if fold.version == Version::NONE {
            return Err(Problem::NotFound);
        }
        let directory = gateway.reviews.directory().await?;
        Ok(Loaded { id, fold, history, directory, now: gateway.reviews.now() })
    }

    fn title(&self) -> &str {
        match &self.fold.state {
            Folded::Recorded(review) => &review.request.title,
            Folded::Refused(refused) => refused.refusal.title.as_deref().unwrap_or("Refused request"),
            Folded::Absent => "Nothing here",
        }
    }
}

/// `GET /reviews/{id}`, for the operator.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let operator = who::need_operator(&gateway, &headers)?;
    let id = id.parse().map_err(|_| Problem::NotFound)?;
    let loaded = Loaded::read(&gateway, id).await?;
    let viewer = Viewer::Operator { csrf: form::token(&gateway, &operator) };
    let bar = form::bar(&gateway, &operator, Place::Elsewhere);
    Ok(answer(StatusCode::OK, &headers, Some(bar), &loaded, &viewer, None))
}

/// The page as an answer; `notice` says what came of a form.
pub(super) fn answer(
    status: StatusCode,
    asked: &HeaderMap,
    bar: Option<super::layout::Bar>,
    loaded: &Loaded,
    viewer: &Viewer<'_>,
    notice: Option<&Notice>,
) -> Response {
    let (state, main) = match &loaded.fold.state {
        Folded::Recorded(review) => (status_of(review, loaded.now).as_str(), page(loaded, review, viewer, notice)),
        Folded::Refused(refused) => (Status::Refused.as_str(), refused::page(loaded, refused)),
        Folded::Absent => ("", html! {}),
    };
    let title = format!("{}: {}", capitalised(state), loaded.title());
    let shell = Shell { title: &title, bar, live: notice.is_none(), state };
    respond(status, asked, &shell, &main)
}

fn page(loaded: &Loaded, review: &Review, viewer: &Viewer<'_>, notice: Option<&Notice>) -> Markup {
    html! {
        div.review {
            div.review-head {
                @if let Viewer::Operator { .. } = viewer { p.crumb { a href="/" { "← Inbox" } } }
                @if let Some(notice) = notice { (decide::notice(notice, loaded, viewer)) }
                (head::show(loaded, review, viewer))
            }
            div.review-grounds {
                (evidence::summary(review))
                (evidence::list(review))
            }
            div.review-side {
                (people::standing(loaded, review))
                (decide::forms(loaded, review, viewer, notice))
            }
            div.review-record {
                (record::votes(loaded, review))
                (record::workflows(loaded, &review.waiting))
                (timeline::show(loaded))
                (record::subject(loaded, review))
            }
        }
    }
}

/// Where a review stands at this moment, also when no timer has said so yet.
pub(super) fn status_of(review: &Review, now: Timestamp) -> Status {
    use events::event::Verdict;
    match review.ending.as_ref().map(|ending| &ending.what) {
        Some(Ending::Decided { verdict: Verdict::Approved, .. }) => Status::Approved,
        Some(Ending::Decided { verdict: Verdict::Rejected, .. }) => Status::Rejected,
        Some(Ending::Expired) => Status::Expired,
        Some(Ending::Cancelled { .. }) => Status::Cancelled,
        None if now >= review.request.expires_at => Status::Expired,
        None => Status::Open,
    }
}

/// Each person's last word, comments aside.
fn last_words<'a>(review: &'a Review, directory: &'a Directory) -> BTreeMap<&'a PersonId, &'a Dated<VoteCast>> {
    let votes = review.votes.iter().filter(|vote| vote.what.choice != Choice::Comment);
    votes.map(|vote| (directory.primary(&vote.what.person), vote)).collect()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A person by the name that the directory has, with the id behind it.
pub(super) fn person(directory: &Directory, id: &PersonId) -> Markup {
    let name = directory.name(id);
    html! { bdi.person title=(directory.primary(id)) { (name) } }
}

/// Several people: `Ana, Bo and Cy`.
pub(super) fn people(directory: &Directory, ids: &[PersonId]) -> Markup {
    html! {
        @for (index, id) in ids.iter().enumerate() {
            @if index > 0 { (if index + 1 == ids.len() { " and " } else { ", " }) }
            (person(directory, id))
        }
    }
}
