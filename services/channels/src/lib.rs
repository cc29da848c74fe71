//! What a message looks like on each channel, and how a reply is verified.
//!
//! | module | holds |
//! |---|---|
//! | [`keys`] | the secrets that everything here is signed with; none of them prints |
//! | [`capability`] | the signed link that lets one person act on one review |
//! | [`mail`] | the mail that asks for a decision |
//! | [`session`] | the operator's sign-in link, session cookie and form tokens |

pub mod capability;
pub mod keys;
pub mod mail;
pub mod session;
