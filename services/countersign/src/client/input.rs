//! Files that a command is given.

use std::{
    io::{self, Read},
    path::Path,
};

use super::failure::Failure;
use crate::text_file;

/// Reads a file, or standard input for `-`: what to call it, and its text.
///
/// # Errors
/// When it cannot be read, or is no UTF-8.
pub fn read(file: &Path) -> Result<(String, String), Failure> {
    let (what, text) = if file == Path::new("-") {
        let mut bytes = Vec::new();
        let read = io::stdin().read_to_end(&mut bytes);
        ("standard input".to_owned(), read.and_then(|_| text_file::decode(bytes)))
    } else {
        (file.display().to_string(), text_file::read(file))
    };
    match text {
        Ok(text) => Ok((what, text)),
        Err(source) => Err(Failure::Input { what, source }),
    }
}
