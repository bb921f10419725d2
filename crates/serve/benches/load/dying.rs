//! One of three instances dies under load: what its clients see, and how long.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::gateway::{PATH, load};
use crate::generator::{Arrivals, Outcome};
use crate::servers::Running;
use crate::{body, soak};

/// Instances beside the one that is well by itself.
const INSTANCES: [&str; 2] = ["@dying", "flaky,ratio=0"];
/// Ways to die.
const DEATHS: [&str; 3] = ["error,status=503", "reset", "slow,headers_ms=500"];

pub(crate) fn measure(router: &Path) -> Result<()> {
    println!("{}", Outcome::HEADER);
    let body = body(200);
    for death in DEATHS {
        let (dir, upstream) = (tempfile::tempdir()?, Running::upstream()?);
        set(upstream.address, "ok")?;
        let gateway = Running::gateway(router, dir.path(), &upstream, &INSTANCES)?;
        let half = Arrivals::Every(soak::rate(&gateway, &body)?);
        load(&gateway, PATH, &body, half)?.print(&format!("{death}: before"));
        set(upstream.address, death)?;
        for name in ["as it dies", "7 s later", "14 s later", "21 s later"] {
            let outcome = load(&gateway, PATH, &body, half)?;
            outcome.print(&format!("{death}: {name}"));
        }
        set(upstream.address, "ok")?;
        std::thread::sleep(Duration::from_secs(5));
        load(&gateway, PATH, &body, half)?.print(&format!("{death}: well again"));
    }
    Ok(())
}

/// Tells the upstream how the instance behaves from now on.
fn set(upstream: SocketAddr, scenario: &str) -> Result<()> {
    let mut stream = TcpStream::connect(upstream)?;
    let length = scenario.len();
    let head = format!(
        "PUT /@dying HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}"
    );
    stream.write_all(format!("{head}\r\n\r\n{scenario}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 2") { Ok(()) } else { bail!("the upstream refuses: {answer}") }
}
