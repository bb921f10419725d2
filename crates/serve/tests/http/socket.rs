//! The server on a real socket: address, large bodies, and a stop that loses nothing.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use farthing_serve::{LogConfig, ServeConfig, ServeError, Server};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::harness::{clock, config};

/// A server that runs until told to stop.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServeError>>,
}

async fn run(config: &ServeConfig) -> Running {
    let server = Server::bind(config, clock()).await.unwrap();
    let address = server.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let handle = tokio::runtime::Handle::current();
    let ended = spawn_blocking(move || {
        handle.block_on(server.run(async {
            stopped.await.unwrap();
        }))
    });
    Running { address, stop, ended }
}

fn head(length: usize) -> String {
    format!("POST /v1/route HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n")
}

/// Reads one answer with a `content-length`.
fn read_answer(stream: &mut TcpStream) -> String {
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
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "closed after {text:?}");
        answer.extend_from_slice(&buffer[..read]);
    }
}

fn rows(dir: &Path) -> usize {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| std::fs::read_to_string(path).unwrap().lines().count()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_flight_is_finished_and_logged() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.log = Some(LogConfig::new(dir.path().join("log")));
    let Running { address, stop, ended } = run(&config).await;
    let (sent, half) = oneshot::channel();
    let client = spawn_blocking(move || {
        let body = br#"{"prompt": "hello"}"#;
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(head(body.len()).as_bytes()).unwrap();
        stream.write_all(&body[..5]).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
        sent.send(()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
        stream.write_all(&body[5..]).unwrap();
        read_answer(&mut stream)
    });
    half.await.unwrap();
    stop.send(()).unwrap();
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
        let mut stream = TcpStream::connect(address).unwrap();
        let length = 20 << 20;
        stream.write_all(head(length).as_bytes()).unwrap();
        stream.write_all(&vec![b'a'; length]).unwrap();
        read_answer(&mut stream)
    });
    let answer = answer.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{answer}");
    assert!(answer.contains(r#""code":"body_too_large""#), "{answer}");
    running.stop.send(()).unwrap();
    running.ended.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_in_use_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    let running = run(&config).await;
    config.listen = running.address;
    let error = Server::bind(&config, clock()).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on {}; hint:", running.address)), "{error}");
    running.stop.send(()).unwrap();
    running.ended.await.unwrap().unwrap();
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
