//! The style sheet, the script and the icon, each under a name that changes with its content.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use sha2::{Digest as _, Sha256};

use super::problem::Problem;

/// A file that is part of the program.
pub struct Asset {
    /// Its address, such as `/assets/0123456789ab.css`.
    pub path: String,
    media_type: &'static str,
    text: &'static str,
}

/// The look of every page.
pub static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("css", "text/css; charset=utf-8", include_str!("assets/countersign.css")));
/// Fetches a page again when it has changed.
pub static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("js", "text/javascript; charset=utf-8", include_str!("assets/live.js")));
/// The icon of the browser's tab.
pub static ICON: LazyLock<Asset> = LazyLock::new(|| Asset::new("svg", "image/svg+xml", include_str!("assets/icon.svg")));

impl Asset {
    fn new(extension: &str, media_type: &'static str, text: &'static str) -> Asset {
        let digest = Sha256::digest(text.as_bytes());
        let name: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Asset { path: format!("/assets/{name}.{extension}"), media_type, text }
    }
}

/// `GET /assets/{file}`: may be kept for ever, since a changed file has another name.
pub(super) async fn serve(Path(file): Path<String>) -> Response {
    let known = [&STYLE, &SCRIPT, &ICON].into_iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(&*file));
    match known {
        Some(asset) => {
            let headers = [(CONTENT_TYPE, asset.media_type), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
            (headers, asset.text).into_response()
        }
        None => Problem::NotFound.into_response(),
    }
}
