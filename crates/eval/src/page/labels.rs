//! Where the labels of a plot go: beside their points, inside the plot, on top of nothing.

/// Half the side of the square that a mark takes.
const MARK: f64 = 6.0;
/// Height of a label, and how far above its baseline most of it is.
const HEIGHT: f64 = 14.0;
const ASCENT: f64 = 10.0;
/// Mean width of a letter, on the safe side.
const LETTER: f64 = 6.6;
/// Longer labels are cut; the whole name stands in the table and in the tooltip.
const LETTERS: usize = 28;

/// A label that wants a place beside its point.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) at: (f64, f64),
    pub(super) text: String,
}

/// A label with a place: where its baseline begins.
#[derive(Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) text: String,
}

/// A rectangle: left, top, right, bottom.
pub(super) type Rect = [f64; 4];

/// Finds places in the order given, so that the first label has the first choice. A label without a
/// free place is left out. `marks` are never covered, `curves` only where nothing else is left.
pub(super) fn place(
    wanted: Vec<Wanted>,
    area: Rect,
    marks: &[(f64, f64)],
    curves: &[(f64, f64)],
) -> Vec<Placed> {
    let mut taken: Vec<Rect> =
        marks.iter().map(|&(x, y)| [x - MARK, y - MARK, x + MARK, y + MARK]).collect();
    let mut placed = Vec::new();
    for Wanted { at, text } in wanted {
        let text = shorten(&text);
        let boxes = places(at, &text);
        let free = |rect: &&Rect| inside(rect, &area) && !taken.iter().any(|t| overlap(rect, t));
        let clear = |rect: &&Rect| free(rect) && !curves.iter().any(|point| holds(rect, *point));
        if let Some(&rect) = boxes.iter().find(clear).or_else(|| boxes.iter().find(free)) {
            taken.push(rect);
            placed.push(Placed { x: rect[0], y: rect[1] + ASCENT, text });
        }
    }
    placed
}

/// Places around a point, the best first. Farther off it would not be clear whose label it is.
fn places((x, y): (f64, f64), text: &str) -> Vec<Rect> {
    let width = LETTER * text.chars().count() as f64;
    let gap = MARK + 3.0;
    let (right, left, middle) = (x + gap, x - gap - width, x - width / 2.0);
    let (level, above, below) = (y - HEIGHT / 2.0, y - gap - HEIGHT, y + gap);
    let corners = [
        (x - width + MARK, above),
        (right, level),
        (left, level),
        (middle, above),
        (middle, below),
        (x - MARK, below),
        (x - MARK, above),
        (right, below),
        (left, above),
        (right, above),
        (left, below),
    ];
    corners.map(|(left, top)| [left, top, left + width, top + HEIGHT]).into()
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    text.chars().take(LETTERS - 1).chain(['…']).collect()
}

fn inside(rect: &Rect, area: &Rect) -> bool {
    rect[0] >= area[0] && rect[1] >= area[1] && rect[2] <= area[2] && rect[3] <= area[3]
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

fn holds(rect: &Rect, (x, y): (f64, f64)) -> bool {
    x > rect[0] && x < rect[2] && y > rect[1] && y < rect[3]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cover_nothing_and_stay_inside() {
        let marks: Vec<(f64, f64)> = (0..12)
            .map(|i| (60.0 + 30.0 * f64::from(i % 4), 40.0 + 12.0 * f64::from(i / 4)))
            .collect();
        let wanted =
            marks.iter().map(|&at| Wanted { at, text: "a-model-name".to_owned() }).collect();
        let area = [0.0, 0.0, 300.0, 140.0];
        let placed = place(wanted, area, &marks, &[]);
        let rect = |label: &Placed| {
            let top = label.y - ASCENT;
            [label.x, top, label.x + LETTER * 12.0, top + HEIGHT]
        };
        let rects: Vec<Rect> = placed.iter().map(rect).collect();
        assert!(rects.len() >= 3, "{placed:?}");
        for (i, a) in rects.iter().enumerate() {
            assert!(inside(a, &area));
            assert!(!marks.iter().any(|&mark| holds(a, mark)));
            assert!(!rects[..i].iter().any(|b| overlap(a, b)));
        }
    }

    #[test]
    fn long_names_are_cut_at_a_letter() {
        assert_eq!(shorten(&"ü".repeat(40)).chars().count(), LETTERS);
        assert_eq!(shorten("short"), "short");
    }
}
