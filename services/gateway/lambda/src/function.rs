//! Events of an HTTP API or a function URL, answered by the router; and the one thing that whoever may
//! invoke the function directly can ask for: a link that signs the operator in.

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use axum::{
    Router,
    extract::{ConnectInfo, Request},
    middleware,
};
use channels::{keys::Keyring, session};
use gateway::api::SIGN_IN_LINK_LIFE;
use lambda::{Failure, Function, metrics::Metrics};
use lambda_http::{
    Adapter, LambdaEvent, Service as _,
    request::{LambdaRequest, RequestContext},
};
use lambda_runtime::Context;
use ledger::{Clock as _, Reviews, SystemClock};
use serde_json::{Value, json};

/// The function.
pub struct Http {
    /// Answers requests.
    pub router: Router,
    /// Signs links.
    pub keys: Arc<Keyring>,
    /// What links begin with.
    pub base_url: Arc<str>,
    /// Knows how many votes were refused because of who cast them.
    pub reviews: Arc<Reviews>,
    /// Counts them.
    pub metrics: Metrics,
}

impl Http {
    /// The right to invoke us directly is the operator's: IAM has asked who it is. What comes by HTTP is
    /// wrapped by the API or the function URL and never has this form.
    fn signin(&self) -> Result<Value, Failure> {
        tracing::info!("a link that signs the operator in was made");
        let key = session::mint_signin(&self.keys, SystemClock.now().after(SIGN_IN_LINK_LIFE));
        let key = key.map_err(|error| Failure::of(&error, true))?;
        Ok(json!({"link": format!("{}/signin?key={key}", self.base_url)}))
    }
}

/// The router, told who asks: limits are counted by that. `sourceIp` is the peer of the API's connection, to
/// which no header of a caller's is a rival (API Gateway developer guide, "Working with AWS Lambda proxy
/// integrations for HTTP APIs").
pub fn with_peer(router: Router) -> Router {
    async fn peer(mut request: Request) -> Request {
        let source = match request.extensions().get::<RequestContext>() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
            _ => None,
        };
        if let Some(address) = source.and_then(|address| address.parse().ok()) {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, 0)));
        }
        request
    }
    router.layer(middleware::map_request(peer))
}

#[async_trait]
impl Function for Http {
    async fn call(&self, event: Value, context: &Context) -> Result<Value, Failure> {
        if event == json!({"signin": true}) {
            return self.signin();
        }
        const STRANGE: &str = "the event is no request of an HTTP API (payload format 2.0) or a function URL";
        let is_request = event.pointer("/requestContext/http/method").is_some_and(Value::is_string);
        // What serde says could quote the request.
        let request = is_request.then(|| serde_json::from_value::<LambdaRequest>(event).ok()).flatten();
        let request = request.ok_or_else(|| Failure::refused(STRANGE))?;
        let answering = Adapter::from(self.router.clone()).call(LambdaEvent::new(request, context.clone()));
        let answered = answering.await;
        self.metrics.suspects(&self.reviews);
        match answered {
            Ok(response) => serde_json::to_value(response).map_err(|error| Failure::of(&error, false)),
            Err(never) => match never {},
        }
    }
}
