use super::{
    letter::{Envelope, letter},
    *,
};
use events::{PersonId, ReviewId, Timestamp, event::ExecutionStatus};
use review::state::Dated;
use serde_json::{Value, json};

pub(crate) fn review(changes: Value) -> Review {
    let digest = "0".repeat(64);
    let mut request = json!({
        "v": 1, "origin": {"account": "1", "source": "com.example", "event_id": "e"}, "title": "Promote churn-model v42",
        "summary": "More than **6 %** of the rows are flagged.", "subject": {},
        "evidence": [{"label": "Flagged rows", "value": "7.4 %"}, {"label": "Rows", "table": [["a"]]}],
        "reviewers": [{"email": "ana@example.com"}], "policy": {"quorum": 1}, "risk": "normal",
        "expires_at": "2026-11-24T06:10:09.132Z", "on_expiry": "fail", "on_reject": "fail",
        "subject_digest": digest, "content_digest": digest,
    });
    request.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
    Review {
        id: ReviewId::for_event("1", "com.example", "e", 1),
        request: serde_json::from_value(request).expect("a request"),
        requested_at: Timestamp::from_millis(1_795_000_000_000).expect("a time"),
        votes: Vec::new(),
        refused_votes: Vec::new(),
        notified: Vec::new(),
        unreached: Vec::new(),
        returned: Vec::new(),
        cards: Vec::new(),
        reminders: Vec::new(),
        waiting: Vec::new(),
        repeats: Vec::new(),
        refused_events: Vec::new(),
        beyond: Vec::new(),
        ending: None,
    }
}

/// A line of what a caller may try: headers, HTML, markdown, mentions, reordering, emoji.
const HOSTILE: &str = "T\r\nBcc: eve@evil.example\r\n\u{202e}desrever\u{2066} <script>alert(1)</script> 🚀 مرحبا <!channel>";

/// Everything that a caller may try, in every place and at length.
fn hostile() -> Review {
    let evidence: Vec<Value> =
        (0..20).map(|n| json!({"label": format!("<img src=x onerror=alert({n})>"), "value": "x\r\n".repeat(5_000)})).collect();
    review(json!({
        "title": HOSTILE, "origin": {"account": "1", "source": HOSTILE, "event_id": "e"},
        "summary": format!("[Approve](https://evil.example) **bold** <style>*{{display:none}}</style> {}", "long ".repeat(400)),
        "evidence": evidence,
    }))
}

fn ended(mut review: Review, ending: Ending) -> Review {
    review.ending = Some(Dated { at: review.requested_at, what: ending });
    review
}

fn mail(review: &Review, purpose: Purpose) -> Mail {
    mail_to("Ana", review, purpose)
}

fn mail_to(name: &str, review: &Review, purpose: Purpose) -> Mail {
    compose(review, &Directory::default(), name, purpose, "https://r.example/a/x")
}

