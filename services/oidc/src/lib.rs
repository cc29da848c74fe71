//! Any provider that speaks OpenID Connect and has a discovery document: the authorization code flow
//! with PKCE, by the crate `openidconnect`, which verifies signature, issuer, audience, expiry and nonce; what it
//! leaves to its user is in `further`.

mod document;
mod further;
mod http;

use ::http::Uri;
use channels::provider::{BACK, Departure, ProviderError};
use chrono::{DateTime, TimeDelta};
use events::Timestamp;
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, JwsSigningAlgorithm as _, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, TokenResponse as _,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdToken, CoreIdTokenClaims,
        CoreIdTokenVerifier, CoreProviderMetadata, CoreUserInfoClaims,
    },
};

use self::{document::Document, http::Http};

/// How far a provider's clock may be ahead of ours.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// The most characters of a provider's refusal that reach the log.
const REFUSAL_MAX: usize = 300;

type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// How this service is known at a provider. The secret does not print.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The provider's address, below which its discovery document is.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// What proves that it is us.
    pub client_secret: ClientSecret,
}

impl Registration {
    /// Takes a secret as it was read from a file or a store of secrets.
    ///
    /// # Errors
    /// When there is none.
    pub fn secret(text: &str) -> Result<ClientSecret, &'static str> {
        let text = text.trim();
        if text.is_empty() { Err("the client's secret is empty") } else { Ok(ClientSecret::new(text.to_owned())) }
    }
}

/// A registration that cannot be used. Final.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// Anybody on the way could listen, or it is no address at all.
    #[error("{0:?} is no https address (http is for this machine only)")]
    Issuer(String),
    /// Links could not lead back to us.
    #[error("our own address, {0:?}, is no URL")]
    Back(String),
}

/// A provider of sign-ins.
pub struct OpenIdConnect {
    client_id: ClientId,
    client_secret: ClientSecret,
    back: RedirectUrl,
    document: Document,
    http: Http,
}

impl OpenIdConnect {
    /// The provider of this registration; `base_url` is ours, without a slash at the end. Nothing is
    /// asked of it yet, so that a provider that is out keeps no service from starting.
    ///
    /// # Errors
    /// See [`RegistrationError`].
    pub fn new(registration: Registration, base_url: &str) -> Result<OpenIdConnect, RegistrationError> {
        let Registration { issuer, client_id, client_secret } = registration;
        let (Some(_), Ok(url)) = (host(&issuer), IssuerUrl::new(issuer.clone())) else {
            return Err(RegistrationError::Issuer(issuer));
        };
        let back = RedirectUrl::new(format!("{base_url}{BACK}")).map_err(|_| RegistrationError::Back(base_url.to_owned()))?;
        let (client_id, document, http) = (ClientId::new(client_id), Document::of(url), Http::default());
        Ok(OpenIdConnect { client_id, client_secret, back, document, http })
    }

