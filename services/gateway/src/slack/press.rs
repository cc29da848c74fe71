//! A button was pressed.

use std::sync::Arc;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use channels::{
    link::Links,
    slack::{
        button::{self, Button},
        card::Card,
        interaction::{self, APPROVE, APPROVE_WITH_NOTE, Pressed, REJECT},
        modal::{self, Metadata},
        signature::Once,
    },
};
use events::{PersonId, event::Choice};
use review::Review;
use slack::Place;

use super::{
    App, Failed,
    actor::{self, Actor},
    unavailable,
    vote::{self, Outcome},
};
use crate::Gateway;

const OLD: &str = "This card is from before Countersign's keys were replaced. Decide by the link in its details.";

/// Answers a pressed button; always 200 once what it asked for is in the log.
pub(super) async fn answer(gateway: &Gateway, app: &App, pressed: &Pressed, once: &Once) -> Response {
    let Some(action) = pressed.actions.first() else { return StatusCode::OK.into_response() };
    let press = Press { gateway, app, pressed, once };
    let done = match action.action_id.as_str() {
        APPROVE => press.vote(&action.value).await,
        APPROVE_WITH_NOTE => press.ask(&action.value, Choice::Approve).await,
        REJECT => press.ask(&action.value, Choice::Reject).await,
        // Details is a link, which Slack follows by itself.
        _ => Ok(()),
    };
    match done {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => unavailable(&error),
    }
}

struct Press<'a> {
    gateway: &'a Gateway,
    app: &'a App,
    pressed: &'a Pressed,
    once: &'a Once,
}

impl Press<'_> {
    /// Approves at once.
    async fn vote(&self, value: &str) -> Result<(), Failed> {
        let Some((button, actor)) = self.open(value).await? else { return Ok(()) };
        match vote::cast(self.gateway, self.once, &button, &actor, (Choice::Approve, None)).await? {
            Outcome::Counted => {}
            Outcome::Late(_, review) | Outcome::CountedBefore(review) => self.replace(&review, &actor.person).await?,
            Outcome::NotCounted(words) => self.whisper(&words).await,
        }
        Ok(())
    }

    /// Asks for a reason first, unless there is nothing left to decide.
    async fn ask(&self, value: &str, choice: Choice) -> Result<(), Failed> {
        let Some((button, actor)) = self.open(value).await? else { return Ok(()) };
        let fold = self.gateway.reviews.load(button.review).await?;
        let directory = self.gateway.reviews.directory().await?;
        let Some(review) = fold.state.review() else {
            self.whisper("This review is not here any more.").await;
            return Ok(());
        };
        if review.ending.is_some() || self.gateway.reviews.now() >= review.request.expires_at {
            return self.replace(review, &actor.person).await;
        }
        if !vote::is_known(review, &directory, &actor) {
            self.whisper(&vote::stranger(&actor.person)).await;
            return Ok(());
        }
        let place = &self.pressed.container;
        let (channel, message) = (place.channel_id.clone(), place.message_ts.clone());
        let metadata = Metadata { button: value.to_owned(), choice, channel, message };
        let Some(view) = modal::reason(review, &metadata) else { return Ok(()) };
        if let Err(error) = self.app.slack.open(&self.pressed.trigger_id, &view).await {
            tracing::warn!(review_id = %button.review, error, "the window for a reason did not open");
        }
        Ok(())
    }

    /// What the button is of and who pressed it; when that cannot be said, whoever pressed it is told.
    async fn open(&self, value: &str) -> Result<Option<(Button, Actor)>, Failed> {
        let Some(account) = interaction::actor(&self.pressed.user, self.pressed.team.as_ref()) else {
            tracing::warn!("an interaction names no workspace and user");
            return Ok(None);
        };
        let Some(button) = button::open(&self.gateway.keys, value) else {
            self.whisper(OLD).await;
            return Ok(None);
        };
        let actor = actor::find(self.gateway, self.app, account, button.review).await?;
        Ok(Some((button, actor)))
    }

    /// Puts how it ended in the place of a card that still had buttons.
    async fn replace(&self, review: &Review, person: &PersonId) -> Result<(), Failed> {
        let directory = self.gateway.reviews.directory().await?;
        let place = Place { channel: self.pressed.container.channel_id.clone(), ts: self.pressed.container.message_ts.clone() };
        let link = self.link(review, person, &place);
        let card = Card { review, directory: &directory, button: "", link: &link, now: self.gateway.reviews.now() };
        if let Err(error) = self.app.slack.replace(&place, &card.message()).await {
            tracing::warn!(review_id = %review.id, error, "a card that came too late was not replaced");
        }
        Ok(())
    }

    /// The person's own link, by the id that acts here, where they alone read it; else the address of the page.
    fn link(&self, review: &Review, person: &PersonId, place: &Place) -> String {
        let links = Links::new(Arc::clone(&self.gateway.keys), Arc::clone(&self.gateway.base_url));
        if place.channel.starts_with('D') {
            links.to(review, person).url()
        } else {
            format!("{}/reviews/{}", links.base_url(), review.id)
        }
    }

    async fn whisper(&self, words: &str) {
        let (channel, user) = (&self.pressed.container.channel_id, &self.pressed.user.id);
        if let Err(error) = self.app.slack.whisper(channel, user, words).await {
            tracing::warn!(error, "somebody could not be told why their click did not count");
        }
    }
}
