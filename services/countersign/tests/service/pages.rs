//! Pages and signed links, as scanners and people open them.

use serde_json::json;

use crate::{
    asked,
    support::{api::request, eventually, process::Service, workflows::Workflows},
};

/// A browser: no key, a cookie once signed in.
pub struct Browser {
    url: String,
    cookie: Option<String>,
}

impl Browser {
    /// Signed in as the operator, by the link that the service printed.
    pub fn operator(service: &Service) -> Browser {
        let log = service.log();
        let link =
            log.lines().filter_map(|line| line.split_once("/signin?key=")).next_back().expect("a link").1.trim().to_owned();
        let mut browser = Browser { url: service.url(), cookie: None };
        let page = browser.get(&format!("/signin?key={link}")).1;
        let form = format!("go=in&key={link}&csrf={}", hidden(&page, "csrf"));
        let answer = browser.send("/signin", &form);
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok()).expect("a cookie");
        browser.cookie = cookie.split(';').next().map(str::to_owned);
        browser
    }

    /// Status and body.
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut request = ureq::get(format!("{}{path}", self.url)).config().http_status_as_error(false).max_redirects(0).build();
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let mut answer = request.call().expect("an answer");
        (answer.status().as_u16(), answer.body_mut().read_to_string().expect("a body"))
    }

    fn head(&self, path: &str) {
        ureq::head(format!("{}{path}", self.url)).config().http_status_as_error(false).build().call().expect("an answer");
    }

    fn send(&self, path: &str, form: &str) -> ureq::http::Response<ureq::Body> {
        let request = ureq::post(format!("{}{path}", self.url)).config().http_status_as_error(false).max_redirects(0).build();
        request.content_type("application/x-www-form-urlencoded").send(form).expect("an answer")
    }
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().expect("a value").to_owned()
}

/// The signed link that this person was sent.
pub fn link(service: &Service, person: &str) -> String {
    eventually("a notice on the console", crate::SOON, || {
        let log = service.log();
        let lines: Vec<&str> = log.lines().collect();
        let at = lines.iter().position(|line| line.starts_with(&format!("{person} is asked")))?;
        lines.get(at + 1)?.trim().strip_prefix(&service.url()).map(str::to_owned)
    })
}

#[test]
fn invariant_08_whoever_opens_links_changes_nothing_and_only_a_posted_choice_decides() {
    let service = Service::start_new(&Workflows::listen());
    let api = service.api();
    let review = api.create(&request("look, do not touch", json!({})));
    asked(&api, &review, 2);
    let before = api.events(&review);
    let link = link(&service, "ana@example.com");
    let operator = Browser::operator(&service);
    let scanner = Browser { url: service.url(), cookie: None };
    let paths = [link.clone(), "/".to_owned(), format!("/reviews/{review}"), "/outbox".to_owned(), "/dead-letters".to_owned()];
    for path in paths.iter().map(String::as_str).chain([
        format!("{link}?choice=approve").as_str(),
        format!("/reviews/{review}/vote?choice=approve&person=ana@example.com").as_str(),
        format!("/reviews/{review}/cancel").as_str(),
    ]) {
        for browser in [&scanner, &operator] {
            browser.get(path);
            browser.get(path);
            browser.head(path);
        }
    }
    assert_eq!(api.events(&review), before, "opened often, by program and person");

    let (status, page) = scanner.get(&link);
    assert_eq!(status, 200);
    let form = format!("csrf={}&subject_digest={}", hidden(&page, "csrf"), hidden(&page, "subject_digest"));
    assert_eq!(scanner.send(&link, &form).status(), 422, "no choice");
    let foreign = format!("csrf=made-up&choice=approve&subject_digest={}", hidden(&page, "subject_digest"));
    assert_eq!(scanner.send(&link, &foreign).status(), 403, "a form of somebody else's");
    assert_eq!(api.events(&review), before);

    assert_eq!(scanner.send(&link, &format!("{form}&choice=approve&reason=fine")).status(), 303);
    let ending = api.review(&review)["ending"].clone();
    assert_eq!((&ending["outcome"], &ending["decided_by"]), (&json!("approved"), &json!(["ana@example.com"])));
}
