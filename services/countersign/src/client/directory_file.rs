//! The directory as a TOML file: people and groups, every fault at once with its line.

use std::collections::BTreeMap;

use events::{GroupId, PersonId};
use review::{
    PrimaryId,
    directory::{Person, Wanted},
};
use serde_json::{Value, json};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

const EMAIL: &str = "an e-mail address";
const ADDRESS: &str = "an e-mail address or \"slack:TEAM/USER\"";

type Item<'a> = Spanned<DeValue<'a>>;

/// Reads a directory.
///
/// # Errors
/// Every fault, `line N: …`, in the order of the file.
pub fn parse(text: &str) -> Result<Wanted, Vec<String>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut file = File { text, wanted: Wanted::default(), owner: BTreeMap::new(), faults: Vec::new() };
    for error in &errors {
        file.fault(error.span().map_or(0, |span| span.start), error.message());
    }
    if errors.is_empty() {
        file.read(table.get_ref());
    }
    let File { wanted, mut faults, .. } = file;
    faults.sort();
    if faults.is_empty() {
        Ok(wanted)
    } else {
        Err(faults.into_iter().map(|(line, fault)| format!("line {line}: {fault}")).collect())
    }
}

struct File<'a> {
    text: &'a str,
    wanted: Wanted,
    /// Who has an address, and on which line it was given.
    owner: BTreeMap<String, usize>,
    faults: Vec<(usize, String)>,
}

impl File<'_> {
    fn line(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
    }

    fn fault(&mut self, offset: usize, fault: impl Into<String>) {
        self.faults.push((self.line(offset), fault.into()));
    }

    fn read(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "people" => match value.get_ref() {
                    DeValue::Array(people) => people.iter().for_each(|person| self.person(person)),
                    _ => self.fault(key.span().start, "people is a list: write [[people]]"),
                },
                "groups" => match value.get_ref() {
                    DeValue::Table(groups) => {
                        groups.iter().for_each(|(name, members)| self.group(name.get_ref(), name.span().start, members))
                    }
                    _ => self.fault(key.span().start, "groups is a table: write [groups]"),
                },
                other => self.fault(key.span().start, format!("no such key {other:?} (known here: people, groups)")),
            }
        }
    }

    fn person(&mut self, item: &Item<'_>) {
        let start = item.span().start;
        let DeValue::Table(table) = item.get_ref() else { return self.fault(start, "a person is a table: write [[people]]") };
        let (mut email, mut slack, mut person, mut aliases) = (None, None, Person::default(), Vec::new());
        let mut named = false;
        for (key, value) in table {
            let at = value.span().start;
            match key.get_ref().as_ref() {
                "email" => {
                    named = true;
                    email = self.id(value, "", EMAIL);
                }
                "slack" => {
                    named = true;
                    slack = self.id(value, "slack:", "a Slack user, \"TEAM/USER\"");
                }
                "name" => match value.get_ref().as_str().filter(|name| !name.trim().is_empty()) {
                    Some(name) => person.name = Some(name.to_owned()),
                    None => self.fault(at, "name: expected a text"),
                },
                "phone" => match value.get_ref().as_str().filter(|phone| is_phone(phone)) {
                    Some(phone) => person.phone = Some(phone.to_owned()),
                    None => self.fault(at, "phone: expected a number such as \"+49301234567\" (E.164: + and 2 to 15 digits)"),
                },
                "aliases" => match value.get_ref().as_array() {
                    Some(items) => aliases = items.iter().filter_map(|item| self.id(item, "", ADDRESS)).collect(),
                    None => self.fault(at, "aliases: expected a list of addresses"),
                },
                other => self
                    .fault(key.span().start, format!("no such key {other:?} (known here: email, name, slack, aliases, phone)")),
            }
        }
        if !named {
            self.fault(start, "a person needs an email or a slack");
        }
        let mut ids = email.into_iter().chain(slack).chain(aliases);
        let Some((primary, at)) = ids.next() else { return };
        let aliases: Vec<_> = ids.collect();
        self.own(&primary, at);
        for (alias, at) in aliases {
            self.own(&alias, at);
            person.aliases.push(alias);
        }
        // An address that is somebody else's was told with its line.
        let _ = self.wanted.add_person(&primary, person);
    }

    /// Notes whose address this is; an address belongs to one person and is given once.
    fn own(&mut self, id: &PersonId, at: usize) {
        let line = self.line(at);
        if let Some(before) = self.owner.get(id.as_str()) {
            self.fault(at, format!("{id} is given already on line {before}; an address belongs to one person, once"));
        } else {
            self.owner.insert(id.to_string(), line);
        }
    }

    fn id(&mut self, item: &Item<'_>, prefix: &str, expected: &str) -> Option<(PersonId, usize)> {
        let at = item.span().start;
        let read = item.get_ref().as_str().map(|text| match prefix {
            "" if expected == EMAIL => PersonId::email(text),
            _ => format!("{prefix}{text}").parse(),
        });
        match read {
            Some(Ok(id)) => Some((id, at)),
            // What is wrong with an address is worth saying.
            Some(Err(invalid)) if prefix.is_empty() => {
                self.fault(at, format!("{}: expected {}", shown(item), invalid.expected));
                None
            }
            _ => {
                self.fault(at, format!("{}: expected {expected}", shown(item)));
                None
            }
        }
    }

    fn group(&mut self, name: &str, at: usize, members: &Item<'_>) {
        let group: Option<GroupId> = name.parse().ok();
        if group.is_none() {
            self.fault(at, format!("group {name:?}: expected a name of 1 to 64 letters, digits, '-', '_' or '.'"));
        }
        let DeValue::Array(items) = members.get_ref() else {
            return self.fault(members.span().start, format!("group {name:?}: expected a list of addresses"));
        };
        let people: Vec<PersonId> = items.iter().filter_map(|item| self.id(item, "", ADDRESS)).map(|(id, _)| id).collect();
        if let Some(group) = group {
            self.wanted.add_group(group, &people);
        }
    }
}

