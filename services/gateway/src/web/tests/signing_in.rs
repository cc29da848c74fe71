//! People sign in by a link that was mailed to them, see what concerns them, and decide as
//! themselves alone.

use events::{
    Event,
    event::{Changed, Changer, Channel, Door},
};
use review::directory::{Person, Wanted};
use serde_json::json;

use super::{BASE, Reply, World, request, with};

/// Fills in the form of the sign-in page; the answer.
async fn ask_for_a_link(world: &World, email: &str, more: &[(&str, &str)]) -> Reply {
    let page = world.get("/signin").await;
    let visitor = page.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let csrf = page.field("csrf");
    let fields = [&[("csrf", csrf.as_str()), ("email", email)], more].concat();
    world.post("/signin/mail", &[("cookie", &visitor)], &fields).await
}

/// Presses the button behind a link that was mailed.
async fn press(world: &World, link: &str) -> Reply {
    let page = world.get(link).await;
    let mut fields = hidden(&page);
    fields.push(("go", "in".to_owned()));
    send(world, &fields).await
}

/// All that the form of the page holds before somebody presses its button: what `form.submit()` sends.
fn hidden(page: &Reply) -> Vec<(&'static str, String)> {
    let named = |name: &&str| page.text.contains(&format!("type=\"hidden\" name=\"{name}\""));
    ["key", "csrf", "review"].into_iter().filter(named).map(|name| (name, page.field(name))).collect()
}

async fn send(world: &World, fields: &[(&str, String)]) -> Reply {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.post("/signin", &[], &fields).await
}

fn cookie(reply: &Reply) -> String {
    reply.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

#[tokio::test]
async fn a_person_asks_for_a_link_presses_its_button_and_is_signed_in_for_eight_hours() {
    let world = World::new();
    let id = world.ask(request()).await;
    let answer = ask_for_a_link(&world, " Ana@Example.com ", &[("review", &id.to_string())]).await;
    assert!(answer.words().contains("A link is on its way"), "{}", answer.words());
    let [(to, link)] = world.mail.all().try_into().expect("one mail");
    assert_eq!(to, "ana@example.com");

    let reply = press(&world, &link).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, format!("/reviews/{id}").as_str()));
    let set = reply.header("set-cookie");
    assert!(set.ends_with("; Max-Age=28800; Path=/; HttpOnly; SameSite=Strict"), "{set}");
    let page = world.look(&cookie(&reply), &format!("/reviews/{id}")).await;
    assert!(page.words().contains("You are ana@example.com."), "{}", page.words());
    world.pass(8 * 3_600);
    assert_eq!(world.look(&cookie(&reply), &format!("/reviews/{id}")).await.status, 303);
}

#[tokio::test]
async fn trap_a_scanner_that_follows_the_sign_in_link_and_sends_its_form_signs_nobody_in_and_does_not_use_it_up() {
    let world = World::new();
    let id = world.ask(request()).await;
    ask_for_a_link(&world, "ana@example.com", &[("review", &id.to_string())]).await;
    let (_, link) = world.mail.all().remove(0);
    for method in ["GET", "HEAD", "GET", "GET"] {
        let seen = world.send(method, &link, &[], String::new()).await;
        assert_eq!((seen.status.as_u16(), seen.header("set-cookie")), (200, ""), "{method}");
    }
    // Some make up a form from the link, and some run the page and send what they find in it
    // (emdash#3298): its token is there, but no button was pressed.
    let key = link.split("key=").nth(1).and_then(|rest| rest.split('&').next()).expect("a key");
    assert_eq!(world.post("/signin", &[], &[("key", key)]).await.status, 403);
    let page = world.get(&link).await;
    let fields = hidden(&page);
    assert_eq!(fields.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["key", "csrf", "review"]);
    let sent = send(&world, &fields).await;
    assert_eq!((sent.status.as_u16(), sent.header("set-cookie")), (422, ""), "{}", sent.words());
    let other = [fields, vec![("go", "on".to_owned())]].concat();
    assert_eq!(send(&world, &other).await.status, 422);
    assert_eq!(press(&world, &link).await.status, 303, "the person comes after the scanner");
}

