//! Programs with a token of their own: registering them, listing them, revoking their token.
//! All of it needs the operator's key: no scope may hand out scopes.

use std::collections::BTreeSet;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use channels::{
    access_key::{AccessKeys, Registration},
    bearer::BearerToken,
};
use events::{
    AccessKeyId, IntegrationId, Period, PersonId, SourceName, Timestamp,
    event::{Changed, IntegrationRegistered, Scope, V},
};
use review::{Directory, Integration, integration::IntegrationRefusal};
use serde::Serialize;
use serde_json::json;

use super::{
    access::Caller,
    change, fresh,
    input::{Body, Input, Params},
    problem::Problem,
};
use crate::Gateway;
use events::json::Typed;

/// What is known of an integration; never its token.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a IntegrationId,
    status: &'static str,
    scopes: &'a BTreeSet<Scope>,
    acts_as: Option<&'a PersonId>,
    source: Option<&'a SourceName>,
    access_key_id: Option<&'a AccessKeyId>,
    registered_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

/// An integration and, this once, its token and the secret of its key pair.
#[derive(Serialize)]
struct Registered<'a> {
    #[serde(flatten)]
    line: Line<'a>,
    token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_access_key: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(name: &'a IntegrationId, known: &'a Integration, now: Timestamp) -> Line<'a> {
        let status = match known.revoked_at {
            Some(_) => "revoked",
            None if known.is_active(now) => "active",
            None => "expired",
        };
        Line {
            name,
            status,
            scopes: &known.scopes,
            acts_as: known.acts_as.as_ref(),
            source: known.source.as_ref(),
            access_key_id: known.access_key.as_ref(),
            registered_at: known.registered_at,
            expires_at: known.expires_at,
            revoked_at: known.revoked_at,
        }
    }
}

/// `GET /integrations`: all that ever were, by name.
pub(super) async fn list(State(gateway): State<Gateway>, headers: HeaderMap) -> Result<Response, Problem> {
    let directory = gateway.reviews.directory().await?;
    let now = gateway.reviews.now();
    let lines: Vec<Line> = directory.integrations.iter().map(|(name, known)| Line::of(name, known, now)).collect();
    fresh::by_content(&headers, &json!({"integrations": lines}))
}

/// `POST /integrations`: registers one; the answer alone holds its token, and the secret of its key pair.
pub(super) async fn register(caller: Caller, State(gateway): State<Gateway>, Body(body): Body) -> Result<Response, Problem> {
    let (wanted, changed) = Wanted::read(&caller, body)?;
    let token = BearerToken::generate().map_err(|error| Problem::internal(&error, true))?;
    let keys = wanted.aws_keys.then(|| gateway.access_keys.as_ref().ok_or_else(no_signed_calls)).transpose()?;
    let access_key = keys.map(|_| AccessKeys::generate().map_err(|error| Problem::internal(&error, true))).transpose()?;
    let event = IntegrationRegistered {
        v: V,
        integration: wanted.name.clone(),
        scopes: wanted.scopes.into_iter().collect(),
        token_hash: token.hash(),
        acts_as: wanted.acts_as,
        expires_at: wanted.expires_in.map(|period| gateway.reviews.now().after(period)),
        source: wanted.source,
        access_key,
        // The domain writes it.
        changed: None,
    };
    let now = gateway.reviews.now();
    let register = |directory: &Directory, changed: &Changed| directory.register_integration(&event, changed, now);
    let registered = gateway.reviews.change_directory(&changed, register).await?;
    let directory = registered.map_err(|refusal| refused(refusal, &wanted.name))?;
    let known = directory.integrations.get(&wanted.name).ok_or_else(|| refused(IntegrationRefusal::Absent, &wanted.name))?;
    tracing::info!(integration = %wanted.name, scopes = ?known.scopes, "integration registered by the operator");
    let secret = keys.zip(known.access_key.as_ref()).and_then(|(keys, access_key)| {
        keys.secret(Registration { access_key, integration: &wanted.name, token_hash: &known.token_hash })
    });
    let secret_access_key = secret.as_ref().map(|secret| secret.expose());
    let registered = Registered { line: Line::of(&wanted.name, known, now), token: token.expose(), secret_access_key };
    let location = [(header::LOCATION, format!("{}/integrations/{}", super::PREFIX, wanted.name))];
    Ok((StatusCode::CREATED, location, super::json(&registered)).into_response())
}

