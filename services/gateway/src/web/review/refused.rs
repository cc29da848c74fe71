//! A request that was refused: why, fault by fault.

use events::event::RefusalKind;
use ledger::Status;
use maud::{Markup, html};
use review::state::Refused;

use super::{
    super::{
        icons::{Icon, icon},
        inbox::chip,
        words,
    },
    Loaded, record, timeline,
};

pub(super) fn page(loaded: &Loaded, refused: &Refused) -> Markup {
    let refusal = &refused.refusal;
    let why = match refusal.kind {
        RefusalKind::Invalid => "The request breaks the schema or a limit.",
        RefusalKind::KeyReused => "Its key already stands for other content.",
        RefusalKind::Unapprovable => "Nobody, or too few people, could ever approve it.",
    };
    html! {
        div.review {
            div.review-head {
                p.crumb { a href="/" { "← Inbox" } }
                div.tags { (chip(Status::Refused)) }
                h1 dir="auto" { (loaded.title()) }
                p.meta { "Asked by " bdi { (refusal.origin.source) } " " (words::ago(loaded.now, refused.at)) }
                section.banner.refused aria-label="Outcome" {
                    span.banner-mark { (icon(Icon::Minus)) }
                    div { p.banner-line { (why) " Nobody was asked, and a workflow that waits on it is failed." } }
                }
            }
            div.review-record {
                section.card aria-labelledby="faults" {
                    h2 #faults { (words::count(refusal.faults.len(), "fault")) }
                    dl.faults { @for fault in &refusal.faults {
                        dt.code { (if fault.pointer.is_empty() { "(the whole)" } else { &fault.pointer }) }
                        dd dir="auto" { "Expected " (fault.expected) }
                    } }
                }
                (record::workflows(loaded, &refused.waiting))
                (timeline::show(loaded))
            }
        }
    }
}
