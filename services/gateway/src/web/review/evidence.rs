//! What the reviewers are to look at.

use events::request::Evidence;
use maud::{Markup, html};
use review::state::Review;

use super::super::markdown;

/// A value up to this many characters stands as a figure, a longer one as text.
const FIGURE_MAX: usize = 24;

/// The summary, as its author formatted it.
pub(super) fn summary(review: &Review) -> Markup {
    html! {
        @if let Some(summary) = &review.request.summary {
            section.card.summary aria-labelledby="summary" {
                h2 #summary { "Summary" }
                div.prose dir="auto" { (markdown::render(summary)) }
            }
        }
    }
}

/// The evidence: figures first as a row, then the rest in order.
pub(super) fn list(review: &Review) -> Markup {
    let (figures, rest): (Vec<_>, Vec<_>) = review.request.evidence.iter().partition(|piece| is_figure(piece));
    html! {
        @if !review.request.evidence.is_empty() {
            section.card aria-labelledby="evidence" {
                h2 #evidence { "Evidence" }
                @if !figures.is_empty() {
                    dl.figures { @for piece in figures { div {
                        dt dir="auto" { (piece.label) }
                        dd dir="auto" { (piece.value.as_deref().unwrap_or_default()) }
                    } } }
                }
                @for piece in rest { figure.piece {
                    figcaption dir="auto" { (piece.label) }
                    (content(piece))
                } }
            }
        } @else if review.request.summary.is_none() {
            section.card { p.muted { "The request came without a summary or evidence. What it is about is under Subject." } }
        }
    }
}

fn is_figure(piece: &Evidence) -> bool {
    piece.value.as_ref().is_some_and(|value| value.chars().count() <= FIGURE_MAX && !value.contains('\n'))
}

fn content(piece: &Evidence) -> Markup {
    html! {
        @if let Some(value) = &piece.value {
            pre.value dir="auto" tabindex="0" role="region" aria-label=(piece.label) { (value) }
        }
        // The request's own check lets only http and https through; a log from elsewhere may not have been checked.
        @if let Some(url) = piece.url.as_deref() {
            @if url.starts_with("https://") || url.starts_with("http://") {
                p { a.out href=(url) rel="noopener noreferrer nofollow" target="_blank" dir="ltr" { (url) } }
            } @else { p.code { (url) } }
        }
        @if let Some(rows) = &piece.table { (table(rows, &piece.label)) }
        @if let Some(image) = piece.image.as_deref() {
            @if markdown::is_image(image) { img.evidence src=(image) alt=(piece.label) loading="lazy"; }
            @else { p.muted { "This image cannot be shown." } }
        }
    }
}

fn table(rows: &[Vec<String>], label: &str) -> Markup {
    let (head, body) = rows.split_first().map_or((&[][..], &[][..]), |(head, body)| (head.as_slice(), body));
    html! {
        div.scroll tabindex="0" role="region" aria-label=(label) {
            table {
                thead { tr { @for (column, cell) in head.iter().enumerate() {
                    @let below = body.first().and_then(|row| row.get(column));
                    th scope="col" dir="auto" .number[below.is_some_and(|cell| is_number(cell))] { (cell) }
                } } }
                tbody { @for row in body { tr { @for cell in row {
                    td dir="auto" .number[is_number(cell)] { (cell) }
                } } } }
            }
        }
    }
}

/// Numbers stand to the right, so that they can be compared.
fn is_number(cell: &str) -> bool {
    let cell = cell.trim().trim_end_matches('%').trim_end();
    !cell.is_empty() && cell.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | ' '))
}
