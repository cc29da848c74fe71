//! The bearer tokens of integrations. Only their hash is ever kept.

use std::fmt;

use events::digest::BearerHash;
use zeroize::Zeroizing;

use crate::keys::random_key;

/// What every token begins with, so that a person and a scanner for leaked secrets know it:
/// `csgn_` and 64 hexadecimal digits.
pub const PREFIX: &str = "csgn_";

/// A secret that lets a program call the API as one integration. It does not print.
pub struct BearerToken(Zeroizing<String>);

impl BearerToken {
    /// A new token: 32 random bytes.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<BearerToken, getrandom::Error> {
        let random = Zeroizing::new(random_key()?);
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + 2 * random.len()));
        text.push_str(PREFIX);
        for byte in random.iter() {
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(digit), 16));
            }
        }
        Ok(BearerToken(text))
    }

    /// Reads what a caller sent; `None` for what cannot be a token of an integration.
    pub fn read(text: &str) -> Option<BearerToken> {
        let digits = text.strip_prefix(PREFIX)?;
        let is_one = digits.len() == 64 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        is_one.then(|| BearerToken(Zeroizing::new(text.to_owned())))
    }

    /// The token itself, to be shown once to whoever registers the integration.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What it is known by. A token has 256 random bits, so that a plain SHA-256 cannot be guessed.
    pub fn hash(&self) -> BearerHash {
        BearerHash::of(self.0.as_bytes())
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_form_and_does_not_print() {
        let token = BearerToken::generate().expect("randomness");
        let read = BearerToken::read(token.expose()).expect("a token");
        assert_eq!((read.hash(), token.expose().len()), (token.hash(), 69));
        assert_ne!(token.hash(), BearerToken::generate().expect("randomness").hash());
        assert_eq!(format!("{token:?}"), "BearerToken(…)");
        let upper = token.expose().to_uppercase();
        for bad in ["", "csgn_", "csgn_00", upper.as_str(), &token.expose()[5..], &format!("{}0", token.expose())] {
            assert!(BearerToken::read(bad).is_none(), "{bad:?}");
        }
    }
}
