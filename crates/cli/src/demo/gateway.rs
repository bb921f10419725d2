//! The gateway in front of a simulated upstream: requests of the log over HTTP, while one of two instances
//! dies half-way and the candidate that is chosen most loses its only one.

use std::collections::BTreeMap;
use std::path::Path;

use farthing_core::{Request, Role, RouteOptions, Usage};
use farthing_data::Dataset;
use farthing_model::{Circumstances, Router, Scorer};
use farthing_serve::{Clock, GatewayConfig, ServeConfig, Server, UpstreamConfig};
use farthing_sim::prices;
use farthing_sim::upstream::{Behaviour, Scenario, Upstream};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::term;

/// Requests that are sent.
const REQUESTS: usize = 300;
/// The instance that dies.
const DYING: &str = "dying";

/// What came of the requests to one candidate.
#[derive(Debug, Default)]
struct Served {
    /// Before the instance died, and after.
    answers: [u64; 2],
    /// Of these, meant for others that did not answer.
    for_others: u64,
    usd: f64,
}

/// What came of all requests.
#[derive(Debug, Default)]
struct Ran {
    served: BTreeMap<String, Served>,
    failed: u64,
    /// Answered at the second or a later attempt.
    retried: u64,
    /// What the reference would have cost for the same tokens.
    reference_usd: f64,
}

pub(super) fn run(router_dir: &Path, router: &Router, dataset: &Dataset) -> Result<(), Failure> {
    let requests: Vec<_> = dataset.records.iter().take(REQUESTS).map(|r| &r.request).collect();
    // The log has costs and no prices; the traffic's simulator knows them.
    let router = &router.clone().with_prices(&prices());
    let favourite = favourite(router, &requests)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ran = runtime.block_on(ran(router_dir, router, &requests, &favourite))?;
    term::print(&explain(&ran, router, &favourite))
}

/// The candidate that is chosen most.
fn favourite(router: &Router, requests: &[&Request]) -> Result<String, Failure> {
    let (mut scorer, mut chosen) = (Scorer::default(), BTreeMap::<usize, usize>::new());
    for request in requests {
        let options = RouteOptions { context: request.context.clone(), ..RouteOptions::default() };
        let decided = router.route(&mut scorer, request, &options, Circumstances::drawn(1.0))?;
        *chosen.entry(decided.choice.ranked[0]).or_default() += 1;
    }
    let most = chosen.into_iter().max_by_key(|(_, count)| *count);
    let (position, _) = most.ok_or_else(|| Failure::bad_input("the log is empty"))?;
    Ok(router.candidates()[position].clone())
}

async fn ran(
    router_dir: &Path,
    router: &Router,
    requests: &[&Request],
    favourite: &str,
) -> Result<Ran, Failure> {
    let upstream = Upstream::start().await?;
    upstream.set(DYING, Behaviour::Ok.into());
    let instance = |scenario: &str| {
        let address = upstream.base_url(scenario).parse();
        address.map(UpstreamConfig::new).map_err(|e| Failure::Failed(anyhow::Error::new(e)))
    };
    let mut gateway = GatewayConfig::new();
    gateway.upstreams.insert(DYING.to_owned(), instance(&format!("@{DYING}"))?);
    let others = router.candidates().iter().filter(|name| *name != favourite);
    let others = others.map(|name| (name.clone(), name.clone())).collect();
    let steady = UpstreamConfig { models: Some(others), ..instance("ok")? };
    gateway.upstreams.insert("steady".to_owned(), steady);
    let mut config = ServeConfig::new(router_dir);
    config.listen.set_port(0);
    config.prices = Some(prices());
    config.gateway = Some(gateway);

    let server = Server::bind(&config, Clock::system()).await?;
    let url = format!("http://{}/v1/chat/completions", server.address());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut serving = JoinSet::new();
    serving.spawn(server.run(async { stopped.await.unwrap_or_default() }));

    let client = Client::builder().no_proxy().build().map_err(failed)?;
    let mut ran = Ran::default();
    let progress = term::steps(requests.len());
    for (position, request) in requests.iter().enumerate() {
        let is_dead = position >= requests.len() / 2;
        if position == requests.len() / 2 {
            let dead: Result<Scenario, _> = "error,status=503".parse();
            upstream.set(DYING, dead.map_err(failed)?);
        }
        ran.add(&ask(&client, &url, request).await?, is_dead, router);
        progress.inc(1);
    }
    progress.finish_and_clear();
    // It has stopped by itself where nobody listens.
    stop.send(()).unwrap_or_default();
    while let Some(ended) = serving.join_next().await {
        ended.map_err(failed)??;
    }
    Ok(ran)
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::Failed(anyhow::Error::new(error))
}

