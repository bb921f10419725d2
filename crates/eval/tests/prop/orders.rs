//! Metrics of an order of requests, prepared once and weighed by counts.

use farthing_eval::metrics::{
    DatasetMeans, Groups, Matrix, PairDial, PairOrder, SelectiveOrder, XBenchOrder, pgr,
};
use proptest::prelude::*;

use crate::close;

const REQUESTS: usize = 24;

/// Some requests: few distinct router scores, so that there are ties.
#[derive(Debug, Clone)]
struct Requests {
    router_score: Vec<f64>,
    /// Of two models.
    pairs: Matrix,
    /// Keys of their groups.
    keys: Vec<u64>,
}

fn requests() -> impl Strategy<Value = Requests> {
    let coarse = |n: usize| prop::collection::vec(0_u8..=6, n);
    let thirds =
        coarse(2 * REQUESTS).prop_map(|v| v.iter().map(|v| f64::from(v / 2) / 3.0).collect());
    let whole = coarse(2 * REQUESTS).prop_map(|v| v.iter().map(|v| f64::from(v % 2)).collect());
    let scores = prop_oneof![thirds, whole].prop_map(|values| Matrix::new(2, values));
    let keys = prop::collection::vec(0_u64..8, REQUESTS);
    (coarse(REQUESTS), scores, keys).prop_map(|(router_score, pairs, keys)| Requests {
        router_score: router_score.into_iter().map(f64::from).collect(),
        pairs,
        keys,
    })
}

impl Requests {
    fn pick(&self, rows: &[usize]) -> Self {
        Self {
            router_score: rows.iter().map(|&i| self.router_score[i]).collect(),
            pairs: self.pairs.reorder(rows),
            keys: rows.iter().map(|&i| self.keys[i]).collect(),
        }
    }

    /// Every figure of every order.
    fn figures(&self, groups: &Groups, counts: &[u32]) -> Vec<f64> {
        let (scores, pairs) = (&self.router_score, &self.pairs);
        let loss: Vec<f64> = pairs.iter().map(|row| 1.0 - row[0]).collect();
        let datasets: Vec<usize> = scores.iter().map(|score| usize::from(*score > 2.0)).collect();
        let paper = PairOrder::new(scores, pairs, groups).figures(counts);
        let bench = XBenchOrder::new(scores, pairs, groups).figures(counts);
        let selective = SelectiveOrder::new(scores, &loss, groups).figures(counts);
        let mut figures = vec![paper.apgr, paper.cpt20_pct, paper.cpt50_pct, paper.cpt80_pct];
        figures.extend([bench.small_quality, bench.large_quality, bench.auroc]);
        figures.extend([bench.lpm, bench.lpm_end, bench.hcr, bench.mpm]);
        figures.extend([selective.aurc, selective.risk_at_90, selective.risk]);
        let pairs: Vec<[f64; 2]> = pairs.iter().map(|row| [row[0], row[1]]).collect();
        figures.extend(DatasetMeans::new(&pairs, &datasets, groups).figures(counts));
        figures
    }

    fn once(&self) -> Vec<f64> {
        let groups = Groups::each_alone(self.keys.len());
        self.figures(&groups, &groups.once())
    }
}

fn all_close(a: &[f64], b: &[f64]) -> bool {
    let same = |(a, b): (&f64, &f64)| close(*a, *b) || (a.is_nan() && b.is_nan());
    a.len() == b.len() && a.iter().zip(b).all(same)
}

fn every() -> Vec<usize> {
    (0..REQUESTS).collect()
}

