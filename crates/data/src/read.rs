//! Outcome logs into a [`Dataset`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use farthing_core::PriceTable;
use farthing_core::log::{OutcomeRow, column};

use crate::assemble::{Assembler, Columns};
use crate::cap::RequestCap;
use crate::columns::{MAX_OTHER, Required, Wanted};
use crate::convert::Layout;
use crate::table::{Row, scan};
use crate::{DataError, Dataset, Rejects};

/// What to read from a log.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Columns that become context.
    pub context: Vec<String>,
    /// Columns that become labels.
    pub labels: Vec<String>,
    /// Columns that become labels where the log has them.
    pub labels_if_there: Vec<String>,
    /// Only these candidates; `None`: all.
    pub models: Option<Vec<String>>,
    /// Only the rows of these splits; `None`: all.
    pub split: Option<SplitFilter>,
    /// Fills `cost_usd` from tokens where it is null.
    pub prices: Option<PriceTable>,
    /// A column whose equal values belong together in every split; see [`Record::group`](crate::Record).
    pub group: Option<String>,
    /// At most so many requests, chosen by group; `None`: all.
    pub cap: Option<RequestCap>,
}

impl ReadOptions {
    /// The label columns, wanted and welcome ones.
    fn every_label(&self) -> Vec<String> {
        let welcome = self.labels_if_there.iter().filter(|name| !self.labels.contains(name));
        self.labels.iter().chain(welcome).cloned().collect()
    }
}

/// Keeps the rows whose `column` holds one of `values`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitFilter {
    /// Any column; usually `split`.
    pub column: String,
    /// The values to keep.
    pub values: Vec<String>,
}

/// What a read found: everything that a command says about it on stderr.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadReport {
    /// Rows in the files, rejected ones included.
    pub rows: u64,
    /// Rows that went to the rejects.
    pub rejected: u64,
    /// Good rows left out because their split was not asked for.
    pub filtered_by_split: u64,
    /// Good rows left out because their model was not asked for, by model.
    pub left_out_models: BTreeMap<String, u64>,
    /// Models that were asked for and have no usable row.
    pub absent_models: Vec<String>,
    /// Usable rows without a score.
    pub not_judged: u64,
    /// Usable rows whose cost was computed from tokens and prices.
    pub priced: u64,
    /// (request, model) pairs with several rows, which were averaged.
    pub repeated_pairs: u64,
    /// Rows in those pairs.
    pub repeated_rows: u64,
    /// Those pairs whose scores are not all equal.
    pub disagreeing_pairs: u64,
    /// Request ids that name several different prompts, which were kept apart.
    pub ambiguous_ids: u64,
    /// Requests whose rows do not agree on a label; the smallest value was taken.
    pub disagreeing_labels: u64,
    /// Columns that are neither in the schema nor asked for (of an NDJSON file the first hundred).
    pub ignored_columns: BTreeSet<String>,
}

/// Reads outcome logs (Parquet, NDJSON or CSV, by extension) as one. `progress` is called now and
/// then with the number of rows read so far.
pub fn read_log(
    paths: &[PathBuf],
    options: &ReadOptions,
    rejects: &mut Rejects,
    progress: &dyn Fn(u64),
) -> Result<(Dataset, ReadReport), DataError> {
    let (wanted, layout) = plan(options);
    let mut reading = Reading {
        options,
        layout,
        assembler: Assembler::new(columns_of(options), options.cap),
        report: ReadReport::default(),
        rejects,
        progress,
    };
    for path in paths {
        let columns = scan(path, &wanted, &mut |row| reading.row(path, row))?;
        reading.note_ignored(columns, &wanted);
    }
    reading.finish(paths)
}

fn columns_of(options: &ReadOptions) -> Columns {
    Columns {
        context: options.context.clone(),
        labels: options.every_label(),
        group: options.group.clone(),
    }
}

/// Which columns to extract and where their values go. What only the server's own log has
/// (decision, router, policy) is not read.
fn plan(options: &ReadOptions) -> (Wanted, Layout) {
    const UNREAD: [&str; 3] = [column::DECISION_ID, column::ROUTER, column::POLICY];
    let mut wanted = Wanted::default();
    let mut layout = Layout::of(|name| (!UNREAD.contains(&name)).then(|| wanted.slot(name)));
    let split = options.split.iter().map(|filter| &filter.column);
    let asked = options.context.iter().chain(&options.labels).chain(&options.group);
    let named: BTreeSet<&String> = asked.chain(split).collect();
    for name in &named {
        layout.extra.push(((*name).clone(), wanted.slot(name)));
        wanted.required.push(Required::named(name));
    }
    for name in options.labels_if_there.iter().filter(|name| !named.contains(name)) {
        layout.extra.push((name.clone(), wanted.slot(name)));
    }
    wanted.required.push(Required {
        any_of: vec![column::MODEL.to_owned()],
        hint: "`farthing import --map model=COLUMN` makes an outcome log of it",
    });
    wanted.required.push(Required {
        any_of: vec![column::PROMPT.to_owned(), column::MESSAGES.to_owned()],
        hint: "`farthing import --map prompt=COLUMN` makes an outcome log of it",
    });
    (wanted, layout)
}

