//! The signed links that messages carry.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use events::{Period, PersonId, ReviewId};
use review::Review;

use crate::{
    capability::{self, Capability},
    keys::Keyring,
};

/// How long a link outlives its review, so that a late click says what became of it.
pub const AFTERLIFE: Period = Period::hours(7 * 24);

/// Makes links. Cheap to clone.
#[derive(Clone)]
pub struct Links {
    keys: Arc<Keyring>,
    base_url: Arc<str>,
}

/// One person's link to one review. Whoever has it decides in that person's name, so it does not
/// print.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    review: ReviewId,
    token: String,
    base_url: Arc<str>,
}

impl Links {
    /// Signed with `keys`; `base_url` is how people reach the service, without a slash at the end.
    pub fn new(keys: Arc<Keyring>, base_url: Arc<str>) -> Links {
        Links { keys, base_url }
    }

    /// How people reach the service, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// A person's link to a review. A vote by it is one by this very id: their primary one, or the address that the link is
    /// sent to.
    pub fn to(&self, review: &Review, person: &impl AsRef<PersonId>) -> Link {
        let expires_at = review.request.expires_at.after(AFTERLIFE);
        let capability = Capability { review: review.id, person: AsRef::<PersonId>::as_ref(person).clone(), expires_at };
        Link { review: review.id, token: capability::mint(&self.keys, &capability), base_url: Arc::clone(&self.base_url) }
    }
}

impl Link {
    /// The capability alone, about 100 characters, such as a button carries.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The address of the page that shows the review and takes the decision.
    pub fn url(&self) -> String {
        format!("{}/a/{}", self.base_url, self.token)
    }

    /// The shortest address that leads to the review's page, for where characters are few and others may
    /// read along. It is nobody's own and opens nothing: the page asks for sign-in.
    pub fn short_url(&self) -> String {
        format!("{}/r/{}", self.base_url, URL_SAFE_NO_PAD.encode(self.review.as_uuid().as_bytes()))
    }
}

/// The review of the last part of a short address; `None` when it is none.
pub fn of_short(text: &str) -> Option<ReviewId> {
    let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    // The one way to make a review id is to read its text.
    format!("{:032x}", u128::from_be_bytes(bytes)).parse().ok()
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::tests::review;
    use review::Directory;
    use serde_json::json;

    #[test]
    fn a_short_address_names_the_review_and_nobody() {
        let review = review(json!({}));
        let links = Links::new(Arc::new(Keyring::new(vec![(1, [7; 32])]).expect("keys")), "https://r.example".into());
        let short =
            |person: &str| links.to(&review, &Directory::default().primary(&person.parse().expect("a person"))).short_url();
        assert_eq!(short("ana@x.com"), short("bob@x.com"));
        let short = short("ana@x.com");
        let last = short.strip_prefix("https://r.example/r/").expect("an address of ours");
        assert_eq!((last.len(), of_short(last)), (22, Some(review.id)));
        for strange in ["", "x", &last[1..], "!!!!!!!!!!!!!!!!!!!!!!", &format!("{last}AA")] {
            assert_eq!(of_short(strange), None, "{strange}");
        }
    }
}
