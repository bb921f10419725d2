//! Numbers as people read them: three significant digits of money, one decimal of a percentage,
//! intervals in words.

use maud::{Markup, html};

use crate::Estimate;

/// What a number counts, and so how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A score or a probability in [0, 1].
    Quality,
    /// A share that is already in percent.
    Percent,
    /// USD a request, shown for 1,000 requests.
    Usd,
}

/// The sign with the space before it, on one line with its number.
const PERCENT: &str = "\u{a0}%";

/// A number with its unit; a dollar amount is that of 1,000 requests, without the currency.
pub(super) fn show(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Quality => signed(format!("{value:.3}")),
        Unit::Percent => signed(format!("{value:.1}")) + PERCENT,
        Unit::Usd => signed(significant(1000.0 * value)),
    }
}

/// A number that may be unknown.
pub(super) fn show_or_dash(value: Option<f64>, unit: Unit) -> String {
    value.map_or_else(|| "–".to_owned(), |value| show(value, unit))
}

/// The interval in words, such as `88.2 to 94.5 %`; `None` where it has no end.
pub(super) fn range(estimate: &Estimate, unit: Unit) -> Option<String> {
    let whole = |end: f64| show(end, unit);
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => {
            let bare = whole(low);
            let bare = bare.strip_suffix(PERCENT).unwrap_or(&bare);
            Some(format!("{bare} to {}", whole(high)))
        }
        (Some(low), None) => Some(format!("{} or more", whole(low))),
        (None, Some(high)) => Some(format!("{} or less", whole(high))),
        (None, None) => None,
    }
}

/// A figure with its interval in small print.
pub(super) fn figure(estimate: Option<&Estimate>, unit: Unit) -> Markup {
    html! {
        @match estimate {
            None => "–",
            Some(estimate) => {
                (show(estimate.value, unit))
                @if let Some(range) = range(estimate, unit) { " " span.interval { (range) } }
            }
        }
    }
}

/// A count with a comma every three digits.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun, such as `1 request`; the plural takes an s.
pub(super) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Three significant digits, or whole numbers from 100 on.
pub(super) fn significant(value: f64) -> String {
    let decimals = if value == 0.0 || !value.is_finite() {
        0
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "a finite logarithm is below 309")]
        let magnitude = value.abs().log10().floor() as i32;
        usize::try_from(2 - magnitude).unwrap_or(0)
    };
    format!("{value:.decimals$}")
}

/// A real minus sign, and none before a zero.
fn signed(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        Some(rest) => format!("\u{2212}{rest}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        let shown = [
            show(0.91166, Unit::Quality),
            show(-0.0004, Unit::Quality),
            show(-3.26, Unit::Percent),
            show(0.000_131_4, Unit::Usd),
            show(0.005_205, Unit::Usd),
            show(0.0, Unit::Usd),
            show(1.234_56, Unit::Usd),
            count(1_234_567),
            count(12),
            counted(1, "request"),
        ];
        let expected = [
            "0.912",
            "0.000",
            "\u{2212}3.3\u{a0}%",
            "0.131",
            "5.21",
            "0",
            "1235",
            "1,234,567",
            "12",
            "1 request",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_interval_without_an_end_says_so() {
        let estimate = |low, high| Estimate { value: 2.0, low, high };
        let found = |low, high| range(&estimate(low, high), Unit::Percent);
        assert_eq!(found(Some(1.0), Some(3.0)).unwrap(), "1.0 to 3.0\u{a0}%");
        assert_eq!(found(Some(1.0), None).unwrap(), "1.0\u{a0}% or more");
        assert_eq!(found(None, None), None);
        let markup = figure(Some(&estimate(None, None)), Unit::Percent).into_string();
        assert_eq!(markup, "2.0\u{a0}%");
    }
}
