//! Entries with the columns of the CSV as keys.

use farthing_core::Price;

use super::entries::{Entry, Problem};
use super::{CACHE_WRITE, CACHED, INPUT, OUTPUT};
use crate::columns::closest;

const KEYS: [&str; 4] = [INPUT, OUTPUT, CACHED, CACHE_WRITE];

/// Whether an entry of a JSON file has Farthing's shape: a slip in such a key is then a mistake, not
/// a field to ignore.
pub(super) fn is_own(entry: &Entry) -> bool {
    entry.fields().iter().any(|(key, _)| key.starts_with("usd_per_"))
}

/// The price that an entry states; nothing else may stand in it.
pub(super) fn price(entry: &Entry) -> Result<Price, Problem> {
    if let Entry::Other(found) = entry {
        return Err(Problem(format!(
            "it is not a table of prices: `{found}`; hint: give `{INPUT}` and `{OUTPUT}` under the model's name"
        )));
    }
    for (key, _) in entry.fields() {
        if !KEYS.contains(&key.as_str()) {
            return Err(Problem(format!("unknown key `{key}`; hint: {}", hint(key))));
        }
    }
    let needed = |key: &str| {
        entry.number(key)?.ok_or_else(|| {
            Problem(format!("no `{key}`; hint: leave an unpriced model out, 0 means free"))
        })
    };
    Ok(Price {
        usd_per_1m_input: needed(INPUT)?,
        usd_per_1m_output: needed(OUTPUT)?,
        usd_per_1m_cached_input: entry.number(CACHED)?,
        usd_per_1m_cache_write: entry.number(CACHE_WRITE)?,
    })
}

fn hint(key: &str) -> String {
    match closest(key, &KEYS.map(str::to_owned)) {
        Some(near) => format!("did you mean `{near}`?"),
        // The table `[gpt-4.1]` is a table `1` in a table `gpt-4`.
        None => format!(
            "the keys are `{}`, and a model's name that has a dot stands in quotes",
            KEYS.join("`, `")
        ),
    }
}
