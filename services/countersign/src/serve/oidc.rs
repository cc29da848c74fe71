//! The provider of sign-ins: its client's secret comes from a file or the environment, never from
//! arguments, which every user of the machine can read.

use std::sync::Arc;

use gateway::Provider;

use super::options::OidcOptions;

/// Reads the registration. The provider itself is asked when somebody signs in.
///
/// # Errors
/// When the secret cannot be read or others may read it, when the issuer is no address to send it to,
/// or when this build knows no provider.
pub fn open(options: &OidcOptions, base_url: &str) -> anyhow::Result<Arc<dyn Provider>> {
    known::open(options, base_url)
}

#[cfg(feature = "oidc")]
mod known {
    use std::{os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

    use anyhow::{Context, anyhow, ensure};
    use async_trait::async_trait;
    use events::Timestamp;
    use gateway::{Departure, Provider, ProviderError};
    use oidc::{OpenIdConnect, Registration};

    use super::OidcOptions;

    const SECRET: &str = "COUNTERSIGN_OIDC_CLIENT_SECRET";

    pub(super) fn open(options: &OidcOptions, base_url: &str) -> anyhow::Result<Arc<dyn Provider>> {
        let text = match &options.client_secret {
            Some(path) => from_file(path)?,
            None => std::env::var(SECRET).with_context(|| {
                format!("the secret of the OpenID Connect client: set {SECRET}, or give --oidc-client-secret FILE")
            })?,
        };
        let client_secret = Registration::secret(&text).map_err(|fault| anyhow!(fault))?;
        let (issuer, client_id) = (options.issuer.clone(), options.client_id.clone());
        let name = options.name.clone().or_else(|| oidc::host(&issuer)).unwrap_or_default();
        let provider = OpenIdConnect::new(Registration { issuer, client_id, client_secret }, base_url);
        Ok(Arc::new(Named { name, provider: provider.context("--oidc-issuer")? }))
    }

    /// A provider, under the name that people call it by.
    struct Named {
        name: String,
        provider: OpenIdConnect,
    }

    #[async_trait]
    impl Provider for Named {
        fn name(&self) -> &str {
            &self.name
        }

        async fn start(&self) -> Result<Departure, ProviderError> {
            self.provider.start().await
        }

        async fn finish(&self, code: &str, departure: &Departure, now: Timestamp) -> Result<String, ProviderError> {
            self.provider.finish(code, departure, now).await
        }
    }

    fn from_file(path: &Path) -> anyhow::Result<String> {
        let shown = path.display();
        let mode = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.permissions().mode();
        ensure!(mode & 0o077 == 0, "{shown} can be read by others; run: chmod 600 {shown}");
        crate::text_file::read(path).with_context(|| format!("cannot read {shown}"))
    }
}

#[cfg(not(feature = "oidc"))]
mod known {
    use std::sync::Arc;

    use gateway::Provider;

    pub(super) fn open(_: &super::OidcOptions, _: &str) -> anyhow::Result<Arc<dyn Provider>> {
        anyhow::bail!("this build knows no OpenID Connect; build with: cargo build --release --features oidc")
    }
}

#[cfg(all(test, feature = "oidc"))]
mod tests {
    use std::{os::unix::fs::PermissionsExt as _, path::PathBuf};

    use super::*;

    #[test]
    fn the_secret_comes_from_a_file_that_its_owner_alone_can_read_and_goes_to_an_https_issuer() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("oidc.secret");
        let open = |issuer: &str, secret: Option<PathBuf>| {
            let options = OidcOptions { issuer: issuer.to_owned(), client_id: "c".into(), name: None, client_secret: secret };
            open(&options, "https://reviews.example").map(|provider| provider.name().to_owned())
        };
        let fault = |issuer: &str| format!("{:#}", open(issuer, Some(path.clone())).expect_err("a fault"));
        assert!(fault("https://id.example").contains("cannot read"));
        std::fs::write(&path, "hunter2\n").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("a mode");
        assert!(fault("https://id.example").contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
        for issuer in ["https://id.example/realms/a", "http://127.0.0.1:9", "http://localhost:9"] {
            assert!(open(issuer, Some(path.clone())).is_ok(), "{issuer}");
        }
        assert_eq!(open("https://id.example", Some(path.clone())).expect("a provider"), "id.example");
        for issuer in ["http://id.example", "id.example", "file:///etc", "https://", "http://127.0.0.1.evil.example"] {
            let said = fault(issuer);
            assert!(said.contains("no https address") && !said.contains("hunter2"), "{said}");
        }
        std::fs::write(&path, " \n").expect("written");
        assert!(fault("https://id.example").contains("empty"));
        let unset = format!("{:#}", open("https://id.example", None).expect_err("not set"));
        assert!(unset.contains("COUNTERSIGN_OIDC_CLIENT_SECRET") && unset.contains("--oidc-client-secret"), "{unset}");
    }
}
