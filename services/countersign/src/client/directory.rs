//! `directory apply` and `directory show`; `directory log` reads the log itself ([`crate::log::directory`]).

use std::{collections::BTreeMap, path::Path};

use events::{GroupId, PersonId, ReviewId};
use serde::Deserialize;
use serde_json::json;

use super::{
    directory_file,
    failure::Failure,
    http::{Call, Service},
    input,
    print::{Out, clean, note, table},
};
use crate::cli::DirectoryCommand;

#[derive(Deserialize)]
struct Applied {
    changes: u64,
    /// Open reviews that nobody can approve any more; an older service does not say.
    #[serde(default)]
    unapprovable: Vec<Stuck>,
}

#[derive(Deserialize)]
struct Stuck {
    review_id: ReviewId,
    title: String,
    quorum: u8,
    able: usize,
}

#[derive(Deserialize)]
struct Directory {
    people: BTreeMap<String, Person>,
    groups: BTreeMap<GroupId, Vec<PersonId>>,
}

#[derive(Deserialize)]
struct Person {
    name: Option<String>,
    #[serde(default)]
    aliases: Vec<PersonId>,
    phone: Option<String>,
}

/// Runs the command.
pub fn run(service: &Service, command: &DirectoryCommand, out: &mut Out) -> Result<(), Failure> {
    match command {
        DirectoryCommand::Apply { file, reason } => apply(service, file, reason.as_deref(), out),
        // `main` has it read the log.
        DirectoryCommand::Log(_) => Ok(()),
        DirectoryCommand::Show => show(service, out),
    }
}

fn apply(service: &Service, file: &Path, reason: Option<&str>, out: &mut Out) -> Result<(), Failure> {
    let (name, text) = input::read(file)?;
    let wanted = directory_file::parse(&text)
        .map_err(|faults| Failure::Faults { what: format!("{name} is invalid, nothing was changed"), faults })?;
    let mut body = directory_file::document(&wanted);
    body["reason"] = json!(reason);
    body["door"] = json!(service.door());
    let body = body.to_string();
    let reply = service.done(&name, "PUT", "/api/v1/directory", &Call { body: Some(&body), ..Call::default() })?;
    if out.json {
        return out.raw_json(reply.text());
    }
    let applied: Applied = reply.read(service)?;
    let said = match applied.changes {
        0 => "the directory says so already".to_owned(),
        1 => "1 change is on record".to_owned(),
        changes => format!("{changes} changes are on record"),
    };
    let (people, groups) = (wanted.people().len(), wanted.groups().len());
    let people = if people == 1 { "1 person".to_owned() } else { format!("{people} people") };
    let groups = if groups == 1 { "1 group".to_owned() } else { format!("{groups} groups") };
    out.text(&format!("{said}: {people}, {groups}\n"))?;
    applied.unapprovable.iter().for_each(|stuck| note(&warning(stuck)));
    Ok(())
}

fn warning(stuck: &Stuck) -> String {
    let Stuck { review_id, title, quorum, able } = stuck;
    let could = match able {
        0 => "nobody could".to_owned(),
        1 => "1 person could".to_owned(),
        able => format!("{able} people could"),
    };
    let people = if *quorum == 1 { "1 approval".to_owned() } else { format!("{quorum} approvals") };
    format!(
        "warning: review {review_id} ({}) can no longer be approved: it takes {people}, {could}; add people to its groups, or cancel it",
        clean(title)
    )
}

fn show(service: &Service, out: &mut Out) -> Result<(), Failure> {
    let reply = service.done("the question", "GET", "/api/v1/directory", &Call::default())?;
    if out.json {
        return out.raw_json(reply.text());
    }
    let directory = reply.read(service)?;
    out.text(&render(&directory, out))
}

fn render(directory: &Directory, out: &Out) -> String {
    if directory.people.is_empty() && directory.groups.is_empty() {
        return "The directory is empty: people are known by their addresses alone, and there are no groups.\n\
                Fill it with: countersign directory apply FILE.toml\n"
            .to_owned();
    }
    let join = |people: &[PersonId]| people.iter().map(PersonId::as_str).collect::<Vec<_>>().join(", ");
    let mut text = String::new();
    if !directory.people.is_empty() {
        let row = |(id, person): (&String, &Person)| {
            let name = person.name.as_deref().map(clean).unwrap_or_default().into_owned();
            vec![id.to_string(), name, person.phone.clone().unwrap_or_default(), join(&person.aliases)]
        };
        let rows: Vec<Vec<String>> = directory.people.iter().map(row).collect();
        text.push_str(&table(&["PERSON", "NAME", "PHONE", "ALSO KNOWN AS"], &rows, |_, cell| cell.to_owned()));
    }
    if !directory.groups.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        let rows: Vec<Vec<String>> =
            directory.groups.iter().map(|(group, members)| vec![group.to_string(), join(members)]).collect();
        text.push_str(&table(
            &["GROUP", "MEMBERS"],
            &rows,
            |column, cell| if column == 0 { out.paint.bold(cell) } else { cell.to_owned() },
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_shown_in_two_tables() {
        let directory: Directory = serde_json::from_str(
            r#"{"people":{"ana@example.com":{"name":"Ana","aliases":["slack:T01/U02"],"phone":null}},
                "groups":{"oncall":["ana@example.com","bo@example.com"]}}"#,
        )
        .expect("a directory");
        let out = Out::new(true);
        assert_eq!(
            render(&directory, &out),
            "PERSON           NAME  PHONE  ALSO KNOWN AS\nana@example.com  Ana          slack:T01/U02\n\n\
             GROUP   MEMBERS\noncall  ana@example.com, bo@example.com\n"
        );
    }
}
