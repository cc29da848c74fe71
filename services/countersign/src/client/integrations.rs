//! `integrations`: programs with a token of their own.

use events::{Timestamp, event::Scope, request::Contact};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::{
    credential::TOKEN,
    failure::Failure,
    http::{Call, Service},
    print::{Out, clean, fields, note, table},
    time,
};
use crate::cli::{AddIntegrationArgs, IntegrationsCommand};

const PATH: &str = "/api/v1/integrations";

/// What a scope comes to, which its name does not say.
const WRITES_WHO: &str =
    "directory:write decides as anybody: whoever has it can add an address of their own to a person and vote by it.";
/// The same of one that acts as nobody.
const HANDS_IN: &str = "votes:cast with a source hands in anybody's vote.";

#[derive(Deserialize)]
struct Integration {
    name: String,
    status: String,
    scopes: Vec<String>,
    acts_as: Option<String>,
    expires_at: Option<Timestamp>,
    source: Option<String>,
    access_key_id: Option<String>,
}

#[derive(Deserialize)]
struct Registered {
    #[serde(flatten)]
    integration: Integration,
    token: String,
    secret_access_key: Option<String>,
}

#[derive(Deserialize)]
struct List {
    integrations: Vec<Box<RawValue>>,
}

/// Runs the command.
pub fn run(service: &Service, command: &IntegrationsCommand, out: &mut Out) -> Result<(), Failure> {
    match command {
        IntegrationsCommand::Add(args) => add(service, args, out),
        IntegrationsCommand::List => list(service, out),
        IntegrationsCommand::Revoke { name, reason } => {
            let what = format!("integration {name}");
            let mut query = vec![("door", service.door().to_owned())];
            query.extend(reason.clone().map(|reason| ("reason", reason)));
            let reply = service.done(&what, "DELETE", &format!("{PATH}/{name}"), &Call { query: &query, ..Call::default() })?;
            if out.json {
                return out.raw_json(reply.text());
            }
            out.text(&format!("integration {name} is revoked; its token is no longer taken\n"))
        }
    }
}

fn add(service: &Service, args: &AddIntegrationArgs, out: &mut Out) -> Result<(), Failure> {
    let acts_as = args.acts_as.clone().map(Contact::from);
    let mut body = json!({"name": args.name, "scopes": args.scope, "acts_as": acts_as, "expires_in": args.expires_in.map(|period| period.to_string()), "reason": args.reason, "door": service.door()});
    // What an older service does not know it is not asked.
    if let Some(source) = &args.source {
        body["source"] = json!(source);
    }
    if args.aws_keys {
        body["aws_keys"] = json!(true);
    }
    let what = format!("integration {}", args.name);
    let reply = service.done(&what, "POST", PATH, &Call { body: Some(&body.to_string()), ..Call::default() })?;
    if out.json {
        return out.raw_json(reply.text());
    }
    let Registered { integration, token, secret_access_key } = reply.read(service)?;
    let mut rows = vec![("scopes", integration.scopes.join(", "))];
    rows.extend(integration.acts_as.map(|person| ("acts as", person)));
    rows.extend(integration.expires_at.map(|at| ("expires", time::both(at, time::now()))));
    rows.extend(integration.source.map(|source| ("source", source)));
    rows.push(("token", clean(&token).into_owned()));
    let keys = integration.access_key_id.zip(secret_access_key);
    if let Some((id, secret)) = &keys {
        rows.push(("access key id", clean(id).into_owned()));
        rows.push(("secret access key", clean(secret).into_owned()));
    }
    out.text(&format!("integration {} is registered\n{}", out.paint.bold(args.name.as_str()), fields(out.paint, &rows)))?;
    if args.scope.contains(&Scope::WriteDirectory) {
        note(&format!("{WRITES_WHO} The person is told at the addresses they had, and the vote names the address."));
    }
    note(&format!("Keep the token now, it is not shown again. Commands take it from {TOKEN}, HTTP as Authorization: Bearer."));
    if let Some((id, secret)) = keys {
        note(&signing(&service.url, &clean(&id), &clean(&secret)));
    }
    Ok(())
}

