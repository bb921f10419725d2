//! The process that serves takes another router, and says so, without ending.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::folder::Folder;
use crate::sample;
use crate::server::Server;

#[test]
fn a_hangup_takes_the_router_that_the_link_names_now() {
    let folder = Folder::new();
    let link = folder.path("current");
    let relink = |to: &Path| {
        symlink(to, folder.path("pending")).unwrap();
        std::fs::rename(folder.path("pending"), &link).unwrap();
    };
    relink(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/router-v1"));
    let server = Server::start(&folder, &link);
    let serving = || server.get("/v1/router").json(200)["serving"].clone();
    let before = serving();
    assert_eq!((&before["previous"], &before["last_reload"]), (&Value::Null, &Value::Null));

    relink(&sample::router(0).dir());
    server.signal("HUP");
    let asked = Instant::now();
    while serving()["last_reload"].is_null() {
        assert!(asked.elapsed() < Duration::from_secs(20), "nothing was reloaded");
        std::thread::sleep(Duration::from_millis(20));
    }
    let after = serving();
    assert_eq!(after["digest"], sample::router(0).manifest["digest"]);
    assert_eq!(after["previous"], before["digest"]);
    assert_eq!(after["last_reload"]["result"], "ok");

    let back = server.post("/admin/rollback", "").json(200);
    assert_eq!(back["digest"], before["digest"]);
    let said = server.stop();
    assert!(said.contains("reloaded: ok"), "{said}");
}
