use super::*;
use serde_json::json;

/// Parses `detail` and compares the faults' pointers with `expected`.
fn check_faults(detail: Value, expected: &[&str]) {
    let faults = ReviewRequest::parse(&detail).err().unwrap_or_default();
    let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, expected, "{detail}: {faults:?}");
}

#[test]
fn only_a_title_and_one_reviewer_are_required() {
    let request = ReviewRequest::parse(&json!({"title": "Deploy", "reviewers": [{"email": "Ana@x.com"}]})).expect("valid");
    assert_eq!(request.policy, Policy::default());
    assert_eq!(request.expires_in, EXPIRY_DEFAULT);
    assert_eq!((request.on_expiry, request.on_reject, request.risk), (OnEnd::Fail, OnEnd::Fail, Risk::Normal));
    assert_eq!(request.reviewers, [Reviewer::Person("ana@x.com".parse().expect("person"))]);
    assert!(request.resume.is_none() && request.requester.is_none());
}

#[test]
fn invariant_06_every_fault_is_named_at_once() {
    check_faults(json!({}), &["/title", "/reviewers"]);
    check_faults(json!([]), &[""]);
    check_faults(
        json!({
            "title": "", "reviewers": [{"email": "x"}, {"group": "a b"}, {"email": "a@b.c", "group": "g"}],
            "policy": {"quorum": 0, "veto": true}, "risk": "huge", "expires_in": "tomorrow", "on_expiry": "approve",
            "evidence": [{"label": "x"}, {"label": "x", "url": "javascript:alert(1)"}, {"label": "ok", "value": "1"}],
            "subject": "text", "requester": {"group": "g"}, "resume": {"deadline": "soon"}, "expires": "PT1H"
        }),
        &[
            "/title",
            "/subject",
            "/evidence/0",
            "/evidence/1",
            "/requester",
            "/reviewers/0",
            "/reviewers/1",
            "/reviewers/2",
            "/policy/quorum",
            "/policy/veto",
            "/risk",
            "/expires_in",
            "/on_expiry",
            "/resume/task_token",
            "/resume/deadline",
            "/expires",
        ],
    );
}

#[test]
fn no_value_of_on_reject_or_on_expiry_approves() {
    for word in ["approve", "approved", "Succeed", ""] {
        check_faults(
            json!({"title": "t", "reviewers": [{"email": "a@b.c"}], "on_reject": word, "on_expiry": word}),
            &["/on_expiry", "/on_reject"],
        );
    }
}

#[test]
fn invariant_06_a_token_is_salvaged_from_an_invalid_request() {
    let resume = salvage_resume(&json!({"resume": {"task_token": "tok", "execution_arn": 7, "deadline": "x"}})).expect("a token");
    assert_eq!((resume.task_token.expose(), resume.execution_arn, resume.deadline), ("tok", None, None));
    assert!(salvage_resume(&json!({"resume": "x"})).is_none());
}

#[test]
fn the_content_digest_sees_what_a_key_stands_for_and_no_more() {
    let base = json!({"title": "t", "subject": {"id": 1}, "reviewers": [{"email": "a@b.c"}, {"group": "g"}]});
    let digest = |recipe: ContentRecipe, change: Value| {
        let mut detail = base.clone();
        detail.as_object_mut().expect("object").extend(change.as_object().expect("object").clone());
        ReviewRequest::parse(&detail).expect("valid").content_digest(recipe)
    };
    for recipe in [ContentRecipe::Decided, ContentRecipe::Read] {
        let same = digest(recipe, json!({}));
        assert_eq!(same, digest(recipe, json!({"expires_in": "PT1H", "resume": {"task_token": "t2"}, "again": true})));
        assert_eq!(same, digest(recipe, json!({"requester": {"email": "r@b.c"}, "summary": "  "})));
        assert_eq!(same, digest(recipe, json!({"reviewers": [{"group": "g"}, {"email": "A@B.C"}]})));
        assert_ne!(same, digest(recipe, json!({"subject": {"id": 2}})));
        assert_ne!(same, digest(recipe, json!({"evidence": [{"label": "l", "value": "v"}]})));
        assert_ne!(same, digest(recipe, json!({"policy": {"quorum": 2}})));
        assert_ne!(same, digest(recipe, json!({"reviewers": [{"group": "g"}]})));
    }
    let read = |change: Value| digest(ContentRecipe::Read, json!({})) != digest(ContentRecipe::Read, change);
    for change in [
        json!({"title": "other"}),
        json!({"summary": "words"}),
        json!({"risk": "high"}),
        json!({"on_expiry": "succeed"}),
        json!({"on_reject": "succeed"}),
    ] {
        assert_eq!(digest(ContentRecipe::Decided, json!({})), digest(ContentRecipe::Decided, change.clone()), "{change}");
        assert!(read(change.clone()), "{change}");
    }
}

