//! The cost/quality plane as a picture, once for wide screens and once for phones.
//!
//! The cost axis is logarithmic: candidates' prices differ by orders of magnitude.

use std::ops::Range;

use maud::{Markup, html};

use super::dial::Setting;
use super::labels::{self, Wanted};
use super::number::{Unit, show};
use super::plot::{Axis, Drawing, Ink, Plot};
use super::ticks::{cost_ticks, linear_ticks};
use crate::Frontier;

/// What is drawn.
pub(super) struct Plane<'a> {
    pub(super) frontier: &'a Frontier,
    pub(super) settings: &'a [Setting<'a>],
    /// Position of the setting that is marked at first.
    pub(super) chosen: usize,
}

/// A screen to draw for.
struct Screen {
    name: &'static str,
    width: u32,
    height: u32,
    quality_ticks: u32,
}

const SCREENS: [Screen; 2] = [
    Screen { name: "wide", width: 960, height: 520, quality_ticks: 6 },
    Screen { name: "narrow", width: 360, height: 400, quality_ticks: 5 },
];

/// A point of the plane: cost in USD and quality.
type Point = (f64, f64);

/// What a mark stands for, which is also its class in the style sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Single,
    Hull,
    Oracle,
    Policy,
}

struct Mark<'a> {
    kind: Kind,
    at: Point,
    name: &'a str,
}

impl<'a> Plane<'a> {
    /// Both drawings; `None` where nothing costs anything.
    pub(super) fn render(&self) -> Option<Markup> {
        let marks = self.marks();
        let costs = marks.iter().map(|mark| mark.at.0).chain(self.settings.iter().map(|s| s.at.0));
        let costs: Vec<f64> = costs.filter(|cost| *cost > 0.0).collect();
        let x = padded(costs.iter().map(|cost| cost.log10()))?;
        let qualities = marks.iter().map(|mark| mark.at.1);
        let y = padded(qualities.chain(self.settings.iter().map(|setting| setting.at.1)))?;
        let drawings: Option<Vec<Markup>> = SCREENS
            .iter()
            .map(|screen| self.draw(screen, &marks, (x.clone(), y.clone())))
            .collect();
        let drawings = drawings?;
        Some(html! {
            figure.plane {
                figcaption { (legend()) }
                @for drawing in &drawings { (drawing) }
            }
        })
    }

    fn marks(&self) -> Vec<Mark<'a>> {
        let Frontier { singles, hindsight_zero_hull: hull, oracle, .. } = self.frontier;
        let is_hull = |name: &str| hull.iter().any(|corner| corner.model == name);
        let single = |single: &'a crate::SingleModel| Mark {
            kind: if is_hull(&single.model) { Kind::Hull } else { Kind::Single },
            at: (single.cost_usd.value, single.quality.value),
            name: &single.model,
        };
        let mut marks: Vec<Mark<'a>> = singles.iter().map(single).collect();
        let at = (oracle.cost_usd.value, oracle.quality.value);
        marks.push(Mark { kind: Kind::Oracle, at, name: "oracle" });
        if let Some(policy) = &self.frontier.policy {
            let at = (policy.cost_usd.value, policy.quality.value);
            marks.push(Mark { kind: Kind::Policy, at, name: "default policy" });
        }
        marks
    }

    fn draw(
        &self,
        screen: &Screen,
        marks: &[Mark<'_>],
        (x, y): (Range<f64>, Range<f64>),
    ) -> Option<Markup> {
        let curves = self.curves();
        let on_axes = |(ink, points): &(Ink, Vec<Point>)| (*ink, points.iter().map(log).collect());
        let drawing = Plot {
            width: screen.width,
            height: screen.height,
            y: Axis {
                ticks: linear_ticks(&y, screen.quality_ticks),
                title: "Quality (mean score)".to_owned(),
                range: y,
            },
            x: Axis {
                ticks: cost_ticks(&x),
                title: "Cost of 1,000 requests in USD, log scale".to_owned(),
                range: x,
            },
            curves: curves.iter().map(on_axes).collect(),
        }
        .draw()?;
        let place = |point: &Point| drawing.place(log(point));
        let drawn: Vec<Point> = curves.iter().flat_map(|(_, points)| points).map(place).collect();
        let labels = self.labels(marks, &drawing, &drawn);
        let [title, desc] = ["title", "desc"].map(|part| format!("plane-{}-{part}", screen.name));
        Some(html! {
            svg class={ "plot " (screen.name) } viewBox={ "0 0 " (screen.width) " " (screen.height) }
                role="img" aria-labelledby={ (title) " " (desc) } {
                title id=(title) { "Cost against quality" }
                desc id=(desc) { (self.description()) }
                (drawing.svg)
                @for mark in marks { (draw_mark(mark, place(&mark.at))) }
                @for label in &labels {
                    text.label x=(format!("{:.1}", label.x)) y=(format!("{:.1}", label.y)) { (label.text) }
                }
                (self.marker(&drawing))
            }
        })
    }

    /// What is drawn as lines, in USD, the router's on top.
    fn curves(&self) -> [(Ink, Vec<Point>); 3] {
        let Frontier { hindsight_zero_hull: hull, fitted_zero_hull: zero, .. } = self.frontier;
        let hull: Vec<Point> = hull.iter().map(|s| (s.cost_usd.value, s.quality.value)).collect();
        let zero: Vec<Point> = zero.iter().map(|p| (p.cost_usd, p.quality)).collect();
        let router: Vec<Point> = self.settings.iter().map(|setting| setting.at).collect();
        [
            (Ink::HindsightHull, along(&hull)),
            (Ink::FittedZero, along(&zero)),
            (Ink::Router, along(&router)),
        ]
    }

    /// The marker, and the places of all settings, between which the script moves it.
    fn marker(&self, drawing: &Drawing) -> Markup {
        let places = self.settings.iter().map(|setting| drawing.place(log(&setting.at)));
        let places: Vec<Point> = places.collect();
        let track: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        html! {
            @if let Some((x, y)) = places.get(self.chosen) {
                g.marker data-track=(track.join(" ")) transform={ "translate(" (format!("{x:.1} {y:.1}")) ")" } {
                    circle.halo r="11" {}
                    circle r="8" {}
                    circle.core r="3" {}
                }
            }
        }
    }

    /// Labels of what the reader looks for first: oracle, policy, best single, then the hull.
    fn labels(
        &self,
        marks: &[Mark<'_>],
        drawing: &Drawing,
        curves: &[Point],
    ) -> Vec<labels::Placed> {
        let best = self.frontier.best_single.model.as_str();
        let rank = |mark: &Mark<'_>| match mark.kind {
            Kind::Oracle | Kind::Policy => 0,
            Kind::Single | Kind::Hull if mark.name == best => 1,
            Kind::Hull => 2,
            Kind::Single => 3,
        };
        let mut named: Vec<&Mark<'_>> = marks.iter().filter(|mark| rank(mark) < 3).collect();
        named.sort_by_key(|mark| rank(mark));
        let place = |mark: &Mark<'_>| drawing.place(log(&mark.at));
        let wanted =
            named.iter().map(|mark| Wanted { at: place(mark), text: mark.name.to_owned() });
        let ((left, right), (top, bottom)) = (drawing.left_right, drawing.top_bottom);
        let points: Vec<Point> = marks.iter().map(place).collect();
        labels::place(wanted.collect(), [left, top, right + 8.0, bottom], &points, curves)
    }

    /// The picture in words.
    fn description(&self) -> String {
        let Frontier { singles, best_single, oracle, .. } = self.frontier;
        let at = |quality: f64, cost: f64| {
            format!("quality {} at {} USD", show(quality, Unit::Quality), show(cost, Unit::Usd))
        };
        let dial = self.settings.first().zip(self.settings.last()).map(|(first, last)| {
            format!(
                " The router's dial runs from {} to {}.",
                at(first.at.1, first.at.0),
                at(last.at.1, last.at.0)
            )
        });
        format!(
            "{} single models, the best of them {}: {}.{} The oracle: {}. Costs are of 1,000 requests. The tables below have every point.",
            singles.len(),
            best_single.model,
            at(best_single.quality.value, best_single.cost_usd.value),
            dial.unwrap_or_default(),
            at(oracle.quality.value, oracle.cost_usd.value),
        )
    }
}

