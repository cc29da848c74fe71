//! A window with a reason was sent off. It is answered with what it is to show next: nothing, what is
//! to be mended, or why it does not count.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use channels::slack::{
    button,
    interaction::{self, Submitted},
    modal::{self, CALLBACK, Metadata, REASON},
    signature::Once,
};
use events::{
    event::Choice,
    line::{characters, is_blank},
    request::REASON_MAX,
};
use serde_json::json;

use super::{
    App, actor, unavailable,
    vote::{self, Outcome},
};
use crate::Gateway;

/// Answers a window; what it says is in the log before.
pub(super) async fn answer(gateway: &Gateway, app: &App, submitted: &Submitted, once: &Once) -> Response {
    let view = &submitted.view;
    if view.callback_id != CALLBACK {
        return StatusCode::OK.into_response();
    }
    let metadata = serde_json::from_str::<Metadata>(&view.private_metadata).ok();
    let button = metadata.as_ref().and_then(|metadata| button::open(&gateway.keys, &metadata.button));
    let account = interaction::actor(&submitted.user, submitted.team.as_ref());
    let (Some(Metadata { choice, .. }), Some(button), Some(account)) = (metadata, button, account) else {
        return show("This window is too old. Press the button of the card again.");
    };
    let typed = view.state.values.get(REASON).and_then(|block| block.get(REASON)).and_then(|typed| typed.value.as_deref());
    let reason = typed.filter(|reason| !is_blank(reason)).map(|reason| reason.trim().to_owned());
    match choice {
        Choice::Approve | Choice::Reject => {}
        Choice::RequestChanges | Choice::Comment => return show("This window is none of ours."),
    }
    if reason.as_ref().is_some_and(|reason| characters(reason) > REASON_MAX) {
        return mend("This is too long to be kept; 4000 characters is the most.");
    }
    let actor = match actor::find(gateway, app, account, button.review).await {
        Ok(actor) => actor,
        Err(error) => return unavailable(&error),
    };
    match vote::cast(gateway, once, &button, &actor, (choice, reason)).await {
        // An empty answer closes the window.
        Ok(Outcome::Counted | Outcome::CountedBefore(_)) => StatusCode::OK.into_response(),
        Ok(Outcome::Late(words, _) | Outcome::NotCounted(words)) => show(&words),
        Err(error) => unavailable(&error.into()),
    }
}

fn mend(words: &str) -> Response {
    Json(json!({"response_action": "errors", "errors": {REASON: words}})).into_response()
}

fn show(words: &str) -> Response {
    Json(json!({"response_action": "update", "view": modal::told(words)})).into_response()
}
