//! Whose account it is, by the e-mail address of its profile, where the operator has opted in to that.
//!
//! Whoever runs a workspace can set the addresses in it, and so decide as anybody whom the directory does not
//! bind to an account. So it holds for the one workspace that the operator names, and there for its own people
//! alone: no guests, no bots, nobody of another workspace (Slack Connect), and no address that is not confirmed.

use events::PersonId;
use review::Directory;
use serde::Deserialize;

/// The one workspace whose profiles are believed, such as `T01`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedTeam(String);

impl TrustedTeam {
    /// Takes a workspace's id; `None` when it is none: `T` (`E` of an Enterprise organization), then capital
    /// letters and digits.
    pub fn new(id: &str) -> Option<TrustedTeam> {
        let sign = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        (id.len() > 1 && id.starts_with(['T', 'E']) && id.bytes().all(sign)).then(|| TrustedTeam(id.to_owned()))
    }

    /// The user whom an account of this workspace names, as `slack:T01/U02` has them both.
    pub fn user_of<'a>(&self, account: &'a PersonId) -> Option<&'a str> {
        account.as_str().strip_prefix("slack:")?.strip_prefix(self.0.as_str())?.strip_prefix('/')
    }

    /// The account of one of this workspace's users.
    pub fn account(&self, user: &User) -> Option<PersonId> {
        format!("slack:{}/{}", self.0, user.id).parse().ok()
    }
}

/// A user, as far as we ask for it (reference "User object"). What Slack leaves out counts as it would speak
/// against them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "Slack's own form")]
pub struct User {
    /// Such as `U02`.
    pub id: String,
    #[serde(default)]
    team_id: String,
    #[serde(default = "yes")]
    deleted: bool,
    #[serde(default = "yes")]
    is_bot: bool,
    #[serde(default = "yes")]
    is_restricted: bool,
    #[serde(default = "yes")]
    is_ultra_restricted: bool,
    /// Only there, and true, for somebody of another workspace.
    #[serde(default)]
    is_stranger: bool,
    #[serde(default)]
    is_email_confirmed: bool,
    #[serde(default)]
    profile: Profile,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Profile {
    #[serde(default)]
    email: Option<String>,
}

fn yes() -> bool {
    true
}

/// Why the address of a profile says nothing about who its account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotVouched {
    /// It belongs to another workspace.
    #[error("the account belongs to another workspace")]
    OtherTeam,
    /// It was deactivated.
    #[error("the account was deactivated")]
    Deleted,
    /// It is a program.
    #[error("the account is a bot")]
    Bot,
    /// It is a guest.
    #[error("the account is a guest's")]
    Guest,
    /// Nobody has shown that they read mail at that address.
    #[error("the account's address is not confirmed")]
    NotConfirmed,
    /// There is none, Slack does not show it, or it is none that this service takes.
    #[error("the account shows no address that could be a person's")]
    NoAddress,
    /// The directory says whose account this is, or which account is theirs.
    #[error("the directory binds the account, or whoever has its address, to another one")]
    Bound,
}

impl User {
    /// The person whom the address of this profile names, by the id that it is. What the directory says goes
    /// before: whoever has an account there, and an account that is somebody's there, match nothing else.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn person(&self, team: &TrustedTeam, directory: &Directory) -> Result<PersonId, NotVouched> {
        let person = self.vouched(team)?;
        let is_account = |id: &PersonId| id.as_str().starts_with("slack:");
        let is_bound = team.account(self).is_none_or(|account| directory.knows(&account));
        if is_bound || directory.ids_of(&directory.primary(&person)).any(is_account) {
            Err(NotVouched::Bound)
        } else {
            Ok(person)
        }
    }

    fn vouched(&self, team: &TrustedTeam) -> Result<PersonId, NotVouched> {
        let faults = [
            (self.team_id != team.0 || self.is_stranger, NotVouched::OtherTeam),
            (self.deleted, NotVouched::Deleted),
            (self.is_bot, NotVouched::Bot),
            (self.is_restricted || self.is_ultra_restricted, NotVouched::Guest),
            (!self.is_email_confirmed, NotVouched::NotConfirmed),
        ];
        if let Some((_, why)) = faults.into_iter().find(|(holds, _)| *holds) {
            return Err(why);
        }
        self.profile.email.as_deref().and_then(|address| PersonId::email(address).ok()).ok_or(NotVouched::NoAddress)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn user(change: impl Fn(&mut Value)) -> Result<PersonId, NotVouched> {
        let mut user = json!({
            "id": "U02", "team_id": "T01", "deleted": false, "is_bot": false, "is_restricted": false,
            "is_ultra_restricted": false, "is_email_confirmed": true, "profile": {"email": "Ana@Example.com"},
        });
        change(&mut user);
        let user: User = serde_json::from_value(user).expect("a user");
        user.vouched(&TrustedTeam::new("T01").expect("a workspace"))
    }

    #[test]
    fn only_a_confirmed_member_of_that_very_workspace_is_who_their_address_says() {
        assert_eq!(user(|_| ()), Ok("ana@example.com".parse().expect("a person")));
        for (field, value, why) in [
            ("team_id", json!("T02"), NotVouched::OtherTeam),
            ("is_stranger", json!(true), NotVouched::OtherTeam),
            ("deleted", json!(true), NotVouched::Deleted),
            ("is_bot", json!(true), NotVouched::Bot),
            ("is_restricted", json!(true), NotVouched::Guest),
            ("is_ultra_restricted", json!(true), NotVouched::Guest),
            ("is_email_confirmed", json!(false), NotVouched::NotConfirmed),
            ("profile", json!({}), NotVouched::NoAddress),
            ("profile", json!({"email": null}), NotVouched::NoAddress),
            ("profile", json!({"email": "slack:T01/U01"}), NotVouched::NoAddress),
        ] {
            assert_eq!(user(|user| user[field] = value.clone()), Err(why), "{field} {value}");
        }
        for field in ["team_id", "deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_email_confirmed", "profile"] {
            let left_out = user(|user| drop(user.as_object_mut().and_then(|user| user.remove(field))));
            assert!(left_out.is_err(), "{field}");
        }
    }

    #[test]
    fn a_workspace_is_told_from_every_other_one() {
        let team = TrustedTeam::new("T01").expect("a workspace");
        let user = |account: &str| team.user_of(&account.parse().expect("a person")).map(str::to_owned);
        assert_eq!(user("slack:T01/U02"), Some("U02".to_owned()));
        assert_eq!((user("slack:T012/U02"), user("slack:T02/U02"), user("ana@example.com")), (None, None, None));
        for none in ["", "T", "true", "T01/U02", "slack", "t01", "T 1"] {
            assert_eq!(TrustedTeam::new(none), None, "{none}");
        }
    }
}
