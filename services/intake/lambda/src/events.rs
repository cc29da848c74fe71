//! The forms in which an event comes.

use ::events::json::{self, NotJson, Typed};
use intake::{BusEvent, Sender, TrustedSource};
use lambda::{Failure, sqs::Message};
use serde_json::Value;

/// The source of a direct invoke that names none.
const INVOKE_SOURCE: &str = "lambda";
/// What a bare detail is.
const REQUESTED: &str = "ReviewRequested";

/// An event from a queue that a rule of the bus feeds: the envelope, whose account and source
/// EventBridge vouches for. `None` for a replay from an archive.
pub fn from_bus(message: &Message) -> Result<Option<BusEvent>, Failure> {
    let envelope = parse(message)?;
    if envelope.value.get("replay-name").is_some() {
        return Ok(None);
    }
    let text = |name: &str| {
        let value = envelope.value.get(name).and_then(Value::as_str).map(str::to_owned);
        value.ok_or_else(|| Failure::refused(format!("the message is no EventBridge envelope: it has no {name}")))
    };
    let detail = envelope.field("detail");
    let detail = detail.ok_or_else(|| Failure::refused("the message is no EventBridge envelope: it has no detail"))?;
    let (id, account, source, detail_type) = (text("id")?, text("account")?, text("source")?, text("detail-type")?);
    Ok(Some(BusEvent { id, sender: Sender::Bus { account, source }, detail_type, detail }))
}

/// An event from the queue of one outside account: the bare detail of a request, whose origin is the
/// queue's, whatever it says itself. `None` for one of our own publications that strayed in.
pub fn from_queue(message: &Message, account: &str, source: &str) -> Result<Option<BusEvent>, Failure> {
    let detail = parse(message)?;
    let field = |name: &str| detail.value.get(name).and_then(Value::as_str);
    if field("source") == Some("countersign") && field("detail-type").is_some() {
        return Ok(None);
    }
    let sender = Sender::Bus { account: account.to_owned(), source: source.to_owned() };
    Ok(Some(BusEvent { id: message.id.clone(), sender, detail_type: REQUESTED.to_owned(), detail }))
}

/// An event that somebody with the right to invoke us handed in: with its type and source, or a bare
/// detail of a request. The account is our own; the invocation's id stands for the event's. It may ask and withdraw:
/// no policy looks at the source that it writes, so that its votes and reports are those of nobody.
///
/// # Errors
/// For a source of AWS itself, under which EventBridge lets no caller put anything either.
pub fn from_invoke(event: Typed, function_arn: &str, request_id: &str) -> Result<BusEvent, Failure> {
    let text = |name: &str| event.value.get(name).and_then(Value::as_str).map(str::to_owned);
    let account = function_arn.split(':').nth(4).unwrap_or_default().to_owned();
    let id = text("id").filter(|id| !id.is_empty()).unwrap_or_else(|| request_id.to_owned());
    match (text("detail-type"), event.field("detail")) {
        (Some(detail_type), Some(detail)) => {
            let source = text("source").unwrap_or_else(|| INVOKE_SOURCE.to_owned());
            if source.starts_with("aws.") {
                return Err(Failure::refused("a source that begins with \"aws.\" is no caller's"));
            }
            Ok(BusEvent { id, sender: Sender::Invoked { account, source }, detail_type, detail })
        }
        _ => Ok(BusEvent {
            id: request_id.to_owned(),
            sender: Sender::Invoked { account, source: INVOKE_SOURCE.to_owned() },
            detail_type: REQUESTED.to_owned(),
            detail: event,
        }),
    }
}

/// What `TRUSTED_SOURCES` lists; `None` when an entry is not `account/source`.
pub fn trusted(list: &str) -> Option<Vec<TrustedSource>> {
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let read = |entry: &str| match entry.split_once('/') {
        Some((account, source)) if !account.is_empty() && !source.is_empty() => {
            Some(TrustedSource { account: account.to_owned(), source: source.to_owned() })
        }
        _ => None,
    };
    entries.map(read).collect()
}

