//! Numbers, names and sections as every table shows them.

use farthing_eval::Estimate;

/// Columns of the terminal that the text is laid out for.
const WIDTH: usize = 100;
/// Characters of a name that a table shows.
const NAME: usize = 28;

/// A title, broken into lines where it is long, and what stands below it.
pub(super) fn section(title: &str, body: &str) -> String {
    format!("\n{}{body}", wrapped(title))
}

/// Lines of at most 100 characters, but for words that are longer.
pub(super) fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            lines.push('\n');
            column = 0;
        }
        if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines += word;
        column += length;
    }
    lines + "\n"
}

/// A name that leaves room for numbers.
pub(super) fn name(name: &str) -> String {
    shortened(name, NAME)
}

/// At most so many characters in one line.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    line.chars().take(most - 2).chain("..".chars()).collect()
}

/// A score or a difference of scores with its interval.
pub(super) fn score(estimate: Option<&Estimate>) -> String {
    show(estimate, 3)
}

/// A percentage with its interval.
pub(super) fn percent(estimate: Option<&Estimate>) -> String {
    show(estimate, 1)
}

/// USD for a thousand requests, with its interval.
pub(super) fn per_1k(estimate: Option<&Estimate>) -> String {
    let scaled = estimate.map(|&Estimate { value, low, high }| {
        let times = |usd: f64| 1000.0 * usd;
        Estimate { value: times(value), low: low.map(times), high: high.map(times) }
    });
    show(scaled.as_ref(), 3)
}

/// The figure alone, where a table has no room for an interval.
pub(super) fn alone(estimate: Option<&Estimate>) -> Option<Estimate> {
    estimate.map(|estimate| Estimate { low: None, high: None, ..*estimate })
}

/// `value [low, high]`, a dash for what is not known.
fn show(estimate: Option<&Estimate>, digits: usize) -> String {
    let Some(Estimate { value, low, high }) = estimate else { return "-".to_owned() };
    let number = |value: f64| number(value, digits);
    let end = |end: &Option<f64>| end.map_or_else(|| "-".to_owned(), number);
    match (low, high) {
        (None, None) => number(*value),
        _ => format!("{} [{}, {}]", number(*value), end(low), end(high)),
    }
}

/// A number without a minus sign before zeros.
fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| matches!(byte, b'0' | b'.')) => rest.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let estimate = Estimate { value: -0.0001, low: Some(-0.0126), high: None };
        assert_eq!(score(Some(&estimate)), "0.000 [-0.013, -]");
        assert_eq!(per_1k(Some(&estimate)), "-0.100 [-12.600, -]");
        assert_eq!(percent(alone(Some(&estimate)).as_ref()), "0.0");
        assert_eq!(score(None), "-");
    }

    #[test]
    fn long_texts() {
        let text = wrapped(&"word ".repeat(30));
        assert!(text.lines().count() == 2 && text.lines().all(|line| line.len() <= WIDTH));
        assert_eq!(wrapped(&"x".repeat(120)), "x".repeat(120) + "\n");
        assert_eq!(shortened("one\n  two three", 9), "one two..");
        assert_eq!(shortened("é\té", 3), "é é");
    }
}
