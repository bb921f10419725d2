//! CSV: a line a model.

use std::collections::BTreeMap;
use std::path::Path;

use farthing_core::{Price, PriceTable};

use super::{CACHE_WRITE, CACHED, INPUT, OUTPUT};
use crate::DataError;
use crate::columns::{Required, Wanted};
use crate::table::{Row, scan_csv};
use crate::value::Value;

const MODEL: &str = "model";

/// Reads `model,usd_per_1m_input,usd_per_1m_output`, and maybe `usd_per_1m_cached_input`
/// and `usd_per_1m_cache_write`; other columns are ignored.
pub(super) fn read(path: &Path) -> Result<PriceTable, DataError> {
    let hint = "a price table has `model`, `usd_per_1m_input` and `usd_per_1m_output`";
    let wanted = Wanted {
        names: [MODEL, INPUT, OUTPUT, CACHED, CACHE_WRITE].map(str::to_owned).into(),
        required: [MODEL, INPUT, OUTPUT]
            .map(|name| Required { any_of: vec![name.to_owned()], hint })
            .into(),
    };
    let mut prices = BTreeMap::new();
    scan_csv(path, &wanted, &mut |row| {
        let (model, price) = parse(path, &row)?;
        match prices.insert(model.clone(), price) {
            None => Ok(()),
            Some(_) => Err(mistake(path, row.line, format!("`{model}` has a price already"))),
        }
    })?;
    // Every value is checked above, where its line is known.
    PriceTable::try_from(prices).map_err(|error| mistake(path, 0, error.to_string()))
}

fn parse(path: &Path, row: &Row<'_>) -> Result<(String, Price), DataError> {
    let values = row.values.as_ref().map_err(|e| mistake(path, row.line, e.to_string()))?;
    let model = values[0].name(MODEL).map_err(|e| mistake(path, row.line, e.to_string()))?;
    let model = model.ok_or_else(|| mistake(path, row.line, "no `model`".to_owned()))?;
    let usd = |column: &str, value: &Value<'_>| {
        usd(value).map_err(|value| DataError::Price {
            path: path.to_owned(),
            line: row.line,
            column: column.to_owned(),
            value,
        })
    };
    let maybe = |column: &str, value: &Value<'_>| {
        if value.is_missing() { Ok(None) } else { usd(column, value).map(Some) }
    };
    let price = Price {
        usd_per_1m_input: usd(INPUT, &values[1])?,
        usd_per_1m_output: usd(OUTPUT, &values[2])?,
        usd_per_1m_cached_input: maybe(CACHED, &values[3])?,
        usd_per_1m_cache_write: maybe(CACHE_WRITE, &values[4])?,
    };
    Ok((model, price))
}

/// A number of at least 0, or the text that is none.
fn usd(value: &Value<'_>) -> Result<f64, String> {
    match value.number("") {
        Ok(Some(usd)) if usd.is_finite() && usd >= 0.0 => Ok(usd),
        _ => Err(value.name("").ok().flatten().unwrap_or_default()),
    }
}

fn mistake(path: &Path, line: u64, what: String) -> DataError {
    DataError::PriceModel { path: path.to_owned(), line, what }
}
