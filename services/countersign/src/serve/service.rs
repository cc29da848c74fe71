//! The parts of the one-machine service, put together.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use async_trait::async_trait;
use axum::Router;
use channels::{access_key::AccessKeys, keys::Keyring, link::Links, session};
use connections::limits::Limits;
use events::Version;
use gateway::{
    Gateway, Reconcile, Redrive, SignIn,
    api::SIGN_IN_LINK_LIFE,
    put_events::{self, Admission, Door},
    slack::App,
};
use intake::Intake;
use ledger::{Clock, Ledger, Parked, Reviews, SystemClock, Views, Work, seal::Seal, sqlite::SqliteStore};
use notifier::{Announce, Announcer, Deliver, Notifier, slack::Slack};
use projector::{Publisher, Resumer, Rows};
use timekeeper::Timekeeper;
use tokio::{
    net::TcpListener,
    sync::{Mutex, watch},
    task::JoinSet,
};

use super::{
    ServeOptions,
    arrivals::Wakeups,
    aws,
    consumer::{self, Consumer, Failure},
    consumers::{AnnounceConsumer, BusConsumer, NoticeConsumer, ResumeConsumer, ViewConsumer},
    keys::Keys,
    mails::{self, Mails},
    oidc,
    outbox::Console,
    slack::SlackApp,
    suspects, timers,
};
use crate::{
    checkpoints::{
        self,
        keeper::{self, Keeper},
    },
    demo,
    log::fence::Fence,
};

/// How long requests under way may take once the service is to stop. Who waits for a review is told
/// that nothing changed and asks again.
const GRACE: Duration = Duration::from_secs(2);

/// A running service.
pub struct Service {
    store: SqliteStore,
    gateway: Gateway,
    keys: Arc<Keyring>,
    data: std::path::PathBuf,
    slack: Option<SlackApp>,
    keeper: Arc<Mutex<Keeper>>,
    checkpoints: Router<Gateway>,
    door: Door,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Service {
    /// Opens the data directory and starts the consumers and timers. `address` is where the listener
    /// stands.
    ///
    /// # Errors
    /// When the data directory cannot be had.
    pub async fn start(options: &ServeOptions, address: SocketAddr) -> anyhow::Result<Service> {
        let store = SqliteStore::open(&options.data)
            .with_context(|| format!("cannot open the data directory {}", options.data.display()))?;
        // Looked at once the directory is ours: whoever fences it waits for that.
        if let Some(fence) = Fence::of(&options.data)? {
            anyhow::bail!("{}: {fence}", options.data.display());
        }
        // Before anything reads or writes the log: whether it is what was signed of it.
        let mut keeper = Keeper::open(store.clone(), &options.data).await?;
        keeper.tick().await?;
        let keys = Keys::load_or_create(&options.data)?;
        let base_url: Arc<str> = match &options.base_url {
            Some(url) => url.as_str().into(),
            None => format!("http://{address}").into(),
        };
        let (links, seal): (_, Arc<dyn Seal>) = (Arc::new(keys.links), Arc::new(keys.seal));

        let (views, work): (Arc<dyn Views>, Arc<dyn Work>) = (Arc::new(store.clone()), Arc::new(store.clone()));
        let reviews = Arc::new(Reviews::new(Arc::new(store.clone()), Arc::new(SystemClock)));
        let signed = Links::new(Arc::clone(&links), Arc::clone(&base_url));
        let slack = options.slack.as_ref().map(SlackApp::load).transpose()?;
        let in_slack = slack.as_ref().map(|app| Slack::new(Arc::clone(&app.client), Arc::clone(&links), app.trusted.clone()));
        let in_slack = in_slack.map(Arc::new);
        let Mails { by_mail, notes, sign_in } = mails::open(options)?;
        let noting = in_slack.clone().map(|channel| channel as Arc<dyn Announce>);
        let noting = noting.into_iter().chain(notes).chain([Arc::new(Console) as Arc<dyn Announce>]).collect();
        let in_slack = in_slack.map(|channel| channel as Arc<dyn Deliver>);
        let by_sms = if options.sms { Some(aws::sms().await?) } else { None };
        let channels = in_slack.into_iter().chain(by_mail).chain(by_sms).chain([Arc::new(Console) as Arc<dyn Deliver>]).collect();
        let provider = options.oidc.as_ref().map(|known| oidc::open(known, &base_url)).transpose()?;
        let sign_in = SignIn { mail: Some(sign_in), provider, proxies: options.proxies.clone(), ..SignIn::default() };
        let notifier = Arc::new(Notifier::new(Arc::clone(&reviews), Arc::clone(&work), signed, channels));
        let resumer = Arc::new(Resumer::new(Arc::clone(&reviews), Arc::clone(&seal), aws::workflows()));
        let timekeeper = Arc::new(Timekeeper::new(
            Arc::clone(&reviews),
            Arc::clone(&views),
            Arc::clone(&work),
            Arc::clone(&notifier),
            Arc::clone(&resumer),
        ));

        let announcer = Announcer::new(Arc::clone(&reviews), Arc::clone(&work), noting, Arc::clone(&base_url));
        let rows = Rows::new(Arc::clone(&reviews), Arc::clone(&views));
        let mut consumers: Vec<Arc<dyn Consumer>> = vec![
            Arc::new(ViewConsumer { rows, store: store.clone() }),
            Arc::new(NoticeConsumer(notifier)),
            Arc::new(ResumeConsumer(resumer)),
            Arc::new(AnnounceConsumer(announcer)),
        ];
        if let Some(bus) = &options.publish_to {
            consumers.push(Arc::new(BusConsumer(Publisher::new(aws::bus(bus).await?, Arc::clone(&base_url)))));
        }

        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let at_work = while_trusted(&store, stopped.clone(), &mut tasks);
        for consumer in &consumers {
            tasks.spawn(consumer::follow(store.clone(), Arc::clone(consumer), at_work.clone()));
        }
        tasks.spawn(timers::run(Arc::clone(&timekeeper), at_work));
        tasks.spawn(suspects::watch(Arc::clone(&reviews), stopped.clone()));
        let checkpoints = checkpoints::serve::routes(keeper.files().clone(), keeper.public().clone());
        let keeper = Arc::new(Mutex::new(keeper));
        tasks.spawn(keeper::run(Arc::clone(&keeper), options.data.clone(), stopped.clone()));

        let door = Door { admission: Admission::of(address, &base_url), keys: AccessKeys::new(Arc::clone(&links)) };
        let gateway = Gateway {
            // No bus vouches for anybody here: votes by program come from integrations.
            intake: Arc::new(
                Intake::new(Arc::clone(&reviews), Arc::clone(&views), seal, Vec::new())
                    .limited(options.requests_per_minute, options.recipients.clone()),
            ),
            reviews,
            views,
            work,
            arrivals: Arc::new(Wakeups::new(store.clone(), stopped)),
            redrive: Arc::new(Redriver { store: store.clone(), consumers }),
            reconcile: Arc::new(Reconciler(timekeeper)),
            keys: Arc::clone(&links),
            operator_key: Arc::new(keys.operator),
            access_keys: Some(door.keys.clone()),
            base_url,
            sign_in,
            dev: options.dev,
            demo: options.demo,
        };
        Ok(Service { store, gateway, keys: links, data: options.data.clone(), slack, keeper, checkpoints, door, stop, tasks })
    }

    /// Says where the service is and how the operator signs in.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn announce(&self, address: SocketAddr) -> anyhow::Result<()> {
        let signin = session::mint_signin(&self.keys, SystemClock.now().after(SIGN_IN_LINK_LIFE))?;
        println!("Countersign answers at http://{address}  (data in {})", self.data.display());
        println!("Sign in as the operator: {}/signin?key={signin}", self.gateway.base_url);
        println!("The link works once, within an hour; `countersign signin` makes another");
        Ok(())
    }

