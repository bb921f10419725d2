//! Families that occur in every language: questions, mail, summaries, translation, stories.

use crate::pen::Pen;

/// Most words of a text to be summarised or searched.
const LONGEST: u64 = 1850;

pub(super) fn support(level: f64, pen: &mut Pen<'_>) -> String {
    let questions = pen.count(level, 1, 3);
    let mut parts = pen.several("faq", questions);
    if pen.chance(0.3) {
        parts.insert(0, pen.say("sentence"));
    }
    parts.join(pen.language().gap())
}

pub(super) fn classification(level: f64, pen: &mut Pen<'_>) -> String {
    let sentences = pen.count(level, 1, 3);
    let review = pen.several("review", sentences).join(pen.language().gap());
    let ask = pen.say("classify");
    match pen.number(0, 2) {
        0 => format!("{review}\n{ask}"),
        1 => format!("{ask}\n\n\"{review}\""),
        _ => format!("{ask} {review}"),
    }
}

pub(super) fn rewriting(level: f64, pen: &mut Pen<'_>) -> String {
    let ask = pen.say("rewrite");
    let length = pen.length(40.0, 400);
    let text = pen.prose(length);
    with_constraints(format!("{ask}\n{text}"), 3, level, pen)
}

pub(super) fn summary(level: f64, pen: &mut Pen<'_>) -> String {
    let ask = pen.say("summarise");
    let length = pen.length(90.0 + 260.0 * level, LONGEST);
    let text = pen.prose(length);
    let ask = with_constraints(ask, 3, level, pen);
    if pen.chance(0.3) { format!("{text}\n\n{ask}") } else { format!("{ask}\n\n{text}") }
}

pub(super) fn translation(level: f64, pen: &mut Pen<'_>) -> String {
    let ask = pen.say("translate");
    let idioms = pen.count(level, 0, 3);
    let mut lines = pen.several("idiom", idioms);
    let length = pen.length(14.0 + 30.0 * level, 300);
    lines.push(pen.prose(length));
    let text = lines.join(pen.language().gap());
    with_constraints(format!("{ask}\n{text}"), 2, level * 0.7, pen)
}

pub(super) fn facts(level: f64, pen: &mut Pen<'_>) -> String {
    let rare = level > 0.35 && pen.chance(0.4 + 0.6 * level);
    let questions = pen.count(level, 1, 2);
    let mut parts = pen.several(if rare { "rare_fact" } else { "fact" }, questions);
    if pen.chance(0.25) {
        parts.insert(0, pen.say("sentence"));
    }
    with_constraints(parts.join(pen.language().gap()), 2, level * 0.7, pen)
}

pub(super) fn creative(level: f64, pen: &mut Pen<'_>) -> String {
    let ask = pen.say("creative");
    let context = if pen.chance(0.4) { pen.say("sentence") } else { String::new() };
    with_constraints(ask + pen.language().gap() + &context, 4, level, pen)
}

pub(super) fn document(level: f64, pen: &mut Pen<'_>) -> String {
    let questions = pen.count(level, 1, 3);
    let asks = pen.several("document", questions).join(pen.language().gap());
    let length = pen.length(180.0 + 420.0 * level, LONGEST);
    let text = pen.prose(length);
    if pen.chance(0.5) { format!("{asks}\n\n{text}") } else { format!("{text}\n\n{asks}") }
}

/// Adds up to `most` constraints, by level.
fn with_constraints(text: String, most: usize, level: f64, pen: &mut Pen<'_>) -> String {
    let constraints = pen.count(level, 0, most);
    let mut parts = vec![text];
    parts.extend(pen.several("constraint", constraints));
    parts.join(pen.language().gap())
}
