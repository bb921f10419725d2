//! The report as tables for a person at a terminal of 100 columns: what matters most stands first.
//! What a table leaves out is in the report's JSON.

mod baselines;
mod format;
mod parts;
mod plane;
mod summary;
mod trust;
mod worst;

use farthing_eval::Report;

/// Every section of the report, one after the other.
pub(super) fn render(report: &Report) -> String {
    let mut text = summary::headline(report);
    text += &summary::data(report);
    text += &summary::policy(&report.policy);
    text += &plane::sections(report);
    text += &baselines::singles(report);
    if let Some(frontier) = &report.frontier {
        text += &baselines::baselines(frontier);
    }
    text += &baselines::decisions(&report.decisions);
    text += &parts::slices(&report.slices);
    text += &parts::robustness(&report.robustness);
    text += &trust::calibration(&report.calibration);
    text += &trust::certificate(report);
    if let Some(pair) = &report.pair {
        text += &plane::pair(pair);
    }
    if let Some(worst) = &report.worst {
        text += &worst::requests(worst);
    }
    let told = report.published.iter().filter(|metric| metric.estimate.is_some()).count();
    text + &format::section(
        &format!("{told} published metrics of routers, each with its source, are in --json"),
        "",
    )
}
