//! Foreign tables into an outcome log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use farthing_core::log::{OutcomeRow, column};

use crate::columns::{MAX_OTHER, Required, Wanted};
use crate::convert::{self, Layout};
use crate::recipe::mapping;
use crate::table::{Row, columns, scan};
use crate::value::{Reason, Value};
use crate::wide::{self, WideModel};
use crate::{DataError, LogWriter, Recipe, Rejects};

/// What to import.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Parquet, NDJSON or CSV files.
    pub inputs: Vec<PathBuf>,
    /// The log to write; its extension is its format.
    pub output: PathBuf,
    /// How the columns map.
    pub recipe: Recipe,
}

/// What an import did: everything that a command says about it on stderr.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows in the files, rejected ones included.
    pub rows: u64,
    /// Rows of the log.
    pub written: u64,
    /// Rows (of a wide table: a model's cells) that went to the rejects.
    pub rejected: u64,
    /// Rows written without a score.
    pub not_judged: u64,
    /// Models' cells of a wide table that are empty: the model did not answer.
    pub empty_cells: u64,
    /// Rows of the log by candidate.
    pub models: BTreeMap<String, u64>,
    /// Columns that were not carried over (the first hundred of a file).
    pub ignored_columns: BTreeSet<String>,
}

/// Writes one outcome log from foreign tables. `progress` is called now and then with the number of
/// rows read so far. Without a single usable row, no log is written.
pub fn import(
    options: &ImportOptions,
    rejects: &mut Rejects,
    progress: &dyn Fn(u64),
) -> Result<ImportReport, DataError> {
    if options.inputs.contains(&options.output) {
        let what = format!("`{}` is input and output", options.output.display());
        return Err(mapping(what));
    }
    let recipe = &options.recipe;
    let mut extra: Vec<String> = recipe.keep.clone();
    extra.extend(recipe.map.keys().cloned());
    extra.retain(|name| !column::ALL.contains(&name.as_str()));
    let mut importing = Importing {
        writer: LogWriter::create(&options.output, &extra)?,
        report: ImportReport::default(),
        rejects,
        progress,
    };
    for path in &options.inputs {
        let columns = columns(path)?;
        let plan = Plan::of(recipe, &columns)?;
        importing.note_ignored(&columns, &plan);
        scan(path, &plan.wanted, &mut |row| importing.row(path, &plan, row))?;
    }
    importing.finish(options)
}

/// How the rows of one file are read.
struct Plan {
    wanted: Wanted,
    layout: Layout,
    /// The models of a wide table; `None`: the table is long.
    wide: Option<Vec<WideModel>>,
}

impl Plan {
    fn of(recipe: &Recipe, columns: &[String]) -> Result<Self, DataError> {
        check_scale(recipe)?;
        let mut wanted = Wanted::default();
        let sources = recipe.map.values().chain(&recipe.keep);
        wanted.required = sources.map(|source| Required::named(source)).collect();
        let mut layout = Layout::of(|target| {
            source_of(recipe, target, columns).map(|source| wanted.slot(&source))
        });
        layout.outcome.score_scale = recipe.score_scale;
        let kept = recipe.keep.iter().map(|name| (name, name));
        let extra: BTreeMap<&String, &String> = kept.chain(&recipe.map).collect();
        for (target, source) in extra {
            if !column::ALL.contains(&target.as_str()) {
                layout.extra.push((target.clone(), wanted.slot(source)));
            }
        }
        let wide = match &recipe.wide {
            None => {
                require_columns(recipe, &mut wanted);
                None
            }
            Some(patterns) => {
                let used: Vec<String> = recipe.map.values().chain(&recipe.keep).cloned().collect();
                let mut models = wide::models(patterns, columns, &used, &mut wanted)?;
                for model in &mut models {
                    model.outcome.score_scale = recipe.score_scale;
                }
                Some(models)
            }
        };
        Ok(Self { wanted, layout, wide })
    }
}

/// A table without these columns has no usable row, and the mapping is where to say so.
fn require_columns(recipe: &Recipe, wanted: &mut Wanted) {
    if !recipe.map.contains_key(column::MODEL) {
        wanted.required.push(Required {
            any_of: vec![column::MODEL.to_owned()],
            hint: "say which column it is with `--map model=COLUMN`",
        });
    }
    if !recipe.map.contains_key(column::PROMPT) && !recipe.map.contains_key(column::MESSAGES) {
        wanted.required.push(Required {
            any_of: vec![column::PROMPT.to_owned(), column::MESSAGES.to_owned()],
            hint: "say which column it is with `--map prompt=COLUMN`",
        });
    }
}

