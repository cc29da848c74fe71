//! `directory log`: who changed people, groups and integrations, when, by which door and why.

use std::{
    fs::File,
    io::{BufReader, ErrorKind},
    path::Path,
    process::ExitCode,
};

use anyhow::Context as _;
use events::{Commit, Event, PersonId, StreamId, Version, event::Changed};
use ledger::Ledger;
use serde_json::{Value, json};

use super::{decoded::Decoded, place};
use crate::{
    cli::{DirectoryLogArgs, Global},
    terminal::{self, clean},
};

/// `countersign directory log`.
///
/// # Errors
/// When the log cannot be read, or the output cannot be written.
pub async fn run(args: DirectoryLogArgs, global: Global) -> anyhow::Result<ExitCode> {
    let commits = match (&args.file, &args.table) {
        (Some(file), _) => of_export(file)?,
        (None, Some(table)) => of_log(place::table(table).await?.as_ref()).await?,
        (None, None) => of_log(place::read_directory(&global.data)?.as_ref()).await?,
    };
    for (commit, event) in commits.iter().flat_map(|commit| commit.events.iter().map(move |event| (commit, event))) {
        let written = match global.json {
            true => terminal::json_line(&as_json(commit, event)),
            false => terminal::try_out(&format!("{}\n", in_words(commit, event))),
        };
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            written => written.context("cannot write the output")?,
        }
    }
    if commits.is_empty() && !global.json {
        eprintln!("nobody has changed the directory");
    }
    Ok(ExitCode::SUCCESS)
}

async fn of_log(ledger: &dyn Ledger) -> anyhow::Result<Vec<Commit>> {
    let stored = ledger.load(StreamId::Directory, Version::NONE).await?;
    stored.iter().map(|commit| commit.decode().context("the directory cannot be read")).collect()
}

/// Reads to the end: an export that is not whole shows nothing.
fn of_export(file: &Path) -> anyhow::Result<Vec<Commit>> {
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut decoded = Decoded::new(BufReader::with_capacity(1 << 16, opened));
    let mut found = Vec::new();
    while let Some(commits) = decoded.next_stream()? {
        if commits.first().is_some_and(|commit| commit.stream == StreamId::Directory) {
            found = commits;
        }
    }
    Ok(found)
}

fn as_json(commit: &Commit, event: &Event) -> String {
    let mut line = serde_json::to_value(event).unwrap_or_else(|_| json!({"type": event.type_name()}));
    if let Value::Object(fields) = &mut line {
        fields.insert("version".to_owned(), json!(commit.version));
        fields.insert("at".to_owned(), json!(commit.at));
    }
    line.to_string()
}

fn in_words(commit: &Commit, event: &Event) -> String {
    let (what, changed) = told(event);
    let who = changed.map_or("somebody who was not recorded".to_owned(), ToString::to_string);
    let reason = changed.and_then(|changed| changed.reason.as_deref());
    let reason = reason.map(|reason| format!(": \"{}\"", clean(reason))).unwrap_or_default();
    format!("{}  {}  ({}{reason})", commit.at, clean(&what), clean(&who))
}

/// What an event of the directory changed, and who made the change.
fn told(event: &Event) -> (String, Option<&Changed>) {
    let list = |people: &[PersonId]| people.iter().map(PersonId::as_str).collect::<Vec<_>>().join(", ");
    match event {
        Event::PersonRegistered(person) => {
            let mut what = format!("person {}", person.person);
            if let Some(name) = &person.name {
                what.push_str(&format!(", named {name}"));
            }
            if !person.aliases.is_empty() {
                what.push_str(&format!(", also {}", list(&person.aliases)));
            }
            if let Some(phone) = &person.phone {
                what.push_str(&format!(", phone {phone}"));
            }
            (what, person.changed.as_ref())
        }
        Event::PersonRemoved(gone) => (format!("person {} left", gone.person), gone.changed.as_ref()),
        Event::GroupDefined(group) => (format!("group {}: {}", group.group, list(&group.members)), group.changed.as_ref()),
        Event::GroupRemoved(gone) => (format!("group {} left", gone.group), gone.changed.as_ref()),
        Event::IntegrationRegistered(program) => {
            let scopes = program.scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let acts_as = program.acts_as.as_ref().map(|person| format!(", acts as {person}")).unwrap_or_default();
            (format!("integration {} with {scopes}{acts_as}", program.integration), program.changed.as_ref())
        }
        Event::IntegrationRevoked(gone) => (format!("integration {} revoked", gone.integration), gone.changed.as_ref()),
        Event::Unknown(unknown) => (format!("{} by a newer version, which this one cannot read", unknown.kind()), None),
        other => (other.type_name().to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use events::{
        Timestamp,
        digest::CommitHash,
        event::{Changer, Door, PersonRegistered, PersonRemoved, V},
    };

    use super::*;

    #[test]
    fn each_change_is_a_line_with_who_made_it_by_which_door_and_why() {
        let id = |id: &str| id.parse::<PersonId>().expect("a person");
        let hr = Changed::new(Changer::Integration("hr".parse().expect("a name")), Door::Api);
        let added = PersonRegistered {
            v: V,
            person: id("ana@example.com"),
            name: Some("Ana\u{1b}[2J".to_owned()),
            aliases: vec![id("slack:T01/U02")],
            phone: None,
            changed: Some(hr.because(Some("joined\u{1b}".to_owned()))),
        };
        let gone = PersonRemoved { v: V, person: id("bo@example.com"), changed: None };
        let commit = Commit {
            stream: StreamId::Directory,
            version: Version(2),
            previous: CommitHash::GENESIS,
            hash: CommitHash::GENESIS,
            at: Timestamp::from_millis(1_795_406_400_000).expect("a time"),
            events: vec![added.into(), gone.into()],
            sealed: None,
        };
        let lines: Vec<String> = commit.events.iter().map(|event| in_words(&commit, event)).collect();
        let at = commit.at;
        let ana = "person ana@example.com, named Ana\u{FFFD}[2J, also slack:T01/U02";
        assert_eq!(lines[0], format!("{at}  {ana}  (integration hr through the API: \"joined\u{FFFD}\")"));
        assert_eq!(lines[1], format!("{at}  person bo@example.com left  (somebody who was not recorded)"));
        let line: Value = serde_json::from_str(&as_json(&commit, &commit.events[0])).expect("JSON");
        assert_eq!((&line["version"], &line["changed"]["by"]), (&json!(2), &json!({"integration": "hr"})));
    }
}
