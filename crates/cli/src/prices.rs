//! Price tables beside a router: `--prices` needs no retraining, and says what it leaves open.

use std::collections::BTreeMap;
use std::path::Path;

use farthing_core::PriceTable;
use farthing_data::read_prices;
use farthing_model::{PolicySpec, Router};

use crate::failure::Failure;
use crate::term;

/// The router of a directory, at the prices of a file instead of its own where one is given.
pub(crate) fn load_router(dir: &Path, prices: Option<&Path>) -> Result<Router, Failure> {
    let router = Router::load(dir)?;
    let Some(path) = prices else { return Ok(router) };
    let prices = read_prices(path)?;
    let router = router.with_prices(&prices);
    say_prices(&prices, &router);
    Ok(router)
}

/// Warns of what is odd about a router at the prices of a table.
pub(crate) fn say_prices(prices: &PriceTable, router: &Router) {
    say_unnamed(prices, router.candidates());
    say_repriced(router);
}

/// Warns of a table that is for other models, or calls these by other names.
pub(crate) fn say_unnamed(prices: &PriceTable, candidates: &[String]) {
    if candidates.iter().any(|model| prices.get(model).is_some()) {
        return;
    }
    let hint = match candidates.iter().find_map(|model| Some((model, namesake(prices, model)?))) {
        Some((model, other)) => format!("it has `{other}`, here that is `{model}`"),
        None if prices.is_empty() => "it prices nothing by the token".to_owned(),
        None => format!("it has {}", some(prices.iter().map(|(model, _)| model))),
    };
    term::say(&format!(
        "  warning: the price table names none of the candidates, {}; hint: names must be equal, {hint}",
        some(candidates.iter().map(String::as_str)),
    ));
}

/// A name of the table that differs in what stands before the last slash only, as in LiteLLM's table.
fn namesake<'a>(prices: &'a PriceTable, model: &str) -> Option<&'a str> {
    let bare = |name: &str| name.rsplit('/').next().unwrap_or_default().to_lowercase();
    prices.iter().map(|(name, _)| name).find(|name| bare(name) == bare(model))
}

/// The first few names.
fn some<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let more = if names.len() > SHOWN { ", ..." } else { "" };
    format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
}

/// Says what other prices cannot change.
fn say_repriced(router: &Router) {
    let manifest = router.manifest();
    let mut unpriced: BTreeMap<[&str; 2], Vec<String>> = BTreeMap::new();
    for card in &manifest.candidates {
        let cause = match (router.prices().get(&card.model), card.cost.tokens) {
            (Some(_), Some(_)) => continue,
            (Some(_), None) => "no tokens were logged of",
            (None, _) => "the table has no price for",
        };
        let cost = match card.cost.mean_cost_usd {
            Some(_) => "predicted from the costs of the training log",
            None => "unknown",
        };
        unpriced.entry([cause, cost]).or_default().push(format!("`{}`", card.model));
    }
    for ([cause, cost], models) in unpriced {
        let models = models.join(", ");
        term::say(&format!("  warning: {cause} {models}; cost is {cost}"));
    }
    let ignores_cost =
        |policy: &PolicySpec| matches!(policy, PolicySpec::BestQuality | PolicySpec::Fixed { .. });
    if manifest.policies.values().all(ignores_cost) {
        term::say(
            "  warning: the router was trained without costs, so none of its policies compares them; \
             hint: train it with `--prices`",
        );
    }
    if manifest.bars.iter().any(|bar| bar.certificate.is_some()) {
        term::say(
            "  certificates were computed at the prices of training and say nothing of these",
        );
    }
}
