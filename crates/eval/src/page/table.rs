//! Tables: a caption, headers with a scope, numbers to the right. Where there is script, a sortable
//! table gets buttons in its headers; what a cell sorts by stands beside it.

use maud::{Markup, html};

use super::number::{self, Unit};
use crate::Estimate;

/// A table under construction, row by row.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) caption: &'a str,
    /// The first column is text and names the row.
    pub(super) columns: &'a [&'a str],
    pub(super) rows: Vec<Row>,
}

/// What names a row, and its other cells.
pub(super) type Row = (Markup, Vec<Cell>);

/// A cell, and the number that it sorts by; text sorts as it reads.
#[derive(Debug)]
pub(super) struct Cell {
    content: Markup,
    key: Option<f64>,
    numeric: bool,
}

impl Cell {
    /// Text, or anything that is not a number.
    pub(super) fn text(content: Markup) -> Self {
        Self { content, key: None, numeric: false }
    }

    /// A figure and its interval.
    pub(super) fn estimate(estimate: Option<&Estimate>, unit: Unit) -> Self {
        let content = number::figure(estimate, unit);
        Self { content, key: estimate.map(|estimate| estimate.value), numeric: true }
    }

    /// A number.
    pub(super) fn number(value: Option<f64>, unit: Unit) -> Self {
        let content = html! { (number::show_or_dash(value, unit)) };
        Self { content, key: value, numeric: true }
    }

    /// A count.
    pub(super) fn count(count: u64) -> Self {
        let content = html! { (number::count(count)) };
        Self { content, key: Some(count as f64), numeric: true }
    }

    /// In a column of numbers, why there is none; sorted last.
    pub(super) fn unknown(why: &str) -> Self {
        Self { content: html! { span.unknown { (why) } }, key: None, numeric: true }
    }
}

impl Table<'_> {
    /// In a region that scrolls on its own where the screen is narrow.
    pub(super) fn render(&self) -> Markup {
        self.with_class("")
    }

    /// The same, to be sorted by any column.
    pub(super) fn render_sortable(&self) -> Markup {
        self.with_class("sortable")
    }

    fn with_class(&self, class: &str) -> Markup {
        let numeric = |column: usize| {
            let cell = self.rows.first().and_then(|(_, cells)| cells.get(column.checked_sub(1)?));
            cell.is_some_and(|cell| cell.numeric)
        };
        html! {
            div.scroll role="region" aria-label=(self.caption) tabindex="0" {
                table class=(class) {
                    caption { span { (self.caption) } }
                    thead { tr {
                        @for (i, column) in self.columns.iter().enumerate() {
                            th scope="col" class=[numeric(i).then_some("num")] { (column) }
                        }
                    } }
                    tbody {
                        @for (name, cells) in &self.rows { tr {
                            th scope="row" { (name) }
                            @for cell in cells {
                                td class=[cell.numeric.then_some("num")]
                                    data-key=[cell.key.filter(|key| key.is_finite())] {
                                    (cell.content)
                                }
                            }
                        } }
                    }
                }
            }
        }
    }
}

/// A bar of 0 to 100 percent; the number itself stands beside it.
pub(super) fn bar(share_pct: f64) -> Markup {
    html! {
        svg.bar viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect.track width="100" height="10" {}
            rect.fill width=(format!("{share_pct:.2}")) height="10" {}
        }
    }
}