    fn client(&self, metadata: &CoreProviderMetadata) -> Client {
        let secret = Some(self.client_secret.clone());
        let client = CoreClient::from_provider_metadata(metadata.clone(), self.client_id.clone(), secret);
        // "client_secret_basic" when the document does not say (OpenID Connect Discovery 1.0, 3).
        let by_body = metadata.token_endpoint_auth_methods_supported().is_some_and(|methods| {
            !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        let client = if by_body { client.set_auth_type(AuthType::RequestBody) } else { client };
        client.set_redirect_uri(self.back.clone())
    }

    /// The address in the token's claims, or else that of the user info endpoint, where strict
    /// providers keep it (OpenID Connect Core 1.0, 5.4); only one that the provider has verified:
    /// whoever may write any address into their profile would else be anybody.
    async fn address(&self, client: &Client, claims: &CoreIdTokenClaims, access: &AccessToken) -> Result<String, ProviderError> {
        if let Some(email) = claims.email() {
            return if claims.email_verified() == Some(true) { Ok(email.to_string()) } else { Err(ProviderError::Unverified) };
        }
        let Ok(request) = client.user_info(access.clone(), Some(claims.subject().clone())) else {
            return Err(ProviderError::Unverified);
        };
        let found: Result<CoreUserInfoClaims, _> = request.request_async(&self.http).await;
        // What serde says could quote the claims.
        let found = found.map_err(|error| match error {
            openidconnect::UserInfoError::Request(error) => unavailable(error),
            openidconnect::UserInfoError::ClaimsVerification(error) => refused(error),
            _ => ProviderError::Unavailable("the user info endpoint's answer cannot be read".into()),
        })?;
        match (found.email(), found.email_verified()) {
            (Some(email), Some(true)) => Ok(email.to_string()),
            _ => Err(ProviderError::Unverified),
        }
    }

    /// Where a browser goes to sign in, and what must be known again when it comes back.
    ///
    /// # Errors
    /// See [`ProviderError`].
    pub async fn start(&self) -> Result<Departure, ProviderError> {
        let metadata = self.document.read(&self.http).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.client(&metadata);
        let asked = client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random);
        let (url, state, nonce) = asked.add_scope(Scope::new("email".to_owned())).set_pkce_challenge(challenge).url();
        let (state, nonce, verifier) = (state.into_secret(), nonce.secret().clone(), verifier.into_secret());
        Ok(Departure { url: url.into(), state, nonce, verifier })
    }

    /// The e-mail address that the provider vouches for, by the code that it gave to the browser which
    /// left with `departure`. Whatever does not belong to that very departure is refused.
    ///
    /// # Errors
    /// See [`ProviderError`].
    pub async fn finish(&self, code: &str, departure: &Departure, now: Timestamp) -> Result<String, ProviderError> {
        let metadata = self.document.read(&self.http).await?;
        let client = self.client(&metadata);
        let exchange = client.exchange_code(AuthorizationCode::new(code.to_owned())).map_err(refused)?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(departure.verifier.clone()));
        let tokens = exchange.request_async(&self.http).await.map_err(|error| match error {
            // The code is used up or worth nothing; still it is for no log.
            RequestTokenError::ServerResponse(said) => {
                let ours =
                    matches!(said.error(), CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient);
                let said = said.to_string().replace(code, "…").chars().take(REFUSAL_MAX).collect::<String>();
                match ours {
                    // No fault of whoever signs in, and nobody can until it is mended (RFC 6749, section 5.2).
                    true => ProviderError::Unavailable(format!("it does not take our client id and secret: {said}").into()),
                    false => ProviderError::Refused(said.into()),
                }
            }
            RequestTokenError::Request(error) => unavailable(error),
            // What serde says could quote a token.
            _ => ProviderError::Unavailable("the token endpoint's answer cannot be read".into()),
        })?;
        let token = tokens.id_token().ok_or_else(|| ProviderError::Refused("there is no ID token".into()))?;
        let (access, nonce) = (tokens.access_token(), Nonce::new(departure.nonce.clone()));
        let claims = match verified(&client, &metadata, token, access, &nonce, now) {
            // A key of today's that we do not know yet.
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                let metadata = self.document.read_anew(&self.http).await?;
                verified(&self.client(&metadata), &metadata, token, access, &nonce, now)
            }
            read => read,
        };
        self.address(&client, claims.map_err(refused)?, access).await
    }
}

/// The host of a provider's address; `None` when anybody on the way there could listen, or when it is no
/// address at all.
pub fn host(issuer: &str) -> Option<String> {
    let uri = issuer.parse::<Uri>().ok().filter(https::is_safe)?;
    uri.host().map(str::to_owned)
}

/// The claims of a token that the provider made for us, for this very departure, and that is in time at
/// `now`.
fn verified<'a>(
    client: &Client,
    metadata: &CoreProviderMetadata,
    token: &'a CoreIdToken,
    access: &AccessToken,
    nonce: &Nonce,
    now: Timestamp,
) -> Result<&'a CoreIdTokenClaims, ClaimsVerificationError> {
    // By the provider's own keys only: by the client's secret, whoever reads that could sign.
    let algorithms = metadata.id_token_signing_alg_values_supported().iter().filter(|known| !known.uses_shared_secret());
    let now = DateTime::from_timestamp_millis(now.millis()).unwrap_or(DateTime::<chrono::Utc>::MAX_UTC);
    let latest = now + LEEWAY;
    let in_time = move |issued_at| if issued_at <= latest { Ok(()) } else { Err("it was issued in the future".to_owned()) };
    let verifier: CoreIdTokenVerifier<'_> = client
        .id_token_verifier()
        .set_allowed_algs(algorithms.cloned())
        .set_time_fn(move || now)
        .set_issue_time_verifier_fn(in_time);
    let claims = token.claims(&verifier, nonce)?;
    further::check(claims, &token.to_string(), client.client_id(), latest)?;
    if let Some(expected) = claims.access_token_hash() {
        let failed = ClaimsVerificationError::SignatureVerification;
        let (algorithm, key) = (token.signing_alg().map_err(failed)?, token.signing_key(&verifier).map_err(failed)?);
        let found = AccessTokenHash::from_token(access, algorithm, key);
        if found.map_err(|error| ClaimsVerificationError::Other(error.to_string()))? != *expected {
            return Err(ClaimsVerificationError::Other("the access token is not that of the ID token".to_owned()));
        }
    }
    Ok(claims)
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> ProviderError {
    ProviderError::Unavailable(error.into())
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> ProviderError {
    ProviderError::Refused(error.into())
}
