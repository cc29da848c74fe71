//! Every command, in each of its kinds.

use events::{
    Fault, Timestamp,
    digest::SubjectDigest,
    event::{
        Canceller, Channel, Choice, ConfirmedBy, ExecutionStatus, NotificationFailed, Occasion, Program, RefusalKind,
        ReviewNotified, ReviewRefused, V, WorkflowResumeFailed, WorkflowResumeUnconfirmed, WorkflowResumed,
    },
};
use review::{
    Command,
    command::{Notice, Report, Stated, Telling, Vote},
};
use serde_json::{from_value, json};

use crate::world::{execution, origin, person, request, resume, start, token_hash, wish};

/// A command's name and how to make it.
pub type When = (&'static str, fn() -> Command);

pub const COMMANDS: &[When] = &[
    ("asks, no token", || wish(request(json!({})), None)),
    ("asks, same token", || wish(request(json!({})), Some("token-1"))),
    ("asks, new token", || wish(request(json!({})), Some("token-2"))),
    ("asks, reworded, new token", || wish(request(json!({"title": "Other words", "expires_in": "PT1H"})), Some("token-2"))),
    ("asks, by bob too", || wish(request(json!({"requester": {"email": "bob@x.com"}})), Some("token-2"))),
    ("asks again", || wish(request(json!({"again": true})), None)),
    ("asks, other subject", || wish(request(json!({"subject": {"id": "churn-v43"}})), Some("token-2"))),
    ("asks, unknown group", || wish(request(json!({"reviewers": [{"group": "nobody"}]})), Some("token-2"))),
    ("refuse", || refuse(Some("token-2"))),
    ("ana approves", || vote("ana@x.com", "approve")),
    ("ana approves by slack", || vote("slack:T1/ANA", "approve")),
    ("bob approves", || vote("bob@x.com", "approve")),
    ("cy of the group approves", || vote("cy@x.com", "approve")),
    ("bob rejects", || vote("bob@x.com", "reject")),
    ("bob asks for changes", || vote("bob@x.com", "request-changes")),
    ("bob comments", || vote("bob@x.com", "comment")),
    ("outsider approves", || vote("eve@x.com", "approve")),
    ("outsider comments", || vote("eve@x.com", "comment")),
    ("requester approves", || vote("rita@x.com", "approve")),
    ("requester rejects", || vote("rita@x.com", "reject")),
    ("requester comments", || vote("rita@x.com", "comment")),
    ("bob approves, untrusted source", || changed(vote("bob@x.com", "approve"), |vote| vote.trusted = false)),
    ("bob approves what he saw", || {
        changed(vote("bob@x.com", "approve"), |vote| vote.stated = Stated::whole(request(json!({})).digests().seen))
    }),
    ("bob approves another digest", || {
        changed(vote("bob@x.com", "approve"), |vote| vote.stated = Stated::by_digests(None, Some(SubjectDigest::of(b"other"))))
    }),
    ("requester cancels", || cancel(Canceller::Requester(person("rita@x.com")))),
    ("source cancels", || cancel(program("local", "ml"))),
    ("operator cancels", || cancel(Canceller::Operator)),
    ("other person cancels", || cancel(Canceller::Requester(person("bob@x.com")))),
    ("other source cancels", || cancel(program("local", "hr"))),
    ("same source of another account cancels", || cancel(program("1", "ml"))),
    ("execution claims to cancel", || {
        cancel(Canceller::Execution { arn: execution("token-1"), status: ExecutionStatus::Aborted })
    }),
    ("execution of token-1 stopped", || ended("token-1")),
    ("execution of token-2 stopped", || ended("token-2")),
    ("expire", || Command::Expire),
    ("remind", || Command::Remind),
    ("ana reached", || Command::Notices(vec![reached("ana@x.com")])),
    ("ana reached, twice in one", || Command::Notices(vec![reached("ana@x.com"), reached("ana@x.com")])),
    ("ana reached, says a trusted program", || report("ana@x.com", true)),
    ("ana reached, says anybody", || report("ana@x.com", false)),
    ("outsider reached, says a trusted program", || report("eve@x.com", true)),
    ("ana not reached, again later", || Command::Notices(vec![unreached("ana@x.com", Some(later(60)))])),
    ("ana not reached, for good", || Command::Notices(vec![unreached("ana@x.com", None)])),
    ("ana's mail came back", || Command::Notices(vec![returned("ana@x.com", "m-1")])),
    ("told token-1", || told("token-1")),
    ("told token-1 failed, again later", || told_failed("token-1", Some(later(60)))),
    ("told token-1 failed, for good", || told_failed("token-1", None)),
    ("told token-1 unconfirmed", || {
        let error = "TaskTimedOut".to_owned();
        Command::Told(Telling::Unconfirmed(WorkflowResumeUnconfirmed { v: V, token_hash: token_hash("token-1"), error }))
    }),
    ("told an unknown token", || told("token-9")),
];

/// The command of this name.
pub fn when(name: &str) -> Command {
    let (_, make) = COMMANDS.iter().find(|(known, _)| *known == name).expect(name);
    make()
}

pub fn later(seconds: i64) -> Timestamp {
    start().after(events::Period::seconds(seconds))
}

pub fn vote(who: &str, choice: &str) -> Command {
    Command::Vote(Vote {
        person: person(who),
        choice: from_value::<Choice>(json!(choice)).expect("a choice"),
        reason: Some(format!("{who} says so")),
        channel: Channel::Web,
        entered_by: None,
        integration: None,
        matched_account: None,
        stated: Stated::NOTHING,
        trusted: true,
    })
}

fn changed(command: Command, change: fn(&mut Vote)) -> Command {
    let Command::Vote(mut vote) = command else { return command };
    change(&mut vote);
    Command::Vote(vote)
}

pub fn refuse(token: Option<&str>) -> Command {
    Command::Refuse(Box::new(ReviewRefused {
        v: V,
        origin: origin(),
        kind: RefusalKind::Invalid,
        faults: vec![Fault::new("/title", "a text"), Fault::new("/reviewers", "an array")],
        title: None,
        request_key: None,
        resume: token.map(resume),
    }))
}

pub fn cancel(by: Canceller) -> Command {
    Command::Cancel { by, reason: Some("superseded".into()) }
}

pub fn reached(who: &str) -> Notice {
    reached_on(who, Channel::Email)
}

pub fn reached_on(who: &str, channel: Channel) -> Notice {
    Notice::Reached(ReviewNotified {
        v: V,
        person: person(who),
        channel,
        occasion: Occasion::Asked,
        reminder: None,
        message_ref: None,
        shows: 0,
        reported_by: None,
    })
}

fn report(who: &str, trusted: bool) -> Command {
    let by = Program { account: "local".to_owned(), source: "pager".to_owned() };
    Command::Report(Report { person: person(who), occasion: Occasion::Asked, message_ref: None, by, trusted })
}

pub fn unreached(who: &str, retry_at: Option<Timestamp>) -> Notice {
    let (channel, occasion, error) = (Channel::Email, Occasion::Asked, "451 try later".to_owned());
    Notice::Failed(NotificationFailed {
        v: V,
        person: person(who),
        channel,
        occasion,
        reminder: None,
        error,
        retry_at,
        waits: false,
        message_ref: None,
    })
}

/// A mail that was sent and could not be delivered.
pub fn returned(who: &str, message_ref: &str) -> Notice {
    let Notice::Failed(failed) = unreached(who, None) else { unreachable!("a failure") };
    Notice::Failed(NotificationFailed { message_ref: Some(message_ref.to_owned()), ..failed })
}

pub fn told(token: &str) -> Command {
    let (token_hash, told) = (token_hash(token), "success".to_owned());
    Command::Told(Telling::Resumed(WorkflowResumed { v: V, token_hash, told, confirmed_by: ConfirmedBy::Answer }))
}

pub fn told_failed(token: &str, retry_at: Option<Timestamp>) -> Command {
    let (token_hash, error) = (token_hash(token), "connection refused".to_owned());
    Command::Told(Telling::Failed(WorkflowResumeFailed { v: V, token_hash, error, retry_at }))
}

pub fn ended(token: &str) -> Command {
    Command::WorkflowEnded { arn: execution(token), status: ExecutionStatus::Aborted }
}

fn program(account: &str, source: &str) -> Canceller {
    Canceller::Source { account: account.into(), source: source.into() }
}
