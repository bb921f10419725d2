//! Families with a technical form, asked in English: code, databases, tables, sums, puzzles.

use crate::pen::Pen;

pub(super) fn extraction(level: f64, pen: &mut Pen<'_>) -> String {
    let fields = pen.count(level, 2, 8);
    let fields = pen.several("field", fields).join(", ");
    let needs = pen.count(level, 0, 3);
    let needs = pen.several("extract_need", needs).join(" ");
    let length = pen.length(25.0 + 70.0 * level, 700);
    let text = pen.prose(length);
    let message = format!("{text} {}", pen.say("faq"));
    format!("{} {fields}. {needs}\n\n{message}", pen.say("extract_ask"))
}

pub(super) fn coding(level: f64, pen: &mut Pen<'_>) -> String {
    let needs = pen.count(level, 0, 5);
    let mut parts = vec![pen.say("code_ask")];
    parts.extend(pen.several("code_need", needs));
    if pen.chance(0.3) {
        parts.push(pen.say("sentence"));
    }
    parts.join(if pen.chance(0.4) { "\n- " } else { " " })
}

pub(super) fn debugging(level: f64, pen: &mut Pen<'_>) -> String {
    let snippets = pen.count(level, 1, 4);
    let code: Vec<String> = (0..snippets).map(|_| snippet(pen)).collect();
    let needs = pen.count(level, 0, 2);
    let needs = pen.several("code_need", needs).join(" ");
    format!("{} {needs}\n```\n{}\n```", pen.say("debug_ask"), code.join("\n\n"))
}

pub(super) fn sql(level: f64, pen: &mut Pen<'_>) -> String {
    let tables = pen.count(level, 1, 4);
    let tables = pen.several("table_name", tables);
    let mut schema = Vec::with_capacity(tables.len());
    for (i, table) in tables.iter().enumerate() {
        let columns = pen.count(level, 2, 6);
        let columns = pen.several("column", columns).join(", ");
        let parent = i.checked_sub(1).map_or(String::new(), |p| format!(", {}_id INT", tables[p]));
        schema.push(format!("CREATE TABLE {table} (id INT PRIMARY KEY{parent}, {columns});"));
    }
    let needs = pen.count(level, 0, 3);
    let needs = pen.several("sql_need", needs).join(" ");
    format!("{} {needs}\n\n{}", pen.say("sql_ask"), schema.join("\n"))
}

pub(super) fn table_question(level: f64, pen: &mut Pen<'_>) -> String {
    let rows = pen.count(level, 3, 24);
    let columns = pen.count(level, 2, 5);
    let table = table(rows, columns, pen);
    let needs = pen.count(level, 0, 3);
    let needs = pen.several("table_need", needs).join(" ");
    format!("{} {needs}\n\n{table}", pen.say("table_ask"))
}

pub(super) fn arithmetic(level: f64, pen: &mut Pen<'_>) -> String {
    let steps = pen.count(level, 0, 5);
    let mut parts = vec![pen.say("sum_start")];
    parts.extend(pen.several("sum_step", steps));
    parts.push(pen.say("sum_ask"));
    parts.join(" ")
}

pub(super) fn logic(level: f64, pen: &mut Pen<'_>) -> String {
    let rules = pen.count(level, 1, 7);
    let mut parts = vec![pen.say("logic_start")];
    parts.extend(pen.several("logic_rule", rules));
    parts.push(pen.say("logic_ask"));
    parts.join(if pen.chance(0.4) { "\n" } else { " " })
}

/// A piece of code with names of its own.
fn snippet(pen: &mut Pen<'_>) -> String {
    let names = pen.several("ident", 3);
    let verb = pen.say("verb_ident");
    pen.say("snippet")
        .replace("{f}", &format!("{verb}_{}", names[0]))
        .replace("{a}", &names[0])
        .replace("{b}", &names[1])
        .replace("{v}", &names[2])
}

/// A table of figures by city, as Markdown or as CSV.
fn table(rows: usize, columns: usize, pen: &mut Pen<'_>) -> String {
    let (edge, gap) = if pen.chance(0.6) { ("|", " | ") } else { ("", ",") };
    let months = pen.several("month", columns);
    let mut lines = vec![format!("{edge}city{gap}team{gap}{}{edge}", months.join(gap))];
    if edge == "|" {
        lines.push(format!("|{}", "---|".repeat(columns + 2)));
    }
    for _ in 0..rows {
        let figures: Vec<String> = (0..columns).map(|_| pen.number(10, 4000).to_string()).collect();
        let (city, team) = (pen.say("city"), pen.say("team"));
        lines.push(format!("{edge}{city}{gap}{team}{gap}{}{edge}", figures.join(gap)));
    }
    lines.join("\n")
}