#[tokio::test]
async fn a_link_works_once_and_for_a_quarter_of_an_hour() {
    let world = World::new();
    world.ask(request()).await;
    for _ in 0..2 {
        ask_for_a_link(&world, "ana@example.com", &[]).await;
    }
    let [(_, first), (_, second)] = world.mail.all().try_into().expect("two mails");
    assert_eq!(press(&world, &first).await.status, 303);
    let again = press(&world, &first).await;
    assert_eq!((again.status.as_u16(), again.header("set-cookie")), (403, ""));
    assert!(again.words().contains("was used before"), "{}", again.words());
    world.pass(15 * 60);
    assert_eq!(world.get(&second).await.status, 403);
}

#[tokio::test]
async fn who_asks_is_told_the_same_whether_or_not_they_are_known() {
    let world = World::new();
    world.ask(request()).await;
    for (number, known) in ["rita@example.com", "ana@example.com", "nobody@example.com", "eve@example.com"].iter().enumerate() {
        let (reply, stranger) = (ask_for_a_link(&world, known, &[]).await, format!("x{number}@example.com"));
        assert_eq!(reply.status, 200);
        assert_eq!(
            reply.words().replace(known, "X"),
            ask_for_a_link(&world, &stranger, &[]).await.words().replace(&stranger, "X")
        );
        assert_eq!(reply.header("set-cookie"), "");
    }
    let to: Vec<String> = world.mail.all().into_iter().map(|(to, _)| to).collect();
    assert_eq!(to, ["rita@example.com", "ana@example.com"]);
    for bad in ["", "ana", "slack:T1/U1", "a b@example.com"] {
        assert_eq!(ask_for_a_link(&world, bad, &[]).await.status, 422, "{bad}");
    }
}

#[tokio::test]
async fn a_link_is_asked_three_times_in_ten_minutes_for_an_address_known_or_not_and_twenty_times_by_a_client() {
    let world = World::new();
    world.ask(request()).await;
    for address in ["ana@example.com", "nobody@example.com"] {
        let mut statuses = Vec::new();
        for _ in 0..4 {
            let reply = ask_for_a_link(&world, address, &[]).await;
            statuses.push((reply.status.as_u16(), reply.header("retry-after").to_owned()));
        }
        let in_time = (200, String::new());
        assert_eq!(statuses, [in_time.clone(), in_time.clone(), in_time, (429, "600".to_owned())], "{address}");
    }
    assert_eq!(world.mail.all().len(), 3);
    let asked = ask_as_strangers(&world, 13).await;
    assert_eq!(asked, [vec![200; 12], vec![429]].concat());
    world.pass(599);
    let late = ask_for_a_link(&world, "late@example.com", &[]).await;
    assert_eq!((late.status.as_u16(), late.header("retry-after")), (429, "1"));
    world.pass(1);
    assert_eq!(ask_for_a_link(&world, "ana@example.com", &[]).await.status, 200);
    assert_eq!(world.mail.all().len(), 4);
}

async fn ask_as_strangers(world: &World, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for number in 0..count {
        statuses.push(ask_for_a_link(world, &format!("n{number}@example.com"), &[]).await.status.as_u16());
    }
    statuses
}

#[tokio::test]
async fn whoever_tries_twenty_links_that_open_nothing_is_held_back_for_ten_minutes_but_not_from_good_ones() {
    let world = World::new();
    let id = world.ask(request()).await;
    let from = async |client: &str, path: &str| world.send("GET", path, &[("x-forwarded-for", client)], String::new()).await;
    for number in 0..20 {
        let (path, status) = [("/a/guess", 404), ("/signin?key=guess", 403)][number % 2];
        assert_eq!(from("192.0.2.1", path).await.status, status, "{number}");
    }
    for path in ["/a/guess", "/signin?key=guess"] {
        let over = from("192.0.2.1", path).await;
        assert_eq!((over.status.as_u16(), over.header("retry-after")), (429, "600"), "{path}");
    }
    let key = [("key", "guess"), ("csrf", "guess")];
    assert_eq!(world.post("/signin", &[("x-forwarded-for", "192.0.2.1")], &key).await.status, 429);
    assert_eq!(world.post("/a/guess", &[("x-forwarded-for", "192.0.2.1")], &key).await.status, 429);
    assert_eq!(from("192.0.2.2", "/a/guess").await.status, 404, "another client");
    assert_eq!(from("192.0.2.1", &world.link(id, "ana@example.com")).await.status, 200);
    world.pass(600);
    assert_eq!(from("192.0.2.1", "/a/guess").await.status, 404);
}

