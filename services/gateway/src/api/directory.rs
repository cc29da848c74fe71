//! People and groups as one document: read it, change it, put it back.

use std::collections::BTreeMap;

use axum::{extract::State, http::HeaderMap, response::Response};
use events::{Fault, GroupId, PersonId, event::Changed, line::characters};
use review::{
    PrimaryId,
    directory::{Person, Wanted},
};
use serde_json::{Map, Value, json};

use super::{
    access::Caller,
    change, fresh,
    input::{Body, Input, pointer},
    problem::Problem,
    stuck,
};
use crate::Gateway;
use events::json::Typed;

/// The longest name of a person in characters.
const NAME_MAX: usize = 200;
/// The most other ids of one person.
const ALIASES_MAX: usize = 20;
/// The most members of a group: one event holds them all, and an item of DynamoDB holds 400 KB.
const MEMBERS_MAX: usize = 1_000;

const PERSON_ID: &str = "an e-mail address or slack:TEAM/USER";

/// `GET /directory`.
pub(super) async fn show(State(gateway): State<Gateway>, headers: HeaderMap) -> Result<Response, Problem> {
    let directory = gateway.reviews.directory().await?;
    let people: BTreeMap<&PrimaryId, Value> = directory
        .people
        .iter()
        .map(|(id, person)| (id, json!({"name": person.name, "aliases": person.aliases, "phone": person.phone})))
        .collect();
    let body = json!({"people": people, "groups": directory.groups});
    fresh::tagged(&headers, &fresh::etag(directory.version), &body)
}

/// `PUT /directory`: makes the directory what the body says; whoever is not in it leaves. Who asked for it, by which
/// door and why is on record with each change.
pub(super) async fn apply(caller: Caller, State(gateway): State<Gateway>, Body(body): Body) -> Result<Response, Problem> {
    let (wanted, changed) = read(&caller, body)?;
    let changes = gateway.reviews.apply_directory(&wanted, &changed).await?;
    tracing::info!(%caller, changes, people = wanted.people().len(), groups = wanted.groups().len(), "directory applied");
    // Also when nothing changed: whoever applies it again wants to know how it stands.
    let stuck = stuck::find(&gateway).await?;
    if stuck.is_empty() {
        return Ok(super::json(&json!({"changes": changes})));
    }
    tracing::warn!(reviews = stuck.len(), "open reviews cannot be approved under this directory");
    Ok(super::json(&json!({"changes": changes, "unapprovable": stuck})))
}

fn read(caller: &Caller, body: Typed) -> Result<(Wanted, Changed), Problem> {
    let mut input = Input::body(body)?;
    let changed = change::changed(caller, &mut input);
    let people: Option<Map<String, Value>> = input.read("people", "an object of people by their id");
    let people = input.required("people", "an object of people by their id", people).unwrap_or_default();
    let groups: Option<Map<String, Value>> = input.read("groups", "an object of members by group");
    let groups = input.required("groups", "an object of members by group", groups).unwrap_or_default();
    let mut faults = Vec::new();
    let mut wanted = Wanted::default();
    read_people(people, &mut wanted, &mut faults);
    read_groups(groups, &mut wanted, &mut faults);
    input.add(faults);
    input.close()?;
    Ok((wanted, changed))
}

fn read_people(people: Map<String, Value>, wanted: &mut Wanted, faults: &mut Vec<Fault>) {
    for (key, value) in people {
        let at = format!("/people{}", pointer(&key));
        let id = match key.parse::<PersonId>() {
            Ok(id) => id,
            Err(invalid) => {
                faults.push(Fault::new(at, invalid.expected));
                continue;
            }
        };
        let person = read_person(value, &at, faults);
        if let Err(claimed) = wanted.add_person(&id, person) {
            faults.push(Fault::new(&at, format!("ids that are nobody else's ({claimed})")));
        }
    }
}

fn read_person(value: Value, at: &str, faults: &mut Vec<Fault>) -> Person {
    let Value::Object(mut fields) = value else {
        faults.push(Fault::new(at, "an object with name, aliases and phone, each optional"));
        return Person::default();
    };
    let mut take = |field: &str| fields.remove(field).filter(|value| !value.is_null());
    let name = take("name").and_then(|name| {
        text(&name, &format!("{at}/name"), faults, "a text of 1 to 200 characters", |name| {
            (1..=NAME_MAX).contains(&characters(name))
        })
    });
    let phone = take("phone").and_then(|phone| {
        text(&phone, &format!("{at}/phone"), faults, "a number in E.164 form, such as +4915112345678", is_e164)
    });
    let aliases = take("aliases").map(|aliases| ids(aliases, &format!("{at}/aliases"), ALIASES_MAX, faults)).unwrap_or_default();
    for field in fields.keys() {
        faults.push(Fault::new(format!("{at}{}", pointer(field)), "no such field (known here: name, aliases, phone)"));
    }
    Person { name, aliases, phone }
}

fn read_groups(groups: Map<String, Value>, wanted: &mut Wanted, faults: &mut Vec<Fault>) {
    for (key, value) in groups {
        let at = format!("/groups{}", pointer(&key));
        match key.parse::<GroupId>() {
            Ok(group) => wanted.add_group(group, &ids(value, &at, MEMBERS_MAX, faults)),
            Err(_) => faults.push(Fault::new(at, "a group of 1 to 64 letters, digits, '-', '_' or '.'")),
        }
    }
}

fn ids(value: Value, at: &str, max: usize, faults: &mut Vec<Fault>) -> Vec<PersonId> {
    let items = match value {
        Value::Array(items) if items.len() <= max => items,
        _ => {
            faults.push(Fault::new(at, format!("an array of at most {max} ids")));
            return Vec::new();
        }
    };
    let mut read = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.as_str().map(str::parse::<PersonId>) {
            Some(Ok(id)) => read.push(id),
            Some(Err(invalid)) => faults.push(Fault::new(format!("{at}/{index}"), invalid.expected)),
            None => faults.push(Fault::new(format!("{at}/{index}"), PERSON_ID)),
        }
    }
    read
}

fn text(value: &Value, at: &str, faults: &mut Vec<Fault>, expected: &str, is_valid: impl Fn(&str) -> bool) -> Option<String> {
    let read = value.as_str().filter(|text| is_valid(text)).map(str::to_owned);
    if read.is_none() {
        faults.push(Fault::new(at, expected));
    }
    read
}

/// A plus, and up to 15 digits of which the first is no zero (ITU-T E.164).
fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}
