//! Opening a review, or finding the one that the same key opened.

use std::collections::BTreeSet;

use events::{
    Fault, GroupId, ReviewRequest, Timestamp,
    event::{ReviewRequested, V},
    request::{ContentRecipe, Reviewer, SelfApproval},
};

use crate::{
    command::{Answer, Decision, Request},
    directory::Directory,
    state::{Review, State},
};

use super::repeat;

pub(super) fn decide(state: &State, wish: &Request, directory: &Directory, now: Timestamp) -> Decision {
    match state {
        State::Absent => open(wish, directory, now),
        State::Recorded(review) => find(review, wish, directory, now),
        // A refusal has a stream of its own; that the id of a review names one cannot be.
        State::Refused(_) => Decision::none(Answer::NotFound),
    }
}

fn open(wish: &Request, directory: &Directory, now: Timestamp) -> Decision {
    let request = &wish.request;
    let faults = unapprovable(wish, directory, now);
    if !faults.is_empty() {
        return Decision::none(Answer::Unapprovable(faults));
    }
    let expires_at = now.after(request.expires_in);
    let deadline = wish.resume.as_ref().and_then(|resume| resume.deadline);
    let digests = request.digests();
    let event = ReviewRequested {
        v: V,
        origin: wish.origin.clone(),
        request_key: request.request_key.clone(),
        title: request.title.clone(),
        summary: request.summary.clone(),
        subject: request.subject.clone(),
        evidence: request.evidence.clone(),
        requester: request.requester.clone(),
        reviewers: request.reviewers.clone(),
        policy: request.policy.clone(),
        risk: request.risk,
        expires_at: deadline.map_or(expires_at, |deadline| expires_at.min(deadline)),
        on_expiry: request.on_expiry,
        on_reject: request.on_reject,
        subject_digest: digests.subject,
        content_digest: digests.content,
        content_recipe: ContentRecipe::NEWEST,
        action_digest: Some(digests.action),
        seen_digest: Some(digests.seen),
        follows: wish.follows,
        resume: wish.resume.clone(),
    };
    Decision::one(Answer::Opened, event)
}

/// A fault for each group, at its place among the reviewers, that the directory does not have.
pub fn unknown_groups<'a>(groups: impl IntoIterator<Item = (usize, &'a GroupId)>, directory: &Directory) -> Vec<Fault> {
    let known: Vec<&str> = directory.groups.keys().map(|group| group.as_str()).take(20).collect();
    let known = if known.is_empty() { "the directory has none yet".to_owned() } else { known.join(", ") };
    let unknown = groups.into_iter().filter(|(_, group)| !directory.groups.contains_key(*group));
    unknown
        .map(|(index, _)| Fault::new(format!("/reviewers/{index}/group"), format!("a group of the directory ({known})")))
        .collect()
}

/// Why this request could never be approved; empty when it could.
fn unapprovable(wish: &Request, directory: &Directory, now: Timestamp) -> Vec<Fault> {
    let request = &wish.request;
    let groups = request.reviewers.iter().enumerate().filter_map(|(index, reviewer)| match reviewer {
        Reviewer::Group(group) => Some((index, group)),
        Reviewer::Person(_) | Reviewer::Newer(_) => None,
    });
    let mut faults = unknown_groups(groups, directory);
    let mut able = directory.resolve(&request.reviewers);
    let mut aside = "";
    if request.policy.self_approval == SelfApproval::Forbidden {
        for requester in request.requester.as_ref().into_iter().chain(directory.acting_for(&wish.origin, now)) {
            if able.remove(&directory.primary(requester)) {
                aside = ", the requester aside";
            }
        }
    }
    let quorum = usize::from(request.policy.quorum);
    if faults.is_empty() && able.len() < quorum {
        let able = able.len();
        faults.push(Fault::new(
            "/reviewers",
            format!("at least {quorum} different people who may approve (there would be {able}{aside})"),
        ));
    }
    if wish.resume.as_ref().and_then(|resume| resume.deadline).is_some_and(|deadline| deadline <= now) {
        faults.push(Fault::new("/resume/deadline", "a time that has not passed"));
    }
    faults
}

fn find(review: &Review, wish: &Request, directory: &Directory, now: Timestamp) -> Decision {
    let differs = differences(review, wish);
    if differs.is_empty() { repeat::decide(review, wish, directory, now) } else { Decision::none(Answer::KeyReused(differs)) }
}

/// What the key stood for and what it would stand for now.
fn differences(review: &Review, wish: &Request) -> Vec<Fault> {
    let (before, now) = (&review.request, &wish.request);
    let fault =
        |field: &str| Fault::new(field, format!("the same as review {} has under this request_key; use another key", review.id));
    let same_reviewers = written_today(&before.reviewers) == written_today(&now.reviewers);
    let is_same = |request: &ReviewRequest| before.content_digest == request.content_digest(before.content_recipe);
    // An earlier version wrote the same addresses otherwise, and digested them so.
    let is_respelled = || same_reviewers && is_same(&ReviewRequest { reviewers: before.reviewers.clone(), ..now.clone() });
    if is_same(now) || is_respelled() {
        let is_the_same = !wish.exact || before.origin.event_id == wish.origin.event_id;
        return if is_the_same { Vec::new() } else { vec![fault("")] };
    }
    let fields = [
        ("/title", before.title == now.title || before.content_recipe.is_first()),
        ("/summary", before.summary == now.summary || before.content_recipe.is_first()),
        ("/subject", before.subject == now.subject),
        ("/evidence", before.evidence == now.evidence),
        ("/reviewers", same_reviewers),
        ("/policy", before.policy == now.policy),
        ("/risk", before.risk == now.risk || before.content_recipe.is_first()),
        ("/on_expiry", before.on_expiry == now.on_expiry || before.content_recipe.is_first()),
        ("/on_reject", before.on_reject == now.on_reject || before.content_recipe.is_first()),
    ];
    let faults: Vec<Fault> = fields.into_iter().filter(|(_, same)| !same).map(|(field, _)| fault(field)).collect();
    if faults.is_empty() { vec![fault("/request_key")] } else { faults }
}

/// Reviewers with their ids as they are written today, each once, in order.
fn written_today(reviewers: &[Reviewer]) -> BTreeSet<(bool, String)> {
    let written = |reviewer: &Reviewer| match reviewer {
        Reviewer::Person(person) => (true, person.canonical().to_string()),
        Reviewer::Group(group) => (false, group.to_string()),
        Reviewer::Newer(json) => (false, json.clone()),
    };
    reviewers.iter().map(written).collect()
}
