//! One review: what is asked, on what grounds, who decided what, and everything that happened.

mod decide;
mod evidence;
mod head;
mod outcome;
mod people;
mod record;
mod refused;
mod timeline;

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use events::{Commit, PersonId, ReviewId, Timestamp, Version};
use ledger::{ExecuteError, Status};
use maud::{Markup, html};
use review::{
    Directory, Fold, PrimaryId,
    state::{Ending, Review, State as Folded},
};

pub(super) use decide::{Draft, Notice};

use super::{
    form,
    layout::{Bar, Place, Shell, respond},
    problem::Problem,
    signin,
    who::{self, Session},
};
use crate::{Gateway, off_thread};

/// Who the page is for, and the token of its forms.
pub(super) enum Viewer {
    /// The operator.
    Operator {
        /// Whether decisions can be entered on behalf of reviewers.
        dev: bool,
        /// For the forms.
        csrf: String,
        /// The bar at the top.
        bar: Bar,
    },
    /// One person, by their link or signed in.
    Person {
        /// Who.
        person: PersonId,
        /// Where the form is sent to.
        action: String,
        /// For the form.
        csrf: String,
        /// The bar at the top, for who is signed in.
        bar: Option<Bar>,
    },
}

impl Viewer {
    /// Whoever is signed in, at this review.
    pub(super) fn signed_in(gateway: &Gateway, session: &Session, id: ReviewId) -> Viewer {
        let (csrf, bar) = (form::token(gateway, session), Bar::of(gateway, session, Place::Elsewhere));
        match session.person() {
            None => Viewer::Operator { dev: gateway.dev, csrf, bar },
            Some(person) => {
                Viewer::Person { person: person.clone(), action: format!("/reviews/{id}/vote"), csrf, bar: Some(bar) }
            }
        }
    }

    fn bar(&self) -> Option<Bar> {
        match self {
            Viewer::Operator { bar, .. } => Some(bar.clone()),
            Viewer::Person { bar, .. } => bar.clone(),
        }
    }

    /// Whether other pages than this one are open to them.
    fn is_signed_in(&self) -> bool {
        !matches!(self, Viewer::Person { bar: None, .. })
    }
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
        let fold = Fold::of(&history).map_err(ExecuteError::from)?;
        if fold.version == Version::NONE {
            return Err(Problem::NotFound);
        }
        let directory = gateway.reviews.directory().await?;
        Ok(Loaded { id, fold, history, directory, now: gateway.reviews.now() })
    }

    /// Reads a review that this session may see: the operator sees all, a person those they have a
    /// part in. Of any other they are told what they would be told if there were none.
    ///
    /// # Errors
    /// See [`Loaded::read`].
    pub(super) async fn read_for(gateway: &Gateway, id: ReviewId, session: &Session) -> Result<Loaded, Problem> {
        let loaded = Loaded::read(gateway, id).await?;
        match session.person() {
            Some(person) if !loaded.concerns(&loaded.directory.primary(person)) => Err(Problem::NotFound),
            _ => Ok(loaded),
        }
    }

    /// Whether this person asked, was asked, or has voted.
    fn concerns(&self, person: &PrimaryId) -> bool {
        self.fold.state.review().is_some_and(|review| review.concerns(person, &self.directory))
    }

    fn title(&self) -> &str {
        match &self.fold.state {
            Folded::Recorded(review) => &review.request.title,
            Folded::Refused(refused) => refused.refusal.title.as_deref().unwrap_or("Refused request"),
            Folded::Absent => "Nothing here",
        }
    }
}

/// `GET /reviews/{id}`, for the operator and for those it concerns.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id: Result<ReviewId, _> = id.parse();
    let Some(session) = who::session(&gateway, &headers) else { return Ok(signin::first(&headers, id.ok())) };
    let id = id.map_err(|_| Problem::NotFound)?;
    let loaded = Loaded::read_for(&gateway, id, &session).await?;
    Ok(answer(StatusCode::OK, &headers, loaded, Viewer::signed_in(&gateway, &session, id), None).await)
}

/// The page as an answer; `notice` says what came of a form. It is made off the threads that answer.
pub(super) async fn answer(
    status: StatusCode,
    asked: &HeaderMap,
    loaded: Loaded,
    viewer: Viewer,
    notice: Option<Notice>,
) -> Response {
    let asked = asked.clone();
    off_thread::work(move || made(status, &asked, &loaded, &viewer, notice.as_ref())).await
}

fn made(status: StatusCode, asked: &HeaderMap, loaded: &Loaded, viewer: &Viewer, notice: Option<&Notice>) -> Response {
    let (state, main) = match &loaded.fold.state {
        Folded::Recorded(review) => (status_of(review, loaded.now).as_str(), page(loaded, review, viewer, notice)),
        Folded::Refused(refused) => (Status::Refused.as_str(), refused::page(loaded, refused)),
        Folded::Absent => ("", html! {}),
    };
    let title = format!("{}: {}", capitalised(state), loaded.title());
    let shell = Shell { title: &title, bar: viewer.bar(), live: notice.is_none(), again: false, state };
    respond(status, asked, &shell, &main)
}

fn page(loaded: &Loaded, review: &Review, viewer: &Viewer, notice: Option<&Notice>) -> Markup {
    html! {
        div.review {
            div.review-head {
                @if viewer.is_signed_in() { p.crumb { a href="/" { "← Inbox" } } }
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

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A person by the name that the directory has, with the id behind it.
pub(super) fn person(directory: &Directory, id: &impl AsRef<PersonId>) -> Markup {
    let name = directory.name(id);
    html! { bdi.person title=(directory.primary(id.as_ref())) { (name) } }
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
