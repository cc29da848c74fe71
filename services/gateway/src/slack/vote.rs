//! A vote from Slack: the same command as from every other channel.

use channels::slack::{button::Button, card, signature::Once};
use events::{
    PersonId,
    event::{Channel, Choice, VoteRefusal},
};
use ledger::{Claim, ExecuteError, Executed};
use review::{Answer, Command, Directory, Review, command::Vote};

use super::actor::Actor;
use crate::Gateway;

const NEEDS_NEWER: &str = "A newer version of Countersign wrote this review, so this one counted nothing. Decide by the link \
                           in the details, or in a moment.";

/// What came of a vote.
pub(super) enum Outcome {
    /// It counts, now or since before.
    Counted,
    /// It counted before, and the review has ended since; the review.
    CountedBefore(Box<Review>),
    /// It came too late; what is to be said, and the review as it ended.
    Late(String, Box<Review>),
    /// It does not count; what is to be said.
    NotCounted(String),
}

/// Hands a vote in. When this returns, it is in the log.
///
/// A request of Slack's can be recorded on its way and sent again within five minutes. What it says is the
/// same vote again, and is answered as before, unless the person has changed their mind meanwhile: their
/// newer vote stands.
///
/// # Errors
/// When the log fails.
pub(super) async fn cast(
    gateway: &Gateway,
    once: &Once,
    button: &Button,
    actor: &Actor,
    (choice, reason): (Choice, Option<String>),
) -> Result<Outcome, ExecuteError> {
    let now = gateway.reviews.now();
    let first = gateway.work.claim(&format!("slack/{}", once.name), now, once.until).await?;
    if first != Claim::Granted && has_changed(gateway, button, actor, choice).await? {
        tracing::warn!(review_id = %button.review, "an interaction came again after a newer vote of the same person");
        return Ok(Outcome::Counted);
    }
    let vote = Vote {
        person: actor.person.clone(),
        choice,
        reason,
        channel: Channel::Slack,
        entered_by: None,
        integration: None,
        matched_account: actor.matched_account.clone(),
        stated: button.stated,
        trusted: true,
    };
    let Executed { answer, fold, .. } = gateway.reviews.execute(button.review, &Command::Vote(vote), None).await?;
    let matched = actor.matched_account.as_ref().map(tracing::field::display);
    tracing::info!(review_id = %button.review, answer = answer.name(), matched, "vote in Slack");
    let directory = gateway.reviews.directory().await?;
    Ok(match (answer, fold.state.review()) {
        (Answer::NotCounted { why, ending }, Some(review)) => match ending {
            Some(ending) => {
                let mut review = review.clone();
                let words = card::ended(&review, &directory, &ending);
                review.ending.get_or_insert(ending);
                Outcome::Late(format!("Your click came after the end. {words}"), Box::new(review))
            }
            None if !is_known(review, &directory, actor) => Outcome::NotCounted(stranger(&actor.person)),
            None => Outcome::NotCounted(refusal(why).to_owned()),
        },
        (Answer::AlreadyCounted, Some(review)) if review.ending.is_some() => Outcome::CountedBefore(Box::new(review.clone())),
        (Answer::NeedsNewer(_), _) => Outcome::NotCounted(NEEDS_NEWER.to_owned()),
        (Answer::NotFound, _) | (_, None) => Outcome::NotCounted("This review is not here any more.".to_owned()),
        _ => Outcome::Counted,
    })
}

/// Whether the person's vote that stands now is another one.
async fn has_changed(gateway: &Gateway, button: &Button, actor: &Actor, choice: Choice) -> Result<bool, ExecuteError> {
    let fold = gateway.reviews.load(button.review).await?;
    let directory = gateway.reviews.directory().await?;
    let Some(review) = fold.state.review() else { return Ok(false) };
    let person = directory.primary(&actor.person);
    let theirs = review.votes.iter().rev().filter(|vote| vote.what.choice != Choice::Comment);
    let stands = theirs.map(|vote| &vote.what).find(|vote| directory.primary(&vote.person) == person);
    Ok(stands.is_some_and(|vote| vote.choice != choice))
}

/// Whether this account stands for somebody: the directory names it, or the request does, or its address.
pub(super) fn is_known(review: &Review, directory: &Directory, actor: &Actor) -> bool {
    let Actor { person, matched_account } = actor;
    matched_account.is_some()
        || directory.knows(person)
        || directory.is_one_of(&directory.primary(person), &review.request.reviewers)
}

/// For an account that nobody has bound to a person.
pub(super) fn stranger(person: &PersonId) -> String {
    let account = person.as_str().strip_prefix("slack:").unwrap_or(person.as_str());
    format!(
        "Your Slack account is not known to Countersign, so nothing was counted. Ask its operator to add \
         `slack = \"{account}\"` to your entry in the directory."
    )
}

fn refusal(why: VoteRefusal) -> &'static str {
    match why {
        VoteRefusal::NotAReviewer => "You are not one of the reviewers, so nothing was counted.",
        VoteRefusal::OwnRequest => "This is your own request. Nobody decides on their own, so nothing was counted.",
        VoteRefusal::OtherSubject => {
            "What this card shows is not what the review holds, so nothing was counted. Open the details and decide there."
        }
        VoteRefusal::NotSeenWhole => {
            "This is a high risk and the card shows a part of it, so nothing was counted. Open the page, read all, and decide there."
        }
        VoteRefusal::TooOften => {
            "No more comments or wishes for changes are kept on this review. Approving and rejecting still count."
        }
        VoteRefusal::AlreadyDecided | VoteRefusal::Expired | VoteRefusal::Cancelled | VoteRefusal::UntrustedSource => {
            "This does not count."
        }
    }
}
