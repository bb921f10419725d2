//! Flags of the commands that read outcome logs, and the reading itself.

use std::path::{Path, PathBuf};

use clap::Args;
use farthing_core::PriceTable;
use farthing_data::{Dataset, ReadOptions, Rejects, SplitFilter, read_log, read_prices};

use crate::failure::Failure;
use crate::term;

/// Which rows of which logs.
#[derive(Debug, Args)]
pub(crate) struct LogInput {
    /// Outcome logs: Parquet, NDJSON or CSV
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<PathBuf>,
    /// Price table: .csv of `model,usd_per_1m_input,usd_per_1m_output[,usd_per_1m_cached_input]`,
    /// .toml with the same keys, or .json as LiteLLM has it; a cost in the log stays as billed
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Only these models
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    models: Option<Vec<String>>,
    /// The column of an official split
    #[arg(long, value_name = "COLUMN", requires = "split_values")]
    split_column: Option<String>,
    /// Values of that column whose rows are read
    #[arg(
        long,
        alias = "train-values",
        value_name = "A,B",
        value_delimiter = ',',
        requires = "split_column"
    )]
    split_values: Vec<String>,
}

impl LogInput {
    /// The file named by `--prices`.
    pub(crate) fn price_file(&self) -> Option<&Path> {
        self.prices.as_deref()
    }

    /// The price table named by `--prices`, or none.
    pub(crate) fn prices(&self) -> Result<Option<PriceTable>, Failure> {
        Ok(self.prices.as_deref().map(read_prices).transpose()?)
    }

    /// Reads the logs, but for the models and rows that the flags leave out, and says on stderr what
    /// came of it.
    pub(crate) fn read(&self, options: ReadOptions, rejects: PathBuf) -> Result<Dataset, Failure> {
        let split = self
            .split_column
            .clone()
            .map(|column| SplitFilter { column, values: self.split_values.clone() });
        let options = ReadOptions { models: self.models.clone(), split, ..options };
        let mut rejects = Rejects::to_file(rejects);
        let bar = term::counter("reading rows");
        let read = read_log(&self.logs, &options, &mut rejects, &|rows| bar.set_position(rows));
        bar.finish_and_clear();
        let (dataset, report) = read.inspect_err(|_| term::say_rejects(&rejects))?;
        term::say_read(&report, &rejects);
        term::say_left_out(&dataset);
        Ok(dataset)
    }
}