/// The directory as the API takes it.
pub fn document(wanted: &Wanted) -> Value {
    let people: BTreeMap<&PrimaryId, Value> = wanted
        .people()
        .iter()
        .map(|(id, person)| (id, json!({"name": person.name, "aliases": person.aliases, "phone": person.phone})))
        .collect();
    json!({"people": people, "groups": wanted.groups()})
}

/// What was written, as far as it is a text.
fn shown(item: &Item<'_>) -> String {
    match item.get_ref() {
        DeValue::String(text) => format!("{:?}", text.chars().take(80).collect::<String>()),
        other => format!("this {}", other.type_str()),
    }
}

/// A number in E.164 form.
fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_becomes_a_directory() {
        let wanted = parse(
            r#"
[[people]]
email = "Ana@Example.com"
name = "Ana"
slack = "T01/U02"
aliases = ["ana@corp.example"]
phone = "+49301234567"

[[people]]
slack = "T01/U09"

[groups]
ml-oncall = ["ana@example.com", "bo@example.com", "slack:T01/U09"]
"#,
        )
        .expect("a directory");
        let id = |text: &str| text.parse::<PersonId>().expect("a person");
        let ana = Person {
            name: Some("Ana".into()),
            aliases: [id("slack:T01/U02"), id("ana@corp.example")].into(),
            phone: Some("+49301234567".into()),
        };
        let mut expected = Wanted::default();
        expected.add_person(&id("ana@example.com"), ana).expect("nobody else's ids");
        expected.add_person(&id("slack:T01/U09"), Person::default()).expect("nobody else's id");
        let oncall = [id("ana@example.com"), id("bo@example.com"), id("slack:T01/U09")];
        expected.add_group("ml-oncall".parse().expect("a group"), &oncall);
        assert_eq!(wanted, expected);
        assert_eq!(parse("").expect("an empty directory"), Wanted::default());
    }

    #[test]
    fn every_fault_is_told_at_once_with_its_line() {
        let faults = parse(
            r#"colour = "red"
[[people]]
email = "ana@example.com"
nickname = "A"
phone = "0301234567"
[[people]]
email = "ANA@example.com"
[[people]]
email = "bo@example.com"
aliases = ["ana@example.com", 7, "not an address"]
[[people]]
name = ""
[[people]]
email = "slack:T01/U02"
[groups]
"bad name" = []
oncall = ["ana@example.com", "ana"]
other = "ana@example.com"
"#,
        )
        .expect_err("faults");
        let lines: Vec<&str> = faults.iter().filter_map(|fault| fault.split(':').next()).collect();
        let expected = [1, 4, 5, 7, 10, 10, 10, 11, 12, 14, 16, 17, 18].map(|line| format!("line {line}"));
        assert_eq!(lines, expected, "{faults:#?}");
        for said in
            ["no such key \"colour\"", "no such key \"nickname\"", "given already on line 3", "\"ana\": expected", "this integer"]
        {
            assert!(faults.iter().any(|fault| fault.contains(said)), "{said}: {faults:#?}");
        }
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        let faults = parse("[groups]\na = [\nb = 1\n").expect_err("no TOML");
        assert!(faults.iter().all(|fault| fault.starts_with("line ")), "{faults:?}");
    }
}
