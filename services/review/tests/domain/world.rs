//! Given events, when a command comes, then events and an answer: one stream, its directory and a
//! clock that stands still until it is moved.

use events::{
    Commit, Event, NewCommit, Period, PersonId, ReviewId, ReviewRequest, StreamId, Timestamp, Version,
    commit::SealedHandle,
    digest::{CommitHash, TokenHash},
    event::{Changed, Changer, Door, GroupDefined, Origin, PersonRegistered, Resume, V},
};
use review::{Command, Decision, Directory, Fold, command, decide};
use serde_json::{Value, json};

/// One stream under test.
#[derive(Debug, Clone)]
pub struct World {
    /// Who is who.
    pub directory: Directory,
    /// The clock.
    pub now: Timestamp,
    /// The log of the stream, as it would be read back.
    pub commits: Vec<Commit>,
    /// What it adds up to, commit by commit.
    pub fold: Fold,
}

pub fn person(id: &str) -> PersonId {
    id.parse().expect("a person")
}

/// The program that changes the directory of these tests.
pub fn hr() -> Changed {
    Changed::new(Changer::Integration("hr".parse().expect("a name")), Door::Api)
}

pub fn start() -> Timestamp {
    "2026-11-23T04:00:00Z".parse().expect("a time")
}

pub fn stream() -> ReviewId {
    ReviewId::for_event("local", "ml", "e-1", 1)
}

pub fn origin() -> Origin {
    Origin { account: "local".into(), source: "ml".into(), event_id: "e-1".into() }
}

fn sealed(token: &str) -> SealedHandle {
    SealedHandle::new(format!("sealed {token}").into_bytes())
}

/// The workflow that waits with this token.
pub fn resume(token: &str) -> Resume {
    let execution_arn = Some(execution(token));
    Resume { token_hash: token_hash(token), handle_hash: sealed(token).hash(), execution_arn, deadline: None }
}

/// The execution that waits with this token.
pub fn execution(token: &str) -> String {
    format!("arn:aws:states:eu-central-1:111122223333:execution:promote:{token}")
}

pub fn token_hash(token: &str) -> TokenHash {
    TokenHash::of(token.as_bytes())
}

/// A request of Rita's that two of Ana, Bob and the on-call group must approve within 24 hours,
/// with `changes` written over it.
pub fn request(changes: Value) -> ReviewRequest {
    let mut detail = json!({
        "request_key": "churn-v42",
        "title": "Promote churn-model v42",
        "subject": {"kind": "model-promotion", "id": "churn-v42"},
        "evidence": [{"label": "Flagged rows", "value": "7.4 %"}],
        "requester": {"email": "rita@x.com"},
        "reviewers": [{"email": "ana@x.com"}, {"email": "bob@x.com"}, {"group": "oncall"}],
        "policy": {"quorum": 2},
    });
    detail.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
    ReviewRequest::parse(&detail).expect("a valid request")
}

pub fn wish(request: ReviewRequest, token: Option<&str>) -> Command {
    Command::Request(Box::new(command::Request {
        request,
        origin: origin(),
        resume: token.map(resume),
        follows: None,
        exact: false,
    }))
}

impl World {
    /// An empty stream; Ana is on Slack too, Cy and Rita are on call.
    pub fn new() -> World {
        let mut world = World { directory: Directory::default(), now: start(), commits: Vec::new(), fold: Fold::default() };
        world.register("ana@x.com", &["slack:T1/ANA"]);
        world.group("oncall", &["cy@x.com", "rita@x.com"]);
        world
    }

    pub fn register(&mut self, id: &str, aliases: &[&str]) {
        let aliases = aliases.iter().map(|alias| person(alias)).collect();
        self.change_directory(
            PersonRegistered { v: V, person: person(id), name: None, aliases, phone: None, changed: Some(hr()) }.into(),
        );
    }

    pub fn group(&mut self, id: &str, members: &[&str]) {
        let members = members.iter().map(|member| person(member)).collect();
        self.change_directory(GroupDefined { v: V, group: id.parse().expect("a group"), members, changed: None }.into());
    }

    pub fn change_directory(&mut self, event: Event) {
        let commit = commit(StreamId::Directory, self.directory.version, self.directory.hash, self.now, vec![event], None);
        self.directory.apply(&commit);
    }

    pub fn pass(&mut self, period: Period) {
        self.now = self.now.after(period);
    }

    /// What the command would come to, without doing it.
    pub fn decide(&self, command: &Command) -> Decision {
        decide(&self.fold.state, command, &self.directory, self.now)
    }

    /// Does the command: its events are stored, read back and folded.
    pub fn does(&mut self, command: &Command) -> Decision {
        let decision = self.decide(command);
        if !decision.events.is_empty() {
            let commit =
                commit(stream().into(), self.fold.version, self.fold.hash, self.now, decision.events.clone(), handle(command));
            self.fold.apply(&commit).expect("what was decided folds");
            self.commits.push(commit);
        }
        decision
    }

    /// Does it with the clock moved by one second, so that a history has an order.
    pub fn then(mut self, command: Command) -> World {
        self.pass(Period::seconds(1));
        self.does(&command);
        self
    }

    /// The types of all events, in order.
    pub fn history(&self) -> Vec<&'static str> {
        self.commits.iter().flat_map(|commit| commit.events.iter().map(Event::type_name)).collect()
    }
}

/// The sealed token that travels with the command.
fn handle(command: &Command) -> Option<SealedHandle> {
    let resume = match command {
        Command::Request(wish) => wish.resume.as_ref(),
        Command::Refuse(refusal) => refusal.resume.as_ref(),
        _ => None,
    }?;
    let tokens = (0..10).map(|n| format!("token-{n}"));
    tokens.map(|token| sealed(&token)).find(|sealed| sealed.hash() == resume.handle_hash)
}

/// Through the stored form and back.
fn commit(
    stream: StreamId,
    after: Version,
    previous: CommitHash,
    at: Timestamp,
    events: Vec<Event>,
    sealed: Option<SealedHandle>,
) -> Commit {
    let new = NewCommit { stream, version: after.next(), previous, at, events, sealed };
    new.store().expect("storable").decode().expect("readable")
}
