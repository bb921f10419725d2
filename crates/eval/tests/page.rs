//! The page of whole reports: what it must never contain, and what it says when a part is missing.
//! How it looks and works is tested in a browser, see `tests/browser`.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

mod made;

use farthing_core::Request;
use farthing_data::{Dataset, Decisions, Record};
use farthing_eval::{EvalOptions, OtherRouter, Report, Subject, evaluate, page};
use farthing_model::SeenPrompts;
use made::{dataset, router};

const HOSTILE: &str = "</script><img src=x onerror=\"alert(1)\">";
const NAMES: [&str; 3] = ["large", "middle", HOSTILE];

fn report(names: &[&str], dataset: &Dataset) -> Report {
    let (router, seen) = (router(names), SeenPrompts::new(0, []));
    let subject = Subject { router: &router, null: None, seen: &seen };
    let decisions = vec![other_router(names[names.len() - 1], dataset)];
    let options =
        EvalOptions { resamples: 100, show_prompts: true, decisions, ..EvalOptions::default() };
    evaluate(subject, dataset, &options, &|_| ()).unwrap()
}

/// One of that name, which sends every request to a model that this one does not have.
fn other_router(name: &str, dataset: &Dataset) -> OtherRouter {
    let model = |record: &Record| (record.key.to_string(), format!("{name}?"));
    let models = dataset.records.iter().map(model).collect();
    OtherRouter {
        name: name.to_owned(),
        decisions: Decisions { models, ignored_columns: Vec::new() },
    }
}

/// A log whose easy requests are of a hostile kind, and whose prompts all are.
fn hostile_log() -> Dataset {
    let mut dataset = dataset(&NAMES, 600);
    for (i, record) in dataset.records.iter_mut().enumerate() {
        let mut context = record.request.context.clone();
        for value in context.values_mut().filter(|value| *value == "easy") {
            HOSTILE.clone_into(value);
        }
        let prompt = format!("{HOSTILE} {i}");
        record.request = Request::from_prompt(prompt).unwrap().with_context(context);
    }
    dataset
}

#[test]
fn what_comes_from_the_log_is_only_text() {
    let html = page(&report(&NAMES, &hostile_log()));
    let escaped = "&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;";
    for place in ["baselines", "models", "policy", "slices", "worst"] {
        let section = html.split_once(&format!("<section id=\"{place}\"")).unwrap().1;
        let section = section.split_once("</section>").unwrap().0;
        assert!(section.contains(escaped), "{place}");
    }
    assert!(!html.contains("<img"));
    // The dial's data and the page's own script.
    assert_eq!((html.matches("<script").count(), html.matches("</script>").count()), (2, 2));
}

#[test]
fn it_refers_to_nothing_outside() {
    let html = page(&report(&["large", "small"], &dataset(&["large", "small"], 600)));
    for outside in ["http:", "https:", "//", "url(", "@import", " src=", " style=", " onclick="] {
        let script = html.rsplit_once("<script>").unwrap().0;
        assert!(!script.contains(outside), "{outside}");
    }
    assert!(html.contains("default-src 'none'; style-src 'sha256-"));
    assert!(!html.contains("unsafe-inline"));
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let report = report(&NAMES, &dataset(&NAMES, 300));
    assert_eq!(page(&report), page(&report.clone()));
}

#[test]
fn a_part_that_is_missing_says_why() {
    let mut dataset = dataset(&NAMES, 300);
    for (i, record) in dataset.records.iter_mut().enumerate() {
        record.cells = vec![record.cells[i % 3]];
    }
    let report = Report { worst: None, ..report(&NAMES, &dataset) };
    let html = page(&report);
    assert!(html.contains("This log cannot say what the router saves"));
    let reason = report.frontier_withheld.unwrap().replace('<', "&lt;");
    let reason = reason.replace('>', "&gt;").replace('"', "&quot;");
    assert!(html.contains(&format!("<strong>No cost/quality plane:</strong> {reason}.")));
    assert!(html.contains("<dt>it needs a router of 2"));
    assert!(html.contains("--show-prompts"));
    assert!(html.contains("Nothing is promised at bar 0.5"));
    assert!(!html.contains("id=\"dial\"") && !html.contains("class=\"plot wide\""));
}

#[test]
fn a_pair_shows_routellms_figures() {
    let names = ["large", "small"];
    let html = page(&report(&names, &dataset(&names, 300)));
    assert!(html.contains("APGR") && html.contains("as the strong one."));
}

#[test]
fn models_that_cost_nothing_have_no_picture_but_a_page() {
    let mut dataset = dataset(&NAMES, 300);
    for cell in dataset.records.iter_mut().flat_map(|record| &mut record.cells) {
        cell.cost_usd = Some(0.0);
    }
    let html = page(&report(&NAMES, &dataset));
    assert!(html.contains("<strong>No picture:</strong> no model costs anything."));
    assert!(!html.contains("NaN") && !html.contains(">inf"));
}