/// How any AWS SDK or CLI takes the keys. The region is what they ask for; any will do.
fn signing(url: &str, id: &str, secret: &str) -> String {
    format!(
        "The secret access key is not shown again either. AWS SDKs and the AWS CLI sign with it once these are set:\n  \
         export AWS_ACCESS_KEY_ID={id}\n  export AWS_SECRET_ACCESS_KEY={secret}\n  export AWS_REGION=eu-central-1\n  \
         export AWS_ENDPOINT_URL_EVENTBRIDGE={url}\nor, as a profile: aws configure --profile countersign"
    )
}

fn list(service: &Service, out: &mut Out) -> Result<(), Failure> {
    let reply = service.done("the question", "GET", PATH, &Call::default())?;
    let List { integrations } = reply.read(service)?;
    if out.json {
        return integrations.iter().try_for_each(|line| out.raw_json(line.get()));
    }
    let read = |text: &str| serde_json::from_str(text).map_err(|error| service.unexpected(error.to_string()));
    let integrations = integrations.iter().map(|line| read(line.get())).collect::<Result<Vec<Integration>, Failure>>()?;
    out.text(&render(&integrations, time::now()))
}

fn render(integrations: &[Integration], now: Timestamp) -> String {
    if integrations.is_empty() {
        return "There are no integrations.\nGive a program a token with: countersign integrations add NAME --scope SCOPE\n"
            .to_owned();
    }
    let row = |known: &Integration| {
        let expires = known.expires_at.map_or("never".to_owned(), |at| time::relative(at, now));
        let acts_as = known.acts_as.clone().unwrap_or_default();
        let mut may = known.scopes.join(", ");
        for (what, value) in [("source", &known.source), ("key", &known.access_key_id)] {
            may += &value.as_ref().map(|value| format!("; {what} {}", clean(value))).unwrap_or_default();
        }
        vec![clean(&known.name).into_owned(), known.status.clone(), expires, acts_as, may]
    };
    let rows: Vec<Vec<String>> = integrations.iter().map(row).collect();
    let mut text = table(&["INTEGRATION", "STATUS", "EXPIRES", "ACTS AS", "SCOPES"], &rows, |_, cell| cell.to_owned());
    let may = |known: &Integration, wanted: &str| known.status == "active" && known.scopes.iter().any(|scope| scope == wanted);
    let writes_who = integrations.iter().any(|known| may(known, "directory:write"));
    let hands_in = integrations.iter().any(|known| may(known, "votes:cast") && known.acts_as.is_none() && known.source.is_some());
    for (is_so, words) in [(writes_who, WRITES_WHO), (hands_in, HANDS_IN)] {
        if is_so {
            text.push_str(&format!("\n{words}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrations_are_listed_with_what_they_may_do() {
        let list: Vec<Integration> = serde_json::from_value(json!([
            {"name": "bot", "status": "active", "scopes": ["votes:cast"], "acts_as": "ana@example.com", "expires_at": "2026-11-24T04:00:00Z"},
            {"name": "ci", "status": "revoked", "scopes": ["reviews:request", "reviews:read"], "acts_as": null, "expires_at": null},
            {"name": "tool", "status": "active", "scopes": ["votes:cast"], "acts_as": null, "expires_at": null,
                "source": "com.example.tool", "access_key_id": "CSGNABC"},
        ]))
        .expect("integrations");
        let now = "2026-11-23T04:00:00Z".parse().expect("a time");
        assert_eq!(
            render(&list, now),
            "INTEGRATION  STATUS   EXPIRES  ACTS AS          SCOPES\n\
             bot          active   in 24 h  ana@example.com  votes:cast\n\
             ci           revoked  never                     reviews:request, reviews:read\n\
             tool         active   never                     votes:cast; source com.example.tool; key CSGNABC\n\n\
             votes:cast with a source hands in anybody's vote.\n"
        );
        assert!(render(&[], now).contains("integrations add"));
    }

    #[test]
    fn the_list_says_in_words_that_whoever_writes_the_directory_decides_as_anybody() {
        let list = |status: &str| -> Vec<Integration> {
            let scopes = ["directory:write"];
            serde_json::from_value(
                json!([{"name": "hr", "status": status, "scopes": scopes, "acts_as": null, "expires_at": null}]),
            )
            .expect("integrations")
        };
        let now = "2026-11-23T04:00:00Z".parse().expect("a time");
        assert!(render(&list("active"), now).contains("directory:write decides as anybody"));
        assert!(!render(&list("revoked"), now).contains("decides as anybody"), "its token is not taken");
    }
}
