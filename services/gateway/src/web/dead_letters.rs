//! `/dead-letters`: records that a consumer gave up on, and the button that puts one back to work.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use events::{StreamId, Timestamp, Version};
use ledger::Parked;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    form,
    form::Fields,
    icons::{Icon, icon},
    layout::{Bar, Place, Shell, respond},
    problem::Problem,
    who,
    who::Session,
    words,
};
use crate::Gateway;

/// The most records on the page; the oldest come first.
const RECORDS: usize = 200;

/// `GET /dead-letters`, for the operator.
pub(super) async fn show(State(gateway): State<Gateway>, headers: HeaderMap) -> Result<Response, Problem> {
    let operator = who::need_operator(&gateway, &headers)?;
    page(&gateway, &operator, &headers, None).await
}

/// Which record to put back to work.
#[derive(Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    csrf: String,
    consumer: String,
    stream: StreamId,
    version: Version,
}

/// `POST /dead-letters`: handles the record again; it stays when that fails again.
pub(super) async fn redrive(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Fields(wish): Fields<Wish>,
) -> Result<Response, Problem> {
    let operator = who::operator_with_form(&gateway, &headers, &wish.csrf)?;
    let parked = gateway.work.parked(RECORDS).await?;
    let found = parked.iter().find(|parked| {
        (parked.consumer.as_str(), parked.stream, parked.version) == (wish.consumer.as_str(), wish.stream, wish.version)
    });
    // Done already, in another tab or from the command line.
    let Some(record) = found else { return Ok(Redirect::to("/dead-letters").into_response()) };
    match gateway.redrive.redrive(record).await {
        Ok(()) => {
            gateway.work.unpark(&record.consumer, record.stream, record.version).await?;
            tracing::info!(consumer = record.consumer, stream = %record.stream, version = %record.version, "dead letter redriven");
            Ok(Redirect::to("/dead-letters").into_response())
        }
        Err(error) => {
            tracing::warn!(consumer = record.consumer, stream = %record.stream, version = %record.version, "dead letter failed again");
            page(&gateway, &operator, &HeaderMap::new(), Some(&error)).await
        }
    }
}

async fn page(gateway: &Gateway, operator: &Session, headers: &HeaderMap, failed: Option<&str>) -> Result<Response, Problem> {
    let parked = gateway.work.parked(RECORDS).await?;
    let (now, csrf) = (gateway.reviews.now(), form::token(gateway, operator));
    let main = html! {
        div.page-head {
            h1 { "Dead letters" }
            p.muted { "Records that a part of the service could not handle. Everything behind them went on. Mend the cause, then try each again." }
        }
        @if let Some(error) = failed {
            div.notice role="alert" { (icon(Icon::Alert)) div { p { strong { "It failed again" } } p.code { (error) } } }
        }
        @if parked.is_empty() {
            div.empty { span.empty-mark.calm { (icon(Icon::Check)) } h2 { "Nothing was left behind" } p { "Every record was handled." } }
        } @else { ol.letters { @for record in &parked { li.card { (show_record(record, now, &csrf)) } } } }
    };
    let bar = Some(Bar::of(gateway, operator, Place::DeadLetters));
    Ok(respond(StatusCode::OK, headers, &Shell { title: "Dead letters", bar, live: failed.is_none(), ..Shell::default() }, &main))
}

fn show_record(record: &Parked, now: Timestamp, csrf: &str) -> Markup {
    html! {
        div.letter-head {
            p { strong { (record.consumer) } " gave up on "
                @match record.stream {
                    StreamId::Review(id) => a.code href={ "/reviews/" (id) } { (id) },
                    StreamId::Directory => "the directory",
                }
                " version " (record.version)
            }
            span.muted.small { (words::ago(now, record.at)) }
        }
        pre.json tabindex="0" role="region" aria-label="What went wrong" { (record.error) }
        form method="post" action="/dead-letters" {
            input type="hidden" name="csrf" value=(csrf);
            input type="hidden" name="consumer" value=(record.consumer);
            input type="hidden" name="stream" value=(record.stream);
            input type="hidden" name="version" value=(record.version);
            button type="submit" { "Try again" }
        }
    }
}
