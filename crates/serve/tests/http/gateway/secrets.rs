//! What clients and operators entrust to the gateway stays out of everything that it writes or says.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::Request;
use farthing_serve::Secret;
use serde_json::json;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::{Gateway, header};

const UPSTREAM_KEY: &str = "sk-upstream-4f1b9c";
const CLIENT_KEY: &str = "sk-client-77ae02";
const PROMPT: &str = "zebra-quartz-prompt";
const TOOL: &str = "tool-argument-zq";
const HEADER: &str = "header-value-91xk";
const COOKIE: &str = "cookie-value-5512";
const SECRETS: [&str; 6] = [UPSTREAM_KEY, CLIENT_KEY, PROMPT, TOOL, HEADER, COOKIE];

/// Everything that is traced.
#[derive(Debug, Clone, Default)]
struct Traced(Arc<Mutex<Vec<u8>>>);

impl Write for Traced {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Traced {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn check(place: &str, text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {place}: {text}");
    }
}

/// A request with all of them; `more` goes into the body.
fn request(path: &str, model: &str, stream: bool) -> Request<Body> {
    let body = json!({
        "model": model, "stream": stream, "max_tokens": 10, "temperature": 0,
        "messages": [{"role": "user", "content": PROMPT}],
        "tools": [{"type": "function", "function": {"name": "f", "description": TOOL}}],
    });
    Request::post(path)
        .header("authorization", format!("Bearer {CLIENT_KEY}"))
        .header("x-api-key", CLIENT_KEY)
        .header("cookie", COOKIE)
        .header("x-own", HEADER)
        .header("openai-organization", HEADER)
        .body(Body::from(body.to_string()))
        .unwrap()
}

#[tokio::test]
async fn nothing_entrusted_is_written_or_said() {
    let traced = Traced::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace"))
        .with_writer(traced.clone())
        .with_ansi(false)
        .finish();
    // Of all tests in this process: whether a place is traced at all is settled once for all threads.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let faults =
        ["ok", "error,status=401", "reset", "not_json", "html_error", "cut_stream,events=1"];
    let mut ran = 0;
    for fault in faults {
        let gateway = Gateway::with(&[("small", &[fault])], |config| {
            config.attempts = 2;
            config.cache = Some(farthing_serve::CacheConfig::new(1 << 20));
            for upstream in config.upstreams.values_mut() {
                upstream.key = Secret::new(UPSTREAM_KEY);
            }
            // Shown in traces by whoever debugs a configuration.
            check("the settings", &format!("{config:?}"));
        })
        .await;
        for path in ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/route"] {
            for (model, stream) in [("auto", false), ("auto", true), (PROMPT, false)] {
                let answer = gateway.service.send(request(path, model, stream)).await;
                let place = format!("{fault} {path} {model} {stream}");
                // What an upstream says is the client's own; a name that nobody serves is told back.
                let ours = answer.status != 200
                    && header(&answer, "x-farthing-error-source") != "upstream";
                if ours && model != PROMPT {
                    check(&place, &answer.text);
                }
                for (name, value) in &answer.headers {
                    check(&format!("{place}: {name}"), value.to_str().unwrap());
                }
                ran += 1;
            }
        }
        check("metrics", &gateway.service.get("/metrics").await.text);
        let Gateway { service, upstream: _upstream } = gateway;
        service.background.finish().await.unwrap();
        let log = service.dir.path().join("log");
        let mut rows = 0;
        for entry in std::fs::read_dir(log).unwrap() {
            let text = std::fs::read(entry.unwrap().path()).unwrap();
            let text = String::from_utf8_lossy(&text);
            rows += text.lines().filter(|line| line.contains("\"type\":\"decision\"")).count();
            check("the log", &text);
        }
        assert!(rows > 0, "{fault}");
    }
    assert_eq!(ran, 72);
    let traced = traced.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let traced = String::from_utf8(traced).unwrap();
    assert!(traced.contains("an attempt failed"), "traces are seen at all");
    check("traces", &traced);
}
