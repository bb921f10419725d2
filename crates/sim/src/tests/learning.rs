//! Learning pays: knowing the family alone beats mixing single candidates by far, and cheaply.

use std::collections::BTreeMap;

use crate::{Config, Family, LogPolicy, candidates, generate};

/// Scores and costs in USD of every candidate on one request.
type Answers = (Vec<f64>, Vec<f64>);

#[test]
fn the_family_alone_earns_a_large_share() {
    for seed in 0..5 {
        let config = Config { rows: 2000, seed, log_policy: LogPolicy::Full };
        let requests: Vec<(Family, Answers)> = generate(config)
            .map(|request| {
                let of = |f: fn(&farthing_core::Outcome) -> Option<f64>| {
                    request.rows.iter().map(|row| f(&row.outcome).unwrap()).collect()
                };
                (request.family, (of(|o| o.score), of(|o| o.cost_usd)))
            })
            .collect();
        let (train, test) = requests.split_at(1000);
        let overall = means(train.iter());
        let by_family: BTreeMap<Family, Answers> = Family::ALL
            .map(|family| (family, means(train.iter().filter(|(f, _)| *f == family))))
            .into();
        let (true_scores, true_costs) = means(test.iter());

        let zero = sweep(test, |_| overall.clone());
        let router = sweep(test, |(family, _)| by_family[family].clone());
        let oracle = sweep(test, |(_, (scores, _))| (scores.clone(), true_costs.clone()));
        let range = [true_costs[0], true_costs[candidates().len() - 1]];
        let [zero, aiq, oracle] = [&zero, &router, &oracle].map(|points| aiq(points, range));
        let earned = (aiq - zero) / (oracle - zero);
        assert!(aiq > zero + 0.07, "seed {seed}: {aiq} {zero} {oracle}");
        assert!((0.55..0.8).contains(&earned), "seed {seed}: {earned}");

        let best = true_scores.iter().copied().fold(0.0, f64::max) - 0.005;
        let enough = router.iter().filter(|(_, score)| *score >= best);
        let cost = enough.map(|(cost, _)| *cost).fold(f64::INFINITY, f64::min);
        assert!(cost < range[1] * 0.6, "seed {seed}: {cost} {range:?}");
    }
}

fn means<'a>(requests: impl Iterator<Item = &'a (Family, Answers)>) -> Answers {
    let mut sums = (vec![0.0; candidates().len()], vec![0.0; candidates().len()]);
    let mut count = 0.0;
    for (_, (scores, costs)) in requests {
        count += 1.0;
        sums.0.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score);
        sums.1.iter_mut().zip(costs).for_each(|(sum, cost)| *sum += cost);
    }
    sums.0.iter_mut().chain(&mut sums.1).for_each(|sum| *sum /= count);
    sums
}

/// Points (mean true cost, mean true score) of predictions, one for each exchange rate.
fn sweep(
    test: &[(Family, Answers)],
    predict: impl Fn(&(Family, Answers)) -> Answers,
) -> Vec<(f64, f64)> {
    let lambdas = (0..160).map(|i| 10_f64.powf(-2.0 + 8.0 * f64::from(i) / 159.0));
    let predictions: Vec<Answers> = test.iter().map(predict).collect();
    let point = |lambda: f64| {
        let mut point = (0.0, 0.0);
        for ((_, (scores, costs)), (quality, cost)) in test.iter().zip(&predictions) {
            let utility = |i: &usize| quality[*i] - lambda * cost[*i];
            let chosen = (0..scores.len()).rev().max_by(|a, b| utility(a).total_cmp(&utility(b)));
            point.0 += costs[chosen.unwrap()] / test.len() as f64;
            point.1 += scores[chosen.unwrap()] / test.len() as f64;
        }
        point
    };
    std::iter::once(0.0).chain(lambdas).map(point).collect()
}

/// Mean height of the non-decreasing hull between two costs.
fn aiq(points: &[(f64, f64)], [low, high]: [f64; 2]) -> f64 {
    const STEPS: u32 = 400;
    // The greatest height at a cost, over all mixtures of two points.
    let height = |cost: f64| {
        let left = points.iter().filter(|p| p.0 <= cost);
        left.map(|l| {
            let right = points.iter().filter(|r| r.0 > cost);
            let mixed = right.map(|r| l.1 + (r.1 - l.1) * (cost - l.0) / (r.0 - l.0));
            mixed.fold(l.1, f64::max)
        })
        .fold(0.0, f64::max)
    };
    let step = (high - low) / f64::from(STEPS);
    (0..STEPS).map(|i| height(low + step * (f64::from(i) + 0.5))).sum::<f64>() / f64::from(STEPS)
}
