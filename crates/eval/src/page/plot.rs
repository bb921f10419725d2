//! Axes, grid and curves, drawn by `plotters` as SVG. Marks, labels and anything else with a name
//! from the log are laid over it by the callers.
//!
//! Colours are stand-ins: the style sheet selects lines and text by them and gives each its colour
//! and dashes, in light and in dark.

use std::ops::Range;

use maud::{Markup, PreEscaped};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, Color as _, DrawingArea, DrawingAreaErrorKind,
    DrawingBackend, IntoDrawingArea, IntoFont, LineSeries, RGBColor, SVGBackend, ShapeStyle,
};

/// `plotters` rounds to whole units; four of them are a pixel.
const UNITS: u32 = 4;
/// Height of text in `plotters` over its height in SVG.
const FONT_RATIO: f64 = 1.24;

/// What a line or a text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Grid,
    Axis,
    Text,
    Router,
    FittedZero,
    HindsightHull,
    Diagonal,
}

impl Ink {
    #[cfg(test)]
    const ALL: [Self; 7] = [
        Self::Grid,
        Self::Axis,
        Self::Text,
        Self::Router,
        Self::FittedZero,
        Self::HindsightHull,
        Self::Diagonal,
    ];

    /// The stand-in that the style sheet knows.
    fn color(self) -> RGBColor {
        RGBColor(1, 1, self as u8 + 1)
    }

    fn line(self, pixels: u32) -> ShapeStyle {
        self.color().stroke_width(UNITS * pixels)
    }
}

/// An axis: its range, its ticks with their text, and its title.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) range: Range<f64>,
    pub(super) ticks: Vec<(f64, String)>,
    pub(super) title: String,
}

/// Axes of a size in pixels, and curves.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) curves: Vec<(Ink, Vec<(f64, f64)>)>,
}

/// A drawn plot, and where in it a point of its plane lies.
#[derive(Debug)]
pub(super) struct Drawing {
    pub(super) svg: Markup,
    /// Pixels of the plotting area, from left to right and from top to bottom.
    pub(super) left_right: (f64, f64),
    pub(super) top_bottom: (f64, f64),
    x: Range<f64>,
    y: Range<f64>,
}

type Failure<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

/// A linear axis with ticks of our own.
#[derive(Clone)]
struct Scale(Axis);

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let place = along((f64::from(from), f64::from(to)), share(*value, &self.0.range));
        #[expect(clippy::cast_possible_truncation, reason = "between the ends")]
        let rounded = place.round() as i32;
        rounded
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.0.ticks.iter().map(|tick| tick.0).collect()
    }

    fn range(&self) -> Range<f64> {
        self.0.range.clone()
    }
}

impl Plot {
    /// Draws; `None` where the library refuses, which it has no reason to.
    pub(super) fn draw(&self) -> Option<Drawing> {
        let mut svg = String::new();
        let area = self.draw_into(&mut svg).ok()?;
        let inner = svg.split_once('>')?.1.trim_end().strip_suffix("</svg>")?;
        let scaled = format!("<g transform=\"scale({})\">{inner}</g>", 1.0 / f64::from(UNITS));
        let pixels = |range: Range<i32>| {
            let units = f64::from(UNITS);
            (f64::from(range.start) / units, f64::from(range.end) / units)
        };
        Some(Drawing {
            svg: PreEscaped(scaled),
            left_right: pixels(area.0),
            top_bottom: pixels(area.1),
            x: self.x.range.clone(),
            y: self.y.range.clone(),
        })
    }

    /// Returns the plotting area in units.
    fn draw_into<'a>(&self, svg: &'a mut String) -> Result<(Range<i32>, Range<i32>), Failure<'a>> {
        let size = (UNITS * self.width, UNITS * self.height);
        let root: DrawingArea<SVGBackend<'a>, Shift> =
            SVGBackend::with_string(svg, size).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_top(UNITS * 10)
            .margin_right(UNITS * 12)
            .x_label_area_size(UNITS * 40)
            .y_label_area_size(UNITS * 52)
            .build_cartesian_2d(Scale(self.x.clone()), Scale(self.y.clone()))?;
        self.draw_axes(&mut chart)?;
        for (ink, points) in &self.curves {
            let style = ink.line(if *ink == Ink::Router { 3 } else { 2 });
            chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
        }
        let area = chart.plotting_area().get_pixel_range();
        drop(chart);
        root.present()?;
        Ok(area)
    }

    fn draw_axes<'a>(
        &self,
        chart: &mut ChartContext<'_, SVGBackend<'a>, Cartesian2d<Scale, Scale>>,
    ) -> Result<(), Failure<'a>> {
        let font = ("sans-serif", 12.0 * FONT_RATIO * f64::from(UNITS));
        let text = font.into_font().color(&Ink::Text.color());
        let of = |axis: &Axis, at: f64| {
            let tick = axis.ticks.iter().find(|(tick, _)| tick.total_cmp(&at).is_eq());
            tick.map(|(_, text)| text.clone()).unwrap_or_default()
        };
        chart
            .configure_mesh()
            .bold_line_style(Ink::Grid.line(1))
            .light_line_style(ShapeStyle { color: Ink::Grid.color().mix(0.0), ..Ink::Grid.line(1) })
            .axis_style(Ink::Axis.line(1))
            .label_style(text.clone())
            .axis_desc_style(text)
            .x_desc(&self.x.title)
            .y_desc(&self.y.title)
            .x_label_formatter(&|at| of(&self.x, *at))
            .y_label_formatter(&|at| of(&self.y, *at))
            .draw()
    }
}

impl Drawing {
    /// Pixels of a point, from the upper left corner; points outside go to the edge.
    pub(super) fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (top, bottom) = self.top_bottom;
        (along(self.left_right, share(x, &self.x)), along((bottom, top), share(y, &self.y)))
    }
}

/// How far along a range a value is, from 0 to 1.
fn share(value: f64, range: &Range<f64>) -> f64 {
    ((value - range.start) / (range.end - range.start)).clamp(0.0, 1.0)
}

fn along((from, to): (f64, f64), share: f64) -> f64 {
    from + share * (to - from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::ticks::linear_ticks;

    #[test]
    fn the_style_sheet_knows_every_ink() {
        let css = include_str!("page.css");
        for ink in Ink::ALL {
            let RGBColor(r, g, b) = ink.color();
            let stand_in = format!("#{r:02X}{g:02X}{b:02X}");
            assert!(css.contains(&stand_in), "{ink:?} {stand_in}");
        }
    }

    #[test]
    fn points_lie_where_the_library_draws_them() {
        let axis =
            || Axis { range: 0.0..1.0, ticks: linear_ticks(&(0.0..1.0), 5), title: "t".to_owned() };
        let curve = vec![(0.25, 0.5), (1.0, 1.0)];
        let plot = Plot {
            width: 400,
            height: 300,
            x: axis(),
            y: axis(),
            curves: vec![(Ink::Router, curve)],
        };
        let drawing = plot.draw().unwrap();
        let (x, y) = drawing.place((0.25, 0.5));
        let units = |pixels: f64| pixels * f64::from(UNITS);
        let svg = drawing.svg.into_string();
        let drawn = svg.rsplit_once("points=\"").unwrap().1.split(' ').next().unwrap();
        let (drawn_x, drawn_y) = drawn.split_once(',').unwrap();
        assert!((drawn_x.parse::<f64>().unwrap() - units(x)).abs() <= 1.0, "{drawn} {x}");
        assert!((drawn_y.parse::<f64>().unwrap() - units(y)).abs() <= 1.0, "{drawn} {y}");
    }
}
