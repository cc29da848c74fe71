//! One commit of every event type, with every optional field filled in.

use events::{
    Commit, Event, Fault, GroupId, IntegrationId, NewCommit, PersonId, ReviewId, StreamId, Timestamp, Version,
    digest::{BearerHash, CommitHash, HandleHash, TokenHash},
    event::*,
    request::{ContentRecipe, Evidence, OnEnd, Policy, Reviewer, Risk, SelfApproval},
};
use serde_json::json;

/// A time of the samples: this many seconds after their request.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_406_400_000 + seconds * 1_000).expect("a time")
}

fn person(id: &str) -> PersonId {
    id.parse().expect("a person")
}

fn review() -> ReviewId {
    ReviewId::for_event("111122223333", "ml.pipeline", "f2a7c2de-6b5e-4a55-9c6f-0d6f6b9f2f10", 1)
}

fn origin() -> Origin {
    let (account, source) = ("111122223333".to_owned(), "ml.pipeline".to_owned());
    Origin { account, source, event_id: "f2a7c2de-6b5e-4a55-9c6f-0d6f6b9f2f10".to_owned() }
}

fn resume(token: &str) -> Resume {
    Resume {
        token_hash: TokenHash::of(token.as_bytes()),
        handle_hash: HandleHash::of(format!("sealed {token}").as_bytes()),
        execution_arn: Some("arn:aws:states:eu-central-1:111122223333:execution:promote:run-7".to_owned()),
        deadline: Some(at(90_000)),
    }
}

fn requested() -> ReviewRequested {
    let subject = json!({"kind": "model-promotion", "id": "churn-v42", "rows": 120_000});
    let piece = |label: &str| Evidence { label: label.to_owned(), value: None, url: None, table: None, image: None };
    let evidence = vec![
        Evidence { value: Some("7.4 %".to_owned()), ..piece("Flagged rows") },
        Evidence { url: Some("https://example.com/report".to_owned()), ..piece("Report") },
        Evidence {
            table: Some(vec![vec!["id".to_owned(), "spend".to_owned()], vec!["17".to_owned(), "9e9".to_owned()]]),
            ..piece("Rows")
        },
        Evidence { image: Some("data:image/png;base64,iVBORw0KGgo=".to_owned()), ..piece("Plot") },
    ];
    let evidence_value = serde_json::to_value(&evidence).expect("JSON");
    ReviewRequested {
        v: V,
        origin: origin(),
        request_key: Some("churn-v42".parse().expect("a key")),
        title: "Promote churn-model v42".to_owned(),
        summary: Some("More than **6 %** of the rows are flagged.".to_owned()),
        subject_digest: events::digest::SubjectDigest::of_subject(&subject, &evidence_value),
        subject,
        evidence,
        requester: Some(person("pipeline@example.com")),
        reviewers: vec![
            Reviewer::Person(person("ana@example.com")),
            Reviewer::Person(person("slack:T01/U02")),
            Reviewer::Group("ml-oncall".parse().expect("a group")),
        ],
        policy: Policy { quorum: 2, self_approval: SelfApproval::Allowed, ..Policy::default() },
        risk: Risk::High,
        expires_at: at(86_400),
        on_expiry: OnEnd::Succeed,
        on_reject: OnEnd::Fail,
        content_digest: events::digest::ContentDigest::of(b"churn-v42"),
        content_recipe: ContentRecipe::Decided,
        action_digest: None,
        seen_digest: None,
        follows: Some(ReviewId::for_event("111122223333", "ml.pipeline", "before", 1)),
        resume: Some(resume("token-1")),
    }
}