/// Says where the fault is and quotes nothing: the body may hold a task token.
fn parse(message: &Message) -> Result<Typed, Failure> {
    json::read(message.body.as_bytes()).map_err(|error| match error {
        NotJson::Malformed(error) => {
            let (line, column, size) = (error.line(), error.column(), message.body.len());
            Failure::refused(format!("the message is no JSON: fault at line {line} column {column} of {size} bytes"))
        }
        other => Failure::refused(format!("the message is no JSON: {other}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(body: &str) -> Message {
        Message { id: "m-1".to_owned(), body: body.to_owned(), sent: None }
    }

    fn envelope() -> Value {
        json!({"id": "e-1", "account": "111122223333", "source": "com.example", "detail-type": "ReviewRequested", "detail": {"title": "T"}})
    }

    #[test]
    fn the_bus_vouches_for_account_and_source() {
        let event = from_bus(&message(&envelope().to_string())).expect("read").expect("an event");
        assert_eq!((event.sender.account(), event.sender.source(), event.id.as_str()), ("111122223333", "com.example", "e-1"));
        assert_eq!(event.detail, Typed::made(json!({"title": "T"})));
    }

    #[test]
    fn what_cannot_be_kept_as_it_was_typed_comes_with_its_place_in_the_detail() {
        let places = |event: &BusEvent| event.detail.faults.iter().map(|fault| fault.pointer.clone()).collect::<Vec<_>>();
        let detail = r#"{"subject":{"order":9007199254740993},"policy":{"quorum":2,"quorum":1}}"#;
        let expected = ["/subject/order", "/policy/quorum"];
        let envelope = format!(r#"{{"id":"e","account":"1","source":"s","detail-type":"ReviewRequested","detail":{detail}}}"#);
        assert_eq!(places(&from_bus(&message(&envelope)).expect("read").expect("an event")), expected);
        assert_eq!(places(&from_queue(&message(detail), "1", "s").expect("read").expect("an event")), expected);
        let invoked = |text: &str| json::read(text.as_bytes()).expect("JSON");
        let arn = "arn:aws:lambda:eu-west-1:444455556666:function:intake";
        assert_eq!(places(&from_invoke(invoked(detail), arn, "r").expect("an event")), expected);
        assert_eq!(places(&from_invoke(invoked(&envelope), arn, "r").expect("an event")), expected);
    }

    #[test]
    fn invariant_04_a_malformed_message_is_named_and_not_quoted() {
        for name in ["id", "account", "source", "detail-type", "detail"] {
            let mut envelope = envelope();
            envelope.as_object_mut().expect("an object").remove(name);
            let failure = from_bus(&message(&envelope.to_string())).expect_err("malformed");
            assert!(failure.error.ends_with(&format!("no {name}")), "{failure}");
        }
        let failure = from_bus(&message(r#"{"detail": {"task_token": "AAAA"#)).expect_err("malformed");
        assert!(failure.error.starts_with("the message is no JSON") && !failure.error.contains("AAAA"), "{failure}");
    }

    #[test]
    fn a_replay_from_an_archive_and_our_own_events_are_not_for_us() {
        let mut replay = envelope();
        replay["replay-name"] = json!("again");
        assert_eq!(from_bus(&message(&replay.to_string())), Ok(None));
        let own = json!({"id": "e", "source": "countersign", "detail-type": "ReviewRequested", "detail": {}});
        assert_eq!(from_queue(&message(&own.to_string()), "1", "s"), Ok(None));
    }

    #[test]
    fn the_queue_of_another_account_cannot_choose_its_origin_or_type() {
        let body = json!({"account": "999", "source": "forged", "detail-type": "VoteSubmitted", "detail": {}});
        let event = from_queue(&message(&body.to_string()), "111122223333", "com.partner").expect("read").expect("an event");
        assert_eq!((event.sender.account(), event.sender.source()), ("111122223333", "com.partner"));
        assert_eq!((event.detail_type.as_str(), &event.detail.value), ("ReviewRequested", &body), "refused by its own faults");
    }

    #[test]
    fn a_direct_invoke_is_of_our_account_and_may_be_a_bare_request() {
        let arn = "arn:aws:lambda:eu-west-1:444455556666:function:intake";
        let bare = from_invoke(Typed::made(json!({"title": "T"})), arn, "r-1").expect("an event");
        assert_eq!((bare.sender.account(), bare.sender.source(), bare.id.as_str()), ("444455556666", "lambda", "r-1"));
        assert_eq!(bare.detail_type, "ReviewRequested");
        let mut named = envelope();
        named["account"] = json!("999");
        let named = from_invoke(Typed::made(named), arn, "r-1").expect("an event");
        assert_eq!((named.sender.account(), named.sender.source(), named.id.as_str()), ("444455556666", "com.example", "e-1"));
    }

    #[test]
    fn a_direct_invoke_cannot_speak_for_aws() {
        let mut event = envelope();
        event["source"] = json!("aws.states");
        let failure =
            from_invoke(Typed::made(event), "arn:aws:lambda:eu-west-1:444455556666:function:intake", "r-1").expect_err("refused");
        assert!(!failure.retryable && failure.error.contains("aws."), "{failure}");
    }

    #[test]
    fn trusted_sources_are_account_and_source() {
        assert_eq!(trusted("1/a, 2/b").map(|list| list.len()), Some(2));
        assert_eq!(trusted("1/a,b"), None);
        assert_eq!(trusted("/a"), None);
    }
}
