//! What a message looks like on each channel, and how a reply is verified.
//!
//! | module | holds |
//! |---|---|
//! | [`keys`] | the secrets that everything here is signed with; none of them prints |
//! | [`access_key`] | the pairs of AWS keys by which programs sign calls |
//! | [`bearer`] | the tokens of programs that call the API |
//! | [`capability`] | the signed link that lets one person act on one review |
//! | [`link`] | the links that messages carry |
//! | [`announcement`] | what somebody is told when the directory changed who they are |
//! | [`mail`] | the mails, and their thread |
//! | [`sms`] | the SMS: an alert in one segment |
//! | [`slack`] | cards, windows and buttons in Slack, and the signature of what comes back |
//! | [`provider`] | the way to a provider of sign-ins, and why it may lead to none |
//! | [`session`] | the operator's sign-in link, session cookie and form tokens |

pub mod access_key;
pub mod announcement;
pub mod bearer;
pub mod capability;
pub mod keys;
pub mod link;
pub mod mail;
pub mod provider;
pub mod session;
pub mod slack;
pub mod sms;