    /// The gateway's parts, for more routes beside it.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Answers until `stop`, then ends cleanly.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(mut self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
        let further = match self.gateway.demo {
            true => demo::page::routes(&self.gateway, &self.data, self.stop.subscribe())?,
            false => Router::new(),
        };
        let further = match self.slack.take() {
            Some(app) => {
                further.merge(gateway::slack::routes(App { secrets: app.signing, slack: app.client, trusted: app.trusted }))
            }
            None => further,
        };
        let router =
            gateway::router_beside(self.gateway.clone(), further.merge(self.checkpoints).merge(put_events::routes(self.door)));
        let stopping = self.stop.clone();
        let shutdown = async move {
            stop.await;
            tracing::info!("stopping");
            stopping.send_replace(true);
        };
        let mut stopped = self.stop.subscribe();
        let (proxies, base_url) = (self.gateway.sign_in.proxies.clone(), Arc::clone(&self.gateway.base_url));
        let is_proxy = Arc::new(move |peer| proxies.believe(peer, &base_url));
        let limits = Limits { is_proxy, ..Limits::of_this_process() };
        tokio::select! {
            () = connections::serve(listener, router, limits, shutdown) => {}
            () = async { let _ = stopped.wait_for(|stop| *stop).await; tokio::time::sleep(GRACE).await } => {}
        }
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        // Whatever was written last is covered too.
        keeper::tick(&self.keeper).await;
        self.store.close();
        Ok(())
    }
}

/// Becomes true on `stop`, and once the log is distrusted: then nobody is told anything that follows from it.
fn while_trusted(store: &SqliteStore, mut stop: watch::Receiver<bool>, tasks: &mut JoinSet<()>) -> watch::Receiver<bool> {
    let (end, ended) = watch::channel(false);
    let mut distrusted = store.distrusted();
    tasks.spawn(async move {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            _ = distrusted.wait_for(Option::is_some) => {}
        }
        end.send_replace(true);
    });
    ended
}

struct Redriver {
    store: SqliteStore,
    consumers: Vec<Arc<dyn Consumer>>,
}

#[async_trait]
impl Redrive for Redriver {
    async fn redrive(&self, parked: &Parked) -> Result<(), String> {
        let consumer = self.consumers.iter().find(|consumer| consumer.name() == parked.consumer);
        let consumer = consumer.ok_or_else(|| format!("no consumer named {} runs here", parked.consumer))?;
        let before = Version(parked.version.0.saturating_sub(1));
        let commits = self.store.load(parked.stream, before).await.map_err(|error| Failure::new(false, &error).error)?;
        let stored = commits.first().ok_or_else(|| format!("{} has no version {}", parked.stream, parked.version))?;
        let commit = stored.decode_understood().map_err(|error| Failure::new(false, &error).error)?;
        let consumer = Arc::clone(consumer);
        let handled = tokio::spawn(async move { consumer.handle(&commit).await }).await;
        handled.map_err(|panic| panic.to_string())?.map_err(|failure| failure.error)
    }
}

struct Reconciler(Arc<Timekeeper>);

#[async_trait]
impl Reconcile for Reconciler {
    async fn reconcile(&self) -> Result<serde_json::Value, String> {
        // In a task of its own: it goes on when whoever asked for it hangs up.
        let timekeeper = Arc::clone(&self.0);
        let found = tokio::spawn(async move { timekeeper.reconcile().await }).await.map_err(|panic| panic.to_string())?;
        let found = found.map_err(|error| Failure::new(false, &error).error)?;
        serde_json::to_value(found).map_err(|error| error.to_string())
    }
}