/// A read under way.
struct Reading<'r> {
    options: &'r ReadOptions,
    layout: Layout,
    assembler: Assembler,
    report: ReadReport,
    rejects: &'r mut Rejects,
    progress: &'r dyn Fn(u64),
}

impl Reading<'_> {
    fn row(&mut self, path: &Path, row: Row<'_>) -> Result<(), DataError> {
        self.report.rows += 1;
        if self.report.rows.is_multiple_of(8_192) {
            (self.progress)(self.report.rows);
        }
        let checked = row.values.and_then(|values| self.layout.row(values));
        let taken = checked.and_then(|checked| match self.select(checked) {
            Some(selected) => self.assembler.add(&selected),
            None => Ok(()),
        });
        match taken {
            Ok(()) => Ok(()),
            Err(reason) => {
                self.report.rejected += 1;
                self.rejects.add(path, row.line, &reason)
            }
        }
    }

    /// The row, priced, unless it is of a split or model that was not asked for.
    fn select(&mut self, mut row: OutcomeRow) -> Option<OutcomeRow> {
        if let Some(filter) = &self.options.split
            && !row.extra.get(&filter.column).is_some_and(|value| filter.values.contains(value))
        {
            self.report.filtered_by_split += 1;
            return None;
        }
        if self.options.models.as_ref().is_some_and(|models| !models.contains(&row.model)) {
            *self.report.left_out_models.entry(row.model).or_default() += 1;
            return None;
        }
        self.price(&mut row);
        self.report.not_judged += u64::from(row.outcome.score.is_none());
        Some(row)
    }

    fn price(&mut self, row: &mut OutcomeRow) {
        let outcome = &mut row.outcome;
        let price = self.options.prices.as_ref().and_then(|prices| prices.get(&row.model));
        if let (Some(price), None, Some(input), Some(output)) =
            (price, outcome.cost_usd, outcome.input_tokens, outcome.output_tokens)
        {
            let cached = outcome.cached_input_tokens.unwrap_or(0);
            outcome.cost_usd = Some(price.cost_usd(input as f64, cached as f64, output as f64));
            self.report.priced += 1;
        }
    }

    fn note_ignored(&mut self, columns: Vec<String>, wanted: &Wanted) {
        let ignored = columns
            .into_iter()
            .filter(|name| !wanted.names.contains(name) && !column::ALL.contains(&name.as_str()))
            .take(MAX_OTHER);
        self.report.ignored_columns.extend(ignored);
    }

    fn finish(self, paths: &[PathBuf]) -> Result<(Dataset, ReadReport), DataError> {
        self.rejects.flush()?;
        (self.progress)(self.report.rows);
        let (dataset, noticed) = self.assembler.finish();
        let mut report = self.report;
        if dataset.records.is_empty() {
            let mut why = report.left_out();
            why.extend(dataset.left_out.map(|left_out| left_out.whole_log()));
            return Err(no_rows(paths, &why, report.rejected, self.rejects));
        }
        report.repeated_pairs = noticed.repeated_pairs;
        report.repeated_rows = noticed.repeated_rows;
        report.disagreeing_pairs = noticed.disagreeing_pairs;
        report.ambiguous_ids = noticed.ambiguous_ids;
        report.disagreeing_labels = noticed.disagreeing_labels;
        let asked = self.options.models.iter().flatten();
        report.absent_models =
            asked.filter(|model| !dataset.candidates.contains(model)).cloned().collect();
        Ok((dataset, report))
    }
}

/// Says what became of the rows of these files: `rejected` of them, and others as in `left_out`.
pub(crate) fn no_rows(
    paths: &[PathBuf],
    left_out: &[String],
    rejected: u64,
    rejects: &Rejects,
) -> DataError {
    let mut why = left_out.to_vec();
    if rejected > 0 {
        why.insert(0, format!("{rejected} rejected: {}", rejects.summary()));
    }
    if why.is_empty() {
        why.push("they hold no rows".to_owned());
    }
    if let Some(path) = rejects.path() {
        why.push(format!("hint: `{}` says where and why", path.display()));
    }
    let files: Vec<_> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
    DataError::NoRows { files: files.join(", "), why: why.join("; ") }
}

impl ReadReport {
    /// Which good rows were not used, in words.
    fn left_out(&self) -> Vec<String> {
        let mut left_out = Vec::new();
        if self.filtered_by_split > 0 {
            left_out.push(format!("{} of other splits", self.filtered_by_split));
        }
        let rows: u64 = self.left_out_models.values().sum();
        if rows > 0 {
            let models: Vec<_> = self.left_out_models.keys().take(10).map(String::as_str).collect();
            left_out.push(format!("{rows} of models left out ({})", models.join(", ")));
        }
        left_out
    }
}