fn draw_mark(mark: &Mark<'_>, (x, y): Point) -> Markup {
    let (cost, quality) = mark.at;
    html! {
        g.mark transform={ "translate(" (format!("{x:.1} {y:.1}")) ")" } {
            title {
                (mark.name) ": quality " (show(quality, Unit::Quality)) " at "
                (show(cost, Unit::Usd)) " USD per 1,000 requests"
            }
            (shape(mark.kind))
            circle.touch r="12" {}
        }
    }
}

/// Each kind has a shape of its own: colour alone says nothing.
fn shape(kind: Kind) -> Markup {
    html! {
        @match kind {
            Kind::Single => circle.single r="4" {},
            Kind::Hull => circle.hull r="5" {},
            Kind::Oracle => path.oracle d="M0-8 6 0 0 8-6 0Z" {},
            Kind::Policy => path.policy d="M0-8 8 6-8 6Z" {},
        }
    }
}

fn legend() -> Markup {
    let swatch = |content: Markup| {
        html! { svg.swatch viewBox="-12 -9 24 18" aria-hidden="true" focusable="false" { (content) } }
    };
    let line = |class: &str| swatch(html! { path class=(class) d="M-12 0H12" {} });
    let marks = [
        (line("line-router"), "this router, cheapest to dearest setting"),
        (line("line-hull"), "random mixes of single models, in hindsight"),
        (line("line-zero"), "zero router: training averages only"),
        (swatch(html! { g.marker { circle r="7" {} circle.core r="3" {} } }), "chosen setting"),
        (swatch(shape(Kind::Policy)), "default policy"),
        (swatch(shape(Kind::Oracle)), "oracle: cheapest that met the bar"),
        (swatch(shape(Kind::Hull)), "single model on their hull"),
        (swatch(shape(Kind::Single)), "other single model"),
    ];
    html! {
        ul.legend { @for (swatch, text) in marks { li { (swatch) (text) } } }
    }
}

/// A point on the plot's axes; one without a cost goes to the edge.
fn log((cost, quality): &Point) -> Point {
    (cost.max(f64::MIN_POSITIVE).log10(), *quality)
}

/// A little more than the range of the values.
fn padded(values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if !low.is_finite() || !high.is_finite() {
        return None;
    }
    let margin = (0.06 * (high - low)).max(0.01);
    Some(low - margin..high + margin)
}

/// Straight lines between points, cut fine: a mix of two points is a curve on a logarithmic axis.
fn along(points: &[Point]) -> Vec<Point> {
    const STEPS: u32 = 24;
    let between = |pair: &[Point]| {
        let (a, b) = (pair[0], pair[1]);
        let at = move |step: u32| {
            let share = f64::from(step) / f64::from(STEPS);
            (a.0 + share * (b.0 - a.0), a.1 + share * (b.1 - a.1))
        };
        (0..STEPS).map(at)
    };
    points.windows(2).flat_map(between).chain(points.last().copied()).collect()
}
