//! Every state that a stream can be in, reached by commands. With a token, `token-1` waits.

use events::{Period, event::Canceller};
use review::Command;
use serde_json::json;

use crate::{
    commands::{ended, refuse, vote},
    world::{World, request, wish},
};

/// A state's name and how to reach it.
pub type Given = (&'static str, fn(Option<&str>) -> World);

pub const STATES: &[Given] = &[
    ("absent", |_| World::new()),
    ("refused", |token| World::new().then(refuse(token))),
    ("open", open),
    ("open, 1 of 2", |token| open(token).then(vote("ana@x.com", "approve"))),
    ("open, changes asked", |token| open(token).then(vote("ana@x.com", "approve")).then(vote("ana@x.com", "request-changes"))),
    ("open, token-2 waits too", |token| open(token).then(wish(request(json!({})), Some("token-2")))),
    ("open, token-2 waited too and is gone", |token| {
        open(token).then(wish(request(json!({})), Some("token-2"))).then(ended("token-2"))
    }),
    ("open, past deadline", |token| late(open(token).then(vote("ana@x.com", "approve")))),
    ("approved", |token| open(token).then(vote("ana@x.com", "approve")).then(vote("bob@x.com", "approve"))),
    ("rejected", |token| open(token).then(vote("ana@x.com", "approve")).then(vote("bob@x.com", "reject"))),
    ("expired", |token| late(open(token).then(vote("ana@x.com", "approve"))).then(Command::Expire)),
    ("cancelled", |token| {
        open(token).then(vote("ana@x.com", "approve")).then(Command::Cancel { by: Canceller::Operator, reason: None })
    }),
];

/// The state of this name.
pub fn given(name: &str, token: Option<&str>) -> World {
    let (_, reach) = STATES.iter().find(|(known, _)| *known == name).expect(name);
    reach(token)
}

fn open(token: Option<&str>) -> World {
    World::new().then(wish(request(json!({})), token))
}

/// At the very moment of expiry, which is too late.
fn late(mut world: World) -> World {
    world.now = world.fold.state.review().expect("open").request.expires_at;
    world.pass(Period::seconds(0));
    world
}
