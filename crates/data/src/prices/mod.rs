//! Price tables: Farthing's own as CSV, TOML or the `prices.json` of a router directory, and
//! LiteLLM's JSON. What a file does not say stays unknown; nothing here makes up a price of 0.

mod csv;
mod entries;
mod litellm;
mod own;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::path::Path;

use farthing_core::{Price, PriceTable};

use crate::DataError;
use entries::{Entry, Problem};

const INPUT: &str = "usd_per_1m_input";
const OUTPUT: &str = "usd_per_1m_output";
const CACHED: &str = "usd_per_1m_cached_input";
const CACHE_WRITE: &str = "usd_per_1m_cache_write";

/// Reads a price table, by extension: `.csv` (`model,usd_per_1m_input,usd_per_1m_output` and maybe
/// `usd_per_1m_cached_input` and `usd_per_1m_cache_write`; other columns are ignored), `.toml` (a table a model, with those keys)
/// or `.json` (an object a model, with those keys or LiteLLM's). A mistake stops it: a price table is
/// short or generated, and a wrong one is expensive.
pub fn read_prices(path: &Path) -> Result<PriceTable, DataError> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "csv" => csv::read(path),
        "json" => table(path, entries::from_json(path)?, |entry| {
            if own::is_own(entry) { own::price(entry).map(Some) } else { litellm::price(entry) }
        }),
        "toml" => table(path, entries::from_toml(path)?, |entry| own::price(entry).map(Some)),
        _ => Err(DataError::PriceFormat { path: path.to_owned() }),
    }
}

/// The table of the entries that have a price. Of two entries for one model neither is better, but
/// where both are unpriced there is nothing to choose.
fn table(
    path: &Path,
    entries: Vec<(String, Entry)>,
    price: impl Fn(&Entry) -> Result<Option<Price>, Problem>,
) -> Result<PriceTable, DataError> {
    let refuse = |model: &str, what: String| DataError::PriceEntry {
        path: path.to_owned(),
        model: model.to_owned(),
        what,
    };
    let mut prices: BTreeMap<String, Option<Price>> = BTreeMap::new();
    for (model, entry) in entries {
        if litellm::NOT_MODELS.contains(&model.as_str()) {
            continue;
        }
        let price = price(&entry).map_err(|problem| refuse(&model, problem.0))?;
        match prices.entry(model) {
            Slot::Vacant(slot) => {
                slot.insert(price);
            }
            Slot::Occupied(slot) if slot.get().is_some() || price.is_some() => {
                let what = "it stands twice in the file; hint: keep the entry that holds";
                return Err(refuse(slot.key(), what.to_owned()));
            }
            Slot::Occupied(_) => {}
        }
    }
    let priced: BTreeMap<String, Price> =
        prices.into_iter().filter_map(|(model, price)| Some((model, price?))).collect();
    PriceTable::try_from(priced)
        .map_err(|e| refuse(&e.model, format!("`{}` is not a price: {}", e.field, e.value)))
}

#[cfg(test)]
mod tests;
