//! The service is killed with SIGKILL, again and again, under load. Nothing that it acknowledged may
//! be lost, nothing may be done twice that the outside can see, and every consumer goes on.
//!
//! `CRASH_SEED` repeats a run's choices, `CRASH_KILLS` sets how many kills there are.
#![allow(clippy::expect_used, reason = "a test that fails says where")]

mod clients;
#[path = "../support/mod.rs"]
mod support;
mod verdict;

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use clients::Load;
use fastrand::Rng;
use support::{process::Service, workflows::Workflows};

const KILLS: u64 = 200;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn invariant_01_05_07_12_two_hundred_kills_under_load_lose_nothing_and_do_nothing_twice() {
    let seed = number("CRASH_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    let kills = number("CRASH_KILLS").unwrap_or(KILLS);
    println!("CRASH_SEED={seed} CRASH_KILLS={kills}");
    let mut random = Rng::with_seed(seed);

    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let load = Arc::new(Load::new(service.api(), workflows.clone()));
    let clients = clients::start(&load, seed);

    let started = Instant::now();
    for kill in 0..kills {
        std::thread::sleep(Duration::from_millis(random.u64(20..120)));
        service.kill();
        assert!(!clients.iter().any(|client| client.is_finished()), "a client gave up before kill {kill}");
        service.start();
    }
    load.stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().expect("no client saw anything it must not see");
    }
    // The last one with nobody at work, so that a start from rest is among them.
    service.kill();
    println!("{} kills in {:.1} s", kills + 1, started.elapsed().as_secs_f32());

    service.start();
    let told = load.told.lock().expect("told");
    verdict::hold(&service, &told, &workflows);
    service.stop_cleanly();
}
