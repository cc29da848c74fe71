//! The details that approver tools and channels put on the bus: votes, cancellations and notices.

use std::fmt::Debug;

use events::{
    Fault,
    inbound::{CancelRequested, NoticeReported, VoteSubmitted},
    json,
};
use serde_json::Value;

/// The most faults that one small object can have: its fields, and unknown ones up to their cap.
const FAULTS_MAX: usize = 1_000;
/// The longest fault in bytes.
const FAULT_MAX: usize = 2_000;

/// What parses is written so that it parses as the same.
pub(crate) fn check(data: &[u8]) {
    let Ok(json::Typed { value: detail, .. }) = json::read(data) else { return };
    both(VoteSubmitted::parse(&detail), VoteSubmitted::parse);
    both(CancelRequested::parse(&detail), CancelRequested::parse);
    both(NoticeReported::parse(&detail), NoticeReported::parse);
}

fn both<T: PartialEq + Debug + serde::Serialize>(read: Result<T, Vec<Fault>>, parse: impl Fn(&Value) -> Result<T, Vec<Fault>>) {
    match read {
        Ok(read) => assert_eq!(parse(&serde_json::to_value(&read).expect("it can be written")), Ok(read)),
        Err(faults) => harmless(&faults),
    }
}

/// There is at least one fault, there are not too many, and each is one line that a terminal can show.
pub(crate) fn harmless(faults: &[Fault]) {
    assert!((1..=FAULTS_MAX).contains(&faults.len()), "{}", faults.len());
    for fault in faults {
        let text = fault.to_string();
        assert!(text.len() <= FAULT_MAX, "{text}");
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(fault.pointer.is_empty() || fault.pointer.starts_with('/'), "{text}");
    }
}
