//! Numbers, names and sections as every table shows them.

use farthing_eval::Estimate;

use crate::term;

/// Columns of the terminal that the text is laid out for.
const WIDTH: usize = 100;
/// Characters of a name that a table shows.
const NAME: usize = 28;

/// A title and what stands below it.
pub(super) fn section(title: &str, body: &str) -> String {
    format!("\n{}{body}", paragraph(title))
}

/// Lines that fit, from the left edge on.
pub(super) fn paragraph(text: &str) -> String {
    wrapped(text, "")
}

/// The same, indented as tables are.
pub(super) fn note(text: &str) -> String {
    wrapped(text, "  ")
}

/// Lines that fit, but for words that do not.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = indent.to_owned();
    let mut column = indent.len();
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent.len() && column + 1 + length > WIDTH {
            lines.push('\n');
            lines += indent;
            column = indent.len();
        } else if column > indent.len() {
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

/// One line of at most so many columns, without what would move a terminal's cursor.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = text.split(blank).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    let cut = |room: usize| {
        // From here on most scripts take two columns a character.
        let wide = |c: char| if c < '\u{1100}' { 1 } else { 2 };
        let ends = line.char_indices().scan(0, |column, (i, c)| {
            *column += wide(c);
            (*column <= room).then_some(i + c.len_utf8())
        });
        &line[..ends.last().unwrap_or(0)]
    };
    if cut(most).len() == line.len() { line } else { cut(most - 2).to_owned() + ".." }
}

/// A score with its interval.
pub(super) fn score(estimate: Option<&Estimate>) -> String {
    show(estimate, 3, "")
}

/// A difference of scores with its interval; it has a sign.
pub(super) fn difference(estimate: Option<&Estimate>) -> String {
    let text = score(estimate);
    if estimate.is_some() && !text.starts_with('-') { format!("+{text}") } else { text }
}

/// A percentage with its interval, below a header that says so.
pub(super) fn percent(estimate: Option<&Estimate>) -> String {
    show(estimate, 1, "")
}

/// The same in a sentence.
pub(super) fn percent_said(estimate: Option<&Estimate>) -> String {
    show(estimate, 1, " %")
}

/// USD for a thousand requests, with its interval.
pub(super) fn per_1k(estimate: Option<&Estimate>) -> String {
    let scaled = estimate.map(|&Estimate { value, low, high }| {
        let times = |usd: f64| 1000.0 * usd;
        Estimate { value: times(value), low: low.map(times), high: high.map(times) }
    });
    show(scaled.as_ref(), 3, "")
}

/// The figure alone, where a table has no room for an interval.
pub(super) fn alone(estimate: Option<&Estimate>) -> Option<Estimate> {
    estimate.map(|estimate| Estimate { low: None, high: None, ..*estimate })
}

/// `value [low, high]`, a dash for what is not known.
fn show(estimate: Option<&Estimate>, digits: usize, unit: &str) -> String {
    let Some(Estimate { value, low, high }) = estimate else { return "-".to_owned() };
    let number = |value: f64| term::number(value, digits);
    let end = |end: &Option<f64>| end.map_or_else(|| "-".to_owned(), number);
    match (low, high) {
        (None, None) => number(*value) + unit,
        _ => format!("{}{unit} [{}, {}]", number(*value), end(low), end(high)),
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
        assert_eq!(difference(Some(&estimate)), "+0.000 [-0.013, -]");
        assert_eq!(percent_said(Some(&estimate)), "0.0 % [0.0, -]");
        assert_eq!((score(None), difference(None)), ("-".to_owned(), "-".to_owned()));
    }

    #[test]
    fn long_texts() {
        let text = note(&"word ".repeat(30));
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| line.len() <= WIDTH && line.starts_with("  word")));
        assert_eq!(paragraph(&"x".repeat(120)), "x".repeat(120) + "\n");
        assert_eq!(shortened("one\n  two three", 9), "one two..");
        assert_eq!(shortened("é\té\u{1b}[2J", 7), "é é [2J");
        assert_eq!(shortened("今天天气很好", 8), "今天天..");
    }
}
