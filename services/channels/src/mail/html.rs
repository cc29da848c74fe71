//! The HTML of a mail: one column, no image, nothing from elsewhere, in colours that both a light and
//! a dark client can show.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Words, more, plain::Block};

/// Clients that know it follow the reader's scheme; the others show what is said inline.
const STYLE: &str = "\
:root{color-scheme:light dark;supported-color-schemes:light dark}\
@media (prefers-color-scheme:dark){\
body,.page{background:#14171c!important;color:#e6e8eb!important}\
.card{background:#1d2127!important;border-color:#353b44!important}\
.quiet{color:#a5adb8!important}\
.code{background:#14171c!important}\
.cell{border-color:#353b44!important}\
.button{background:#7fb0ff!important;color:#0b1220!important}}";

const PAGE: &str = "margin:0;padding:24px 12px;background:#f4f5f7;color:#1b1f24;\
font:16px/1.5 -apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const CARD: &str = "max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border:1px solid #d9dde3;border-radius:10px";
const BUTTON: &str = "display:inline-block;padding:11px 18px;background:#1f5fbf;color:#ffffff;border-radius:7px;\
text-decoration:none;font-weight:600";
const CODE: &str = "margin:0 0 16px;padding:10px 12px;background:#f4f5f7;border-radius:7px;\
font:13px/1.5 ui-monospace,Consolas,Menlo,monospace;white-space:pre-wrap;overflow-wrap:anywhere";
const CELL: &str = "padding:4px 10px;border:1px solid #d9dde3;vertical-align:top;overflow-wrap:anywhere";
const QUIET: &str = "color:#59626e";

pub(super) fn page(words: &Words, link: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta name="color-scheme" content="light dark";
                meta name="supported-color-schemes" content="light dark";
                title { (words.title) }
                style { (PreEscaped(STYLE)) }
            }
            body.page style=(PAGE) {
                div.card style=(CARD) {
                    p style="margin:0 0 12px" { bdi { (words.greeting) } }
                    p style="margin:0 0 12px" { bdi { (words.lead) } }
                    h1 dir="auto" style="margin:0 0 16px;font-size:21px;line-height:1.3;overflow-wrap:anywhere" { (words.title) }
                    @for (index, block) in words.summary.iter().enumerate() {
                        (show(block, matches!(words.summary.get(index + 1), Some(Block::Item { .. }))))
                    }
                    @if !words.facts.is_empty() {
                        table role="presentation" cellspacing="0" style="margin:0 0 16px;border-collapse:collapse;font-size:15px" {
                            @for (label, value) in &words.facts { tr {
                                td.quiet dir="auto" style={ (QUIET) ";padding:3px 16px 3px 0;vertical-align:top" } { (label) }
                                td dir="auto" style="padding:3px 0;overflow-wrap:anywhere" { (value) }
                            } }
                        }
                    }
                    @if words.more > 0 { p.quiet style={ (QUIET) ";margin:0 0 16px;font-size:14px" } { (more(words.more)) } }
                    p style="margin:20px 0 12px" {
                        // SES would else be able to route it through a counter of clicks.
                        a.button ses:no-track href=(link) style=(BUTTON) { (words.action) }
                    }
                    @if let Some(deadline) = &words.deadline { p.quiet style={ (QUIET) ";margin:0 0 4px;font-size:14px" } { "Decide " (deadline) "." } }
                    @if let Some(warning) = words.warning { p.quiet style={ (QUIET) ";margin:0;font-size:14px" } { (warning) } }
                }
            }
        }
    }
}

/// A block of the summary. Inline styles and real tables alone are shown alike by all clients.
fn show(block: &Block, before_item: bool) -> Markup {
    match block {
        Block::Text(lines) => html! { p dir="auto" style="margin:0 0 16px;overflow-wrap:anywhere" { (broken(lines)) } },
        Block::Item { depth, mark, lines } => {
            let below = if before_item { 4 } else { 16 };
            html! {
                table role="presentation" cellspacing="0" style={ "margin:0 0 " (below) "px;border-collapse:collapse" } { tr {
                    td style={ "padding:0 8px 0 " (depth * 20) "px;vertical-align:top;white-space:nowrap;min-width:14px" } { (mark) }
                    td dir="auto" style="padding:0;overflow-wrap:anywhere" { (broken(lines)) }
                } }
            }
        }
        Block::Code(lines) => html! { pre.code dir="ltr" style=(CODE) { (lines.join("\n")) } },
        Block::Table(rows) => html! {
            table cellspacing="0" style="margin:0 0 16px;border-collapse:collapse;font-size:15px" {
                @for (index, row) in rows.iter().enumerate() { tr { @for cell in row {
                    @if index == 0 { th.cell scope="col" dir="auto" style={ (CELL) ";text-align:start" } { (cell) } }
                    @else { td.cell dir="auto" style=(CELL) { (cell) } }
                } } }
            }
        },
    }
}

fn broken(lines: &[String]) -> Markup {
    html! { @for (index, line) in lines.iter().enumerate() { @if index > 0 { br; } (line) } }
}
