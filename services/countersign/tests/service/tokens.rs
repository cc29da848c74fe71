//! Task tokens are nowhere to be seen.

use serde_json::json;

use crate::{
    asked, event,
    pages::{Browser, link},
    resume,
    support::{
        api::{Api, request, review_of_key},
        eventually, log,
        process::{Service, files},
        workflows::{Wire, Workflows},
    },
};

/// Every way in that a token may take, rightly or by mistake.
fn hand_in(api: &Api, workflows: &Workflows) -> (Vec<String>, Vec<String>) {
    let mut tokens = Vec::new();
    let mut answers = Vec::new();
    let mut put = |change: &dyn Fn(&mut serde_json::Value, &str), key: &str| {
        let task = workflows.task(Wire::Whole);
        let mut detail = request(key, resume(&task));
        detail["request_key"] = json!(key);
        change(&mut detail, &task.0);
        answers.push(format!("{:?}", api.try_put_event("ReviewRequested", &detail)));
        detail["request_key"] = json!(format!("{key}-by-api"));
        answers.push(api.post("/api/v1/reviews", &detail).text);
        tokens.push(task.0);
    };
    put(&|_, _| {}, "open");
    put(&|_, _| {}, "decided");
    put(&|detail, _| detail["reviewers"] = json!([]), "refused");
    put(&|detail, token| detail["resume"] = json!(token), "token in the wrong place");
    put(&|detail, token| detail["task_token"] = json!(token), "token beside the right place");
    put(&|detail, token| detail["resume"]["deadline"] = json!(token), "token as a time");
    put(&|detail, token| detail["reviewers"] = json!([{ "email": token }, { "group": token }]), "token as a reviewer");
    put(&|detail, token| detail["expires_in"] = json!(token), "token as a period");
    // A detail that is no JSON.
    let (token, _) = workflows.task(Wire::Whole);
    let entry = json!({"Source": "s", "DetailType": "ReviewRequested", "Detail": format!("{{\"resume\": \"{token}\"")});
    let call = json!({"Entries": [entry]}).to_string();
    answers.push(api.strange_post("/", &[("x-amz-target", "AWSEvents.PutEvents")], &call).text);
    answers.push(api.strange_post("/", &[("x-amz-target", "AWSEvents.PutEvents")], &call[..call.len() - 4]).text);
    tokens.push(token);
    (tokens, answers)
}

#[test]
fn invariant_04_a_task_token_is_in_no_file_log_line_answer_or_page() {
    let workflows = Workflows::listen();
    let mut service = Service::new(&workflows).variable("COUNTERSIGN_LOG", "trace");
    service.start();
    let api = service.api();
    let (tokens, mut seen) = hand_in(&api, &workflows);
    let (open, decided) = (review_of_key("open", 1), review_of_key("decided", 1));
    asked(&api, &open, 2);
    workflows.set_down(true);
    api.vote(&decided, "ana@example.com", "approve").with_status(200);
    event(&api, &decided, "WorkflowResumeFailed");
    workflows.set_down(false);
    eventually("told in the end", std::time::Duration::from_secs(20), || api.events_of(&decided, "WorkflowResumed").pop());

    let rows = eventually("all is listed", crate::SOON, || Some(api.rows()).filter(|rows| rows.len() >= 10));
    let operator = Browser::operator(&service);
    for row in &rows {
        let review = row["review_id"].as_str().expect("an id");
        seen.extend([
            api.review(review).to_string(),
            format!("{:?}", api.events(review)),
            operator.get(&format!("/reviews/{review}")).1,
        ]);
    }
    seen.push(format!("{rows:?}{:?}{}", api.dead_letters(), api.reconcile()));
    seen.extend(["/", "/outbox", "/dead-letters", &link(&service, "ana@example.com")].map(|path| operator.get(path).1));
    service.kill();
    let killed: Vec<_> =
        files(&service.data()).into_iter().map(|path| (path.clone(), std::fs::read(path).expect("read"))).collect();
    service.start();
    service.stop_cleanly();

    let holds = |bytes: &[u8], token: &str| bytes.windows(token.len()).any(|window| window == token.as_bytes());
    for token in &tokens {
        // Any half of it is a leak too.
        for part in [&token[..300], &token[300..]] {
            for text in &seen {
                assert!(!holds(text.as_bytes(), part), "an answer shows a token: {text:.300}");
            }
            for (path, bytes) in &killed {
                assert!(!holds(bytes, part), "{} held a token after the kill", path.display());
            }
            for path in files(&service.data()) {
                assert!(!holds(&std::fs::read(&path).expect("read"), part), "{} holds a token", path.display());
            }
            let log = service.log();
            let line = log.lines().find(|line| holds(line.as_bytes(), part));
            assert!(line.is_none(), "the log shows a token: {:.300}", line.unwrap_or_default());
        }
    }
    assert!(seen.iter().any(|text| text.contains(&log::hash(&tokens[0]))), "what it is known by is there");
    assert!(killed.len() >= 5 && service.log().len() > 1_000, "there was something to search");
}
