//! The baselines that learn, from the requests that the router learned from.

use std::collections::BTreeMap;

use farthing_data::{Dataset, Record};
use farthing_model::Router;
use rayon::prelude::*;

use super::clusters::Clusters;
use super::nearest::Nearest;
use super::words::{Terms, Words};
use super::{BaselineKind, Contender, Fitting, Source};
use crate::columns::Column;
use crate::metrics::{Arena, Choices, Matrix, best_column, oracle_choices};
use crate::rows::logged;

/// Fewer requests than this teach nothing.
const LEAST_REQUESTS: usize = 200;
/// Neighbours of a request, as in published comparisons.
const NEIGHBOURS: usize = 40;
/// Clusters, as Avengers-Pro has them by default.
const CLUSTERS: usize = 32;

/// Requests to fit on, with what is known of their answers; `(requests, candidates)`, NaN where
/// unknown.
pub(crate) struct Fit<'a> {
    dataset: &'a Dataset,
    records: Vec<&'a Record>,
    score: Matrix,
    cost: Matrix,
    mean_score: Vec<f64>,
    mean_cost: Vec<f64>,
}

impl<'a> Fit<'a> {
    /// `records` are those that the router was fitted or certified on.
    pub(crate) fn new(router: &Router, dataset: &'a Dataset, records: Vec<&'a Record>) -> Self {
        let score = logged(router, dataset, &records, |cell| cell.score);
        let cost = logged(router, dataset, &records, |cell| cell.cost_usd);
        let (mean_score, mean_cost) = (known_means(&score), known_means(&cost));
        Self { dataset, records, score, cost, mean_score, mean_cost }
    }

    /// Why nothing can be fitted for these candidates, given by position.
    fn withheld(&self, candidates: &[usize], names: &[String]) -> Option<String> {
        let requests = self.records.len();
        if requests < LEAST_REQUESTS {
            return Some(format!(
                "it needs {LEAST_REQUESTS} requests of the log that the router was fitted or certified on, and there are {requests}; hint: evaluate on the whole log that it was trained on, of which a part was sealed"
            ));
        }
        let unknown = |&&c: &&usize| self.mean_score[c].is_nan() || self.mean_cost[c].is_nan();
        candidates
            .iter()
            .find(unknown)
            .map(|&c| format!("those requests have no score or no cost of `{}`", names[c]))
    }
}

/// Baselines fitted on `fit`, for the requests of the arena, which are positions in `records`.
/// `names` are those of the router's candidates; `bar` says which answers were good enough.
pub(crate) fn learned(
    arena: &Arena,
    (fit, records): (&Fit<'_>, &[&Record]),
    names: &[String],
    bar: f64,
) -> (Vec<Contender>, Fitting) {
    let requests = fit.records.len() as u64;
    let withheld = fit.withheld(arena.candidates(), names);
    if withheld.is_some() {
        return (Vec::new(), Fitting { requests, withheld });
    }
    let dial = |name: String, quality: &(dyn Fn(usize, usize) -> f64 + Sync)| Contender {
        name,
        kind: BaselineKind::Dial,
        source: Source::Sweep(arena.sweep(quality, |_, c| fit.mean_cost[c])),
    };
    let mut contenders = Vec::new();
    for column in Column::all(fit.dataset) {
        let means = TaskMeans::new(fit, &column);
        let quality = |row: usize, c: usize| means.of(records[row], &column, c, fit);
        contenders.push(dial(format!("known {}, its means", column.name()), &quality));
    }
    let words = Words::new(&fit.records);
    let terms: Vec<Terms> = fit.records.par_iter().map(|record| words.terms(record)).collect();
    let asked: Vec<Terms> = arena.rows().par_iter().map(|&row| words.terms(records[row])).collect();

    let nearest = Nearest::new(&terms);
    let predicted: Vec<Vec<f64>> =
        asked.par_iter().map(|asked| fit.means_of(&nearest.of(asked, NEIGHBOURS))).collect();
    let mut position = vec![0; records.len()];
    for (i, &row) in arena.rows().iter().enumerate() {
        position[row] = i;
    }
    contenders.push(dial(format!("{NEIGHBOURS} nearest neighbours, TF-IDF"), &|row, c| {
        predicted[position[row]][c]
    }));

    let clusters = Clusters::new(&terms, CLUSTERS);
    let of: Vec<usize> = asked.par_iter().map(|asked| clusters.of(asked)).collect();
    let means = fit.cluster_means(&clusters);
    contenders.push(dial(format!("means of {CLUSTERS} clusters, TF-IDF"), &|row, c| {
        means[of[position[row]]][c]
    }));
    let majority = fit.majorities(&clusters, arena.candidates(), bar);
    let choices = Choices::new(arena.requests(), 1, |request, _| majority[of[request]]);
    contenders.push(Contender {
        name: format!("majority of {CLUSTERS} clusters"),
        kind: BaselineKind::Point,
        source: Source::Sweep(arena.outcomes(&choices)),
    });
    (contenders, Fitting { requests, withheld: None })
}

/// The mean score of each candidate for each value of a column, `(candidates)` a value.
struct TaskMeans<'a> {
    means: BTreeMap<&'a str, Vec<f64>>,
}