#[test]
fn blank_is_absent_wherever_a_text_may_be() {
    check_faults(json!({"title": "\u{200b} ", "reviewers": [{"email": "a@b.c"}]}), &["/title"]);
    check_faults(
        json!({"title": "t", "reviewers": [{"email": "a@b.c"}], "evidence": [{"label": "\u{feff}", "value": "v"}], "resume": {"task_token": " "}}),
        &["/evidence/0", "/resume/task_token"],
    );
    let request = ReviewRequest::parse(&json!({"title": "t", "reviewers": [{"email": "a@b.c"}], "summary": "\u{2060}\n"}));
    assert_eq!(request.expect("valid").summary, None);
}

#[test]
fn invariant_06_the_refusal_of_a_flood_of_unknown_fields_stays_small_enough_to_record() {
    let mut detail = json!({"title": "t", "reviewers": [{"email": "a@b.c"}]});
    let fields = detail.as_object_mut().expect("object");
    fields.insert("x".repeat(100_000), json!(1));
    fields.extend((0..20_000).map(|n| (format!("f{n}"), json!(1))));
    let faults = ReviewRequest::parse(&detail).expect_err("faults");
    assert!(faults.last().is_some_and(|fault| fault.expected.contains("19951 further unknown fields")), "{:?}", faults.last());
    assert!(serde_json::to_vec(&faults).expect("JSON").len() < 32_000);
}

#[test]
fn each_digest_is_of_the_canonical_form_of_the_whole_that_it_covers() {
    use crate::digest::{ActionDigest, ContentDigest, SeenDigest, SubjectDigest, canonical};

    let bytes = |value: Value| canonical(&value).expect("a value has canonical bytes");
    for summary in [json!(null), json!("\u{1F600} \"quoted\"\n")] {
        let subject = json!({"\u{1F600}": 1, "\u{FB33}": 2.50, "a": [null, {"z": 1, "b": "\u{7}"}], "": "é"});
        let evidence = json!([{"label": "l", "value": "v"}, {"table": [["a", "\\"], ["b"]], "label": "t"}]);
        let mut detail = json!({"title": "T \u{e9}", "subject": subject, "evidence": evidence, "policy": {"quorum": 2},
            "reviewers": [{"group": "g"}, {"email": "b@x.com"}, {"email": "a@x.com"}], "risk": "high", "on_reject": "succeed"});
        if !summary.is_null() {
            detail["summary"] = summary.clone();
        }
        let request = ReviewRequest::parse(&detail).expect("valid");
        let mut seen = json!({"title": request.title, "subject": subject, "evidence": evidence});
        if !summary.is_null() {
            seen["summary"] = summary.clone();
        }
        let decided = json!({"subject": subject, "evidence": evidence, "policy": request.policy,
            "reviewers": [{"email": "a@x.com"}, {"email": "b@x.com"}, {"group": "g"}]});
        let mut content = decided.clone();
        for (name, value) in [
            ("title", json!(request.title)),
            ("summary", summary),
            ("risk", json!("high")),
            ("on_expiry", json!("fail")),
            ("on_reject", json!("succeed")),
        ] {
            content[name] = value;
        }
        let whole = Digests {
            subject: SubjectDigest::of(&bytes(json!({"subject": subject, "evidence": evidence}))),
            action: ActionDigest::of(&bytes(subject)),
            seen: SeenDigest::of(&bytes(seen)),
            content: ContentDigest::of(&bytes(content)),
        };
        assert_eq!(request.digests(), whole);
        assert_eq!(request.content_digest(ContentRecipe::Decided), ContentDigest::of(&bytes(decided)));
    }
}
