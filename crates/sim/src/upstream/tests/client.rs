//! A client that believes nothing: it tells apart how an answer ended.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use httparse::Status;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer that brings nothing for so long has stalled.
const PATIENCE: Duration = Duration::from_millis(300);

/// What came back.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// 0 if no head came.
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    /// Without the marks between chunks.
    pub(super) body: Vec<u8>,
    pub(super) end: End,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// As HTTP has it: the length, or the last chunk.
    #[default]
    Whole,
    /// The connection was closed before that.
    Cut,
    /// The connection was reset before that.
    Reset,
    /// Nothing came for a long time.
    Stalled,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The data of each event; what is no JSON as a string.
    pub(super) fn events(&self) -> Vec<Value> {
        let data = self.text().lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| data.into())).collect()
    }
}

/// Posts a body and reads the answer.
pub(super) async fn ask(addr: SocketAddr, path: &str, body: &Value) -> Answer {
    ask_with(addr, "POST", path, "", &body.to_string()).await
}

/// Sends a request with more header lines and reads the answer.
pub(super) async fn ask_with(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Answer {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: sim\r\n{headers}content-length: {length}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        if let Some(answer) = read(&bytes, None) {
            return answer;
        }
        let end = match tokio::time::timeout(PATIENCE, stream.read_buf(&mut bytes)).await {
            Err(_) => End::Stalled,
            Ok(Ok(0)) => End::Cut,
            Ok(Ok(_)) => continue,
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
            Ok(Err(error)) => panic!("{error}"),
        };
        return read(&bytes, Some(end)).unwrap();
    }
}

/// The answer in these bytes, if it is whole or has ended otherwise.
fn read(bytes: &[u8], end: Option<End>) -> Option<Answer> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let Status::Complete(length) = head.parse(bytes).unwrap() else {
        return end.map(|end| Answer { end, ..Answer::default() });
    };
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    let mut answer = Answer {
        status: head.code.unwrap(),
        headers: head.headers.iter().map(|h| (h.name.to_owned(), text(h.value))).collect(),
        ..Answer::default()
    };
    let whole = match answer.header("content-length").map(|text| text.parse::<usize>().unwrap()) {
        Some(announced) => {
            answer.body = bytes[length..].to_vec();
            answer.body.len() == announced
        }
        None => dechunk(&bytes[length..], &mut answer.body),
    };
    if whole {
        return Some(answer);
    }
    end.map(|end| Answer { end, ..answer })
}

/// Appends what is in the chunks; whether the last one is among them.
fn dechunk(mut bytes: &[u8], body: &mut Vec<u8>) -> bool {
    while let Ok(Status::Complete((start, size))) = httparse::parse_chunk_size(bytes) {
        let end = bytes.len().min(start + usize::try_from(size).unwrap());
        body.extend(&bytes[start..end]);
        bytes = bytes.get(end + 2..).unwrap_or_default();
        if size == 0 {
            return true;
        }
    }
    false
}
