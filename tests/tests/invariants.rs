//! Every invariant of `ARCHITECTURE.md` has a test that bears its number.
#![allow(clippy::expect_used, reason = "a test says what it expected")]

use std::{fs, path::Path};

/// The text of every Rust and Python file below `dir` that holds tests.
fn sources(dir: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, texts);
        } else if name.ends_with(".rs") && name != "invariants.rs" {
            texts.push(fs::read_to_string(&path).expect("a text"));
        }
    }
}

#[test]
fn every_invariant_is_in_the_map_and_has_a_test_that_bears_its_number() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let map = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("the map");
    let mut texts = Vec::new();
    sources(root, &mut texts);
    // A name may bear several numbers: `fn invariant_01_05_07_…`.
    let names: Vec<&str> = texts.iter().flat_map(|text| text.split("fn invariant_").skip(1)).collect();
    for number in 1..=12 {
        let bears = |name: &&&str| name.split('_').map_while(|part| part.parse::<u8>().ok()).any(|found| found == number);
        assert!(names.iter().find(bears).is_some(), "no test bears the number of invariant {number}");
        assert!(map.contains(&format!("\n| {number} | ")), "invariant {number} is not in ARCHITECTURE.md");
    }
}
