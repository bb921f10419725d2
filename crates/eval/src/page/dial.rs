//! The slider over the dial: the page carries every setting's text, and the script only shows it.

use maud::{Markup, PreEscaped, html};
use serde::Serialize;

use super::number::{Unit, range, show, significant};
use super::table::{Cell, Table};
use crate::{DialSetting, Frontier};

/// A setting of the dial and its place on the plane.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    /// Cost in USD and quality.
    pub(super) at: (f64, f64),
    pub(super) of: &'a DialSetting,
}

/// Settings by rising cost, one of each that chooses alike.
pub(super) fn settings(frontier: &Frontier) -> Vec<Setting<'_>> {
    let at = |of: &DialSetting| (of.cost_usd.value, of.quality.value);
    let settings = frontier.dial.iter().map(|of| Setting { at: at(of), of });
    let mut settings: Vec<Setting<'_>> = settings.collect();
    settings.sort_by(|a, b| a.at.0.total_cmp(&b.at.0).then(a.at.1.total_cmp(&b.at.1)));
    settings.dedup_by(|a, b| a.of.mix_pct == b.of.mix_pct && a.at == b.at);
    settings
}

/// The cheapest setting as good as the best single model, else the best one.
pub(super) fn first_choice(frontier: &Frontier, settings: &[Setting<'_>]) -> usize {
    let enough = frontier.best_single.quality.value;
    let best = (0..settings.len()).max_by(|&a, &b| settings[a].at.1.total_cmp(&settings[b].at.1));
    settings.iter().position(|setting| setting.at.1 >= enough).or(best).unwrap_or_default()
}

/// What the page says of a setting; field names are those of the script.
#[derive(Serialize)]
struct Readout {
    saving: String,
    saving_range: String,
    quality: String,
    quality_range: String,
    cost: String,
    lambda: String,
    spoken: String,
    /// Percent of the requests of each model, in the order of the list.
    mix: Vec<f64>,
}

impl Readout {
    fn new(setting: &DialSetting, best_single: &str) -> Self {
        let saving = setting.saving_pct.map_or("–".to_owned(), |e| show(e.value, Unit::Percent));
        let quality = show(setting.quality.value, Unit::Quality);
        let cost = show(setting.cost_usd.value, Unit::Usd);
        Self {
            spoken: format!(
                "saves {saving} against {best_single}, quality {quality}, {cost} USD per 1,000 requests"
            ),
            saving_range: setting
                .saving_pct
                .and_then(|e| range(&e, Unit::Percent))
                .unwrap_or_default(),
            quality_range: range(&setting.quality, Unit::Quality).unwrap_or_default(),
            lambda: significant(setting.lambda),
            mix: setting.mix_pct.iter().map(|share| (10.0 * share).round() / 10.0).collect(),
            saving,
            quality,
            cost,
        }
    }
}

/// The slider, what it says, and a table for those without script.
pub(super) fn render(frontier: &Frontier, settings: &[Setting<'_>], chosen: usize) -> Markup {
    let best = frontier.best_single.model.as_str();
    let readouts: Vec<Readout> = settings.iter().map(|s| Readout::new(s.of, best)).collect();
    let Some(now) = readouts.get(chosen) else { return html! {} };
    html! {
        div.dial {
            h3 id="dial-title" { "Turn the dial" }
            p {
                "How much quality is a dollar worth to you? Each setting sends every request to the model with the best "
                "predicted quality less cost at that price. Figures are what these requests would have come to."
            }
            div.slider hidden {
                label for="dial" { "Setting, from cheapest to dearest" }
                input id="dial" type="range" min="0" max=(settings.len() - 1) step="1" value=(chosen)
                    aria-valuetext=(now.spoken);
                div.ends aria-hidden="true" { span { "cheaper" } span { "dearer" } }
            }
            p.note id="no-script" {
                "The slider needs script. One setting is shown; the table below has others."
            }
            dl.readout {
                (entry("saving", &format!("saved against {best}"), &now.saving, &now.saving_range))
                (entry("quality", "quality", &now.quality, &now.quality_range))
                (entry("cost", "USD per 1,000 requests", &now.cost, ""))
                (entry("lambda", "λ: quality points that a dollar must buy", &now.lambda, ""))
            }
            p.visually-hidden id="dial-live" role="status" {}
            (mix(frontier, &now.mix))
            (some_settings(frontier))
            script id="dial-data" type="application/json" { (embedded(&readouts)) }
        }
    }
}

fn entry(name: &str, what: &str, value: &str, range: &str) -> Markup {
    html! {
        div {
            dt { (what) }
            dd { span.value data-show=(name) { (value) } " " span.interval data-show={ (name) "_range" } { (range) } }
        }
    }
}

/// Who answers how much, as bars.
fn mix(frontier: &Frontier, shares: &[f64]) -> Markup {
    html! {
        h4 { "Who answers at this setting" }
        ul.mix {
            @for (single, share) in frontier.singles.iter().zip(shares) {
                li data-zero[*share <= 0.0] {
                    span.name { (single.model) }
                    (super::table::bar(*share))
                    span.share { (show(*share, Unit::Percent)) }
                }
            }
        }
    }
}

/// The settings that a mix of two others does not beat.
fn some_settings(frontier: &Frontier) -> Markup {
    let hull = &frontier.router_hull;
    let found = hull.iter().filter_map(|p| {
        frontier.dial.iter().find(|setting| setting.lambda.total_cmp(&p.lambda).is_eq())
    });
    let rows = found.map(|setting| {
        let cells = vec![
            Cell::estimate(setting.saving_pct.as_ref(), Unit::Percent),
            Cell::estimate(Some(&setting.quality), Unit::Quality),
            Cell::estimate(Some(&setting.cost_usd), Unit::Usd),
        ];
        (html! { (significant(setting.lambda)) }, cells)
    });
    let table = Table {
        caption: "Settings that no mix of two others beats",
        columns: &["λ", "saved", "quality", "USD per 1,000"],
        rows: rows.collect(),
    };
    html! { details { summary { "The settings worth choosing, as a table" } (table.render()) } }
}

/// JSON inside a script element: nothing in it may close the element.
fn embedded(readouts: &[Readout]) -> Markup {
    // Strings and numbers only: nothing that could fail to become JSON.
    let json = serde_json::to_string(readouts).unwrap_or_default();
    PreEscaped(json.replace('<', "\\u003c"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Estimate;

    #[test]
    fn embedded_json_cannot_leave_its_element() {
        let estimate = Estimate { value: 0.5, low: None, high: None };
        let setting = DialSetting {
            lambda: 1.0,
            quality: estimate,
            cost_usd: estimate,
            saving_pct: None,
            quality_difference: estimate,
            mix_pct: vec![100.0],
        };
        let readout = Readout::new(&setting, "</script><img src=x>");
        let text = embedded(&[readout]).into_string();
        assert!(!text.contains('<'), "{text}");
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(back[0]["spoken"].as_str().unwrap().contains("</script><img src=x>"));
    }
}
