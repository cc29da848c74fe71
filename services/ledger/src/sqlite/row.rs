//! Ids and times as the tables hold them.

use events::{ReviewId, StreamId, Timestamp};
use rusqlite::{Error, Row, types::Type};

/// A stream as its column holds it: short, since it is in every commit and its index.
pub(super) fn stream_bytes(stream: &StreamId) -> Vec<u8> {
    stream.review().map(|review| review_bytes(&review).to_vec()).unwrap_or_default()
}

pub(super) fn review_bytes(review: &ReviewId) -> [u8; 16] {
    review.as_uuid().into_bytes()
}

pub(super) fn stream_at(row: &Row<'_>, column: usize) -> rusqlite::Result<StreamId> {
    match row.get_ref(column)?.as_blob()? {
        [] => Ok(StreamId::Directory),
        _ => review_at(row, column).map(StreamId::Review),
    }
}

pub(super) fn review_at(row: &Row<'_>, column: usize) -> rusqlite::Result<ReviewId> {
    row.get(column).map(ReviewId::from_bytes)
}

pub(super) fn time_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let millis: i64 = row.get(column)?;
    Timestamp::from_millis(millis).ok_or(Error::IntegralValueOutOfRange(column, millis))
}

/// Something in a column is not what was once written there.
pub(super) fn conversion(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error))
}

/// A limit as SQL takes it.
pub(super) fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