#[tokio::test]
async fn the_form_that_asks_for_a_link_needs_its_token_and_our_origin() {
    let world = World::new();
    world.ask(request()).await;
    let page = world.get("/signin").await;
    let (visitor, csrf) = (cookie(&page), page.field("csrf"));
    for (cookies, csrf, origin) in
        [("", csrf.as_str(), BASE), (&visitor, "made-up", BASE), (&visitor, &csrf, "https://evil.example")]
    {
        let fields = [("csrf", csrf), ("email", "ana@example.com")];
        assert_eq!(world.post("/signin/mail", &[("cookie", cookies), ("origin", origin)], &fields).await.status, 403);
    }
    assert_eq!(world.mail.all(), []);
}

#[tokio::test]
async fn invariant_03_a_signed_in_person_votes_as_themselves_whatever_the_form_says() {
    let world = World::new();
    let id = world.ask(request()).await;
    let ana = world.sign_in_as("ana@example.com").await;
    let page = world.look(&ana, &format!("/reviews/{id}")).await;
    let fields = [
        ("csrf", page.field("csrf")),
        ("subject_digest", page.field("subject_digest")),
        ("choice", "approve".to_owned()),
        ("person", "ben@example.com".to_owned()),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let vote = format!("/reviews/{id}/vote");
    assert_eq!(world.post(&vote, &[("cookie", &ana)], &fields[1..]).await.status, 403, "without the token");
    let ben = world.sign_in_as("ben@example.com").await;
    assert_eq!(world.post(&vote, &[("cookie", &ben)], &fields).await.status, 403, "with another session's");
    assert_eq!(world.post(&vote, &[("cookie", &ana)], &fields).await.status, 303);
    let events = world.events(id).await;
    let cast = events.iter().find_map(|event| if let Event::VoteCast(vote) = event { Some(vote) } else { None }).expect("a vote");
    assert_eq!((cast.person.as_str(), cast.channel, cast.entered_by.as_ref()), ("ana@example.com", Channel::Web, None));
}

#[tokio::test]
async fn whoever_signs_in_by_an_alias_votes_by_it_and_page_and_timeline_say_who_had_added_it() {
    let world = World::new();
    let id = world.ask(request()).await;
    let mut wanted = Wanted::default();
    let ana = Person { aliases: vec!["eve@evil.example".parse().expect("a person")], ..Person::default() };
    wanted.add_person(&"ana@example.com".parse().expect("a person"), ana).expect("nobody else's ids");
    let hr = Changed::new(Changer::Integration("hr".parse().expect("a name")), Door::Api);
    world.gateway.reviews.apply_directory(&wanted, &hr).await.expect("applied");

    let eve = world.sign_in_as("eve@evil.example").await;
    let page = world.look(&eve, &format!("/reviews/{id}")).await;
    let fields =
        [("csrf", page.field("csrf")), ("subject_digest", page.field("subject_digest")), ("choice", "approve".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(world.post(&format!("/reviews/{id}/vote"), &[("cookie", &eve)], &fields).await.status, 303);
    let events = world.events(id).await;
    let cast = events.iter().find_map(|event| if let Event::VoteCast(vote) = event { Some(vote) } else { None }).expect("a vote");
    let acted_as = cast.acted_as.as_ref().map(events::PersonId::as_str);
    assert_eq!((cast.person.as_str(), acted_as), ("ana@example.com", Some("eve@evil.example")));

    let operator = world.sign_in().await;
    let words = world.look(&operator, &format!("/reviews/{id}")).await.words();
    let said = "by their other address eve@evil.example (alias added at ";
    assert_eq!(words.matches(said).count(), 2, "once with the vote, once on the timeline: {words}");
    assert!(words.contains("by integration hr through the API)"), "{words}");
}

#[tokio::test]
async fn a_person_sees_only_what_concerns_them_and_none_of_the_operators_pages() {
    let world = World::new();
    let id = world.ask(request()).await;
    for (person, status) in [("ana@example.com", 200), ("rita@example.com", 200), ("eve@example.com", 404)] {
        let cookie = world.sign_in_as(person).await;
        let page = world.look(&cookie, &format!("/reviews/{id}")).await;
        assert_eq!(page.status.as_u16(), status, "{person}");
        assert_eq!(page.text.contains("churn"), status == 200, "{person}");
        for path in ["/outbox", "/dead-letters"] {
            assert_eq!(world.look(&cookie, path).await.status, 403, "{person} {path}");
        }
    }
    let eve = world.sign_in_as("eve@example.com").await;
    let digest = world.get(&world.link(id, "ana@example.com")).await.field("subject_digest");
    let csrf = world.look(&eve, "/").await.field("csrf");
    let before = world.version(id).await;
    let fields = [("csrf", csrf.as_str()), ("subject_digest", &digest), ("choice", "approve")];
    assert_eq!(world.post(&format!("/reviews/{id}/vote"), &[("cookie", &eve)], &fields).await.status, 404);
    assert_eq!(world.post(&format!("/reviews/{id}/cancel"), &[("cookie", &eve)], &fields[..1]).await.status, 404);
    assert_eq!(world.version(id).await, before);
}

#[tokio::test]
async fn whoever_asked_withdraws_their_own_request_and_cannot_approve_it() {
    let world = World::new();
    let id = world.ask(request()).await;
    let rita = world.sign_in_as("rita@example.com").await;
    let page = world.look(&rita, &format!("/reviews/{id}")).await;
    assert!(!page.text.contains("value=\"approve\"") && page.words().contains("Cancel this review"), "{}", page.words());
    let csrf = page.field("csrf");
    assert_eq!(world.post(&format!("/reviews/{id}/cancel"), &[("cookie", &rita)], &[("csrf", &csrf)]).await.status, 303);
    assert!(world.look(&rita, &format!("/reviews/{id}")).await.words().contains("Cancelled by rita@example.com"));
}

#[tokio::test]
async fn the_operator_decides_for_nobody_unless_development_mode_says_so_on_every_page() {
    for dev in [false, true] {
        let world = World::with_dev(dev);
        let id = world.ask(with(request(), "policy", json!({"quorum": 2}))).await;
        let operator = world.sign_in().await;
        let path = format!("/reviews/{id}");
        let page = world.look(&operator, &path).await;
        let fields = [("csrf", page.field("csrf")), ("choice", "approve".into()), ("person", "ana@example.com".into())];
        let digest = world.get(&world.link(id, "ana@example.com")).await.field("subject_digest");
        let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fields.push(("subject_digest", &digest));
        assert_eq!(page.text.contains("value=\"approve\""), dev);
        let vote = world.post(&format!("{path}/vote"), &[("cookie", &operator)], &fields).await;
        assert_eq!(vote.status.as_u16(), if dev { 303 } else { 403 });
        assert_eq!(world.look(&operator, "/outbox").await.text.contains("/a/"), dev);
        for path in ["/", "/signin?key=none", "/outbox", "/dead-letters", "/nowhere", &path, &world.link(id, "ben@example.com")] {
            let page = world.look(&operator, path).await;
            assert_eq!(page.words().contains("Development mode."), dev, "{path}");
        }
    }
}

#[tokio::test]
async fn a_page_that_another_site_led_to_is_asked_for_once_more_with_the_session() {
    let world = World::new();
    let id = world.ask(request()).await;
    let path = format!("/reviews/{id}?x");
    let led = world.send("GET", &path, &[("sec-fetch-site", "cross-site")], String::new()).await;
    assert!(led.text.contains("http-equiv=\"refresh\"") && !led.text.contains("churn"), "{}", led.text);
    let here = world.send("GET", &path, &[("sec-fetch-site", "same-origin")], String::new()).await;
    assert_eq!((here.status.as_u16(), here.header("location")), (303, format!("/signin?review={id}").as_str()));
    let evil = world.get("/signin?review=https://evil.example").await;
    assert!(!evil.text.contains("evil"), "{}", evil.text);
}
