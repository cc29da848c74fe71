//! The API as a client sees it.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::{Agent, Body, RequestBuilder, http::Response, typestate::WithBody};

/// A client with the operator's key.
#[derive(Clone)]
pub struct Api {
    agent: Agent,
    url: String,
    key: String,
}

/// What came back: status, JSON body (null when there is none), `ETag`, and the text as it came.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub json: Value,
    pub etag: Option<String>,
    pub text: String,
}

/// No answer: the connection was refused, or it broke. Whether the call was taken is not known.
pub type Outcome = Result<Reply, ureq::Error>;

impl Reply {
    fn read(mut response: Response<Body>) -> Outcome {
        let etag = response.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let text = response.body_mut().read_to_string()?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Reply { status: response.status().as_u16(), json, etag, text })
    }

    /// The id of the review that this is about.
    pub fn review_id(&self) -> String {
        self.json["review_id"].as_str().unwrap_or_else(|| panic!("no review in {}", self.text)).to_owned()
    }

    /// This reply, which must have this status.
    pub fn with_status(self, status: u16) -> Reply {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

fn agent(limit: Duration) -> Agent {
    let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).max_redirects_will_error(false);
    config.proxy(None).timeout_global(Some(limit)).build().into()
}

impl Api {
    pub fn new(url: &str, key: &str) -> Api {
        Api { agent: agent(Duration::from_secs(40)), url: url.to_owned(), key: key.to_owned() }
    }

    /// The same client, which hangs up after this long.
    pub fn patient_for(&self, limit: Duration) -> Api {
        Api { agent: agent(limit), ..self.clone() }
    }

    pub fn try_get(&self, path: &str, headers: &[(&str, &str)]) -> Outcome {
        let mut request = self.agent.get(format!("{}{path}", self.url)).header("authorization", format!("Bearer {}", self.key));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::read(request.call()?)
    }

    pub fn try_post(&self, path: &str, body: &Value) -> Outcome {
        let request = self.post_request(path).header("authorization", format!("Bearer {}", self.key));
        Reply::read(request.send_json(body)?)
    }

    fn post_request(&self, path: &str) -> RequestBuilder<WithBody> {
        self.agent.post(format!("{}{path}", self.url))
    }

    pub fn get(&self, path: &str) -> Reply {
        self.try_get(path, &[]).expect("an answer")
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.try_post(path, body).expect("an answer")
    }

    /// As anybody, without the key, with these headers.
    pub fn strange_post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = self.post_request(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::read(request.send(body).expect("an answer")).expect("a body")
    }

    /// Puts one event; the error code of its entry, if it was not taken.
    pub fn try_put_event(&self, detail_type: &str, detail: &Value) -> Result<Option<String>, ureq::Error> {
        let entry = json!({"Source": SOURCE, "DetailType": detail_type, "Detail": detail.to_string()});
        let request = self.post_request("/").header("x-amz-target", "AWSEvents.PutEvents");
        let reply =
            Reply::read(request.content_type("application/x-amz-json-1.1").send(json!({"Entries": [entry]}).to_string())?)?;
        assert_eq!(reply.status, 200, "{}", reply.text);
        Ok(reply.json["Entries"][0]["ErrorCode"].as_str().map(str::to_owned))
    }

    /// Puts one event that must be taken.
    pub fn put_event(&self, detail_type: &str, detail: &Value) {
        assert_eq!(self.try_put_event(detail_type, detail).expect("an answer"), None, "{detail}");
    }

    /// Opens a review by the API; its id.
    pub fn create(&self, detail: &Value) -> String {
        self.post("/api/v1/reviews", detail).with_status(201).review_id()
    }

    pub fn try_vote(&self, review: &str, person: &str, choice: &str) -> Outcome {
        let body = json!({"person": {"email": person}, "choice": choice, "reason": format!("{person} says {choice}")});
        self.try_post(&format!("/api/v1/reviews/{review}/votes"), &body)
    }

    pub fn vote(&self, review: &str, person: &str, choice: &str) -> Reply {
        self.try_vote(review, person, choice).expect("an answer")
    }

    pub fn cancel(&self, review: &str) -> Reply {
        self.post(&format!("/api/v1/reviews/{review}/cancel"), &json!({}))
    }

    /// The review as it stands, folded from the log.
    pub fn review(&self, review: &str) -> Value {
        self.get(&format!("/api/v1/reviews/{review}")).with_status(200).json
    }

    /// Its log, event by event.
    pub fn events(&self, review: &str) -> Vec<Value> {
        let reply = self.get(&format!("/api/v1/reviews/{review}/events")).with_status(200);
        serde_json::from_value(reply.json).expect("a list")
    }

    /// Its events of one type.
    pub fn events_of(&self, review: &str, kind: &str) -> Vec<Value> {
        self.events(review).into_iter().filter(|event| event["type"] == kind).collect()
    }

    /// All rows of the list view.
    pub fn rows(&self) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut path = "/api/v1/reviews?limit=200".to_owned();
        loop {
            let page = self.get(&path).with_status(200).json;
            rows.extend(page["reviews"].as_array().expect("rows").iter().cloned());
            match page["next"].as_str() {
                Some(next) => path = format!("/api/v1/reviews?limit=200&cursor={}", query(next)),
                None => return rows,
            }
        }
    }

    /// The row of one review in the list view.
    pub fn row(&self, review: &str) -> Option<Value> {
        self.rows().into_iter().find(|row| row["review_id"] == review)
    }

    pub fn dead_letters(&self) -> Vec<Value> {
        let reply = self.get("/api/v1/dead-letters").with_status(200);
        reply.json["dead_letters"].as_array().expect("a list").clone()
    }

    pub fn reconcile(&self) -> Value {
        self.post("/api/v1/reconcile", &json!({})).with_status(200).json
    }
}

/// The source of events that the tests put.
pub const SOURCE: &str = "com.example.pipeline";

/// The review that `key` of [`SOURCE`] names, on the `attempt`th time it is asked.
pub fn review_of_key(key: &str, attempt: u32) -> String {
    events::ReviewId::for_key("local", SOURCE, &key.parse().expect("a key"), attempt).to_string()
}

fn query(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A small valid request, with `more` written over it.
pub fn request(title: &str, more: Value) -> Value {
    let mut request = json!({
        "title": title,
        "subject": {"kind": "test", "id": title},
        "reviewers": [{"email": "ana@example.com"}, {"email": "bob@example.com"}],
    });
    for (field, value) in more.as_object().expect("an object") {
        request[field] = value.clone();
    }
    request
}
