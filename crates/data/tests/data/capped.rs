//! A cap on requests, and groups that belong together.

use std::collections::{BTreeMap, BTreeSet};

use farthing_data::{LeftOut, ReadOptions, RequestCap};

use crate::{Got, read};

const REQUESTS: usize = 600;

/// Three candidates on each request, every fourth prompt asked again in other letters, and now and
/// then a row that cannot be used.
fn rows() -> Vec<String> {
    let row = |i: usize| {
        let (request, model) = (i / 3, ["a", "b", "c"][i % 3]);
        let asked = if request % 4 == 3 { request - 1 } else { request };
        let prompt = if request % 4 == 3 { "WHAT is" } else { "what is" };
        let score = if i % 50 == 7 { 7.0 } else { (i % 11) as f64 / 10.0 };
        format!(
            r#"{{"request_id": "r{request}", "prompt": "{prompt} {asked}?", "model": "{model}", "score": {score}}}"#
        )
    };
    (0..3 * REQUESTS).map(row).collect()
}

/// The rows in an order that a seed gives them; rows of one request lie far apart.
fn shuffled(seed: u64) -> Vec<String> {
    let mut rows = rows();
    let place = |row: &String| farthing_core::Digest::of(format!("{seed} {row}").as_bytes());
    rows.sort_by_cached_key(place);
    rows
}

fn capped(rows: &[String], max_requests: usize, seed: u64) -> Got {
    let cap = Some(RequestCap { max_requests, seed });
    read("log.ndjson", rows.join("\n"), &ReadOptions { cap, ..ReadOptions::default() })
}

#[test]
fn any_order_of_rows_gives_the_same_sample() {
    let [first, second, third] = [1, 2, 3].map(|order| capped(&shuffled(order), 100, 0));
    assert_eq!(first.dataset(), second.dataset());
    assert_eq!(first.dataset(), third.dataset());
    assert_eq!(first.report(), second.report());
    assert_ne!(capped(&rows(), 100, 1).dataset(), first.dataset(), "another seed");
}

#[test]
fn what_is_kept_is_whole_and_the_rest_is_counted() {
    let all = read("log.ndjson", rows().join("\n"), &ReadOptions::default());
    let got = capped(&shuffled(5), 100, 0);
    let kept = &got.dataset().records;
    assert!((99..=100).contains(&kept.len()), "one near-duplicate pair may not fit in");
    let whole: BTreeMap<_, _> = all.dataset().records.iter().map(|r| (&r.key, r)).collect();
    assert!(kept.iter().all(|record| whole[&record.key] == record), "no row of a kept one is lost");
    let groups: BTreeSet<u64> = kept.iter().map(|record| record.group).collect();
    let of_groups = all.dataset().records.iter().filter(|record| groups.contains(&record.group));
    assert_eq!(of_groups.count(), kept.len());
    assert!(groups.len() < kept.len(), "near-duplicates are among them");

    let rows_of = |records: &[farthing_data::Record]| records.iter().map(|r| r.cells.len()).sum();
    let (rows_kept, rows_of_all): (usize, usize) = (rows_of(kept), rows_of(&all.dataset().records));
    let left_out = LeftOut {
        max_requests: 100,
        requests: (REQUESTS - kept.len()) as u64,
        rows: (rows_of_all - rows_kept) as u64,
    };
    assert_eq!(got.dataset().left_out, Some(left_out));
    assert_eq!(got.rejects.len(), all.rejects.len());
    assert_eq!(got.report().rejected, all.report().rejected);
    assert_eq!(got.report().rows, all.report().rows);
}

#[test]
fn a_cap_that_everything_fits_in_changes_nothing() {
    let all = read("log.ndjson", rows().join("\n"), &ReadOptions::default());
    assert_eq!(capped(&rows(), REQUESTS, 0).dataset(), all.dataset());
}

#[test]
fn a_log_of_one_prompt_says_that_it_does_not_fit() {
    let row = |i: usize| format!(r#"{{"request_id": "{i}", "prompt": "ping", "model": "a"}}"#);
    let rows: Vec<String> = (0..40).map(row).collect();
    let got = capped(&rows, 100, 0);
    assert!(got.error().contains("40 of 40 near-duplicate requests"), "{}", got.error());
    assert!(got.error().contains("--max-requests"), "{}", got.error());
}

#[test]
fn a_column_joins_what_near_duplicates_leave_apart() {
    let csv = "request_id,prompt,model,tenant\n\
               1,alpha,a,x\n\
               2,beta,a,x\n\
               3,gamma,a,\n\
               4,Beta!,a,y\n\
               5,delta,a,y\n\
               6,epsilon,a,\n";
    let group = Some("tenant".to_owned());
    let got = read("log.csv", csv, &ReadOptions { group, ..ReadOptions::default() });
    let records = &got.dataset().records;
    let group = |id: &str| {
        records.iter().find(|r| r.request_id.as_deref() == Some(id)).map(|r| r.group).unwrap()
    };
    assert_eq!(got.dataset().group_column.as_deref(), Some("tenant"));
    // Tenants x and y share a prompt; rows without a tenant are on their own.
    assert!(["2", "4", "5"].iter().all(|id| group(id) == group("1")));
    assert_eq!(BTreeSet::from(["1", "3", "6"].map(group)).len(), 3);

    let group = Some("tenat".to_owned());
    let got = read("log.csv", csv, &ReadOptions { group, ..ReadOptions::default() });
    assert!(got.error().contains("did you mean `tenant`?"), "{}", got.error());
}