/// An answer as far as it is told of here.
#[derive(Debug)]
struct Answer {
    /// `None`: nobody answered.
    model: Option<String>,
    attempts: u64,
    fallbacks: u64,
    usd: f64,
    usage: Usage,
}

async fn ask(client: &Client, url: &str, request: &Request) -> Result<Answer, Failure> {
    let messages = request.messages().iter().map(|message| {
        let role = match message.role {
            Role::System => "system",
            Role::Assistant => "assistant",
            // A tool's answer stands for itself here.
            Role::User | Role::Tool => "user",
        };
        json!({"role": role, "content": message.text})
    });
    let farthing = json!({"context": request.context});
    let messages: Vec<_> = messages.collect();
    let body = json!({"model": "auto", "messages": messages, "farthing": farthing});
    let sent = client.post(url).header(CONTENT_TYPE, "application/json").body(body.to_string());
    let answer = sent.send().await.map_err(failed)?;
    let header = |name: &str| answer.headers().get(name)?.to_str().ok().map(str::to_owned);
    let number = |name: &str| header(name).and_then(|text| text.parse().ok());
    let model = header("x-farthing-model").filter(|_| answer.status().is_success());
    let (attempts, fallbacks) = (number("x-farthing-attempts"), number("x-farthing-fallbacks"));
    let usd = header("x-farthing-cost-usd").and_then(|text| text.parse().ok());
    let (attempts, fallbacks) = (attempts.unwrap_or(0), fallbacks.unwrap_or(0));
    let body: Value = serde_json::from_slice(&answer.bytes().await.map_err(failed)?)?;
    let usage = Usage {
        input_tokens: body["usage"]["prompt_tokens"].as_u64(),
        output_tokens: body["usage"]["completion_tokens"].as_u64(),
        ..Usage::default()
    };
    Ok(Answer { model, attempts, fallbacks, usd: usd.unwrap_or(0.0), usage })
}

impl Ran {
    fn add(&mut self, answer: &Answer, is_dead: bool, router: &Router) {
        let Some(model) = &answer.model else {
            self.failed += 1;
            return;
        };
        let served = self.served.entry(model.clone()).or_default();
        served.answers[usize::from(is_dead)] += 1;
        served.for_others += u64::from(answer.fallbacks > 0);
        served.usd += answer.usd;
        self.retried += u64::from(answer.attempts > 1);
        let reference = &router.candidates()[router.reference()];
        let price = router.prices().get(reference);
        let usd = price.and_then(|price| price.settle(&answer.usage));
        self.reference_usd += usd.unwrap_or(f64::NAN);
    }
}

fn explain(ran: &Ran, router: &Router, favourite: &str) -> String {
    let rows = ran.served.iter().map(|(model, served)| {
        let Served { answers, for_others, usd } = served;
        let usd = format!("{:.4}", 1000.0 * usd / answers.iter().sum::<u64>() as f64);
        let [before, after] = answers.map(|count| count.to_string());
        [model.clone(), before, after, for_others.to_string(), usd]
    });
    let header = ["answered by", "first half", "second half", "in another's place", "USD/1k"];
    let table = term::table(header, rows.collect());
    let spent: f64 = ran.served.values().map(|served| served.usd).sum();
    let answers: u64 = ran.served.values().flat_map(|served| served.answers).sum();
    let reference = &router.candidates()[router.reference()];
    let saved = if ran.reference_usd > 0.0 {
        let share = 100.0 * (1.0 - spent / ran.reference_usd);
        format!("{share:.0} % less than `{reference}` for the same tokens")
    } else {
        format!("`{reference}` has no price to compare with")
    };
    format!(
        "{table}\n{answers} answers, {} failed. Half-way one of two instances died, the only one of \
         `{favourite}`: {} answers took another attempt, then it was left alone.\nSpent {spent:.6} USD \
         on the echoes of a simulated upstream: {saved}.\n",
        ran.failed, ran.retried,
    )
}