/// Every event type once, in the order of the vocabulary.
fn events() -> Vec<Event> {
    let ana = || person("ana@example.com");
    let reason = || Some("The flagged rows are test accounts.".to_owned());
    let (asked, email, web) = (Occasion::Asked, Channel::Email, Channel::Web);
    let seen = requested().subject_digest;
    let token_hash = TokenHash::of(b"token-1");
    let faults = vec![Fault::new("/reviewers/0/group", "a group of the directory (ml-oncall)")];
    let request_key = Some("churn-v42".parse().expect("a key"));
    vec![
        requested().into(),
        ReviewRefused {
            v: V,
            origin: origin(),
            kind: RefusalKind::Unapprovable,
            faults,
            title: Some("Promote churn-model v42".to_owned()),
            request_key,
            resume: Some(resume("token-1")),
        }
        .into(),
        // As version 1 wrote it first: what was added since is absent where it says nothing.
        ReviewNotified {
            v: V,
            person: ana(),
            channel: email,
            occasion: asked,
            reminder: None,
            message_ref: Some("<1@example.com>".to_owned()),
            shows: 0,
            reported_by: None,
        }
        .into(),
        NotificationFailed {
            v: V,
            person: ana(),
            channel: email,
            occasion: asked,
            reminder: None,
            error: "451 try again later".to_owned(),
            retry_at: Some(at(60)),
            waits: false,
            message_ref: None,
        }
        .into(),
        NoticeUpdated { v: V, person: ana(), channel: Channel::Slack, message_ref: "D1/1.2".to_owned(), shows: 2 }.into(),
        NoticeUpdateFailed {
            v: V,
            person: ana(),
            channel: Channel::Slack,
            message_ref: "D1/1.2".to_owned(),
            error: "ratelimited".to_owned(),
            retry_at: Some(at(60)),
        }
        .into(),
        ReviewReminded { v: V, number: 2, people: vec![ana(), person("slack:T01/U02")] }.into(),
        VoteCast {
            v: V,
            person: ana(),
            choice: Choice::RequestChanges,
            reason: reason(),
            channel: web,
            entered_by: Some(EnteredBy::Operator),
            integration: None,
            matched_account: None,
            acted_as: None,
            subject_digest: seen,
            seen: None,
            seen_digest: None,
        }
        .into(),
        VoteRefused {
            v: V,
            person: person("eve@example.com"),
            choice: Choice::Approve,
            reason: reason(),
            channel: Channel::Bus,
            entered_by: Some(EnteredBy::Operator),
            integration: None,
            matched_account: None,
            acted_as: None,
            why: VoteRefusal::NotAReviewer,
        }
        .into(),
        ReviewDecided {
            v: V,
            outcome: Verdict::Approved,
            reason: reason(),
            decided_by: vec![ana(), person("slack:T01/U02")],
            subject_digest: seen,
            action_digest: None,
            seen_digest: None,
        }
        .into(),
        ReviewExpired { v: V, expires_at: at(86_400) }.into(),
        ReviewCancelled { v: V, by: Canceller::Requester(person("pipeline@example.com")), reason: reason() }.into(),
        RequestRepeated { v: V, event_id: "e-2".to_owned(), requester: Some(person("rita@example.com")) }.into(),
        OutsideEventRefused {
            v: V,
            detail_type: "ReviewNotified".to_owned(),
            by: Program { account: "444455556666".to_owned(), source: "com.example.other".to_owned() },
            person: Some(person("eve@example.com")),
            why: OutsideRefusal::NotAsked,
        }
        .into(),
        ResumeAttached { v: V, resume: resume("token-2") }.into(),
        WorkflowResumed { v: V, token_hash, told: "success".to_owned(), confirmed_by: ConfirmedBy::Answer }.into(),
        WorkflowResumeFailed { v: V, token_hash, error: "connection refused".to_owned(), retry_at: Some(at(120)) }.into(),
        WorkflowResumeUnconfirmed { v: V, token_hash, error: "TaskTimedOut".to_owned() }.into(),
        WorkflowEnded {
            v: V,
            execution_arn: "arn:aws:states:eu-central-1:111122223333:execution:promote:run-7".to_owned(),
            status: ExecutionStatus::Aborted,
        }
        .into(),
        PersonRegistered {
            v: V,
            person: ana(),
            name: Some("Ana".to_owned()),
            aliases: vec![person("slack:T01/U01")],
            phone: Some("+4915112345678".to_owned()),
            changed: None,
        }
        .into(),
        PersonRemoved { v: V, person: ana(), changed: None }.into(),
        GroupDefined {
            v: V,
            group: "ml-oncall".parse().expect("a group"),
            members: vec![ana(), person("bob@example.com")],
            changed: None,
        }
        .into(),
        GroupRemoved { v: V, group: "ml-oncall".parse().expect("a group"), changed: None }.into(),
        IntegrationRegistered {
            v: V,
            integration: "ci".parse().expect("a name"),
            scopes: Scope::ALL.into_iter().filter(|scope| *scope != Scope::ReportNotices).collect(),
            token_hash: BearerHash::of(b"csgn_token"),
            acts_as: Some(person("pipeline@example.com")),
            expires_at: Some(at(86_400)),
            source: None,
            access_key: None,
            changed: None,
        }
        .into(),
        IntegrationRevoked { v: V, integration: "ci".parse().expect("a name"), changed: None }.into(),
    ]
}

