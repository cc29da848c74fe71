//! Whom a request may have us write to.

use events::{Fault, PersonId, ReviewRequest, request::Reviewer};

/// The domains of e-mail that a request may name; without any, every domain.
///
/// Groups are not looked at: who is in them the directory says, which an operator keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipients(Vec<String>);

/// Not a domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no domain: write example.com, or .example.com for all below it")]
pub struct NoDomain(String);

impl Recipients {
    /// Of `example.com,.example.org`: a domain stands for itself, one with a dot before it for all below it.
    ///
    /// # Errors
    /// [`NoDomain`].
    pub fn parse(list: &str) -> Result<Recipients, NoDomain> {
        let domains = list.split(',').map(str::trim).filter(|domain| !domain.is_empty());
        domains.map(domain).collect::<Result<_, _>>().map(Recipients)
    }

    /// A fault for each person of the request whom we may not write to.
    pub(crate) fn faults(&self, request: &ReviewRequest) -> Vec<Fault> {
        let reviewers = request.reviewers.iter().enumerate().filter_map(|(index, reviewer)| match reviewer {
            Reviewer::Person(person) => Some((format!("/reviewers/{index}"), person)),
            Reviewer::Group(_) | Reviewer::Newer(_) => None,
        });
        let requester = request.requester.iter().map(|person| ("/requester".to_owned(), person));
        let refused = reviewers.chain(requester).filter(|(_, person)| !self.admits(person));
        refused
            .map(|(pointer, _)| Fault::new(pointer, format!("an address that this service may write to ({})", self.0.join(", "))))
            .collect()
    }

    fn admits(&self, person: &PersonId) -> bool {
        // Slack accounts have no domain: which workspace it is, the app says.
        let Some((_, of)) = person.as_str().rsplit_once('@') else { return true };
        self.0.is_empty()
            || self.0.iter().any(|domain| match domain.strip_prefix('.') {
                Some(parent) => of.strip_suffix(parent).is_some_and(|below| below.ends_with('.')),
                None => of == domain,
            })
    }
}

fn domain(text: &str) -> Result<String, NoDomain> {
    // As an address of it is read, so that both are written alike.
    let name = text.strip_prefix('.').unwrap_or(text);
    let address = format!("a@{name}").parse::<PersonId>().map_err(|_| NoDomain(text.to_owned()))?;
    let read = address.as_str().rsplit_once('@').map_or("", |(_, domain)| domain);
    Ok(if text.starts_with('.') { format!(".{read}") } else { read.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pointers(list: &str) -> Vec<String> {
        let request = ReviewRequest::parse(&json!({
            "title": "t", "requester": {"email": "ci@corp.example"},
            "reviewers": [
                {"email": "ana@corp.example"}, {"email": "bo@eu.corp.example"}, {"email": "eve@evilcorp.example"},
                {"slack": "T01/U02"}, {"group": "oncall"}
            ],
        }));
        let recipients = Recipients::parse(list).expect("domains");
        recipients.faults(&request.expect("valid")).into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn a_request_for_anybody_else_is_refused_by_name() {
        assert_eq!(pointers(""), Vec::<String>::new());
        assert_eq!(pointers("corp.example"), ["/reviewers/1", "/reviewers/2"]);
        assert_eq!(pointers("Corp.Example, .corp.example"), ["/reviewers/2"]);
        assert_eq!(pointers(".corp.example"), ["/reviewers/0", "/reviewers/2", "/requester"]);
        for bad in ["a@b.example", "corp example", "."] {
            assert_eq!(Recipients::parse(bad), Err(NoDomain(bad.to_owned())));
        }
    }
}
