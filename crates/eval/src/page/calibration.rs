//! Whether what is predicted comes true as often as it says.

use maud::{Markup, html};

use super::number::{Unit, counted, figure, show_or_dash};
use super::plot::{Axis, Ink, Plot};
use super::table::{Cell, Table};
use super::ticks::linear_ticks;
use crate::CalibrationFigures;
use crate::metrics::ReliabilityBin;

const SIDE: u32 = 420;

/// The plot, its figures and its table.
pub(super) fn render(figures: &CalibrationFigures) -> Markup {
    if figures.outcomes == 0 {
        return super::withheld("calibration", Some("no answer was judged"));
    }
    html! {
        p {
            "For " (counted(figures.outcomes, "judged answer")) ": how often the bar was met against the predicted "
            "probability of meeting it. On the diagonal, predictions can be taken at their word."
        }
        div.beside {
            figure.reliability { @if let Some(plot) = plot(figures) { (plot) } }
            (facts(figures))
        }
        details { summary { "The points as a table, and every model on its own" } (bins(&figures.bins)) (candidates(figures)) }
    }
}

fn facts(figures: &CalibrationFigures) -> Markup {
    let estimates = &figures.estimates;
    let measured = [
        ("calibration error (ECE, 15 bins)", &estimates.ece),
        ("Brier score", &estimates.brier),
        ("log loss, nats", &estimates.log_loss),
    ];
    let (recalibration, parts) = (figures.recalibration.as_ref(), figures.brier_parts.as_ref());
    let derived = [
        ("slope of outcomes on predictions; 1 is right", recalibration.map(|line| line.slope)),
        (
            "resolution: how far predictions tell requests apart",
            parts.map(|parts| parts.resolution),
        ),
        ("calibration error near the decision", figures.near_threshold_ece),
    ];
    html! {
        dl.facts {
            @for (what, estimate) in measured {
                div { dt { (what) } dd { (figure(estimate.as_ref(), Unit::Quality)) } }
            }
            @for (what, value) in derived {
                div { dt { (what) } dd { (show_or_dash(value, Unit::Quality)) } }
            }
        }
    }
}

fn plot(figures: &CalibrationFigures) -> Option<Markup> {
    let axis = |title: &str| Axis {
        range: 0.0..1.0,
        ticks: linear_ticks(&(0.0..1.0), 5),
        title: title.to_owned(),
    };
    let drawing = Plot {
        width: SIDE,
        height: SIDE,
        x: axis("Predicted probability of meeting the bar"),
        y: Axis { ticks: linear_ticks(&(0.1..1.0), 5), ..axis("Share that met it") },
        curves: vec![(Ink::Diagonal, vec![(0.0, 0.0), (1.0, 1.0)])],
    }
    .draw()?;
    let point = |bin: &ReliabilityBin| drawing.place((bin.mean_predicted, bin.share_met));
    let line: Vec<String> = figures
        .bins
        .iter()
        .map(|bin| {
            let (x, y) = point(bin);
            format!("{x:.1},{y:.1}")
        })
        .collect();
    Some(html! {
        svg.plot viewBox={ "0 0 " (SIDE) " " (SIDE) } role="img" aria-labelledby="reliability-title reliability-desc" {
            title id="reliability-title" { "Reliability of the predicted probabilities" }
            desc id="reliability-desc" { (description(figures)) }
            (drawing.svg)
            polyline.line-router points=(line.join(" ")) {}
            @for bin in &figures.bins {
                @let (x, y) = point(bin);
                g.mark transform={ "translate(" (format!("{x:.1} {y:.1}")) ")" } {
                    title {
                        "predicted " (format!("{:.3}", bin.mean_predicted)) ", met " (format!("{:.3}", bin.share_met))
                        ", " (counted(bin.count, "answer"))
                    }
                    circle.hull r="4.5" {}
                    circle.touch r="10" {}
                }
            }
        }
    })
}

fn description(figures: &CalibrationFigures) -> String {
    let gap = |bin: &ReliabilityBin| (bin.mean_predicted - bin.share_met).abs();
    let widest = figures.bins.iter().max_by(|a, b| gap(a).total_cmp(&gap(b)));
    let widest = widest.map(|bin| {
        format!(" The widest gap: predicted {:.3}, met {:.3}.", bin.mean_predicted, bin.share_met)
    });
    format!(
        "{} points near the diagonal are good.{}",
        figures.bins.len(),
        widest.unwrap_or_default()
    )
}

fn bins(bins: &[ReliabilityBin]) -> Markup {
    let row = |bin: &ReliabilityBin| {
        let cells = vec![
            Cell::number(Some(bin.mean_predicted), Unit::Quality),
            Cell::number(Some(bin.share_met), Unit::Quality),
            Cell::count(bin.count),
        ];
        (html! { (format!("{:.3} to {:.3}", bin.from, bin.to)) }, cells)
    };
    Table {
        caption: "Predicted probability against what came true, in bins of equal size",
        columns: &["predicted between", "mean predicted", "met the bar", "answers"],
        rows: bins.iter().map(row).collect(),
    }
    .render()
}

fn candidates(figures: &CalibrationFigures) -> Markup {
    let row = |candidate: &crate::CandidateCalibration| {
        let cells =
            vec![Cell::number(candidate.ece, Unit::Quality), Cell::count(candidate.outcomes)];
        (html! { (candidate.model) }, cells)
    };
    Table {
        caption: "Calibration error of each model's probabilities",
        columns: &["model", "ECE", "judged answers"],
        rows: figures.candidates.iter().map(row).collect(),
    }
    .render_sortable()
}
