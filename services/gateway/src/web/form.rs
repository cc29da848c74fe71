//! Forms as browsers send them. A form that cannot be read is answered with a page, not with a
//! line of text.

use axum::extract::{Form, FromRequest, Request};
use channels::session;
use events::line::is_blank;
use serde::de::DeserializeOwned;

use super::{problem::Problem, who::Session};
use crate::Gateway;

/// A form that was read, or [`Problem::BrokenForm`].
pub(super) struct Fields<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> FromRequest<S> for Fields<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Fields<T>, Problem> {
        let Form(fields) = Form::from_request(request, state).await.map_err(|_| Problem::BrokenForm)?;
        Ok(Fields(fields))
    }
}

/// What somebody typed: line ends as `\n`, no space around; nothing when nobody can see anything in it.
pub(super) fn typed(text: Option<&str>) -> Option<String> {
    let text = text?.replace("\r\n", "\n");
    (!is_blank(&text)).then(|| text.trim().to_owned())
}

/// The token for the forms that this session is shown.
pub(super) fn token(gateway: &Gateway, session: &Session) -> String {
    session::form_token(&gateway.keys, session.cookie())
}
