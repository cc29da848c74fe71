//! How a review ended, in words.

use events::event::{Canceller, Verdict};
use maud::{Markup, html};
use review::{
    Directory,
    state::{Dated, Ending},
};

use super::{super::words, people, person};

/// `Approved by Ana and Bo, 23 Nov 2026, 04:11 UTC`.
pub(super) fn sentence(ending: &Dated<Ending>, directory: &Directory) -> Markup {
    html! {
        @match &ending.what {
            Ending::Decided { verdict, decided_by, .. } => {
                (match verdict { Verdict::Approved => "Approved", Verdict::Rejected => "Rejected" }) " by " (people(directory, decided_by)) ", "
            }
            Ending::Expired => { "Expired: nobody decided in time, " }
            Ending::Cancelled { by, .. } => { "Cancelled by " (canceller(by, directory)) ", " }
        }
        (words::at(ending.at))
    }
}

/// The reason that was given with the ending.
pub(super) fn reason(ending: &Ending) -> Option<&str> {
    match ending {
        Ending::Decided { reason, .. } | Ending::Cancelled { reason, .. } => reason.as_deref(),
        Ending::Expired => None,
    }
}

/// Who withdrew it.
pub(super) fn canceller(by: &Canceller, directory: &Directory) -> Markup {
    html! {
        @match by {
            Canceller::Requester(id) => (person(directory, id)),
            Canceller::Source { source, .. } => { "its program " bdi { (source) } },
            Canceller::Operator => "the operator",
            Canceller::Execution { status, .. } => { "its workflow, which " (status.in_words()) },
        }
    }
}
