//! Price tables from CSV.

use std::collections::BTreeMap;
use std::path::Path;

use farthing_core::{Price, PriceTable};

use crate::DataError;
use crate::columns::{Required, Wanted};
use crate::table::{Row, scan_csv};
use crate::value::Value;

const MODEL: &str = "model";
const INPUT: &str = "usd_per_1m_input";
const OUTPUT: &str = "usd_per_1m_output";
const CACHED: &str = "usd_per_1m_cached_input";

/// Reads `model,usd_per_1m_input,usd_per_1m_output[,usd_per_1m_cached_input]`; other columns are
/// ignored. A mistake stops it: a price table is short, and a wrong one is expensive.
pub fn read_prices(path: &Path) -> Result<PriceTable, DataError> {
    let hint = "a price table has `model`, `usd_per_1m_input` and `usd_per_1m_output`";
    let wanted = Wanted {
        names: [MODEL, INPUT, OUTPUT, CACHED].map(str::to_owned).into(),
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
    let price = Price {
        usd_per_1m_input: usd(INPUT, &values[1])?,
        usd_per_1m_output: usd(OUTPUT, &values[2])?,
        usd_per_1m_cached_input: match &values[3] {
            value if value.is_missing() => None,
            value => Some(usd(CACHED, value)?),
        },
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<PriceTable, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.csv");
        std::fs::write(&path, text).unwrap();
        read_prices(&path).map_err(|e| e.to_string().replace(&dir.path().display().to_string(), ""))
    }

    #[test]
    fn a_table_with_other_columns() {
        let table =
            check("model,source,usd_per_1m_input,usd_per_1m_output\na,list,1,2.5\nb,,0,0\n");
        let table = table.unwrap();
        assert!((table.get("a").unwrap().usd_per_1m_output - 2.5).abs() < 1e-12);
        assert_eq!(table.iter().count(), 2);
        let header = "model,usd_per_1m_input,usd_per_1m_output,usd_per_1m_cached_input\n";
        let table = check(&format!("{header}a,1,2,0.5\nb,1,2,\n")).unwrap();
        assert_eq!(table.get("a").unwrap().usd_per_1m_cached_input, Some(0.5));
        assert_eq!(table.get("b").unwrap().usd_per_1m_cached_input, None);
    }

    #[test]
    fn mistakes_name_line_and_column() {
        let header = "model,usd_per_1m_input,usd_per_1m_output\n";
        let error = |rows: &str| check(&format!("{header}{rows}")).unwrap_err();
        assert!(error("a,1,2\nb,-1,2\n").starts_with(
            "`/p.csv`, line 3: `usd_per_1m_input` is not a number of at least 0: `-1`; hint: leave"
        ));
        assert!(error("a,1,\n").contains("line 2: `usd_per_1m_output` is not a number"));
        assert!(error("a,NaN,1\n").contains("`NaN`"));
        assert_eq!(error("a,1,1\na,1,1\n"), "`/p.csv`, line 3: `a` has a price already");
        assert!(
            error("a,1\n").contains("line 2: wrong number of fields: 2 where the header has 3")
        );
        let missing = check("model,usd_per_1m_inputs,x\n").unwrap_err();
        assert!(missing.contains("hint: did you mean `usd_per_1m_inputs`?"), "{missing}");
    }
}
