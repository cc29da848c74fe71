//! Settings from the environment, read all before any is used, so that one line names every fault.

/// The environment, and what was found wrong with it so far.
pub struct Settings {
    read: fn(&str) -> Option<String>,
    missing: Vec<&'static str>,
    wrong: Vec<String>,
}

/// Variables that are missing or hold something else than they should. Never shows a value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment is not complete:{}{}", list(" missing ", .missing), list(" wrong ", .wrong))]
pub struct SettingsError {
    /// Names of those that are not set.
    pub missing: Vec<&'static str>,
    /// Names of those that cannot be read, and what they should be.
    pub wrong: Vec<String>,
}

fn list(before: &str, names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { String::new() } else { format!("{before}{};", names.join(", ")) }
}

impl Settings {
    /// The process's environment. An empty variable counts as not set.
    pub fn from_env() -> Settings {
        Settings::new(|name| std::env::var(name).ok())
    }

    fn new(read: fn(&str) -> Option<String>) -> Settings {
        Settings { read, missing: Vec::new(), wrong: Vec::new() }
    }

    /// A variable that may be absent.
    pub fn optional(&self, name: &'static str) -> Option<String> {
        (self.read)(name).filter(|value| !value.is_empty())
    }

    /// A variable that must be there. When it is not, the text is empty and [`Settings::check`] fails.
    pub fn required(&mut self, name: &'static str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.missing.push(name);
            String::new()
        })
    }

    /// A variable that may be absent and has a form; `expected` says which.
    pub fn parsed<T>(&mut self, name: &'static str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.optional(name)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.wrong.push(format!("{name} (expected {expected})"));
        }
        parsed
    }

    /// Two variables that are only of use together.
    pub fn both(&mut self, first: &'static str, second: &'static str) -> Option<(String, String)> {
        match (self.optional(first), self.optional(second)) {
            (Some(one), Some(other)) => Some((one, other)),
            (None, None) => None,
            (None, Some(_)) => {
                self.missing.push(first);
                None
            }
            (Some(_), None) => {
                self.missing.push(second);
                None
            }
        }
    }

    /// Where the gateway is, without a slash at the end.
    pub fn base_url(&mut self) -> std::sync::Arc<str> {
        let url = self.required("BASE_URL");
        match url.parse::<https::Origin>() {
            Ok(origin) => origin.as_str().into(),
            Err(wrong) => {
                if !url.is_empty() {
                    self.wrong.push(format!("BASE_URL ({wrong})"));
                }
                "".into()
            }
        }
    }

    /// Whether everything was there.
    ///
    /// # Errors
    /// Every variable that is missing or wrong, at once.
    pub fn check(self) -> Result<(), SettingsError> {
        let Settings { missing, wrong, .. } = self;
        if missing.is_empty() && wrong.is_empty() { Ok(()) } else { Err(SettingsError { missing, wrong }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> Option<String> {
        let value = match name {
            "SET" => "value",
            "EMPTY" => "",
            "SECRET" => "hunter2",
            "BASE_URL" => "https://Reviews.example.com/",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn every_missing_and_wrong_variable_is_named_at_once_and_no_value_is_shown() {
        let mut env = Settings::new(read);
        assert_eq!(env.required("SET"), "value");
        env.required("GONE");
        env.required("EMPTY");
        assert_eq!(env.both("SET", "OTHER"), None);
        assert_eq!(env.parsed("SECRET", "a number", |text| text.parse::<u8>().ok()), None);
        let error = env.check().expect_err("incomplete").to_string();
        let expected = "the environment is not complete: missing GONE, EMPTY, OTHER; wrong SECRET (expected a number);";
        assert_eq!(error, expected);
    }

    #[test]
    fn an_address_with_a_path_is_wrong() {
        let mut env = Settings::new(|name| (name == "BASE_URL").then(|| "https://example.com/approvals".to_owned()));
        env.base_url();
        let error = env.check().expect_err("no origin").to_string();
        assert!(error.contains("BASE_URL (the service answers at the root of a host"), "{error}");
    }

    #[test]
    fn a_complete_environment_passes_and_an_address_ends_without_a_slash() {
        let mut env = Settings::new(read);
        assert_eq!(&*env.base_url(), "https://reviews.example.com");
        assert_eq!(env.optional("EMPTY"), None);
        assert_eq!(env.both("GONE", "EMPTY"), None);
        assert_eq!(env.check(), Ok(()));
    }
}
