//! What SES says of a mail that came back ("Contents of event data that Amazon SES publishes" in its
//! developer guide; EventBridge puts the same record into `detail`).
//!
//! | SES says | is it back |
//! |---|---|
//! | bounce, permanent or undetermined | yes: there is no such mailbox, or it is on the suppression list |
//! | bounce, transient, of a mailbox that is full, or of a mail that is too large or not wanted | yes: SES says so once it has given up trying |
//! | bounce, transient, general | no: so does a mailbox that answers by itself, such as one whose owner is away |
//! | complaint | yes: whoever calls our mail unwanted will not act upon it |
//! | reject | yes: SES has found a virus in it and sends it nowhere |
//!
//! What SES still tries it tells by delays, which nobody subscribes to.

use events::{ReviewId, event::Channel};
use lambda::Failure;
use notifier::{returned::Returned, ses::REVIEW_TAG};
use serde_json::Value;

/// Under which EventBridge says what SES says. It lets no caller put an event under a source that begins
/// with `aws.`.
pub const SOURCE: &str = "aws.ses";

/// What became of a mail.
#[derive(Debug, PartialEq, Eq)]
pub enum Mail {
    /// It came back.
    CameBack(Returned),
    /// So did this one, which says of no review that it was about it.
    OfNoReview {
        /// The id that SES gave it.
        message_ref: String,
    },
    /// Nothing shows that it did not arrive.
    MayArrive,
}

/// Reads a record. The addresses in it are read by nobody.
///
/// # Errors
/// When it has another form.
pub fn read(detail: &Value) -> Result<Mail, Failure> {
    let text = |path: &str| detail.pointer(path).and_then(Value::as_str);
    let strange = |what: &str| Failure::refused(format!("the event of SES is of no form that is known: {what}"));
    let why = match text("/eventType").ok_or_else(|| strange("it has no eventType"))? {
        "Bounce" => {
            let (kind, sub) = (text("/bounce/bounceType").unwrap_or_default(), text("/bounce/bounceSubType"));
            let sub = sub.unwrap_or("General");
            if kind == "Transient" && sub == "General" {
                return Ok(Mail::MayArrive);
            }
            format!("bounced: {kind}, {sub}")
        }
        "Complaint" => match text("/complaint/complaintFeedbackType") {
            Some(kind) => format!("its reader complained: {kind}"),
            None => "its reader complained".to_owned(),
        },
        "Reject" => format!("SES rejected it: {}", text("/reject/reason").unwrap_or("no reason given")),
        _ => return Ok(Mail::MayArrive),
    };
    let message_ref = text("/mail/messageId").ok_or_else(|| strange("it has no messageId"))?.to_owned();
    // A tag has a list of values, of which ours has one.
    let tag = detail.pointer("/mail/tags").and_then(|tags| tags.get(REVIEW_TAG)?.get(0)?.as_str());
    let review: Option<ReviewId> = tag.and_then(|review| review.parse().ok());
    Ok(match review {
        Some(review) => Mail::CameBack(Returned { review, channel: Channel::Email, message_ref, why }),
        None => Mail::OfNoReview { message_ref },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn review() -> ReviewId {
        ReviewId::for_event("1", "s", "e", 1)
    }

    fn record(kind: &str, more: Value) -> Value {
        let mail = json!({"timestamp": "2026-11-25T08:00:00.000Z", "messageId": "m-1", "destination": ["ana@example.com"],
            "source": "Reviews <reviews@example.com>", "sendingAccountId": "111122223333",
            "tags": {"ses:configuration-set": ["countersign"], (REVIEW_TAG): [review()]}});
        let mut record = json!({"eventType": kind, "mail": mail});
        record.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        record
    }

    fn bounce(kind: &str, sub: &str) -> Value {
        let recipients =
            json!([{"emailAddress": "ana@example.com", "status": "5.1.1", "diagnosticCode": "smtp; 550 ana@example.com"}]);
        record("Bounce", json!({"bounce": {"bounceType": kind, "bounceSubType": sub, "bouncedRecipients": recipients}}))
    }

    fn why(record: &Value) -> Option<String> {
        match read(record).expect("a record of SES") {
            Mail::CameBack(Returned { review, channel: Channel::Email, message_ref, why }) => {
                assert_eq!((review, message_ref.as_str()), (self::review(), "m-1"));
                Some(why)
            }
            Mail::MayArrive => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mail_is_back_when_nothing_will_make_it_arrive_and_why_names_no_address() {
        let complaint = record("Complaint", json!({"complaint": {"complaintFeedbackType": "abuse"}}));
        let reject = record("Reject", json!({"reject": {"reason": "Bad content"}}));
        for (record, expected) in [
            (bounce("Permanent", "General"), Some("bounced: Permanent, General")),
            (bounce("Permanent", "OnAccountSuppressionList"), Some("bounced: Permanent, OnAccountSuppressionList")),
            (bounce("Undetermined", "Undetermined"), Some("bounced: Undetermined, Undetermined")),
            (bounce("Transient", "MailboxFull"), Some("bounced: Transient, MailboxFull")),
            (bounce("Transient", "General"), None),
            (complaint, Some("its reader complained: abuse")),
            (record("Complaint", json!({"complaint": {}})), Some("its reader complained")),
            (reject, Some("SES rejected it: Bad content")),
            (record("DeliveryDelay", json!({"deliveryDelay": {"delayType": "MailboxFull"}})), None),
            (record("Delivery", json!({"delivery": {}})), None),
        ] {
            let why = why(&record);
            assert_eq!(why.as_deref(), expected, "{record}");
            assert!(!why.unwrap_or_default().contains('@'));
        }
    }

    #[test]
    fn a_mail_of_no_review_and_a_record_of_another_form_are_told_apart() {
        let mut untagged = bounce("Permanent", "General");
        untagged["mail"]["tags"] = json!({"ses:configuration-set": ["countersign"]});
        assert_eq!(read(&untagged), Ok(Mail::OfNoReview { message_ref: "m-1".to_owned() }));
        untagged["mail"]["tags"] = json!({(REVIEW_TAG): ["no review"]});
        assert_eq!(read(&untagged), Ok(Mail::OfNoReview { message_ref: "m-1".to_owned() }));
        for strange in [json!(null), json!({}), json!({"eventType": "Bounce", "bounce": {}}), json!([1])] {
            assert!(!read(&strange).expect_err("another form").retryable, "{strange}");
        }
    }
}
