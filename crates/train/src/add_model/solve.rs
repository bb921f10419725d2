//! Ridge regression in blocks, each with its own penalty, chosen together by cross-fitting.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use crate::objective::{FOLDS, mean, paired_error};

/// Multiples of a block's mean sum of squares, from most to least shrunk. Before all of them comes
/// "not at all".
const PENALTIES: [f64; 7] = [30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03];
/// Keeps a block without any variation solvable.
const LEAST: f64 = 1e-9;

/// Columns that are shrunk alike.
#[derive(Debug)]
pub(super) struct Block {
    /// Its name in the manifest.
    pub(super) name: &'static str,
    /// `(n, width)`
    pub(super) columns: DMatrix<f64>,
}

/// What a regression is fitted on.
#[derive(Debug)]
pub(super) struct Regression<'a> {
    /// `(n)`
    pub(super) target: &'a DVector<f64>,
    /// Columns with a penalty of their own, to choose.
    pub(super) blocks: Vec<Block>,
    /// `(n)`: a column of mean 0 in the long run that takes noise out of the target, not shrunk and
    /// not part of any prediction (a control variate).
    pub(super) control: &'a DVector<f64>,
    /// `(n)`
    pub(super) folds: &'a [usize],
}

/// A fitted regression.
#[derive(Debug)]
pub(super) struct Solution {
    pub(super) intercept: f64,
    /// One vector a block, in order; zeros where the block has no part.
    pub(super) coefficients: Vec<DVector<f64>>,
    /// Penalty of each block that has a part.
    pub(super) penalties: Vec<(&'static str, f64)>,
    /// `(n)` predictions, each without the request's own fold.
    pub(super) cross_fitted: DVector<f64>,
    /// `(n)` what is left of the target beyond those predictions and the control.
    pub(super) residual: DVector<f64>,
}

/// A penalty a block; `None`: the block has no part.
type Setting = Vec<Option<f64>>;

impl Regression<'_> {
    /// Chooses the penalties one block after the other, twice, and fits on every row.
    pub(super) fn solve(&self) -> Solution {
        let folds: Vec<(Vec<usize>, Normal)> = (0..FOLDS)
            .map(|fold| {
                let (inside, outside): (Vec<usize>, Vec<usize>) =
                    (0..self.target.len()).partition(|&row| self.folds[row] == fold);
                (inside, self.normal(&outside))
            })
            .collect();
        let mut setting: Setting = vec![None; self.blocks.len()];
        for block in (0..self.blocks.len()).chain(0..self.blocks.len()) {
            setting = self.choose(&folds, setting, block);
        }
        let everything: Vec<usize> = (0..self.target.len()).collect();
        let fitted = self.normal(&everything).solve(&setting);
        let (cross_fitted, residual) = self.cross_fit(&folds, &setting);
        let penalties = self.blocks.iter().zip(&setting);
        Solution {
            intercept: fitted.intercept,
            coefficients: self.by_block(&fitted.coefficients),
            penalties: penalties.filter_map(|(block, p)| Some((block.name, (*p)?))).collect(),
            cross_fitted,
            residual,
        }
    }

    /// The setting with the penalty of one block chosen anew, the others as they are: that of the
    /// least cross-fitted error, and no part for the block unless it gains more than the standard
    /// error of the gain over folds.
    fn choose(&self, folds: &[(Vec<usize>, Normal)], setting: Setting, block: usize) -> Setting {
        if self.blocks[block].columns.ncols() == 0 {
            return setting;
        }
        let choices = std::iter::once(None).chain(PENALTIES.into_iter().map(Some));
        let settings: Vec<Setting> = choices
            .map(|choice| {
                let mut setting = setting.clone();
                setting[block] = choice;
                setting
            })
            .collect();
        let errors: Vec<Vec<f64>> = settings
            .par_iter()
            .map(|setting| self.errors(&self.cross_fit(folds, setting).1))
            .collect();
        let best = (0..errors.len()).min_by(|&a, &b| mean(&errors[a]).total_cmp(&mean(&errors[b])));
        let best = best.unwrap_or_default();
        let noise = paired_error(&errors[0], &errors[best]);
        let chosen = if mean(&errors[0]) - mean(&errors[best]) > noise { best } else { 0 };
        settings.into_iter().nth(chosen).unwrap_or(setting)
    }

    /// `(n)` predictions and `(n)` what they leave.
    fn cross_fit(
        &self,
        folds: &[(Vec<usize>, Normal)],
        setting: &Setting,
    ) -> (DVector<f64>, DVector<f64>) {
        let n = self.target.len();
        let (mut predicted, mut left) = (DVector::zeros(n), DVector::zeros(n));
        for (inside, normal) in folds {
            let fitted = normal.solve(setting);
            let coefficients = self.by_block(&fitted.coefficients);
            for &row in inside {
                let each = self.blocks.iter().zip(&coefficients);
                let expected = each.map(|(block, c)| block.columns.row(row).transpose().dot(c));
                predicted[row] = fitted.intercept + expected.sum::<f64>();
                left[row] = self.target[row] - predicted[row] - fitted.control * self.control[row];
            }
        }
        (predicted, left)
    }

    /// Mean squared error of each fold.
    fn errors(&self, left: &DVector<f64>) -> Vec<f64> {
        let (mut sums, mut counts) = ([0.0; FOLDS], [0.0; FOLDS]);
        for (&fold, left) in self.folds.iter().zip(left.iter()) {
            sums[fold] += left * left;
            counts[fold] += 1.0;
        }
        sums.iter().zip(counts).map(|(sum, count)| sum / f64::max(count, 1.0)).collect()
    }

