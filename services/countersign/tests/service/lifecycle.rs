//! Starting, stopping, and who may start what.

use std::{
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    asked,
    support::{
        api::request,
        process::{Service, countersign},
        workflows::Workflows,
    },
};

/// Runs a command that must end by itself.
fn ends(command: &mut Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let until = Instant::now() + Duration::from_secs(10);
    while child.try_wait().expect("a status").is_none() {
        if Instant::now() > until {
            child.kill().expect("killed");
            panic!("it goes on running");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().expect("its output")
}

#[test]
fn waiting_for_a_review_survives_a_kill_of_the_service() {
    let mut service = Service::start_new(&Workflows::listen());
    let file = service.data().join("request.json");
    std::fs::write(&file, request("waited for", json!({"request_key": "waited"})).to_string()).expect("written");
    let mut client = countersign();
    client.arg("request").arg(&file).args(["--wait", "--url", &service.url(), "--data"]).arg(service.data());
    let waiting = client.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("started");
    let review = crate::support::eventually("the review is listed", crate::SOON, || {
        service.api().rows().first().map(|row| row["review_id"].as_str().expect("an id").to_owned())
    });
    let poll = {
        let (api, path) = (service.api(), format!("/api/v1/reviews/{review}?wait=20&until=ended"));
        std::thread::spawn(move || {
            loop {
                match api.try_get(&path, &[]) {
                    Ok(reply) if reply.json["status"] == "open" => {}
                    Ok(reply) => return reply,
                    Err(_) => std::thread::sleep(Duration::from_millis(20)),
                }
            }
        })
    };
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(300));
        service.kill();
        std::thread::sleep(Duration::from_millis(100));
        service.start();
    }
    service.api().vote(&review, "ana@example.com", "reject").with_status(200);
    assert_eq!(poll.join().expect("told").json["status"], "rejected");
    let ended = waiting.wait_with_output().expect("ended");
    assert_eq!(ended.status.code(), Some(1), "rejected: {}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn somebody_who_waits_is_told_within_a_moment_of_the_vote() {
    let service = Service::start_new(&Workflows::listen());
    let review = service.api().create(&request("watched", json!({})));
    asked(&service.api(), &review, 2);
    let (api, path) = (service.api(), format!("/api/v1/reviews/{review}?wait=20&until=ended"));
    let poll = std::thread::spawn(move || (api.get(&path), Instant::now()));
    std::thread::sleep(Duration::from_millis(300));
    service.api().vote(&review, "ana@example.com", "approve").with_status(200);
    let voted = Instant::now();
    let (reply, told) = poll.join().expect("told");
    assert_eq!(reply.json["status"], "approved");
    assert!(told.saturating_duration_since(voted) < Duration::from_secs(2), "woken, not found by polling");
}

#[test]
fn sigterm_ends_the_service_within_three_seconds_with_code_0_also_while_somebody_waits() {
    let mut service = Service::start_new(&Workflows::listen());
    let review = service.api().create(&request("waited for", json!({})));
    asked(&service.api(), &review, 2);
    let (api, path) = (service.api(), format!("/api/v1/reviews/{review}?wait=30&until=ended"));
    let waiting = std::thread::spawn(move || api.try_get(&path, &[]));
    std::thread::sleep(Duration::from_millis(300));
    let (status, took) = service.stop();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(3), "{took:?}");
    drop(waiting.join().expect("let go"));
    service.start();
    assert_eq!(service.api().review(&review)["status"], "open");
}

#[test]
fn a_second_service_on_the_same_data_is_refused_and_the_first_goes_on() {
    let service = Service::start_new(&Workflows::listen());
    let second = ends(countersign().args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(service.data()));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success());
    assert!(said.contains("in use by another process (pid "), "{said}");
    service.api().create(&request("the first goes on", json!({})));
}

#[test]
fn an_address_that_others_can_reach_is_refused() {
    let home = tempfile::tempdir().expect("a directory");
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let refused = ends(countersign().args(["serve", "--listen", listen, "--data"]).arg(home.path().join("data")));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("not a loopback address"), "{said}");
    }
    assert!(!home.path().join("data").exists(), "nothing was made");
}

#[test]
fn only_the_owner_can_read_the_data_directory_and_the_keys_in_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let service = Service::start_new(&Workflows::listen());
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&service.data()), 0o700);
    for key in ["operator.key", "links.key", "tokens.key", "checkpoints.key"] {
        assert_eq!(mode(&service.data().join(key)), 0o600, "{key}");
    }
}
