//! Decisions of another router, read from a CSV of `request_id,model`.
//!
//! Unlike a log, such a file is taken whole or not at all: a comparison on part of somebody's decisions
//! is no comparison. Which requests and candidates the names stand for is not decided here.

use std::collections::BTreeMap;
use std::path::Path;

use farthing_core::log::column::{MODEL, REQUEST_ID};

use crate::DataError;
use crate::columns::{Required, Wanted};
use crate::table::{Row, scan_csv};

/// What another router decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions {
    /// The model of each request, by the request's id.
    pub models: BTreeMap<String, String>,
    /// Columns of the file that say nothing here.
    pub ignored_columns: Vec<String>,
}

/// Reads a CSV with the columns `request_id` and `model`; other columns are ignored.
///
/// Refused, with the line: a row without an id or a model, one with more or fewer fields than the
/// header, and one that gives a request another model than before. An exact repetition is none.
pub fn read_decisions(path: &Path) -> Result<Decisions, DataError> {
    let hint = "decisions are a CSV of `request_id,model`";
    let wanted = Wanted {
        names: [REQUEST_ID, MODEL].map(str::to_owned).into(),
        required: [REQUEST_ID, MODEL]
            .map(|name| Required { any_of: vec![name.to_owned()], hint })
            .into(),
    };
    let mut models: BTreeMap<String, String> = BTreeMap::new();
    let columns = scan_csv(path, &wanted, &mut |row| {
        let line = row.line;
        let refuse = |what| DataError::Decision { path: path.to_owned(), line, what };
        let (id, model) = parse(&row).map_err(refuse)?;
        match models.get(&id) {
            Some(before) if *before != model => Err(refuse(format!(
                "request `{id}` has gone to `{before}`, now to `{model}`; hint: one decision a request"
            ))),
            _ => {
                models.insert(id, model);
                Ok(())
            }
        }
    })?;
    if models.is_empty() {
        return Err(DataError::NoDecisions { path: path.to_owned() });
    }
    let ignored_columns = columns.into_iter().filter(|name| !wanted.names.contains(name)).collect();
    Ok(Decisions { models, ignored_columns })
}

/// Id and model of a row, or what is wrong with it.
fn parse(row: &Row<'_>) -> Result<(String, String), String> {
    let values = row.values.as_ref().map_err(ToString::to_string)?;
    let named = |i: usize, column: &str| {
        let name = values[i].name(column).map_err(|reason| reason.to_string())?;
        name.ok_or_else(|| format!("no `{column}`; hint: leave out what was not decided"))
    };
    Ok((named(0, REQUEST_ID)?, named(1, MODEL)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a file of that text; an error without the folder.
    fn read(text: impl AsRef<[u8]>) -> Result<Decisions, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d.csv");
        std::fs::write(&path, text).unwrap();
        read_decisions(&path)
            .map_err(|error| error.to_string().replace(&format!("{}/", dir.path().display()), ""))
    }

    #[test]
    fn two_columns_in_any_order_among_others() {
        let found = read("model,why,request_id\nb,x,7\na,\"y, z\",8\nb,again,7\n").unwrap();
        let expected = [("7", "b"), ("8", "a")].map(|(id, m)| (id.to_owned(), m.to_owned()));
        assert_eq!(found.models, BTreeMap::from(expected));
        assert_eq!(found.ignored_columns, ["why"]);
    }

    #[test]
    fn mistakes_name_line_and_remedy() {
        let error = |rows: &str| read(format!("request_id,model\n{rows}")).unwrap_err();
        assert_eq!(
            error("1,a\n2,b\n1,b\n"),
            "`d.csv`, line 4: request `1` has gone to `a`, now to `b`; hint: one decision a request"
        );
        let none = |column| {
            format!("`d.csv`, line 3: no `{column}`; hint: leave out what was not decided")
        };
        assert_eq!(error("1,a\n2,\n"), none("model"));
        assert_eq!(error("1,a\n,b\n"), none("request_id"));
        assert_eq!(
            error("1,a\n2\n"),
            "`d.csv`, line 3: wrong number of fields: 1 where the header has 2"
        );
        let empty = "`d.csv` holds no decision; hint: decisions are a CSV of `request_id,model`";
        assert_eq!(error(""), empty);
        assert_eq!(read("").unwrap_err(), empty);
        let bad = read(b"request_id,model\n1,caf\xe9\n").unwrap_err();
        assert_eq!(bad, "`d.csv`, line 2: model is not valid UTF-8");
    }

    #[test]
    fn a_missing_column_is_named_with_those_there_are() {
        let missing = read("request_id,models\n1,a\n").unwrap_err();
        assert_eq!(
            missing,
            "no column `model` in `d.csv`, which has `request_id`, `models`; hint: did you mean `models`?"
        );
        let missing = read("id,choice\n1,a\n").unwrap_err();
        assert!(missing.ends_with("hint: decisions are a CSV of `request_id,model`"), "{missing}");
    }
}
