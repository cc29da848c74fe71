//! What pages show, to whom, and what they never show.

use serde_json::json;

use super::{TOKEN, World, request, with};

#[tokio::test]
async fn invariant_04_no_page_holds_a_task_token() {
    let world = World::new();
    let id = world.ask(request()).await;
    let refused = world.ask(with(with(request(), "title", json!("Refused")), "reviewers", json!([{"group": "nobody"}]))).await;
    let cookie = world.sign_in().await;
    let link = world.link(id, "ana@example.com");
    let pages = [
        "/".to_owned(),
        "/?show=all&status=refused".into(),
        format!("/reviews/{id}"),
        format!("/reviews/{refused}"),
        "/outbox".into(),
        "/dead-letters".into(),
        link,
    ];
    let hash = events::TaskToken::new(TOKEN).expect("a token").hash().to_string();
    for page in pages {
        let reply = world.send("GET", &page, &[("cookie", &cookie)], String::new()).await;
        assert_eq!(reply.status, 200, "{page}");
        assert!(!reply.text.contains(TOKEN) && !reply.text.contains(&hash), "{page}");
    }
    // The page does know the workflow.
    let page = world.send("GET", &format!("/reviews/{id}"), &[("cookie", &cookie)], String::new()).await;
    assert!(page.words().contains("run-7 Waits for the outcome"), "{}", page.words());
}

#[tokio::test]
async fn the_short_address_of_an_sms_leads_to_the_page_which_asks_who_comes() {
    let world = World::new();
    let id = world.ask(request()).await;
    let fold = world.gateway.reviews.load(id).await.expect("loaded");
    let links = channels::link::Links::new(world.gateway.keys.clone(), super::BASE.into());
    let ana = ::review::Directory::default().primary(&"ana@example.com".parse().expect("a person"));
    let short = links.to(fold.state.review().expect("a review"), &ana).short_url();
    let short = short.strip_prefix(super::BASE).expect("an address of ours");
    let reply = world.get(short).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, format!("/reviews/{id}").as_str()));
    let page = world.get(&format!("/reviews/{id}")).await;
    assert_eq!((page.status.as_u16(), page.header("location")), (303, format!("/signin?review={id}").as_str()));
    let stranger = world.get("/r/AAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(stranger.status, 303, "whether there is such a review is told to whoever has signed in");
    for strange in ["/r/x", "/r/AAAAAAAAAAAAAAAAAAAAAAA", "/r/%00"] {
        assert_eq!(world.get(strange).await.status, 404, "{strange}");
    }
}

#[tokio::test]
async fn a_review_whose_workflow_was_stopped_says_so() {
    let world = World::new();
    let id = world.ask(request()).await;
    let detail = json!({"executionArn": "arn:aws:states:eu-central-1:1:execution:churn:run-7", "status": "ABORTED"});
    let [account, source, detail_type] = ["local", "aws.states", "Step Functions Execution Status Change"].map(str::to_owned);
    let event = intake::BusEvent {
        id: "ended".into(),
        sender: intake::Sender::Bus { account, source },
        detail_type,
        detail: events::json::Typed::made(detail),
    };
    world.gateway.intake.receive(&event).await.expect("received");
    let cookie = world.sign_in().await;
    let page = world.send("GET", &format!("/reviews/{id}"), &[("cookie", &cookie)], String::new()).await;
    for said in ["Cancelled by its workflow, which was stopped", "A workflow that waited was stopped", "It was stopped by itself"]
    {
        assert!(page.words().contains(said), "{said:?} is not in {}", page.words());
    }
}

#[tokio::test]
async fn without_signing_in_there_is_a_welcome_and_nothing_else() {
    let world = World::new();
    let id = world.ask(request()).await;
    let welcome = world.get("/").await;
    assert_eq!(welcome.status, 200);
    assert!(
        welcome.words().contains("Open the link in your own message") && !welcome.text.contains("churn"),
        "{}",
        welcome.words()
    );
    for path in [format!("/reviews/{id}"), "/reviews/nonsense".into(), "/outbox".into(), "/dead-letters".into()] {
        let reply = world.get(&path).await;
        assert_eq!(reply.status, if path.starts_with("/reviews") { 303 } else { 403 }, "{path}");
        assert!(!reply.text.contains("churn"), "{path}");
    }
    let forged = world.send("GET", "/outbox", &[("cookie", "countersign_session=AAAA")], String::new()).await;
    assert_eq!(forged.status, 403);
}

