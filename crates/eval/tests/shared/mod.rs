//! Public outcome data that may lie beside the repository, in `../shared/data`.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use farthing_core::Digest;
use farthing_data::{ImportOptions, ReadOptions, Recipe, Rejects, import, read_log};
use farthing_eval::metrics::Matrix;
use regex::Regex;

/// A log with its texts.
pub(crate) struct Table {
    pub(crate) candidates: Vec<String>,
    pub(crate) requests: Vec<Asked>,
}

/// One request; scores and costs are `(candidates)`.
pub(crate) struct Asked {
    pub(crate) prompt: String,
    pub(crate) task: String,
    pub(crate) score: Vec<Option<f64>>,
    pub(crate) cost: Vec<Option<f64>>,
}

/// Requests that every candidate answered; matrices are `(requests, candidates)`.
pub(crate) struct Split {
    pub(crate) tasks: Vec<String>,
    pub(crate) score: Matrix,
    pub(crate) cost: Matrix,
}

/// Imports a table by its recipe. `None`, and a line on stderr, where the data are absent.
pub(crate) fn read(name: &str) -> Option<Table> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = data.join(format!("{name}.parquet"));
    if !path.exists() {
        say_left_out(name, &path);
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("log.parquet");
    let recipe = Recipe::load(name).unwrap();
    let mut rejects = Rejects::count_only();
    let options = ImportOptions { inputs: vec![path], output: output.clone(), recipe };
    import(&options, &mut rejects, &|_| ()).unwrap();
    Some(load(output, &mut rejects))
}

#[expect(clippy::print_stderr, reason = "a test that checks nothing must say so")]
fn say_left_out(name: &str, path: &Path) {
    eprintln!("left out: `{name}`, because `{}` does not exist", path.display());
}

fn load(log: PathBuf, rejects: &mut Rejects) -> Table {
    let options = ReadOptions { labels: vec!["dataset".to_owned()], ..ReadOptions::default() };
    let (dataset, _) = read_log(&[log], &options, rejects, &|_| ()).unwrap();
    let candidates = dataset.candidates.len();
    let asked = dataset.records.into_iter().map(|record| {
        let mut asked = Asked {
            prompt: record.request.full_text(),
            task: record.labels[0].clone().unwrap_or_default(),
            score: vec![None; candidates],
            cost: vec![None; candidates],
        };
        for cell in record.cells {
            asked.score[cell.candidate] = cell.score;
            asked.cost[cell.candidate] = cell.cost_usd;
        }
        asked
    });
    Table { requests: asked.collect(), candidates: dataset.candidates }
}

impl Table {
    /// The split of the reference figures: candidates with score and cost on at least 97 % of the
    /// requests, requests that all of them answered, a fifth of the hashed texts as test.
    pub(crate) fn reference_split(&self, without: &[&str]) -> (Split, Split) {
        let n = self.requests.len();
        let answered =
            |request: &Asked, c: usize| request.score[c].is_some() && request.cost[c].is_some();
        let covered = |&c: &usize| {
            let count = self.requests.iter().filter(|request| answered(request, c)).count();
            count as f64 >= 0.97 * n as f64 && !without.contains(&self.candidates[c].as_str())
        };
        let kept: Vec<usize> = (0..self.candidates.len()).filter(covered).collect();
        let complete = self.requests.iter().filter(|r| kept.iter().all(|&c| answered(r, c)));
        let (test, train): (Vec<&Asked>, Vec<&Asked>) =
            complete.partition(|request| reference_key(&request.prompt) < 2);
        (Split::of(&train, &kept), Split::of(&test, &kept))
    }
}

impl Split {
    fn of(requests: &[&Asked], candidates: &[usize]) -> Self {
        let matrix = |values: fn(&Asked) -> &[Option<f64>]| {
            let cells = requests.iter().flat_map(|request| {
                candidates.iter().map(|&c| values(request)[c].unwrap_or(f64::NAN))
            });
            Matrix::new(candidates.len(), cells.collect())
        };
        Self {
            tasks: requests.iter().map(|request| request.task.clone()).collect(),
            score: matrix(|request| &request.score),
            cost: matrix(|request| &request.cost),
        }
    }

    /// What knowing the task alone predicts for `test`: this split's mean score by task.
    pub(crate) fn task_means(&self, test: &Self) -> Matrix {
        let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (row, task) in self.tasks.iter().enumerate() {
            rows.entry(task).or_default().push(row);
        }
        let means: BTreeMap<&str, Vec<f64>> = rows
            .into_iter()
            .map(|(task, rows)| (task, self.score.reorder(&rows).column_means()))
            .collect();
        let overall = self.score.column_means();
        let predicted = test
            .tasks
            .iter()
            .flat_map(|task| means.get(task.as_str()).unwrap_or(&overall).iter().copied());
        Matrix::new(self.score.columns(), predicted.collect())
    }
}

/// `int(sha256(re.sub(r"\W+", " ", prompt.lower()))[:8], 16) % 10`, as the figures' split has it.
fn reference_key(prompt: &str) -> u32 {
    static GAPS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[^\p{L}\p{N}_]+").unwrap());
    let text = GAPS.replace_all(&prompt.to_lowercase(), " ").into_owned();
    u32::from_str_radix(&Digest::of(text.as_bytes()).hex()[..8], 16).unwrap() % 10
}
