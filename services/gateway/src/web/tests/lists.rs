//! A person's lists: what waits for them, what they asked for, and finding the rest.

use events::{
    event::{Changed, Changer, Door},
    request::Reviewer,
};
use ledger::Status;
use review::directory::{Person, Wanted};
use serde_json::{Value, json};

use super::{Reply, World, request, with};

fn titled(title: &str) -> Value {
    with(request(), "title", json!(title))
}

/// The titles of the rows, in order.
fn titles(page: &Reply) -> Vec<String> {
    let rows = page.text.split("class=\"row-title\" dir=\"auto\">").skip(1);
    rows.map(|row| row.split('<').next().expect("a title").to_owned()).collect()
}

/// The address behind the button to the next page.
fn next(page: &Reply) -> Option<String> {
    let link = page.text.split("rel=\"next\" href=\"").nth(1)?;
    Some(link.split('"').next()?.replace("&amp;", "&"))
}

/// Every title of a list, page by page.
async fn walk(world: &World, cookie: &str, path: &str) -> Vec<String> {
    let (mut all, mut path) = (Vec::new(), path.to_owned());
    loop {
        let page = world.look(cookie, &path).await;
        assert_eq!(page.status, 200, "{path}");
        all.extend(titles(&page));
        match next(&page) {
            Some(next) => path = next,
            None => return all,
        }
    }
}

async fn register(world: &World, id: &str, aliases: &[&str], group: &str) {
    let person = id.parse::<events::PersonId>().expect("a person");
    let aliases = aliases.iter().map(|alias| alias.parse().expect("a person")).collect();
    let mut wanted = Wanted::default();
    let ana = Person { name: Some("Ana Lind".into()), aliases, phone: None };
    wanted.add_person(&person, ana).expect("nobody else's ids");
    wanted.add_group(group.parse().expect("a group"), &[person]);
    world.gateway.reviews.apply_directory(&wanted, &Changed::new(Changer::Operator, Door::Api)).await.expect("applied");
}

#[tokio::test]
async fn a_person_finds_what_waits_for_them_by_every_name_until_they_have_decided() {
    let world = World::new();
    register(&world, "ana@example.com", &["ana.lind@example.com"], "oncall").await;
    let by = |title: &str, reviewers: Value| with(with(titled(title), "reviewers", reviewers), "expires_in", json!("PT9H"));
    world.ask(by("By address", json!([{"email": "ana@example.com"}]))).await;
    world.ask(by("By alias", json!([{"email": "ana.lind@example.com"}]))).await;
    let group = world
        .ask(with(by("By group", json!([{"group": "oncall"}, {"email": "x@example.com"}])), "policy", json!({"quorum": 2})))
        .await;
    world.ask(by("Of others", json!([{"email": "ben@example.com"}]))).await;
    // Signed in by the alias, and still the same person.
    let ana = world.sign_in_as("ana.lind@example.com").await;
    let page = world.look(&ana, "/").await;
    let mut waiting = titles(&page);
    waiting.sort();
    assert_eq!(waiting, ["By address", "By alias", "By group"]);
    assert!(page.words().contains("Waiting for me 3") && page.words().contains("Ana Lind"), "{}", page.words());

    world.press(&world.link(group, "ana@example.com"), "approve", "").await;
    world.project(group).await;
    assert!(!titles(&world.look(&ana, "/").await).contains(&"By group".to_owned()), "it waits for others now");
    let all = world.look(&ana, "/?show=all").await;
    assert!(all.words().contains("You decided"), "{}", all.words());
    assert_eq!(titles(&all).len(), 3);
}

