use std::error::Error as _;

use super::*;

/// Reads a file of that name; an error with its causes, and without the folder.
fn read(name: &str, text: &str) -> Result<PriceTable, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    read_prices(&path).map_err(|error| {
        let causes = error.source().map(|cause| format!("; because: {cause}")).unwrap_or_default();
        format!("{error}{causes}").replace(&format!("{}/", dir.path().display()), "")
    })
}

fn check(text: &str) -> Result<PriceTable, String> {
    read("p.csv", text)
}

/// Input, output and cached-input price of every model.
type Shown<'a> = (&'a str, f64, f64, Option<f64>);

#[track_caller]
fn holds(table: &PriceTable, expected: &[Shown<'_>]) {
    let all = table.iter().map(|(model, price)| {
        let cached = price.usd_per_1m_cached_input;
        (model, price.usd_per_1m_input, price.usd_per_1m_output, cached)
    });
    assert_eq!(all.collect::<Vec<_>>(), expected);
}

#[test]
fn a_table_with_other_columns() {
    let table = check("model,source,usd_per_1m_input,usd_per_1m_output\na,list,1,2.5\nb,,0,0\n");
    let table = table.unwrap();
    assert!((table.get("a").unwrap().usd_per_1m_output - 2.5).abs() < 1e-12);
    assert_eq!(table.iter().count(), 2);
    let header = "model,usd_per_1m_input,usd_per_1m_output,usd_per_1m_cached_input\n";
    let table = check(&format!("{header}a,1,2,0.5\nb,1,2,\n")).unwrap();
    assert_eq!(table.get("a").unwrap().usd_per_1m_cached_input, Some(0.5));
    assert_eq!(table.get("b").unwrap().usd_per_1m_cached_input, None);
}

#[test]
fn mistakes_name_line_and_column() {
    let header = "model,usd_per_1m_input,usd_per_1m_output\n";
    let error = |rows: &str| check(&format!("{header}{rows}")).unwrap_err();
    assert!(error("a,1,2\nb,-1,2\n").starts_with(
        "`p.csv`, line 3: `usd_per_1m_input` is not a number of at least 0: `-1`; hint: leave"
    ));
    assert!(error("a,1,\n").contains("line 2: `usd_per_1m_output` is not a number"));
    assert!(error("a,NaN,1\n").contains("`NaN`"));
    assert_eq!(error("a,1,1\na,1,1\n"), "`p.csv`, line 3: `a` has a price already");
    assert!(error("a,1\n").contains("line 2: wrong number of fields: 2 where the header has 3"));
    let missing = check("model,usd_per_1m_inputs,x\n").unwrap_err();
    assert!(missing.contains("hint: did you mean `usd_per_1m_inputs`?"), "{missing}");
}

#[test]
fn litellm_prices_are_by_the_token() {
    let table = read(
        "p.json",
        r#"{
            "sample_spec": {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0, "mode": "one of: chat"},
            "fallback_generalizations": {"rules": [{"name": "x"}]},
            "gpt-4o": {"input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05,
                "cache_read_input_token_cost": 1.25e-06, "mode": "chat", "max_tokens": 16384,
                "input_cost_per_token_above_128k_tokens": 5e-06, "supported_regions": ["global", {"a": 1}],
                "search_context_cost_per_query": {"search_context_size_low": 0.01}},
            "quoted": {"input_cost_per_token": "1.5e-7", "output_cost_per_token": " 6e-07 ", "mode": null},
            "free": {"input_cost_per_token": 0, "output_cost_per_token": 0.0, "mode": "chat"}
        }"#,
    );
    let gpt = ("gpt-4o", 2.5, 10.0, Some(1.25));
    holds(&table.unwrap(), &[("free", 0.0, 0.0, None), gpt, ("quoted", 0.15, 0.6, None)]);
}

#[test]
fn what_litellm_does_not_price_by_the_token_is_unknown() {
    let table = read(
        "p.json",
        r#"{
            "image": {"output_cost_per_image": 0.04, "mode": "image_generation"},
            "embedding": {"input_cost_per_token": 1e-07, "output_cost_per_token": 0, "mode": "embedding"},
            "music": {"input_cost_per_token": 0, "output_cost_per_token": 0, "output_cost_per_image": 0.08, "mode": "chat"},
            "half": {"input_cost_per_token": 1e-06, "mode": "chat"},
            "null": {"input_cost_per_token": 1e-06, "output_cost_per_token": null, "mode": "chat"},
            "nothing": {}, "nothing": {"mode": "chat"}
        }"#,
    );
    holds(&table.unwrap(), &[]);
}

#[test]
fn the_prices_of_a_router_are_read() {
    let price =
        r#"{"usd_per_1m_input": 2.5, "usd_per_1m_output": 10, "usd_per_1m_cached_input": null}"#;
    let table = read("P.JSON", &format!("\u{feff}{{\"gpt-4o\": {price}}}"));
    holds(&table.unwrap(), &[("gpt-4o", 2.5, 10.0, None)]);
    let toml = "[\"gpt-4.1\"]\nusd_per_1m_input = 2\nusd_per_1m_output = 8.0\nusd_per_1m_cached_input = 0.5\n\
                [small]\nusd_per_1m_input = 0\nusd_per_1m_output = 0\n";
    let table = read("p.toml", toml).unwrap();
    holds(&table, &[("gpt-4.1", 2.0, 8.0, Some(0.5)), ("small", 0.0, 0.0, None)]);
}

