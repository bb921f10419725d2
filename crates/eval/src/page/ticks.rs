//! Where an axis has its ticks, and what stands beside them.

use std::ops::Range;

use super::number::significant;

/// Round ticks of a linear axis, about `wanted` of them.
pub(super) fn linear_ticks(range: &Range<f64>, wanted: u32) -> Vec<(f64, String)> {
    let rough = (range.end - range.start) / f64::from(wanted);
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough);
    let step = factor.unwrap_or(10.0) * power;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few decimals")]
    let decimals = (-step.log10()).ceil().clamp(0.0, 6.0) as usize;
    #[expect(clippy::cast_possible_truncation, reason = "a few ticks")]
    let [first, last] =
        [(range.start / step).ceil() as i64, (range.end / step + 1e-9).floor() as i64];
    let tick = |i: i64| (i as f64 * step, format!("{:.decimals$}", i as f64 * step));
    (first..=last).map(tick).collect()
}

/// Ticks of an axis of logarithmic costs in USD, as costs of 1,000 requests: 1, 2 and 5 times powers
/// of ten, only the powers where those are many, and round steps where they are too few.
pub(super) fn cost_ticks(log_usd: &Range<f64>) -> Vec<(f64, String)> {
    let log_1k = log_usd.start + 3.0..log_usd.end + 3.0;
    let factors: &[f64] = if log_1k.end - log_1k.start > 2.7 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    #[expect(clippy::cast_possible_truncation, reason = "an exponent")]
    let powers = log_1k.start.floor() as i32..=log_1k.end.ceil() as i32;
    let costs = powers.flat_map(|power| factors.iter().map(move |f| f * 10_f64.powi(power)));
    let costs = costs.filter(|cost| log_1k.contains(&cost.log10()));
    let mut ticks: Vec<(f64, String)> = costs.map(|cost| (cost, tick_text(cost))).collect();
    if ticks.len() < 2 {
        ticks = linear_ticks(&(10_f64.powf(log_1k.start)..10_f64.powf(log_1k.end)), 4);
    }
    ticks.into_iter().map(|(cost, text)| (cost.log10() - 3.0, text)).collect()
}

/// Without the zeros that three significant digits would bring.
fn tick_text(cost: f64) -> String {
    let text = significant(cost);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let texts =
            |range| linear_ticks(&range, 5).into_iter().map(|tick| tick.1).collect::<Vec<_>>();
        assert_eq!(texts(0.0..1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(0.68..0.93), ["0.70", "0.75", "0.80", "0.85", "0.90"]);
    }

    #[test]
    fn cost_ticks_thin_out_over_many_decades() {
        let texts = |from: f64, to: f64| {
            let ticks = cost_ticks(&(from.log10() - 3.0..to.log10() - 3.0));
            ticks.into_iter().map(|tick| tick.1).collect::<Vec<_>>()
        };
        assert_eq!(texts(0.03, 7.0), ["0.05", "0.1", "0.2", "0.5", "1", "2", "5"]);
        assert_eq!(texts(0.003, 70.0), ["0.01", "0.1", "1", "10"]);
        assert_eq!(texts(2.9, 4.1), ["3.0", "3.5", "4.0"]);
    }
}