fn check_scale(recipe: &Recipe) -> Result<(), DataError> {
    match recipe.score_scale {
        Some(scale) if !(scale.is_finite() && scale > 0.0) => {
            Err(mapping(format!("`score_scale` is not a number above 0: {scale}")))
        }
        _ => Ok(()),
    }
}

/// The column that fills `target`: the mapped one, else the one of the same name, unless the other
/// form of the request is mapped.
fn source_of(recipe: &Recipe, target: &str, columns: &[String]) -> Option<String> {
    if let Some(source) = recipe.map.get(target) {
        return Some(source.clone());
    }
    let rival = match target {
        column::PROMPT => Some(column::MESSAGES),
        column::MESSAGES => Some(column::PROMPT),
        _ => None,
    };
    let replaced = rival.is_some_and(|rival| recipe.map.contains_key(rival));
    columns.iter().find(|name| *name == target && !replaced).cloned()
}

/// An import under way.
struct Importing<'i> {
    writer: LogWriter,
    report: ImportReport,
    rejects: &'i mut Rejects,
    progress: &'i dyn Fn(u64),
}

impl Importing<'_> {
    fn row(&mut self, path: &Path, plan: &Plan, row: Row<'_>) -> Result<(), DataError> {
        self.report.rows += 1;
        if self.report.rows.is_multiple_of(8_192) {
            (self.progress)(self.report.rows);
        }
        let values = match row.values {
            Ok(values) => values,
            Err(reason) => return self.reject(path, row.line, &reason),
        };
        match &plan.wide {
            None => match plan.layout.row(values).and_then(checked) {
                Ok(row) => self.write(&row),
                Err(reason) => self.reject(path, row.line, &reason),
            },
            Some(models) => self.wide_row(path, row.line, (plan, models), values),
        }
    }

    /// Writes a row per model; a model's mistake costs that model's row only.
    fn wide_row(
        &mut self,
        path: &Path,
        line: u64,
        (plan, models): (&Plan, &[WideModel]),
        values: &[Value<'_>],
    ) -> Result<(), DataError> {
        let shared = plan.layout.row_of(values, String::new(), farthing_core::Outcome::default());
        let mut row = match shared.and_then(checked) {
            Ok(row) => row,
            Err(reason) => return self.reject(path, line, &reason),
        };
        for model in models {
            if model.is_empty(values) {
                self.report.empty_cells += 1;
                continue;
            }
            match model.outcome.outcome(values) {
                Ok(outcome) => {
                    row.model.clone_from(&model.name);
                    row.outcome = outcome;
                    self.write(&row)?;
                }
                Err(reason) => {
                    let reason = reason.about(&format!("model `{}`", model.name));
                    self.reject(path, line, &reason)?;
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, row: &OutcomeRow) -> Result<(), DataError> {
        self.report.written += 1;
        self.report.not_judged += u64::from(row.outcome.score.is_none());
        match self.report.models.get_mut(&row.model) {
            Some(rows) => *rows += 1,
            None => {
                self.report.models.insert(row.model.clone(), 1);
            }
        }
        self.writer.write(row)
    }

    fn reject(&mut self, path: &Path, line: u64, reason: &Reason) -> Result<(), DataError> {
        self.report.rejected += 1;
        self.rejects.add(path, line, reason)
    }

    fn note_ignored(&mut self, columns: &[String], plan: &Plan) {
        let ignored = columns.iter().filter(|name| !plan.wanted.names.contains(name));
        self.report.ignored_columns.extend(ignored.take(MAX_OTHER).cloned());
    }

    fn finish(self, options: &ImportOptions) -> Result<ImportReport, DataError> {
        self.rejects.flush()?;
        (self.progress)(self.report.rows);
        if self.report.written == 0 {
            return Err(crate::read::no_rows(
                &options.inputs,
                &[],
                self.report.rejected,
                self.rejects,
            ));
        }
        self.writer.finish()?;
        Ok(self.report)
    }
}

/// The row, once its messages are known to be chat messages.
fn checked(row: OutcomeRow) -> Result<OutcomeRow, Reason> {
    convert::request(&row.asked).map(|_| row)
}
