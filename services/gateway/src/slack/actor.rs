//! Who acts: the account that Slack signed, or the person whom the address of its profile names, where the
//! operator opted in to that and nothing better is known.

use events::{PersonId, ReviewId};
use review::{Directory, Review};
use slack::SlackError;

use super::{App, Failed};
use crate::Gateway;

/// Who acts.
pub(super) struct Actor {
    /// The person, by any of their ids.
    pub(super) person: PersonId,
    /// The account, when its address alone says that it is this person.
    pub(super) matched_account: Option<PersonId>,
}

/// Finds out who acts on a review with this account. Asks Slack only where the directory and the request say
/// nothing of the account.
///
/// # Errors
/// When the log fails, or Slack does not answer in time.
pub(super) async fn find(gateway: &Gateway, app: &App, account: PersonId, review: ReviewId) -> Result<Actor, Failed> {
    let matched = matched(gateway, app, &account, review).await?;
    Ok(match matched {
        Some(person) => Actor { person, matched_account: Some(account) },
        None => Actor { person: account, matched_account: None },
    })
}

async fn matched(gateway: &Gateway, app: &App, account: &PersonId, review: ReviewId) -> Result<Option<PersonId>, Failed> {
    let Some(team) = &app.trusted else { return Ok(None) };
    let Some(user) = team.user_of(account) else { return Ok(None) };
    let directory = gateway.reviews.directory().await?;
    if directory.knows(account) {
        return Ok(None);
    }
    let fold = gateway.reviews.load(review).await?;
    if fold.state.review().is_none_or(|review| names(review, &directory, account)) {
        return Ok(None);
    }
    let user = match app.slack.user(user).await {
        Ok(user) => user,
        Err(error @ (SlackError::Busy { .. } | SlackError::Unavailable(_))) => return Err(Failed::Slack(error)),
        Err(error) => {
            tracing::error!(%error, %account, "Slack does not let us see whose account this is");
            return Ok(None);
        }
    };
    match user.person(team, &directory) {
        Ok(person) if team.account(&user).as_ref() == Some(account) => Ok(Some(person)),
        Ok(_) => Ok(None),
        Err(why) => {
            tracing::info!(%account, %why, "an account was not matched by its address");
            Ok(None)
        }
    }
}

/// Whether the request means this very account: as one who decides, or as the one who asked and must not.
fn names(review: &Review, directory: &Directory, account: &PersonId) -> bool {
    let account = directory.primary(account);
    directory.is_one_of(&account, &review.request.reviewers) || review.is_requester(&account, directory)
}
