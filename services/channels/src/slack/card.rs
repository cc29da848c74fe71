//! The message that asks somebody for a decision. It is rendered from the review as it stands, so that
//! the same function makes the first card, every update of it, and the last one, which has no buttons.

use std::sync::Arc;

use events::{
    PersonId, Timestamp,
    event::{Canceller, Choice, Seen, VoteCast},
    line::line,
    request::Risk,
};
use review::{Directory, Ending, Review, state::Dated, tally::Tally};
use serde_json::{Value, json};

use super::{
    BLOCKS_MAX, HEADER_MAX, Message, URL_MAX, evidence,
    interaction::{APPROVE, APPROVE_WITH_NOTE, DETAILS, REJECT},
    markdown,
    text::{context, escaped, escaped_within, length, link, moment, plain, quoted, section},
};

/// The most of a summary that is shown, in UTF-16 units.
const SUMMARY_MAX: usize = 2_000;
/// The most votes that are listed.
const VOTES_MAX: usize = 6;
/// The longest name and reason that are shown.
const NAME_MAX: usize = 80;
const REASON_SHOWN_MAX: usize = 300;
/// The most names in one sentence.
const NAMES_MAX: usize = 5;
/// The longest title inside a sentence.
const TITLE_MAX: usize = 250;

/// What a card shows.
#[derive(Debug, Clone, Copy)]
pub struct Card<'a> {
    /// The review as it stands.
    pub review: &'a Review,
    /// Names.
    pub directory: &'a Directory,
    /// What the buttons carry: [`button::mint`](super::button::mint).
    pub button: &'a str,
    /// Where the reader sees everything.
    pub link: &'a str,
    /// Now.
    pub now: Timestamp,
}

