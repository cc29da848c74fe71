//! `GET /audit`: who approved what, when, why, having seen what; how it was delivered, and what the
//! workflow answered.

use axum::{extract::State, http::HeaderMap, response::Response};
use events::{Timestamp, request::Reviewer};
use ledger::{ExecuteError, LedgerError, Search};
use serde_json::json;

use super::{
    cursor, fresh,
    input::{Input, Params},
    problem::Problem,
};
use crate::{
    Gateway,
    audit::{Question, words},
};

/// Reviews of a page, unless asked otherwise, and at most.
const PAGE: usize = 20;
const PAGE_MAX: usize = 100;

/// `GET /audit`: one page.
pub(super) async fn answer(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Params(mut input): Params,
) -> Result<Response, Problem> {
    let question = question(&mut input);
    let limit: Option<usize> = input.parsed("limit", "a whole number");
    if limit.is_some_and(|limit| !(1..=PAGE_MAX).contains(&limit)) {
        input.fault("limit", format!("a whole number from 1 to {PAGE_MAX}"));
    }
    let cursor: Option<String> = input.parsed("cursor", "the next of a page before");
    input.close()?;
    let cursor = cursor.map(|text| cursor::read(&gateway.keys, &question, &text)).transpose()?;
    let given = cursor.is_some();
    let answer = question.ask(&gateway.reviews, gateway.views.as_ref(), cursor, limit.unwrap_or(PAGE)).await;
    match answer {
        Ok(answer) => {
            let next = answer.next.map(|next| cursor::mint(&gateway.keys, &question, &next));
            fresh::by_content(&headers, &json!({"audit": answer.trails, "next": next}))
        }
        // A cursor of ours, but of a store that was replaced since.
        Err(ExecuteError::Ledger(LedgerError::Damaged { .. })) if given => Err(cursor::bad()),
        Err(error) => Err(error.into()),
    }
}

/// The question that a query asks; its faults are in the input.
fn question(input: &mut Input) -> Question {
    const PERSON: &str = "an e-mail address or slack:TEAM/USER";
    const TIME: &str = "a time as RFC 3339 writes it, such as 2026-11-23T04:11:21Z";
    let reviewer: Option<String> = input.parsed("reviewer", PERSON);
    let reviewer = reviewer.and_then(|text| {
        let read = match text.strip_prefix("group:") {
            Some(group) => group.parse().map(Reviewer::Group),
            None => text.parse().map(Reviewer::Person),
        };
        read.map_err(|_| input.fault("reviewer", format!("{PERSON}, or group:NAME"))).ok()
    });
    let channel: Option<String> = input.parsed("channel", "a channel");
    let channel = channel.and_then(|text| {
        let read = words::read_channel(&text);
        if read.is_none() {
            input.fault("channel", words::CHANNELS.map(words::channel).join(", "));
        }
        read
    });
    let from: Option<Timestamp> = input.parsed("from", TIME);
    let to: Option<Timestamp> = input.parsed("to", TIME);
    let search = Search {
        status: input.read("outcome", "\"open\", \"approved\", \"rejected\", \"expired\", \"cancelled\" or \"refused\""),
        subject: input.parsed("subject", "kind/id"),
        from,
        to,
        ..Search::default()
    };
    Question { search, requester: input.person_id("requester"), reviewer, channel }
}