impl<'a> TaskMeans<'a> {
    fn new(fit: &'a Fit<'_>, column: &Column) -> Self {
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, record) in fit.records.iter().enumerate() {
            if let Some(value) = column.value(record) {
                members.entry(value).or_default().push(i);
            }
        }
        let means = members.into_iter().map(|(value, members)| (value, fit.means_of(&members)));
        Self { means: means.collect() }
    }

    /// Of an unknown value: the mean over all requests.
    fn of(&self, record: &Record, column: &Column, candidate: usize, fit: &Fit<'_>) -> f64 {
        let known = column.value(record).and_then(|value| self.means.get(value));
        known.map_or(fit.mean_score[candidate], |means| means[candidate])
    }
}

impl Fit<'_> {
    /// The mean score of each candidate over these requests; where none is known, over all.
    fn means_of(&self, requests: &[usize]) -> Vec<f64> {
        let mut means = known_means(&self.score.reorder(requests));
        for (mean, over_all) in means.iter_mut().zip(&self.mean_score) {
            if mean.is_nan() {
                *mean = *over_all;
            }
        }
        means
    }

    /// The mean score of each candidate in each cluster.
    fn cluster_means(&self, clusters: &Clusters) -> Vec<Vec<f64>> {
        let mut members = vec![Vec::new(); clusters.len()];
        for (i, &cluster) in clusters.assigned().iter().enumerate() {
            members[cluster].push(i);
        }
        members.iter().map(|members| self.means_of(members)).collect()
    }

    /// For each cluster the candidate, counted as the arena does, that the oracle at the bar chooses
    /// for most of its requests, of those that every candidate answered; the best single one where
    /// there is none.
    fn majorities(&self, clusters: &Clusters, candidates: &[usize], bar: f64) -> Vec<usize> {
        let pick = |matrix: &Matrix, i: usize| {
            candidates.iter().map(|&c| matrix.at(i, c)).collect::<Vec<_>>()
        };
        let answered = |&i: &usize| {
            let both = [pick(&self.score, i), pick(&self.cost, i)].concat();
            both.iter().all(|value| !value.is_nan())
        };
        let complete: Vec<usize> = (0..self.score.rows()).filter(answered).collect();
        let of = |matrix: &Matrix| {
            let values = complete.iter().flat_map(|&i| pick(matrix, i));
            Matrix::new(candidates.len(), values.collect())
        };
        let (score, cost) = (of(&self.score), of(&self.cost));
        let mut votes = vec![vec![0_u32; candidates.len()]; clusters.len()];
        for (&i, chosen) in complete.iter().zip(oracle_choices(&score, &cost, bar)) {
            votes[clusters.assigned()[i]][chosen] += 1;
        }
        let mean = |means: &[f64]| candidates.iter().map(|&c| means[c]).collect::<Vec<_>>();
        let best = best_column(&mean(&self.mean_score), &mean(&self.mean_cost));
        let winner = |votes: &Vec<u32>| {
            let most = votes.iter().max().filter(|most| **most > 0)?;
            votes.iter().position(|votes| votes == most)
        };
        votes.iter().map(|votes| winner(votes).unwrap_or(best)).collect()
    }
}

/// The mean of what is known in each column; NaN where nothing is.
fn known_means(values: &Matrix) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); values.columns()];
    for row in values.iter() {
        for (sum, value) in sums.iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
            *sum = (sum.0 + value, sum.1 + 1.0);
        }
    }
    sums.into_iter().map(|(sum, known)| sum / known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: f64 = f64::NAN;

    fn empty() -> Dataset {
        Dataset {
            candidates: Vec::new(),
            context_columns: Vec::new(),
            label_columns: Vec::new(),
            group_column: None,
            left_out: None,
            records: Vec::new(),
        }
    }

    /// Four requests in two clusters; the cheap candidate 1 is right in the first only.
    fn fit(dataset: &Dataset) -> Fit<'_> {
        let score = Matrix::new(2, vec![1.0, 1.0, 1.0, NONE, 1.0, 0.0, 0.0, 0.0]);
        let cost = Matrix::repeat(4, &[5.0, 1.0]);
        let (mean_score, mean_cost) = (known_means(&score), known_means(&cost));
        Fit { dataset, records: Vec::new(), score, cost, mean_score, mean_cost }
    }

    fn clusters() -> Clusters {
        let vectors: Vec<Terms> =
            vec![vec![(0, 1.0)], vec![(0, 1.0)], vec![(1, 1.0)], vec![(1, 1.0)]];
        Clusters::new(&vectors, 2)
    }

    #[test]
    fn means_are_of_what_is_known_else_over_all() {
        let dataset = empty();
        let fit = fit(&dataset);
        assert_eq!(fit.mean_score, [0.75, 1.0 / 3.0]);
        assert_eq!(fit.means_of(&[0, 1]), [1.0, 1.0]);
        assert_eq!(fit.means_of(&[1]), [1.0, 1.0 / 3.0]);
        assert_eq!(fit.cluster_means(&clusters()), [[1.0, 1.0], [0.5, 0.0]]);
    }

    #[test]
    fn a_cluster_goes_to_whom_the_oracle_chooses_most() {
        let dataset = empty();
        let fit = fit(&dataset);
        // First cluster: the cheap one met the bar. Second: the dear one did; where nobody did, the
        // cheaper of equal ones, so that the first of two single votes wins.
        assert_eq!(fit.majorities(&clusters(), &[0, 1], 0.5), [1, 0]);
        // The arena may count candidates in another way.
        assert_eq!(fit.majorities(&clusters(), &[1, 0], 0.5), [0, 0]);
        // Without a complete request the best single one: candidate 0.
        let none = Fit { cost: Matrix::repeat(4, &[NONE, 1.0]), ..fit };
        assert_eq!(none.majorities(&clusters(), &[0, 1], 0.5), [0, 0]);
    }
}
