//! What a dataset holds, and what a report says.

use farthing_core::PriceTable;
use farthing_data::{ReadOptions, Rejects, SplitFilter, read_log};

use crate::{file, read, strings};

#[test]
fn one_record_per_request_with_context_and_labels() {
    let csv = "request_id,prompt,model,score,feature,task,note\n\
               1,hello,b,0.5,chat,greet,x\n\
               1,hello,a,1,chat,greet,y\n\
               2,hello,a,0,,greet,z\n";
    let options = ReadOptions {
        context: strings(&["feature"]),
        labels: strings(&["task"]),
        ..ReadOptions::default()
    };
    let got = read("log.csv", csv, &options);
    let dataset = got.dataset();
    assert_eq!(dataset.candidates, ["a", "b"]);
    assert_eq!(
        (&dataset.context_columns, &dataset.label_columns),
        (&options.context, &options.labels)
    );
    let record = |id: &str| {
        let found = dataset.records.iter().find(|r| r.request_id.as_deref() == Some(id));
        found.unwrap()
    };
    assert_eq!(record("1").request.context["feature"], "chat");
    assert_eq!(record("1").labels, [Some("greet".to_owned())]);
    assert_eq!(record("1").cells.iter().map(|c| c.candidate).collect::<Vec<_>>(), [0, 1]);
    assert!(record("2").request.context.is_empty(), "an empty value is a missing one");
    assert_eq!(record("1").group, record("2").group);
    assert!(dataset.records[0].key < dataset.records[1].key);
    assert_eq!(got.report().ignored_columns.iter().collect::<Vec<_>>(), ["note"]);
    assert_eq!(got.report().rows, 3);
    assert_eq!(got.report().ambiguous_ids, 0);
}

#[test]
fn repeated_samples_are_averaged_and_reported() {
    let csv = "prompt,model,score,cost_usd\n\
               p,a,1,0.1\np,a,0,\np,a,,0.3\np,b,1,\np,b,1,\nq,a,0.25,\n";
    let got = read("log.csv", csv, &ReadOptions::default());
    let dataset = got.dataset();
    let p = dataset.records.iter().find(|r| r.cells.len() == 2).unwrap();
    assert_eq!((p.cells[0].samples, p.cells[0].score), (3, Some(0.5)));
    assert!((p.cells[0].cost_usd.unwrap() - 0.2).abs() < 1e-12, "the mean of what is known");
    assert_eq!((p.cells[1].samples, p.cells[1].score), (2, Some(1.0)));
    let report = got.report();
    assert_eq!((report.repeated_pairs, report.repeated_rows, report.disagreeing_pairs), (2, 5, 1));
    assert_eq!(report.not_judged, 1);
}

#[test]
fn one_id_for_several_prompts_is_several_requests() {
    let csv = "request_id,prompt,model\n7,p,a\n7,q,a\n8,p,a\n";
    let got = read("log.csv", csv, &ReadOptions::default());
    assert_eq!(got.dataset().records.len(), 3);
    assert_eq!(got.report().ambiguous_ids, 1);
}

#[test]
fn a_prompt_and_its_only_message_are_one_request() {
    let rows = [
        r#"{"prompt": "hi", "model": "a", "timestamp": "2024-05-01T12:00:01Z"}"#,
        r#"{"messages": [{"role": "user", "content": "hi"}], "model": "b", "timestamp": 1714564800}"#,
        r#"{"messages": "[{\"role\": \"user\", \"content\": \"hi\"}]", "model": "c"}"#,
        r#"{"messages": [{"role": "system", "content": "hi"}], "model": "a"}"#,
    ];
    let got = read("log.ndjson", rows.join("\n"), &ReadOptions::default());
    assert_eq!(got.rejects, Vec::<String>::new());
    assert_eq!(got.dataset().records.len(), 2);
    let user = got.dataset().records.iter().find(|r| r.cells.len() == 3).unwrap();
    assert_eq!(user.timestamp_ms, Some(1_714_564_800_000), "the earliest");
}

