//! `/`: what waits for the person who looks, what they asked for, and everything they may see; for
//! the operator, every review; for anybody else, how to get in.

mod listing;
mod row;
mod wish;

use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use events::{PersonId, ReviewId};
use ledger::Status;
use maud::{Markup, html};

use self::{
    listing::{Listing, Reader},
    wish::{RISKS, STATUSES, Tab, Wish, risk_key},
};
pub(super) use self::{
    row::{chip, pips, risk},
    wish::escape,
};
use super::{
    icons::{Icon, icon},
    layout::{Bar, Place, Shell, respond},
    problem::Problem,
    signin, who, words,
};
use crate::Gateway;

/// The most dead letters that are counted.
const PARKED_MAX: usize = 100;

/// `GET /`.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    Query(query): Query<wish::Query>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(session) = who::session(&gateway, &headers) else {
        return Ok(if signin::is_led_here(&headers) { signin::again() } else { welcome(&headers) });
    };
    let person = session.person();
    let wish = Wish::read(query, person.is_some());
    if let Ok(id) = wish.text.parse::<ReviewId>() {
        // Whoever looks for an id wants that review.
        return Ok(Redirect::to(&format!("/reviews/{id}")).into_response());
    }
    let directory = gateway.reviews.directory().await?;
    let reader = Reader { gateway: &gateway, directory: &directory, person };
    let listing = reader.list(&wish).await.map_err(|error| match wish.from {
        // A position that no list gave.
        Some(_) if !error.is_retryable() => Problem::NotFound,
        _ => Problem::from(error),
    })?;
    let parked = if person.is_none() { gateway.work.parked(PARKED_MAX).await?.len() } else { 0 };
    let now = gateway.reviews.now();
    let main = html! {
        div.page-head { h1 { "Reviews" } p.muted { (greeting(person.map(|id| directory.name(id)))) } }
        @if parked > 0 {
            div.notice role="status" { (icon(Icon::Alert)) p {
                a href="/dead-letters" { (words::count(parked, "record")) @if parked == PARKED_MAX { " or more" } } " could not be handled and " (if parked == 1 { "waits" } else { "wait" }) " for you."
            } }
        }
        (tabs(&wish, &listing, person))
        (filters(&wish))
        @if listing.rows.is_empty() { (nothing(&wish, listing.next.is_some())) }
        @else { ol.rows { @for row in &listing.rows { li { (row::show(row, now, &directory, person)) } } } }
        (pager(&wish, &listing))
    };
    let bar = Some(Bar::of(&gateway, &session, Place::Inbox));
    Ok(respond(StatusCode::OK, &headers, &Shell { title: wish.tab.name(), bar, live: true, ..Shell::default() }, &main))
}

fn greeting(name: Option<&str>) -> Markup {
    html! { @match name {
        Some(name) => { bdi { (name) } ", this is what people and programs ask you to decide." }
        None => "What waits for a decision, and what became of it.",
    } }
}

fn tabs(wish: &Wish, listing: &Listing, person: Option<&PersonId>) -> Markup {
    let counts = !wish.narrows() && wish.from.is_none() && matches!(wish.tab, Tab::Waiting | Tab::Open);
    html! {
        nav.tabs aria-label="Lists" { @for tab in Tab::all(person.is_some()) {
            a href=(Wish::address_of(tab, person.is_some())) aria-current=[(tab == wish.tab).then_some("page")] {
                (tab.name()) @if tab == wish.tab && counts { span.count { (listing.rows.len()) @if listing.next.is_some() { "+" } } }
            }
        } }
    }
}

fn filters(wish: &Wish) -> Markup {
    html! {
        form.filters method="get" action="/" role="search" aria-label="Filter this list" {
            @for (name, value) in wish.fields() { input type="hidden" name=(name) value=(value); }
            input #search type="search" name="q" value=(wish.text) placeholder="Title, who asked, or source" aria-label="Words to find" autocomplete="off" maxlength="200";
            @if wish.tab.has_statuses() {
                select name="status" aria-label="Status" {
                    option value="" { "Any status" }
                    @for status in STATUSES.into_iter().filter(|status| wish.tab != Tab::Ended || *status != Status::Open) {
                        option value=(status.as_str()) selected[wish.status == Some(status)] { (words::status(status)) }
                    }
                }
            }
            select name="risk" aria-label="Risk" {
                option value="" { "Any risk" }
                @for risk in RISKS { option value=(risk_key(risk)) selected[wish.risk == Some(risk)] { (words::risk(risk)) } }
            }
            button type="submit" { "Find" }
            @if wish.narrows() { a.button.plain href=(Wish { status: None, risk: None, text: String::new(), from: None, ..*wish }.address_from(None)) { "Clear" } }
        }
    }
}

fn pager(wish: &Wish, listing: &Listing) -> Markup {
    let further = if wish.narrows() {
        "Look further →"
    } else if wish.tab == Tab::Waiting {
        "Later →"
    } else {
        "Older →"
    };
    html! {
        @if wish.narrows() && listing.next.is_some() {
            p.muted.small.looked { "Found among " (listing.looked_through) " reviews; there are more to look through." }
        }
        @if listing.next.is_some() || wish.from.is_some() {
            nav.pager aria-label="Pages" {
                @if wish.from.is_some() { a.button href=(wish.address_from(None)) { "← From the start" } }
                @if let Some(next) = &listing.next { a.button rel="next" href=(wish.address_from(Some(next))) { (further) } }
            }
        }
    }
}

fn nothing(wish: &Wish, more: bool) -> Markup {
    let calm = matches!(wish.tab, Tab::Waiting | Tab::Open);
    html! {
        div.empty {
            span.empty-mark.calm { (icon(if calm && !wish.narrows() { Icon::Check } else { Icon::Inbox })) }
            @if wish.narrows() {
                h2 { "Nothing found" @if more { " yet" } }
                p { "No review of this list is like that. Fewer words find more." }
            } @else if more || wish.from.is_some() {
                h2 { "None on this page" }
            } @else if wish.tab == Tab::Waiting {
                h2 { "Nothing waits for you" }
                p { "When somebody asks you to decide, it appears here by itself." }
            } @else if wish.tab == Tab::Open {
                h2 { "Nothing waits for a decision" }
                p { "When a workflow or a program asks for a review, it appears here by itself. To try it, run " code { "countersign demo" } " beside this service." }
            } @else if wish.tab == Tab::Asked {
                h2 { "You have asked for nothing so far" }
                p { "Reviews that are requested in your name appear here, with what became of them." }
            } @else {
                h2 { "None so far" }
            }
        }
    }
}

fn welcome(headers: &HeaderMap) -> Response {
    let main = html! {
        div.empty {
            span.empty-mark { (icon(Icon::Inbox)) }
            h1 { "Decisions, on record" }
            p { "Countersign pauses automated work until the right people decide." }
            p { a.button.primary href="/signin" { "Sign in" } }
            dl.ways {
                dt { "You were asked to decide" }
                dd { "Open the link in your own message. It lets you see and decide that one review, and needs no account. Sign in to see all that waits for you." }
                dt { "You run this service" }
                dd { "Open the sign-in link that " code { "countersign serve" } " printed when it started. It signs this browser in for 12 hours." }
            }
        }
    };
    respond(StatusCode::OK, headers, &Shell { title: "Welcome", ..Shell::default() }, &main)
}
