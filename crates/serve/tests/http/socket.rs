//! The server on a real socket: address, large bodies, and a stop that loses nothing.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use farthing_serve::{LogConfig, ServeConfig, ServeError, Server};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::harness::{clock, config};

/// A server that runs until told to stop.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) admin_address: Option<SocketAddr>,
    tell_to_stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServeError>>,
}

pub(crate) async fn run(config: &ServeConfig) -> Running {
    let server = Server::bind(config, clock()).await.unwrap();
    let (address, admin_address) = (server.address(), server.admin_address());
    let (tell_to_stop, told) = oneshot::channel::<()>();
    let handle = tokio::runtime::Handle::current();
    let ended = spawn_blocking(move || {
        handle.block_on(server.run(async {
            told.await.unwrap();
        }))
    });
    Running { address, admin_address, tell_to_stop, ended }
}

impl Running {
    /// Tells it to stop; what waits for its end.
    pub(crate) fn stopping(self) -> JoinHandle<Result<(), ServeError>> {
        self.tell_to_stop.send(()).unwrap();
        self.ended
    }

    /// Tells it to stop, and waits.
    pub(crate) async fn stop(self) {
        self.stopping().await.unwrap().unwrap();
    }
}

/// A client on one connection, which it keeps.
pub(crate) struct Client(TcpStream);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(stream)
    }

    pub(crate) fn get(&mut self, path: &str) -> String {
        self.call("GET", path, "", "")
    }

    pub(crate) fn post(&mut self, path: &str, body: &str) -> String {
        self.call("POST", path, "", body)
    }

    /// The answer to a request; `headers` are lines that end with `\r\n`.
    pub(crate) fn call(&mut self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\n{headers}");
        self.send(format!("{head}content-length: {length}\r\n\r\n{body}"));
        self.read()
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
    }

    /// Reads one answer with a `content-length`.
    pub(crate) fn read(&mut self) -> String {
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&answer).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.unwrap().parse().unwrap() {
                    return text;
                }
            }
            let read = self.0.read(&mut buffer).unwrap();
            assert!(read > 0, "closed after {text:?}");
            answer.extend_from_slice(&buffer[..read]);
        }
    }

    /// Whether a request on this connection gets any answer at all.
    pub(crate) fn is_answered(&mut self) -> bool {
        let sent = self.0.write_all(b"GET /livez HTTP/1.1\r\nhost: test\r\n\r\n");
        sent.is_ok() && self.0.read(&mut [0; 1]).is_ok_and(|read| read > 0)
    }

    /// Waits until the server closes the connection, having sent nothing more.
    pub(crate) fn wait_for_end(&mut self) {
        match self.0.read(&mut [0; 1]) {
            Ok(read) => assert_eq!(read, 0),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

pub(crate) fn head(length: usize) -> String {
    format!("POST /v1/route HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n")
}

fn rows(dir: &Path) -> usize {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let decision = |line: &&str| line.starts_with(r#"{"type":"decision""#);
    files.map(|path| std::fs::read_to_string(path).unwrap().lines().filter(decision).count()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_flight_is_finished_and_logged() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.log = Some(LogConfig::new(dir.path().join("log")));
    let running = run(&config).await;
    let address = running.address;
    let (sent, half) = oneshot::channel();
    let client = spawn_blocking(move || {
        let body = br#"{"prompt": "hello"}"#;
        let mut client = Client::connect(address);
        client.send(head(body.len()));
        client.send(&body[..5]);
        std::thread::sleep(Duration::from_millis(100));
        sent.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        client.send(&body[5..]);
        client.read()
    });
    half.await.unwrap();
    let ended = running.stopping();
    let answer = client.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    ended.await.unwrap().unwrap();
    assert_eq!(rows(&dir.path().join("log")), 1);
    assert!(TcpStream::connect(address).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_sends_too_much_sees_why() {
    let dir = tempfile::tempdir().unwrap();
    let running = run(&config(dir.path())).await;
    let address = running.address;
    let answer = spawn_blocking(move || {
        let mut client = Client::connect(address);
        let length = 20 << 20;
        client.send(head(length));
        client.send(vec![b'a'; length]);
        client.read()
    });
    let answer = answer.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{answer}");
    assert!(answer.contains(r#""code":"body_too_large""#), "{answer}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_in_use_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    let running = run(&config).await;
    config.listen = running.address;
    let error = Server::bind(&config, clock()).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on {}; hint:", running.address)), "{error}");
    running.stop().await;
}

#[tokio::test]
async fn a_router_with_a_flipped_byte_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let path = config.router.path.join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = Server::bind(&config, clock()).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("model.safetensors` was changed after training"), "{cause}");
}
