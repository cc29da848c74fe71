//! Signing in with a provider, by a clock that is moved: what only time or our own doing can end. What
//! real providers say is tested from outside (`tests/outside/test_oidc.py`).

use std::sync::Arc;

use async_trait::async_trait;
use events::Timestamp;

use super::{BASE, Reply, World, request};
use crate::{Departure, Provider, ProviderError};

/// Vouches for whoever has the code `good`, under the address that it was made with.
struct Fake(&'static str);

#[async_trait]
impl Provider for Fake {
    fn name(&self) -> &str {
        "Fake <SSO>"
    }

    async fn start(&self) -> Result<Departure, ProviderError> {
        let (state, nonce, verifier) = ("a-state".to_owned(), "a-nonce".to_owned(), "a-verifier".to_owned());
        Ok(Departure { url: "https://id.example/authorize".to_owned(), state, nonce, verifier })
    }

    async fn finish(&self, code: &str, departure: &Departure, _: Timestamp) -> Result<String, ProviderError> {
        assert_eq!((departure.nonce.as_str(), departure.verifier.as_str()), ("a-nonce", "a-verifier"));
        match code {
            "good" => Ok(self.0.to_owned()),
            _ => Err(ProviderError::Refused("another code".into())),
        }
    }
}

fn world(address: &'static str) -> World {
    let world = World::new();
    let mut gateway = world.gateway.clone();
    gateway.sign_in.provider = Some(Arc::new(Fake(address)));
    World { router: crate::router(gateway.clone()), gateway, ..world }
}

/// Leaves for the provider; the cookie that the browser keeps.
async fn leave(world: &World) -> String {
    let left = world.get("/signin/provider").await;
    assert_eq!((left.status.as_u16(), left.header("location")), (303, "https://id.example/authorize"));
    left.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

async fn come_back(world: &World, cookie: &str, query: &str) -> Reply {
    let headers = [("cookie", cookie), ("sec-fetch-site", "cross-site")];
    world.send("GET", &format!("/signin/back?{query}"), &headers, String::new()).await
}

#[tokio::test]
async fn the_way_to_a_provider_ends_after_ten_minutes_and_in_one_sign_in() {
    let world = world("ana@example.com");
    world.ask(request()).await;
    let cookie = leave(&world).await;
    world.pass(599);
    let back = come_back(&world, &cookie, "code=good&state=a-state").await;
    assert_eq!((back.status.as_u16(), back.header("location")), (303, "/"));
    assert!(back.header("set-cookie").starts_with("countersign_session="));
    assert_eq!(come_back(&world, &cookie, "code=good&state=a-state").await.status, 403, "once");
    let world = world_again(world).await;
    let cookie = leave(&world).await;
    world.pass(600);
    let late = come_back(&world, &cookie, "code=good&state=a-state").await;
    assert_eq!((late.status.as_u16(), late.header("set-cookie")), (403, ""));
    assert!(late.words().contains("begin again"), "{}", late.words());
}

/// The same provider, at another service: this one has used its one state up.
async fn world_again(_: World) -> World {
    let world = world("ana@example.com");
    world.ask(request()).await;
    world
}

#[tokio::test]
async fn a_session_is_no_departure_and_a_departure_no_session() {
    let world = world("ana@example.com");
    let id = world.ask(request()).await;
    let ana = world.sign_in_as("ana@example.com").await;
    let (_, value) = ana.split_once('=').expect("a cookie");
    assert_eq!(come_back(&world, &format!("countersign_departure={value}"), "code=good&state=a-state").await.status, 403);
    let cookie = leave(&world).await;
    let (_, value) = cookie.split_once('=').expect("a cookie");
    assert_eq!(world.look(&format!("countersign_session={value}"), &format!("/reviews/{id}")).await.status, 303);
}

#[tokio::test]
async fn a_provider_signs_nobody_in_as_the_operator_and_its_name_is_text() {
    let world = world("ana@example.com");
    world.ask(request()).await;
    let page = world.get("/signin").await;
    assert!(page.text.contains("Sign in with <bdi>Fake &lt;SSO&gt;</bdi>"), "{}", page.text);
    let cookie = leave(&world).await;
    let back = come_back(&world, &cookie, "code=good&state=a-state").await;
    let session = back.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    for path in ["/outbox", "/dead-letters", "/audit"] {
        assert_eq!(world.look(&session, path).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn without_a_provider_there_is_no_way_to_one() {
    let world = World::new();
    assert!(!world.get("/signin").await.text.contains("/signin/provider"));
    assert_eq!(world.get("/signin/provider").await.status, 404);
    assert_eq!(world.get("/signin/back?code=good&state=a-state").await.status, 404);
}

#[tokio::test]
async fn under_https_every_cookie_is_of_this_host_alone_and_never_sent_in_plain_text() {
    let world = world("ana@example.com");
    world.ask(request()).await;
    let gateway = crate::Gateway { base_url: "https://reviews.example".into(), ..world.gateway.clone() };
    let world = World { router: crate::router(gateway.clone()), gateway, ..world };
    let send = async |path: &str, cookie: &str| {
        world.send("GET", path, &[("host", "reviews.example"), ("cookie", cookie)], String::new()).await
    };
    let (form, left) = (send("/signin", "").await, send("/signin/provider", "").await);
    let departure = left.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let back = send("/signin/back?code=good&state=a-state", &departure).await;
    for (reply, purpose, same_site) in [(&form, "visitor", "Strict"), (&left, "departure", "Lax"), (&back, "session", "Strict")] {
        let set = reply.header("set-cookie");
        assert!(set.starts_with(&format!("__Host-countersign_{purpose}=")), "{set}");
        assert!(set.ends_with(&format!("; Path=/; HttpOnly; SameSite={same_site}; Secure")), "{set}");
    }
    assert!(BASE.starts_with("http://"), "the other tests are those without");
}