/// Events with what their type was given later: `type.what`, as the files of the corpus are named.
fn later() -> Vec<(&'static str, Event)> {
    let (ana, ci) = (person("ana@example.com"), Some("ci".parse().expect("a name")));
    let (asked, email, message_ref) = (Occasion::Asked, Channel::Email, Some("<1@example.com>".to_owned()));
    let (choice, channel) = (Choice::Approve, Channel::Api);
    let cast = VoteCast {
        v: V,
        person: ana.clone(),
        choice,
        reason: None,
        channel,
        entered_by: None,
        integration: ci.clone(),
        matched_account: None,
        acted_as: None,
        subject_digest: requested().subject_digest,
        seen: None,
        seen_digest: None,
    };
    let refused = VoteRefused {
        v: V,
        person: person("pipeline@example.com"),
        choice,
        reason: None,
        channel,
        entered_by: None,
        integration: ci,
        matched_account: None,
        acted_as: None,
        why: VoteRefusal::OwnRequest,
    };
    let account = Some(person("slack:T01/U01"));
    let channel = Channel::Slack;
    let matched = VoteCast { channel, integration: None, matched_account: account.clone(), ..cast.clone() };
    let matched_refused = VoteRefused { channel, integration: None, matched_account: account, ..refused.clone() };
    let reminded = ReviewNotified {
        v: V,
        person: ana.clone(),
        channel: email,
        occasion: asked,
        reminder: Some(2),
        message_ref: message_ref.clone(),
        shows: 1,
        reported_by: None,
    };
    let failed = NotificationFailed {
        v: V,
        person: ana,
        channel: email,
        occasion: asked,
        reminder: Some(1),
        error: "451 try again later".to_owned(),
        retry_at: Some(at(60)),
        waits: true,
        message_ref: None,
    };
    let error = "550 no such user".to_owned();
    let returned = NotificationFailed { reminder: None, error, retry_at: None, waits: false, message_ref, ..failed.clone() };
    let digests = ReviewRequested {
        content_recipe: ContentRecipe::Read,
        action_digest: Some(requested().action_digest()),
        seen_digest: Some(requested().seen_digest()),
        ..requested()
    };
    let whole = VoteCast { seen: Some(Seen::Whole), seen_digest: Some(requested().seen_digest()), ..cast.clone() };
    let decided = ReviewDecided {
        v: V,
        outcome: Verdict::Approved,
        reason: None,
        decided_by: vec![person("ana@example.com")],
        subject_digest: requested().subject_digest,
        action_digest: Some(requested().action_digest()),
        seen_digest: Some(requested().seen_digest()),
    };
    let reported = ReviewNotified {
        channel: Channel::Bus,
        reminder: None,
        shows: 0,
        reported_by: Some(Program { account: "444455556666".to_owned(), source: "com.example.pager".to_owned() }),
        ..reminded.clone()
    };
    let high = VoteRefused { integration: None, why: VoteRefusal::NotSeenWhole, ..refused.clone() };
    let acted_as = Some(person("slack:T01/U01"));
    let by_alias = VoteCast { integration: None, acted_as: acted_as.clone(), ..cast.clone() };
    let refused_by_alias = VoteRefused { integration: None, acted_as, ..refused.clone() };
    let signing = IntegrationRegistered {
        v: V,
        integration: "approver".parse().expect("a name"),
        scopes: vec![Scope::CastVotes, Scope::ReportNotices],
        token_hash: BearerHash::of(b"csgn_token"),
        acts_as: None,
        expires_at: None,
        source: Some("com.example.approver".parse().expect("a source")),
        access_key: Some("CSGNABCDEFGHIJKLM234".parse().expect("an access key")),
        changed: None,
    };
    vec![
        ("VoteCast.acted_as", by_alias.into()),
        ("VoteRefused.acted_as", refused_by_alias.into()),
        ("ReviewRequested.digests", digests.into()),
        ("VoteCast.seen", whole.into()),
        ("ReviewDecided.digests", decided.into()),
        ("ReviewNotified.reported", reported.into()),
        ("VoteRefused.high_risk", high.into()),
        ("IntegrationRegistered.signing", signing.into()),
        ("VoteCast.integration", cast.into()),
        ("VoteRefused.integration", refused.into()),
        ("VoteCast.matched", matched.into()),
        ("VoteRefused.matched", matched_refused.into()),
        ("ReviewNotified.reminder", reminded.into()),
        ("NotificationFailed.reminder", failed.into()),
        ("NotificationFailed.returned", returned.into()),
    ]
    .into_iter()
    .chain(changed())
    .collect()
}

