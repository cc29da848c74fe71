//! The audit page and the report.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{World, request, with};

/// A review that Ana approved and Ben came too late for.
async fn decided(world: &World) -> events::ReviewId {
    let hostile = "<script>alert(1)</script>";
    let id = world.ask(with(request(), "title", json!(format!("Promote {hostile}")))).await;
    let late = world.get(&world.link(id, "ben@example.com")).await;
    world.press(&world.link(id, "ana@example.com"), "approve", &format!("Fine {hostile}")).await;
    world.send_ballot(&world.link(id, "ben@example.com"), &late, "reject", "No").await;
    world.project(id).await;
    id
}

#[tokio::test]
async fn the_operator_asks_by_a_form_and_sees_every_vote_and_the_course_drawn() {
    let world = World::new();
    let id = decided(&world).await;
    world.ask(with(request(), "title", json!("Another"))).await;
    let cookie = world.sign_in().await;
    let page = |query: &str| {
        let path = format!("/audit{query}");
        let (world, cookie) = (&world, &cookie);
        async move { world.send("GET", &path, &[("cookie", cookie)], String::new()).await }
    };
    let all = page("").await;
    assert_eq!(all.status, 200);
    assert!(all.words().contains("Another") && !all.text.contains("<script>alert"), "{}", all.words());
    let found =
        page("?outcome=approved&reviewer=ana%40example.com&from=&to=&channel=web&subject=model-promotion%2Fchurn-v42").await;
    let words = found.words();
    assert!(words.contains("ana@example.com approved via web") && !words.contains("Another"), "{words}");
    assert!(words.contains("ben@example.com rejected, which did not count: decided before via web"), "{words}");
    for drawn in ["<svg class=\"life\"", "life-mark good", "life-mark warn", "<title>ana@example.com approved</title>"] {
        assert!(found.text.contains(drawn), "{drawn} is not in {}", found.text);
    }
    assert!(found.text.contains(&format!("/reviews/{id}/report")) && found.text.contains("value=\"ana@example.com\""));
    assert!(page("?from=soon&subject=x").await.words().contains("The first day cannot be read. The subject cannot be read."));
    assert!(page("?outcome=expired").await.words().contains("No review matches"));
    assert_eq!(page("?cursor=nonsense").await.status, 404);
}

#[tokio::test]
async fn more_than_a_page_is_paged_with_the_question_kept() {
    let world = World::new();
    for number in 0..25 {
        world.pass(1);
        world.ask(with(request(), "title", json!(format!("Number {number:02}")))).await;
    }
    let cookie = world.sign_in().await;
    let first =
        world.send("GET", "/audit?outcome=open&requester=rita%40example.com", &[("cookie", &cookie)], String::new()).await;
    let next = first.text.split("href=\"").find(|link| link.contains("cursor=")).and_then(|link| link.split('"').next());
    let next = next.expect("a next page").replace("&amp;", "&");
    assert!(next.contains("outcome=open") && next.contains("requester=rita"), "{next}");
    let second = world.send("GET", &next, &[("cookie", &cookie)], String::new()).await;
    for number in 0..25 {
        let title = format!("Number {number:02}");
        assert!(first.text.contains(&title) ^ second.text.contains(&title), "{title}");
    }
}

#[tokio::test]
async fn a_report_stands_alone_without_script_and_says_everything() {
    let world = World::new();
    let id = decided(&world).await;
    let path = format!("/reviews/{id}/report");
    assert_eq!(world.get(&path).await.status, 403, "for the operator alone");
    let cookie = world.sign_in().await;
    let report = world.send("GET", &path, &[("cookie", &cookie)], String::new()).await;
    assert_eq!(report.status, 200);
    let words = report.words();
    for said in [
        "Approved by ana@example.com",
        "rita@example.com",
        "Flagged rows",
        "7.4 %",
        "which did not count: decided before",
        "churn-v42",
    ] {
        assert!(words.contains(said), "{said} is not in {words}");
    }
    for loaded in ["<script", "<link", "src=\"http", "@import", "url("] {
        assert!(!report.text.contains(loaded), "{loaded}");
    }
    // Its style, and nothing else, may apply.
    let style = report.text.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).expect("a style");
    let digest = BASE64.encode(Sha256::digest(style));
    let policy = report.header("content-security-policy");
    assert!(policy.contains(&format!("style-src 'sha256-{digest}'")) && policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("script-src") && report.text.contains("@media print"));
    assert_eq!(world.send("GET", "/reviews/none/report", &[("cookie", &cookie)], String::new()).await.status, 404);
}

#[tokio::test]
async fn a_refused_request_has_a_report_too() {
    let world = World::new();
    let id = world.ask(with(request(), "reviewers", json!([]))).await;
    let cookie = world.sign_in().await;
    let report = world.send("GET", &format!("/reviews/{id}/report"), &[("cookie", &cookie)], String::new()).await;
    assert!(report.words().contains("Refused: the request could not become a review"), "{}", report.words());
    assert!(report.words().contains("/reviewers"), "{}", report.words());
}
