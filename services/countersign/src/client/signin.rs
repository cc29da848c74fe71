//! `signin`: a link that signs a browser in as the operator.

use events::Timestamp;
use serde::Deserialize;

use super::{
    failure::Failure,
    http::{Call, Service},
    print::{Out, note},
    time,
};

#[derive(Deserialize)]
struct Link {
    link: String,
    expires_at: Timestamp,
}

/// Has the service make a link, and prints it.
pub fn run(service: &Service, out: &mut Out) -> Result<(), Failure> {
    let reply = service.done("the link", "POST", "/api/v1/sign-in-links", &Call::default())?;
    if out.json {
        return out.raw_json(reply.text());
    }
    let Link { link, expires_at } = reply.read(service)?;
    out.text(&format!("{link}\n"))?;
    note(&format!("It signs one browser in as the operator, once, until {}.", time::both(expires_at, time::now())));
    Ok(())
}
