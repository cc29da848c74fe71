//! Where the next page of a list starts, as text that only we can make and that fits only the list
//! that it was made for.

use std::fmt;

use axum::http::StatusCode;
use channels::keys::Keyring;
use ledger::Position;
use sha2::{Digest as _, Sha256};

use super::problem::Problem;

const PURPOSE: &str = "cursor";
/// Bytes of the digest of what is listed.
const LIST: usize = 8;

/// The cursor of a position in the list that answers `asked`.
pub(super) fn mint(keys: &Keyring, asked: &impl fmt::Debug, next: &Position) -> String {
    let mut payload = list(asked).to_vec();
    payload.extend_from_slice(next.0.as_bytes());
    keys.sign(PURPOSE, &payload)
}

/// The position that a cursor stands for.
///
/// # Errors
/// 400 for a text that is none of ours, or of another list.
pub(super) fn read(keys: &Keyring, asked: &impl fmt::Debug, text: &str) -> Result<Position, Problem> {
    let payload = keys.verify(PURPOSE, text).ok_or_else(bad)?;
    match payload.split_at_checked(LIST) {
        Some((of, position)) if of == list(asked) => String::from_utf8(position.to_vec()).map(Position).map_err(|_| bad()),
        _ => Err(bad()),
    }
}

/// 400: no cursor of this list.
pub(super) fn bad() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "bad-cursor",
        "The cursor cannot be used",
        "A cursor is the next of a page before, given back unchanged and with the same filters.",
    )
}

fn list(asked: &impl fmt::Debug) -> [u8; LIST] {
    let digest: [u8; 32] = Sha256::digest(format!("{asked:?}").as_bytes()).into();
    let mut list = [0; LIST];
    list.copy_from_slice(&digest[..LIST]);
    list
}