/// `DELETE /integrations/{name}`: its token is no longer taken.
pub(super) async fn revoke(
    caller: Caller,
    State(gateway): State<Gateway>,
    path: Path<String>,
    Params(mut input): Params,
) -> Result<Response, Problem> {
    let name: IntegrationId = path.0.parse().map_err(|_| nothing())?;
    let changed = change::changed(&caller, &mut input);
    input.close()?;
    let revoke = |directory: &Directory, changed: &Changed| directory.revoke_integration(&name, changed);
    let revoked = gateway.reviews.change_directory(&changed, revoke).await?;
    let directory = revoked.map_err(|refusal| refused(refusal, &name))?;
    tracing::info!(integration = %name, "integration revoked by the operator");
    let known = directory.integrations.get(&name).ok_or_else(|| refused(IntegrationRefusal::Absent, &name))?;
    Ok(super::json(&Line::of(&name, known, gateway.reviews.now())))
}

/// Where the bus itself takes the calls, IAM says who may put what.
fn no_signed_calls() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "no-signed-calls",
        "This service takes no signed calls",
        "On AWS, programs put events on the bus itself: give the program's role events:PutEvents on it. Register it without \
         aws_keys for the API.",
    )
}

fn nothing() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no-such-integration",
        "No such integration",
        "There is no integration of that name, or its token was revoked before.",
    )
}

fn refused(refusal: IntegrationRefusal, name: &IntegrationId) -> Problem {
    let (code, title) = match refusal {
        IntegrationRefusal::Absent => return nothing(),
        IntegrationRefusal::NameTaken => ("integration-exists", "The integration is there already"),
        IntegrationRefusal::TooMany => ("too-many-integrations", "There are too many integrations"),
    };
    let detail = format!("{refusal}; to replace the token of {name}, revoke it and register it again.");
    Problem::new(StatusCode::CONFLICT, code, title, detail)
}

struct Wanted {
    name: IntegrationId,
    scopes: BTreeSet<Scope>,
    acts_as: Option<PersonId>,
    expires_in: Option<Period>,
    source: Option<SourceName>,
    aws_keys: bool,
}

impl Wanted {
    fn read(caller: &Caller, body: Typed) -> Result<(Wanted, Changed), Problem> {
        const NAME: &str = "1 to 64 letters, digits, '-', '_' or '.'";
        const PERIOD: &str = "a period of ISO 8601 above zero, such as P90D";
        let scopes_are = format!("one or more of {}", Scope::ALL.map(Scope::as_str).join(", "));
        let mut input = Input::body(body)?;
        let changed = change::changed(caller, &mut input);
        let name = input.parsed("name", NAME);
        let name = input.required("name", NAME, name);
        let scopes: Option<BTreeSet<Scope>> = input.read("scopes", &scopes_are);
        let scopes = input.required("scopes", &scopes_are, scopes).unwrap_or_default();
        if scopes.is_empty() {
            input.required::<()>("scopes", &scopes_are, None);
        }
        let acts_as = input.person("acts_as");
        const SOURCE: &str = "a source such as com.example.approver: not \"countersign\", and nothing that begins with \"aws.\"";
        let source: Option<SourceName> = input.parsed("source", SOURCE);
        if scopes.contains(&Scope::CastVotes) && source.is_none() {
            const VOTER: &str = "the person whom it votes as, since it may cast votes; or a source, to hand in anybody's";
            input.required("acts_as", VOTER, acts_as.as_ref());
        }
        let aws_keys = input.read("aws_keys", "true or false").unwrap_or(false);
        let expires_in: Option<Period> = input.parsed("expires_in", PERIOD);
        if expires_in.is_some_and(|period| period.as_seconds() <= 0) {
            input.fault("expires_in", PERIOD);
        }
        input.close()?;
        match name {
            Some(name) => Ok((Wanted { name, scopes, acts_as, expires_in, source, aws_keys }, changed)),
            None => Err(Problem::faults(&[])),
        }
    }
}