    fn by_block(&self, coefficients: &DVector<f64>) -> Vec<DVector<f64>> {
        let mut first = 0;
        let mut take = |block: &Block| {
            let width = block.columns.ncols();
            first += width;
            coefficients.rows(first - width, width).into_owned()
        };
        self.blocks.iter().map(&mut take).collect()
    }

    /// The normal equations of some rows.
    fn normal(&self, rows: &[usize]) -> Normal {
        let widths: Vec<usize> = self.blocks.iter().map(|block| block.columns.ncols()).collect();
        let columns = self.blocks.iter().flat_map(|block| block.columns.column_iter());
        let picked = columns.map(|column| column.select_rows(rows));
        let control = self.control.select_rows(rows);
        let all: Vec<DVector<f64>> = picked.chain([control]).collect();
        let mut design = DMatrix::from_columns(&all);
        let mut target = self.target.select_rows(rows);
        let means: Vec<f64> = design.column_iter().map(|column| column.mean()).collect();
        for (mut column, mean) in design.column_iter_mut().zip(&means) {
            column.add_scalar_mut(-mean);
        }
        let target_mean = if rows.is_empty() { 0.0 } else { target.mean() };
        target.add_scalar_mut(-target_mean);
        let transposed = design.transpose();
        Normal {
            gram: &transposed * &design,
            product: transposed * target,
            means,
            target_mean,
            widths,
        }
    }
}

/// Centred normal equations; the control is the last column.
struct Normal {
    gram: DMatrix<f64>,
    product: DVector<f64>,
    means: Vec<f64>,
    target_mean: f64,
    widths: Vec<usize>,
}

struct Fitted {
    intercept: f64,
    /// Of all blocks, one after the other.
    coefficients: DVector<f64>,
    control: f64,
}

impl Normal {
    fn solve(&self, setting: &Setting) -> Fitted {
        let last = self.gram.nrows() - 1;
        let mut kept = Vec::with_capacity(last + 1);
        let mut ridge = Vec::with_capacity(last + 1);
        let mut first = 0;
        for (&width, penalty) in self.widths.iter().zip(setting) {
            if let Some(penalty) = penalty {
                let trace: f64 = (first..first + width).map(|i| self.gram[(i, i)]).sum();
                let scale = (penalty * trace / width.max(1) as f64).max(LEAST);
                kept.extend(first..first + width);
                ridge.extend(std::iter::repeat_n(scale, width));
            }
            first += width;
        }
        kept.push(last);
        ridge.push(LEAST);
        let mut gram = self.gram.select_rows(&kept).select_columns(&kept);
        for (i, ridge) in ridge.into_iter().enumerate() {
            gram[(i, i)] += ridge;
        }
        let product = self.product.select_rows(&kept);
        // Positive definite by the ridge; where rounding says otherwise, only the mean is left.
        let solution = gram
            .cholesky()
            .map_or_else(|| DVector::zeros(kept.len()), |factor| factor.solve(&product));
        let mut coefficients = DVector::zeros(last + 1);
        for (&column, value) in kept.iter().zip(solution.iter()) {
            coefficients[column] = *value;
        }
        let control = coefficients[last];
        // The control's own mean in the long run is 0, so what it was here is taken out.
        let explained: f64 =
            self.means.iter().zip(coefficients.iter()).map(|(mean, c)| mean * c).sum();
        Fitted {
            intercept: self.target_mean - explained,
            coefficients: coefficients.rows(0, last).into_owned(),
            control,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const N: usize = 200;

    /// A value in [-0.5, 0.5) that is random, and the same each time.
    fn noise(i: usize, stream: usize) -> f64 {
        let mut dice = ChaCha8Rng::seed_from_u64(i as u64);
        dice.set_stream(stream as u64);
        dice.random::<f64>() - 0.5
    }

    fn solve(target: impl Fn(usize) -> f64, control: impl Fn(usize) -> f64) -> Solution {
        let folds: Vec<usize> = (0..N).map(|i| i % FOLDS).collect();
        let columns = DMatrix::from_fn(N, 3, noise);
        let regression = Regression {
            target: &DVector::from_fn(N, |i, _| target(i)),
            blocks: vec![Block { name: "x", columns }],
            control: &DVector::from_fn(N, |i, _| control(i)),
            folds: &folds,
        };
        regression.solve()
    }

    #[test]
    fn a_line_is_found_and_noise_is_not() {
        let line = solve(|i| 0.5 + 2.0 * noise(i, 1), |_| 0.0);
        assert!((line.coefficients[0][1] - 2.0).abs() < 0.1, "{line:?}");
        assert!((line.intercept - 0.5).abs() < 0.01 && line.penalties.len() == 1, "{line:?}");
        // By chance alone a block now and then gains more than a standard error, never much.
        let flat: Vec<_> = (9..29).map(|s| solve(|i| 0.5 + noise(i, s), |_| 0.0)).collect();
        assert!(flat.iter().filter(|flat| flat.penalties.is_empty()).count() >= 14);
        assert!(flat.iter().all(|flat| flat.coefficients[0].amax() < 0.25), "{flat:?}");
        let constant = solve(|_| 1.0, |_| 0.0);
        assert!((constant.intercept - 1.0).abs() < 1e-12 && constant.penalties.is_empty());
    }

    /// The requests of the log were harder than usual by 0.2 on average; the control says so.
    #[test]
    fn a_control_takes_out_what_the_requests_had_in_common() {
        let shared = |i: usize| noise(i, 5) - 0.2;
        let solved = solve(|i| 0.7 + shared(i) + 0.1 * noise(i, 6), shared);
        assert!((solved.intercept - 0.7).abs() < 0.02, "{}", solved.intercept);
        assert!(solved.residual.norm_squared() / (N as f64) < 0.002);
    }
}