impl Card<'_> {
    /// The card: with buttons while the review is open, and how it ended afterwards.
    pub fn message(&self) -> Message {
        let text = match self.ending() {
            None => format!("{} asks for your decision: {}", self.requester(), self.title()),
            Some(ending) => format!("{}: {}", headline(ending.as_ref()), self.title()),
        };
        // Cut more and more until it fits.
        let shares = [1, 2, 4, 8, 16].into_iter();
        let blocks = shares.map(|share| self.blocks(share).0).find(|blocks| fits(blocks)).unwrap_or_else(|| self.least());
        Message { text, blocks }
    }

    /// How much of what the review asks the card shows: the whole only when nothing was cut, and when there is no
    /// subject, which a card has no place for.
    pub fn shows(&self) -> Seen {
        let request = &self.review.request;
        let has_subject = request.subject.as_object().is_none_or(|subject| !subject.is_empty());
        let title_fits = length(&escaped(&line(&request.title))) <= HEADER_MAX;
        let (blocks, more) = self.blocks(1);
        if has_subject || more || !title_fits || !fits(&blocks) { Seen::Excerpt } else { Seen::Whole }
    }

    /// The reminder that goes into the thread of the card, where the buttons are.
    pub fn reminder(&self) -> Message {
        let deadline = moment(self.review.request.expires_at);
        let text = format!("Reminder: *{}* still waits for you, until {deadline}. {} so far.", self.title(), self.progress());
        let blocks = vec![section(format!("{text} {}", self.page("See everything")))];
        Message { text, blocks }
    }

    /// The blocks, and whether the page shows more of what the review asks.
    fn blocks(&self, share: usize) -> (Vec<Value>, bool) {
        let request = &self.review.request;
        let mut blocks = vec![self.header(), self.standing()];
        let mut more = false;
        if let Some(summary) = request.summary.as_deref() {
            let (text, cut) = markdown::mrkdwn(summary, SUMMARY_MAX / share);
            more |= cut;
            blocks.extend((!text.is_empty()).then(|| section(text)));
        }
        if let Some((block, cut)) = evidence::block(&request.evidence, share) {
            more |= cut;
            blocks.push(block);
        }
        blocks.extend(more.then(|| context(format!("Cut to fit. {}", self.page("See everything")))));
        blocks.extend(self.votes());
        blocks.push(self.foot());
        (blocks, more)
    }

    /// What always fits.
    fn least(&self) -> Vec<Value> {
        vec![self.header(), self.standing(), context(self.page("See everything")), self.foot()]
    }

    fn header(&self) -> Value {
        let title = line(&self.review.request.title);
        let title = if title.is_empty() { "(no title)" } else { &title };
        json!({"type": "header", "text": plain(&escaped_within(title, HEADER_MAX))})
    }

    fn title(&self) -> String {
        quoted(&self.review.request.title, TITLE_MAX)
    }

    fn requester(&self) -> String {
        let request = &self.review.request;
        let name = request.requester.as_ref().map_or(request.origin.source.as_str(), |person| self.directory.name(person));
        quoted(name, NAME_MAX)
    }

    /// How it ended: `None` while people may decide; without a record yet when its time has just run out.
    fn ending(&self) -> Option<Option<Dated<Ending>>> {
        match &self.review.ending {
            Some(ending) => Some(Some(ending.clone())),
            None if self.now >= self.review.request.expires_at => Some(None),
            None => None,
        }
    }

    fn progress(&self) -> String {
        let approvals = Tally::of(self.review.votes.iter().map(|vote| vote.what.as_ref()), self.directory).approvers.len();
        format!("{approvals} of {} approvals", self.review.request.policy.quorum)
    }

    fn standing(&self) -> Value {
        let risk = match self.review.request.risk {
            Risk::High => "  ·  ⚠️ *High risk*",
            Risk::Low | Risk::Normal => "",
        };
        match self.ending() {
            None => {
                let deadline = moment(self.review.request.expires_at);
                context(format!("*{}* asks you  ·  *{}*  ·  until {deadline}{risk}", self.requester(), self.progress()))
            }
            Some(ending) => section(self.ended(ending.as_ref())),
        }
    }

    fn ended(&self, ending: Option<&Dated<Ending>>) -> String {
        let headline = headline(ending);
        let Some(Dated { at, what }) = ending else {
            return format!("{headline} {}: nobody decided in time.", moment(self.review.request.expires_at));
        };
        let at = moment(*at);
        let with = |by: String, reason: &Option<String>| match reason {
            Some(reason) => format!("{headline} by {by}, {at}\n&gt; {}", quoted(reason, REASON_SHOWN_MAX)),
            None => format!("{headline} by {by}, {at}"),
        };
        match what {
            Ending::Decided { reason, decided_by, .. } => with(self.names(decided_by), reason),
            Ending::Expired => format!("{headline} {at}: nobody decided in time."),
            Ending::Cancelled { by, reason } => {
                let by = match by {
                    Canceller::Requester(person) => self.name(person),
                    Canceller::Source { source, .. } => quoted(source, NAME_MAX),
                    Canceller::Operator => "the operator".to_owned(),
                    Canceller::Execution { status, .. } => format!("its workflow, which {}", status.in_words()),
                };
                with(by, reason)
            }
        }
    }

    fn votes(&self) -> Option<Value> {
        let mut votes: Vec<_> = self.review.last_words(self.directory).into_values().collect();
        votes.sort_by_key(|vote| vote.at);
        let mut lines: Vec<String> = votes.iter().take(VOTES_MAX).map(|vote| self.vote(vote)).collect();
        if votes.len() > VOTES_MAX {
            lines.push(format!("… and {} more", votes.len() - VOTES_MAX));
        }
        (!lines.is_empty()).then(|| context(lines.join("\n")))
    }

    fn vote(&self, vote: &Dated<Arc<VoteCast>>) -> String {
        let said = match vote.what.choice {
            Choice::Approve => "✅ approved",
            Choice::Reject => "❌ rejected",
            Choice::RequestChanges => "✏️ asked for changes",
            Choice::Comment => "commented",
        };
        let (sign, said) = said.split_once(' ').unwrap_or(("", said));
        let reason = vote.what.reason.as_deref().map(|reason| format!(": “{}”", quoted(reason, REASON_SHOWN_MAX)));
        format!("{sign} {} {said} {}{}", self.name(&vote.what.person), moment(vote.at), reason.unwrap_or_default())
    }

    /// The buttons, or the link alone once there is nothing left to decide.
    fn foot(&self) -> Value {
        if self.ending().is_some() {
            return context(self.page("Details"));
        }
        let reject =
            json!({"type": "button", "action_id": REJECT, "style": "danger", "text": plain("Reject…"), "value": self.button});
        // A high risk is approved where the whole is shown: on the page.
        let is_high = self.review.request.risk == Risk::High;
        let mut elements = if is_high {
            vec![reject]
        } else {
            vec![
                json!({"type": "button", "action_id": APPROVE, "style": "primary", "text": plain("Approve"), "value": self.button}),
                reject,
                json!({"type": "button", "action_id": APPROVE_WITH_NOTE, "text": plain("Approve with a note…"), "value": self.button}),
            ]
        };
        if length(self.link) <= URL_MAX {
            let words = if is_high { "Read all and decide" } else { "Details" };
            let mut details = json!({"type": "button", "action_id": DETAILS, "text": plain(words), "url": self.link});
            if is_high {
                details["style"] = json!("primary");
                elements.insert(0, details);
            } else {
                elements.push(details);
            }
        }
        json!({"type": "actions", "block_id": "decide", "elements": elements})
    }

    fn page(&self, words: &str) -> String {
        if length(self.link) <= URL_MAX - 100 { link(&escaped(self.link), words) } else { "The page has it all.".to_owned() }
    }

    fn name(&self, person: &PersonId) -> String {
        quoted(self.directory.name(person), NAME_MAX)
    }

    fn names(&self, people: &[PersonId]) -> String {
        let mut names: Vec<String> = people.iter().take(NAMES_MAX).map(|person| self.name(person)).collect();
        if people.len() > NAMES_MAX {
            names.push(format!("{} more", people.len() - NAMES_MAX));
        }
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => names.join(""),
        }
    }
}

/// How a review ended in a few words of mrkdwn, with everybody who made it: for whoever comes late.
pub fn ended(review: &Review, directory: &Directory, ending: &Dated<Ending>) -> String {
    let card = Card { review, directory, button: "", link: "", now: ending.at };
    card.ended(Some(ending))
}

fn headline(ending: Option<&Dated<Ending>>) -> &'static str {
    use events::event::Verdict;
    match ending.map(|ending| &ending.what) {
        Some(Ending::Decided { verdict: Verdict::Approved, .. }) => "✅ *Approved*",
        Some(Ending::Decided { verdict: Verdict::Rejected, .. }) => "❌ *Rejected*",
        Some(Ending::Cancelled { .. }) => "🚫 *Cancelled*",
        Some(Ending::Expired) | None => "⏳ *Expired*",
    }
}

fn fits(blocks: &[Value]) -> bool {
    serde_json::to_string(blocks).is_ok_and(|json| length(&json) <= BLOCKS_MAX)
}
