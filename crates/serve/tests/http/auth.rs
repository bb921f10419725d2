//! Who may ask, at which address.

use axum::body::Body;
use axum::http::{Method, Request};
use farthing_core::Digest;
use farthing_serve::{ServeError, Server};

use crate::harness::{clock, config, service_with};
use crate::socket::{Client, run};

async fn status(key: Option<&str>, method: Method, path: &str) -> u16 {
    let service = service_with(|config, _| {
        config.auth.keys = vec![Digest::of(b"first"), Digest::of(b"second")];
    });
    let mut request = Request::builder().method(method).uri(path);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let answer = service.send(request.body(Body::from(r#"{"prompt": "a"}"#)).unwrap()).await;
    if answer.status == 401 {
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        assert_eq!(answer.json()["error"]["code"], "unauthorized");
        assert!(answer.headers.contains_key("x-request-id"));
    }
    answer.status
}

#[tokio::test]
async fn keys_open_everything_but_probes_which_are_open() {
    let paths = [
        (Method::POST, "/v1/route"),
        (Method::GET, "/v1/models"),
        (Method::GET, "/openapi.json"),
        (Method::GET, "/metrics"),
        (Method::POST, "/admin/reload"),
    ];
    for (method, path) in paths {
        for key in ["first", "second"] {
            assert_eq!(status(Some(key), method.clone(), path).await, 200, "{path}");
        }
        for key in [None, Some("third"), Some("")] {
            assert_eq!(status(key, method.clone(), path).await, 401, "{path} {key:?}");
        }
    }
    assert_eq!(status(None, Method::GET, "/junk").await, 401);
    for path in ["/livez", "/readyz"] {
        assert_eq!(status(None, Method::GET, path).await, 200, "{path}");
    }
}

#[tokio::test]
async fn without_keys_pages_of_other_sites_are_turned_away() {
    let send = async |keys: &[&str], path: &str, headers: &[(&str, &str)]| {
        let service = service_with(|config, _| {
            config.auth.keys = keys.iter().map(|key| Digest::of(key.as_bytes())).collect();
        });
        let mut request = Request::post(path).header("host", "127.0.0.1:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = service.send(request.body(Body::from(r#"{"prompt": "a"}"#)).unwrap()).await;
        let code = answer.json()["error"]["code"].as_str().map(str::to_owned);
        (answer.status, code)
    };
    let evil = ("origin", "http://evil.example");
    let foreign = (403, Some("foreign_origin".to_owned()));
    for path in ["/v1/route", "/v1/route/batch", "/v1/outcomes", "/admin/reload", "/admin/health"] {
        assert_eq!(
            send(&[], path, &[evil, ("content-type", "text/plain")]).await,
            foreign,
            "{path}"
        );
        assert_eq!(send(&[], path, &[("sec-fetch-site", "cross-site")]).await, foreign, "{path}");
    }
    let own = [("origin", "http://127.0.0.1:8080")];
    assert_eq!(send(&[], "/v1/route", &own).await, (200, None));
    // Whoever has a key may use it from where they like.
    let with_key = [evil, ("authorization", "Bearer first")];
    assert_eq!(send(&["first"], "/v1/route", &with_key).await, (200, None));
}

#[tokio::test]
async fn without_keys_only_loopback_is_listened_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.listen = "0.0.0.0:0".parse().unwrap();
    let error = Server::bind(&config, clock()).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "0.0.0.0:0 can be reached from elsewhere and there are no keys; hint: give `auth.keys`, or \
         listen on a loopback address such as 127.0.0.1"
    );
    config.auth.keys = vec![Digest::of(b"a key")];
    Server::bind(&config, clock()).await.unwrap();

    config.auth.keys.clear();
    config.listen = "[::1]:0".parse().unwrap();
    config.admin_listen = Some("0.0.0.0:0".parse().unwrap());
    let error = Server::bind(&config, clock()).await.unwrap_err();
    assert!(matches!(error, ServeError::Unprotected(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administration_has_its_own_address() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.admin_listen = Some("127.0.0.1:0".parse().unwrap());
    config.auth.keys = vec![Digest::of(b"a key")];
    let running = run(&config).await;
    let (main, admin) = (running.address, running.admin_address.unwrap());
    tokio::task::spawn_blocking(move || {
        let status = |address, method: &str, path: &str| {
            let headers = "authorization: Bearer a key\r\n";
            Client::connect(address).call(method, path, headers, "")[9..12].to_owned()
        };
        for (method, path) in [("GET", "/metrics"), ("POST", "/admin/reload")] {
            assert_eq!(status(main, method, path), "404", "{path}");
            assert_eq!(status(admin, method, path), "200", "{path}");
        }
        assert_eq!(status(admin, "GET", "/v1/models"), "404");
        assert_eq!(status(admin, "GET", "/readyz"), "200");
        // Who can connect to this machine's own address needs no key there, but pages can do that too.
        assert!(Client::connect(admin).get("/metrics").starts_with("HTTP/1.1 200"));
        let page = "origin: http://evil.example\r\n";
        let refused = Client::connect(admin).call("POST", "/admin/reload", page, "");
        assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
        assert!(Client::connect(main).get("/metrics").starts_with("HTTP/1.1 401"));
    })
    .await
    .unwrap();
    running.stop().await;
}
