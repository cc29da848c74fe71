//! Files that a command is given.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use super::failure::Failure;

/// Reads a file, or standard input for `-`: what to call it, and its text.
///
/// # Errors
/// When it cannot be read, or is no UTF-8.
pub fn read(file: &Path) -> Result<(String, String), Failure> {
    let (what, text) = if file == Path::new("-") {
        let mut text = String::new();
        ("standard input".to_owned(), io::stdin().read_to_string(&mut text).map(|_| text))
    } else {
        (file.display().to_string(), fs::read_to_string(file))
    };
    match text {
        Ok(text) => Ok((what, text)),
        Err(source) => Err(Failure::Input { what, source }),
    }
}