#[tokio::test]
async fn a_link_shows_its_one_review_and_opens_nothing_else() {
    let world = World::new();
    let id = world.ask(request()).await;
    let link = world.link(id, "ana@example.com");
    let page = world.get(&link).await;
    assert!(page.words().contains("You are ana@example.com."), "{}", page.words());
    assert!(!page.text.contains("/outbox") && !page.text.contains("/signout"));
    for (path, status) in
        [(format!("{link}x"), 404), (link[..60].to_owned(), 404), ("/a/nonsense".into(), 404), ("/nowhere".into(), 404)]
    {
        assert_eq!(world.get(&path).await.status.as_u16(), status, "{path}");
    }
    world.pass(200 * 3_600);
    let old = world.get(&link).await;
    assert_eq!(old.status, 410);
    assert!(old.words().contains("This link has expired"));
}

#[tokio::test]
async fn what_strangers_wrote_is_text() {
    let world = World::new();
    let evil = "<script>alert(1)</script>\u{202e}gnp.exe 🚀";
    let big = "<b>row</b> ".repeat(15_000);
    let detail = json!({
        "title": evil,
        "summary": "<script>alert(1)</script> [x](javascript:alert(1)) <img src=https://evil.example/x onerror=alert(1)>",
        "subject": {evil: evil},
        "evidence": [
            {"label": evil, "value": big},
            {"label": "\" onload=\"alert(1)", "url": "https://x.example/\"><script>alert(1)</script>"},
            {"label": evil, "table": [[evil, "b"], ["<img src=x>", "\"><svg onload=alert(1)>"]]},
            {"label": "\"><script>", "image": "data:image/svg+xml;base64,PHN2Zy8+\"><script>alert(1)</script>"},
        ],
        "requester": {"email": "rita'&x@example.com"},
        "reviewers": [{"email": "ana@example.com"}],
    });
    let id = world.ask(detail).await;
    world.press(&world.link(id, "ana@example.com"), "reject", evil).await;
    let cookie = world.sign_in().await;
    for path in
        ["/".to_owned(), "/?show=ended".into(), format!("/reviews/{id}"), world.link(id, "ana@example.com"), "/outbox".into()]
    {
        let reply = world.send("GET", &path, &[("cookie", &cookie)], String::new()).await;
        assert_eq!(reply.status, 200, "{path}");
        for tag in reply.text.split('<').skip(1).map(|part| part.split_once('>').map_or(part, |(tag, _)| tag)) {
            let ours = tag.starts_with("script src=\"/assets/") || !tag.starts_with("script");
            assert!(
                ours && !tag.starts_with("b>")
                    && !tag.contains(" onload=\"")
                    && !tag.contains(" onerror=")
                    && !tag.contains(" style="),
                "{path}: <{tag}>"
            );
            assert!(!tag.starts_with("img") || tag.contains("src=\"data:image/"), "{path}: <{tag}>");
            assert!(!tag.contains("href=\"javascript"), "{path}: <{tag}>");
        }
    }
}

#[tokio::test]
async fn polling_costs_nothing_until_something_changes() {
    let world = World::new();
    let id = world.ask(request()).await;
    let (ana, ben) = (world.link(id, "ana@example.com"), world.link(id, "ben@example.com"));
    let page = world.get(&ana).await;
    let tag = page.header("etag").to_owned();
    assert!(page.text.contains(&format!("data-etag=\"{}\"", tag.replace('"', "&quot;"))), "{tag}");
    let again = world.send("GET", &ana, &[("if-none-match", &tag)], String::new()).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    assert_eq!(world.send("GET", &ben, &[("if-none-match", &tag)], String::new()).await.status, 200);
    world.press(&ben, "reject", "").await;
    assert_eq!(world.send("GET", &ana, &[("if-none-match", &tag)], String::new()).await.status, 200);
}

#[tokio::test]
async fn every_page_is_guarded_and_its_files_are_found() {
    let world = World::new();
    let page = world.get("/").await;
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "same-origin"));
    let id = world.ask(request()).await;
    let page = world.get(&world.link(id, "ana@example.com")).await;
    let files: Vec<&str> = page.text.split('"').filter(|text| text.starts_with("/assets/")).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        let reply = world.get(file).await;
        assert_eq!(reply.status, 200, "{file}");
        assert!(reply.header("cache-control").contains("immutable") && reply.text.len() < 28_000, "{file}");
    }
    assert!(!page.text.contains(" style=") && !page.text.contains("<style") && page.text.len() < 18_000);
}

#[tokio::test]
async fn a_refused_request_shows_every_fault() {
    let world = World::new();
    let id = world.ask(json!({"title": "Half a request", "policy": {"quorum": 0}})).await;
    let cookie = world.sign_in().await;
    let page = world.send("GET", &format!("/reviews/{id}"), &[("cookie", &cookie)], String::new()).await;
    for expected in ["Half a request", "/reviewers", "/policy/quorum", "2 faults"] {
        assert!(page.words().contains(expected), "{expected}: {}", page.words());
    }
}
