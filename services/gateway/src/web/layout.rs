//! What is around every page, and how a page becomes an answer.

use axum::{
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY},
    },
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};
use sha2::{Digest as _, Sha256};

use super::{
    assets::{ICON, SCRIPT, STYLE},
    form,
    icons::{Icon, icon},
    who::Session,
};
use crate::{Gateway, security};

/// A place that the bar at the top leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The inbox.
    Inbox,
    /// What the outbox channel wrote.
    Outbox,
    /// The auditor's questions.
    Audit,
    /// Records that no consumer could handle.
    DeadLetters,
    /// The demo.
    Demo,
    /// None of them.
    Elsewhere,
}

/// The bar of a browser that is signed in.
#[derive(Debug, Clone)]
pub struct Bar {
    place: Place,
    /// Absent for the operator.
    person: Option<String>,
    /// Whether there is a demo to go to.
    demo: bool,
    /// The token of the sign-out form.
    csrf: String,
}

impl Bar {
    /// The bar of this session's page at `place`.
    pub fn of(gateway: &Gateway, session: &Session, place: Place) -> Bar {
        let person = session.person().map(ToString::to_string);
        Bar { place, demo: gateway.demo && person.is_none(), person, csrf: form::token(gateway, session) }
    }

    fn leads_to(&self, place: Place) -> bool {
        match place {
            Place::Inbox | Place::Elsewhere => true,
            Place::Outbox | Place::Audit | Place::DeadLetters => self.person.is_none(),
            Place::Demo => self.demo,
        }
    }
}

/// What a page is wrapped in.
#[derive(Debug, Clone, Default)]
pub struct Shell<'a> {
    /// What the browser's tab says.
    pub title: &'a str,
    /// Absent for those who are not signed in.
    pub bar: Option<Bar>,
    /// Whether the script fetches this page again when it has changed.
    pub live: bool,
    /// Whether the browser is to load this page again at once.
    pub again: bool,
    /// A word that changes when the page should be announced anew, such as the outcome.
    pub state: &'a str,
}

impl Shell<'_> {
    fn has_script(&self) -> bool {
        self.live || self.bar.is_some()
    }
}

/// The answer with this page: 304 when the browser has it already, and never kept by anybody
/// between. The tag is taken of what is shown, so that it changes exactly when that does.
pub fn respond(status: StatusCode, asked: &HeaderMap, shell: &Shell<'_>, main: &Markup) -> Response {
    let tag = tag(shell, main);
    let known = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|known| known.contains(&tag));
    let mut response = if status == StatusCode::OK && known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let html = wrap(shell, main, &tag).into_string();
        (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Cookie"));
    if status == StatusCode::OK
        && let Ok(tag) = HeaderValue::from_str(&tag)
    {
        headers.insert(ETAG, tag);
    }
    response
}

fn tag(shell: &Shell<'_>, main: &Markup) -> String {
    let mut hash = Sha256::new();
    let csrf = shell.bar.as_ref().map_or("", |bar| bar.csrf.as_str());
    for part in [shell.title, csrf, STYLE.path.as_str(), SCRIPT.path.as_str(), main.0.as_str()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let hex: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

fn wrap(shell: &Shell<'_>, main: &Markup, tag: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex, nofollow";
                @if shell.again { meta http-equiv="refresh" content="0"; }
                title { (shell.title) " · Countersign" }
                link rel="icon" type="image/svg+xml" href=(ICON.path);
                link rel="stylesheet" href=(STYLE.path);
                @if shell.has_script() { script src=(SCRIPT.path) defer {} }
            }
            body {
                a.skip href="#main" { "Skip to content" }
                (dev_bar())
                header.top { div.top-in {
                    a.brand href="/" { (mark()) "Countersign" }
                    @if let Some(bar) = &shell.bar { (links(bar)) }
                } }
                main #main tabindex="-1" data-state=(shell.state) data-etag=[shell.live.then_some(tag)] { (main) }
                @if shell.has_script() { (keys()) }
                p #said .unseen role="status" {}
                p #news .news role="status" hidden { "This page has changed. " a href="" { "Show it as it is now" } }
            }
        }
    }
}

/// What every page says in development mode, in red.
pub(crate) fn dev_bar() -> Markup {
    html! {
        @if security::is_dev() { aside.dev aria-label="Development mode" { strong { "Development mode." } " Decisions can be entered in anybody’s name. Not for real reviews." } }
    }
}

fn links(bar: &Bar) -> Markup {
    let places = [
        (Place::Inbox, "/", "Inbox", Icon::Inbox),
        (Place::Outbox, "/outbox", "Outbox", Icon::Mail),
        (Place::Audit, "/audit", "Audit", Icon::Search),
        (Place::DeadLetters, "/dead-letters", "Dead letters", Icon::Alert),
        (Place::Demo, "/demo", "Demo", Icon::Bolt),
    ];
    html! {
        nav aria-label="Main" {
            @for (place, href, name, drawing) in places.into_iter().filter(|(place, ..)| bar.leads_to(*place)) {
                a href=(href) aria-current=[(place == bar.place).then_some("page")] { (icon(drawing)) (name) }
            }
        }
        form.sign-out method="post" action="/signout" {
            input type="hidden" name="csrf" value=(bar.csrf);
            bdi.muted.who { (bar.person.as_deref().unwrap_or("Operator")) }
            button.plain type="submit" { "Sign out" }
        }
    }
}

/// What the keys do, and the switch for who has no use for them (WCAG 2.2, 2.1.4). Both wait for the
/// script; the place of the button is kept, so that nothing moves when it comes.
fn keys() -> Markup {
    const KEYS: [(&str, &str); 7] = [
        ("j", "next review in the list"),
        ("k", "the one before"),
        ("Enter", "open it"),
        ("a", "go to Approve"),
        ("r", "go to Reject"),
        ("c", "write a reason"),
        ("/", "search"),
    ];
    html! {
        footer.foot { button #keys-open .plain type="button" hidden { "Keyboard shortcuts " kbd { "?" } } }
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Keyboard shortcuts" }
            dl { @for (key, what) in KEYS { div { dt { kbd { (key) } } dd { (what) } } } }
            p.muted.small { "A key only leads to a button. Nothing is decided until you press it." }
            form method="dialog" {
                label.switch { input #keys-on type="checkbox" checked; " Shortcuts are on" }
                button type="submit" { "Close" }
            }
        }
    }
}

fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 32" aria-hidden="true" focusable="false" {
            rect width="32" height="32" rx="9" {}
            path d="M6.5 16.5l5 5 9-11M17.5 21.5l8-10" fill="none" stroke-width="3" stroke-linecap="round" stroke-linejoin="round" {}
        }
    }
}
