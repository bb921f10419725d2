//! `farthing serve` as a process, and an HTTP client that is just enough to talk to it.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::folder::Folder;

/// A running server.
pub(crate) struct Server {
    process: Child,
    pub(crate) client: Client,
    /// Collects stderr; a full pipe would stop the server.
    stderr: Option<JoinHandle<String>>,
}

/// Talks to a server, which may have gone.
#[derive(Clone, Copy)]
pub(crate) struct Client(SocketAddr);

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Server {
    /// Starts a server on a free port that logs its decisions to `decisions` in the folder.
    pub(crate) fn start(folder: &Folder, router: &Path) -> Self {
        Self::start_with(folder, router, &[])
    }

    /// Starts it with more flags.
    pub(crate) fn start_with(folder: &Folder, router: &Path, flags: &[&str]) -> Self {
        let mut command = folder.command();
        command.arg("serve").arg(router).args(["--listen", "127.0.0.1:0", "--log", "decisions"]);
        command.args(flags);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let start = said.len();
            assert!(stderr.read_line(&mut said).unwrap() > 0, "no address in:\n{said}");
            if let Some((_, rest)) = said[start..].split_once("listening on http://") {
                let end = rest.find(|c: char| !(c.is_ascii_digit() || ".:".contains(c)));
                break rest[..end.unwrap_or(rest.len())].parse().unwrap();
            }
        };
        let stderr = std::thread::spawn(move || {
            stderr.read_to_string(&mut said).unwrap();
            said
        });
        Self { process, client: Client(address), stderr: Some(stderr) }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.call(&format!("GET {path}"), b"")
    }

    pub(crate) fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.call(&format!("POST {path}"), body.as_ref())
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Sends SIGKILL and waits for the end.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.stderr.take().unwrap().join().unwrap();
    }

    /// Sends SIGTERM and waits for the end; what was said on stderr.
    pub(crate) fn stop(mut self) -> String {
        self.signal("TERM");
        let status = self.process.wait().unwrap();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        assert!(status.success(), "{status}\n{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert!(!stderr.contains('\x1b'), "colours are for terminals: {stderr}");
        stderr
    }

    fn call(&self, method_and_path: &str, body: &[u8]) -> Answer {
        self.client.call(method_and_path, body).unwrap()
    }
}

impl Client {
    /// An error where the server is gone, or goes before it has answered.
    pub(crate) fn post(self, path: &str, body: impl AsRef<[u8]>) -> io::Result<Answer> {
        self.call(&format!("POST {path}"), body.as_ref())
    }

    fn call(self, method_and_path: &str, body: &[u8]) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(self.0)?;
        let head = format!(
            "{method_and_path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            self.0,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let Some((head, body)) = answer.split_once("\r\n\r\n") else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let head = head.to_ascii_lowercase();
        if !head.contains(&format!("content-length: {}", body.len())) {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, head));
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Ok(Answer { status, body: body.to_owned() })
    }
}

impl Drop for Server {
    /// For a test that fails before it stops its server; else there is no process to kill any more.
    fn drop(&mut self) {
        if self.stderr.is_some() {
            self.process.kill().unwrap_or_default();
            self.process.wait().ok();
        }
    }
}

impl Answer {
    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }
}
