//! `/outbox`: who was asked, and how they were reached; in development mode with their links. It has
//! no storage of its own: who was asked is in the log, and a link can be signed again at any time.

use ::review::{Directory, PrimaryId, owed, state::Review};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use channels::capability::{self, Capability};
use events::{
    Period, Timestamp,
    event::{Channel, Purpose},
};
use ledger::{Search, Status};
use maud::{Markup, html};

use super::{
    icons::{Icon, icon},
    inbox::chip,
    layout::{Bar, Place, Shell, respond},
    problem::Problem,
    review::{person, status_of},
    who, words,
};
use crate::Gateway;

/// The most notices on the page.
const NOTICES: usize = 100;
/// The most reviews that are looked at for them.
const REVIEWS: usize = 100;
/// How long a link shows the record after its review's deadline.
const AFTER: Period = Period::hours(7 * 24);

/// A review with the people who were, or are to be, asked.
struct Letter {
    review: Review,
    to: Vec<Recipient>,
}

struct Recipient {
    person: PrimaryId,
    /// When they were reached; absent when that is still owed.
    at: Option<Timestamp>,
    /// How they were reached.
    via: Option<Channel>,
    /// In development mode only: whoever has it acts as the person.
    link: Option<String>,
}

/// `GET /outbox`, for the operator.
pub(super) async fn show(State(gateway): State<Gateway>, headers: HeaderMap) -> Result<Response, Problem> {
    let operator = who::need_operator(&gateway, &headers)?;
    let directory = gateway.reviews.directory().await?;
    let now = gateway.reviews.now();
    let letters = letters(&gateway, &directory).await?;
    let main = html! {
        div.page-head {
            h1 { "Outbox" }
            p.muted {
                @if gateway.dev { "Who was asked, with the link that lets them decide. Whoever has a link acts as its person, so hand each to nobody else." }
                @else { "Who was asked, and how they were reached. Their links are in their own messages only." }
            }
        }
        @if letters.is_empty() {
            div.empty { span.empty-mark.calm { (icon(Icon::Mail)) } h2 { "Nothing was sent" } p { "Notices appear here when a review asks for people." } }
        } @else { ol.letters { @for letter in &letters { li.card { (show_letter(letter, &directory, now)) } } } }
    };
    let bar = Some(Bar::of(&gateway, &operator, Place::Outbox));
    Ok(respond(StatusCode::OK, &headers, &Shell { title: "Outbox", bar, live: true, ..Shell::default() }, &main))
}

/// The notices of the newest reviews, newest first: of an open one for everybody who may decide, of
/// an ended one for those who were reached.
async fn letters(gateway: &Gateway, directory: &Directory) -> Result<Vec<Letter>, Problem> {
    let page = gateway.views.search(&Search::default(), None, REVIEWS).await?;
    let (mut letters, mut room) = (Vec::new(), NOTICES);
    for row in page.rows.iter().filter(|row| row.status != Status::Refused) {
        if room == 0 {
            break;
        }
        let fold = gateway.reviews.load(row.review_id).await?;
        let Some(review) = fold.state.review() else { continue };
        let mut people = owed::asked(review, directory);
        if review.ending.is_some() {
            people.retain(|person| review.was_reached(person, Purpose::Asked, directory));
        }
        let to: Vec<_> = people.into_iter().take(room).map(|person| recipient(gateway, review, directory, person)).collect();
        room -= to.len();
        if !to.is_empty() {
            letters.push(Letter { review: review.clone(), to });
        }
    }
    Ok(letters)
}

fn recipient(gateway: &Gateway, review: &Review, directory: &Directory, person: PrimaryId) -> Recipient {
    let mut notices = review.notified.iter().filter(|notice| notice.what.purpose() == Purpose::Asked);
    let notice = notices.find(|notice| directory.is(&notice.what.person, &person));
    let at = notice.map(|notice| notice.at);
    let via = notice.map(|notice| notice.what.channel);
    let link =
        Capability { review: review.id, person: person.recorded().clone(), expires_at: review.request.expires_at.after(AFTER) };
    let link = gateway.dev.then(|| format!("{}/a/{}", gateway.base_url, capability::mint(&gateway.keys, &link)));
    Recipient { person, at, via, link }
}

fn show_letter(letter: &Letter, directory: &Directory, now: Timestamp) -> Markup {
    let review = &letter.review;
    html! {
        div.letter-head {
            h2 { a href={ "/reviews/" (review.id) } dir="auto" { (review.request.title) } }
            (chip(status_of(review, now)))
        }
        ul.links { @for to in &letter.to { li {
            span { (person(directory, &to.person)) }
            span.muted.small { @match to.at { Some(at) => (words::ago(now, at)), None => "not notified yet" } }
            @match (&to.link, to.via) {
                (Some(link), _) => a.code.link href=(link) title={ "Open as " (directory.name(&to.person)) } { (link) },
                (None, Some(channel)) => span.muted.small { "by " (words::via(channel)) },
                (None, None) => {}
            }
        } } }
    }
}
