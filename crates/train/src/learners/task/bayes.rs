//! Log-odds of tasks by word, as naive Bayes has them (multinomial; Manning et al. 2008, chapter 13).
//!
//! Latent directions are chosen for what is frequent; the words that give a task away are often rare.

use nalgebra::DMatrix;

use crate::problem::Problem;

/// Weight of the background, in n-grams: a task that lacks a word has it at the background's rate.
const PRIOR: f64 = 25.0;

/// `(buckets, tasks)` log-odds of a task against the others, given a word. A word that none of the rows
/// holds says nothing.
pub(super) fn log_odds(problem: &Problem, rows: &[usize], tasks: &[usize]) -> DMatrix<f64> {
    let mut counts = DMatrix::<f64>::zeros(problem.words.width(), problem.tasks.count);
    for (&row, &task) in rows.iter().zip(tasks) {
        for (bucket, value) in problem.words.row(row) {
            counts[(bucket, task)] += value;
        }
    }
    let of_word = counts.column_sum();
    let of_task = counts.row_sum();
    let all = of_word.sum();
    DMatrix::from_fn(counts.nrows(), counts.ncols(), |bucket, task| {
        if of_word[bucket] <= 0.0 {
            return 0.0;
        }
        let background = PRIOR * of_word[bucket] / all;
        let inside = counts[(bucket, task)];
        let rate = (inside + background) / (of_task[task] + PRIOR);
        let rate_of_others =
            (of_word[bucket] - inside + background) / (all - of_task[task] + PRIOR);
        (rate / rate_of_others).ln()
    })
}

/// `(rows, tasks)` sums of the log-odds of each row's words, by log-odds of the other folds: what a row
/// teaches is not in its own score.
pub(super) fn cross_fitted(problem: &Problem, rows: &[usize], tasks: &[usize]) -> DMatrix<f64> {
    let mut scores = DMatrix::zeros(rows.len(), problem.tasks.count);
    let mut folds: Vec<usize> = rows.iter().map(|&row| problem.folds[row]).collect();
    folds.sort_unstable();
    folds.dedup();
    for fold in folds {
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            (0..rows.len()).partition(|&i| problem.folds[rows[i]] == fold);
        let pick = |from: &[usize], positions: &[usize]| -> Vec<usize> {
            positions.iter().map(|&i| from[i]).collect()
        };
        let odds = log_odds(problem, &pick(rows, &outside), &pick(tasks, &outside));
        let scored = problem.words.select(&pick(rows, &inside)).times(&odds);
        for (i, score) in inside.into_iter().zip(scored.row_iter()) {
            scores.set_row(i, &score);
        }
    }
    scores
}