proptest! {
    /// To the last bit: sums run in an order of their own.
    #[test]
    fn the_order_of_rows_does_not_matter(
        requests in requests(), order in Just(every()).prop_shuffle(),
    ) {
        let bits = |requests: &Requests| {
            let groups = Groups::by_key(&requests.keys);
            let counts: Vec<u32> = (0..).take(groups.len()).map(|i| (i + 1) % 3).collect();
            let figures = requests.figures(&groups, &counts);
            figures.into_iter().map(f64::to_bits).collect::<Vec<_>>()
        };
        prop_assert_eq!(bits(&requests), bits(&requests.pick(&order)));
        prop_assert!(all_close(&requests.once(), &requests.pick(&order).once()));
    }

    #[test]
    fn counts_are_repetitions(
        requests in requests(), counts in prop::collection::vec(0_u32..4, REQUESTS),
    ) {
        let rows: Vec<usize> = every()
            .into_iter()
            .flat_map(|i| std::iter::repeat_n(i, counts[i] as usize))
            .collect();
        let weighed = requests.figures(&Groups::each_alone(REQUESTS), &counts);
        prop_assert!(all_close(&weighed, &requests.pick(&rows).once()));
    }

    /// A part of the requests, its groups numbered as those of all, is as good as a log of its own.
    #[test]
    fn a_selection_stands_alone(
        requests in requests(), picked in prop::sample::subsequence(every(), 0..=REQUESTS),
    ) {
        let all = Groups::by_key(&requests.keys);
        let counts: Vec<u32> = (0..).take(all.len()).map(|i| (i + 1) % 3).collect();
        let selection = requests.pick(&picked);
        let own = Groups::by_key(&selection.keys);
        let mut own_counts = own.once();
        for (request, &group) in picked.iter().zip(own.of_requests()) {
            own_counts[group] = counts[all.of_requests()[*request]];
        }
        let found = selection.figures(&all.of(&picked), &counts);
        prop_assert!(all_close(&found, &selection.figures(&own, &own_counts)));
    }

    #[test]
    fn figures_are_bounded(requests in requests()) {
        let groups = Groups::each_alone(REQUESTS);
        let counts = groups.once();
        let bench = XBenchOrder::new(&requests.router_score, &requests.pairs, &groups).figures(&counts);
        for share in [bench.auroc, bench.lpm, bench.lpm_end, bench.hcr, bench.mpm] {
            prop_assert!((0.0..=1.0).contains(&share), "{bench:?}");
        }
        let paper = PairOrder::new(&requests.router_score, &requests.pairs, &groups).figures(&counts);
        let cpts = [paper.cpt20_pct, paper.cpt50_pct, paper.cpt80_pct];
        if paper.apgr.is_nan() {
            prop_assert!(close(bench.small_quality, bench.large_quality));
        } else {
            prop_assert!(cpts.iter().all(|cpt| (0.0..=100.0).contains(cpt)), "{paper:?}");
            prop_assert!(cpts.is_sorted());
        }
        let loss: Vec<f64> = requests.pairs.iter().map(|row| row[0]).collect();
        let found = SelectiveOrder::new(&requests.router_score, &loss, &groups).figures(&counts);
        for risk in [found.aurc, found.risk_at_90, found.risk] {
            prop_assert!((0.0..=1.0).contains(&risk), "{found:?}");
        }
    }

    /// The surest order of all is that of the losses, the worst its reverse.
    #[test]
    fn no_order_beats_the_true_one(requests in requests()) {
        let groups = Groups::each_alone(REQUESTS);
        let loss: Vec<f64> = requests.pairs.iter().map(|row| row[0]).collect();
        let gain: Vec<f64> = requests.pairs.iter().map(|row| row[1] - row[0]).collect();
        let minus = |values: &[f64]| values.iter().map(|value| -value).collect::<Vec<_>>();
        let aurc = |confidence: &[f64]| {
            SelectiveOrder::new(confidence, &loss, &groups).figures(&groups.once()).aurc
        };
        let found = aurc(&requests.router_score);
        prop_assert!(aurc(&minus(&loss)) <= found + 1e-9 && found <= aurc(&loss) + 1e-9);

        // Ties stay together in the paper's curve, so they are broken for this.
        let broken: Vec<f64> = gain.iter().zip(0_u8..).map(|(g, i)| g + 1e-6 * f64::from(i)).collect();
        let apgr = |score: &[f64]| {
            PairOrder::new(score, &requests.pairs, &groups).figures(&groups.once()).apgr
        };
        let means = requests.pairs.column_means();
        if means[1] > means[0] + 1e-9 {
            prop_assert!(apgr(&broken) >= apgr(&requests.router_score) - 1e-9);
            prop_assert!(apgr(&broken) >= apgr(&minus(&broken)) - 1e-9);
        }
    }

    #[test]
    fn auroc_depends_on_nothing_but_the_order(requests in requests()) {
        let groups = Groups::each_alone(REQUESTS);
        let auroc = |score: &[f64]| {
            XBenchOrder::new(score, &requests.pairs, &groups).figures(&groups.once()).auroc
        };
        let found = auroc(&requests.router_score);
        let map = |f: fn(&f64) -> f64| requests.router_score.iter().map(f).collect::<Vec<_>>();
        prop_assert!(close(auroc(&map(|s| s.exp())), found));
        prop_assert!(close(auroc(&map(|s| -s)), 1.0 - found));
    }

    /// With no ties and a gain at every request the variants of APGR are close.
    #[test]
    fn the_variants_of_apgr_differ_by_little(
        gains in prop::collection::vec(0.01..1.0, 11), order in Just((0..11).collect::<Vec<u8>>()).prop_shuffle(),
    ) {
        let groups = Groups::each_alone(11);
        let score: Vec<f64> = order.into_iter().map(f64::from).collect();
        let pairs = Matrix::new(2, gains.iter().flat_map(|gain| [0.0, *gain]).collect());
        let code = PairDial::new(&score, &pairs, &groups).figures(&groups.once()).apgr;
        let paper = PairOrder::new(&score, &pairs, &groups).figures(&groups.once()).apgr;
        // A step lies below the line; the widest holds two requests.
        prop_assert!(paper <= code + 1e-9 && code - paper <= 2.0 / 11.0, "{code} {paper}");
    }

    #[test]
    fn the_gap_is_recovered_from_0_to_1(weak in 0.0..1.0, strong in 0.0..1.0, part in -1.0..2.0) {
        prop_assume!(f64::abs(weak - strong) > 1e-3);
        prop_assert!(close(pgr(weak + part * (strong - weak), weak, strong), part));
    }
}