#[test]
fn models_splits_and_prices() {
    let csv = "prompt,model,split,input_tokens,output_tokens,cost_usd\n\
               p,a,train,1000,100,\np,b,train,1000,100,0.5\np,c,train,1,1,\nq,a,test,1,1,\nr,a,,1,1,\n";
    let prices: PriceTable = serde_json::from_str(
        r#"{"a": {"usd_per_1m_input": 1, "usd_per_1m_output": 10},
            "b": {"usd_per_1m_input": 1, "usd_per_1m_output": 10}}"#,
    )
    .unwrap();
    let options = ReadOptions {
        models: Some(strings(&["a", "b", "z"])),
        split: Some(SplitFilter { column: "split".into(), values: strings(&["train"]) }),
        prices: Some(prices),
        ..ReadOptions::default()
    };
    let got = read("log.csv", csv, &options);
    let report = got.report();
    assert_eq!(report.filtered_by_split, 2);
    assert_eq!(report.left_out_models.iter().collect::<Vec<_>>(), [(&"c".to_owned(), &1)]);
    assert_eq!(report.absent_models, ["z"]);
    assert_eq!(report.priced, 1);
    let costs: Vec<_> = got.dataset().records[0].cells.iter().map(|c| c.cost_usd).collect();
    assert_eq!(costs, [Some(0.002), Some(0.5)], "a billed cost is not replaced");
}

#[test]
fn cached_input_has_its_own_price_and_what_is_unknown_stays_so() {
    let csv = "prompt,model,input_tokens,cached_input_tokens,output_tokens\n\
               p,cached,1000,400,100\np,uncached,1000,400,100\np,unpriced,1000,400,100\n\
               p,half,1000,,\nq,cached,1000,,100\nr,cached,,,100\n";
    let prices: PriceTable = serde_json::from_str(
        r#"{"cached": {"usd_per_1m_input": 1, "usd_per_1m_output": 10, "usd_per_1m_cached_input": 0.25},
            "uncached": {"usd_per_1m_input": 1, "usd_per_1m_output": 10},
            "half": {"usd_per_1m_input": 1, "usd_per_1m_output": 10}}"#,
    )
    .unwrap();
    let options = ReadOptions { prices: Some(prices), ..ReadOptions::default() };
    let got = read("log.csv", csv, &options);
    let cost = |prompt: &str, model: &str| {
        let dataset = got.dataset();
        let candidate = dataset.candidates.iter().position(|name| name == model).unwrap();
        let record = dataset.records.iter().find(|r| r.request.full_text() == prompt).unwrap();
        record.cells.iter().find(|cell| cell.candidate == candidate).unwrap().cost_usd
    };
    let is = |cost: Option<f64>, usd: f64| assert!((cost.unwrap() - usd).abs() < 1e-12, "{cost:?}");
    is(cost("p", "cached"), 0.0017);
    is(cost("p", "uncached"), 0.002);
    is(cost("q", "cached"), 0.002);
    assert_eq!(cost("r", "cached"), None, "no input tokens");
    assert_eq!((cost("p", "unpriced"), cost("p", "half")), (None, None));
    assert_eq!(got.report().priced, 3);
}

#[test]
fn several_files_are_one_log_and_progress_is_told() {
    let (_a, csv) = file("a.csv", "prompt,model,score\np,a,1\n");
    let (_b, ndjson) = file("b.ndjson", r#"{"prompt": "p", "model": "b", "score": 0, "x": 1}"#);
    let told = std::cell::Cell::new(0);
    let mut rejects = Rejects::count_only();
    let (dataset, report) =
        read_log(&[csv, ndjson], &ReadOptions::default(), &mut rejects, &|n| told.set(n)).unwrap();
    assert_eq!(dataset.records.len(), 1);
    assert_eq!(dataset.records[0].cells.len(), 2);
    assert_eq!((told.get(), report.rows), (2, 2));
    assert_eq!(report.ignored_columns.iter().collect::<Vec<_>>(), ["x"]);
}

#[test]
fn labels_that_disagree_are_counted() {
    let csv = "prompt,model,task\np,a,y\np,b,x\nq,a,\nq,b,x\n";
    let options = ReadOptions { labels: strings(&["task"]), ..ReadOptions::default() };
    let got = read("log.csv", csv, &options);
    assert_eq!(got.report().disagreeing_labels, 1);
    assert!(got.dataset().records.iter().all(|r| r.labels == [Some("x".to_owned())]));
}