#[test]
fn what_is_written_is_read_back() {
    let table = check(
        "model,usd_per_1m_input,usd_per_1m_output,usd_per_1m_cached_input\na,1,2,0.5\nb,0.1,0.2,\n",
    );
    let table = table.unwrap();
    assert_eq!(read("p.json", &serde_json::to_string(&table).unwrap()).unwrap(), table);
    assert_eq!(read("p.toml", &toml::to_string(&table).unwrap()).unwrap(), table);
}

#[test]
fn mistakes_in_json_name_model_and_key() {
    let error = |entry: &str| read("p.json", &format!("{{\"m\": {entry}}}")).unwrap_err();
    let litellm = |value: &str| {
        error(&format!(
            "{{\"input_cost_per_token\": {value}, \"output_cost_per_token\": 1e-6, \"mode\": \"chat\"}}"
        ))
    };
    let hint = "hint: leave an unpriced model out, 0 means free";
    for (value, shown) in [
        ("-1e-6", "-0.000001"),
        ("\"NaN\"", "NaN"),
        ("\"1,5\"", "1,5"),
        ("\"inf\"", "inf"),
        ("[1]", "a list"),
        ("true", "true"),
        ("{}", "a table"),
    ] {
        assert_eq!(
            litellm(value),
            format!(
                "`p.json`, `m`: `input_cost_per_token` is not a number of at least 0: `{shown}`; {hint}"
            )
        );
    }
    assert!(
        litellm("1, \"input_cost_per_token\": 2").contains("`input_cost_per_token` stands twice")
    );
    assert!(error("3").starts_with("`p.json`, `m`: it is not an object of prices: `3`; hint: "));
    let slip = error(r#"{"usd_per_1m_input": 1, "usd_per_1m_ouput": 2}"#);
    let said = "unknown key `usd_per_1m_ouput`; hint: did you mean `usd_per_1m_output`?";
    assert_eq!(slip, format!("`p.json`, `m`: {said}"));
    let half = error(r#"{"usd_per_1m_input": 1}"#);
    assert_eq!(half, format!("`p.json`, `m`: no `usd_per_1m_output`; {hint}"));
    let price = r#"{"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}"#;
    let twice = error(&format!(r#"{price}, "m": {{}}"#));
    assert!(twice.starts_with("`p.json`, `m`: it stands twice in the file; hint: "), "{twice}");
}

#[test]
fn mistakes_in_toml_name_model_and_key() {
    let error = |text: &str| read("p.toml", text).unwrap_err();
    let rest = "usd_per_1m_input = 1\nusd_per_1m_output = ";
    let said = "`p.toml`, `m`: `usd_per_1m_output` is not a number of at least 0: ";
    for (value, shown) in [("nan", "`NaN`"), ("-1", "`-1`"), ("1979-05-27", "`a table`")] {
        assert!(
            error(&format!("[m]\n{rest}{value}\n")).starts_with(&format!("{said}{shown}; hint: "))
        );
    }
    let unquoted = error(&format!("[gpt-4.1]\n{rest}1\n"));
    let said = "`p.toml`, `gpt-4`: unknown key `1`; hint: the keys are `usd_per_1m_input`, ";
    assert!(unquoted.starts_with(said) && unquoted.ends_with(" stands in quotes"), "{unquoted}");
    assert!(
        error("m = 3\n").starts_with("`p.toml`, `m`: it is not a table of prices: `3`; hint: ")
    );
    assert!(error("[m]\n").starts_with("`p.toml`, `m`: no `usd_per_1m_input`; hint: "));
    assert!(
        error(&format!("[m]\n{rest}1\n[m]\n{rest}1\n"))
            .contains("; because: TOML parse error at line 4")
    );
}

#[test]
fn files_that_are_no_price_table() {
    let because = "`p.json` is not a price table; hint: it holds one table a model, by the model's name; because: ";
    let broken = read("p.json", "{\"a\": {\n\"input_cost_per_token\": }}").unwrap_err();
    assert_eq!(broken, format!("{because}expected value at line 2 column 25"));
    let list = read("p.json", "[1]").unwrap_err();
    assert!(
        list.starts_with(&format!("{because}invalid type: sequence, expected one table")),
        "{list}"
    );
    assert!(read("p.json", "").unwrap_err().starts_with(because));
    let toml = read("p.toml", "[a\n").unwrap_err();
    assert!(toml.contains("because: TOML parse error at line 1"), "{toml}");
    for name in ["p.yaml", "p"] {
        assert!(
            read(name, "").unwrap_err().starts_with(&format!(
                "the extension of `{name}` names no format of a price table; hint: use .csv, .toml or .json"
            ))
        );
    }
}