#[tokio::test]
async fn a_person_finds_what_they_asked_for_and_never_what_is_none_of_theirs() {
    let world = World::new();
    world.ask(titled("Mine")).await;
    world.ask(with(titled("Somebody else's"), "requester", json!({"email": "zoe@example.com"}))).await;
    let rita = world.sign_in_as("rita@example.com").await;
    assert_eq!(titles(&world.look(&rita, "/").await), Vec::<String>::new());
    for path in ["/?show=asked", "/?show=all", "/?show=asked&status=open", "/?show=open", "/?show=all&q=somebody"] {
        let page = world.look(&rita, path).await;
        let expected: &[&str] = if path.contains("show=a") && !path.contains("q=") { &["Mine"] } else { &[] };
        assert_eq!(titles(&page), expected, "{path}");
    }
    assert!(world.look(&rita, "/?show=asked&status=approved").await.words().contains("Nothing found"));
    let eve = world.sign_in_as("eve@example.com").await;
    assert!(world.look(&eve, "/").await.words().contains("Nothing waits for you"));
    assert!(world.look(&eve, "/?show=asked").await.words().contains("You have asked for nothing"));
}

#[tokio::test]
async fn everything_of_a_person_is_paged_without_gap_or_repeat_though_many_share_a_moment() {
    let world = World::new();
    for number in 0..130 {
        // Ana asks for every third herself; thirty share each moment.
        let requester = if number % 3 == 0 { "ana@example.com" } else { "rita@example.com" };
        let reviewers = if number % 3 == 0 { "ben@example.com" } else { "ana@example.com" };
        let detail = with(titled(&format!("Number {number:03}")), "requester", json!({"email": requester}));
        world.ask(with(detail, "reviewers", json!([{"email": reviewers}]))).await;
        if number % 30 == 29 {
            world.pass(1);
        }
    }
    let ana = world.sign_in_as("ana@example.com").await;
    let mut all = walk(&world, &ana, "/?show=all").await;
    assert_eq!(all.len(), 130);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 130);
    let waiting = walk(&world, &ana, "/").await;
    assert_eq!(waiting.len(), 86);
    for bad in ["nonsense", "1.x", ".", "9999999999999999999"] {
        assert_eq!(world.look(&ana, &format!("/?show=all&from={bad}")).await.status, 404, "{bad}");
    }
}

#[tokio::test]
async fn words_and_risk_narrow_a_list_and_a_search_looks_through_a_bounded_number() {
    let world = World::new();
    world.ask(with(titled("The <needle> & more"), "risk", json!("high"))).await;
    let rows: Vec<_> = {
        let row = world.gateway.views.search(&ledger::Search::default(), None, 1).await.expect("rows").rows.remove(0);
        (0..1_100)
            .map(|number: i64| ledger::ReviewRow {
                review_id: events::ReviewId::for_event("1", "s", &number.to_string(), 1),
                title: format!("Hay {number}"),
                risk: events::request::Risk::Low,
                requested_at: events::Timestamp::from_millis(row.requested_at.millis() + 1 + number).expect("a time"),
                ..row.clone()
            })
            .collect()
    };
    world.gateway.views.put(&rows).await.expect("rows");
    let ana = world.sign_in_as("ana@example.com").await;
    for path in ["/?show=all&q=NEEDLE+rita", "/?show=all&risk=high", "/?show=all&q=com.example.pipeline+%3Cneedle"] {
        let first = world.look(&ana, path).await;
        assert!(
            first.words().contains("Nothing found yet") && first.words().contains("Found among 1000 reviews"),
            "{}",
            first.words()
        );
        let found = world.look(&ana, &next(&first).expect("further")).await;
        assert_eq!(titles(&found), ["The &lt;needle&gt; &amp; more"], "{path}");
        assert_eq!(next(&found), None);
    }
    let hay = world.look(&ana, "/?show=all&q=hay+1099&risk=low").await;
    assert_eq!(titles(&hay), ["Hay 1099"]);
    assert!(hay.text.contains("value=\"hay 1099\"") && hay.text.contains("<option value=\"low\" selected>"), "{}", hay.text);
}

#[tokio::test]
async fn whoever_looks_for_an_id_is_shown_that_review() {
    let world = World::new();
    let id = world.ask(request()).await;
    let ana = world.sign_in_as("ana@example.com").await;
    let reply = world.look(&ana, &format!("/?q=+{id}+")).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, format!("/reviews/{id}").as_str()));
    let row = world.gateway.views.get(id).await.expect("a row").expect("there");
    assert_eq!((row.status, row.reviewers.len()), (Status::Open, 2));
    assert!(row.reviewers.iter().all(|reviewer| matches!(reviewer, Reviewer::Person(_))));
}