/// Events of the directory that say who made the change.
fn changed() -> Vec<(&'static str, Event)> {
    let hr = Changer::Integration("hr".parse().expect("a name"));
    let by_hr = Some(Changed::new(hr, Door::Api).because(Some("Ana has a second mailbox".to_owned())));
    let by_operator = Some(Changed::new(Changer::Operator, Door::Cli));
    let group: GroupId = "ml-oncall".parse().expect("a group");
    let integration: IntegrationId = "ci".parse().expect("a name");
    let (ana, aliases) = (person("ana@example.com"), vec![person("ana@corp.example")]);
    let registered = PersonRegistered { v: V, person: ana.clone(), name: None, aliases, phone: None, changed: by_hr.clone() };
    let defined = GroupDefined { v: V, group: group.clone(), members: vec![ana.clone()], changed: by_hr.clone() };
    let program = IntegrationRegistered {
        v: V,
        integration: integration.clone(),
        scopes: vec![Scope::WriteDirectory],
        token_hash: BearerHash::of(b"csgn_token"),
        acts_as: None,
        expires_at: None,
        source: None,
        access_key: None,
        changed: by_operator.clone(),
    };
    vec![
        ("PersonRegistered.changed", registered.into()),
        ("PersonRemoved.changed", PersonRemoved { v: V, person: ana, changed: by_hr.clone() }.into()),
        ("GroupDefined.changed", defined.into()),
        ("GroupRemoved.changed", GroupRemoved { v: V, group, changed: by_hr }.into()),
        ("IntegrationRegistered.changed", program.into()),
        ("IntegrationRevoked.changed", IntegrationRevoked { v: V, integration, changed: by_operator }.into()),
    ]
}

fn is_of_the_directory(event: &Event) -> bool {
    matches!(
        event,
        Event::PersonRegistered(_)
            | Event::PersonRemoved(_)
            | Event::GroupDefined(_)
            | Event::GroupRemoved(_)
            | Event::IntegrationRegistered(_)
            | Event::IntegrationRevoked(_)
    )
}

/// A commit of each of these.
pub fn later_commits() -> Vec<(&'static str, NewCommit)> {
    let (_, request) = commits().into_iter().find(|(name, _)| *name == "ReviewRequested").expect("a request");
    let (stream, version, previous) = (request.stream, Version(2), request.store().expect("storable").hash);
    let commit = |event| match event {
        Event::ReviewRequested(_) => NewCommit { events: vec![event], ..request.clone() },
        event if is_of_the_directory(&event) => NewCommit {
            stream: StreamId::Directory,
            version: Version(1),
            previous: CommitHash::GENESIS,
            at: at(0),
            events: vec![event],
            sealed: None,
        },
        _ => NewCommit { stream, version, previous, at: at(30), events: vec![event], sealed: None },
    };
    later().into_iter().map(|(name, event)| (name, commit(event))).collect()
}

/// A commit of each event. Those of a review follow on from its request, which is version 1.
pub fn commits() -> Vec<(&'static str, NewCommit)> {
    let mut request = CommitHash::GENESIS;
    let commit = |event: Event| {
        let directory = is_of_the_directory(&event);
        let first = matches!(event, Event::ReviewRequested(_) | Event::ReviewRefused(_)) || directory;
        let stream = if directory { StreamId::Directory } else { review().into() };
        let (version, previous, at) =
            if first { (Version(1), CommitHash::GENESIS, at(0)) } else { (Version(2), request, at(30)) };
        let name = event.type_name();
        let commit = NewCommit { stream, version, previous, at, events: vec![event], sealed: None };
        if name == "ReviewRequested" {
            request = commit.store().expect("storable").hash;
        }
        (name, commit)
    };
    events().into_iter().map(commit).collect()
}

/// The same, read back.
pub fn read_back() -> Vec<Commit> {
    commits().into_iter().map(|(_, commit)| commit.store().expect("storable").decode().expect("readable")).collect()
}
