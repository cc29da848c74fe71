//! What a command shows the service: the token in `COUNTERSIGN_TOKEN`, else the operator's key of the
//! data directory. Neither is ever an argument, which other users of the machine could read.

use std::{
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::failure::Failure;

/// The variable that holds a token.
pub const TOKEN: &str = "COUNTERSIGN_TOKEN";

/// Where the bearer token comes from. It does not print.
pub enum Credential {
    /// The operator's key, in this file.
    KeyFile(PathBuf),
    /// A token that was handed over.
    Token(Zeroizing<String>),
}

impl Credential {
    /// The token of the environment, else the key of the directory `data`.
    ///
    /// # Errors
    /// When the variable is set and holds no token.
    pub fn find(data: &Path) -> Result<Credential, Failure> {
        match env::var_os(TOKEN).filter(|token| !token.is_empty()) {
            None => Ok(Credential::KeyFile(data.join("operator.key"))),
            Some(token) => token.into_string().ok().as_deref().and_then(Credential::token).ok_or_else(|| {
                Failure::Invalid(format!(
                    "{TOKEN} holds no token; set it to what `countersign integrations add` printed, or unset it"
                ))
            }),
        }
    }

    /// Takes a token; `None` for what no header can carry.
    fn token(text: &str) -> Option<Credential> {
        let text = text.trim();
        let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Credential::Token(Zeroizing::new(text.to_owned())))
    }

    /// What it is, without saying it.
    pub fn in_words(&self) -> &'static str {
        match self {
            Credential::KeyFile(_) => "the operator's key",
            Credential::Token(_) => "the token in COUNTERSIGN_TOKEN",
        }
    }

    /// The secret. The key is read anew for each call: the service may just be making it.
    ///
    /// # Errors
    /// When there is no key, or it cannot be read.
    pub fn read(&self) -> Result<Zeroizing<String>, Failure> {
        let path = match self {
            Credential::Token(token) => return Ok(token.clone()),
            Credential::KeyFile(path) => path,
        };
        match fs::read_to_string(path).map(Zeroizing::new) {
            Ok(text) if text.trim().is_empty() => Err(Failure::NoKey { path: path.clone() }),
            Ok(text) => Ok(Zeroizing::new(text.trim().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Failure::NoKey { path: path.clone() }),
            Err(source) => Err(Failure::UnreadableKey { path: path.clone(), source }),
        }
    }

    /// What it comes to when the service at `url` does not take it; `why` is what the service said.
    pub fn refused(&self, url: &str, why: &str) -> Failure {
        match self {
            Credential::KeyFile(path) => Failure::KeyRefused { url: url.to_owned(), path: path.clone() },
            Credential::Token(_) => Failure::TokenRefused { url: url.to_owned(), why: why.to_owned() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_line_of_visible_characters() {
        for (text, expected) in
            [(" csgn_00\n", Some("csgn_00")), ("", None), (" ", None), ("a b", None), ("a\nb", None), ("ü", None)]
        {
            let read = Credential::token(text).map(|token| token.read().expect("a token").to_string());
            assert_eq!(read.as_deref(), expected, "{text:?}");
        }
    }
}