/// Every way in which a review ends, in the words of `source` and `reason`.
fn endings(source: &str, reason: &str) -> [(&'static str, Ending); 7] {
    let bob: PersonId = "bob@example.com".parse().expect("a person");
    let reason = || Some(reason.to_owned());
    let decided = |verdict| Ending::Decided {
        verdict,
        reason: reason(),
        decided_by: vec![bob.clone(), "cy@example.com".parse().expect("a person")],
    };
    let cancelled = |by| Ending::Cancelled { by, reason: reason() };
    let arn = "arn:aws:states:eu-central-1:1:execution:churn:run-7".to_owned();
    [
        ("approved", decided(Verdict::Approved)),
        ("rejected", decided(Verdict::Rejected)),
        ("expired", Ending::Expired),
        ("cancelled_by_the_operator", cancelled(Canceller::Operator)),
        ("cancelled_by_its_requester", cancelled(Canceller::Requester(bob.clone()))),
        ("cancelled_by_its_source", cancelled(Canceller::Source { account: "1".to_owned(), source: source.to_owned() })),
        ("cancelled_by_its_workflow", cancelled(Canceller::Execution { arn, status: ExecutionStatus::TimedOut })),
    ]
}

#[test]
fn every_mail_as_text_and_html() {
    for (kind, reader, review, source, reason) in [
        ("", "Ana", review(json!({})), "com.example", "The rows are <b>not</b> test accounts."),
        ("hostile_", HOSTILE, hostile(), HOSTILE, HOSTILE),
    ] {
        let mut mails = vec![
            ("asked", mail_to(reader, &review, Purpose::Asked)),
            ("reminded", mail_to(reader, &review, Purpose::Reminded(2))),
        ];
        for (name, ending) in endings(source, reason) {
            mails.push((name, mail_to(reader, &ended(review.clone(), ending), Purpose::Ended)));
        }
        for (name, mail) in mails {
            insta::assert_snapshot!(format!("{kind}{name}_text"), format!("Subject: {}\n\n{}", mail.subject, mail.text));
            insta::assert_snapshot!(format!("{kind}{name}_html"), mail.html);
        }
    }
}

/// What a change log, a plan or a run book holds.
pub(crate) const IN_BLOCKS: &str = "# Plan\n\nThree steps, *in this order*:\n\n1. Stop the **old** job\n2. Copy `rows`:\n   - from `eu`\n     - all of it\n   - from `us`\n\n   The second takes an hour.\n3. Start the new job\n\n\
    | Region | Rows | Share |\n|:-------|-----:|------:|\n| eu | 1,204 | 93 % |\n| us \\| ca | 96 | 7 % |\n\n\
    ```sql\nINSERT INTO rows\n  SELECT * FROM old;\n```\n\n> Quoted: [the run](https://ml.example.com/runs/42)";

#[test]
fn tables_lists_and_code_keep_their_cells_numbers_and_lines() {
    let mail = mail(&review(json!({ "summary": IN_BLOCKS })), Purpose::Asked);
    insta::assert_snapshot!("in_blocks_text", mail.text);
    insta::assert_snapshot!("in_blocks_html", mail.html);
}

#[test]
fn the_mail_that_signs_somebody_in_says_what_it_is_for() {
    let from = "Reviews <reviews@corp.example>".parse().expect("a mailbox");
    let link = "https://reviews.example.com/signin?key=AbCd&review=081e3e76-02f4-463f-9077-649d9b6a9841";
    let mail = letter::sign_in(&from, "ana@example.com", link).expect("a mail");
    let text = String::from_utf8(mail.formatted()).expect("ASCII").replace("\r\n", "\n");
    let dateless: Vec<&str> = text.lines().filter(|line| !line.starts_with("Date: ")).collect();
    insta::assert_snapshot!("sign_in", dateless.join("\n"));
    let injected = letter::sign_in(&from, "ana@example.com\r\nBcc: eve@evil.example", link);
    assert!(injected.is_err(), "no header of theirs");
}

#[test]
fn what_a_caller_wrote_ends_no_header_makes_no_html_and_reorders_nothing() {
    for purpose in [Purpose::Asked, Purpose::Reminded(1), Purpose::Ended] {
        let [_, (_, ending), ..] = endings(HOSTILE, HOSTILE);
        let mail = mail_to(HOSTILE, &ended(hostile(), ending), purpose);
        assert!(!mail.subject.contains(|c: char| c.is_control() || c == '\u{202e}'), "{}", mail.subject);
        assert!(!mail.text.contains("\nBcc") && !mail.text.contains('\u{202e}'));
        assert!(
            ["<img", "<script", "<!channel>", "<style>*", "url("].iter().all(|bad| !mail.html.contains(bad)),
            "{}",
            mail.html
        );
        assert!(mail.html.len() + mail.text.len() < 20_000, "200 KB of evidence stay on the page");
        assert_eq!(mail.html.matches("href=").count(), 1, "the one link");
        let mut tags = mail.html.split('<').filter_map(|rest| rest.split_once('>'));
        assert!(tags.all(|(tag, _)| !tag.contains("src=")), "nothing is fetched from elsewhere");
    }
}

#[test]
fn the_link_is_not_to_be_tracked_and_the_colours_follow_the_reader() {
    let html = mail(&review(json!({})), Purpose::Asked).html;
    assert!(html.contains(r#"<a class="button" ses:no-track href="https://r.example/a/x""#), "{html}");
    assert!(html.contains(r#"<meta name="color-scheme" content="light dark">"#));
}

#[test]
fn the_mails_of_a_review_to_a_person_are_one_thread_also_where_ids_are_replaced() {
    let from = "Reviews <reviews@corp.example>".parse().expect("a mailbox");
    let person = Directory::default().primary(&"ana@x.com".parse().expect("a person"));
    let review = review(json!({}));
    let write = |purpose, earlier: &[&str]| {
        let envelope = Envelope {
            from: &from,
            to: "ana@x.com",
            name: "Ana\r\nBcc: eve@evil.example",
            review: review.id,
            person: &person,
            purpose,
            earlier: earlier.iter().map(|id| (*id).to_owned()).collect(),
        };
        let (message, id) = letter(mail(&review, purpose), &envelope).expect("a letter");
        (String::from_utf8(message.formatted()).expect("ASCII"), id)
    };
    let (first, root) = write(Purpose::Asked, &[]);
    assert!(first.contains("\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"), "{first}");
    assert!(first.contains(&format!("Message-ID: {root}")) && first.contains(&format!("References: {root}")), "{first}");
    assert!(!first.contains("In-Reply-To") && !first.contains("\nBcc"), "{first}");
    let (second, id) = write(Purpose::Reminded(1), &["<given@eu-central-1.amazonses.com>"]);
    assert_ne!(id, root);
    let headers = second.replace("\r\n ", " ");
    assert!(headers.contains(&format!("References: {root} <given@eu-central-1.amazonses.com>")), "{second}");
    assert!(headers.contains("In-Reply-To: <given@eu-central-1.amazonses.com>"), "{second}");
    assert_eq!(write(Purpose::Asked, &[]).1, root, "the same when it is made again");
}
