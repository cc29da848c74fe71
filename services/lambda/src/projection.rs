//! The projector's handler on AWS, put together for the functions that use it: the projector itself, the
//! timekeeper for what is owed.

use std::sync::Arc;

use aws_config::SdkConfig;
use ledger::{Reviews, Views, Work, dynamodb::DynamoStore, seal::KmsSeal};
use projector::{
    Aliases, Outlets, Projection, Publisher, Resumer, Rows, eventbridge::EventBridge, sfn::StepFunctions, sns::Topic,
};

use crate::{Settings, metrics::Metrics, outside::Roles};

/// What the handler is made of, by name.
pub struct Wanted {
    bus: String,
    topic: Option<String>,
    key: String,
    base_url: Arc<str>,
    account: String,
    roles: Roles,
    metrics: Metrics,
}

/// The handler and its parts, which the timekeeper uses by themselves.
pub struct Parts {
    /// Publishes, resumes, writes rows.
    pub projection: Projection,
    /// Where commits are published.
    pub outlets: Arc<Outlets>,
    /// Alerts of who decides as whom; absent without a topic.
    pub aliases: Option<Aliases>,
    /// Tells workflows.
    pub resumer: Arc<Resumer>,
    /// Seals and opens task tokens.
    pub seal: Arc<KmsSeal>,
    /// The views.
    pub views: Arc<dyn Views>,
    /// The handlers' notes.
    pub work: Arc<dyn Work>,
}

impl Wanted {
    /// Reads what is needed.
    pub fn from(env: &mut Settings, base_url: &Arc<str>) -> Wanted {
        Wanted {
            bus: env.required("BUS_NAME"),
            topic: env.optional("TOPIC_ARN"),
            key: env.required("SEAL_KEY_ARN"),
            base_url: Arc::clone(base_url),
            account: env.required("ACCOUNT_ID"),
            roles: Roles::from(env),
            metrics: Metrics::new(env.optional("METRICS_NAMESPACE")),
        }
    }

    /// Makes the clients and the handler.
    pub fn build(self, config: &SdkConfig, store: &DynamoStore, reviews: &Arc<Reviews>) -> Parts {
        let (views, work): (Arc<dyn Views>, Arc<dyn Work>) = (Arc::new(store.clone()), Arc::new(store.clone()));
        let seal = Arc::new(KmsSeal::new(aws_sdk_kms::Client::new(config), self.key));
        let workflows = Arc::new(StepFunctions::new(aws_sdk_sfn::Client::new(config)));
        let resumer = Resumer::new(Arc::clone(reviews), seal.clone(), workflows);
        let resumer = Arc::new(resumer.with_accounts(&self.account, self.roles.workflows(config)));
        let bus = Arc::new(EventBridge::new(aws_sdk_eventbridge::Client::new(config), self.bus));
        let publisher = Publisher::new(bus, Arc::clone(&self.base_url));
        let mut outlets = Outlets::new(Arc::clone(&work)).with("publisher", publisher).observed_by(Arc::new(self.metrics));
        let mut aliases = None;
        if let Some(topic) = self.topic {
            let topic = Arc::new(Topic::new(aws_sdk_sns::Client::new(config), topic, Arc::clone(&self.base_url)));
            aliases = Some(Aliases::new(Arc::clone(reviews), topic.clone()));
            outlets = outlets.with("alerts", Publisher::new(topic, self.base_url));
        }
        let outlets = Arc::new(outlets);
        let rows = Rows::new(Arc::clone(reviews), Arc::clone(&views));
        let projection = Projection::new(rows, Arc::clone(&outlets), Arc::clone(&resumer), Arc::clone(&work));
        Parts { projection, outlets, aliases, resumer, seal, views, work }
    }
}
