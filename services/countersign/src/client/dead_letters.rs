//! `dead-letters`: list, show, redrive.

use events::{StreamId, Timestamp, Version};
use ledger::Parked;
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::{
    failure::{Failure, REJECTED},
    http::{Call, Service},
    print::{Out, clean, clean_lines, fields, table},
    time,
};
use crate::cli::{DeadLettersArgs, DeadLettersCommand, LetterArgs, RedriveArgs};

#[derive(Deserialize)]
struct Letters {
    dead_letters: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Results {
    results: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Redriven {
    consumer: String,
    stream: StreamId,
    version: Version,
    redriven: bool,
    error: Option<String>,
}

/// Runs the command; the exit code is 1 when a record could not be redriven.
pub fn run(service: &Service, args: &DeadLettersArgs, out: &mut Out) -> Result<u8, Failure> {
    match &args.command {
        None | Some(DeadLettersCommand::List) => list(service, out)?,
        Some(DeadLettersCommand::Show(letter)) => show(service, letter, out)?,
        Some(DeadLettersCommand::Redrive(args)) => return redrive(service, args, out),
    }
    Ok(0)
}

fn fetch(service: &Service) -> Result<Vec<(Box<RawValue>, Parked)>, Failure> {
    let letters: Letters = service.done("the question", "GET", "/api/v1/dead-letters", &Call::default())?.read(service)?;
    letters
        .dead_letters
        .into_iter()
        .map(|raw| Ok((parse(service, &raw)?, raw)))
        .map(|read| read.map(|(parked, raw)| (raw, parked)))
        .collect()
}

fn parse<T: serde::de::DeserializeOwned>(service: &Service, raw: &RawValue) -> Result<T, Failure> {
    serde_json::from_str(raw.get()).map_err(|error| service.unexpected(error.to_string()))
}

fn list(service: &Service, out: &mut Out) -> Result<(), Failure> {
    let letters = fetch(service)?;
    if out.json {
        return letters.iter().try_for_each(|(raw, _)| out.raw_json(raw.get()));
    }
    out.text(&render(&letters.into_iter().map(|(_, parked)| parked).collect::<Vec<_>>(), time::now(), out))
}

fn render(letters: &[Parked], now: Timestamp, out: &Out) -> String {
    if letters.is_empty() {
        return "No dead letters: every record was handled.\n".to_owned();
    }
    let cells = |parked: &Parked| {
        vec![
            clean(&parked.consumer).into_owned(),
            stream(parked.stream),
            parked.version.to_string(),
            time::relative(parked.at, now),
            clean(parked.error.lines().next().unwrap_or_default()).into_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = letters.iter().map(cells).collect();
    let text = table(&["CONSUMER", "STREAM", "VERSION", "WHEN", "ERROR"], &rows, |_, cell| cell.to_owned());
    format!("{text}{}", out.paint.dim("Once the cause is mended: countersign dead-letters redrive --all\n"))
}

fn show(service: &Service, letter: &LetterArgs, out: &mut Out) -> Result<(), Failure> {
    let wanted = |parked: &Parked| {
        parked.consumer == letter.consumer && parked.stream == letter.stream && parked.version.0 == letter.version
    };
    let Some((raw, parked)) = fetch(service)?.into_iter().find(|(_, parked)| wanted(parked)) else {
        let LetterArgs { consumer, stream: of, version } = letter;
        let of = stream(*of);
        return Err(Failure::NotFound(format!(
            "{consumer} has no dead letter for {of} version {version}\n  list them with: countersign dead-letters"
        )));
    };
    if out.json {
        return out.raw_json(raw.get());
    }
    let rows = [
        ("consumer", clean(&parked.consumer).into_owned()),
        ("stream", stream(parked.stream)),
        ("version", parked.version.to_string()),
        ("when", time::both(parked.at, time::now())),
        ("error", clean_lines(&parked.error)),
    ];
    out.text(&fields(out.paint, &rows))
}

fn redrive(service: &Service, args: &RedriveArgs, out: &mut Out) -> Result<u8, Failure> {
    let body = match (&args.consumer, args.stream, args.version) {
        (Some(consumer), Some(stream), Some(version)) => json!({"consumer": consumer, "stream": stream, "version": version}),
        _ => json!({"all": true}),
    };
    let body = body.to_string();
    let reply =
        service.done("the redrive", "POST", "/api/v1/dead-letters/redrive", &Call { body: Some(&body), ..Call::default() })?;
    let results: Results = reply.read(service)?;
    let mut code = 0;
    if results.results.is_empty() && !out.json {
        out.text("No dead letters: there was nothing to redrive.\n")?;
    }
    for raw in &results.results {
        let result: Redriven = parse(service, raw)?;
        if !result.redriven {
            code = REJECTED;
        }
        if out.json {
            out.raw_json(raw.get())?;
            continue;
        }
        let name = format!("{} {} {}", clean(&result.consumer), stream(result.stream), result.version);
        match &result.error {
            None => out.text(&format!("handled      {name}\n"))?,
            Some(error) => out.text(&format!("{} {name}\n  {}\n", out.paint.red("failed again"), clean(error)))?,
        }
    }
    Ok(code)
}

/// A stream as it is typed.
fn stream(stream: StreamId) -> String {
    stream.review().map_or_else(|| stream.to_string(), |review| review.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_dead_letters_names_what_redrive_takes() {
        let parked: Parked = serde_json::from_str(
            r#"{"consumer":"projector","stream":"review#0b0e7d0a-6b0e-5f5c-9a53-0d8a35b1c111","version":3,
                "error":"undecodable event\ncaused by x","at":"2026-11-23T04:00:00Z"}"#,
        )
        .expect("a dead letter");
        let mut out = Out::new(true);
        out.json = false;
        let text = render(&[parked], "2026-11-23T05:00:00Z".parse().expect("a time"), &out);
        assert!(
            text.contains("projector  0b0e7d0a-6b0e-5f5c-9a53-0d8a35b1c111  3        60 min ago  undecodable event\n"),
            "{text}"
        );
        assert!(render(&[], time::now(), &out).starts_with("No dead letters"));
    }
}
