//! The operator's pages: inbox, outbox, dead letters, signing in and out.

use events::Version;
use ledger::Parked;
use serde_json::json;

use super::{Reply, World, request, with};

#[tokio::test]
async fn only_the_button_behind_the_link_signs_in_and_out() {
    let world = World::new();
    let key = world.operator_key();
    let page = world.get(&format!("/signin?key={key}")).await;
    assert_eq!((page.status.as_u16(), page.header("set-cookie")), (200, ""));
    assert_eq!(world.post("/signin", &[], &[("key", &key)]).await.status, 403);
    assert_eq!(world.post("/signin", &[], &[("key", &key), ("csrf", &page.field("csrf"))]).await.status, 422);
    assert_eq!(world.get("/signin?key=nonsense").await.status, 403);

    let reply = world.post("/signin", &[], &[("key", &key), ("csrf", &page.field("csrf")), ("go", "in")]).await;
    let cookie = reply.header("set-cookie").to_owned();
    assert!(cookie.ends_with("; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().expect("a cookie").to_owned();
    let inbox = world.send("GET", "/", &[("cookie", &cookie)], String::new()).await;
    assert!(inbox.words().contains("Nothing waits for a decision"), "{}", inbox.words());
    assert_eq!(world.post("/signout", &[("cookie", &cookie)], &[]).await.status, 403);
    let out = world.post("/signout", &[("cookie", &cookie)], &[("csrf", &inbox.field("csrf"))]).await;
    assert!(out.header("set-cookie").starts_with("countersign_session=; Max-Age=0;"), "{}", out.header("set-cookie"));

    world.pass(12 * 3_600);
    assert_eq!(world.send("GET", "/outbox", &[("cookie", &cookie)], String::new()).await.status, 403);
    assert_eq!(world.get(&format!("/signin?key={key}")).await.status, 403);
}

#[tokio::test]
async fn a_link_of_the_operator_works_once() {
    let world = World::new();
    let key = world.operator_key();
    let page = world.get(&format!("/signin?key={key}")).await;
    let fields = [("key", key.as_str()), ("csrf", &page.field("csrf")), ("go", "in")];
    assert_eq!(world.post("/signin", &[], &fields).await.status, 303);
    world.pass(60);
    let again = world.post("/signin", &[], &fields).await;
    assert_eq!((again.status.as_u16(), again.header("set-cookie")), (403, ""), "{}", again.words());
    // Another is another.
    let other = world.operator_key();
    let fields =
        [("key", other.as_str()), ("csrf", &world.get(&format!("/signin?key={other}")).await.field("csrf")), ("go", "in")];
    assert_eq!(world.post("/signin", &[], &fields).await.status, 303);
}

#[tokio::test]
async fn whoever_copied_a_cookie_is_out_when_its_owner_signs_out() {
    let world = World::new();
    for cookie in [world.sign_in().await, world.sign_in_as("ana@example.com").await] {
        let other = world.sign_in().await;
        let inbox = world.look(&cookie, "/").await;
        let is_in = |page: Reply| page.text.contains("action=\"/signout\"");
        // Another process has seen the session a moment ago, and believes for some seconds what it saw.
        let beside = world.beside();
        assert!(is_in(beside.look(&cookie, "/").await));
        assert_eq!(world.post("/signout", &[("cookie", &cookie)], &[("csrf", &inbox.field("csrf"))]).await.status, 303);

        let both = format!("theme=dark; {cookie}; {other}");
        for _ in 0..2 {
            assert!(!is_in(world.look(&cookie, "/").await));
            let form = world.post("/signout", &[("cookie", &cookie)], &[("csrf", &inbox.field("csrf"))]).await;
            assert_eq!(form.status, 403, "{}", form.words());
            assert!(is_in(world.look(&both, "/").await), "another session beside it goes on");
            world.pass(20);
            assert!(!is_in(beside.look(&cookie, "/").await), "the other process knows it by now");
        }
    }
}

#[tokio::test]
async fn the_inbox_puts_what_expires_first_on_top_and_ended_reviews_apart() {
    let world = World::new();
    for (title, expires_in) in [("Later", "PT9H"), ("Soonest", "PT30M"), ("Sooner", "PT2H")] {
        world.ask(with(with(request(), "title", json!(title)), "expires_in", json!(expires_in))).await;
    }
    let done = world.ask(with(request(), "title", json!("Done"))).await;
    world.press(&world.link(done, "ana@example.com"), "approve", "").await;
    world.project(done).await;
    let cookie = world.sign_in().await;
    let inbox = world.send("GET", "/", &[("cookie", &cookie)], String::new()).await.words();
    let places: Vec<_> = ["Soonest", "Sooner", "Later"].iter().map(|title| inbox.find(title).expect("listed")).collect();
    assert!(places.is_sorted() && !inbox.contains("Done") && inbox.contains("0 of 1 30 min left"), "{inbox}");
    for list in ["ended", "ended&status=approved", "all&status=approved", "all&q=done+rita"] {
        let ended = world.look(&cookie, &format!("/?show={list}")).await.words();
        assert!(ended.contains("Done") && !ended.contains("Sooner"), "{ended}");
    }
    let none = world.look(&cookie, "/?show=ended&status=rejected").await.words();
    assert!(none.contains("Nothing found") && !none.contains("Done"), "{none}");
    assert_eq!(world.send("GET", "/?from=nonsense", &[("cookie", &cookie)], String::new()).await.status, 404);
}

#[tokio::test]
async fn more_open_reviews_than_a_page_holds_are_paged_and_what_is_urgent_is_still_on_top() {
    let world = World::new();
    world.ask(with(with(request(), "title", json!("Urgent and old")), "expires_in", json!("PT3H"))).await;
    for number in 0..120 {
        world.pass(1);
        world.ask(with(with(request(), "title", json!(format!("Number {number:03}"))), "expires_in", json!("P3D"))).await;
    }
    let cookie = world.sign_in().await;
    let first = world.send("GET", "/", &[("cookie", &cookie)], String::new()).await;
    assert!(first.words().find("Urgent and old") < first.words().find("Number 119"), "{}", first.words());
    let mut pages = vec![first];
    while let Some(link) = pages.last().and_then(|page| page.text.split("rel=\"next\" href=\"").nth(1)) {
        let link = link.split('"').next().expect("a link").replace("&amp;", "&");
        pages.push(world.look(&cookie, &link).await);
    }
    assert_eq!(pages.len(), 3);
    for number in 0..120 {
        let title = format!("Number {number:03}");
        assert_eq!(pages.iter().filter(|page| page.text.contains(&title)).count(), 1, "{title}");
    }
}

#[tokio::test]
async fn in_development_mode_the_outbox_holds_a_working_link_for_everybody_asked() {
    let world = World::with_dev(true);
    world.ask(request()).await;
    let cookie = world.sign_in().await;
    let page = world.send("GET", "/outbox", &[("cookie", &cookie)], String::new()).await;
    let links: Vec<&str> =
        page.text.split("href=\"http://127.0.0.1:8787").skip(1).filter_map(|link| link.split('"').next()).collect();
    assert_eq!(links.len(), 2);
    for (link, person) in links.into_iter().zip(["ana@example.com", "ben@example.com"]) {
        assert!(world.get(link).await.words().contains(&format!("You are {person}")), "{person}");
    }
    // A link goes on showing the record for a week after the deadline.
    let link = page.text.split("href=\"http://127.0.0.1:8787").nth(1).and_then(|link| link.split('"').next()).expect("a link");
    world.pass((24 + 7 * 24) * 3_600 - 1);
    assert_eq!(world.get(link).await.status, 200);
    world.pass(1);
    assert_eq!(world.get(link).await.status, 410);
}

#[tokio::test]
async fn a_dead_letter_is_shown_and_goes_away_only_when_it_was_handled() {
    let world = World::new();
    let id = world.ask(request()).await;
    let park = |consumer: &str| Parked {
        consumer: consumer.into(),
        stream: id.into(),
        version: Version(1),
        error: "<poisoned>".into(),
        at: world.gateway.reviews.now(),
    };
    for consumer in ["willing", "stubborn"] {
        world.gateway.work.park(&park(consumer)).await.expect("parked");
    }
    let cookie = world.sign_in().await;
    let inbox = world.send("GET", "/", &[("cookie", &cookie)], String::new()).await;
    assert!(inbox.words().contains("2 records could not be handled"), "{}", inbox.words());
    let page = world.send("GET", "/dead-letters", &[("cookie", &cookie)], String::new()).await;
    assert!(page.text.contains("&lt;poisoned&gt;") && page.words().contains("willing gave up on"), "{}", page.text);
    let (csrf, stream) = (page.field("csrf"), format!("review#{id}"));
    let fields = |consumer| {
        [("csrf", csrf.clone()), ("consumer", String::from(consumer)), ("stream", stream.clone()), ("version", "1".into())]
    };
    for (consumer, status, left) in [("willing", 303, 1), ("stubborn", 200, 1), ("unknown", 303, 1)] {
        let fields = fields(consumer);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(world.post("/dead-letters", &[("cookie", &cookie)], &fields[1..]).await.status, 403);
        let reply = world.post("/dead-letters", &[("cookie", &cookie)], &fields).await;
        assert_eq!(reply.status.as_u16(), status, "{consumer}");
        assert_eq!(world.gateway.work.parked(10).await.expect("parked").len(), left, "{consumer}");
        assert!(consumer != "stubborn" || reply.words().contains("It failed again still"), "{}", reply.words());
    }
}
