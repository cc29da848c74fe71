//! What of an ID token is checked beside what the crate `openidconnect` checks: for whom it was issued
//! (`azp`) and from when on it holds (`nbf`).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use openidconnect::{ClaimsVerificationError, ClientId, core::CoreIdTokenClaims};
use serde::Deserialize;

/// The claims that the crate does not read.
#[derive(Deserialize)]
struct Further {
    /// Seconds since 1970, with or without a fraction (RFC 7519, "NumericDate").
    nbf: Option<f64>,
}

/// Checks a token whose signature holds, at the latest moment that its maker's clock may say now.
///
/// # Errors
/// When it was issued for another client, or does not hold yet.
pub(super) fn check(
    claims: &CoreIdTokenClaims,
    token: &str,
    client: &ClientId,
    latest: DateTime<Utc>,
) -> Result<(), ClaimsVerificationError> {
    // OpenID Connect Core 1.0, 3.1.3.7: a token for another client is none for us, also when it names us too.
    if claims.authorized_party().is_some_and(|party| party != client) {
        return Err(ClaimsVerificationError::InvalidAudience("it was issued for another client (azp)".to_owned()));
    }
    let Some(further) = read(token) else {
        return Err(ClaimsVerificationError::Other("its claims cannot be read".to_owned()));
    };
    let latest = latest.timestamp_millis() as f64 / 1_000.0;
    if further.nbf.is_some_and(|from| from > latest) {
        return Err(ClaimsVerificationError::Other("it does not hold yet (nbf)".to_owned()));
    }
    Ok(())
}

fn read(token: &str) -> Option<Further> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(further: serde_json::Value) -> (CoreIdTokenClaims, String) {
        let mut claims = serde_json::json!({"iss": "https://id.example", "aud": ["us"], "sub": "1", "iat": 1_000, "exp": 2_000});
        let all = claims.as_object_mut().expect("an object");
        all.extend(further.as_object().cloned().unwrap_or_default());
        let token = format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims.to_string()));
        (serde_json::from_value(claims).expect("claims"), token)
    }

    #[test]
    fn a_token_for_another_client_or_for_later_is_none() {
        let checked = |further| {
            let (claims, token) = claims(further);
            check(&claims, &token, &ClientId::new("us".to_owned()), DateTime::from_timestamp(1_000, 0).expect("a time")).is_ok()
        };
        for good in
            ["{}", r#"{"azp": "us"}"#, r#"{"nbf": 1000}"#, r#"{"nbf": 999.5}"#, r#"{"nbf": 0, "azp": "us"}"#, r#"{"nbf": null}"#]
        {
            assert!(checked(serde_json::from_str(good).expect("JSON")), "{good}");
        }
        for bad in [
            r#"{"azp": "somebody else"}"#,
            r#"{"azp": ""}"#,
            r#"{"nbf": 1001}"#,
            r#"{"nbf": 1000.5}"#,
            r#"{"nbf": "1"}"#,
            r#"{"nbf": 1e300}"#,
        ] {
            assert!(!checked(serde_json::from_str(bad).expect("JSON")), "{bad}");
        }
    }
}
