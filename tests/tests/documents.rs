//! What the documents say is shown, is shown: every invariant of `ARCHITECTURE.md` has a test that bears its number, and
//! every test that `docs/security.md` names is there.
#![allow(clippy::expect_used, reason = "a test says what it expected")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

/// Every Rust and Python file below `dir`, but this one.
fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if (name.ends_with(".rs") || name.ends_with(".py")) && name != "documents.rs" {
            found.push(path);
        }
    }
}

/// The files, and the names of all their functions.
fn files_and_functions() -> (Vec<PathBuf>, Vec<String>) {
    let mut files = Vec::new();
    sources(root(), &mut files);
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut functions = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("a text");
        for line in text.lines() {
            let definition = line.split_once("fn ").or_else(|| line.split_once("def ")).map(|(_, rest)| rest);
            functions.extend(definition.map(|rest| rest.chars().take_while(|letter| is_of_name(*letter)).collect::<String>()));
        }
    }
    (files, functions)
}

#[test]
fn every_invariant_is_in_the_map_and_has_a_test_that_bears_its_number() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the map");
    let (_, functions) = files_and_functions();
    // A name may bear several numbers: `invariant_01_05_07_…`.
    let names: Vec<&str> = functions.iter().filter_map(|name| name.strip_prefix("invariant_")).collect();
    for number in 1..=15 {
        let bears = |name: &&&str| name.split('_').map_while(|part| part.parse::<u8>().ok()).any(|found| found == number);
        assert!(names.iter().find(bears).is_some(), "no test bears the number of invariant {number}");
        assert!(map.contains(&format!("\n| {number} | ")), "invariant {number} is not in ARCHITECTURE.md");
    }
}

#[test]
fn every_test_that_the_page_on_security_names_is_there() {
    let page = fs::read_to_string(root().join("docs/security.md")).expect("the page");
    let (files, functions) = files_and_functions();
    let missing: Vec<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| {
            let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'*');
            let there = if name.ends_with(".py") {
                files.iter().any(|file| file.ends_with(name))
            } else if name.contains("::tests") || name.starts_with("domain::") {
                is_module(name, &files)
            } else if let Some(start) = name.strip_suffix('*') {
                functions.iter().any(|function| function.starts_with(start))
            } else {
                // What has so many words is the name of a test.
                !is_word || name.matches('_').count() < 3 || functions.iter().any(|function| function == name)
            };
            !there
        })
        .collect();
    assert_eq!(missing, [""; 0], "docs/security.md names tests that are not there");
}

/// Whether `crate module::tests` is a file: `module.rs`, `module/tests.rs` or a folder of either name.
fn is_module(name: &str, files: &[PathBuf]) -> bool {
    let (_, path) = name.rsplit_once(' ').unwrap_or(("", name));
    let place = path.replace("::", "/");
    let inside = place.strip_suffix("/tests").unwrap_or(&place);
    let ends = [format!("{place}.rs"), format!("{place}/mod.rs"), format!("{inside}.rs"), format!("{inside}/mod.rs")];
    let of_crate = format!("{inside}/src/tests.rs");
    files.iter().any(|file| ends.iter().any(|end| file.ends_with(end)) || file.ends_with(&of_crate))
}
